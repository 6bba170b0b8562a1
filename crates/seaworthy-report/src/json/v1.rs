//! The document `seaworthy.report/1`, described in `docs/schema/report-v1.json`.
//!
//! Field names and kinds are a promise to whoever reads the documents. What is
//! added later has a default here and an entry in the schema; what would change
//! or vanish makes a version 2.

mod write;

use serde::{Deserialize, Serialize};

/// What the `schema` field of version 1 says.
pub const SCHEMA: &str = "seaworthy.report/1";

/// The answer to one scan: usually one image, several for `--all-platforms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The outcome over all images.
    pub outcome: Outcome,
    /// The exit code that goes with the outcome.
    pub exit_code: u8,
    /// In the order they were scanned.
    pub images: Vec<Image>,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One image with everything known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// What was asked for, without credentials.
    pub target: String,
    /// Digest of the manifest.
    pub manifest: Option<String>,
    /// Digest of the image config.
    pub config: Option<String>,
    /// Such as `linux/amd64`.
    pub platform: Option<String>,
    /// Tags the transport carried.
    pub tags: Vec<String>,
    /// What the policy says.
    pub verdict: Verdict,
    /// What was asked.
    pub policy: Policy,
    /// The edition that was compared with.
    pub edition: Option<Edition>,
    /// What the image says it is.
    pub distro: Option<Distro>,
    /// How well the edition covers the packages, by ecosystem.
    pub coverage: Vec<Coverage>,
    /// What is known of the packages.
    pub findings: Vec<Finding>,
    /// What is installed. Other parts refer to positions in this list.
    pub packages: Vec<Package>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Bottom first. Other parts refer to positions in this list.
    pub layers: Vec<Layer>,
    /// Which probes looked.
    pub probes: String,
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
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// Why it fails, worst first.
    pub reasons: Vec<Reason>,
    /// What could not be judged.
    pub blindness: Vec<Blindness>,
}

/// Why an image fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// For people.
    pub message: String,
    /// Position in `packages`.
    pub package: usize,
    /// Its name.
    pub vulnerability: String,
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
pub enum Blindness {
    /// There is no edition to compare with.
    NoEdition { message: String, remedy: String },
    /// The edition holds nothing.
    EmptyEdition { message: String, remedy: String },
    /// Only the small edition inside the program was at hand.
    StarterEditionOnly { message: String, remedy: String },
    /// The image does not say which distribution it is.
    NoDistro { message: String, remedy: String },
    /// Nothing was found to judge.
    NothingFound { message: String, remedy: String },
    /// There is a distribution and no database of its packages.
    NoPackageDatabase {
        message: String,
        remedy: String,
        distro: String,
    },
    /// No feed speaks of this ecosystem or release.
    NotCovered {
        message: String,
        remedy: String,
        ecosystem: String,
        packages: usize,
    },
    /// A feed knows too little of a release.
    ThinlyCovered {
        message: String,
        remedy: String,
        ecosystem: String,
        packages: usize,
        advisories: u64,
    },
    /// The release no longer gets security updates.
    EndOfLife {
        message: String,
        remedy: String,
        distro: String,
        ended: String,
    },
    /// A feed is older than the policy allows.
    Stale {
        message: String,
        remedy: String,
        ecosystem: String,
        day: Option<String>,
        max_age_days: u32,
    },
    /// Versions that could not be compared.
    NotCompared {
        message: String,
        remedy: String,
        ecosystem: String,
        names: Vec<String>,
    },
    /// Findings whose vendor has not decided yet.
    UnderReview {
        message: String,
        remedy: String,
        findings: usize,
    },
    /// Findings that nobody rated.
    Unrated {
        message: String,
        remedy: String,
        findings: usize,
    },
    /// Files that could not be read.
    Gaps {
        message: String,
        remedy: String,
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
}

/// A compiled set of advisories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edition {
    /// The digest of its bytes.
    pub digest: String,
    /// Whether it is the small one inside the program.
    pub starter: bool,
    /// How many advisories it holds.
    pub advisories: u64,
}

