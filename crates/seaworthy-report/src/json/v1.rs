//! The document `seaworthy.report/1`, described in `docs/schema/report-v1.json`.
//!
//! Field names and kinds are a promise to whoever reads the documents. What is
//! added later has a default here and an entry in the schema; what would change
//! or vanish makes a version 2.

mod write;

pub(super) use write::document;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What the `schema` field of version 1 says.
pub const SCHEMA: &str = "seaworthy.report/1";

/// The answer to one scan: usually one image, several for `--all-platforms`.
///
/// Texts are borrowed while a report is written, and owned once one was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document<'a, I = Image<'a>> {
    /// Always [`SCHEMA`].
    pub schema: Cow<'a, str>,
    /// The program that wrote it.
    pub tool: Tool<'a>,
    /// The outcome over all images.
    pub outcome: Outcome,
    /// The exit code that goes with the outcome.
    pub exit_code: u8,
    /// In the order they were scanned.
    pub images: Vec<I>,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
}

/// One image with everything known of it.
///
/// The long lists may be anything that is written as such a list: a writer makes
/// their items one at a time, so that no report is held twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image<'a, F = Vec<Finding<'a>>, P = Vec<Package<'a>>> {
    /// What was asked for, without credentials.
    pub target: Cow<'a, str>,
    /// Digest of the manifest.
    pub manifest: Option<Cow<'a, str>>,
    /// Digest of the image config.
    pub config: Option<Cow<'a, str>>,
    /// Such as `linux/amd64`.
    pub platform: Option<Cow<'a, str>>,
    /// Tags the transport carried.
    pub tags: Vec<Cow<'a, str>>,
    /// What the policy says.
    pub verdict: Verdict<'a>,
    /// What was asked.
    pub policy: Policy,
    /// The edition that was compared with.
    pub edition: Option<Edition<'a>>,
    /// What the image says it is.
    pub distro: Option<Distro<'a>>,
    /// How well the edition covers the packages, by ecosystem.
    pub coverage: Vec<Coverage<'a>>,
    /// What is known of the packages.
    pub findings: F,
    /// What is installed. Other parts refer to positions in this list.
    pub packages: P,
    /// What could not be read.
    pub gaps: Vec<Gap<'a>>,
    /// Bottom first. Other parts refer to positions in this list.
    pub layers: Vec<Layer<'a>>,
    /// Which probes looked.
    pub probes: Cow<'a, str>,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was read and judged, and nothing breaks the policy.
    Pass,
    /// Something breaks the policy.
    Fail,
    /// Not everything could be judged.
    Unknown,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// CVSS 0, or not worth tracking.
    Negligible,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

/// The answer with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict<'a> {
    /// In one word.
    pub outcome: Outcome,
    /// Why it fails, worst first.
    pub reasons: Vec<Reason<'a>>,
    /// What could not be judged.
    pub blindness: Vec<Blindness<'a>>,
}

/// Why an image fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason<'a> {
    /// For people.
    pub message: Cow<'a, str>,
    /// Position in `packages`.
    pub package: usize,
    /// Its name.
    pub vulnerability: Cow<'a, str>,
    /// Its level.
    pub severity: Severity,
    /// Whether a fix is out.
    pub fix_available: bool,
}

/// Something that keeps a verdict from being a pass. Each kind says what is
/// missing (`message`) and how to get it (`remedy`), for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields are explained in the schema and by the core's type"
)]
pub enum Blindness<'a> {
    /// There is no edition to compare with.
    NoEdition {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
    },
    /// The edition holds nothing.
    EmptyEdition {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
    },
    /// Only the small edition inside the program was at hand.
    StarterEditionOnly {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
    },
    /// The image does not say which distribution it is.
    NoDistro {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
    },
    /// Nothing was found to judge.
    NothingFound {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
    },
    /// There is a distribution and no database of its packages.
    NoPackageDatabase {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        distro: Cow<'a, str>,
    },
    /// No feed speaks of this ecosystem or release.
    NotCovered {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        ecosystem: Cow<'a, str>,
        packages: usize,
    },
    /// A feed knows too little of a release.
    ThinlyCovered {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        ecosystem: Cow<'a, str>,
        packages: usize,
        advisories: u64,
    },
    /// The release no longer gets security updates.
    EndOfLife {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        distro: Cow<'a, str>,
        ended: Cow<'a, str>,
    },
    /// A feed is older than the policy allows.
    Stale {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        ecosystem: Cow<'a, str>,
        day: Option<Cow<'a, str>>,
        max_age_days: u32,
    },
    /// Versions that could not be compared.
    NotCompared {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        ecosystem: Cow<'a, str>,
        names: Vec<Cow<'a, str>>,
    },
    /// Findings whose vendor has not decided yet.
    UnderReview {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        findings: usize,
    },
    /// Findings that nobody rated.
    Unrated {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        findings: usize,
    },
    /// Files that could not be read.
    Gaps {
        message: Cow<'a, str>,
        remedy: Cow<'a, str>,
        count: usize,
    },
}

