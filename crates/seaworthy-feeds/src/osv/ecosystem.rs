//! How the schema's databases spell ecosystems and names, and how we do.

use seaworthy_core::{Ecosystem, Scheme};

use crate::red_hat::red_hat_ecosystem;

/// The ecosystem as Seaworthy names it.
///
/// A release is named as an image names it, whatever the database adds: support
/// (`Ubuntu:22.04:LTS` is `Ubuntu:22.04`), repository
/// (`Red Hat:enterprise_linux:9::appstream` is `Red Hat:9`) or product
/// (`SUSE:Linux Enterprise Server 15 SP5` is `SUSE:15.5`). A registry's address
/// after `Maven:` or `Packagist:` says where a package was fetched, which an
/// installed one does not tell.
pub(super) fn ecosystem(text: &str) -> Ecosystem {
    let parsed = Ecosystem::parse(text);
    let Some(release) = parsed.release() else {
        return parsed;
    };
    let release = match parsed.family() {
        "Ubuntu" => release.strip_suffix(":LTS").map(str::to_owned),
        // From its fourth release on, Debian counts in whole numbers.
        "Debian" => release
            .strip_suffix(".0")
            .filter(|number| !matches!(*number, "1" | "2" | "3"))
            .map(str::to_owned),
        "Red Hat" => {
            let named = red_hat_ecosystem(&format!("cpe:/a:redhat:{release}"));
            return named.unwrap_or(parsed);
        }
        "SUSE" => suse(release),
        "openSUSE" => release
            .strip_prefix("Leap ")
            .filter(|rest| is_number(rest))
            .map(str::to_owned),
        family @ ("Maven" | "Packagist") if release.contains("://") => {
            return Ecosystem::family_only(family);
        }
        _ => None,
    };
    match release {
        Some(release) => Ecosystem::of_release(parsed.family(), &release),
        None => parsed,
    }
}

/// The release of SUSE Linux Enterprise that `product` belongs to: their packages
/// are the same whatever the module, the purpose and the length of support.
/// `None` for products of another kind.
fn suse(product: &str) -> Option<String> {
    for micro in ["Linux Enterprise Micro ", "Linux Micro "] {
        if let Some(version) = product.strip_prefix(micro) {
            let number = version.split(['-', ' ']).next()?;
            return is_number(number).then(|| format!("Micro {number}"));
        }
    }
    let name = ["Linux Enterprise ", "Package Hub "]
        .iter()
        .find_map(|start| product.strip_prefix(start))?;
    let is_module = product.starts_with("Package Hub ") || name.starts_with("Module for ");
    if name.to_ascii_lowercase().contains("teradata") {
        return None;
    }
    // `Server 12 SP5`, `Server 15 SP3-LTSS`, `Server 15-LTSS`, `Server 16.0`.
    let mut words = name.split([' ', '-']).skip_while(|word| !is_number(word));
    let version = words.next()?;
    let pack = words.next().and_then(|word| word.strip_prefix("SP"));
    Some(match pack.filter(|pack| is_number(pack)) {
        Some(pack) => format!("{version}.{pack}"),
        // They belong to none of the service packs.
        None if is_module && version == "12" => "modules:12".to_owned(),
        None => version.to_owned(),
    })
}

/// Digits, perhaps with dots between.
fn is_number(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A package's name in the canonical spelling of its ecosystem.
pub(super) fn canonical_name(family: &str, name: &str) -> Box<str> {
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
        // An address of a repository, with or without the way to it.
        "SwiftURL" => {
            let name = name.to_lowercase();
            let bare = name.split_once("://").map_or(&*name, |(_, rest)| rest);
            let bare = bare.trim_end_matches('/');
            bare.strip_suffix(".git").unwrap_or(bare).into()
        }
        // Go's own names have case, but many documents write them without, and no
        // two modules differ in nothing else.
        "Go" | "NuGet" | "Packagist" | "GitHub Actions" | "VSCode" => name.to_lowercase().into(),
        _ => name.into(),
    }
}

