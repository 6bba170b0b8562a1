//! Composer: `v1.2.3-beta4`, `2024.01.31`, `1.x-dev`, `dev-main`, as composer/semver
//! reads them and PHP's `version_compare` orders what it made of them.
//!
//! A version is first brought to a normal form: four numbers or a date, a word of
//! stability with numbers of its own, and `-dev`. The normal forms are compared
//! piece by piece, where the pieces stand in the order of [`Piece`].
//!
//! A branch (`dev-main`) is older than any version, and all branches are one to
//! `Comparator`, which calls no branch less or greater than another. See
//! [`is_branch`] for what that means for advisories.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while, without_leading_zeros};

/// What a missing or free number of a branch with numbers (`1.x-dev`) stands for.
const FREE: &[u8] = b"9999999";

/// The largest number PHP compares; larger ones count as this.
const LARGEST: &[u8] = b"9223372036854775807";

/// The words that composer knows, the longer first where one starts another.
static WORDS: [(&[u8], Piece<'_>); 9] = [
    (b"stable", Piece::Stable),
    (b"beta", Piece::Beta),
    (b"b", Piece::Beta),
    (b"rc", Piece::Candidate),
    (b"alpha", Piece::Alpha),
    (b"a", Piece::Alpha),
    (b"patch", Piece::Patch),
    (b"pl", Piece::Patch),
    (b"p", Piece::Patch),
];

/// What may follow an `@`: it says what a user accepts, and is no part of the version.
static FLAGS: [&[u8]; 5] = [b"stable", b"rc", b"beta", b"alpha", b"dev"];

/// A piece of a normal form. PHP knows no word `stable`, and what it does not
/// know is the oldest.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Stable,
    Dev,
    Alpha,
    Beta,
    Candidate,
    /// Nothing: the other form has ended.
    End,
    Number(&'a [u8]),
    Patch,
}

/// The numbers a version starts with.
enum Start<'a> {
    Four([&'a [u8]; 4]),
    /// Numbers with anything between.
    Date(&'a [u8]),
}

enum Normal<'a> {
    Branch,
    Version {
        start: Start<'a>,
        word: Option<Piece<'a>>,
        /// The numbers of the word, with anything between.
        numbers: &'a [u8],
        dev: bool,
    },
}

/// What may follow the numbers.
struct Modifier<'a> {
    word: Option<Piece<'a>>,
    numbers: &'a [u8],
    dev: bool,
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

/// Whether the text names a branch. Composer's order puts it before every
/// version, but its code may be older or newer than any of them, so no range says
/// whether it is affected.
pub(super) fn is_branch(text: &str) -> bool {
    matches!(read(text), Ok(Normal::Branch))
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (mut left, mut right) = match (read(a).ok()?, read(b).ok()?) {
        (Normal::Branch, Normal::Branch) => return Some(Ordering::Equal),
        (Normal::Branch, Normal::Version { .. }) => return Some(Ordering::Less),
        (Normal::Version { .. }, Normal::Branch) => return Some(Ordering::Greater),
        (a, b) => (pieces(&a), pieces(&b)),
    };
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Some(Ordering::Equal),
            (a, b) => a.unwrap_or(Piece::End).compare(b.unwrap_or(Piece::End)),
        };
        if order.is_ne() {
            return Some(order);
        }
    }
}

impl Piece<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Stable => 0,
            Self::Dev => 1,
            Self::Alpha => 2,
            Self::Beta => 3,
            Self::Candidate => 4,
            Self::End => 5,
            Self::Number(_) => 6,
            Self::Patch => 7,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => compare_numbers(countable(a), countable(b)),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

fn countable(digits: &[u8]) -> &[u8] {
    if compare_numbers(digits, LARGEST).is_gt() {
        LARGEST
    } else {
        without_leading_zeros(digits)
    }
}

