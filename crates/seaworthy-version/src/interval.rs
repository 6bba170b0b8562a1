//! A stretch of the order of one scheme: which versions an advisory speaks of.

use std::cmp::Ordering;

use crate::Scheme;

/// Where an [`Interval`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Until<'a> {
    /// Nowhere: every later version is inside.
    Forever,
    /// Before this version, which is the first outside.
    Before(&'a str),
    /// With this version, which is the last inside.
    Through(&'a str),
}

/// The versions from one version on, until another or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval<'a> {
    /// The first version inside; `None` starts before every version.
    pub from: Option<&'a str>,
    /// Where the interval ends.
    pub until: Until<'a>,
}

impl Interval<'_> {
    /// Whether `version` lies inside, under the order of `scheme`.
    ///
    /// `None` where that cannot be told, because the version or the bound that
    /// would decide is not valid under the scheme, or the version is a branch. One
    /// bound that excludes the version is enough for a `Some(false)`, and an
    /// interval without bounds holds every text.
    pub fn contains(&self, scheme: Scheme, version: &str) -> Option<bool> {
        let is_bounded = self.from.is_some() || self.until != Until::Forever;
        if is_bounded && scheme.is_adrift(version) {
            return None;
        }
        let begun = match self.from {
            None => Some(true),
            Some(from) => scheme.compare(version, from).map(Ordering::is_ge),
        };
        let lasting = match self.until {
            Until::Forever => Some(true),
            Until::Before(end) => scheme.compare(version, end).map(Ordering::is_lt),
            Until::Through(end) => scheme.compare(version, end).map(Ordering::is_le),
        };
        match (begun, lasting) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            (None, _) | (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(from: Option<&str>, until: Until<'_>, version: &str) -> Option<bool> {
        Interval { from, until }.contains(Scheme::Dpkg, version)
    }

    #[test]
    fn bounds_say_which_side_they_are_on() {
        for (from, until, version, expected) in [
            (None, Until::Forever, "1", true),
            (None, Until::Before("2"), "1", true),
            (None, Until::Before("2"), "2", false),
            (None, Until::Before("2"), "2~rc1", true),
            (None, Until::Through("2"), "2", true),
            (None, Until::Through("2"), "2-1", false),
            (Some("1"), Until::Forever, "1", true),
            (Some("1"), Until::Forever, "1~", false),
            (Some("1"), Until::Before("2"), "1.5", true),
            (Some("1"), Until::Before("1"), "1", false),
            (Some("1"), Until::Through("1"), "1.0", false),
            (Some("1"), Until::Through("1"), "1-0", true),
        ] {
            assert_eq!(
                inside(from, until, version),
                Some(expected),
                "{from:?} {until:?} {version}"
            );
        }
    }

    #[test]
    fn no_bound_tells_anything_about_a_branch() {
        let inside = |from, until| Interval { from, until }.contains(Scheme::Composer, "dev-main");
        assert_eq!(inside(None, Until::Before("2.0")), None);
        assert_eq!(inside(Some("1.0"), Until::Before("2.0")), None);
        assert_eq!(inside(Some("1.0"), Until::Forever), None);
        assert_eq!(inside(None, Until::Forever), Some(true));
    }

    #[test]
    fn what_cannot_be_compared_is_neither_inside_nor_outside() {
        assert_eq!(inside(None, Until::Before("2"), "what?"), None);
        assert_eq!(inside(Some("what?"), Until::Forever, "1"), None);
        assert_eq!(inside(Some("1"), Until::Before("what?"), "2"), None);
    }

    #[test]
    fn one_bound_that_excludes_decides() {
        assert_eq!(inside(Some("2"), Until::Before("what?"), "1"), Some(false));
        assert_eq!(inside(Some("what?"), Until::Before("1"), "1"), Some(false));
    }

    #[test]
    fn an_interval_without_bounds_holds_every_text() {
        assert_eq!(inside(None, Until::Forever, "what?"), Some(true));
    }

    #[test]
    fn a_verbatim_bound_matches_only_itself() {
        let one = Interval {
            from: Some("blue"),
            until: Until::Through("blue"),
        };
        assert_eq!(one.contains(Scheme::Verbatim, "blue"), Some(true));
        assert_eq!(one.contains(Scheme::Verbatim, "red"), None);
    }
}
