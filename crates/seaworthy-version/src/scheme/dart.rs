//! Dart and Flutter packages: Semantic Versioning, as `pub_semver` reads and
//! orders it.
//!
//! Two things differ from the specification. Leading zeros are allowed. And build
//! metadata counts: it is newer than none, and is compared as a pre-release is.
//!
//! Dart reads an identifier as a number wherever its `int.tryParse` does, which
//! takes a sign and the hexadecimal spelling: `-1` and `0x1f` are numbers, and
//! what does not fit into 64 bits is a word.

use std::cmp::Ordering;

use super::identifier::check_build;
use crate::text::{compare_numbers, take_digits, take_while};

/// The largest integer of Dart.
const LARGEST: &[u8] = b"9223372036854775807";

struct Parts<'a> {
    /// Major, minor and patch.
    numbers: [&'a [u8]; 3],
    before_release: Option<&'a [u8]>,
    build: Option<&'a [u8]>,
}

/// One identifier, oldest kind first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(i64),
    Word(&'a [u8]),
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
    // No pre-release is newer than any, no build is older than any.
    let by_pre_release = || match (a.before_release, b.before_release) {
        (Some(a), Some(b)) => identifiers(a).cmp(identifiers(b)),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    let by_build = || match (a.build, b.build) {
        (Some(a), Some(b)) => identifiers(a).cmp(identifiers(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    Some(order.then_with(by_pre_release).then_with(by_build))
}

fn identifiers(list: &[u8]) -> impl Iterator<Item = Identifier<'_>> {
    list.split(|byte| *byte == b'.').map(|identifier| {
        integer(identifier).map_or(Identifier::Word(identifier), Identifier::Number)
    })
}

/// The integer that Dart reads.
fn integer(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if let [b'0', b'x' | b'X', hexadecimal @ ..] = digits {
        // All 64 bits may be written, the one of the sign included.
        let bits = value(hexadecimal, 16)?.cast_signed();
        return Some(if is_negative {
            bits.wrapping_neg()
        } else {
            bits
        });
    }
    let value = value(digits, 10)?;
    if is_negative {
        0_i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    }
}

fn value(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let mut rest = text.as_bytes();
    let mut numbers: [&[u8]; 3] = [b""; 3];
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 {
            let [b'.', after @ ..] = rest else {
                return Err("it is not three numbers with dots between");
            };
            rest = after;
        }
        let (digits, after) = take_digits(rest);
        if digits.is_empty() {
            return Err("major, minor and patch must be numbers");
        }
        if compare_numbers(digits, LARGEST).is_gt() {
            return Err("one of its numbers is larger than 9223372036854775807");
        }
        (*number, rest) = (digits, after);
    }
    let mut parts = Parts {
        numbers,
        before_release: None,
        build: None,
    };
    if let [b'-', list @ ..] = rest {
        let (list, after) = take_while(list, |byte| byte != b'+');
        check_build(list)?;
        (parts.before_release, rest) = (Some(list), after);
    }
    if let [b'+', list @ ..] = rest {
        check_build(list)?;
        (parts.build, rest) = (Some(list), &[]);
    }
    if !rest.is_empty() {
        return Err("something follows the patch number");
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Pub;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn build_metadata_is_ordered() {
        ordered(
            Pub,
            "1.0.0-a < 1.0.0-a+1 < 1.0.0 < 1.0.0+1 < 1.0.0+2 < 1.0.0+10 < 1.0.0+10.1 < 1.0.0+a < 1.0.0+a1 < 1.0.0+b < 1.0.1",
        );
    }

    #[test]
    fn the_order_of_the_specification_holds_before_a_release() {
        ordered(
            Pub,
            "1.0.0-1 < 1.0.0-10 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0",
        );
    }

    #[test]
    fn leading_zeros_say_nothing() {
        ordered(Pub, "01.02.03-01.dev+pre.02 = 1.2.3-1.dev+pre.2 < 1.2.3");
    }

    #[test]
    fn numbers_are_what_dart_reads_as_one() {
        ordered(
            Pub,
            "1.0.0--2 < 1.0.0--1 < 1.0.0-0 = 1.0.0--0 < 1.0.0-0x1f = 1.0.0-31 < 1.0.0-9223372036854775807 \
             < 1.0.0-- < 1.0.0---1 < 1.0.0-0x < 1.0.0-0xg < 1.0.0-9223372036854775808",
        );
        ordered(Pub, "1.0.0-0xffffffffffffffff = 1.0.0--1 < 1.0.0-1");
    }

    #[test]
    fn what_pub_refuses_is_refused() {
        refused(
            Pub,
            &[
                "",
                "1",
                "1.2",
                "v1.2.3",
                "1.2.3.4",
                "1.2.3-",
                "1.2.3+",
                "1.2.3-a..b",
                "1.2.3-a_b",
                " 1.2.3",
                "1.2.3 ",
                "9223372036854775808.0.0",
                "1.2.3+a+b",
                "1.2.3-é",
            ],
        );
    }
}
