//! The schemes, and the one place that sends a text to its rules.

mod alpm;
mod apk;
mod bitnami;
mod cargo;
mod composer;
mod cran;
mod dart;
mod dpkg;
mod gem;
mod go;
mod hackage;
mod hex;
mod identifier;
mod invalid;
mod maven;
mod nuget;
mod pep440;
mod rpm;
mod semver;
#[cfg(test)]
mod table;
mod triple;

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
    /// RPM packages, `[epoch:]version[-release]`, as rpm orders a package and what
    /// another one requires. A missing epoch is zero, and a missing release stands
    /// for any: `1.0` is both `1.0-1` and `1.0-2`, so the order is only transitive
    /// among versions that all have a release, or none.
    Rpm,
    /// Alpine packages, as `apk version` of apk-tools 3 orders them.
    Apk,
    /// Semantic Versioning 2.0.0, as npm's `semver` reads it without `loose`: a `v`
    /// in front is forgiven.
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
    /// Ruby gems, as `Gem::Version` orders them.
    Gem,
    /// PHP packages, as composer/semver reads them and PHP's `version_compare`
    /// orders them. A branch such as `dev-main` is older than any version, and
    /// equal to any branch, as in Composer's `Comparator`; no [`Interval`](crate::Interval)
    /// tells anything about it.
    Composer,
    /// .NET packages, as `NuGet.Versioning` orders them: four numbers, no regard
    /// to case.
    NuGet,
    /// Elixir and Erlang packages: Semantic Versioning 2.0.0 as Elixir's `Version`
    /// reads it.
    Hex,
    /// Dart packages, as `pub_semver` orders them: build metadata counts.
    Pub,
    /// Arch Linux packages, as libalpm's `vercmp` orders them. As with rpm, a
    /// missing release stands for any.
    Alpm,
    /// Bitnami's packages, as `bitnami/go-version` orders them: what follows the
    /// hyphen is a revision, newer than none.
    Bitnami,
    /// Rust crates: Semantic Versioning 2.0.0 as Cargo's `semver` reads it.
    Cargo,
    /// R packages, as R's `numeric_version` orders them.
    Cran,
    /// Haskell packages, as Cabal orders them.
    Hackage,
    /// No order at all: two texts are the same version or nothing can be said.
    Verbatim,
}

impl Scheme {
    /// Every scheme, in declaration order.
    pub const ALL: [Self; 18] = [
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Semver,
        Self::Pep440,
        Self::Maven,
        Self::Go,
        Self::Gem,
        Self::Composer,
        Self::NuGet,
        Self::Hex,
        Self::Pub,
        Self::Alpm,
        Self::Bitnami,
        Self::Cargo,
        Self::Cran,
        Self::Hackage,
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
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::NuGet => "nuget",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Alpm => "alpm",
            Self::Bitnami => "bitnami",
            Self::Cargo => "cargo",
            Self::Cran => "cran",
            Self::Hackage => "hackage",
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
                Self::Gem => gem::check(text),
                Self::Composer => composer::check(text),
                Self::NuGet => nuget::check(text),
                Self::Hex => hex::check(text),
                Self::Pub => dart::check(text),
                Self::Alpm => alpm::check(text),
                Self::Bitnami => bitnami::check(text),
                Self::Cargo => cargo::check(text),
                Self::Cran => cran::check(text),
                Self::Hackage => hackage::check(text),
                Self::Verbatim => Ok(()),
            }
        };
        checked.map_err(|reason| InvalidVersion::of(self, text, reason))
    }

    /// Whether the order of the scheme says nothing about the code behind `text`,
    /// although it has a place for it: a branch of Composer's moves on.
    pub(crate) fn is_adrift(self, text: &str) -> bool {
        self == Self::Composer && text.len() <= MAX_LENGTH && composer::is_branch(text)
    }

    /// Sorts `items` stably by the version that `version` finds in each; what does
    /// not compare stays where it is.
    ///
    /// The standard library's sort may panic at an order that is not transitive,
    /// and some schemes' orders are not (see the crate's story). Each item goes to
    /// its place among those before: meant for the few versions of one record.
    pub fn sort_by_version<T>(self, items: &mut [T], version: impl Fn(&T) -> Option<&str>) {
        for length in 1..items.len() {
            let (sorted, rest) = items.split_at(length);
            let Some(item) = rest.first() else { break };
            let at = sorted.partition_point(|it| {
                let order = match (version(it), version(item)) {
                    (None, None) => Some(Ordering::Equal),
                    (None, Some(_)) => Some(Ordering::Less),
                    (Some(_), None) => Some(Ordering::Greater),
                    (Some(a), Some(b)) => self.compare(a, b),
                };
                order != Some(Ordering::Greater)
            });
            if let Some(moved) = items.get_mut(at..=length) {
                moved.rotate_right(1);
            }
        }
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
            Self::Gem => gem::compare(a, b),
            Self::Composer => composer::compare(a, b),
            Self::NuGet => nuget::compare(a, b),
            Self::Hex => hex::compare(a, b),
            Self::Pub => dart::compare(a, b),
            Self::Alpm => alpm::compare(a, b),
            Self::Bitnami => bitnami::compare(a, b),
            Self::Cargo => cargo::compare(a, b),
            Self::Cran => cran::compare(a, b),
            Self::Hackage => hackage::compare(a, b),
            Self::Verbatim => (a == b).then_some(Ordering::Equal),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
