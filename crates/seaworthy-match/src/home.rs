//! Where advisories about a package live.

use std::borrow::Cow;

use seaworthy_core::{Distro, Ecosystem, Package, PackageType, Version};

/// One lookup: this name in this ecosystem, compared with this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lookup<'a> {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: Cow<'a, str>,
    pub(crate) version: &'a Version,
}

/// What an ecosystem's advisories call a package.
#[derive(Clone, Copy)]
enum Speaks {
    /// The source package: Debian, Alpine and their relatives.
    OfSources,
    /// The binary package: Rocky Linux and its siblings.
    OfBinaries,
}

/// The lookup that answers for `package`, or a label for people that says which
/// packages these are that no ecosystem we know speaks of.
pub(crate) fn home<'a>(
    package: &'a Package,
    distro: Option<&Distro>,
) -> Result<Lookup<'a>, String> {
    let language = |family: &str| Lookup {
        ecosystem: Ecosystem::family_only(family),
        name: Cow::Borrowed(&*package.name),
        version: &package.version,
    };
    match &package.kind {
        PackageType::Apk | PackageType::Deb | PackageType::Rpm => os_home(package, distro),
        PackageType::Cargo => Ok(language("crates.io")),
        PackageType::Composer => Ok(language("Packagist")),
        PackageType::Gem => Ok(language("RubyGems")),
        // Feeds keep Go's names in lower case, as package URLs do.
        PackageType::Golang => Ok(Lookup {
            name: package.name.to_lowercase().into(),
            ..language("Go")
        }),
        PackageType::Hex => Ok(language("Hex")),
        // Without a group id nobody can say whose artifact it is.
        PackageType::Maven if !package.name.contains(':') => {
            Err("maven (group not recorded)".to_owned())
        }
        PackageType::Maven => Ok(language("Maven")),
        PackageType::Npm => Ok(language("npm")),
        PackageType::NuGet => Ok(language("NuGet")),
        PackageType::Pub => Ok(language("Pub")),
        PackageType::PyPi => Ok(language("PyPI")),
        PackageType::Other(spelling) => Err(format!("{spelling} (no known ecosystem)")),
    }
}

fn os_home<'a>(package: &'a Package, distro: Option<&Distro>) -> Result<Lookup<'a>, String> {
    let kind = package.kind.purl_type();
    let Some(distro) = distro else {
        return Err(format!("{kind} (distribution not stated)"));
    };
    let Some((ecosystem, speaks)) = os_ecosystem(&package.kind, distro) else {
        let version = distro.version_id.as_deref().unwrap_or("without a version");
        return Err(format!("{kind} on {} {version}", distro.id));
    };
    Ok(match (speaks, &package.source) {
        (Speaks::OfSources, Some(source)) => Lookup {
            ecosystem,
            name: Cow::Borrowed(&*source.name),
            version: &source.version,
        },
        (Speaks::OfSources, None) | (Speaks::OfBinaries, _) => Lookup {
            ecosystem,
            name: Cow::Borrowed(&*package.name),
            version: &package.version,
        },
    })
}

/// The OSV ecosystem of a distribution's own packages. A package type that is
/// not the distribution's own (an rpm on Debian) has none.
fn os_ecosystem(kind: &PackageType, distro: &Distro) -> Option<(Ecosystem, Speaks)> {
    let version = distro.version_id.as_deref();
    let major = version
        .and_then(|version| version.split('.').next())
        .filter(|it| !it.is_empty());
    let release = |family: &str, release: Option<&str>| {
        release.map(|release| Ecosystem::of_release(family, release))
    };
    let (ecosystem, speaks) = match (kind, &*distro.id) {
        (PackageType::Deb, "debian") => (release("Debian", major)?, Speaks::OfSources),
        (PackageType::Deb, "ubuntu") => (release("Ubuntu", version)?, Speaks::OfSources),
        (PackageType::Apk, "alpine") => {
            let mut parts = version?.splitn(3, '.');
            let branch = format!("v{}.{}", parts.next()?, parts.next()?);
            // `3.21_alpha…` is edge, which no released branch speaks for.
            if branch.contains('_') {
                return None;
            }
            (Ecosystem::of_release("Alpine", &branch), Speaks::OfSources)
        }
        (PackageType::Apk, "wolfi") => (Ecosystem::family_only("Wolfi"), Speaks::OfSources),
        (PackageType::Apk, "chainguard") => {
            (Ecosystem::family_only("Chainguard"), Speaks::OfSources)
        }
        (PackageType::Apk, "minimos") => (Ecosystem::family_only("MinimOS"), Speaks::OfSources),
        (PackageType::Rpm, "almalinux") => (release("AlmaLinux", major)?, Speaks::OfBinaries),
        (PackageType::Rpm, "rocky") => (release("Rocky Linux", major)?, Speaks::OfBinaries),
        _ => return None,
    };
    Some((ecosystem, speaks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{distro, package};
    use seaworthy_core::{Scheme, SourcePackage};

    fn ask(kind: &str, name: &str, os: Option<(&str, &str)>) -> String {
        let mut package = package(kind, name, "1");
        if kind == "deb" || kind == "apk" {
            let scheme = package.version.scheme();
            package.source = Some(SourcePackage {
                name: "src".into(),
                version: Version::of(scheme, "0"),
            });
        }
        let distro = os.map(|(id, version)| distro(id, version));
        match home(&package, distro.as_ref()) {
            Ok(it) => format!("{} {} {}", it.ecosystem, it.name, it.version),
            Err(label) => format!("none: {label}"),
        }
    }

    #[test]
    fn each_package_is_looked_up_where_its_advisories_live() {
        for (kind, name, os, answer) in [
            (
                "deb",
                "libssl3",
                Some(("debian", "12.5")),
                "Debian:12 src 0",
            ),
            (
                "deb",
                "libssl3",
                Some(("ubuntu", "22.04")),
                "Ubuntu:22.04 src 0",
            ),
            (
                "apk",
                "libssl3",
                Some(("alpine", "3.20.3")),
                "Alpine:v3.20 src 0",
            ),
            ("apk", "libssl3", Some(("wolfi", "20230201")), "Wolfi src 0"),
            (
                "rpm",
                "openssl-libs",
                Some(("almalinux", "9.3")),
                "AlmaLinux:9 openssl-libs 1",
            ),
            ("npm", "lodash", None, "npm lodash 1"),
            ("maven", "a:b", None, "Maven a:b 1"),
            ("golang", "stdlib", None, "Go stdlib 1"),
        ] {
            assert_eq!(ask(kind, name, os), answer);
        }
    }

    #[test]
    fn a_package_without_a_home_says_which_it_is() {
        for (kind, name, os, answer) in [
            ("deb", "x", None, "none: deb (distribution not stated)"),
            (
                "deb",
                "x",
                Some(("kali", "2024.1")),
                "none: deb on kali 2024.1",
            ),
            ("rpm", "x", Some(("debian", "12")), "none: rpm on debian 12"),
            (
                "apk",
                "x",
                Some(("alpine", "3.21_alpha1")),
                "none: apk on alpine 3.21_alpha1",
            ),
            (
                "deb",
                "x",
                Some(("debian", "")),
                "none: deb on debian without a version",
            ),
            ("maven", "b", None, "none: maven (group not recorded)"),
            ("swift", "b", None, "none: swift (no known ecosystem)"),
        ] {
            assert_eq!(ask(kind, name, os), answer);
        }
        assert_eq!(
            package("swift", "b", "1").version.scheme(),
            Scheme::Verbatim
        );
    }
}
