//! Whether a package is the distribution's own.
//!
//! What came from somebody else's repository has versions of its own: comparing it
//! with the distribution's advisories finds what is not there and misses what is.

use seaworthy_core::{Distro, Package, PackageType};

/// How the vendor recorded in a distribution's own packages begins, in small letters,
/// by the `ID` of os-release(5).
const OWN: &[(&[&str], &[&str])] = &[
    (&["rhel"], &["red hat, inc."]),
    // Rebuilt from Red Hat's sources, and looked up where Red Hat's packages are.
    (&["centos"], &["centos", "centos project", "red hat, inc."]),
    (&["fedora"], &["fedora project"]),
    (&["almalinux"], &["almalinux", "almalinux os foundation"]),
    (
        &["rocky"],
        &[
            "rocky",
            "rocky linux",
            "rocky enterprise software foundation",
        ],
    ),
    (&["ol"], &["oracle america", "oracle america, inc."]),
    (
        &["amzn"],
        &["amazon", "amazon linux", "amazon.com", "amazon aws"],
    ),
    // Leap is made of SUSE's packages and its own, and Package Hub brings those to
    // SUSE's; projects of the build service sign as `obs://…`.
    (
        &[
            "sles",
            "sled",
            "sles_sap",
            "sle_hpc",
            "sle-micro",
            "sle-micro-rancher",
            "sl-micro",
            "suse-microos",
            "opensuse-leap",
            "opensuse-leap-micro",
            "opensuse-tumbleweed",
        ],
        &[
            "suse llc",
            "suse linux gmbh, nuernberg, germany",
            "suse linux products gmbh, nuernberg, germany",
            "suse software solutions germany gmbh",
            "opensuse",
        ],
    ),
    (&["azurelinux", "mariner"], &["microsoft corporation"]),
    (
        &["photon"],
        &["vmware, inc.", "vmware, inc", "broadcom", "broadcom inc."],
    ),
    (&["mageia"], &["mageia.org", "mageia"]),
    (&["debian"], &["debian"]),
    // What Ubuntu takes over unchanged still names Debian.
    (&["ubuntu"], &["ubuntu", "debian", "canonical"]),
];

/// The most characters of a vendor's name that are told.
const SHOWN: usize = 80;

/// The packages that lay out the root of a file system. Whoever made one made the
/// distribution, however the name is spelled there.
const ROOTS: &[(PackageType, &str)] = &[
    (PackageType::Rpm, "filesystem"),
    (PackageType::Deb, "base-files"),
];

/// Whose packages are a distribution's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// Names as in [`OWN`]; none where we do not know the distribution.
    known: &'static [&'static str],
    /// The vendor of the image's own root.
    learned: Option<String>,
}

impl Own {
    /// What is own in an image of `distro` that has these packages.
    pub(crate) fn of(distro: Option<&Distro>, packages: &[Package]) -> Self {
        let known = distro
            .and_then(|distro| OWN.iter().find(|(ids, _)| ids.contains(&&*distro.id)))
            .map_or(&[][..], |(_, own)| own);
        let root = packages.iter().find(|package| {
            let mut roots = ROOTS.iter();
            roots.any(|(kind, name)| (kind, *name) == (&package.kind, &*package.name))
        });
        Self {
            known,
            learned: root.and_then(vendor).map(plain),
        }
    }

    /// Who made `package`, for people, where that is somebody else than its
    /// distribution.
    ///
    /// A package that names nobody, and one of a distribution whose own name we do
    /// not know, counts as the distribution's own.
    pub(crate) fn foreign(&self, package: &Package) -> Option<String> {
        let vendor = vendor(package)?;
        let name = plain(vendor);
        if self.known.is_empty()
            || self.known.contains(&&*name)
            || self.learned.as_ref() == Some(&name)
        {
            return None;
        }
        let shown = vendor.chars().filter(|it| !it.is_control());
        Some(shown.take(SHOWN).collect())
    }
}

