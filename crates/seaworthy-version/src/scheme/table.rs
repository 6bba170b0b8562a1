//! Tables of versions for the tests of each scheme.

use std::cmp::Ordering;

use super::Scheme;

/// Asserts that the versions stand in the order of `chain`, written like
/// `1~rc1 < 1 = 1.0 < 2`; every pair is compared, not only neighbours.
#[track_caller]
pub(super) fn ordered(scheme: Scheme, chain: &str) {
    let mut places: Vec<(usize, &str)> = Vec::new();
    let mut place = 0;
    for word in chain.split_whitespace() {
        match word {
            "<" => place += 1,
            "=" => {}
            text => places.push((place, text)),
        }
    }
    for (a_place, a) in &places {
        for (b_place, b) in &places {
            let expected = Some(a_place.cmp(b_place));
            assert_eq!(scheme.compare(a, b), expected, "{scheme}: {a} against {b}");
        }
    }
}

/// Asserts that `scheme` takes none of the texts for a version.
#[track_caller]
pub(super) fn refused(scheme: Scheme, texts: &[&str]) {
    for text in texts {
        assert!(scheme.check(text).is_err(), "{scheme} accepts {text:?}");
        assert_eq!(scheme.compare(text, "1.0.0"), None, "{scheme}: {text:?}");
    }
}

/// Asserts that `scheme` takes `text` for the same version as `plain`.
#[track_caller]
pub(super) fn same(scheme: Scheme, text: &str, plain: &str) {
    assert_eq!(
        scheme.compare(text, plain),
        Some(Ordering::Equal),
        "{scheme}: {text:?}"
    );
}
