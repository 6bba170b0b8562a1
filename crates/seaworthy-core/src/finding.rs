//! A package that an advisory speaks of, with the evidence.

use crate::{AffectedInterval, Epss, Kev, PackageId, Rating, Severity, Version};

/// Package × vulnerability, with everything needed to explain it. Advisories
/// that name the same vulnerability are one finding with several sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which package.
    pub package: PackageId,
    /// The best-known name of the vulnerability: a CVE id where there is one.
    pub vulnerability: Box<str>,
    /// Its other names, sorted.
    pub aliases: Vec<Box<str>>,
    /// One line for people.
    pub summary: Box<str>,
    /// The level that policy looks at: the distribution's own word if it has
    /// one, else the highest of the newest CVSS generation. `None` if unrated.
    pub severity: Option<Severity>,
    /// Every judgement, sorted.
    pub ratings: Vec<Rating>,
    /// What can be done about it.
    pub fix: FixState,
    /// Who says so and by which comparison, sorted by feed and id; never empty.
    pub sources: Vec<Source>,
    /// Known exploitation.
    pub kev: Option<Kev>,
    /// Predicted exploitation.
    pub epss: Option<Epss>,
    /// Links, without repetition.
    pub references: Vec<Box<str>>,
    /// Whether the flaw is one of a kernel: of headers, images or modules that only a
    /// booted machine runs. A container runs on the kernel of its host.
    pub kernel: bool,
}

/// What can be done about a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixState {
    /// These versions are fixed, lowest sufficient first, in the terms of
    /// what was compared (the source package for distributions).
    In(Vec<Box<str>>),
    /// These versions are fixed and only subscribers get them.
    Subscription(Vec<Box<str>>),
    /// The vendor will not fix it.
    WontFix,
    /// No fix is out.
    NotYet,
    /// The vendor has not decided yet whether the package is affected at all.
    UnderReview,
    /// The sources do not say.
    Unknown,
}

impl FixState {
    /// Whether upgrading would help, without buying anything.
    pub fn is_available(&self) -> bool {
        matches!(self, Self::In(_))
    }
}

/// One advisory record behind a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The feed, such as `osv/Debian`.
    pub feed: Box<str>,
    /// The record's id in that feed.
    pub id: Box<str>,
    /// What was compared with what.
    pub comparison: Comparison,
}

/// The comparison that made a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The name that was looked up: the package's or its source package's.
    pub name: Box<str>,
    /// The ecosystem it was looked up in, such as `Debian:12`.
    pub ecosystem: Box<str>,
    /// The installed version that was compared.
    pub installed: Version,
    /// The stretch it lies in; `None` when the version is listed by itself.
    pub interval: Option<AffectedInterval>,
}
