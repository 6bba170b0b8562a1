//! The worlds advisories speak of.

use std::fmt;

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
