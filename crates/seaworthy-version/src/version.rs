//! A version: a text and the scheme it was written under.

use std::cmp::Ordering;
use std::fmt;

use crate::Scheme;

/// A version as it was seen, with the scheme that gives it meaning.
///
/// The text need not be valid under the scheme: an image may claim anything,
/// and a report must be able to say so. Equality is that of scheme and text;
/// `1.0` and `1.00` are two versions that [`Version::compare`] calls equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    scheme: Scheme,
    text: Box<str>,
}

impl Version {
    /// The version `text` under `scheme`, kept exactly as given.
    pub fn of(scheme: Scheme, text: impl Into<Box<str>>) -> Self {
        Self {
            scheme,
            text: text.into(),
        }
    }

    /// The scheme the text is read under.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The text as it was seen.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether this version has a place in the order of its scheme: the scheme
    /// has an order, and the text is valid under it. A branch of Composer's has
    /// none that tells how old its code is.
    pub fn is_ordered(&self) -> bool {
        self.scheme != Scheme::Verbatim
            && self.scheme.check(&self.text).is_ok()
            && !self.scheme.is_adrift(&self.text)
    }

    /// Orders two versions. `None` where the schemes differ or a text is not
    /// valid under its scheme.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.scheme != other.scheme {
            return None;
        }
        self.scheme.compare(&self.text, &other.text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_different_schemes_have_no_order() {
        let deb = Version::of(Scheme::Dpkg, "1.0");
        let rpm = Version::of(Scheme::Rpm, "1.0");
        assert_eq!(deb.compare(&rpm), None);
        assert_eq!(deb.compare(&deb), Some(Ordering::Equal));
        assert_ne!(deb, rpm);
    }

    #[test]
    fn a_version_outside_its_scheme_is_kept_and_unordered() {
        let odd = Version::of(Scheme::Semver, "not a version");
        assert_eq!(odd.to_string(), "not a version");
        assert!(!odd.is_ordered());
        assert_eq!(odd.compare(&odd), None);
        assert!(!Version::of(Scheme::Verbatim, "1.0").is_ordered());
    }

    #[test]
    fn equality_is_textual_where_order_is_not() {
        let short = Version::of(Scheme::Pep440, "1.0");
        let long = Version::of(Scheme::Pep440, "1.0.0");
        assert_eq!(short.compare(&long), Some(Ordering::Equal));
        assert_ne!(short, long);
    }
}
