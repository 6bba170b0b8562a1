//! What people call a scheme.

use seaworthy_core::{Ecosystem, PackageType, Scheme};

/// Names that people use beside the types of package URLs.
const NAMES: [(&str, Scheme); 5] = [
    ("crates", Scheme::Cargo),
    ("go", Scheme::Go),
    ("mvn", Scheme::Maven),
    ("pacman", Scheme::Alpm),
    ("semver", Scheme::Semver),
];

/// The scheme that a user means by `name`.
pub(crate) fn named(name: &str) -> Result<Scheme, String> {
    let lowercase = name.to_ascii_lowercase();
    let by_name = NAMES
        .into_iter()
        .find(|(known, _)| *known == lowercase)
        .map(|(_, scheme)| scheme);
    let ordered = |scheme: Scheme| (scheme != Scheme::Verbatim).then_some(scheme);
    by_name
        .or_else(|| Scheme::from_name(&lowercase).and_then(ordered))
        .or_else(|| ordered(PackageType::from_purl_type(name).scheme()))
        .or_else(|| ordered(Ecosystem::parse(name).scheme()))
        .ok_or_else(|| {
            "known are apk, bitnami, composer, cran, crates, deb, gem, go, hackage, hex, mvn, npm, \
             nuget, opam, pacman, pub, pypi and rpm"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_goes_by_every_name_people_use() {
        for (name, expected) in [
            ("deb", Scheme::Dpkg),
            ("dpkg", Scheme::Dpkg),
            ("Debian", Scheme::Dpkg),
            ("opam", Scheme::Dpkg),
            ("rpm", Scheme::Rpm),
            ("apk", Scheme::Apk),
            ("mvn", Scheme::Maven),
            ("maven", Scheme::Maven),
            ("pypi", Scheme::Pep440),
            ("PyPI", Scheme::Pep440),
            ("npm", Scheme::Semver),
            ("semver", Scheme::Semver),
            ("gem", Scheme::Gem),
            ("RubyGems", Scheme::Gem),
            ("composer", Scheme::Composer),
            ("Packagist", Scheme::Composer),
            ("go", Scheme::Go),
            ("golang", Scheme::Go),
            ("nuget", Scheme::NuGet),
            ("hex", Scheme::Hex),
            ("pub", Scheme::Pub),
            ("pacman", Scheme::Alpm),
            ("alpm", Scheme::Alpm),
            ("crates", Scheme::Cargo),
            ("crates.io", Scheme::Cargo),
            ("cargo", Scheme::Cargo),
            ("bitnami", Scheme::Bitnami),
            ("cran", Scheme::Cran),
            ("hackage", Scheme::Hackage),
        ] {
            assert_eq!(named(name), Ok(expected), "{name}");
        }
        for name in ["", "verbatim", "what"] {
            assert!(named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_scheme_with_an_order_can_be_asked_for() {
        for expected in Scheme::ALL {
            if expected != Scheme::Verbatim {
                assert_eq!(named(expected.name()), Ok(expected));
            }
        }
    }
}
