//! What an edition remembers for findings only: documents in blocks.
//!
//! The documents are postcard-encoded. They are types of their own, so that the
//! nouns of `core` may change without changing what is stored.

use seaworthy_core::{Day, Epss, Kev, Rating, RatingSystem, Severity};
use serde::{Deserialize, Serialize};

/// Details of a record.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordDocument<'a> {
    pub(crate) feed: &'a str,
    pub(crate) id: &'a str,
    #[serde(borrow)]
    pub(crate) body: BodyDocument<'a>,
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