fn pieces<'a>(normal: &Normal<'a>) -> impl Iterator<Item = Piece<'a>> + use<'a> {
    let (four, date, word, numbers, dev) = match *normal {
        Normal::Branch => (None, &[][..], None, &[][..], false),
        Normal::Version {
            ref start,
            word,
            numbers,
            dev,
        } => match *start {
            Start::Four(four) => (Some(four), &[][..], word, numbers, dev),
            Start::Date(date) => (None, date, word, numbers, dev),
        },
    };
    four.into_iter()
        .flatten()
        .chain(runs_of_digits(date))
        .map(Piece::Number)
        .chain(word)
        .chain(runs_of_digits(numbers).map(Piece::Number))
        .chain(dev.then_some(Piece::Dev))
}

fn runs_of_digits(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| !byte.is_ascii_digit())
        .filter(|run| !run.is_empty())
}

fn read(text: &str) -> Result<Normal<'_>, &'static str> {
    let trimmed = trim(text.as_bytes());
    if trimmed.contains(&b'\n') {
        return Err("it has more than one line");
    }
    let text = without_flag(without_alias(trimmed));
    if matches!(text, b"master" | b"trunk" | b"default") || starts_with(text, b"dev-") {
        return Ok(Normal::Branch);
    }
    let text = without_metadata(text);
    let plain = without_one(text, b"vV");
    classical(plain)
        .or_else(|| dated(plain))
        .or_else(|| branch_of_numbers(text))
        .ok_or("it is neither numbers with a known word of stability nor the name of a branch")
}

/// One to four numbers, the first of at most five digits.
fn classical(text: &[u8]) -> Option<Normal<'_>> {
    let (first, mut rest) = take_digits(text);
    if !(1..=5).contains(&first.len()) {
        return None;
    }
    let mut four: [&[u8]; 4] = [first, b"0", b"0", b"0"];
    for number in four.iter_mut().skip(1) {
        let [b'.', after @ ..] = rest else { break };
        let (digits, after) = take_digits(after);
        if digits.is_empty() {
            break;
        }
        (*number, rest) = (digits, after);
    }
    Some(with(&modifier(rest)?, Start::Four(four)))
}

/// A year and pairs of digits: `20240131`, `2024.01.31-120000`.
fn dated(text: &[u8]) -> Option<Normal<'_>> {
    let in_date = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'-');
    let (run, _) = take_while(text, in_date);
    let end = run.iter().rposition(u8::is_ascii_digit)? + 1;
    let (date, rest) = text.split_at_checked(end)?;
    is_date(date)
        .then(|| modifier(rest))
        .flatten()
        .map(|modifier| with(&modifier, Start::Date(date)))
}

/// Four digits, then one to six pairs, then up to three more; a separator may
/// stand before each group.
fn is_date(text: &[u8]) -> bool {
    let group =
        |text: &'_ [u8]| -> usize { usize::from(matches!(text.first(), Some(b'.' | b':' | b'-'))) };
    let digits = |bytes: &[u8], count: usize| {
        bytes
            .get(..count)
            .is_some_and(|bytes| bytes.iter().all(u8::is_ascii_digit))
    };
    if !digits(text, 4) {
        return false;
    }
    let mut rest = text.get(4..).unwrap_or_default();
    for _ in 0..6 {
        let after_separator = rest.get(group(rest)..).unwrap_or_default();
        if !digits(after_separator, 2) {
            return false;
        }
        rest = after_separator.get(2..).unwrap_or_default();
        let last = rest.get(group(rest)..).unwrap_or_default();
        if rest.is_empty() || ((1..=3).contains(&last.len()) && digits(last, last.len())) {
            return true;
        }
    }
    false
}

fn with<'a>(modifier: &Modifier<'a>, start: Start<'a>) -> Normal<'a> {
    Normal::Version {
        start,
        word: modifier.word,
        numbers: modifier.numbers,
        dev: modifier.dev,
    }
}

