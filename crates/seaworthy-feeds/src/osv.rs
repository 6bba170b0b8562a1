//! Records in the OSV schema, one by one and as bulk exports.
//!
//! The schema's evaluation is kept to the letter: the events of a range, sorted
//! by version, switch "affected" on and off, and what they leave on becomes
//! intervals. Ranges of commits say nothing about installed packages and are
//! left out; so is everything a withdrawn record once said.

mod export;
mod kind;
mod range;
mod rating;
mod record;

use seaworthy_core::{Ecosystem, Scheme};

pub use self::export::{ExportError, Exported, Limits, read_export};
pub(crate) use self::kind::is_cve;
pub(crate) use self::rating::{of_vector, of_word};
pub use self::record::{OsvError, parse_record};
pub(crate) use self::record::{is_id, links, one_line};

/// How versions of an ecosystem's family are ordered: see [`Ecosystem::scheme`].
pub fn scheme_of(family: &str) -> Scheme {
    Ecosystem::family_only(family).scheme()
}

/// The ecosystem as Seaworthy names it.
///
/// `Ubuntu:22.04:LTS` is `Ubuntu:22.04`: a release is long-term or not, that
/// does not make it another. A registry's address after `Maven:` or `Packagist:`
/// says where a package was fetched, which an installed one does not tell.
fn ecosystem(text: &str) -> Ecosystem {
    let parsed = Ecosystem::parse(text);
    match (parsed.family(), parsed.release()) {
        ("Ubuntu", Some(release)) => {
            let release = release.strip_suffix(":LTS").unwrap_or(release);
            Ecosystem::of_release("Ubuntu", release)
        }
        (family @ ("Maven" | "Packagist"), Some(address)) if address.contains("://") => {
            Ecosystem::family_only(family)
        }
        _ => parsed,
    }
}

/// A package's name in the canonical spelling of its ecosystem.
fn canonical_name(family: &str, name: &str) -> Box<str> {
    match family {
        // PEP 503: runs of `-`, `_` and `.` are one `-`.
        "PyPI" => {
            let mut canonical = String::with_capacity(name.len());
            for character in name.chars() {
                if !matches!(character, '-' | '_' | '.') {
                    canonical.extend(character.to_lowercase());
                } else if !canonical.ends_with('-') {
                    canonical.push('-');
                }
            }
            canonical.into()
        }
        // Go's own names have case, but many documents write them without, and no
        // two modules differ in nothing else.
        "Go" | "NuGet" | "Packagist" => name.to_lowercase().into(),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ecosystem_is_spelled_as_an_image_can_ask_for_it() {
        for (text, expected) in [
            ("Ubuntu:22.04:LTS", "Ubuntu:22.04"),
            ("Ubuntu:25.10", "Ubuntu:25.10"),
            ("Ubuntu:Pro:22.04:LTS", "Ubuntu:Pro:22.04"),
            ("Ubuntu:Pro:FIPS:18.04:LTS", "Ubuntu:Pro:FIPS:18.04"),
            ("Alpine:v3.20", "Alpine:v3.20"),
            ("Debian:12", "Debian:12"),
            ("Rocky Linux:9", "Rocky Linux:9"),
            ("openEuler:20.03-LTS", "openEuler:20.03-LTS"),
            ("Packagist:https://packages.drupal.org/8", "Packagist"),
            ("Maven:https://maven.google.com", "Maven"),
            ("npm", "npm"),
        ] {
            assert_eq!(ecosystem(text).to_string(), expected);
        }
    }

    #[test]
    fn a_name_is_spelled_canonically() {
        for (family, name, expected) in [
            ("PyPI", "Zope.Interface", "zope-interface"),
            ("PyPI", "a-_.b", "a-b"),
            ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
            ("Packagist", "Drupal/Core", "drupal/core"),
            ("npm", "JSONStream", "JSONStream"),
            (
                "Go",
                "github.com/Masterminds/vcs",
                "github.com/masterminds/vcs",
            ),
            ("Maven", "org.apache:Log4j", "org.apache:Log4j"),
        ] {
            assert_eq!(&*canonical_name(family, name), expected);
        }
    }
}
