//! What vendors say in formats of their own.
//!
//! Each source is one module with one reader: the bytes of a part in, advisories
//! out through an [`Intake`]. A reader neither fetches nor keeps anything; a
//! record it cannot use is refused and counted, and only a part that cannot be
//! read at all is an error. [`FEEDS`] lists the sources with the parts of a mirror
//! that each consists of.

mod arch;
mod csaf;
mod cwe;
mod debian;
mod document;
mod echo;
mod element;
mod fixes;
mod intake;
mod listing;
mod markup;
mod node;
mod nvd;
mod osv_files;
mod oval;
mod packed;
mod part;
mod photon;
mod php;
mod platforms;
mod repository;
mod requirement;
mod ruby;
mod secdb;
mod table;
mod updateinfo;

pub use self::cwe::{CweError, Weaknesses, parse_cwe};
pub(crate) use self::intake::Intake;
pub use self::intake::{Content, VendorError};
pub(crate) use self::listing::{day_in, entries, file_named};
pub use self::part::{read_part, vendor_parts};
pub use self::platforms::{Repositories, RepositoriesError, parse_repositories};
pub(crate) use self::repository::{address_in, list_of_updates};
pub(crate) use self::table::{ARCHIVED, Archived, FEEDS, Feed, INDEXED, Indexed};
