//! NuGet: one to four numbers and a pre-release, as `NuGet.Versioning` 6 reads
//! `NuGetVersion` and `VersionComparer.Default` orders it.
//!
//! Missing numbers are zero, the case of letters does not count, and neither does
//! build metadata. Numbers are of 32 bits: larger ones are refused before the
//! hyphen, and are words after it.

use std::cmp::Ordering;

use super::identifier::{check_before_release, check_build};
use crate::text::{compare_numbers, take_digits, take_while};

/// The largest number .NET holds in an `int`.
const LARGEST: &[u8] = b"2147483647";

struct Parts<'a> {
    /// Major, minor, patch and revision; empty where not written.
    numbers: [&'a [u8]; 4],
    before_release: Option<&'a [u8]>,
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let numbers = a.numbers.iter().zip(b.numbers);
    let order = numbers
        .map(|(a, b)| compare_numbers(a, b))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal);
    Some(
        order.then_with(|| match (a.before_release, b.before_release) {
            (Some(a), Some(b)) => compare_labels(a, b),
            // A release is newer than what came before it.
            (a, b) => a.is_none().cmp(&b.is_none()),
        }),
    )
}

fn compare_labels(a: &[u8], b: &[u8]) -> Ordering {
    let mut left = a.split(|byte| *byte == b'.');
    let mut right = b.split(|byte| *byte == b'.');
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (integer(a), integer(b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => compare_words(a, b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The number that .NET reads from a label; it takes a sign.
fn integer(label: &[u8]) -> Option<i32> {
    std::str::from_utf8(label).ok()?.parse().ok()
}

/// Orders two words as .NET does without regard to case: by capital letters.
fn compare_words(a: &[u8], b: &[u8]) -> Ordering {
    a.iter()
        .map(u8::to_ascii_uppercase)
        .cmp(b.iter().map(u8::to_ascii_uppercase))
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let text = text.trim();
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (mut numbers_left, rest) = text.split_at(end);
    let mut numbers: [&[u8]; 4] = [b""; 4];
    let mut is_open = true;
    for number in &mut numbers {
        if !is_open {
            break;
        }
        // White space may stand around every number.
        let (digits, after) = take_digits(numbers_left.trim_start().as_bytes());
        if digits.is_empty() {
            return Err("it does not start with one to four numbers with dots between");
        }
        if compare_numbers(digits, LARGEST).is_gt() {
            return Err("one of its numbers is larger than 2147483647");
        }
        *number = digits;
        let start = numbers_left.len() - after.len();
        let after = numbers_left.split_at(start).1.trim_start();
        is_open = !after.is_empty();
        numbers_left = match after.strip_prefix('.') {
            Some(after) => after,
            None if !is_open => after,
            None => return Err("something other than a dot follows one of its numbers"),
        };
    }
    if is_open {
        return Err("it has more than four numbers");
    }
    let mut rest = rest.as_bytes();
    let mut before_release = None;
    if let [b'-', labels @ ..] = rest {
        let (labels, after) = take_while(labels, |byte| byte != b'+');
        check_before_release(labels)?;
        (before_release, rest) = (Some(labels), after);
    }
    if let [b'+', build @ ..] = rest {
        check_build(build)?;
    }
    Ok(Parts {
        numbers,
        before_release,
    })
}

#[cfg(test)]
mod tests {
    use crate::Scheme::NuGet;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn missing_numbers_are_zero() {
        ordered(
            NuGet,
            "0.9.9.9 < 1 = 1.0 = 1.0.0 = 1.0.0.0 = 01.00 < 1.0.0.1 < 1.0.1 = 1.0.01 < 1.0.1.1 < 1.1 < 1.10",
        );
    }

    #[test]
    fn case_and_build_metadata_do_not_count() {
        ordered(
            NuGet,
            "1.0.0-BETA = 1.0.0-beta+AA < 1.0.0-Beta.X.1 = 1.0-bETA.x.1 < 1.0.0-beta1 < 1.0.0-RC < 1.0.0 = 1.0+b",
        );
    }

    #[test]
    fn a_pre_release_of_a_revision_is_newer_than_the_version_before() {
        ordered(
            NuGet,
            "1.0.0-alpha < 1.0.0 < 1.0.0.1-alpha < 1.0.0.1-pre < 1.0.0.1",
        );
    }

    #[test]
    fn labels_are_numbers_as_far_as_32_bits_go() {
        ordered(
            NuGet,
            "1.0.0--1 = 1.0.0--01 < 1.0.0-0 = 1.0.0--0 < 1.0.0-2 < 1.0.0-10 < 1.0.0-2147483647 < 1.0.0-- < 1.0.0-10000000000 \
             < 1.0.0-2147483648 < 1.0.0-a < 1.0.0-a.1 < 1.0.0-a.b",
        );
    }

    #[test]
    fn white_space_around_numbers_is_forgiven() {
        same(NuGet, " 1 . 2\t. 3 -rc ", "1.2.3-rc");
    }

    #[test]
    fn what_nuget_refuses_is_refused() {
        refused(
            NuGet,
            &[
                "",
                " ",
                "v1",
                "a",
                ".1",
                "1.",
                "1..2",
                "1.2.3.4.5",
                "1.2.3.4.",
                "1.a",
                "1 2",
                "-1",
                "1.-2",
                "1.0-",
                "1.0+",
                "1.0-a+",
                "1.0-+b",
                "1.0-a..b",
                "1.0-01",
                "1.0-a_b",
                "1.0+a+b",
                "1.0- a",
                "2147483648",
                "1.0-é",
                "1é",
            ],
        );
    }
}