/// `-beta.2-dev` and the like, up to the end of the text.
fn modifier(text: &[u8]) -> Option<Modifier<'_>> {
    let text = without_one(text, b"._-");
    let known = WORDS.iter().find_map(|(word, piece)| {
        let (written, after) = text.split_at_checked(word.len())?;
        written
            .eq_ignore_ascii_case(word)
            .then_some((written, after, *piece))
    });
    let Some((written, after, word)) = known else {
        return Some(Modifier {
            word: None,
            numbers: &[],
            dev: dev(text)?,
        });
    };
    let mut rest = after;
    loop {
        let (digits, further) = take_digits(without_one(rest, b".-"));
        if digits.is_empty() {
            break;
        }
        rest = further;
    }
    let numbers = after.get(..after.len() - rest.len()).unwrap_or_default();
    let dev = dev(rest)?;
    Some(if written == b"stable" {
        // In this spelling it says nothing, and takes with it whatever follows.
        Modifier {
            word: None,
            numbers: &[],
            dev: false,
        }
    } else {
        Modifier {
            word: Some(word),
            numbers,
            dev,
        }
    })
}

/// Whether `-dev` stands here; `None` where anything else does.
fn dev(text: &[u8]) -> Option<bool> {
    if text.is_empty() {
        return Some(false);
    }
    without_one(text, b".-")
        .eq_ignore_ascii_case(b"dev")
        .then_some(true)
}

/// `1.x-dev`: the newest of a line of development.
fn branch_of_numbers(text: &[u8]) -> Option<Normal<'_>> {
    let name = without_end(text, b"dev")?;
    let name = match name {
        [name @ .., b'.' | b'-'] | name => name,
    };
    let name = without_one(trim(name), b"vV");
    let mut four = [FREE; 4];
    let mut parts = name.split(|byte| *byte == b'.');
    for (place, number) in four.iter_mut().enumerate() {
        let part = match parts.next() {
            None if place > 0 => break,
            None => return None,
            Some(part) => part,
        };
        match part {
            b"x" | b"X" | b"*" if place > 0 => {}
            digits if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                *number = digits;
            }
            _ => return None,
        }
    }
    parts.next().is_none().then_some(Normal::Version {
        start: Start::Four(four),
        word: None,
        numbers: &[],
        dev: true,
    })
}

/// `1.0 as 2.0` is `1.0`.
fn without_alias(text: &[u8]) -> &[u8] {
    let is_plain = |byte: u8| byte != b',' && !is_space(byte);
    let is_blank = |byte: u8| byte == b' ';
    let (name, rest) = take_while(text, is_plain);
    let (before, rest) = take_while(rest, is_blank);
    let Some(rest) = rest.strip_prefix(b"as") else {
        return text;
    };
    let (after, alias) = take_while(rest, is_blank);
    let (alias, rest) = take_while(alias, is_plain);
    let is_whole = rest.is_empty() && ![name, before, after, alias].iter().any(|it| it.is_empty());
    if is_whole { name } else { text }
}

/// `1.0@beta` is `1.0`.
fn without_flag(text: &[u8]) -> &[u8] {
    FLAGS
        .iter()
        .find_map(|flag| without_end(text, flag)?.strip_suffix(b"@"))
        .unwrap_or(text)
}

/// `1.0+build` is `1.0`.
fn without_metadata(text: &[u8]) -> &[u8] {
    let (plain, rest) = take_while(text, |byte| !matches!(byte, b',' | b'+') && !is_space(byte));
    match rest {
        [b'+', metadata @ ..]
            if !plain.is_empty()
                && !metadata.is_empty()
                && !metadata.iter().any(|byte| is_space(*byte)) =>
        {
            plain
        }
        _ => text,
    }
}

