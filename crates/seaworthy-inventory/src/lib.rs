//! What is installed: probes that turn files into records, and the linking of
//! records into an inventory.
//!
//! - A [`Probe`] knows one kind of package record. It sees one file at a time
//!   and answers with a [`FileRecord`]: packages, what the file says of the
//!   distribution, and gaps. Every probe is one module and one line in `probes`.
//! - [`Recorder`] is the sink of a walk over one layer. It offers each file to
//!   the probes that want it and yields [`LayerRecords`], which are remembered
//!   per layer and are what a confined reader answers with.
//! - [`link`] takes the records of all layers, keeps what the final tree shows,
//!   and joins it into an `Inventory`.
//! - [`read_sbom`] reads the inventory that another tool took.
//!
//! Everything is hostile here: file contents, and remembered records as well.
//! Each reader holds a bounded part of what it reads; whatever is beyond a
//! bound, broken, or out of sight becomes a gap. Nothing is passed over in
//! silence, and nothing fails: only documents that somebody named on purpose
//! ([`read_sbom`]) and bytes from a cache ([`LayerRecords::decode`]) can be
//! refused.
//!
//! Deliberately absent: advisories, version order, networks, and the running of
//! any program. Which layer hides what is the business of `seaworthy_image`.
//!
//! Read [`Probe`] and [`FileRecord`] first.

mod apk;
mod bounded;
mod budget;
mod content_sets;
mod distro;
mod dpkg;
mod executable;
mod field;
mod gather;
mod go;
mod java;
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
mod rust_audit;
mod sbom;
#[cfg(test)]
mod trial;
mod unread;

pub use layer::{DecodeError, LayerRecords};
pub use link::link;
pub use probe::{Probe, Scanner};
pub use probes::probe_set;
pub use record::{
    DistroRecord, FORMAT, FileRecord, MAX_FILES, MAX_PACKAGES, MAX_TEXT, PackageRecord,
    SourceRecord,
};
pub use recorder::Recorder;
pub use sbom::{SbomError, read_sbom};
