//! Which edition a command works with.

use std::path::{Path, PathBuf};

use seaworthy_advisories::{Compiler, Context, Edition, Keyring, Shelf};
use seaworthy_core::Day;

use crate::desk::Desk;
use crate::failure::Hinted;
use crate::settings;

/// The shelf of installed editions under the data folder, to take from.
pub(crate) fn shelf(data: &Path) -> Shelf {
    Shelf::at(data.join("editions"))
}

/// The same, to install on: it writes down what is in use from today on.
pub(crate) fn shelf_today(desk: &Desk<'_>) -> anyhow::Result<Shelf> {
    let days = desk.surroundings.keep_days()?;
    Ok(shelf(desk.data).on(settings::today(), days))
}

/// The edition that was in use on a day that is past.
pub(crate) fn as_of(desk: &Desk<'_>, day: Day) -> anyhow::Result<Edition> {
    let told = || format!("cannot scan as of {day}");
    let hint = "SEAWORTHY_KEEP_DAYS says how many days of editions `db update` keeps";
    let (edition, begun) = shelf(desk.data)
        .as_of(day)
        .map_err(|error| Hinted::over(told(), hint, error))?;
    desk.printer.note(&format!(
        "as of {day}: edition {}, in use since {begun}",
        edition.digest()
    ));
    Ok(edition)
}

/// The keys whose seals count.
pub(crate) fn keyring(data: &Path) -> Keyring {
    Keyring::at(data.join("keys"))
}

/// Where copies of feeds are kept under the data folder.
pub(crate) fn copies(data: &Path) -> PathBuf {
    data.join("feeds")
}

/// Where a parcel from a web server is kept under the data folder.
pub(crate) fn parcels(data: &Path) -> PathBuf {
    data.join("parcels")
}

/// The edition named by a flag, else the installed one, else the starter edition
/// inside this program.
pub(crate) fn open(data: &Path, named: Option<&Path>) -> anyhow::Result<Edition> {
    let path = match named {
        Some(path) => Some(path.to_owned()),
        None => shelf(data).current()?,
    };
    let Some(path) = path else { return starter() };
    let edition = Edition::open(&path).map_err(|error| {
        let hint = error.hint();
        Hinted::over(
            format!("cannot use the edition `{}`", path.display()),
            hint,
            error,
        )
    })?;
    // An installed edition was verified when it came. A file may have come here
    // torn, and a torn edition would know less without saying so.
    if named.is_some() {
        edition.verify().map_err(|error| {
            let what = format!("the edition `{}` is damaged", path.display());
            Hinted::over(what, "build or fetch the edition again", error)
        })?;
    }
    Ok(edition)
}

/// The small edition of famous vulnerabilities, compiled from facts this program
/// carries.
fn starter() -> anyhow::Result<Edition> {
    let (advisories, kev) = seaworthy_feeds::starter();
    let mut compiler = Compiler::new();
    for advisory in &advisories {
        compiler.add(advisory)?;
    }
    let context = Context {
        kev,
        starter: true,
        ..Context::default()
    };
    Ok(Edition::from_bytes(compiler.compile(&context)?)?)
}
