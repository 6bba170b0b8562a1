//! Python: PEP 440, as `packaging.version.Version` reads and orders it.
//!
//! Letters outside ASCII are refused, also the two that Python's
//! case-insensitive match takes for `s` and `k`.

use std::cmp::Ordering;

use crate::text::{compare_numbers, take_digits, take_while};

/// A version cut into its segments. Numbers are kept as digits, empty for zero.
struct Parts<'a> {
    epoch: &'a [u8],
    /// Dotted numbers.
    release: &'a [u8],
    before_release: Option<(Stage, &'a [u8])>,
    after_release: Option<&'a [u8]>,
    development: Option<&'a [u8]>,
    /// Letters and digits, separated by `.`, `-` or `_`.
    local: Option<&'a [u8]>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Candidate,
}

/// Every spelling of a stage. Where one word starts with another, the longer
/// stands first.
const STAGES: [(&[u8], Stage); 8] = [
    (b"alpha", Stage::Alpha),
    (b"a", Stage::Alpha),
    (b"beta", Stage::Beta),
    (b"b", Stage::Beta),
    (b"preview", Stage::Candidate),
    (b"pre", Stage::Candidate),
    (b"c", Stage::Candidate),
    (b"rc", Stage::Candidate),
];

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    Some(
        compare_numbers(a.epoch, b.epoch)
            .then_with(|| compare_releases(a.release, b.release))
            .then_with(|| compare_stages(&a, &b))
            // A missing post-release is older than any, a missing development
            // release newer than any.
            .then_with(|| compare_present(a.after_release, b.after_release))
            .then_with(|| match (a.development, b.development) {
                (Some(a), Some(b)) => compare_numbers(a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            })
            .then_with(|| compare_locals(a.local, b.local)),
    )
}

/// Orders dotted numbers; missing ones count as zero.
fn compare_releases(a: &[u8], b: &[u8]) -> Ordering {
    let mut left = a.split(|byte| *byte == b'.');
    let mut right = b.split(|byte| *byte == b'.');
    loop {
        let (a, b) = (left.next(), right.next());
        if a.is_none() && b.is_none() {
            return Ordering::Equal;
        }
        let order = compare_numbers(a.unwrap_or_default(), b.unwrap_or_default());
        if order.is_ne() {
            return order;
        }
    }
}

/// Orders the pre-release segments. Without one, a version is newer than its
/// pre-releases, but `1.0.dev1` is older than all of them.
fn compare_stages(a: &Parts<'_>, b: &Parts<'_>) -> Ordering {
    let place = |parts: &Parts<'_>| match parts.before_release {
        Some((stage, _)) => 1 + stage as u8,
        None if parts.after_release.is_none() && parts.development.is_some() => 0,
        None => 4,
    };
    place(a)
        .cmp(&place(b))
        .then_with(|| match (a.before_release, b.before_release) {
            (Some((_, a)), Some((_, b))) => compare_numbers(a, b),
            _ => Ordering::Equal,
        })
}

fn compare_present(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare_numbers(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Orders local labels: none first, then piece by piece, words before numbers,
/// and of two that agree so far the longer is newer.
fn compare_locals(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else {
        return a.is_some().cmp(&b.is_some());
    };
    let mut left = a.split(|byte| is_separator(*byte));
    let mut right = b.split(|byte| is_separator(*byte));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => {
                let a_is_number = a.iter().all(u8::is_ascii_digit);
                let b_is_number = b.iter().all(u8::is_ascii_digit);
                a_is_number.cmp(&b_is_number).then_with(|| {
                    if a_is_number {
                        compare_numbers(a, b)
                    } else {
                        let lowercase = |byte: &u8| byte.to_ascii_lowercase();
                        a.iter().map(lowercase).cmp(b.iter().map(lowercase))
                    }
                })
            }
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn read(text: &str) -> Result<Parts<'_>, &'static str> {
    let bytes = text.trim_matches(is_space).as_bytes();
    let bytes = strip_word(bytes, b"v").unwrap_or(bytes);
    let (mut epoch, mut rest): (&[u8], &[u8]) = (b"", bytes);
    let (digits, after) = take_digits(bytes);
    if let [b'!', after @ ..] = after {
        if digits.is_empty() {
            return Err("no digit stands before the `!` of the epoch");
        }
        (epoch, rest) = (digits, after);
    }
    let (release, rest) = take_release(rest)?;
    let (before_release, rest) = take_stage(rest);
    let (after_release, rest) = take_post(rest);
    let (development, rest) = match take_label(rest, &[b"dev"]) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, rest),
    };
    let local = match rest {
        [] => None,
        [b'+', local @ ..] => Some(check_local(local)?),
        _ => return Err("it has something that PEP 440 does not know"),
    };
    Ok(Parts {
        epoch,
        release,
        before_release,
        after_release,
        development,
        local,
    })
}

/// Splits dotted numbers off; a dot that no digit follows is left in place.
fn take_release(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let mut rest = take_digits(bytes).1;
    if rest.len() == bytes.len() {
        return Err("its release does not start with a digit");
    }
    while let [b'.', after @ ..] = rest {
        let (digits, after) = take_digits(after);
        if digits.is_empty() {
            break;
        }
        rest = after;
    }
    Ok((bytes.strip_suffix(rest).unwrap_or(bytes), rest))
}

fn take_stage(bytes: &[u8]) -> (Option<(Stage, &[u8])>, &[u8]) {
    STAGES
        .iter()
        .find_map(|(word, stage)| {
            let (number, rest) = take_label(bytes, &[word])?;
            Some((Some((*stage, number)), rest))
        })
        .unwrap_or((None, bytes))
}

/// A post-release: `.post1` in its spellings, or just `-1`.
fn take_post(bytes: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if let [b'-', after @ ..] = bytes {
        let (digits, rest) = take_digits(after);
        if !digits.is_empty() {
            return (Some(digits), rest);
        }
    }
    match take_label(bytes, &[b"post", b"rev", b"r"]) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, bytes),
    }
}

