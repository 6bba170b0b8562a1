//! Arch Linux: `[epoch:]version[-release]`, as libalpm's `alpm_pkg_vercmp` orders
//! them.
//!
//! libalpm compares as rpm once did, without tilde and caret: separators count by
//! their number, and a word that remains is older than nothing. A release that one
//! of the two lacks does not count, so `1.0` is both `1.0-1` and `1.0-2`, which are
//! not the same: the order is only transitive among versions that all have a
//! release, or none.

use std::cmp::Ordering;

use crate::text::{compare_numbers, split_release, take_digits, take_while};

/// A version in its three parts.
struct Parts<'a> {
    /// Digits only; empty when no epoch is written, which counts as zero.
    epoch: &'a [u8],
    version: &'a [u8],
    release: Option<&'a [u8]>,
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let order = compare_numbers(a.epoch, b.epoch)
        .then_with(|| order(a.version, b.version))
        .then_with(|| match (a.release, b.release) {
            (Some(a), Some(b)) => order(a, b),
            _ => Ordering::Equal,
        });
    Some(order)
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let text = text.as_bytes();
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.contains(&0) {
        return Err("it has a zero byte");
    }
    let (digits, after) = take_digits(text);
    let (epoch, rest) = match after {
        [b':', rest @ ..] => (digits, rest),
        _ => (&[][..], text),
    };
    let (version, release) = split_release(rest);
    Ok(Parts {
        epoch,
        version,
        release,
    })
}

/// Orders two versions or two releases, run by run.
fn order(mut a: &[u8], mut b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let separates = |byte: u8| !byte.is_ascii_alphanumeric();
    while !a.is_empty() && !b.is_empty() {
        let (between_a, run_a) = take_while(a, separates);
        let (between_b, run_b) = take_while(b, separates);
        (a, b) = (run_a, run_b);
        if a.is_empty() || b.is_empty() {
            break;
        }
        let is_number = a.first().is_some_and(u8::is_ascii_digit);
        let in_run = |byte: u8| {
            if is_number {
                byte.is_ascii_digit()
            } else {
                byte.is_ascii_alphabetic()
            }
        };
        let (left, after_left) = take_while(a, in_run);
        let (right, after_right) = take_while(b, in_run);
        let order = between_a.len().cmp(&between_b.len()).then_with(|| {
            match (is_number, right.is_empty()) {
                // A number is newer than a word.
                (true, true) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (true, false) => compare_numbers(left, right),
                (false, false) => left.cmp(right),
            }
        });
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_left, after_right);
    }
    let is_word = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_alphabetic);
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) if !is_word(b) => Ordering::Less,
        _ if is_word(a) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Alpm;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn a_word_at_the_end_is_older_than_nothing() {
        ordered(
            Alpm,
            "1.0a < 1.0alpha < 1.0b < 1.0beta < 1.0p < 1.0pre < 1.0rc < 1.0 < 1.0.a < 1.0.1",
        );
    }

    #[test]
    fn separators_count_by_their_number_only() {
        ordered(Alpm, "1.0 = 1_0 = 1+0 < 1..0 = 1__0 < 1...0");
    }

    #[test]
    fn epoch_then_version_then_release_decide() {
        ordered(
            Alpm,
            "1.0-1 = 0:1.0-1 = 00:1.0-1 < 1.0-1.1 < 1.0-2 < 1.0.1-1 < 1:0.1-1",
        );
    }

    #[test]
    fn a_missing_release_stands_for_any() {
        for release in ["1.0-1", "1.0-2", "1.0-", "0:1.0-99"] {
            same(Alpm, "1.0", release);
        }
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(
            Alpm,
            "1.9 < 1.18446744073709551615 < 1.18446744073709551616 = 1.018446744073709551616",
        );
    }

    #[test]
    fn only_nothing_is_refused() {
        refused(Alpm, &["", "1\u{0}"]);
        for odd in [":", "-", "1:", "~", "é", "a"] {
            assert!(Alpm.check(odd).is_ok(), "{odd:?}");
        }
    }
}
