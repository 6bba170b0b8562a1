//! Which work goes first.

use std::fmt;
use std::str::FromStr;

/// Which work goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Somebody just pushed it.
    Push,
    /// Somebody asked for it.
    Manual,
    /// A connector brought it.
    Import,
    /// The world learned something new, or the house is kept clean.
    Rescan,
}

/// A text that names no lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no lane of jobs")]
pub struct LaneError(Box<str>);

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Push, Self::Manual, Self::Import, Self::Rescan];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Manual => "manual",
            Self::Import => "import",
            Self::Rescan => "rescan",
        }
    }

    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Push => 0,
            Self::Manual => 1,
            Self::Import => 2,
            Self::Rescan => 3,
        }
    }

    /// The lane with this number; what a later program wrote goes last.
    pub(crate) fn of_number(number: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|it| it.number() == number)
            .unwrap_or(Self::Rescan)
    }
}

impl FromStr for Lane {
    type Err = LaneError;

    fn from_str(text: &str) -> Result<Self, LaneError> {
        Self::ALL
            .into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| LaneError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
