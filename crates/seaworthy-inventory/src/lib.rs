//! DESC
mod bounded;
mod dpkg;
mod lines;
mod probe;
mod probes;
mod record;
#[cfg(test)]
mod trial;
pub use probe::{Probe, Scanner};
pub use probes::probe_set;
pub use record::{
    DistroRecord, FORMAT, FileRecord, MAX_PACKAGES, MAX_TEXT, PackageRecord, SourceRecord,
};
