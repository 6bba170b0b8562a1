//! Orders versions and tests ranges, for every versioning scheme Seaworthy meets.
//!
//! A version is a text and the [`Scheme`] it was written under: `1.10` is newer
//! than `1.9` for dpkg and older than `1.9` for nobody, but `1.0~rc1` is older
//! than `1.0` for dpkg and no version at all for npm. Each scheme follows the
//! tool that owns it, down to the corners, and the tests of this crate put the
//! real tool beside it and compare answers.
//!
//! Read [`Scheme`] first (check a text, compare two), then [`Version`] (a text
//! that remembers its scheme) and [`Interval`] (which versions an advisory
//! speaks of).
//!
//! Three habits hold for all schemes:
//!
//! * A comparison that makes no sense is `None`, never a guess. The caller turns
//!   it into a gap.
//! * Texts are hostile. Anything longer than [`MAX_LENGTH`] bytes is not a
//!   version, nothing recurses over a text, and numbers are compared as strings
//!   of digits, so they may be as large as the scheme's own tool takes them.
//! * Comparing allocates nothing.
//!
//! Most orders are total. Those of rpm, Arch and Maven are not transitive, because
//! their tools' are not: whoever sorts by them must not rely on it.
//!
//! Deliberately absent: range *languages* (`^1.2`, `[1.0,2.0)`, `~=3.1`).
//! Advisories are compiled to plain intervals before they come here.

mod interval;
pub mod rpm;
mod scheme;
mod text;
mod version;

pub use interval::{Interval, Until};
pub use scheme::{InvalidVersion, Scheme};
pub use text::MAX_LENGTH;
pub use version::Version;
