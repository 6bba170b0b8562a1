//! Inventory, findings and edition of one scan.

use crate::{Day, Digest, Finding, ImageFacts, Inventory};

/// The answer to "what is known about this image": a function of image, probe
/// set and edition. Same three in, same report out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was read.
    pub image: ImageFacts,
    /// What is in it.
    pub inventory: Inventory,
    /// What is known of that, sorted by package, then vulnerability.
    pub findings: Vec<Finding>,
    /// How well the edition covers the inventory, by ecosystem, sorted.
    pub coverage: Vec<Coverage>,
    /// What was compared with. `None` without any edition.
    pub edition: Option<EditionFacts>,
}

/// How well the packages of one ecosystem could be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage {
    /// The ecosystem asked for, such as `Debian:12`; for packages that belong to
    /// none we know, their package type and distro.
    pub ecosystem: Box<str>,
    /// How many packages of the inventory belong to it.
    pub packages: usize,
    /// The names of packages whose version could not be compared with a range
    /// that speaks of them, sorted.
    pub not_compared: Vec<Box<str>>,
    /// The feed that covers it; `None` when no feed of the edition does.
    pub feed: Option<FeedFacts>,
}

/// What identifies an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionFacts {
    /// The digest of the edition's bytes.
    pub digest: Digest,
    /// Whether this is the small edition inside the program.
    pub starter: bool,
    /// How many advisories it holds.
    pub advisories: u64,
}

/// One feed of an edition, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedFacts {
    /// Such as `osv/Debian`.
    pub id: Box<str>,
    /// How many advisories speak of this very ecosystem and release.
    pub advisories: u64,
    /// How current it is.
    pub date: FeedDate,
}

/// How current a feed is, by the best evidence there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedDate {
    /// It was fetched from its source on this day.
    Fetched(Day),
    /// It came from a copy of unknown age; its newest record is of this day.
    NewestRecord(Day),
    /// Nothing says.
    Unknown,
}

impl FeedDate {
    /// The day that counts for freshness.
    pub fn day(self) -> Option<Day> {
        match self {
            Self::Fetched(day) | Self::NewestRecord(day) => Some(day),
            Self::Unknown => None,
        }
    }
}
