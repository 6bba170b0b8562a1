//! What the world says about packages.

use crate::{Day, Ecosystem, Interval, Rating, Until};

/// What an advisory speaks of: a name in an ecosystem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageKey {
    /// Where the name lives.
    pub ecosystem: Ecosystem,
    /// The name in the ecosystem's canonical spelling.
    pub name: Box<str>,
}

/// One record of one feed, in the feed's own words and stances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// The feed that said it, such as `osv/npm`.
    pub feed: Box<str>,
    /// The record's id, such as `GHSA-jfh8-c2jp-5v3q`.
    pub id: Box<str>,
    /// Other names of the *same* vulnerability.
    pub aliases: Vec<Box<str>>,
    /// Vulnerabilities that this record bundles, when it is an update notice
    /// for several (`DSA-…`, `ALSA-…`, `RHSA-…`). Empty when the record *is* a
    /// vulnerability.
    pub bundles: Vec<Box<str>>,
    /// One line for people.
    pub summary: Box<str>,
    /// Links, the record's own page first where it has one.
    pub references: Vec<Box<str>>,
    /// Day of first publication.
    pub published: Option<Day>,
    /// Day of the last change.
    pub modified: Option<Day>,
    /// Every judgement the record carries.
    pub ratings: Vec<Rating>,
    /// What it says about each package. A withdrawn record has none.
    pub statements: Vec<Statement>,
}

impl Advisory {
    /// A record that says nothing yet.
    pub fn new(feed: &str, id: &str) -> Self {
        Self {
            feed: feed.into(),
            id: id.into(),
            aliases: Vec::new(),
            bundles: Vec::new(),
            summary: Box::default(),
            references: Vec::new(),
            published: None,
            modified: None,
            ratings: Vec::new(),
            statements: Vec::new(),
        }
    }
}

/// A stance on one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The package.
    pub about: PackageKey,
    /// What is said.
    pub stance: Stance,
}

/// What a source says about a package. Every answer is said aloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Versions inside any of `intervals`, or spelled in `versions`, are affected.
    Affected {
        /// Contiguous stretches of affected versions.
        intervals: Vec<AffectedInterval>,
        /// Single affected versions outside all intervals.
        versions: Vec<Box<str>>,
        /// What the source says of a fix that the intervals do not.
        fix: Fix,
    },
    /// The package is not affected at all.
    NotAffected {
        /// The source's reason.
        why: Box<str>,
    },
    /// The source has not made up its mind.
    UnderReview,
}

/// An owned [`Interval`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AffectedInterval {
    /// First affected version; `None` from the beginning.
    pub from: Option<Box<str>>,
    /// Where it ends.
    pub upper: Upper,
}

/// The upper end of an [`AffectedInterval`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upper {
    /// No end is known: everything later is affected too.
    Open,
    /// This version is the first that is fixed.
    Fixed(Box<str>),
    /// This version is the last known to be affected.
    LastAffected(Box<str>),
}

impl From<Interval<'_>> for AffectedInterval {
    /// The same stretch, to keep.
    fn from(interval: Interval<'_>) -> Self {
        Self {
            from: interval.from.map(Into::into),
            upper: match interval.until {
                Until::Forever => Upper::Open,
                Until::Before(version) => Upper::Fixed(version.into()),
                Until::Through(version) => Upper::LastAffected(version.into()),
            },
        }
    }
}

impl AffectedInterval {
    /// The same stretch, borrowed for comparing.
    pub fn as_interval(&self) -> Interval<'_> {
        Interval {
            from: self.from.as_deref(),
            until: match &self.upper {
                Upper::Open => Until::Forever,
                Upper::Fixed(version) => Until::Before(version),
                Upper::LastAffected(version) => Until::Through(version),
            },
        }
    }
}

/// What a source says of a fix beyond the end of its ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fix {
    /// The ranges say it all.
    #[default]
    AsRanges,
    /// The source will not fix it in this release.
    WontFix,
    /// The source means to fix it and has not yet.
    NotYet,
}

/// An entry in a catalogue of vulnerabilities known to be exploited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kev {
    /// Day it was listed.
    pub added: Day,
    /// Day by which United States federal agencies must act, where stated.
    pub due: Option<Day>,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// A prediction of the Exploit Prediction Scoring System, in millionths so that
/// equal inputs print equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epss {
    /// Probability of exploitation in the next 30 days, in millionths.
    pub probability_millionths: u32,
    /// Share of vulnerabilities scored at or below this one, in millionths.
    pub percentile_millionths: u32,
}
