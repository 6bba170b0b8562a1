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
