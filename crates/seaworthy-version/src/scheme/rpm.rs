//! RPM: `[epoch:]version[-release]`, after rpm's `rpmvercmp` with `~` and `^`.
//!
//! A release that one of the two lacks does not count, as where rpm compares what a
//! package is with what another one requires: `1.0` is both `1.0-1` and `1.0-2`,
//! which are not the same. The order is only transitive among versions that all
//! have a release, or none.

use std::cmp::Ordering;

use crate::text::{compare_numbers, split_release, take_digits, take_while};

/// A version in its three parts.
struct Parts<'a> {
    /// What stands before the first colon, compared as a version is. Where none is
    /// written it is zero.
    epoch: &'a [u8],
    version: &'a [u8],
    release: Option<&'a [u8]>,
}

/// What stands at the front of a version, in the order rpm gives the kinds: a
/// tilde comes before the end, a caret after it, and a number is newer than a word.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Kind {
    Tilde,
    End,
    Caret,
    Word,
    Number,
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let order = order(a.epoch, b.epoch)
        .then_with(|| order(a.version, b.version))
        .then_with(|| match (a.release, b.release) {
            (Some(a), Some(b)) => order(a, b),
            _ => Ordering::Equal,
        });
    Some(order)
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let text = text.as_bytes();
    if text.contains(&0) {
        return Err("it has a zero byte");
    }
    let (epoch, rest) = match take_while(text, |byte| byte != b':') {
        ([], [b':', rest @ ..]) => (&b"0"[..], rest),
        (epoch, [b':', rest @ ..]) => (epoch, rest),
        (rest, _) => (&b"0"[..], rest),
    };
    let (version, release) = split_release(rest);
    // rpm would take the rest of such a label, but its `labelCompare` refuses it.
    if version.is_empty() {
        return Err("its version part is empty");
    }
    Ok(Parts {
        epoch,
        version,
        release,
    })
}

/// Orders two versions or two releases, piece by piece.
fn order(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (left_kind, left, after_left) = piece(a);
        let (right_kind, right, after_right) = piece(b);
        let order = left_kind.cmp(&right_kind).then_with(|| match left_kind {
            Kind::Number => compare_numbers(left, right),
            Kind::Word => left.cmp(right),
            Kind::Tilde | Kind::End | Kind::Caret => Ordering::Equal,
        });
        if order.is_ne() || left_kind == Kind::End {
            return order;
        }
        (a, b) = (after_left, after_right);
    }
}

/// The next piece, its text, and what follows. Anything that is neither letter,
/// digit, tilde nor caret only separates.
fn piece(bytes: &[u8]) -> (Kind, &[u8], &[u8]) {
    let separates = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^';
    let (_, bytes) = take_while(bytes, separates);
    match bytes {
        [] => (Kind::End, bytes, bytes),
        [b'~', rest @ ..] => (Kind::Tilde, &[], rest),
        [b'^', rest @ ..] => (Kind::Caret, &[], rest),
        [b'0'..=b'9', ..] => {
            let (number, rest) = take_digits(bytes);
            (Kind::Number, number, rest)
        }
        _ => {
            let (word, rest) = take_while(bytes, |byte| byte.is_ascii_alphabetic());
            (Kind::Word, word, rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Rpm;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn tilde_end_caret_word_number_is_the_order_of_what_follows() {
        ordered(
            Rpm,
            "1~~ < 1~ < 1~rc1 < 1 < 1^~ < 1^ < 1^git1 < 1^20240101 < 1a < 1.1",
        );
        ordered(
            Rpm,
            "1.0~rc1^git1 < 1.0~rc1.1 < 1.0 < 1.0^20220101~2 < 1.0^20220101 < 1.0.1",
        );
    }

    #[test]
    fn separators_only_separate() {
        ordered(
            Rpm,
            "1.0 = 1_0 = 1..0 = 1.0. = .1.0 = 1é0 = 1+0 < 1.0a = 1.0.a < 1.0b < 1.0.1",
        );
        ordered(Rpm, "5.5p1 < 5.5p2 < 5.5p10 < 5.6p1 < 10");
    }

    #[test]
    fn numbers_are_newer_than_words_and_of_any_size() {
        ordered(
            Rpm,
            "1.A < 1.a < 1.01 = 1.1 < 1.99999999999999999999 < 1.100000000000000000000",
        );
    }

    #[test]
    fn epoch_then_version_then_release_decide() {
        ordered(
            Rpm,
            "2-1.el9 = 0:2-1.el9 = :2-1.el9 = 00:2-01.el9 < 2-1.el9_2 < 2-2.el9 < 1:1-1",
        );
    }

    #[test]
    fn a_missing_release_stands_for_any() {
        for release in ["1.0-1", "1.0-2", "1.0-", "0:1.0-~"] {
            same(Rpm, "1.0", release);
        }
        ordered(Rpm, "1.0~ < 1.0 < 1.0.0-1");
        ordered(Rpm, "1.0- < 1.0-a < 1.0-0 < 1.0-1");
    }

    #[test]
    fn whatever_stands_before_a_colon_is_the_epoch() {
        ordered(
            Rpm,
            "a:1-1 < 1-1 < 0a:1-1 < 1:1-1 = +1:1-1 < 1a:1-1 < 2:1-1",
        );
    }

    #[test]
    fn a_label_without_a_version_is_refused() {
        refused(Rpm, &["", ":", "1:", "-", "-1", "1:-1", "1\u{0}"]);
    }
}
