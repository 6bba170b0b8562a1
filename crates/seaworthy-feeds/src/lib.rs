//! One module per upstream source of advisories: fetch and parse.
//!
//! A [`Mirror`] is a folder or a web address in the layout of the OSV bulk
//! export with vendors' own feeds and three enrichments beside it, or the
//! publishers themselves. [`read`] goes through all of it once, hands each
//! [`Advisory`](seaworthy_core::Advisory) to a [`Sink`] and returns [`Fed`]: how current each feed is, what it refused and why, and what is known
//! of exploitation and of the end of support. [`fetch_file`] brings one file the same
//! way.
//!
//! Every source is written by strangers. Sizes and counts have ceilings, a record
//! that makes no sense is refused and counted, and what a mirror lacks is said.
//!
//! Deliberately absent: the clock (the caller says what day it is), compiling (the
//! room `advisories`), and any opinion on which source is right.

mod copies;
mod decimal;
mod eol;
mod epss;
mod fed;
mod gather;
mod kev;
mod mirror;
mod osv;
mod private;
mod red_hat;
mod source;
mod starter;
mod vendor;

pub use copies::{Copies, CopiesError, Health};
pub use eol::{EolError, SupportEnds, parse_eol};
pub use epss::{EpssError, Predictions, parse_epss};
pub use fed::{Fed, Reading, Refusal};
pub use gather::{Gathered, Options, ReadError, Sink, gather, read};
pub use kev::{Catalogue, KevError, parse_kev};
pub use mirror::{Mirror, MirrorError};
pub use osv::{ExportError, Exported, Limits, OsvError, parse_record, read_export, scheme_of};
pub use private::{PrivateError, private_feed, read_private};
pub use red_hat::red_hat_ecosystem;
pub use source::fetch_file;
pub use starter::starter;
pub use vendor::{
    Content, CweError, Repositories, RepositoriesError, VendorError, Weaknesses, parse_cwe,
    parse_repositories, read_part, vendor_parts,
};
