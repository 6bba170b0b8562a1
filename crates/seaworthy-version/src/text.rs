//! What all schemes share: the length limit and numbers that are only digits.

use std::cmp::Ordering;

/// The longest text, in bytes, that any scheme accepts as a version.
pub const MAX_LENGTH: usize = 4096;

/// Why a version is refused that is longer than [`MAX_LENGTH`].
pub(crate) const TOO_LONG: &str = "it is longer than 4096 bytes";

/// Orders two runs of ASCII digits by value, whatever their length. An empty
/// run counts as zero.
pub(crate) fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let a = without_leading_zeros(a);
    let b = without_leading_zeros(b);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Orders two lists of numbers, one by one. Of two lists of which one starts with
/// the other, the shorter is the older.
pub(crate) fn compare_number_lists<'a>(
    mut a: impl Iterator<Item = &'a [u8]>,
    mut b: impl Iterator<Item = &'a [u8]>,
) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => compare_numbers(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Splits `bytes` where the first byte stands that `wanted` refuses.
pub(crate) fn take_while(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| !wanted(*byte))
        .unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// Splits `bytes` at the last hyphen; what follows it is the release of a package.
pub(crate) fn split_release(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(hyphen) = bytes.iter().rposition(|byte| *byte == b'-') else {
        return (bytes, None);
    };
    let (version, release) = bytes.split_at(hyphen);
    (version, release.split_first().map(|(_, release)| release))
}

/// Splits the leading ASCII digits from `bytes`.
pub(crate) fn take_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, |byte| byte.is_ascii_digit())
}

/// The digits that carry value; empty for zero.
pub(crate) fn without_leading_zeros(digits: &[u8]) -> &[u8] {
    take_while(digits, |digit| digit == b'0').1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value_at_any_length() {
        for (a, b, expected) in [
            ("", "", Ordering::Equal),
            ("", "000", Ordering::Equal),
            ("007", "7", Ordering::Equal),
            ("9", "10", Ordering::Less),
            (
                "18446744073709551616",
                "18446744073709551615",
                Ordering::Greater,
            ),
            ("0000000000000000000000000000000000001", "2", Ordering::Less),
        ] {
            assert_eq!(
                compare_numbers(a.as_bytes(), b.as_bytes()),
                expected,
                "{a} {b}"
            );
        }
    }
}
