//! Claims jobs and runs them; keeps the schedule.
//!
//! A [`Worker`] takes one job after another from the store, several at a time. A scan
//! resolves the manifest, reads the layers that nobody read before, and saves
//! inventory, report and the end of the job in one transaction. What layers yield is
//! remembered under the digest their bytes proved to have, in the database, for all
//! images and all nodes.
//!
//! An [`Ear`] listens to uploads: a layer is read while it arrives, so that its records
//! are there before its manifest is.
//!
//! Layers are hostile. Who reads them is handed in as a
//! [`LayerReader`](seaworthy_scan::LayerReader), which in the product is a confined
//! process.
//!
//! Deliberately absent: HTTP, configuration, and where editions come from. Read
//! [`Worker`] and [`WorkerOptions`] first.

mod assess;
mod chore;
mod ear;
mod editions;
mod held;
mod house;
mod memory;
mod options;
mod pending;
mod recent;
mod scan;
mod source;
mod told;
mod worker;

pub use assess::{Judged, judge_inventory};
pub use chore::{Chore, ChoreFuture};
pub use ear::{Ear, EarOptions};
pub use editions::{CurrentEdition, Editions};
pub use house::Housekeeping;
pub use options::WorkerOptions;
pub use worker::Worker;