/// What was asked of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Findings at this level or above fail.
    pub fail_on: Severity,
    /// Findings without a fix do not fail.
    pub ignore_unfixed: bool,
    /// How old a feed may be, in days.
    pub max_age_days: u32,
    /// Whether findings of a kernel count.
    #[serde(default)]
    pub kernel_runs: bool,
}

/// A compiled set of advisories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edition<'a> {
    /// The digest of its bytes.
    pub digest: Cow<'a, str>,
    /// Whether it is the small one inside the program.
    pub starter: bool,
    /// How many advisories it holds.
    pub advisories: u64,
}

/// The operating system, field names as in os-release(5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distro<'a> {
    /// `ID`.
    pub id: Cow<'a, str>,
    /// `VERSION_ID`.
    pub version_id: Option<Cow<'a, str>>,
    /// `VERSION_CODENAME`.
    pub codename: Option<Cow<'a, str>>,
    /// `ID_LIKE`.
    pub id_like: Vec<Cow<'a, str>>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<Cow<'a, str>>,
    /// The file that said so.
    pub path: Cow<'a, str>,
}

/// How well the packages of one ecosystem could be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage<'a> {
    /// Such as `Debian:12`.
    pub ecosystem: Cow<'a, str>,
    /// How many packages belong to it.
    pub packages: usize,
    /// Packages whose version could not be compared.
    pub not_compared: Vec<Cow<'a, str>>,
    /// The feed that covers it.
    pub feed: Option<Feed<'a>>,
}

/// One feed of the edition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed<'a> {
    /// Such as `osv/Debian`.
    pub id: Cow<'a, str>,
    /// How many advisories speak of this ecosystem.
    pub advisories: u64,
    /// How current it is.
    pub date: FeedDate<'a>,
}

/// How current a feed is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeedDate<'a> {
    /// Fetched from its source.
    Fetched {
        /// On this day.
        day: Cow<'a, str>,
    },
    /// From a copy of unknown age.
    NewestRecord {
        /// The day of its newest record.
        day: Cow<'a, str>,
    },
    /// Nothing says.
    Unknown,
}

/// A package with a vulnerability, and the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding<'a> {
    /// Position in `packages`.
    pub package: usize,
    /// A CVE id where there is one.
    pub vulnerability: Cow<'a, str>,
    /// Other names of it.
    pub aliases: Vec<Cow<'a, str>>,
    /// One line for people.
    pub summary: Cow<'a, str>,
    /// The level that policy looks at.
    pub severity: Option<Severity>,
    /// Every judgement.
    pub ratings: Vec<Rating<'a>>,
    /// What can be done.
    pub fix: Fix<'a>,
    /// Who says so, and by which comparison.
    pub sources: Vec<Source<'a>>,
    /// Known exploitation.
    pub known_exploited: Option<KnownExploited<'a>>,
    /// Predicted exploitation.
    pub epss: Option<Epss>,
    /// Links.
    pub references: Vec<Cow<'a, str>>,
    /// Whether the flaw is of a kernel, which no container runs.
    #[serde(default)]
    pub kernel: bool,
}

/// One source's judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating<'a> {
    /// Who judged.
    pub source: Cow<'a, str>,
    /// What the judgement is expressed in.
    pub system: RatingSystem,
    /// The CVSS vector, or the source's word.
    pub text: Cow<'a, str>,
    /// The CVSS base score.
    pub score: Option<f64>,
    /// The level it comes to.
    pub severity: Severity,
}

