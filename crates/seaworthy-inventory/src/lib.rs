//! DESC
mod probe;
mod record;
pub use probe::{Probe, Scanner};
pub use record::{DistroRecord, FORMAT, FileRecord, PackageRecord, SourceRecord};
