//! Dotted identifiers, as Semantic Versioning 2.0.0 has them after `-` and `+`.
//! Most schemes that come from it share these rules and differ elsewhere.

use std::cmp::Ordering;

use crate::text::compare_numbers;

/// Whether `list` is a pre-release: dotted identifiers, none empty, numbers
/// without leading zeros.
pub(super) fn check_before_release(list: &[u8]) -> Result<(), &'static str> {
    for identifier in list.split(|byte| *byte == b'.') {
        check_one(identifier)?;
        if is_number(identifier) && !is_plain_number(identifier) {
            return Err("a number in its pre-release has a leading zero");
        }
    }
    Ok(())
}

/// Whether `list` is build metadata: dotted identifiers, none empty.
pub(super) fn check_build(list: &[u8]) -> Result<(), &'static str> {
    list.split(|byte| *byte == b'.').try_for_each(check_one)
}

/// Whether the bytes are digits without a needless zero in front.
pub(super) fn is_plain_number(digits: &[u8]) -> bool {
    is_number(digits) && (digits.len() == 1 || !digits.starts_with(b"0"))
}

/// Orders two pre-releases; `None`, the release itself, is newer than any.
pub(super) fn compare_before_release(a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare_all(a, b, is_number),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Orders two lists in which a number larger than `largest` is a word.
pub(super) fn compare_lists(a: &[u8], b: &[u8], largest: &[u8]) -> Ordering {
    compare_all(a, b, |identifier| {
        is_number(identifier) && compare_numbers(identifier, largest).is_le()
    })
}

fn compare_all(a: &[u8], b: &[u8], is_number: impl Fn(&[u8]) -> bool) -> Ordering {
    let mut left = a.split(|byte| *byte == b'.');
    let mut right = b.split(|byte| *byte == b'.');
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => compare_numbers(a, b),
                (false, false) => a.cmp(b),
                // A number is older than a word.
                (a_is_number, b_is_number) => b_is_number.cmp(&a_is_number),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn check_one(identifier: &[u8]) -> Result<(), &'static str> {
    if identifier.is_empty() {
        return Err("it has an empty identifier");
    }
    if !identifier
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    {
        return Err("an identifier has a character other than letters, digits and `-`");
    }
    Ok(())
}

fn is_number(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}
