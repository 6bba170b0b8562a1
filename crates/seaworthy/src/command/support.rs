//! `seaworthy support-bundle`: what a person who helps needs, and no secret.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::cli::{Flags, SupportArgs};
use crate::command::config as config_command;
use crate::command::doctor;
use crate::config::{self, Config, Sheet};
use crate::desk::Desk;
use crate::doctor as look;
use crate::exit::Exit;
use crate::key::Kind;
use crate::log;
use crate::printer;
use crate::runtime;
use crate::tar::Writer;

/// Bytes of the log that are taken, from its end.
const LOG: usize = 512 * 1024;

/// Most bytes of a page of numbers.
const NUMBERS: u64 = 4 << 20;

/// How long the server may take for that page.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shorter secrets are not searched for: they would be found everywhere.
const SHORTEST_SECRET: usize = 6;

/// What stands in the place of a secret.
const HIDDEN: &str = "(secret)";

/// Writes the bundle.
pub(crate) fn support(desk: &Desk<'_>, args: &SupportArgs) -> anyhow::Result<Exit> {
    let sheet = config::sheet(desk, &args.config, Flags::new())?;
    let config = Config::of(&sheet, desk);
    let secrets = secrets(&sheet, desk);
    let mut files = vec![
        ("versions.txt", versions()),
        ("configuration.txt", config_command::text(desk, &sheet)),
        ("log.txt", log::recent(desk.data, LOG)),
    ];
    match &config {
        Ok(config) => {
            let found = runtime::start()?.block_on(look::look(config, false));
            files.push(("doctor.txt", doctor::page(&found, false)));
            files.push(("metrics.txt", numbers(config)));
        }
        Err(error) => files.push((
            "doctor.txt",
            format!("the configuration is refused: {error:#}\n"),
        )),
    }
    let bytes = bundle(&files, &secrets)?;
    printer::write_file(&args.file, &bytes)?;
    desk.printer.note(&format!(
        "wrote `{}`: {}; look into it before you give it away",
        args.file.display(),
        files
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    ));
    Ok(Exit::Pass)
}

fn bundle(files: &[(&str, String)], secrets: &[String]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    for (name, text) in files {
        let mut text = text.clone();
        for secret in secrets {
            text = text.replace(secret, HIDDEN);
        }
        writer.file(name, text.as_bytes())?;
    }
    writer.finish()
}

/// Everything this machine was told to keep quiet. None of it should be in a file of
/// the bundle; this is the second wall.
fn secrets(sheet: &Sheet, desk: &Desk<'_>) -> Vec<String> {
    let mut secrets: Vec<String> = sheet
        .lines()
        .filter_map(|said| match said.key.kind {
            Kind::Secret => Some(said.text.clone()),
            Kind::Address => password(&said.text),
            Kind::Text
            | Kind::Path
            | Kind::Truth
            | Kind::Number { .. }
            | Kind::Choice(_)
            | Kind::Choices(_) => None,
        })
        .collect();
    let surroundings = desk.surroundings;
    secrets.extend(
        [
            &surroundings.server_token,
            &surroundings.registry_password,
            &surroundings.registry_token,
        ]
        .into_iter()
        .flatten()
        .cloned(),
    );
    secrets.retain(|it| it.len() >= SHORTEST_SECRET);
    // A long one may contain a short one.
    secrets.sort_by_key(|it| std::cmp::Reverse(it.len()));
    secrets
}

/// The password in a URL.
fn password(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    user.split_once(':')
        .map(|(_, password)| password.to_owned())
}

fn versions() -> String {
    let system = rustix::system::uname();
    let mut text = String::new();
    for (name, value) in [
        ("seaworthy", env!("CARGO_PKG_VERSION").to_owned()),
        ("architecture", std::env::consts::ARCH.to_owned()),
        ("kernel", system.release().to_string_lossy().into_owned()),
        ("system", system_name()),
        (
            "processors",
            std::thread::available_parallelism()
                .map_or_else(|_| "unknown".to_owned(), |it| it.to_string()),
        ),
    ] {
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

fn system_name() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or_else(
            || "unknown".to_owned(),
            |it| it.trim_matches('"').to_owned(),
        )
}

/// The numbers of the server, if it answers here without TLS and without a token.
fn numbers(config: &Config) -> String {
    if config.tls.is_some() || config.metrics_token.is_some() {
        return "not asked: add what `/metrics` says\n".to_owned();
    }
    asked(config).unwrap_or_else(|error| format!("the server does not answer: {error}\n"))
}

fn asked(config: &Config) -> io::Result<String> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(NUMBERS).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer
        .split_once("\r\n\r\n")
        .map_or_else(String::new, |(_, body)| body.to_owned()))
}