/// The vendor that a package of the system names.
fn vendor(package: &Package) -> Option<&str> {
    let vendor = package.vendor.as_deref().map(str::trim)?;
    let is_system = matches!(package.kind, PackageType::Rpm | PackageType::Deb);
    (is_system && !vendor.is_empty() && vendor != "(none)").then_some(vendor)
}

/// A vendor's name without an address, in small letters.
fn plain(vendor: &str) -> String {
    let (name, _) = vendor.split_once('<').unwrap_or((vendor, ""));
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{distro, package};

    #[test]
    fn a_vendor_is_the_distributions_own_or_somebody_else() {
        for (id, kind, vendor, own) in [
            ("rhel", "rpm", "Red Hat, Inc.", true),
            (
                "rhel",
                "rpm",
                "Red Hat, Inc. <http://bugzilla.redhat.com/bugzilla>",
                true,
            ),
            ("rhel", "rpm", "Fedora Project", false),
            ("rhel", "rpm", "Docker", false),
            ("rhel", "rpm", "Red Hat, Inc. of Elsewhere", false),
            ("centos", "rpm", "CentOS", true),
            ("centos", "rpm", "CentOS SCLo SIG", false),
            ("almalinux", "rpm", "AlmaLinux OS Foundation", true),
            ("rocky", "rpm", "Rocky Enterprise Software Foundation", true),
            ("ol", "rpm", "Oracle America", true),
            ("amzn", "rpm", "Amazon Linux", true),
            ("amzn", "rpm", "Fedora Project", false),
            ("sles", "rpm", "SUSE LLC <https://www.suse.com/>", true),
            (
                "sles",
                "rpm",
                "obs://build.opensuse.org/home:someone",
                false,
            ),
            ("opensuse-leap", "rpm", "openSUSE", true),
            ("mariner", "rpm", "Microsoft Corporation", true),
            ("photon", "rpm", "VMware, Inc.", true),
            ("debian", "deb", "Debian", true),
            ("debian", "deb", "LP-PPA-someone", false),
            ("ubuntu", "deb", "Debian", true),
            // Who knows what their own packages say?
            ("tencentos", "rpm", "Somebody", true),
            ("rhel", "npm", "Somebody", true),
            ("rhel", "rpm", "(none)", true),
            ("rhel", "rpm", " ", true),
        ] {
            let mut package = package(kind, "x", "1");
            package.vendor = Some(vendor.into());
            let is_own = Own::of(Some(&distro(id, "9")), &[]).foreign(&package);
            assert_eq!(is_own.is_none(), own, "{vendor} on {id}");
        }
        let nobody = package("rpm", "x", "1");
        assert_eq!(own(&[]).foreign(&nobody), None);
    }

    fn own(packages: &[Package]) -> Own {
        Own::of(Some(&distro("rhel", "9")), packages)
    }

    #[test]
    fn whoever_made_the_root_of_the_file_system_made_the_distribution() {
        let of = |name: &str, vendor: &str| {
            let mut package = package("rpm", name, "1");
            package.vendor = Some(vendor.into());
            package
        };
        let packages = [
            of("filesystem", "Red Hat Rebuilt <x@y>"),
            of("bash", "red hat rebuilt"),
            of("lynx", "Fedora Project"),
        ];
        let told: Vec<Option<String>> = packages
            .iter()
            .map(|package| own(&packages).foreign(package))
            .collect();
        assert_eq!(told, [None, None, Some("Fedora Project".to_owned())]);
    }

    #[test]
    fn a_vendors_name_is_told_without_tricks() {
        let mut package = package("rpm", "x", "1");
        package.vendor = Some(format!("a\u{1b}[31m{}", "b".repeat(500)).into());
        let told = own(&[]).foreign(&package);
        assert_eq!(told.map(|it| it.chars().count()), Some(SHOWN));
    }
}