/// Splits off one of `words` and the number after it, each with one separator
/// before it or none. A missing number is empty.
fn take_label<'a>(bytes: &'a [u8], words: &[&[u8]]) -> Option<(&'a [u8], &'a [u8])> {
    let bytes = skip_separator(bytes);
    let rest = words.iter().find_map(|word| strip_word(bytes, word))?;
    Some(take_digits(skip_separator(rest)))
}

fn skip_separator(bytes: &[u8]) -> &[u8] {
    match bytes {
        [first, rest @ ..] if is_separator(*first) => rest,
        _ => bytes,
    }
}

/// What follows `word`, whatever the case it is written in.
fn strip_word<'a>(bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = bytes.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn check_local(local: &[u8]) -> Result<&[u8], &'static str> {
    for piece in local.split(|byte| is_separator(*byte)) {
        let (word, rest) = take_while(piece, |byte| byte.is_ascii_alphanumeric());
        if word.is_empty() || !rest.is_empty() {
            return Err("its local label is not letters and digits with separators between");
        }
    }
    Ok(local)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

/// What Python takes for white space.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Pep440;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn the_life_of_a_release_is_in_order() {
        ordered(
            Pep440,
            "1.0.dev456 < 1.0a1.dev1 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 \
             < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 \
             < 1.0.post456.dev34 < 1.0.post456 < 1.0.15 < 1.1.dev1 < 1!0.1",
        );
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        ordered(Pep440, "1.0 = 1 = 1.0.0 = v1.0 = V1 = 0!1 = 01.00 = 00!1");
        ordered(
            Pep440,
            "1a1 = 1.a1 = 1-alpha-1 = 1_ALPHA.01 = 1a-1 < 1b0 = 1beta = 1-B = 1b- < 1rc2 = 1c2 = 1pre2 = 1PreView_2",
        );
        ordered(
            Pep440,
            "1.post0 = 1-0 = 1post = 1r = 1-rev- < 1.post3 = 1-3 = 1.R-3 = 1_rev3 = 1post.3",
        );
        ordered(Pep440, "1.dev0 = 1dev = 1-DEV- < 1.dev3 = 1dev3 = 1_dev_3");
        ordered(Pep440, "1+a.1 = 1+A-1 = 1+a_01 < 1+a.1.a < 1+a.1.0");
        ordered(Pep440, "1a--1 < 1a-1");
    }

    #[test]
    fn local_labels_follow_their_release() {
        ordered(
            Pep440,
            "1 < 1+1a < 1+a < 1+a.a < 1+a.0 < 1+ab < 1+b < 1+0 < 1+1 < 1+1.a < 1+10 < 1.post0",
        );
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(Pep440, "1.99999999999999999999 < 1.100000000000000000000");
        ordered(
            Pep440,
            "1a9007199254740992 < 1a9007199254740993 < 18446744073709551617!0",
        );
    }

    #[test]
    fn white_space_around_is_forgiven() {
        same(Pep440, " \n1.0\u{1c} ", "1.0");
    }

    #[test]
    fn what_packaging_refuses_is_refused() {
        refused(
            Pep440,
            &[
                "",
                "v",
                "a",
                "!1",
                "1!",
                "1.",
                "1..0",
                ".1",
                "1.x",
                "1.0-",
                "1-a-b",
                "1a1a1",
                "1.0.prev",
                "1-1-1",
                "1.dev.dev",
                "1dev1post1",
                "1+",
                "1+a.",
                "1+.a",
                "1+a..b",
                "1+a+b",
                "1+é",
                "1 .0",
                "vv1",
                "1.0-SNAPSHOT",
                "2004d",
                "1.0~rc1",
                "1.po\u{17f}t1",
            ],
        );
    }
}
