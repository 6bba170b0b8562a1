//! Debian: `[epoch:]upstream[-revision]`, after `deb-version(7)` and dpkg's own reading of it.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while, without_leading_zeros};

/// A version in its three parts.
struct Parts<'a> {
    /// Digits only; empty when no epoch is written.
    epoch: &'a [u8],
    upstream: &'a [u8],
    /// Empty when no revision is written, which dpkg orders like `0`.
    revision: &'a [u8],
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    Some(
        compare_numbers(a.epoch, b.epoch)
            .then_with(|| order(a.upstream, b.upstream))
            .then_with(|| order(a.revision, b.revision)),
    )
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let bytes = trimmed(text.as_bytes());
    if bytes.is_empty() {
        return Err("it is empty");
    }
    let (epoch, rest) = match bytes.iter().position(|byte| *byte == b':') {
        Some(colon) => (read_epoch(before(bytes, colon))?, after(bytes, colon)),
        None => (&[][..], bytes),
    };
    // One pass finds the hyphen before the revision and whatever cannot be here.
    let (mut hyphen, mut late_colon) = (None, false);
    for (place, byte) in rest.iter().enumerate() {
        match byte {
            b'-' => (hyphen, late_colon) = (Some(place), false),
            b':' => late_colon = true,
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'~' => {}
            _ => return Err("it has a character other than letters, digits and `.-+~:`"),
        }
    }
    let (upstream, revision) = match hyphen {
        Some(hyphen) => (before(rest, hyphen), after(rest, hyphen)),
        None => (rest, &[][..]),
    };
    if hyphen.is_some() && revision.is_empty() {
        return Err("nothing follows the hyphen before the revision");
    }
    if hyphen.is_some() && late_colon {
        return Err("its revision has a colon");
    }
    match upstream.first() {
        Some(b'0'..=b'9') => Ok(Parts {
            epoch,
            upstream,
            revision,
        }),
        Some(_) => Err("its upstream part does not start with a digit"),
        None => Err("its upstream part is empty"),
    }
}

fn before(bytes: &[u8], place: usize) -> &[u8] {
    bytes.get(..place).unwrap_or_default()
}

fn after(bytes: &[u8], place: usize) -> &[u8] {
    bytes.get(place + 1..).unwrap_or_default()
}

/// The digits of an epoch. dpkg reads it with `strtol` into an `int`, so a sign
/// is allowed, but a negative or larger number is not.
fn read_epoch(written: &[u8]) -> Result<&[u8], &'static str> {
    let (sign, digits) = match written {
        [sign @ (b'+' | b'-'), digits @ ..] => (*sign, digits),
        digits => (b'+', digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("its epoch is not a number");
    }
    let value = without_leading_zeros(digits);
    if sign == b'-' && !value.is_empty() {
        return Err("its epoch is negative");
    }
    if compare_numbers(value, b"2147483647").is_gt() {
        return Err("its epoch is larger than 2147483647");
    }
    Ok(value)
}

/// dpkg forgives blanks before and any white space after a version.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let mut bytes = take_while(bytes, |byte| matches!(byte, b' ' | b'\t')).1;
    while let [rest @ .., last] = bytes {
        if !is_space(*last) {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// White space in the C locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Orders two upstream parts or two revisions: text and numbers in turns, where
/// in text `~` comes before the end, and letters before everything else.
fn order(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        loop {
            let (left, right) = (weight(a), weight(b));
            if left != right {
                return left.cmp(&right);
            }
            if left == 0 {
                break;
            }
            // Equal and not zero: both start with the same character of text.
            (a, b) = (rest(a), rest(b));
        }
        let (left, after_left) = take_digits(a);
        let (right, after_right) = take_digits(b);
        let numbers = compare_numbers(left, right);
        if numbers.is_ne() {
            return numbers;
        }
        (a, b) = (after_left, after_right);
    }
    Ordering::Equal
}

/// The place of the first character in the order of text; a digit ends the text
/// just as the end does.
fn weight(bytes: &[u8]) -> i16 {
    match bytes.first() {
        None | Some(b'0'..=b'9') => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i16::from(*letter),
        Some(other) => i16::from(*other) + 256,
    }
}

fn rest(bytes: &[u8]) -> &[u8] {
    bytes.split_first().map_or(bytes, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Dpkg;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn a_tilde_is_before_the_end_and_letters_before_signs() {
        ordered(
            Dpkg,
            "1.0~~ < 1.0~~a < 1.0~ < 1.0~rc1 < 1.0 < 1.0a < 1.0aa < 1.0b < 1.0+ < 1.0+a < 1.0.",
        );
        ordered(Dpkg, "1A < 1Z < 1a < 1z < 1+ < 1.");
    }

    #[test]
    fn numbers_are_numbers_wherever_they_stand() {
        ordered(
            Dpkg,
            "1.2 = 1.02 < 1.9 < 1.10 < 1.99999999999999999999 < 1.100000000000000000000",
        );
        ordered(Dpkg, "1a = 1a0 < 1a1");
    }

    #[test]
    fn epoch_then_upstream_then_revision_decide() {
        ordered(
            Dpkg,
            "9 = 0:9 = 00:9-0 < 9-1~bpo12+1 < 9-1 < 9-1+deb12u1 < 1:1 < 1:1-1-1 < 2:0",
        );
        ordered(Dpkg, "1-1 < 1-1-1 < 1:0:1 < 1:1");
    }

    #[test]
    fn debian_names_of_rebuilds_and_security_updates_are_in_order() {
        ordered(
            Dpkg,
            "3.0.2-0ubuntu1 < 3.0.2-0ubuntu1.10 < 3.0.2-1 < 3.0.11-1~deb12u2 < 3.0.11-1",
        );
        ordered(
            Dpkg,
            "2.36-9 < 2.36-9+b1 < 2.36-9+deb12u1 < 2.36-9+deb12u10",
        );
    }

    #[test]
    fn what_dpkg_refuses_or_warns_about_is_refused() {
        refused(
            Dpkg,
            &[
                "",
                " ",
                ":",
                ":1",
                "a:1",
                "1:",
                "1:-1",
                "-1:1",
                "2147483648:1",
                "99999999999999999999:1",
                "1-",
                "-1",
                "a",
                "a1",
                "1 2",
                "1_2",
                "1-1_2",
                "1-1:2x ",
                "1é",
                "1^2",
                "1\u{0}",
                "1\n2",
                "1/2",
                "1-é",
            ],
        );
    }

    #[test]
    fn dpkg_forgives_blanks_around_and_a_sign_before_the_epoch() {
        same(Dpkg, " 1.0 ", "1.0");
        same(Dpkg, "+1:1", "1:1");
        same(Dpkg, "-0:1", "1");
        same(Dpkg, "2147483647:1", "02147483647:1");
    }
}
