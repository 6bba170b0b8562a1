//! Inventories, reports and what is searched.
//!
//! A scan ends in one transaction ([`Scans::save`]): the inventory, the report, what
//! is searched and the end of the job, or nothing of it. Packages are kept once for
//! all images that have them ([`component`]), so that an image costs a row for each
//! of its packages and no more.

mod component;
mod difference;
mod inventory;
mod layer;
mod read;
mod remote;
mod repair;
mod report;
mod request;
mod save;
mod search;

use crate::sql::Database;

pub use inventory::{InventoryError, decode_inventory, encode_inventory};
pub use read::{ImageFact, KeptInventory};
pub use remote::{RemoteScan, RemoteScanError};
pub use repair::Repaired;
pub use report::NewReport;
pub use request::RequestError;
pub use save::{Finding, SaveError, Scan};
pub use search::{Found, FoundPackage, Sought};

/// What is known of images. Clones share it.
#[derive(Clone, Debug)]
pub struct Scans {
    database: Database,
}

impl Scans {
    /// The scans in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }
}
