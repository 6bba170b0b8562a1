//! Which edition was in use when.

use std::fmt::Write as _;

use seaworthy_core::{Day, Digest};

/// More days than anyone looks back, were an edition installed on each.
const MAX_LINES: usize = 10_000;

/// The editions that were in use, the oldest first, each with its first day.
///
/// As text, a line for each: the day, a space, the digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History(Vec<(Day, Digest)>);

impl History {
    /// Lines that say nothing are passed over: a damaged history must not stand in
    /// the way of an update.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines: Vec<(Day, Digest)> = text
            .lines()
            .filter_map(|line| {
                let (day, digest) = line.split_once(' ')?;
                Some((day.parse().ok()?, digest.parse().ok()?))
            })
            .collect();
        lines.drain(..lines.len().saturating_sub(MAX_LINES));
        Self(lines)
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (day, digest) in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{day} {digest}");
        }
        text
    }

    /// From `today` on, this edition is in use.
    pub(super) fn begin(&mut self, today: Day, edition: &Digest) {
        if self.0.last().is_none_or(|(_, last)| last != edition) {
            self.0.push((today, edition.clone()));
        }
    }

    /// Forgets what went out of use before `day`.
    pub(super) fn forget_before(&mut self, day: Day) {
        let ends = self.0.iter().skip(1).map(|(day, _)| *day);
        let past = ends.take_while(|end| *end < day).count();
        self.0.drain(..past);
    }

    /// The first day that is remembered.
    pub(super) fn first_day(&self) -> Option<Day> {
        self.0.first().map(|(day, _)| *day)
    }

    pub(super) fn names(&self, edition: &Digest) -> bool {
        self.0.iter().any(|(_, other)| other == edition)
    }

    /// The edition that followed this one when it went out of use for the last time.
    pub(super) fn successor(&self, edition: &Digest) -> Option<&Digest> {
        let last = self.0.iter().rposition(|(_, other)| other == edition)?;
        self.0.get(last + 1).map(|(_, next)| next)
    }

    /// The edition that was in use at the end of `day`, and since when.
    pub(super) fn at(&self, day: Day) -> Option<(Day, &Digest)> {
        let begun = self.0.iter().rev().find(|(first, _)| *first <= day);
        begun.map(|(first, edition)| (*first, edition))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    fn edition(number: u8) -> Digest {
        Digest::from_sha256([number; 32])
    }

    fn history(lines: &[(i32, u8)]) -> History {
        let mut history = History::default();
        for &(day, number) in lines {
            history.begin(Day::from_days(day), &edition(number));
        }
        history
    }

    #[test]
    fn each_day_has_the_edition_that_was_installed_last() {
        let history = history(&[(10, 1), (12, 2), (12, 3), (12, 3), (15, 1)]);
        let at = |day| history.at(Day::from_days(day)).map(|(_, it)| it.clone());
        assert_eq!(at(9), None);
        assert_eq!(at(10), Some(edition(1)));
        assert_eq!(at(11), Some(edition(1)));
        assert_eq!(at(12), Some(edition(3)));
        assert_eq!(at(99), Some(edition(1)));
        assert_eq!(history.successor(&edition(2)), Some(&edition(3)));
        assert_eq!(history.successor(&edition(1)), None);
        assert_eq!(History::parse(&history.text()), history);
    }

    #[test]
    fn what_ended_long_ago_is_forgotten_and_what_began_then_is_not() {
        let mut history = history(&[(10, 1), (12, 2), (15, 3)]);
        history.forget_before(Day::from_days(12));
        assert_eq!(history.first_day(), Some(Day::from_days(10)));
        history.forget_before(Day::from_days(13));
        assert_eq!(history.first_day(), Some(Day::from_days(12)));
        history.forget_before(Day::from_days(99));
        assert_eq!(history.first_day(), Some(Day::from_days(15)));
        assert!(history.names(&edition(3)) && !history.names(&edition(2)));
    }

    #[test]
    fn lines_that_say_nothing_are_passed_over() {
        let good = history(&[(10, 1)]);
        let text = format!("\nnonsense\n{}1970-01-01 sha256:short\n\u{0}", good.text());
        assert_eq!(History::parse(&text), good);
        let day = good.first_day().unwrap();
        assert_eq!(day, Day::from_days(10));
    }
}
