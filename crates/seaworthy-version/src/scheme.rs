//! The schemes, and the one place that sends a text to its rules.

mod apk;
mod dpkg;
mod go;
mod identifier;
mod invalid;
mod maven;
mod pep440;
mod rpm;
mod semver;
#[cfg(test)]
mod table;

use std::cmp::Ordering;
use std::fmt;

pub use self::invalid::InvalidVersion;
use crate::text::{MAX_LENGTH, TOO_LONG};

/// A way to write and order versions, each with the tool that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// Debian packages, as `dpkg --compare-versions` orders them. A text that
    /// dpkg only warns about is not a version here.
    Dpkg,
    /// RPM packages, `[epoch:]version[-release]`, as rpm's `labelCompare` orders
    /// them. A missing epoch is zero, and a missing release is older than any
    /// release: `1.0` is before `1.0-1`.
    Rpm,
    /// Alpine packages, as `apk version` of apk-tools 3 orders them.
    Apk,
    /// Semantic Versioning 2.0.0, as npm's `semver` reads it without `loose`.
    Semver,
    /// Python packages, as `packaging.version.Version` orders them. Versions
    /// from before PEP 440 are not versions.
    Pep440,
    /// Maven artifacts, as `ComparableVersion` of Maven 3.8 orders them. Every
    /// text is a version, and the order is Maven's own: it is not transitive
    /// where a qualifier after a dot meets one after a hyphen.
    Maven,
    /// Go modules, as `golang.org/x/mod/semver` orders them; the leading `v` may
    /// be missing.
    Go,
    /// No order at all: two texts are the same version or nothing can be said.
    Verbatim,
}

impl Scheme {
    /// Every scheme, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Semver,
        Self::Pep440,
        Self::Maven,
        Self::Go,
        Self::Verbatim,
    ];

    /// The stable lowercase name, as stored in editions and printed in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Semver => "semver",
            Self::Pep440 => "pep440",
            Self::Maven => "maven",
            Self::Go => "go",
            Self::Verbatim => "verbatim",
        }
    }

    /// The scheme with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Whether `text` is a version under this scheme.
    pub fn check(self, text: &str) -> Result<(), InvalidVersion> {
        let checked = if text.len() > MAX_LENGTH {
            Err(TOO_LONG)
        } else {
            match self {
                Self::Dpkg => dpkg::check(text),
                Self::Rpm => rpm::check(text),
                Self::Apk => apk::check(text),
                Self::Semver => semver::check(text),
                Self::Pep440 => pep440::check(text),
                Self::Maven => maven::check(text),
                Self::Go => go::check(text),
                Self::Verbatim => Ok(()),
            }
        };
        checked.map_err(|reason| InvalidVersion::of(self, text, reason))
    }

    /// Orders two texts. `None` where either is not a version under this scheme,
    /// and for [`Scheme::Verbatim`] where they differ.
    pub fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        if a.len() > MAX_LENGTH || b.len() > MAX_LENGTH {
            return None;
        }
        match self {
            Self::Dpkg => dpkg::compare(a, b),
            Self::Rpm => rpm::compare(a, b),
            Self::Apk => apk::compare(a, b),
            Self::Semver => semver::compare(a, b),
            Self::Pep440 => pep440::compare(a, b),
            Self::Maven => maven::compare(a, b),
            Self::Go => go::compare(a, b),
            Self::Verbatim => (a == b).then_some(Ordering::Equal),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
