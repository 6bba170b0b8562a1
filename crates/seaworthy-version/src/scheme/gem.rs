//! Ruby gems: `1.2.3.rc1`, as `Gem::Version` orders them.
//!
//! Ruby reads every run of digits and every run of letters as one segment, and a
//! hyphen as the segment `pre`. A word is older than a number, and where one
//! version has ended the other is compared with zeros; so `1.a` is before `1`,
//! and `1.0` is `1`. Zeros at the end vanish, and so do those before the first
//! word: `1.0.a` is `1.a`.
//!
//! Ruby takes an empty text for `0`. A gem without a version has none for us.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while, without_leading_zeros};

#[derive(Clone, Copy)]
enum Segment<'a> {
    Word(&'a [u8]),
    Number(&'a [u8]),
}

/// What a version that has ended is compared as.
const NOTHING: Segment<'_> = Segment::Number(b"0");

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let mut left = Segments::of(read(a).ok()?);
    let mut right = Segments::of(read(b).ok()?);
    loop {
        let (a, b) = match (left.next(), right.next()) {
            (None, None) => return Some(Ordering::Equal),
            (a, b) => (a.unwrap_or(NOTHING), b.unwrap_or(NOTHING)),
        };
        let order = a.compare(b);
        if order.is_ne() {
            return Some(order);
        }
    }
}

/// The version without the white space around it.
fn read(text: &str) -> Result<&[u8], &'static str> {
    let text = text.trim_matches(is_space).as_bytes();
    let (plain, labels) = match text.iter().position(|byte| *byte == b'-') {
        Some(hyphen) => {
            let (plain, labels) = text.split_at(hyphen);
            (plain, labels.split_first().map(|(_, labels)| labels))
        }
        None => (text, None),
    };
    let mut parts = plain.split(|byte| *byte == b'.');
    let first = parts.next().unwrap_or_default();
    if first.is_empty() || !first.iter().all(u8::is_ascii_digit) {
        return Err("it does not start with a number");
    }
    let is_part = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric);
    if !parts.all(is_part) {
        return Err("a part between its dots is not letters and digits");
    }
    let is_label = |label: &[u8]| {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        !label.is_empty() && label.iter().all(allowed)
    };
    if !labels.is_none_or(|labels| labels.split(|byte| *byte == b'.').all(is_label)) {
        return Err("a part after its hyphen is not letters, digits and hyphens");
    }
    Ok(text)
}

/// What Ruby's `\s` matches.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

impl Segment<'_> {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Word(a), Self::Word(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => compare_numbers(a, b),
            (Self::Word(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Word(_)) => Ordering::Greater,
        }
    }

    fn is_zero(self) -> bool {
        matches!(self, Self::Number(digits) if without_leading_zeros(digits).is_empty())
    }
}

/// The segments as they are written.
#[derive(Clone)]
struct Written<'a>(&'a [u8]);

impl<'a> Iterator for Written<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = take_while(self.0, |byte| byte == b'.');
        let (segment, rest) = match rest {
            [] => return None,
            [b'-', rest @ ..] => (Segment::Word(b"pre"), rest),
            [b'0'..=b'9', ..] => {
                let (digits, rest) = take_digits(rest);
                (Segment::Number(digits), rest)
            }
            _ => {
                let (word, rest) = take_while(rest, |byte| byte.is_ascii_alphabetic());
                (Segment::Word(word), rest)
            }
        };
        self.0 = rest;
        Some(segment)
    }
}

/// The segments that count.
struct Segments<'a> {
    written: Written<'a>,
    /// How many come before the first word, without the zeros at their end.
    before_word: usize,
    /// How many zeros stand between those and the first word.
    idle: usize,
    /// How many follow from the first word on, without the zeros at their end.
    from_word: usize,
}

impl<'a> Segments<'a> {
    fn of(text: &'a [u8]) -> Self {
        let written = Written(text);
        let is_number = |segment: &Segment<'_>| matches!(segment, Segment::Number(_));
        let meaningful = |segments: &mut dyn Iterator<Item = Segment<'a>>| {
            let (mut count, mut last) = (0, 0);
            for segment in segments {
                count += 1;
                if !segment.is_zero() {
                    last = count;
                }
            }
            (count, last)
        };
        let (numbers, before_word) = meaningful(&mut written.clone().take_while(is_number));
        let (_, from_word) = meaningful(&mut written.clone().skip(numbers));
        Self {
            written,
            before_word,
            idle: numbers - before_word,
            from_word,
        }
    }

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.before_word > 0 {
            self.before_word -= 1;
            return self.written.next();
        }
        if self.from_word == 0 {
            return None;
        }
        self.from_word -= 1;
        self.written.nth(std::mem::take(&mut self.idle))
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Gem;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn a_word_makes_a_version_older() {
        ordered(
            Gem,
            "1.a < 1.b < 1.rc < 1.rc1 = 1.rc.1 < 1.rc.2 < 1.rc.10 < 1 = 1.0 = 1.0.0 < 1.0.1",
        );
    }

    #[test]
    fn letters_and_digits_are_segments_of_their_own() {
        ordered(Gem, "1.A < 1.a < 1.a1 = 1.a.1 < 1.a2 < 1.a10 < 1.ab");
        ordered(
            Gem,
            "4.0.0.beta1 < 4.0.0.beta2 < 4.0.0.rc1 < 4.0.0 < 4.0.1.rc1 < 4.0.1",
        );
    }

    #[test]
    fn zeros_vanish_before_a_word_and_at_the_end() {
        ordered(
            Gem,
            "1.a = 1.0.a = 1.0.0.a.0.0 < 1.a.0.1 < 1.a.1 < 1.0.1.a < 1.1.a",
        );
    }

    #[test]
    fn a_hyphen_is_the_word_pre() {
        ordered(
            Gem,
            "1.0-x86 = 1.0.pre.x.86 < 1.0-1 = 1.pre.1 < 1.0.rc1 < 1.0 < 1.1-a-b = 1.1.pre.a.pre.b < 1.1",
        );
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(
            Gem,
            "1.18446744073709551615 < 1.18446744073709551616 < 2 = 02",
        );
    }

    #[test]
    fn white_space_around_is_forgiven() {
        same(Gem, "\n 1.2.3\t", "1.2.3");
    }

    #[test]
    fn what_rubygems_refuses_is_refused() {
        refused(
            Gem,
            &[
                "", " ", ".", "a", "a.1", "v1", "-1", "1.", "1..2", ".1", "1a", "1-", "1-.",
                "1-a.", "1-a..b", "1_0", "1.0+b", "1.é", "1 2", "1.2 .3", "1\u{a0}", "1.a_b",
            ],
        );
    }
}
