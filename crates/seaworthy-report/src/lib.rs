//! The documents we publish about an image: the table for a terminal, our own
//! versioned JSON, and `CycloneDX`.
//!
//! Every renderer takes [`Assessed`], the report of an image with the verdict of
//! a policy, and answers with text; what may grow long ([`json`]) it writes piece
//! by piece. Same input, same bytes: nothing here reads a clock, looks at a
//! terminal or knows a flag. Whoever calls says how wide and
//! how colourful a table may be ([`Look`]).
//!
//! All names, paths and titles come out of images and feeds and are hostile.
//! What goes to a terminal passes [`clean`], and no other way leads there.
//!
//! Deliberately absent: serialization of the nouns of `core`. A document has
//! types of its own ([`v1`]), so that a change inside never changes what others
//! parse. Read [`v1::Document`] and [`table`] first.

mod assessed;
mod clean;
mod cyclonedx;
mod entries;
mod json;
mod table;
mod words;

pub use assessed::{Assessed, exit_code, overall};
pub use clean::clean;
pub use cyclonedx::cyclonedx;
pub use entries::{
    Change, EditionChanges, Entry, EntryRating, EntryStatement, changes_json, changes_text,
    entries_json, entries_text, level, stretch,
};
pub use json::{ReadError, json, read_v1, v1};
pub use table::{Look, table};
