//! DESC
mod apk;
mod bounded;
mod budget;
mod distro;
mod dpkg;
mod executable;
mod field;
mod gather;
mod go;
mod layer;
mod lines;
mod link;
mod npm;
mod probe;
mod probes;
mod python;
mod record;
mod recorder;
mod rpm;
mod sbom;
#[cfg(test)]
mod trial;
pub use layer::{DecodeError, LayerRecords};
pub use link::link;
pub use probe::{Probe, Scanner};
pub use probes::probe_set;
pub use record::{
    DistroRecord, FORMAT, FileRecord, MAX_FILES, MAX_PACKAGES, MAX_TEXT, PackageRecord, SourceRecord,
};
pub use recorder::Recorder;
pub use sbom::{SbomError, read_sbom};
