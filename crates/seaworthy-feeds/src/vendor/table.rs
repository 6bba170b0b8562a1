//! Every source, its parts and its reader.

use super::{Content, Intake, VendorError, debian};

/// One vendor's feed.
pub(crate) struct Feed {
    /// Such as `debian/tracker`; advisories carry it.
    pub(crate) id: &'static str,
    /// The parts of a mirror, below `vendor/`, each with its address upstream.
    /// A mirror may lack any of them.
    pub(crate) parts: &'static [Part],
    /// Reads one part.
    pub(crate) read: fn(&mut dyn Content, &str, &mut Intake<'_>) -> Result<(), VendorError>,
}

/// One file of a feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Its path below `vendor/` in a mirror.
    pub(crate) path: &'static str,
    /// Where the vendor publishes it.
    pub(crate) upstream: &'static str,
}

/// Every feed that is read, one entry each.
pub(crate) const FEEDS: &[Feed] = &[Feed {
    id: "debian/tracker",
    parts: &[Part {
        path: "debian/tracker/data/json",
        upstream: "https://security-tracker.debian.org/tracker/data/json",
    }],
    read: debian::read,
}];
