//! Haskell packages: numbers with dots between, as Cabal reads and orders them. A
//! number has at most nine digits and no leading zero; a version that ends first is
//! the older one.

use std::cmp::Ordering;

use super::identifier::is_plain_number;
use crate::text::compare_number_lists;

/// How many digits Cabal reads.
const DIGITS: usize = 9;

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    if !numbers(text).all(is_plain_number) {
        return Err("it is not numbers without leading zeros and with dots between");
    }
    if numbers(text).any(|number| number.len() > DIGITS) {
        return Err("one of its numbers has more than nine digits");
    }
    Ok(())
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    check(a).ok()?;
    check(b).ok()?;
    Some(compare_number_lists(numbers(a), numbers(b)))
}

fn numbers(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'.')
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Hackage;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn numbers_are_compared_one_by_one() {
        ordered(
            Hackage,
            "0 < 0.1.26.0 < 0.11.3.0 < 1 < 1.0 < 1.0.0 < 1.0.0.0 < 1.0.1.0 < 1.1 < 1.10 < 999999999",
        );
    }

    #[test]
    fn what_cabal_refuses_is_refused() {
        refused(
            Hackage,
            &[
                "",
                ".",
                "1.",
                ".1",
                "1..2",
                "01",
                "1.00",
                "1.0-1",
                "1.0a",
                "v1",
                "1000000000",
                " 1",
                "é",
            ],
        );
    }
}