/// `text` without the first byte if it is one of `separators`.
fn without_one<'a>(text: &'a [u8], separators: &[u8]) -> &'a [u8] {
    match text {
        [first, rest @ ..] if separators.contains(first) => rest,
        _ => text,
    }
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// What stands before `word`, in any case, at the end.
fn without_end<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (before, end) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    end.eq_ignore_ascii_case(word).then_some(before)
}

/// What PHP's `trim` leaves.
fn trim(text: &[u8]) -> &[u8] {
    let is_trimmed = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x0b);
    let (_, text) = take_while(text, is_trimmed);
    let end = text
        .iter()
        .rposition(|byte| !is_trimmed(*byte))
        .map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// What `\s` matches in PHP's regular expressions.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::is_branch;
    use crate::Scheme::Composer;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn stabilities_stand_around_the_release() {
        ordered(
            Composer,
            "dev-main < 1.0-dev = 1.0.0.0-dev < 1.0-alpha-dev < 1.0-alpha = 1.0a = v1.0.0-A < 1.0-alpha1 < 1.0-alpha.2 \
             < 1.0-beta = 1.0b < 1.0-RC1 = 1.0rc1 = 1.0_RC.1 < 1.0-rc10 < 1.0 = 1 = v1.0.0 = 1.0-stable = 1.0+build = 1.0. \
             < 1.0-patch1 = 1.0-pl1 = 1.0p1 < 1.0-p2 < 1.0.0.1 < 1.0.1 < 1.1",
        );
    }

    #[test]
    fn only_stable_in_small_letters_says_nothing() {
        same(Composer, "1.0-stable2-dev", "1.0");
        ordered(Composer, "1.0-STABLE < 1.0-Stable1 < 1.0-dev < 1.0");
    }

    #[test]
    fn a_line_of_development_is_newer_than_what_it_has_released() {
        ordered(
            Composer,
            "1.9.9 < 1.10.x-dev < 1.x-dev = 1.x.x-dev = v1.*-dev = 1.X.9999999-dev < 1.9999999.9999999.9999999 < 2.0-alpha < 2.0.x-dev",
        );
    }

    #[test]
    fn dates_are_versions() {
        ordered(
            Composer,
            "2010.01 < 2010.01.02 < 2010-01-02-10-20-30 < 20100102 < 20100102.0 < 20100102-203040 < 20100102203040-p1 < 20100102203041",
        );
        same(Composer, "2010-01-02.5", "2010:01:02-5");
    }

    #[test]
    fn what_users_write_around_a_version_is_left_out() {
        same(Composer, " 1.0@dev ", "1.0");
        same(Composer, "1.0 as 2.0", "1.0");
        same(Composer, "1.0 as 2.0@RC", "1.0");
        same(Composer, "1.0-beta1+exp.sha.5114f85", "1.0-b1");
    }

    #[test]
    fn branches_are_one_and_say_so() {
        ordered(
            Composer,
            "dev-main = DEV-other = master = trunk = default = dev- < 0-dev < 0",
        );
        for (text, expected) in [
            ("dev-main", true),
            ("master", true),
            ("1.x-dev", false),
            ("1.0", false),
        ] {
            assert_eq!(is_branch(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_what_php_counts_are_one() {
        ordered(
            Composer,
            "1.9223372036854775806 < 1.9223372036854775807 = 1.9223372036854775808 = 1.99999999999999999999",
        );
    }

    #[test]
    fn what_composer_refuses_is_refused() {
        refused(
            Composer,
            &[
                "",
                " ",
                "v",
                "a",
                "1.0-eta",
                "1.0-rc1-stable",
                "1.0.0.0.1",
                "1..0",
                "100000000000000000000",
                "1.0-beta-",
                "1.0--beta",
                "1.0 0",
                "1.0-foo-dev",
                "feature-dev",
                "x-dev",
                "1.x",
                "1.0.0+",
                "^1.0",
                "1.0,2.0",
                "2010-1-2",
                "1.0\n2.0",
                "é",
                "1.0_dev2",
            ],
        );
    }
}
