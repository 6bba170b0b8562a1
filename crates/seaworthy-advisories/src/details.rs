//! What an edition remembers for findings only: documents in blocks.
//!
//! The documents are postcard-encoded. They are types of their own, so that the
//! nouns of `core` may change without changing what is stored.

use seaworthy_core::{Day, Epss, Kev, Rating, RatingSystem, Severity};
use seaworthy_match::{RecordDetails, VulnerabilityDetails};
use serde::{Deserialize, Serialize};

/// Details of a record.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordDocument<'a> {
    pub(crate) feed: &'a str,
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) body: BodyDocument<'a>,
}

/// What follows a record's details: the names it came with, by which records find
/// their vulnerabilities. Findings do not read this far.
#[derive(Serialize, Deserialize)]
pub(crate) struct NamesDocument<'a> {
    #[serde(borrow)]
    pub(crate) aliases: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) bundles: Vec<&'a str>,
}

/// The part of a record's details that does not name it.
#[derive(Serialize, Deserialize)]
pub(crate) struct BodyDocument<'a> {
    pub(crate) summary: &'a str,
    #[serde(borrow)]
    pub(crate) references: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) ratings: Vec<RatingDocument<'a>>,
}

/// Details of a vulnerability.
#[derive(Serialize, Deserialize)]
pub(crate) struct VulnerabilityDocument<'a> {
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) aliases: Vec<&'a str>,
    #[serde(borrow)]
    pub(crate) ratings: Vec<RatingDocument<'a>>,
    pub(crate) kev: Option<KevDocument>,
    pub(crate) epss: Option<(u32, u32)>,
}

/// A rating. System and severity are numbers of this format, never positions
/// in an enum of `core`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RatingDocument<'a> {
    source: &'a str,
    system: u8,
    text: &'a str,
    score_tenths: Option<u8>,
    severity: u8,
}

/// A catalogue entry. Days count from 1970-01-01.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct KevDocument {
    added: i32,
    due: Option<i32>,
    ransomware: bool,
}

impl<'a> RatingDocument<'a> {
    pub(crate) fn of(rating: &'a Rating) -> Self {
        Self {
            source: &rating.source,
            system: match rating.system {
                RatingSystem::CvssV4 => 4,
                RatingSystem::CvssV3 => 3,
                RatingSystem::CvssV2 => 2,
                RatingSystem::Word => 0,
            },
            text: &rating.text,
            score_tenths: rating.score_tenths,
            severity: match rating.severity {
                Severity::Negligible => 0,
                Severity::Low => 1,
                Severity::Medium => 2,
                Severity::High => 3,
                Severity::Critical => 4,
            },
        }
    }

    /// The rating, unless a number is none of this format's.
    pub(crate) fn rating(&self) -> Option<Rating> {
        Some(Rating {
            source: self.source.into(),
            system: match self.system {
                4 => RatingSystem::CvssV4,
                3 => RatingSystem::CvssV3,
                2 => RatingSystem::CvssV2,
                0 => RatingSystem::Word,
                _ => return None,
            },
            text: self.text.into(),
            score_tenths: self.score_tenths,
            severity: match self.severity {
                0 => Severity::Negligible,
                1 => Severity::Low,
                2 => Severity::Medium,
                3 => Severity::High,
                4 => Severity::Critical,
                _ => return None,
            },
        })
    }
}

impl KevDocument {
    pub(crate) fn of(kev: &Kev) -> Self {
        Self {
            added: kev.added.days(),
            due: kev.due.map(Day::days),
            ransomware: kev.ransomware,
        }
    }

    pub(crate) fn kev(self) -> Kev {
        Kev {
            added: Day::from_days(self.added),
            due: self.due.map(Day::from_days),
            ransomware: self.ransomware,
        }
    }
}

/// The two numbers of a prediction, as stored.
pub(crate) fn epss_numbers(epss: Epss) -> (u32, u32) {
    (epss.probability_millionths, epss.percentile_millionths)
}

/// The prediction of two stored numbers.
pub(crate) fn epss_of((probability_millionths, percentile_millionths): (u32, u32)) -> Epss {
    Epss {
        probability_millionths,
        percentile_millionths,
    }
}

/// The details of a record, read from the start of `bytes`.
pub(crate) fn record(bytes: &[u8]) -> Option<RecordDetails> {
    let (document, _) = postcard::take_from_bytes::<RecordDocument<'_>>(bytes).ok()?;
    Some(RecordDetails {
        feed: document.feed.into(),
        id: document.id.into(),
        summary: document.body.summary.into(),
        references: boxed(&document.body.references),
        ratings: ratings(&document.body.ratings),
    })
}

/// The details of a vulnerability, read from the start of `bytes`.
pub(crate) fn vulnerability(bytes: &[u8]) -> Option<VulnerabilityDetails> {
    let (document, _) = postcard::take_from_bytes::<VulnerabilityDocument<'_>>(bytes).ok()?;
    Some(VulnerabilityDetails {
        id: document.id.into(),
        aliases: boxed(&document.aliases),
        ratings: ratings(&document.ratings),
        kev: document.kev.map(KevDocument::kev),
        epss: document.epss.map(epss_of),
    })
}

/// What stands for the details of a record that cannot be read.
pub(crate) fn unreadable_record(number: u32) -> RecordDetails {
    RecordDetails {
        feed: "unreadable".into(),
        id: format!("unreadable-record-{number}").into(),
        summary: "the edition is damaged here".into(),
        references: Vec::new(),
        ratings: Vec::new(),
    }
}

/// What stands for the details of a vulnerability that cannot be read.
pub(crate) fn unreadable_vulnerability(number: u32) -> VulnerabilityDetails {
    VulnerabilityDetails {
        id: format!("unreadable-vulnerability-{number}").into(),
        aliases: Vec::new(),
        ratings: Vec::new(),
        kev: None,
        epss: None,
    }
}

fn boxed(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|&text| text.into()).collect()
}

fn ratings(documents: &[RatingDocument<'_>]) -> Vec<Rating> {
    documents
        .iter()
        .filter_map(RatingDocument::rating)
        .collect()
}