/// Whether a package of this family holds what debuggers need and nothing that
/// runs.
pub(super) fn is_for_debugging(family: &str, name: &str) -> bool {
    Ecosystem::family_only(family).scheme() == Scheme::Rpm
        && (name.ends_with("-debuginfo")
            || name.ends_with("-debugsource")
            || name.contains("-debuginfo-"))
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
            (
                "Ubuntu:Pro:22.04:LTS:Realtime:Kernel",
                "Ubuntu:Pro:22.04:LTS:Realtime:Kernel",
            ),
            ("Alpine:v3.20", "Alpine:v3.20"),
            ("Debian:12", "Debian:12"),
            ("Debian:6.0", "Debian:6"),
            ("Debian:3.1", "Debian:3.1"),
            ("Debian:3.0", "Debian:3.0"),
            ("Rocky Linux:9", "Rocky Linux:9"),
            ("openEuler:20.03-LTS", "openEuler:20.03-LTS"),
            ("Packagist:https://packages.drupal.org/8", "Packagist"),
            ("Maven:https://maven.google.com", "Maven"),
            ("npm", "npm"),
            ("Red Hat:enterprise_linux:9::appstream", "Red Hat:9"),
            ("Red Hat:enterprise_linux:10.1", "Red Hat:10"),
            ("Red Hat:rhel_eus:8.8::baseos", "Red Hat:eus:8.8"),
            ("Red Hat:rhel_e4s:8.6::appstream", "Red Hat:e4s:8.6"),
            ("Red Hat:rhel_aus:8.6::appstream", "Red Hat:aus:8.6"),
            ("Red Hat:rhel_tus:8.6::appstream", "Red Hat:tus:8.6"),
            ("Red Hat:enterprise_linux_eus:10.0", "Red Hat:eus:10.0"),
            ("Red Hat:ocp_tools:4.15::el9", "Red Hat:ocp_tools:4.15:el9"),
            ("Red Hat:openshift:4.12", "Red Hat:openshift:4.12"),
            ("Red Hat:what", "Red Hat:what"),
            ("Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:"),
            ("SUSE:Linux Enterprise Server 15 SP5", "SUSE:15.5"),
            ("SUSE:Linux Enterprise Server 15-LTSS", "SUSE:15"),
            ("SUSE:Linux Enterprise Server 16.0", "SUSE:16.0"),
            (
                "SUSE:Linux Enterprise Module for Basesystem 15 SP6",
                "SUSE:15.6",
            ),
            (
                "SUSE:Linux Enterprise High Performance Computing 15 SP3-LTSS",
                "SUSE:15.3",
            ),
            (
                "SUSE:Linux Enterprise Server for SAP Applications 12 SP5",
                "SUSE:12.5",
            ),
            (
                "SUSE:Linux Enterprise Server 11 SP3-TERADATA",
                "SUSE:Linux Enterprise Server 11 SP3-TERADATA",
            ),
            ("SUSE:Linux Enterprise Micro 5.5", "SUSE:Micro 5.5"),
            ("SUSE:Linux Micro 6.1", "SUSE:Micro 6.1"),
            ("SUSE:Package Hub 12", "SUSE:modules:12"),
            (
                "SUSE:Linux Enterprise Module for Public Cloud 12",
                "SUSE:modules:12",
            ),
            ("SUSE:Package Hub 15 SP5", "SUSE:15.5"),
            ("SUSE:Manager Server 4.3", "SUSE:Manager Server 4.3"),
            (
                "SUSE:Linux Enterprise Server",
                "SUSE:Linux Enterprise Server",
            ),
            ("openSUSE:Leap 15.5", "openSUSE:15.5"),
            ("openSUSE:Leap Micro 5.5", "openSUSE:Leap Micro 5.5"),
            ("openSUSE:Tumbleweed", "openSUSE:Tumbleweed"),
            ("Azure Linux:3", "Azure Linux:3"),
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
            (
                "SwiftURL",
                "https://github.com/Vapor/vapor.git",
                "github.com/vapor/vapor",
            ),
            (
                "SwiftURL",
                "github.com/apple/swift-nio",
                "github.com/apple/swift-nio",
            ),
            ("VSCode", "Some.Extension", "some.extension"),
        ] {
            assert_eq!(&*canonical_name(family, name), expected);
        }
    }

    #[test]
    fn what_only_debuggers_need_is_known_by_its_name() {
        for (family, name, expected) in [
            ("Red Hat", "bash-debuginfo", true),
            ("Rocky Linux", "bash-debugsource", true),
            ("AlmaLinux", "kernel-debuginfo-common-x86_64", true),
            ("AlmaLinux", "kernel-debug", false),
            ("npm", "what-debuginfo", false),
        ] {
            assert_eq!(is_for_debugging(family, name), expected, "{name}");
        }
    }
}
