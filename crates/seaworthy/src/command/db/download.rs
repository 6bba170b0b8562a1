//! `seaworthy db update --from https://.../NAME.parcel`: what `export` wrote, on any
//! web server.

use std::fs::{self, File};
use std::io::{BufReader, Seek};
use std::time::Instant;

use anyhow::Context as _;
use seaworthy_advisories::{Edition, ParcelError, read_parcel, read_seal};
use seaworthy_feeds::{Copies, fetch_file};

use crate::amount::size;
use crate::cli::DbUpdateArgs;
use crate::command::db::collect::{Brought, current, refuse_feeds, settle};
use crate::command::db::made;
use crate::command::db::parcel::{Gate, base_on};
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::progress::Bar;
use crate::settings;

/// Many times what a parcel has.
const MOST_BYTES: u64 = 2 << 30;

/// Whether a source is one parcel, rather than a mirror of feeds.
pub(super) fn is_parcel(from: &str) -> bool {
    let path = from.split(['?', '#']).next().unwrap_or_default();
    path.contains("://") && path.ends_with(".parcel")
}

/// Installs the edition of a parcel on a web server. The one in use stays until then.
pub(super) fn download(desk: &Desk<'_>, args: &DbUpdateArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let told = || format!("cannot update from `{}`", args.from);
    refuse_feeds(args, &told())?;
    let gate = Gate::of(desk, args.unsigned, args.allow_older, &told())?;
    let folder = edition::parcels(desk.data);
    let mut copies = Copies::open(&folder)
        .map_err(|error| made::hinted(told(), made::way_out(&error), error))?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("fetching the parcel");
    let file = crate::runtime::start()?
        .block_on(fetch_file(
            &args.from,
            MOST_BYTES,
            settings::today(),
            &mut copies,
        ))
        .map_err(|error| made::hinted(told(), error.hint(), error))?;
    let bytes = file.metadata().with_context(told)?.len();
    bar.say("checking");
    let brought = read(desk, &gate, file, bytes).map_err(|error| {
        if !matches!(error, ParcelError::Seal(_) | ParcelError::Base { .. }) {
            // What was damaged here must not be taken for what the server has.
            let _ = fs::remove_dir_all(&folder);
        }
        let hint = gate.hint(&error);
        Hinted::over(told(), hint, error)
    })?;
    settle(desk, &gate, &bar, begun, brought)?;
    Ok(Exit::Pass)
}

fn read(desk: &Desk<'_>, gate: &Gate, file: File, bytes: u64) -> Result<Brought, ParcelError> {
    let shelf = edition::shelf(desk.data);
    let mut parcel = BufReader::new(file);
    let seal = read_seal(&mut parcel)?;
    let sealed = gate.check(&seal).map_err(ParcelError::Seal)?;
    let is_here = current(&shelf).as_ref().map(Edition::digest) == Some(&sealed.edition);
    let edition = if is_here {
        None
    } else {
        parcel.rewind().map_err(ParcelError::Read)?;
        let (edition, _) = read_parcel(&mut parcel, &base_on(&shelf), |seal| gate.check(seal))?;
        Some(edition)
    };
    Ok(Brought {
        edition,
        how: match &sealed.from {
            Some(_) => format!("by a delta of {}", size(bytes)),
            None => format!("whole, from {}", size(bytes)),
        },
        seal,
        sealed,
    })
}
