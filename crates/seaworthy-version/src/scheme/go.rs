//! Go modules: `v1`, `v1.2`, `v1.2.3-pre+build`, as `golang.org/x/mod/semver` reads them.

use std::cmp::Ordering;

use super::identifier::{compare_before_release, is_plain_number};
use super::triple::{self, Triple};
use crate::text::take_digits;

pub(super) fn check(text: &str) -> Result<(), &'static str> {
    read(text).map(drop)
}

pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let a = read(a).ok()?;
    let b = read(b).ok()?;
    let order = a.compare_numbers(&b);
    Some(order.then_with(|| compare_before_release(a.before_release, b.before_release)))
}

/// Numbers that are not written are zero.
fn read(text: &str) -> Result<Triple<'_>, &'static str> {
    let mut rest = text.strip_prefix('v').unwrap_or(text).as_bytes();
    let mut numbers: [&[u8]; 3] = [b"0"; 3];
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 {
            rest = match rest {
                // `v1` and `v1.2` are short for `v1.0.0` and `v1.2.0`.
                [] => break,
                [b'.', rest @ ..] => rest,
                _ => return Err("only a full version may have a pre-release or build metadata"),
            };
        }
        let (digits, after) = take_digits(rest);
        if !is_plain_number(digits) {
            return Err("major, minor and patch must be numbers without leading zeros");
        }
        (*number, rest) = (digits, after);
    }
    Ok(Triple {
        numbers,
        before_release: triple::after_numbers(rest)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::Scheme::Go;
    use crate::scheme::table::{ordered, refused, same};

    #[test]
    fn short_versions_stand_for_full_ones() {
        ordered(
            Go,
            "v0.9.9 < v1 = 1 = v1.0 = 1.0.0 = v1.0.0+incompatible < v1.1 < v1.10 < v2.0.0+incompatible",
        );
    }

    #[test]
    fn pseudo_versions_stand_between_the_tags_around_them() {
        ordered(
            Go,
            "v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-0123456789ab < v0.0.0 \
             < v1.2.3-rc.1 < v1.2.3-rc.1.0.20200101000000-abcdefabcdef < v1.2.3-rc.2 < v1.2.3 \
             < v1.2.4-0.20200101000000-abcdefabcdef < v1.2.4",
        );
    }

    #[test]
    fn numbers_are_of_any_size() {
        ordered(
            Go,
            "v1.9007199254740993.0 < v1.9007199254740994.0 < v99999999999999999999.0.0",
        );
        same(
            Go,
            "99999999999999999999.0.0+a",
            "v99999999999999999999.0.0+b",
        );
    }

    #[test]
    fn what_the_module_refuses_is_refused() {
        refused(
            Go,
            &[
                "",
                "v",
                "V1",
                "vv1",
                "v1.",
                "v1.2.",
                "v1.2.3.",
                "v1.2.3.4",
                "v01",
                "v1.02",
                "v1-pre",
                "v1.2-pre",
                "v1+b",
                "v1.2+b",
                "v1.2.3-",
                "v1.2.3+",
                "v1.2.3-01",
                "v1.2.3-a..b",
                "v1.2.3+a..b",
                "v1.2.3-é",
                "1.2rc1",
                "go1.20",
                " v1",
                "v1 ",
                "=1.0.0",
            ],
        );
    }
}
