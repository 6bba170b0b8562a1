//! Maven: every text is a version, ordered as `ComparableVersion` of Maven 3.8 does.
//!
//! Maven cuts a version into numbers and words and nests them: a hyphen, or a
//! change between letters and digits, opens a list inside the list. Only the
//! last entry of a list can be a list, so the nesting is a chain and we walk it
//! as one flat stream of [`Step`]s. Entries that mean nothing (`0`, `ga`, an
//! empty list) vanish at the end of their list; [`Steps`] leaves them out.
//!
//! Only ASCII digits are digits here, where Java takes those of every script.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, without_leading_zeros};

/// What the walk over a version meets.
#[derive(Clone, Copy)]
enum Step<'a> {
    Entry(Entry<'a>),
    /// A list opens; it is the last entry of the one before.
    Open,
    End,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Number(&'a str),
    Word(Word<'a>),
}

/// A qualifier, oldest first. An unknown one is newer than any known.
#[derive(Clone, Copy)]
enum Word<'a> {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    /// `ga`, `final`, `release`: the same as nothing.
    Release,
    ServicePack,
    Unknown(&'a str),
}

static KNOWN: [(&str, Word<'_>); 10] = [
    ("alpha", Word::Alpha),
    ("beta", Word::Beta),
    ("milestone", Word::Milestone),
    ("rc", Word::Candidate),
    ("cr", Word::Candidate),
    ("snapshot", Word::Snapshot),
    ("ga", Word::Release),
    ("final", Word::Release),
    ("release", Word::Release),
    ("sp", Word::ServicePack),
];

/// Names where a digit follows directly.
static SHORT: [(&str, Word<'_>); 3] = [
    ("a", Word::Alpha),
    ("b", Word::Beta),
    ("m", Word::Milestone),
];

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    Ok(())
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    check(a).ok()?;
    check(b).ok()?;
    let (mut left, mut right) = (Steps::of(a), Steps::of(b));
    loop {
        let order = match (left.next(), right.next()) {
            (Step::End, Step::End) => return Some(Ordering::Equal),
            (Step::Open, Step::Open | Step::End) | (Step::End, Step::Open) => Ordering::Equal,
            (Step::Entry(a), Step::Entry(b)) => a.compare(b),
            (Step::Entry(a), Step::End) => a.compare_to_nothing(),
            (Step::End, Step::Entry(b)) => b.compare_to_nothing().reverse(),
            (Step::Open, Step::Entry(b)) => list_against(b),
            (Step::Entry(a), Step::Open) => list_against(a).reverse(),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

/// A list is older than a number and newer than a word, whatever it holds.
fn list_against(entry: Entry<'_>) -> Ordering {
    match entry {
        Entry::Number(_) => Ordering::Less,
        Entry::Word(_) => Ordering::Greater,
    }
}

impl<'a> Entry<'a> {
    fn compare(self, other: Entry<'a>) -> Ordering {
        match (self, other) {
            (Self::Number(a), Entry::Number(b)) => {
                let (a, b) = (a.as_bytes(), b.as_bytes());
                width(a).cmp(&width(b)).then_with(|| compare_numbers(a, b))
            }
            (Self::Word(a), Entry::Word(b)) => a.compare(b),
            (Self::Number(_), Entry::Word(_)) => Ordering::Greater,
            (Self::Word(_), Entry::Number(_)) => Ordering::Less,
        }
    }

    /// How an entry stands against a version that has ended.
    fn compare_to_nothing(self) -> Ordering {
        match self {
            Self::Number(digits) if without_leading_zeros(digits.as_bytes()).is_empty() => {
                Ordering::Equal
            }
            Self::Number(_) => Ordering::Greater,
            Self::Word(word) => word.compare(Word::Release),
        }
    }

    fn means_nothing(self) -> bool {
        self.compare_to_nothing().is_eq()
    }
}

impl<'a> Word<'a> {
    /// Java lowers the case before it looks at a word, and reads a single `a`,
    /// `b` or `m` as a name where a digit follows directly.
    fn of(text: &'a str, next_is_digit: bool) -> Self {
        let short = SHORT.iter().filter(|_| next_is_digit);
        let mut known = KNOWN.iter().chain(short);
        known
            .find(|(name, _)| text.eq_ignore_ascii_case(name))
            .map_or(Self::Unknown(text), |(_, word)| *word)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Alpha => 0,
            Self::Beta => 1,
            Self::Milestone => 2,
            Self::Candidate => 3,
            Self::Snapshot => 4,
            Self::Release => 5,
            Self::ServicePack => 6,
            Self::Unknown(_) => 7,
        }
    }

    fn compare(self, other: Word<'_>) -> Ordering {
        match (self, other) {
            (Self::Unknown(a), Word::Unknown(b)) => utf16(a).cmp(utf16(b)),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

/// The UTF-16 units of the lowercase text, which is what Java compares.
fn utf16(text: &str) -> impl Iterator<Item = u16> {
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(|letter| {
            let mut units = [0; 2];
            let count = letter.encode_utf16(&mut units).len();
            units.into_iter().take(count)
        })
}

/// Which of Java's integers holds the number; Maven compares that first. It
/// matters only for a zero of ten or more digits, which Maven does not shorten.
fn width(digits: &[u8]) -> u8 {
    let significant = without_leading_zeros(digits).len();
    let length = if significant == 0 {
        digits.len()
    } else {
        significant
    };
    match length {
        0..=9 => 0,
        10..=18 => 1,
        _ => 2,
    }
}

/// The steps of a version as it is written.
#[derive(Clone, Copy)]
struct Written<'a> {
    rest: &'a str,
    /// Nothing stands yet in the list that is open.
    list_is_empty: bool,
    entry_waits: Option<Entry<'a>>,
    open_waits: bool,
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text,
            list_is_empty: true,
            entry_waits: None,
            open_waits: false,
        }
    }

    fn next(&mut self) -> Step<'a> {
        if let Some(entry) = self.entry_waits.take() {
            self.list_is_empty = false;
            return Step::Entry(entry);
        }
        if self.open_waits {
            (self.open_waits, self.list_is_empty) = (false, true);
            return Step::Open;
        }
        if self.rest.is_empty() {
            return Step::End;
        }
        let (digits, _) = take_digits(self.rest.as_bytes());
        let (run, after) = if digits.is_empty() {
            let is_end = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-');
            let end = self.rest.find(is_end).unwrap_or(self.rest.len());
            self.rest.split_at(end)
        } else {
            self.rest.split_at(digits.len())
        };
        let follower = after.chars().next();
        let entry = match run {
            // Two separators in a row, or one in front: a zero is meant.
            "" => Entry::Number(""),
            run if !digits.is_empty() => Entry::Number(run),
            run => Entry::Word(Word::of(
                run,
                follower.is_some_and(|it| it.is_ascii_digit()),
            )),
        };
        self.rest = after.strip_prefix(['.', '-']).unwrap_or(after);
        self.open_waits = !matches!(follower, None | Some('.'));
        // A word that a separator ends stays in its list; any other gets its own.
        let is_word = matches!(entry, Entry::Word(_));
        if is_word && !matches!(follower, Some('.' | '-')) && !self.list_is_empty {
            (self.entry_waits, self.list_is_empty) = (Some(entry), true);
            return Step::Open;
        }
        self.list_is_empty = false;
        Step::Entry(entry)
    }
}

/// The steps that count.
struct Steps<'a> {
    written: Written<'a>,
    /// How many written steps remain up to the last entry that means something.
    remaining: usize,
    /// How many meaningless entries ahead are known to stand before a meaningful
    /// one of the same list. Knowing it keeps a long row of zeros linear.
    kept: usize,
}

impl<'a> Steps<'a> {
    fn of(text: &'a str) -> Self {
        let written = Written::of(text);
        let mut ahead = written;
        let (mut count, mut remaining) = (0, 0);
        loop {
            count += 1;
            match ahead.next() {
                Step::End => break,
                Step::Entry(entry) if !entry.means_nothing() => remaining = count,
                Step::Entry(_) | Step::Open => {}
            }
        }
        Self {
            written,
            remaining,
            kept: 0,
        }
    }

    fn next(&mut self) -> Step<'a> {
        loop {
            if self.remaining == 0 {
                return Step::End;
            }
            self.remaining -= 1;
            let step = self.written.next();
            let Step::Entry(entry) = step else {
                return step;
            };
            if !entry.means_nothing() {
                return step;
            }
            if self.kept > 0 {
                self.kept -= 1;
                return step;
            }
            let mut ahead = self.written;
            let mut passed = 0;
            loop {
                let before = ahead;
                match ahead.next() {
                    Step::Entry(entry) if entry.means_nothing() => passed += 1,
                    Step::Entry(_) => {
                        self.kept = passed;
                        return step;
                    }
                    // The list ends with meaningless entries: skip them.
                    Step::Open | Step::End => {
                        self.written = before;
                        self.remaining = self.remaining.saturating_sub(passed);
                        break;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use crate::Scheme::Maven;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn qualifiers_stand_around_the_release() {
        ordered(
            Maven,
            "1-alpha-1 = 1a1 = 1-a1 = 1ALPHA1 < 1-beta-1 = 1b1 < 1-milestone-1 = 1m1 < 1-rc1 = 1-cr1 = 1CR1 < 1-SNAPSHOT \
             < 1 = 1-ga = 1.final = 1-RELEASE = 1.0-ga < 1-sp < 1-abc < 1-xyz < 1-1 < 1.1",
        );
    }

    #[test]
    fn what_means_nothing_vanishes_at_the_end_of_its_list() {
        ordered(
            Maven,
            "1 = 1.0 = 1.0.0 = 1-0 = 1.0-0 = 1. = 1- = 1.- = 1.-. = 1-0-ga-0.final = 01",
        );
        ordered(Maven, "1-rc = 1.0-rc = 1.0.0-rc < 1 < 1.0.1 = 1..1");
        ordered(Maven, "1 < 1-0-1 = 1--1 < 1-1");
    }

    #[test]
    fn a_single_letter_is_a_name_only_before_a_digit() {
        ordered(Maven, "1-a1 < 1-b1 < 1-m1 < 1 < 1-a < 1-a-1 < 1-b < 1-m");
    }

    #[test]
    fn releases_of_well_known_artifacts_are_in_order() {
        ordered(
            Maven,
            "2.0-beta9 < 2.0-rc1 < 2.0 < 2.12.1 < 2.12.4 < 2.15.0 < 2.17.1",
        );
        ordered(
            Maven,
            "5.3.0.Beta1 < 5.3.0.CR1 < 5.3.0.Final = 5.3.0 < 5.3.1.Final < 5.3.18",
        );
        ordered(Maven, "30.0-android < 30.0-jre < 30.1-android < 31.1-jre");
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(
            Maven,
            "1.999999999 < 1.1000000000 < 1.999999999999999999 < 1.1000000000000000000 < 1.20000000000000000000",
        );
    }

    #[test]
    fn a_zero_of_ten_digits_is_large_as_in_maven() {
        ordered(Maven, "1.9.1 < 1.0000000000.1 < 1.1000000000.1");
    }

    #[test]
    fn words_are_compared_as_java_does() {
        ordered(Maven, "1-é = 1-É < 1-\u{1f6a2} < 1-\u{fffd}");
    }

    #[test]
    fn the_order_runs_in_a_circle_where_a_word_meets_a_list() {
        let order = |a, b| Maven.compare(a, b);
        assert_eq!(order("1", "1.sp.1"), Some(Ordering::Less));
        assert_eq!(order("1.sp.1", "1-alpha"), Some(Ordering::Less));
        assert_eq!(order("1-alpha", "1"), Some(Ordering::Less));
    }

    #[test]
    fn only_nothing_is_refused() {
        refused(Maven, &[""]);
        for odd in [".", "-", "--", "..", "é", "$", " ", "\u{0}", "[1,2)", "٣"] {
            assert!(Maven.check(odd).is_ok(), "{odd:?}");
        }
    }
}
