//! A policy's answer to a report.

use crate::{Day, PackageId, Severity};

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Everything was read and judged, and nothing breaks the policy.
    Pass,
    /// Something breaks the policy.
    Fail,
    /// Nothing seen breaks the policy, but not everything could be seen.
    Unknown,
}

impl Outcome {
    /// The lowercase name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// Reasons to fail and blind spots. The outcome follows from them, so that a
/// pass with a blind spot cannot be written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it fails, worst first.
    pub reasons: Vec<Reason>,
    /// What could not be judged.
    pub blindness: Vec<Blindness>,
}

impl Verdict {
    /// `Fail` with any reason, else `Unknown` with any blindness, else `Pass`.
    pub fn outcome(&self) -> Outcome {
        if !self.reasons.is_empty() {
            Outcome::Fail
        } else if !self.blindness.is_empty() {
            Outcome::Unknown
        } else {
            Outcome::Pass
        }
    }
}

/// Why an image fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The package.
    pub package: PackageId,
    /// The vulnerability.
    pub vulnerability: Box<str>,
    /// Its level.
    pub severity: Severity,
    /// Whether a fix is out.
    pub fix_available: bool,
}

/// Something that keeps a verdict from being a pass. Each says what is missing;
/// the front door adds how to get it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blindness {
    /// There is no edition to compare with.
    NoEdition,
    /// The edition holds nothing.
    EmptyEdition,
    /// Only the small edition inside the program was at hand.
    StarterEditionOnly,
    /// The image does not say which distribution it is, though it holds OS packages.
    NoDistro,
    /// Nothing was found to judge: no package and no distribution.
    NothingFound,
    /// The image says which distribution it is, but no database of its packages
    /// was found: it was removed, or is of a kind we do not read.
    NoPackageDatabase {
        /// The distribution, for people.
        distro: Box<str>,
    },
    /// No feed speaks of this ecosystem or release.
    NotCovered {
        /// `Debian:14`, or package type and distro.
        ecosystem: Box<str>,
        /// How many packages that leaves unjudged.
        packages: usize,
    },
    /// A feed knows so little of a release that it must be incomplete.
    ThinlyCovered {
        /// Such as `Ubuntu:24.04`.
        ecosystem: Box<str>,
        /// How many packages depend on it.
        packages: usize,
        /// How many advisories the feed has for it.
        advisories: u64,
    },
    /// The release no longer gets security updates, so its advisories end.
    EndOfLife {
        /// The distribution and release.
        distro: Box<str>,
        /// Last day of support.
        ended: Day,
    },
    /// A feed is older than the policy allows.
    Stale {
        /// The ecosystem it covers.
        ecosystem: Box<str>,
        /// The day it speaks for; `None` if nothing says.
        day: Option<Day>,
        /// What the policy allows, in days.
        max_age_days: u32,
    },
    /// Versions that could not be compared with a range that speaks of them.
    NotCompared {
        /// The ecosystem.
        ecosystem: Box<str>,
        /// Package names, sorted.
        names: Vec<Box<str>>,
    },
    /// Findings whose vendor has not decided yet, at a level that would fail.
    UnderReview {
        /// How many.
        findings: usize,
    },
    /// Findings that nobody rated, so that a threshold cannot judge them.
    Unrated {
        /// How many.
        findings: usize,
    },
    /// Files that were there and could not be read.
    Gaps {
        /// How many.
        count: usize,
    },
}
