//! Three numbers, a pre-release, build metadata: what Semantic Versioning 2.0.0
//! takes apart, for the schemes that keep to its grammar.

use std::cmp::Ordering;

use super::identifier::{check_before_release, check_build, is_plain_number};
use crate::text::{compare_numbers, take_digits, take_while};

/// The largest number of 64 bits without a sign.
pub(super) const LARGEST_UNSIGNED: &[u8] = b"18446744073709551615";

/// A version in its parts.
pub(super) struct Triple<'a> {
    /// Major, minor and patch, of any size.
    pub(super) numbers: [&'a [u8]; 3],
    /// What follows the hyphen.
    pub(super) before_release: Option<&'a [u8]>,
}

/// Reads exactly what the specification's grammar allows.
pub(super) fn read(text: &[u8]) -> Result<Triple<'_>, &'static str> {
    let mut rest = text;
    let mut numbers: [&[u8]; 3] = [b""; 3];
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 {
            let [b'.', after @ ..] = rest else {
                return Err("it is not three numbers with dots between");
            };
            rest = after;
        }
        let (digits, after) = take_digits(rest);
        if !is_plain_number(digits) {
            return Err("major, minor and patch must be numbers without leading zeros");
        }
        (*number, rest) = (digits, after);
    }
    Ok(Triple {
        numbers,
        before_release: after_numbers(rest)?,
    })
}

/// Reads the pre-release and checks the build metadata that may follow the numbers.
pub(super) fn after_numbers(mut rest: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let mut before_release = None;
    if let [b'-', list @ ..] = rest {
        let (list, after) = take_while(list, |byte| byte != b'+');
        check_before_release(list)?;
        (before_release, rest) = (Some(list), after);
    }
    if let [b'+', build @ ..] = rest {
        check_build(build)?;
        rest = &[];
    }
    if !rest.is_empty() {
        return Err("something follows the patch number");
    }
    Ok(before_release)
}

impl Triple<'_> {
    /// Whether one of the numbers is larger than `largest`.
    pub(super) fn exceeds(&self, largest: &[u8]) -> bool {
        self.numbers
            .iter()
            .any(|number| compare_numbers(number, largest).is_gt())
    }

    /// Orders by major, minor and patch alone.
    pub(super) fn compare_numbers(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.iter().zip(other.numbers);
        numbers
            .map(|(a, b)| compare_numbers(a, b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}
