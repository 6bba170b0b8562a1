//! SUSE's names: which world a product is, and which package an item is.

use std::str::FromStr;

use seaworthy_core::{Ecosystem, Purl};

use super::document::Item;
use super::{Package, is_debugging, is_name};

/// Products that are installed as packages of SUSE Linux Enterprise, by the start
/// of the name their platform has.
const ENTERPRISE: [&str; 11] = [
    "packagehub",
    "sle-",
    "sle_",
    "sled",
    "sles",
    "suse_linux_enterprise",
    "suse_sle",
    "suse_sled",
    "suse_sles",
    "linux_enterprise",
    "suse-linux-enterprise",
];

/// The ecosystem of a product.
///
/// Any product of SUSE Linux Enterprise 15 SP5 is `SUSE:15.5`, whatever its name and
/// support: their packages are the same. Modules of the twelfth release, which belong
/// to none of its service packs, are `SUSE:modules:12`. Micro is `SUSE:Micro 5.5`, Leap
/// `openSUSE:15.5`; everything else keeps its name.
pub(super) fn ecosystem_of(product: Item<'_>) -> Option<Ecosystem> {
    let named = || {
        let (family, name) = product.name.split_once(' ')?;
        let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, ' ' | '.' | '-' | '_');
        (matches!(family, "SUSE" | "openSUSE") && name.len() <= 100 && name.chars().all(plain))
            .then(|| Ecosystem::of_release(family, name))
    };
    let Some(platform) = product.cpe.and_then(|cpe| cpe.strip_prefix("cpe:/")) else {
        return named();
    };
    let mut parts = platform.split(':');
    let (_, vendor) = (parts.next()?, parts.next()?);
    let name = parts.next()?;
    let version = parts.next().unwrap_or_default();
    let update = parts.next().unwrap_or_default();
    if !(is_name(name) && (version.is_empty() || is_name(version))) {
        return None;
    }
    match (vendor, name) {
        ("opensuse", "tumbleweed") => Some(Ecosystem::of_release("openSUSE", "Tumbleweed")),
        ("opensuse", "leap") if !version.is_empty() => {
            Some(Ecosystem::of_release("openSUSE", version))
        }
        ("opensuse", "leap-micro") if !version.is_empty() => Some(Ecosystem::of_release(
            "openSUSE",
            &format!("Leap Micro {version}"),
        )),
        ("suse", "sle-micro" | "sle_micro" | "suse-microos" | "sl-micro" | "sl_micro")
            if !version.is_empty() =>
        {
            Some(Ecosystem::of_release("SUSE", &format!("Micro {version}")))
        }
        ("suse", name)
            if !name.contains("teradata")
                && ENTERPRISE.iter().any(|start| name.starts_with(start)) =>
        {
            let number = |text: &str| {
                !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit() || it == b'.')
            };
            if !number(version) {
                return named();
            }
            let is_module = ["sle-module-", "packagehub"]
                .iter()
                .any(|start| name.starts_with(start));
            let release = match update.strip_prefix("sp") {
                Some(pack) if number(pack) => format!("{version}.{pack}"),
                _ if is_module && version == "12" => "modules:12".to_owned(),
                // `sles:16:16.0`.
                _ if number(update) && update.starts_with(version) => update.to_owned(),
                _ => version.to_owned(),
            };
            Some(Ecosystem::of_release("SUSE", &release))
        }
        _ => named(),
    }
}

/// The package that `item` is. Its name has a version only where it is `fixed`:
/// `libdcerpc-atsvc0` is a name, and looks like one with a version.
pub(super) fn package_of(item: Item<'_>, _product: Item<'_>, fixed: bool) -> Option<Package> {
    let (name, version, is_source) = match item.purl.filter(|it| it.starts_with("pkg:rpm/")) {
        Some(purl) => {
            let purl = Purl::from_str(purl).ok()?;
            let version = purl.version().map(|version| {
                match purl.qualifier("epoch").filter(|epoch| *epoch != "0") {
                    Some(epoch) => format!("{epoch}:{version}"),
                    None => version.to_owned(),
                }
            });
            let is_source = matches!(purl.qualifier("arch"), Some("src" | "nosrc"));
            (purl.name().to_owned(), version, is_source)
        }
        None if fixed => {
            let (rest, release) = item.id.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            let (release, is_source) = without_architecture(release);
            (
                name.to_owned(),
                Some(format!("{version}-{release}")),
                is_source,
            )
        }
        None => (item.id.to_owned(), None, false),
    };
    if !is_name(&name) || is_debugging(&name) || version.as_deref().is_some_and(|it| !is_name(it)) {
        return None;
    }
    Some(Package {
        name: name.into(),
        version: version.map(Into::into),
        module: None,
        is_source,
    })
}

