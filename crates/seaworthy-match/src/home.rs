//! Where advisories about a package live.

use std::borrow::Cow;
use std::collections::BTreeSet;

use seaworthy_core::{Distro, Ecosystem, Package, PackageType, Version, rpm};

use crate::vendor::Own;

/// One lookup: this name in this ecosystem, compared with this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lookup<'a> {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: Cow<'a, str>,
    pub(crate) version: &'a Version,
    pub(crate) standing: Standing,
    pub(crate) scope: Scope,
}

/// What the answer of a lookup means for the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the answer.
    Own,
    /// A stream of a minor release that the image is on: its fixes count beside the
    /// mainline's, and one that is installed ends what the mainline leaves open.
    MinorStream,
    /// Fixes that only subscribers get. One that is installed ends the finding.
    Subscription,
}

/// Of which builds a name speaks where a distribution ships several streams of one
/// package, some of them built by modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Of this stream alone: all that is said is meant.
    Stream,
    /// Of all of them, and nobody recorded which stream is installed: its version
    /// tells, as far as it can.
    Any,
    /// Of all of them, and the installed stream is recorded: feeds that know streams
    /// mean another one.
    Rest,
}

/// What an ecosystem's advisories call a package.
#[derive(Clone, Copy)]
enum Speaks {
    /// The source package: Debian, Alpine and their relatives.
    OfSources,
    /// The binary package: everything made of rpms.
    OfBinaries,
}

/// Where the advisories about one package live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home<'a> {
    /// The lookup that covers the package.
    pub(crate) main: Lookup<'a>,
    /// Others that speak of it: sources, streams, subscriptions.
    pub(crate) others: Vec<Lookup<'a>>,
    /// A label for people where the package was not made by its distribution: then
    /// nobody but the user may speak of it.
    pub(crate) foreign: Option<String>,
}

/// The home of `package` in an image of `distro` that is on the minor release's
/// `streams` and whose `own` packages are known, or a label for people that says
/// which packages these are that no ecosystem we know speaks of.
pub(crate) fn home<'a>(
    package: &'a Package,
    distro: Option<&Distro>,
    streams: &BTreeSet<Ecosystem>,
    own: &Own,
) -> Result<Home<'a>, String> {
    let mut main = lookup(package, distro)?;
    let module = package
        .module
        .as_deref()
        .filter(|_| package.kind == PackageType::Rpm);
    if module.is_some() {
        main.scope = Scope::Rest;
    }
    let mut worlds = vec![(main.ecosystem.clone(), Standing::Own)];
    match (main.ecosystem.family(), main.ecosystem.release()) {
        ("Ubuntu", Some(release)) => worlds.push((
            Ecosystem::of_release("Ubuntu", &format!("Pro:{release}")),
            Standing::Subscription,
        )),
        ("Red Hat", Some(_)) => worlds.extend(
            streams
                .iter()
                .map(|stream| (stream.clone(), Standing::MinorStream)),
        ),
        // Modules of the twelfth release are the same for all of its service packs.
        ("SUSE", Some(release)) if release.starts_with("12.") => {
            worlds.push((Ecosystem::of_release("SUSE", "modules:12"), Standing::Own));
        }
        _ => {}
    }
    let names = names(package, &main, module);
    let all = worlds.into_iter().flat_map(|(ecosystem, standing)| {
        names.iter().map(move |(name, version, scope)| Lookup {
            ecosystem: ecosystem.clone(),
            name: name.clone(),
            version,
            standing,
            scope: *scope,
        })
    });
    // The first of all is the main one.
    let others = all.skip(1).collect();
    let foreign = own
        .foreign(package)
        .map(|vendor| format!("{} of vendor {vendor}", package.kind.purl_type()));
    Ok(Home {
        main,
        others,
        foreign,
    })
}

/// The names that advisories of the package's ecosystem may have for it, that of
/// `main` first.
fn names<'a>(
    package: &'a Package,
    main: &Lookup<'a>,
    module: Option<&str>,
) -> Vec<(Cow<'a, str>, &'a Version, Scope)> {
    let mut names = vec![(main.name.clone(), main.version, main.scope)];
    let both = speaks_of_both(&main.ecosystem);
    let source = package.source.as_ref().filter(|_| both);
    match module {
        // Only Red Hat names streams.
        Some(module) if main.ecosystem.family() == "Red Hat" => {
            let major = rpm::upstream_major(package.version.text());
            for stream in [module, major] {
                let name = format!("{stream}/{}", package.name);
                names.push((name.into(), &package.version, Scope::Stream));
            }
            names.extend(source.map(|source| {
                let name = format!("src:{module}/{}", source.name);
                (name.into(), &source.version, Scope::Stream)
            }));
        }
        _ => names.extend(source.map(|source| {
            let name = format!("src:{}", source.name);
            (name.into(), &source.version, main.scope)
        })),
    }
    names
}

