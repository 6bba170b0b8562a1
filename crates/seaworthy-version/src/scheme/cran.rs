//! R packages: numbers with dots or hyphens between, as R's `numeric_version` reads
//! and orders them. Which separator stands where does not count; a version that
//! ends first is the older one.

use std::cmp::Ordering;

use crate::text::compare_number_lists;

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !numbers(text).all(is_number) {
        return Err("it is not numbers with dots or hyphens between");
    }
    Ok(())
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    check(a).ok()?;
    check(b).ok()?;
    Some(compare_number_lists(numbers(a), numbers(b)))
}

fn numbers(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Cran;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn numbers_are_compared_one_by_one() {
        ordered(
            Cran,
            "0.1 = 0.01 < 0.1.0 = 0.1-0 = 0-1-0 < 0.1.0.0 < 0.1-5 < 0.1.18 < 0.9 < 0.75 < 1 < 1.0 < 1.0-0 < 18446744073709551616",
        );
    }

    #[test]
    fn what_r_refuses_is_refused() {
        refused(
            Cran,
            &[
                "", ".", "1.", "-1", "1..2", "1.0a", "v1", "1_0", " 1", "1.0 ", "é",
            ],
        );
    }
}
