//! Bitnami: `8.0.36-2`, as `bitnami/go-version` orders them.
//!
//! The grammar is that of Semantic Versioning, but what follows the hyphen is the
//! revision of Bitnami's package and newer than no revision at all: `1.0.0` is
//! before `1.0.0-1`. A revision with a part `x` is taken for a wildcard, and counts
//! as none. A part too large for 64 bits is a word. Build metadata does not count.

use std::cmp::Ordering;

use super::identifier::compare_lists;
use super::triple::{self, LARGEST_UNSIGNED, Triple};

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let order = a.compare_numbers(&b);
    let by_revision = || match (revision(&a), revision(&b)) {
        (Some(a), Some(b)) => compare_lists(a, b, LARGEST_UNSIGNED),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    Some(order.then_with(by_revision))
}

fn revision<'a>(triple: &Triple<'a>) -> Option<&'a [u8]> {
    let is_wild = |part: &[u8]| matches!(part, b"x" | b"X");
    triple
        .before_release
        .filter(|list| !list.split(|byte| *byte == b'.').any(is_wild))
}

fn read(text: &str) -> Result<Triple<'_>, &'static str> {
    let triple = triple::read(text.as_bytes())?;
    if triple.exceeds(LARGEST_UNSIGNED) {
        return Err("one of its numbers is larger than 18446744073709551615");
    }
    Ok(triple)
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Bitnami;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn a_revision_is_newer_than_none() {
        ordered(
            Bitnami,
            "1.2.2-9 < 1.2.3 = 1.2.3+meta < 1.2.3-0 < 1.2.3-1 < 1.2.3-2 < 1.2.3-10 < 1.2.3-10.1 < 1.2.3-rc.1 < 1.2.4",
        );
    }

    #[test]
    fn a_wildcard_counts_as_no_revision() {
        ordered(Bitnami, "1.2.3-x = 1.2.3-1.X = 1.2.3 < 1.2.3-0 < 1.2.3-xx");
    }

    #[test]
    fn numbers_of_a_revision_are_words_beyond_64_bits() {
        ordered(
            Bitnami,
            "1.2.3-18446744073709551615 < 1.2.3-100000000000000000000 < 1.2.3-18446744073709551616 < 1.2.3-a",
        );
    }

    #[test]
    fn what_is_no_semantic_version_is_refused() {
        refused(
            Bitnami,
            &[
                "",
                "1",
                "1.2",
                "v1.2.3",
                "1.2.3.4",
                "1.2.3-01",
                "1.2.3-",
                "18446744073709551616.0.0",
                " 1.2.3",
            ],
        );
    }
}
