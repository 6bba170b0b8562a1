//! Images of local engines, through the engine's socket.

use std::path::PathBuf;

use anyhow::Context as _;
use seaworthy_remote::EngineSocket;

use super::{Reading, Taken};
use crate::failure::Hinted;
use crate::settings::Surroundings;

/// Reads the image `name` as the engine exports it. `sockets` are tried in
/// order; the first that exists is the engine's.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    engine: &str,
    sockets: fn(&Surroundings) -> anyhow::Result<Vec<PathBuf>>,
) -> anyhow::Result<Vec<Taken>> {
    let path = choose(reading, engine, sockets)?;
    reading.bar.say(&format!("asking {engine} for {name}"));
    let runtime = crate::runtime::start()?;
    let told = || format!("cannot read `{engine}:{name}`");
    let socket = runtime
        .block_on(EngineSocket::open(path))
        .with_context(told)?;
    let mut export = socket.export_blocking(name).with_context(told)?;
    super::archive::read_export(reading, &mut export).with_context(told)
}

/// The socket the user names, or the first of the usual ones that is there.
pub(super) fn choose(
    reading: &Reading<'_>,
    engine: &str,
    sockets: fn(&Surroundings) -> anyhow::Result<Vec<PathBuf>>,
) -> anyhow::Result<PathBuf> {
    if let Some(named) = &reading.args.access.socket {
        return Ok(named.clone());
    }
    let sockets = sockets(reading.desk.surroundings)?;
    let tried: Vec<String> = sockets
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    sockets
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| {
            Hinted::error(
                format!("{engine} does not listen at {}", tried.join(" or ")),
                format!("start {engine}, or name its socket with --socket"),
            )
        })
}
