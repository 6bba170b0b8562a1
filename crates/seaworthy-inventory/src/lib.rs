//! DESC
mod apk;
mod bounded;
mod distro;
mod dpkg;
mod field;
mod lines;
mod npm;
mod probe;
mod probes;
mod python;
mod record;
mod rpm;
#[cfg(test)]
mod trial;
pub use probe::{Probe, Scanner};
pub use probes::probe_set;
pub use record::{
    DistroRecord, FORMAT, FileRecord, MAX_FILES, MAX_PACKAGES, MAX_TEXT, PackageRecord, SourceRecord,
};
