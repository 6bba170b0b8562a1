//! Calendar days, for ages that people reason about in days.

use std::fmt;
use std::str::FromStr;

/// A day of the proleptic Gregorian calendar in UTC, as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// The text does not start with a date like `2026-11-22`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not start with a date like `2026-11-22`")]
pub struct DayError(Box<str>);

impl Day {
    /// The day that contains the moment `seconds` after 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX))
    }

    /// The day `days` after 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// How many days this day lies after `earlier`; negative when it lies before.
    pub fn days_since(self, earlier: Day) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }

    /// Year, month (1 to 12) and day of the month (1 to 31).
    ///
    /// Era arithmetic after Howard Hinnant's description of civil calendars.
    fn civil(self) -> (i64, i64, i64) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }

    fn from_civil(year: i64, month: i64, day: i64) -> Option<Self> {
        if !(0..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let found = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).ok()?);
        // 31 February reads back as another day.
        (found.civil() == (year, month, day)).then_some(found)
    }
}

/// Reads the date at the start of an ISO 8601 date or time (RFC 3339 in UTC).
impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let refuse = || DayError(text.chars().take(40).collect::<String>().into());
        let date = text.get(..10).ok_or_else(refuse)?;
        if text
            .get(10..)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['T', 't', ' ']))
        {
            return Err(refuse());
        }
        let mut numbers = date.split('-').map(|part| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse::<i64>().ok())?
        });
        match (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) {
            (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) => {
                Self::from_civil(year, month, day).ok_or_else(refuse)
            }
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days_have_their_known_numbers() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-11-22", 20_779),
        ] {
            assert_eq!(text.parse::<Day>().map(Day::days), Ok(days));
        }
        for bad in [
            "",
            "2026-02-30",
            "2026-13-01",
            "26-1-1",
            "2026-11-22x",
            "+026-11-22",
        ] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_day_reads_back(days in -700_000..2_900_000_i32) {
            let day = Day::from_days(days);
            prop_assume!((0..=9_999).contains(&day.civil().0));
            prop_assert_eq!(day.to_string().parse::<Day>(), Ok(day));
            prop_assert_eq!(format!("{day}T23:59:59Z").parse::<Day>(), Ok(day));
        }
    }
}
