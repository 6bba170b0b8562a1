//! Alpine: `digits{.digits}[letter]{_suffix[digits]}[~hash][-rN]`, as apk-tools 3 reads it.
//!
//! apk-tools 2 also took digits after the letter (`1a1`), an empty number
//! (`1-r`, `1_p.`) and suffixes by prefix only; apk-tools 3 refuses these, and so
//! do we. Where 2 compared a component after leading zeros by counting the
//! zeros, 3 compares such components as text. Unlike either, numbers here never
//! wrap around.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while};

/// What apk cuts a version into.
#[derive(Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a [u8],
}

/// The kinds of token. Of two versions that agree so far, the one whose next
/// token stands *earlier* in this list is newer, except that a suffix of a
/// pre-release is older than everything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Component,
    Letter,
    Suffix(Suffix),
    SuffixNumber,
    Hash,
    Revision,
    End,
}

/// The known suffixes, oldest first; those up to `Rc` mark a pre-release.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    P,
}

impl Suffix {
    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alpha" => Self::Alpha,
            b"beta" => Self::Beta,
            b"pre" => Self::Pre,
            b"rc" => Self::Rc,
            b"cvs" => Self::Cvs,
            b"svn" => Self::Svn,
            b"git" => Self::Git,
            b"hg" => Self::Hg,
            b"p" => Self::P,
            _ => return None,
        })
    }
}

impl Kind {
    /// The place among kinds, whichever the suffix.
    fn rank(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Component => 1,
            Self::Letter => 2,
            Self::Suffix(_) => 3,
            Self::SuffixNumber => 4,
            Self::Hash => 5,
            Self::Revision => 6,
            Self::End => 7,
        }
    }

    fn is_before_release(self) -> bool {
        matches!(self, Self::Suffix(suffix) if suffix <= Suffix::Rc)
    }
}

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let (mut kind, mut rest) = (None, text.as_bytes());
    loop {
        let (token, after) = next(kind, rest)?;
        if token.kind == Kind::End {
            return Ok(());
        }
        (kind, rest) = (Some(token.kind), after);
    }
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    check(a).ok()?;
    check(b).ok()?;
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let mut before = None;
    loop {
        let (left, after_left) = next(before, a).ok()?;
        let (right, after_right) = next(before, b).ok()?;
        let order = order(left, right);
        if order.is_ne() || left.kind == Kind::End {
            return Some(order);
        }
        before = Some(left.kind);
        (a, b) = (after_left, after_right);
    }
}

/// Orders two tokens that follow equal beginnings.
fn order(a: Token<'_>, b: Token<'_>) -> Ordering {
    match (a.kind, b.kind) {
        // With a zero in front, a component is a decimal fraction: `1.05` is before `1.1`.
        (Kind::Component, Kind::Component)
            if a.text.starts_with(b"0") || b.text.starts_with(b"0") =>
        {
            a.text.cmp(b.text)
        }
        (Kind::First, Kind::First)
        | (Kind::Component, Kind::Component)
        | (Kind::SuffixNumber, Kind::SuffixNumber)
        | (Kind::Revision, Kind::Revision) => compare_numbers(a.text, b.text),
        (Kind::Letter, Kind::Letter) | (Kind::Hash, Kind::Hash) => a.text.cmp(b.text),
        (Kind::Suffix(a), Kind::Suffix(b)) => a.cmp(&b),
        (left, right) => match (left.is_before_release(), right.is_before_release()) {
            (true, _) => Ordering::Less,
            (_, true) => Ordering::Greater,
            _ => right.rank().cmp(&left.rank()),
        },
    }
}

