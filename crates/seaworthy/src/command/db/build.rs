//! `seaworthy db build`.

use std::time::Instant;

use anyhow::Context as _;
use seaworthy_feeds::{Mirror, read};

use crate::amount::megabytes;
use crate::cli::DbBuildArgs;
use crate::command::db::made::{self, Draft};
use crate::command::db::status::describe;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::printer;
use crate::progress::Bar;

/// Compiles the feeds of a mirror into an edition and installs it.
pub(crate) fn build(desk: &Desk<'_>, args: &DbBuildArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let told = || format!("cannot build an edition from `{}`", args.from);
    let mirror =
        Mirror::parse(&args.from).map_err(|error| made::hinted(told(), error.hint(), error))?;
    let options = made::options(desk, &[])?;

    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("reading feeds");
    let mut draft = Draft::default();
    let runtime = crate::runtime::start()?;
    let mut fed = runtime
        .block_on(read(&mirror, &options, &mut draft))
        .map_err(|error| made::hinted(told(), error.hint(), error))?;
    made::add_private(&args.private, &options, &mut draft, &mut fed)?;
    bar.say("compiling");
    let bytes = draft.compile(&fed).with_context(told)?;
    let size = bytes.len();
    let path = match &args.output {
        Some(path) => {
            printer::write_file(path, &bytes)?;
            path.clone()
        }
        None => edition::shelf_today(desk)?.install(bytes)?,
    };
    bar.clear();

    made::tell(desk, &fed);
    let edition = edition::open(desk.data, Some(&path))?;
    desk.printer.note(&format!(
        "{} in {:.1} s, {:.1} MB: {}",
        if args.output.is_some() {
            "written"
        } else {
            "installed"
        },
        begun.elapsed().as_secs_f64(),
        megabytes(size as u64),
        path.display(),
    ));
    printer::write_data(describe(&edition, false).as_bytes())?;
    Ok(Exit::Pass)
}
