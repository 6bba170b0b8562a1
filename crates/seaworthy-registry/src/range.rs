//! Which bytes of a blob somebody wants.

use std::ops::Range;

/// What the `Range` header of a request comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: none was asked for, or nothing that we serve.
    Whole,
    /// These bytes.
    Some(Range<u64>),
    /// Bytes that are not there.
    Unsatisfiable,
}

/// Reads a `Range` header for content of `size` bytes. Several ranges at once are
/// answered with everything, as the HTTP specification allows.
pub(crate) fn asked(text: &str, size: u64) -> Asked {
    let Some(set) = text.trim().strip_prefix("bytes=") else {
        return Asked::Whole;
    };
    let Some((first, last)) = set.trim().split_once('-') else {
        return Asked::Whole;
    };
    if first.is_empty() {
        let Some(length) = number(last) else {
            return Asked::Whole;
        };
        if length == 0 || size == 0 {
            return Asked::Unsatisfiable;
        }
        return Asked::Some(size.saturating_sub(length)..size);
    }
    let Some(first) = number(first) else {
        return Asked::Whole;
    };
    let end = if last.is_empty() {
        size
    } else {
        let Some(last) = number(last) else {
            return Asked::Whole;
        };
        last.saturating_add(1).min(size)
    };
    if first < end {
        Asked::Some(first..end)
    } else {
        Asked::Unsatisfiable
    }
}

/// Reads the `Content-Range` of a chunk, `first-last`.
pub(crate) fn chunk(text: &str) -> Option<Range<u64>> {
    let (first, last) = text.trim().split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let end = last.checked_add(1)?;
    (first < end).then_some(first..end)
}

/// Digits only: no sign, no space.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More than fits is further away than anything.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_served_and_what_is_no_range_is_answered_with_everything() {
        let cases = [
            ("bytes=0-0", Asked::Some(0..1)),
            ("bytes=5-", Asked::Some(5..10)),
            ("bytes=-3", Asked::Some(7..10)),
            ("bytes=-30", Asked::Some(0..10)),
            ("bytes=8-99999999999999999999999", Asked::Some(8..10)),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=5-4", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=--1", Asked::Whole),
            ("bytes=", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("", Asked::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(asked(text, 10), expected, "{text}");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Unsatisfiable);
        assert_eq!(asked("bytes=-1", 0), Asked::Unsatisfiable);
    }

    #[test]
    fn a_chunk_has_a_first_and_a_last_byte() {
        assert_eq!(chunk("0-0"), Some(0..1));
        assert_eq!(chunk("10-19"), Some(10..20));
        for bad in ["", "-", "1-0", "-5", "5-", "bytes 0-1/2", "0x1-2", "+0-1"] {
            assert_eq!(chunk(bad), None, "{bad}");
        }
        assert_eq!(chunk("0-18446744073709551615"), None);
    }
}
