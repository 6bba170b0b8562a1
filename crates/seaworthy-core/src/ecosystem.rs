//! The worlds advisories speak of.

use std::fmt;

use crate::Scheme;

/// An ecosystem in the sense of the OSV schema: a family, and for operating
/// systems a release. Written `npm`, `Debian:12`, `Alpine:v3.20`.
///
/// Families are open: one we do not know is kept and simply never asked for.
/// Where the export qualifies a release further (`Ubuntu:22.04:LTS`), the feed
/// that reads it decides what of that is part of the release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ecosystem {
    family: Box<str>,
    release: Option<Box<str>>,
}

impl Ecosystem {
    /// The ecosystem `family` without releases, such as `npm`.
    pub fn family_only(family: &str) -> Self {
        Self {
            family: family.into(),
            release: None,
        }
    }

    /// One release of an operating system.
    pub fn of_release(family: &str, release: &str) -> Self {
        Self {
            family: family.into(),
            release: Some(release.into()),
        }
    }

    /// Splits `family[:release]` at the first colon.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((family, release)) if !release.is_empty() => Self::of_release(family, release),
            Some((family, _)) => Self::family_only(family),
            None => Self::family_only(text),
        }
    }

    /// `Debian` of `Debian:12`.
    pub fn family(&self) -> &str {
        &self.family
    }

    /// How the versions of this ecosystem are ordered.
    ///
    /// Where an ecosystem has no tool of its own that decides, it has the scheme its
    /// registry asks for: Swift packages and extensions of editors are semantic
    /// versions, and so are releases of GitHub's actions. opam orders as Debian does.
    /// Software named by platform names (`cpe`) is compared as rpm compares.
    /// What no feed of ours speaks of, such as Julia, whose versions order build
    /// metadata by rules of its own, is [`Scheme::Verbatim`], and so are commits.
    pub fn scheme(&self) -> Scheme {
        match &*self.family {
            "npm" | "DHI" | "Node.js" | "SwiftURL" | "VSCode" | "GitHub Actions" => Scheme::Semver,
            "crates.io" => Scheme::Cargo,
            "PyPI" => Scheme::Pep440,
            "Maven" => Scheme::Maven,
            "Go" => Scheme::Go,
            "RubyGems" | "Ruby" => Scheme::Gem,
            "Packagist" => Scheme::Composer,
            "NuGet" => Scheme::NuGet,
            "Hex" => Scheme::Hex,
            "Pub" => Scheme::Pub,
            "Bitnami" => Scheme::Bitnami,
            "CRAN" | "Bioconductor" => Scheme::Cran,
            "Hackage" | "GHC" => Scheme::Hackage,
            "Debian" | "Ubuntu" | "Echo" | "opam" => Scheme::Dpkg,
            "Alpine"
            | "Wolfi"
            | "Chainguard"
            | "MinimOS"
            | "Alpaquita"
            | "BellSoft Hardened Containers"
            | "CleanStart" => Scheme::Apk,
            "AlmaLinux" | "Amazon Linux" | "Azure Linux" | "Bottlerocket" | "Fedora" | "Mageia"
            | "Oracle Linux" | "Photon OS" | "Red Hat" | "Rocky Linux" | "SUSE" | "openEuler"
            | "openSUSE" => Scheme::Rpm,
            "Arch Linux" => Scheme::Alpm,
            _ => Scheme::Verbatim,
        }
    }

    /// `12` of `Debian:12`.
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.release {
            Some(release) => write!(formatter, "{}:{release}", self.family),
            None => formatter.write_str(&self.family),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_ordered_as_its_family_is() {
        for (text, expected) in [
            ("RubyGems", Scheme::Gem),
            ("Debian:12", Scheme::Dpkg),
            ("Packagist:https://packages.drupal.org/8", Scheme::Composer),
            ("Julia", Scheme::Verbatim),
            ("GIT", Scheme::Verbatim),
        ] {
            assert_eq!(Ecosystem::parse(text).scheme(), expected, "{text}");
        }
    }

    #[test]
    fn an_ecosystem_splits_at_its_first_colon() {
        for text in [
            "npm",
            "Debian:12",
            "SUSE:Linux Enterprise Server 15 SP5",
            "Ubuntu:Pro:22.04",
        ] {
            assert_eq!(Ecosystem::parse(text).to_string(), text);
        }
        assert_eq!(
            Ecosystem::parse("Ubuntu:Pro:22.04").release(),
            Some("Pro:22.04")
        );
        assert_eq!(
            Ecosystem::parse("Debian:"),
            Ecosystem::family_only("Debian")
        );
    }
}