/// What a rating is expressed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatingSystem {
    /// CVSS version 4.
    CvssV4,
    /// CVSS version 3.0 or 3.1.
    CvssV3,
    /// CVSS version 2.
    CvssV2,
    /// A word of the source's own scale.
    Word,
}

/// What can be done about a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fix<'a> {
    /// Fixed versions are out.
    Fixed {
        /// Lowest sufficient first.
        versions: Vec<Cow<'a, str>>,
    },
    /// Fixed versions are out for subscribers.
    Subscription {
        /// Lowest sufficient first.
        versions: Vec<Cow<'a, str>>,
    },
    /// The vendor will not fix it.
    WontFix,
    /// No fix is out.
    NotYet,
    /// The vendor has not decided yet whether it is affected.
    UnderReview,
    /// The sources do not say.
    Unknown,
}

/// One record behind a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source<'a> {
    /// Such as `osv/Debian`.
    pub feed: Cow<'a, str>,
    /// The record's id.
    pub id: Cow<'a, str>,
    /// What was compared with what.
    pub comparison: Comparison<'a>,
}

/// The comparison that made a match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison<'a> {
    /// The name that was looked up.
    pub name: Cow<'a, str>,
    /// The ecosystem it was looked up in.
    pub ecosystem: Cow<'a, str>,
    /// The version that was compared.
    pub installed: Cow<'a, str>,
    /// By whose order, such as `dpkg`.
    pub scheme: Cow<'a, str>,
    /// The affected stretch; absent when the version is listed by itself.
    pub affected: Option<Affected<'a>>,
}

/// A stretch of affected versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected<'a> {
    /// First affected version; absent from the beginning.
    pub from: Option<Cow<'a, str>>,
    /// First fixed version.
    pub fixed: Option<Cow<'a, str>>,
    /// Last version known to be affected.
    pub last_affected: Option<Cow<'a, str>>,
}

/// An entry in a catalogue of exploited vulnerabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownExploited<'a> {
    /// Day it was listed.
    pub added: Cow<'a, str>,
    /// Day by which agencies must act.
    pub due: Option<Cow<'a, str>>,
    /// Whether ransomware uses it.
    pub ransomware: bool,
}

/// A prediction of the Exploit Prediction Scoring System, both from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epss {
    /// Probability of exploitation in the next 30 days.
    pub probability: f64,
    /// Share of vulnerabilities scored at or below this one.
    pub percentile: f64,
}

/// Something installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package<'a> {
    /// The package URL type.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
    /// Its package URL.
    pub purl: Cow<'a, str>,
    /// The machine architecture.
    pub architecture: Option<Cow<'a, str>>,
    /// The source package.
    pub source: Option<SourcePackage<'a>>,
    /// Who built or distributes it.
    pub vendor: Option<Cow<'a, str>>,
    /// How firmly the evidence speaks.
    pub claim: Claim,
    /// Where it was seen.
    pub seen: Vec<Sighting<'a>>,
}

/// The source package a binary package was built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourcePackage<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
}

/// How firmly the evidence speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    /// A package manager's or build tool's own record.
    Recorded,
    /// Read from a file name or the like.
    Guessed,
}

/// A place where a package was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting<'a> {
    /// The file that says so.
    pub path: Cow<'a, str>,
    /// Position in `layers`.
    pub layer: Option<usize>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap<'a> {
    /// Path inside the image.
    pub path: Cow<'a, str>,
    /// The probe that wanted it.
    pub probe: Cow<'a, str>,
    /// Why it could not be read.
    pub why: Cow<'a, str>,
    /// Position in `layers`.
    pub layer: Option<usize>,
}

/// One diff of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer<'a> {
    /// Digest of the blob.
    pub digest: Option<Cow<'a, str>>,
    /// Digest of the uncompressed diff, as claimed.
    pub diff_id: Option<Cow<'a, str>>,
    /// The build instruction, as claimed.
    pub created_by: Option<Cow<'a, str>>,
}
