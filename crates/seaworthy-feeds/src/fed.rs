//! What a mirror had to give.

use std::collections::BTreeMap;

use seaworthy_core::{Day, Epss, FeedDate, Kev};

/// Everything a mirror gave beside its advisories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// What was read of each feed, in the order of reading.
    pub feeds: Vec<Reading>,
    /// Known exploitation, by CVE id.
    pub kev: BTreeMap<Box<str>, Kev>,
    /// Predicted exploitation, by CVE id.
    pub epss: BTreeMap<Box<str>, Epss>,
    /// The last day of security support, by `ID` and `VERSION_ID` of
    /// os-release(5).
    pub support: BTreeMap<(Box<str>, Box<str>), Day>,
    /// What the mirror does not have, or could not give.
    pub missing: Vec<Box<str>>,
}

impl Fed {
    /// How current each feed is, by id.
    pub fn dates(&self) -> BTreeMap<Box<str>, FeedDate> {
        self.feeds
            .iter()
            .map(|reading| (reading.id.clone(), reading.date))
            .collect()
    }
}

/// What was read of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Such as `osv/npm`, `kev`, `epss`, `eol`.
    pub id: Box<str>,
    /// How current it is.
    pub date: FeedDate,
    /// How many records were read.
    pub records: u64,
    /// How many records were refused.
    pub refused: u64,
    /// The first of the refused records.
    pub refusals: Vec<Refusal>,
    /// Why these are older records than could be had.
    pub trouble: Option<Box<str>>,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The record or the file it came in.
    pub what: Box<str>,
    /// Why.
    pub why: Box<str>,
}

/// How many refusals are kept word for word; the rest are counted.
const KEPT: usize = 20;

/// Counts refusals and keeps the first.
#[derive(Default)]
pub(crate) struct Refusals {
    pub(crate) count: u64,
    pub(crate) kept: Vec<Refusal>,
}

impl Refusals {
    pub(crate) fn push(&mut self, what: &str, why: impl std::fmt::Display) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < KEPT {
            let bounded = |text: &str| text.chars().take(300).collect::<String>().into();
            self.kept.push(Refusal {
                what: bounded(what),
                why: bounded(&why.to_string()),
            });
        }
    }
}