/// The streams of its minor release that an image of Red Hat is on; other
/// distributions have none. A repository says which stream it is of, and `VERSION_ID`
/// which minor release the image is.
///
/// Repositories of the longer streams have the packages of the shorter one, too.
pub(crate) fn minor_streams(
    distro: Option<&Distro>,
    content_sets: &[Box<str>],
) -> BTreeSet<Ecosystem> {
    let mut streams: BTreeSet<String> = BTreeSet::new();
    let version = distro
        .filter(|distro| &*distro.id == "rhel")
        .and_then(|distro| distro.version_id.as_deref())
        .unwrap_or_default();
    let Some((major, _)) = version.split_once('.') else {
        return BTreeSet::new();
    };
    for name in content_sets {
        // Some names end in the minor release: `…-eus-rpms__8_DOT_4`.
        let (name, minor) = name.split_once("__").unwrap_or((name, ""));
        if !(minor.is_empty() || minor.replace("_DOT_", ".") == version) {
            continue;
        }
        let words: Vec<&str> = name.split('-').collect();
        if !words.windows(2).any(|pair| pair == ["rhel", major]) {
            continue;
        }
        for word in words {
            match word {
                "eus" => streams.extend([format!("eus:{version}")]),
                "aus" | "e4s" | "tus" => {
                    streams.extend([format!("{word}:{version}"), format!("eus:{version}")]);
                }
                "els" => streams.extend([format!("els:{major}")]),
                _ => {}
            }
        }
    }
    streams
        .iter()
        .map(|stream| Ecosystem::of_release("Red Hat", stream))
        .collect()
}

fn lookup<'a>(package: &'a Package, distro: Option<&Distro>) -> Result<Lookup<'a>, String> {
    let language = |family: &str| Lookup {
        ecosystem: Ecosystem::family_only(family),
        name: Cow::Borrowed(&*package.name),
        version: &package.version,
        standing: Standing::Own,
        scope: Scope::Any,
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
        PackageType::Other(spelling) => other_family(spelling)
            .map(language)
            .ok_or_else(|| format!("{spelling} (no known ecosystem)")),
    }
}

/// The family of a package type that has no probe yet and comes in documents only.
fn other_family(spelling: &str) -> Option<&'static str> {
    Some(match spelling {
        "bitnami" => "Bitnami",
        "cran" => "CRAN",
        "hackage" => "Hackage",
        "opam" => "opam",
        _ => return None,
    })
}

fn os_home<'a>(package: &'a Package, distro: Option<&Distro>) -> Result<Lookup<'a>, String> {
    let kind = package.kind.purl_type();
    let Some(distro) = distro else {
        return Err(format!("{kind} (distribution not stated)"));
    };
    let Some((mut ecosystem, speaks)) = os_ecosystem(&package.kind, distro) else {
        let version = distro.version_id.as_deref().unwrap_or("without a version");
        return Err(format!("{kind} on {} {version}", distro.id));
    };
    // Oracle's kernels that are patched while they run and its certified builds
    // have fixes of their own.
    if let ("Oracle Linux", Some(release)) = (ecosystem.family(), ecosystem.release()) {
        let version = package.version.text();
        let build = if version.contains(".ksplice") {
            Some("ksplice")
        } else {
            version.contains("_fips").then_some("fips")
        };
        if let Some(build) = build {
            ecosystem = Ecosystem::of_release("Oracle Linux", &format!("{build}:{release}"));
        }
    }
    Ok(match (speaks, &package.source) {
        (Speaks::OfSources, Some(source)) => Lookup {
            ecosystem,
            name: Cow::Borrowed(&*source.name),
            version: &source.version,
            standing: Standing::Own,
            scope: Scope::Any,
        },
        (Speaks::OfSources, None) | (Speaks::OfBinaries, _) => Lookup {
            ecosystem,
            name: Cow::Borrowed(&*package.name),
            version: &package.version,
            standing: Standing::Own,
            scope: Scope::Any,
        },
    })
}

