//! How bad, by whose judgement.

use std::fmt;
use std::str::FromStr;

/// The qualitative scale of CVSS v3 and v4, and `Negligible` for what a
/// distribution calls so. Absence of any rating is `Option::None`, never a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Score 0, or so minor that its own distribution does not track it.
    Negligible,
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.0.
    Critical,
}

/// The text names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of negligible, low, medium, high, critical")]
pub struct SeverityError(Box<str>);

impl Severity {
    /// All levels, worst first.
    pub const WORST_FIRST: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Negligible,
    ];

    /// The level of a CVSS score given in tenths (98 for 9.8).
    pub fn of_score(tenths: u8) -> Self {
        match tenths {
            0 => Self::Negligible,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            _ => Self::Critical,
        }
    }

    /// The lowercase name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Reads the words vendors use, in any case (`important` is high, `moderate`
/// medium, `unimportant` negligible).
impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        match text.to_ascii_lowercase().as_str() {
            "critical" => Ok(Self::Critical),
            "high" | "important" => Ok(Self::High),
            "medium" | "moderate" => Ok(Self::Medium),
            "low" => Ok(Self::Low),
            "negligible" | "unimportant" | "none" => Ok(Self::Negligible),
            _ => Err(SeverityError(
                text.chars().take(40).collect::<String>().into(),
            )),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// What a rating is expressed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// One source's judgement of one vulnerability. All are kept; choosing one is
/// policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rating {
    /// Who judged: the feed, or the database a record quotes.
    pub source: Box<str>,
    /// What the judgement is expressed in.
    pub system: RatingSystem,
    /// The CVSS vector, or the source's word.
    pub text: Box<str>,
    /// The CVSS base score in tenths, where there is one.
    pub score_tenths: Option<u8>,
    /// The level it comes to.
    pub severity: Severity,
}