/// A release without the architecture behind it, and whether that was a source's.
fn without_architecture(release: &str) -> (&str, bool) {
    const ARCHITECTURES: [&str; 10] = [
        "aarch64", "i586", "i686", "noarch", "nosrc", "ppc64le", "riscv64", "s390x", "src",
        "x86_64",
    ];
    match release.rsplit_once('.') {
        Some((release, architecture)) if ARCHITECTURES.contains(&architecture) => {
            (release, matches!(architecture, "src" | "nosrc"))
        }
        _ => (release, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item<'a>(name: &'a str, cpe: Option<&'a str>) -> Item<'a> {
        Item {
            id: name,
            name,
            cpe,
            purl: None,
        }
    }

    #[test]
    fn a_product_is_a_release_or_keeps_its_name() {
        for (name, cpe, expected) in [
            (
                "SUSE Linux Enterprise Module for Basesystem 15 SP5",
                Some("cpe:/o:suse:sle-module-basesystem:15:sp5"),
                "SUSE:15.5",
            ),
            (
                "SUSE Linux Enterprise Server 15-LTSS",
                Some("cpe:/o:suse:sles-ltss:15"),
                "SUSE:15",
            ),
            (
                "SUSE Linux Enterprise Server 11 SP4 LTSS",
                Some("cpe:/o:suse:suse_sles_ltss:11:sp4"),
                "SUSE:11.4",
            ),
            (
                "SUSE Linux Enterprise Server 12 SP5",
                Some("cpe:/o:suse:sles:12:sp5"),
                "SUSE:12.5",
            ),
            (
                "SUSE Linux Enterprise Module for Containers 12",
                Some("cpe:/o:suse:sle-module-containers:12"),
                "SUSE:modules:12",
            ),
            (
                "SUSE Package Hub 15 SP5",
                Some("cpe:/o:suse:packagehub:15:sp5"),
                "SUSE:15.5",
            ),
            (
                "SUSE Linux Enterprise Server 16.0",
                Some("cpe:/o:suse:sles:16:16.0:server"),
                "SUSE:16.0",
            ),
            (
                "SUSE Linux Enterprise Server Teradata 12 SP3",
                Some("cpe:/o:suse:sles_teradata:12:sp3"),
                "SUSE:Linux Enterprise Server Teradata 12 SP3",
            ),
            (
                "SUSE Linux Enterprise Micro 5.2",
                Some("cpe:/o:suse:suse-microos:5.2"),
                "SUSE:Micro 5.2",
            ),
            (
                "SUSE Linux Enterprise Micro 6.0",
                Some("cpe:/o:suse:sl-micro:6.0"),
                "SUSE:Micro 6.0",
            ),
            (
                "SUSE CaaS Platform 4.0",
                Some("cpe:/o:suse:caasp:4.0"),
                "SUSE:CaaS Platform 4.0",
            ),
            (
                "openSUSE Leap 15.5",
                Some("cpe:/o:opensuse:leap:15.5"),
                "openSUSE:15.5",
            ),
            (
                "openSUSE Tumbleweed",
                Some("cpe:/o:opensuse:tumbleweed"),
                "openSUSE:Tumbleweed",
            ),
            (
                "openSUSE Backports SLE-15 SP5",
                None,
                "openSUSE:Backports SLE-15 SP5",
            ),
            ("Someone's Linux", None, "none"),
        ] {
            let said = ecosystem_of(item(name, cpe)).map_or("none".into(), |it| it.to_string());
            assert_eq!(said, expected, "{name}");
        }
    }

    #[test]
    fn only_what_is_fixed_has_a_version() {
        let read = |id: &str, fixed: bool| {
            package_of(item(id, None), item("", None), fixed).map_or("none".to_owned(), |it| {
                format!(
                    "{} {} {}",
                    it.name,
                    it.version.as_deref().unwrap_or("-"),
                    it.is_source
                )
            })
        };
        for (id, fixed, expected) in [
            (
                "samba-client-libs-4.19.4+git.339.acf1ccaa02-1.22",
                true,
                "samba-client-libs 4.19.4+git.339.acf1ccaa02-1.22 false",
            ),
            (
                "samba-4.19.4-150500.1.1.x86_64",
                true,
                "samba 4.19.4-150500.1.1 false",
            ),
            ("samba-4.19.4-1.1.src", true, "samba 4.19.4-1.1 true"),
            ("libdcerpc-atsvc0", false, "libdcerpc-atsvc0 - false"),
            ("glibc-debuginfo", false, "none"),
            ("no version", false, "none"),
            ("nothing", true, "none"),
        ] {
            assert_eq!(read(id, fixed), expected, "{id}");
        }
    }
}