/// Reads the token that follows one of the kind `before`, `None` at the start.
fn next(before: Option<Kind>, bytes: &[u8]) -> Result<(Token<'_>, &[u8]), &'static str> {
    let Some(before) = before else {
        return number(Kind::First, bytes, "it does not start with a digit");
    };
    let place = before.rank();
    match bytes {
        [] => Ok((
            Token {
                kind: Kind::End,
                text: bytes,
            },
            bytes,
        )),
        [b'a'..=b'z', rest @ ..] if place <= Kind::Component.rank() => {
            let letter = bytes.strip_suffix(rest).unwrap_or(bytes);
            Ok((
                Token {
                    kind: Kind::Letter,
                    text: letter,
                },
                rest,
            ))
        }
        [b'.', rest @ ..] if place <= Kind::Component.rank() => {
            number(Kind::Component, rest, "no digit follows a dot")
        }
        [b'0'..=b'9', ..] if matches!(before, Kind::Suffix(_)) => {
            number(Kind::SuffixNumber, bytes, "no digit follows a suffix")
        }
        [b'_', rest @ ..] if place <= Kind::SuffixNumber.rank() => {
            let (name, rest) = take_while(rest, |byte| byte.is_ascii_lowercase());
            let suffix = Suffix::of(name).ok_or("it has a suffix that apk does not know")?;
            Ok((
                Token {
                    kind: Kind::Suffix(suffix),
                    text: name,
                },
                rest,
            ))
        }
        [b'~', rest @ ..] if place < Kind::Hash.rank() => {
            let (hash, rest) = take_while(rest, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if hash.is_empty() {
                return Err("no lowercase hexadecimal digit follows the tilde");
            }
            Ok((
                Token {
                    kind: Kind::Hash,
                    text: hash,
                },
                rest,
            ))
        }
        [b'-', b'r', rest @ ..] if place < Kind::Revision.rank() => {
            number(Kind::Revision, rest, "no digit follows `-r`")
        }
        _ => Err("it has a character where apk expects none"),
    }
}

fn number<'a>(
    kind: Kind,
    bytes: &'a [u8],
    missing: &'static str,
) -> Result<(Token<'a>, &'a [u8]), &'static str> {
    let (digits, rest) = take_digits(bytes);
    if digits.is_empty() {
        return Err(missing);
    }
    Ok((Token { kind, text: digits }, rest))
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Apk;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn suffixes_stand_before_or_after_the_release() {
        ordered(
            Apk,
            "1_alpha < 1_alpha1 < 1_alpha2 < 1_beta < 1_pre < 1_rc < 1_rc1 < 1_rc10 < 1 < 1-r0 < 1-r1 < 1-r10 \
             < 1~a < 1_cvs < 1_svn < 1_git < 1_git20240101 < 1_hg < 1_p < 1_p-r1 < 1_p0 < 1_p1 < 1a < 1z < 1.0",
        );
    }

    #[test]
    fn suffixes_follow_one_another() {
        ordered(
            Apk,
            "1_rc1_alpha < 1_rc1 < 1_rc1_p1 < 1_rc2 < 1_p1_alpha < 1_p1 < 1_p1_p1",
        );
    }

    #[test]
    fn a_component_with_a_zero_in_front_is_a_fraction() {
        ordered(
            Apk,
            "1.0 < 1.00 < 1.01 < 1.010 < 1.02 < 1.1 < 1.2 < 1.10 < 1.10.01 < 1.10.1",
        );
        ordered(Apk, "0 = 00 < 01 = 1 < 9 < 10");
    }

    #[test]
    fn numbers_do_not_wrap_around() {
        ordered(
            Apk,
            "1.9 < 1.18446744073709551615 < 1.18446744073709551617 < 1.99999999999999999999999",
        );
    }

    #[test]
    fn the_hash_of_a_commit_is_compared_as_text() {
        ordered(Apk, "1-r9 < 1~0 < 1~0-r1 < 1~00 < 1~9 < 1~a < 1~ab < 1~b");
        ordered(
            Apk,
            "1.2.3_git20240101~abc-r0 < 1.2.3_git20240101~abd-r0 < 1.2.3_git20240102-r0",
        );
    }

    #[test]
    fn what_apk_three_refuses_is_refused() {
        refused(
            Apk,
            &[
                "", "a", ".1", "1.", "1..2", "1A", "1aa", "1a1", "1a.1", "1_", "1_foo", "1_pre_",
                "1_p.1", "1_P1", "1-1", "1-r", "1-ra", "1-r1-r2", "1-r1_p1", "1-r1~a", "1~", "1~A",
                "1~g", "1~a~b", "1~a_p1", "1 ", " 1", "1:1", "1é",
            ],
        );
    }
}
