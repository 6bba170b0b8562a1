//! RPM: `[epoch:]version[-release]`, after rpm's `rpmvercmp` with `~` and `^`.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while};

/// A version in its three parts.
struct Parts<'a> {
    /// Digits only; empty when no epoch is written, which counts as zero.
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
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.contains('\0') {
        return Err("it has a zero byte");
    }
    Ok(())
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    check(a).ok()?;
    check(b).ok()?;
    let (a, b) = (read(a.as_bytes()), read(b.as_bytes()));
    let order = compare_numbers(a.epoch, b.epoch)
        .then_with(|| order(a.version, b.version))
        .then_with(|| match (a.release, b.release) {
            (Some(a), Some(b)) => order(a, b),
            // `Some` after `None`: a missing release is older than any.
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
    Some(order)
}

fn read(text: &[u8]) -> Parts<'_> {
    let (digits, after) = take_digits(text);
    let (epoch, rest) = match after {
        [b':', rest @ ..] => (digits, rest),
        _ => (&[][..], text),
    };
    match rest.iter().rposition(|byte| *byte == b'-') {
        Some(hyphen) => {
            let (version, release) = rest.split_at(hyphen);
            Parts {
                epoch,
                version,
                release: Some(release.split_first().map_or(release, |it| it.1)),
            }
        }
        None => Parts {
            epoch,
            version: rest,
            release: None,
        },
    }
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
