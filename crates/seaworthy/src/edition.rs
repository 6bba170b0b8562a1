//! Which edition a command works with.

use std::path::{Path, PathBuf};

use seaworthy_advisories::{Compiler, Context, Edition, Keyring, Shelf};

use crate::failure::Hinted;

/// The shelf of installed editions under the data folder.
pub(crate) fn shelf(data: &Path) -> Shelf {
    Shelf::at(data.join("editions"))
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
