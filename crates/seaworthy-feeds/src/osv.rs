//! Records in the OSV schema, one by one and as bulk exports.
//!
//! The schema's evaluation is kept to the letter: the events of a range, sorted
//! by version, switch "affected" on and off, and what they leave on becomes
//! intervals. Ranges of commits say nothing about installed packages and are
//! left out; so is everything a withdrawn record once said.

mod ecosystem;
mod export;
mod kind;
mod range;
mod rating;
mod record;

use seaworthy_core::{Ecosystem, Scheme};

pub use self::export::{ExportError, Exported, Limits, read_export};
pub(crate) use self::kind::{cves_in, is_cve};
pub(crate) use self::rating::{of_vector, of_word};
pub use self::record::{OsvError, parse_record};
pub(crate) use self::record::{is_id, links, one_line};

/// How versions of an ecosystem's family are ordered: see [`Ecosystem::scheme`].
pub fn scheme_of(family: &str) -> Scheme {
    Ecosystem::family_only(family).scheme()
}
