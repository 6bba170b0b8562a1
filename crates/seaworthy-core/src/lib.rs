//! The nouns of Seaworthy and their invariants.
//!
//! Everything here is a value: no reading, no writing, no clock. What is stored
//! or sent has its own versioned document in the room that writes it, so none of
//! these types derives `Serialize`.
//!
//! Two halves meet in this room and nowhere below `match`: what is in an image
//! ([`Inventory`]) and what the world says about it ([`Advisory`]). Read these
//! two first, then [`Report`] and [`Verdict`].

mod advisory;
mod day;
mod digest;
mod distro;
mod ecosystem;
mod finding;
mod gap;
mod image;
mod inventory;
mod package;
mod platform;
mod policy;
mod purl;
mod reference;
mod report;
mod severity;
mod verdict;

pub use advisory::{
    Advisory, AffectedInterval, Epss, Fix, Kev, PackageKey, Stance, Statement, Upper,
};
pub use day::{Day, DayError};
pub use digest::{Digest, DigestError};
pub use distro::Distro;
pub use ecosystem::Ecosystem;
pub use finding::{Comparison, Finding, FixState, Source};
pub use gap::Gap;
pub use image::{ImageFacts, Layer};
pub use inventory::{Inventory, ProbeSet};
pub use package::{Claim, Package, PackageId, PackageType, Sighting, SourcePackage};
pub use platform::{Platform, PlatformError};
pub use policy::Policy;
pub use purl::{Purl, PurlError, package_purl};
pub use reference::{Reference, ReferenceError};
pub use report::{Coverage, EditionFacts, FeedDate, FeedFacts, Report};
pub use severity::{Rating, RatingSystem, Severity, SeverityError};
pub use verdict::{Blindness, Outcome, Reason, Verdict};

pub use seaworthy_version::{Interval, Scheme, Until, Version, rpm};
