//! Semantic Versioning 2.0.0, as npm's `semver` reads it without `loose`.
//!
//! npm trims white space, takes a leading `v`, and refuses what JavaScript
//! cannot count: more than 256 characters, or a major, minor or patch number
//! above 2^53-1. Numbers inside a pre-release may be larger; npm then compares
//! them as rounded floating-point numbers, and we compare them exactly.

use std::cmp::Ordering;

use super::identifier::compare_before_release;
use super::triple::{self, Triple};

/// The longest text npm reads, in UTF-16 units.
const NPM_LENGTH: usize = 256;

/// The largest integer JavaScript holds exactly.
const LARGEST_NUMBER: &[u8] = b"9007199254740991";

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let order = a.compare_numbers(&b);
    Some(order.then_with(|| compare_before_release(a.before_release, b.before_release)))
}

fn read(text: &str) -> Result<Triple<'_>, &'static str> {
    if text.len() > NPM_LENGTH {
        return Err("it is longer than 256 bytes");
    }
    let text = text.trim_matches(is_space);
    let triple = triple::read(text.strip_prefix('v').unwrap_or(text).as_bytes())?;
    if triple.exceeds(LARGEST_NUMBER) {
        return Err("one of its numbers is larger than 9007199254740991");
    }
    Ok(triple)
}

/// What JavaScript's `trim` removes.
fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Semver;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn the_order_of_the_specification_holds() {
        ordered(
            Semver,
            "1.0.0-0 < 1.0.0-1 < 1.0.0-10 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 \
             < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0 < 1.0.1 < 1.1.0 < 1.10.0 < 2.0.0",
        );
    }

    #[test]
    fn identifiers_are_compared_by_byte() {
        ordered(
            Semver,
            "1.0.0-- < 1.0.0--1 < 1.0.0-0a < 1.0.0-A < 1.0.0-RC < 1.0.0-a < 1.0.0-a-b < 1.0.0-rc1 < 1.0.0-rc10 < 1.0.0-rc2",
        );
    }

    #[test]
    fn build_metadata_does_not_count() {
        ordered(
            Semver,
            "1.0.0-a = 1.0.0-a+b = 1.0.0-a+001.-- < 1.0.0 = 1.0.0+b = v1.0.0+c-d",
        );
    }

    #[test]
    fn numbers_of_a_pre_release_are_compared_exactly() {
        ordered(
            Semver,
            "1.0.0-9007199254740992 < 1.0.0-9007199254740993 < 1.0.0-100000000000000000000000",
        );
    }

    #[test]
    fn white_space_around_is_forgiven() {
        same(Semver, " v1.2.3\t\u{feff}\u{a0}", "1.2.3");
    }

    #[test]
    fn what_npm_refuses_is_refused() {
        refused(
            Semver,
            &[
                "",
                "v",
                "1",
                "1.2",
                "1.2.3.4",
                "01.2.3",
                "1.02.3",
                "1.2.03",
                "1.2.3-",
                "1.2.3+",
                "1.2.3-01",
                "1.2.3-a..b",
                "1.2.3-a.",
                "1.2.3+a..b",
                "1.2.3+a+b",
                "1.2.3-a_b",
                "1.2.3-é",
                "1.2.3a",
                "=1.2.3",
                "V1.2.3",
                "v 1.2.3",
                "vv1.2.3",
                "1.2.x",
                "9007199254740992.0.0",
                "1.2.3\u{85}",
            ],
        );
        refused(Semver, &[&format!("1.2.3-{}", "a".repeat(251))]);
        assert!(Semver.check(&format!("1.2.3-{}", "a".repeat(250))).is_ok());
        assert!(Semver.check("9007199254740991.0.0").is_ok());
    }
}
