//! Rust crates: Semantic Versioning 2.0.0 to the letter, with numbers of 64 bits,
//! as `semver::Version::cmp_precedence` orders them. Build metadata does not count:
//! crates.io takes no two versions that differ in nothing else.

use std::cmp::Ordering;

use super::identifier::compare_before_release;
use super::triple::{self, LARGEST_UNSIGNED, Triple};

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
    let triple = triple::read(text.as_bytes())?;
    if triple.exceeds(LARGEST_UNSIGNED) {
        return Err("one of its numbers is larger than 18446744073709551615");
    }
    Ok(triple)
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Cargo;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn the_order_of_the_specification_holds() {
        ordered(
            Cargo,
            "0.0.0-0 < 0.0.0 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0 = 1.0.0+1 = 1.0.0+2 < 1.0.1",
        );
    }

    #[test]
    fn only_numbers_of_a_pre_release_are_of_any_size() {
        ordered(
            Cargo,
            "18446744073709551615.0.0-18446744073709551615 < 18446744073709551615.0.0-18446744073709551616",
        );
        refused(Cargo, &["18446744073709551616.0.0"]);
    }

    #[test]
    fn what_cargo_refuses_is_refused() {
        refused(
            Cargo,
            &[
                "", "1", "1.0", "v1.0.0", " 1.0.0", "01.0.0", "1.0.0-01", "1.0.0+", "1.0.0.0",
                "1.0.0-é",
            ],
        );
    }
}
