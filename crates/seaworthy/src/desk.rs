//! What every command works with.

use std::path::Path;

use crate::printer::Printer;
use crate::settings::Surroundings;

/// What every command works with.
pub(crate) struct Desk<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) surroundings: &'a Surroundings,
    /// Where editions and the layer cache live.
    pub(crate) data: &'a Path,
}
