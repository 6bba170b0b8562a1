//! What each command does, from flags to exit code.

mod db;
mod scan;

use std::path::Path;

pub(crate) use db::{build as db_build, status as db_status};
pub(crate) use scan::scan;

use crate::printer::Printer;
use crate::settings::Surroundings;

/// What every command works with.
pub(crate) struct Desk<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) surroundings: &'a Surroundings,
    /// Where editions and the layer cache live.
    pub(crate) data: &'a Path,
}