/// The operating system, field names as in os-release(5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distro {
    /// `ID`.
    pub id: String,
    /// `VERSION_ID`.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `ID_LIKE`.
    pub id_like: Vec<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// The file that said so.
    pub path: String,
}

/// How well the packages of one ecosystem could be judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Such as `Debian:12`.
    pub ecosystem: String,
    /// How many packages belong to it.
    pub packages: usize,
    /// Packages whose version could not be compared.
    pub not_compared: Vec<String>,
    /// The feed that covers it.
    pub feed: Option<Feed>,
}

/// One feed of the edition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// Such as `osv/Debian`.
    pub id: String,
    /// How many advisories speak of this ecosystem.
    pub advisories: u64,
    /// How current it is.
    pub date: FeedDate,
}

/// How current a feed is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeedDate {
    /// Fetched from its source.
    Fetched {
        /// On this day.
        day: String,
    },
    /// From a copy of unknown age.
    NewestRecord {
        /// The day of its newest record.
        day: String,
    },
    /// Nothing says.
    Unknown,
}

/// A package with a vulnerability, and the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Position in `packages`.
    pub package: usize,
    /// A CVE id where there is one.
    pub vulnerability: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// One line for people.
    pub summary: String,
    /// The level that policy looks at.
    pub severity: Option<Severity>,
    /// Every judgement.
    pub ratings: Vec<Rating>,
    /// What can be done.
    pub fix: Fix,
    /// Who says so, and by which comparison.
    pub sources: Vec<Source>,
    /// Known exploitation.
    pub known_exploited: Option<KnownExploited>,
    /// Predicted exploitation.
    pub epss: Option<Epss>,
    /// Links.
    pub references: Vec<String>,
}

/// One source's judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// Who judged.
    pub source: String,
    /// What the judgement is expressed in.
    pub system: RatingSystem,
    /// The CVSS vector, or the source's word.
    pub text: String,
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
pub enum Fix {
    /// Fixed versions are out.
    Fixed {
        /// Lowest sufficient first.
        versions: Vec<String>,
    },
    /// Fixed versions are out for subscribers.
    Subscription {
        /// Lowest sufficient first.
        versions: Vec<String>,
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
pub struct Source {
    /// Such as `osv/Debian`.
    pub feed: String,
    /// The record's id.
    pub id: String,
    /// What was compared with what.
    pub comparison: Comparison,
}

/// The comparison that made a match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name that was looked up.
    pub name: String,
    /// The ecosystem it was looked up in.
    pub ecosystem: String,
    /// The version that was compared.
    pub installed: String,
    /// By whose order, such as `dpkg`.
    pub scheme: String,
    /// The affected stretch; absent when the version is listed by itself.
    pub affected: Option<Affected>,
}

/// A stretch of affected versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// First affected version; absent from the beginning.
    pub from: Option<String>,
    /// First fixed version.
    pub fixed: Option<String>,
    /// Last version known to be affected.
    pub last_affected: Option<String>,
}

/// An entry in a catalogue of exploited vulnerabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownExploited {
    /// Day it was listed.
    pub added: String,
    /// Day by which agencies must act.
    pub due: Option<String>,
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
pub struct Package {
    /// The package URL type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its package URL.
    pub purl: String,
    /// The machine architecture.
    pub architecture: Option<String>,
    /// The source package.
    pub source: Option<SourcePackage>,
    /// Who built or distributes it.
    pub vendor: Option<String>,
    /// How firmly the evidence speaks.
    pub claim: Claim,
    /// Where it was seen.
    pub seen: Vec<Sighting>,
}

/// The source package a binary package was built from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
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
pub struct Sighting {
    /// The file that says so.
    pub path: String,
    /// Position in `layers`.
    pub layer: Option<usize>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Path inside the image.
    pub path: String,
    /// The probe that wanted it.
    pub probe: String,
    /// Why it could not be read.
    pub why: String,
    /// Position in `layers`.
    pub layer: Option<usize>,
}

/// One diff of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Digest of the blob.
    pub digest: Option<String>,
    /// Digest of the uncompressed diff, as claimed.
    pub diff_id: Option<String>,
    /// The build instruction, as claimed.
    pub created_by: Option<String>,
}
