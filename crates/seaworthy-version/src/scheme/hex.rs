//! Hex: Semantic Versioning 2.0.0 to the letter, as Elixir's `Version` reads it.
//! Numbers are of any size, and build metadata does not count.

use std::cmp::Ordering;

use super::identifier::compare_before_release;
use super::triple;

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    triple::read(text.as_bytes()).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = triple::read(a.as_bytes()).ok()?;
    let b = triple::read(b.as_bytes()).ok()?;
    let order = a.compare_numbers(&b);
    Some(order.then_with(|| compare_before_release(a.before_release, b.before_release)))
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Hex;
    use crate::scheme::table::{ordered, refused};

    #[test]
    fn the_order_of_the_specification_holds() {
        ordered(
            Hex,
            "1.0.0-1 < 1.0.0-10 < 1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-rc.1 < 1.0.0 = 1.0.0+build < 1.0.1",
        );
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(
            Hex,
            "9007199254740992.0.0 < 18446744073709551616.0.0-18446744073709551616 < 18446744073709551616.0.0",
        );
    }

    #[test]
    fn what_elixir_refuses_is_refused() {
        refused(
            Hex,
            &[
                "",
                "1",
                "1.0",
                "v1.0.0",
                " 1.0.0",
                "1.0.0 ",
                "01.0.0",
                "1.0.0-01",
                "1.0.0-",
                "1.0.0+",
                "1.0.0-a..b",
                "1.0.0.0",
                "1.0.0-é",
                "1.0.0+a+b",
                "~> 1.0.0",
            ],
        );
    }
}