/// The OSV ecosystem of a distribution's own packages. A package type that is
/// not the distribution's own (an rpm on Debian) has none.
fn os_ecosystem(kind: &PackageType, distro: &Distro) -> Option<(Ecosystem, Speaks)> {
    match kind {
        PackageType::Deb => Some((deb_ecosystem(distro)?, Speaks::OfSources)),
        PackageType::Apk => Some((apk_ecosystem(distro)?, Speaks::OfSources)),
        PackageType::Rpm => Some((rpm_ecosystem(distro)?, Speaks::OfBinaries)),
        _ => None,
    }
}

/// Whether some advisories of an ecosystem of rpms name source packages, which
/// they then write `src:openssl`.
fn speaks_of_both(ecosystem: &Ecosystem) -> bool {
    matches!(ecosystem.family(), "Red Hat" | "Azure Linux" | "Photon OS")
}

/// `9` of `9.4`; `None` of an empty text.
fn major(version: &str) -> Option<&str> {
    version.split('.').next().filter(|it| !it.is_empty())
}

fn deb_ecosystem(distro: &Distro) -> Option<Ecosystem> {
    let version = distro.version_id.as_deref().filter(|it| !it.is_empty());
    match (&*distro.id, version) {
        ("debian", Some(version)) => Some(Ecosystem::of_release("Debian", major(version)?)),
        // Unstable is the only Debian without a version that says who it is.
        ("debian", None) if distro.codename.as_deref() == Some("sid") => {
            Some(Ecosystem::of_release("Debian", "sid"))
        }
        ("ubuntu", Some(version)) => Some(Ecosystem::of_release("Ubuntu", version)),
        ("echo", _) => Some(Ecosystem::family_only("Echo")),
        _ => None,
    }
}

fn apk_ecosystem(distro: &Distro) -> Option<Ecosystem> {
    match &*distro.id {
        "alpine" => {
            let mut parts = distro.version_id.as_deref()?.splitn(3, '.');
            let branch = format!("v{}.{}", parts.next()?, parts.next()?);
            // `3.21_alpha20240923` is what edge calls itself.
            let release = if branch.contains("_alpha") {
                "edge"
            } else {
                &branch
            };
            (!release.contains('_')).then(|| Ecosystem::of_release("Alpine", release))
        }
        "wolfi" => Some(Ecosystem::family_only("Wolfi")),
        "chainguard" => Some(Ecosystem::family_only("Chainguard")),
        "minimos" => Some(Ecosystem::family_only("MinimOS")),
        _ => None,
    }
}

fn rpm_ecosystem(distro: &Distro) -> Option<Ecosystem> {
    let version = distro.version_id.as_deref().unwrap_or_default();
    let by_major = |family: &str| Some(Ecosystem::of_release(family, major(version)?));
    let by_version =
        |family: &str| (!version.is_empty()).then(|| Ecosystem::of_release(family, version));
    match &*distro.id {
        "rhel" => by_major("Red Hat"),
        // CentOS Linux was rebuilt from Red Hat's sources, release for release.
        // CentOS Stream runs ahead of them, and nobody publishes advisories for it.
        "centos" if !is_stream(distro) => by_major("Red Hat"),
        "almalinux" => by_major("AlmaLinux"),
        "rocky" => by_major("Rocky Linux"),
        "ol" => by_major("Oracle Linux"),
        // The first Amazon Linux counted its releases by month: `2018.03`.
        "amzn" => match version.split_once('.') {
            Some((year, _)) if year < "2022" => Some(Ecosystem::of_release("Amazon Linux", "1")),
            _ => by_major("Amazon Linux"),
        },
        "sles" | "sled" | "sle_hpc" | "sles_sap" => by_version("SUSE"),
        "sle-micro" | "sle-micro-rancher" | "sl-micro" | "suse-microos" if !version.is_empty() => {
            Some(Ecosystem::of_release("SUSE", &format!("Micro {version}")))
        }
        "opensuse-leap" => by_version("openSUSE"),
        "opensuse-leap-micro" if !version.is_empty() => Some(Ecosystem::of_release(
            "openSUSE",
            &format!("Leap Micro {version}"),
        )),
        "opensuse-tumbleweed" => Some(Ecosystem::of_release("openSUSE", "Tumbleweed")),
        "azurelinux" | "mariner" => by_major("Azure Linux"),
        "photon" => by_version("Photon OS"),
        "fedora" => by_version("Fedora"),
        "mageia" => by_version("Mageia"),
        _ => None,
    }
}

