//! Several fixes of one package in one release, as the stretches they leave
//! affected.
//!
//! A release with minor releases fixes a flaw in each of them that is maintained:
//! `curl` in `7.76.1-23.el9_2.4` and again in `7.76.1-26.el9_3.2`. What was built
//! for 9.3 before that is later than the first fix and affected all the same.
//! Module streams are branches of the same kind.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use seaworthy_core::rpm::{is_modular, minor_release, upstream_major};
use seaworthy_core::{AffectedInterval, Scheme, Upper};

/// A version with the fix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fixed {
    /// `name:stream` of the module it belongs to, where that is said.
    pub(super) module: Option<Box<str>>,
    /// The version, with its epoch where it has one.
    pub(super) version: Box<str>,
}

/// The stretches of versions that `fixes` leave affected, in the order of the
/// branches they end.
pub(super) fn intervals<'a>(fixes: impl IntoIterator<Item = &'a Fixed>) -> Vec<AffectedInterval> {
    let mut streams: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fixed in fixes {
        streams
            .entry(stream(fixed))
            .or_default()
            .push(&fixed.version);
    }
    let mut found = Vec::new();
    for versions in streams.values_mut() {
        versions.sort_unstable();
        Scheme::Rpm.sort_by_version(versions, |version| Some(version));
        let mut before: Option<&str> = None;
        for version in versions {
            let from = match before {
                None => None,
                // The first fix of a branch is the one that counts.
                Some(before) if minor_release(before) == minor_release(version) => continue,
                Some(before) => next_branch(before),
            };
            before = Some(version);
            let is_empty = from.as_deref().is_some_and(|from: &str| {
                Scheme::Rpm
                    .compare(from, version)
                    .is_some_and(Ordering::is_ge)
            });
            if !is_empty {
                found.push(AffectedInterval {
                    from,
                    upper: Upper::Fixed((*version).into()),
                });
            }
        }
    }
    found
}

/// What keeps streams of one package apart: the module's stream, else the major
/// version of what a module has built.
pub(super) fn stream(fixed: &Fixed) -> &str {
    match &fixed.module {
        Some(module) => module,
        None if is_modular(&fixed.version) => upstream_major(&fixed.version),
        None => "",
    }
}

/// The least version that a branch later than that of `version` has. Branches of
/// one package count up the first number of the release, and maintenance of a
/// branch counts further behind.
fn next_branch(version: &str) -> Option<Box<str>> {
    let (upstream, release) = version.rsplit_once('-')?;
    let digits = release
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(release.len());
    let number: u64 = release.get(..digits)?.parse().ok()?;
    Some(format!("{upstream}-{}", number.checked_add(1)?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(fixes: &[&str]) -> String {
        let fixes: Vec<Fixed> = fixes
            .iter()
            .map(|text| match text.split_once(' ') {
                Some((module, version)) => Fixed {
                    module: Some(module.into()),
                    version: version.into(),
                },
                None => Fixed {
                    module: None,
                    version: (*text).into(),
                },
            })
            .collect();
        let shown: Vec<String> = intervals(&fixes)
            .iter()
            .map(|it| match &it.upper {
                Upper::Fixed(end) => format!("[{}..{end})", it.from.as_deref().unwrap_or("")),
                other => format!("{other:?}"),
            })
            .collect();
        shown.join(" ")
    }

    #[test]
    fn each_minor_release_has_its_own_fix() {
        for (fixes, expected) in [
            (vec!["1-1.el9"], "[..1-1.el9)"),
            (
                vec!["7.76.1-26.el9_3.2", "7.76.1-23.el9_2.4"],
                "[..7.76.1-23.el9_2.4) [7.76.1-24..7.76.1-26.el9_3.2)",
            ),
            // Fixed again in the same minor release: it was fixed already.
            (vec!["1-1.el9_2", "1-1.el9_2.5"], "[..1-1.el9_2)"),
            (vec!["2-1.el7", "10-1.el7"], "[..2-1.el7)"),
            // Nothing lies between.
            (vec!["1-1.el8_6", "1-1.el8_7"], "[..1-1.el8_6)"),
            (
                vec!["1:1.1.1k-6.el8_5", "1:1.1.1k-9.el8_7"],
                "[..1:1.1.1k-6.el8_5) [1:1.1.1k-7..1:1.1.1k-9.el8_7)",
            ),
            // No number to count up: everything below the second is affected.
            (
                vec!["1-a.el8_6", "1-b.el8_7"],
                "[..1-a.el8_6) [..1-b.el8_7)",
            ),
            (
                vec!["4.19.8+git.1-150500.1.1", "4.19.8+git.1-150500.3.1"],
                "[..4.19.8+git.1-150500.1.1)",
            ),
        ] {
            assert_eq!(show(&fixes), expected);
        }
    }

    #[test]
    fn each_module_stream_has_its_own_fix() {
        for (fixes, expected) in [
            (
                vec![
                    "nodejs:20 1:20.9.0-1.module+el8.9.0+1+a",
                    "nodejs:18 1:18.18.2-1.module+el8.8.0+1+b",
                    "nodejs:18 1:18.18.2-3.module+el8.8.0+1+c",
                ],
                "[..1:18.18.2-1.module+el8.8.0+1+b) [..1:20.9.0-1.module+el8.9.0+1+a)",
            ),
            // Without a word on streams, major versions stand for them.
            (
                vec![
                    "13.11-1.module+el8.8.0+1+a",
                    "15.3-1.module+el8.8.0+2+b",
                    "13.11-1.el9_2",
                ],
                "[..13.11-1.el9_2) [..13.11-1.module+el8.8.0+1+a) [..15.3-1.module+el8.8.0+2+b)",
            ),
        ] {
            assert_eq!(show(&fixes), expected);
        }
    }
}
