//! `seaworthy db update`.

use std::time::Instant;

use anyhow::Context as _;
use seaworthy_feeds::{Copies, Mirror, gather};

use crate::amount::megabytes;
use crate::cli::DbUpdateArgs;
use crate::command::db::collect;
use crate::command::db::download;
use crate::command::db::made::{self, Draft};
use crate::command::db::status::describe;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;
use crate::settings;

/// Fetches what changed and installs an edition of it.
///
/// The edition in use stays until another one is complete. A feed that fails keeps
/// what it had, and is told.
pub(crate) fn update(desk: &Desk<'_>, args: &DbUpdateArgs) -> anyhow::Result<Exit> {
    if let Some(name) = args.from.strip_prefix("oci://") {
        return collect::collect(desk, args, name);
    }
    if download::is_parcel(&args.from) {
        return download::download(desk, args);
    }
    let begun = Instant::now();
    let told = || format!("cannot update from `{}`", args.from);
    if args.unsigned || args.allow_older {
        return Err(Hinted::error(
            format!("{}: feeds have no seal", told()),
            "--unsigned and --allow-older are for `oci://HOST/NAME` and for parcels",
        ));
    }
    let mirror =
        Mirror::parse(&args.from).map_err(|error| made::hinted(told(), error.hint(), error))?;
    let options = made::options(desk, &args.accept)?;
    let mut copies = Copies::open(&edition::copies(desk.data)).map_err(|error| {
        let hint = made::way_out(&error);
        made::hinted(told(), hint, error)
    })?;

    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("fetching feeds");
    let runtime = crate::runtime::start()?;
    let mut gathered = runtime
        .block_on(gather(&mirror, &options, Some(&mut copies)))
        .map_err(|error| made::hinted(told(), error.hint(), error))?;

    let shelf = edition::shelf_today(desk)?;
    let today = settings::today();
    // What publishers confirmed today is as of today, even if nothing changed.
    let day_counts = matches!(mirror, Mirror::Publishers { .. }).then_some(today);
    let current = match shelf.current().ok().flatten() {
        // One that cannot be used is replaced.
        Some(_) => edition::open(desk.data, None).ok(),
        None => None,
    };
    if let (Some(current), Some(copies)) = (&current, gathered.copies())
        && args.accept.is_empty()
        // Whoever keeps records of their own changes them without telling.
        && args.private.is_empty()
        && copies.made(&current.facts().digest, day_counts)
    {
        bar.clear();
        desk.printer.note(&format!(
            "unchanged, asked in {:.1} s",
            begun.elapsed().as_secs_f64()
        ));
        return Ok(Exit::Pass);
    }

    bar.say("reading feeds");
    let mut draft = Draft::default();
    let mut fed = gathered
        .read(&mut draft)
        .map_err(|error| made::hinted(told(), error.hint(), error))?;
    made::add_private(&args.private, &options, &mut draft, &mut fed)?;
    bar.say("compiling");
    let bytes = draft.compile(&fed).with_context(told)?;
    let size = bytes.len();
    let path = shelf.install(bytes)?;
    let edition = edition::open(desk.data, None)?;
    if let Some(copies) = gathered.copies() {
        copies.note_made(&edition.facts().digest, today)?;
    }
    bar.clear();

    made::tell(desk, &fed);
    desk.printer.note(&format!(
        "installed in {:.1} s, {:.1} MB: {}",
        begun.elapsed().as_secs_f64(),
        megabytes(size as u64),
        path.display(),
    ));
    printer::write_data(describe(&edition, false).as_bytes())?;
    Ok(Exit::Pass)
}