fn is_stream(distro: &Distro) -> bool {
    let named = |text: &str| text.contains("Stream");
    distro.pretty_name.as_deref().is_some_and(named)
        || distro
            .version_id
            .as_deref()
            .and_then(|version| version.parse::<u32>().ok())
            .is_some_and(|version| version >= 9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{distro, package};
    use seaworthy_core::{Scheme, SourcePackage};

    fn ask(kind: &str, name: &str, os: Option<(&str, &str)>) -> String {
        let mut package = package(kind, name, "1");
        if kind == "deb" || kind == "apk" || kind == "rpm" {
            let scheme = package.version.scheme();
            package.source = Some(SourcePackage {
                name: "src".into(),
                version: Version::of(scheme, "0"),
            });
        }
        let distro = os.map(|(id, version)| distro(id, version));
        match home(&package, distro.as_ref(), &BTreeSet::new(), &Own::default()) {
            Ok(it) => std::iter::once(it.main)
                .chain(it.others)
                .map(|it| format!("{} {} {}", it.ecosystem, it.name, it.version))
                .collect::<Vec<_>>()
                .join(", "),
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
                "Ubuntu:22.04 src 0, Ubuntu:Pro:22.04 src 0",
            ),
            ("deb", "libssl3", Some(("echo", "")), "Echo src 0"),
            (
                "apk",
                "libssl3",
                Some(("alpine", "3.21_alpha20240923")),
                "Alpine:edge src 0",
            ),
            (
                "rpm",
                "openssl-libs",
                Some(("rhel", "9.3")),
                "Red Hat:9 openssl-libs 1, Red Hat:9 src:src 0",
            ),
            (
                "rpm",
                "openssl-libs",
                Some(("centos", "8")),
                "Red Hat:8 openssl-libs 1, Red Hat:8 src:src 0",
            ),
            ("rpm", "curl", Some(("ol", "8.9")), "Oracle Linux:8 curl 1"),
            ("rpm", "curl", Some(("amzn", "2")), "Amazon Linux:2 curl 1"),
            (
                "rpm",
                "curl",
                Some(("amzn", "2018.03")),
                "Amazon Linux:1 curl 1",
            ),
            (
                "rpm",
                "curl",
                Some(("amzn", "2023")),
                "Amazon Linux:2023 curl 1",
            ),
            ("rpm", "curl", Some(("sles", "15.5")), "SUSE:15.5 curl 1"),
            (
                "rpm",
                "curl",
                Some(("sles", "12.5")),
                "SUSE:12.5 curl 1, SUSE:modules:12 curl 1",
            ),
            (
                "rpm",
                "curl",
                Some(("sl-micro", "6.0")),
                "SUSE:Micro 6.0 curl 1",
            ),
            (
                "rpm",
                "curl",
                Some(("opensuse-leap", "15.5")),
                "openSUSE:15.5 curl 1",
            ),
            (
                "rpm",
                "curl",
                Some(("opensuse-tumbleweed", "20240923")),
                "openSUSE:Tumbleweed curl 1",
            ),
            (
                "rpm",
                "curl",
                Some(("mariner", "2.0")),
                "Azure Linux:2 curl 1, Azure Linux:2 src:src 0",
            ),
            (
                "rpm",
                "curl",
                Some(("photon", "5.0")),
                "Photon OS:5.0 curl 1, Photon OS:5.0 src:src 0",
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
            ("bitnami", "nginx", None, "Bitnami nginx 1"),
            ("maven", "a:b", None, "Maven a:b 1"),
            ("golang", "stdlib", None, "Go stdlib 1"),
        ] {
            assert_eq!(ask(kind, name, os), answer);
        }
    }

    #[test]
    fn oracles_special_builds_have_fixes_of_their_own() {
        let oracle = distro("ol", "9.4");
        for (version, ecosystem) in [
            ("1:3.0.7-27.el9", "Oracle Linux:9"),
            ("10:3.0.7-27.0.3.el9_fips", "Oracle Linux:fips:9"),
            ("2:2.34-100.0.1.ksplice1.el9", "Oracle Linux:ksplice:9"),
        ] {
            let package = package("rpm", "openssl-libs", version);
            let home = home(&package, Some(&oracle), &BTreeSet::new(), &Own::default())
                .map(|it| it.main.ecosystem.to_string());
            assert_eq!(home.as_deref(), Ok(ecosystem));
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
                Some(("alpine", "3.21_rc1")),
                "none: apk on alpine 3.21_rc1",
            ),
            ("rpm", "x", Some(("centos", "9")), "none: rpm on centos 9"),
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
