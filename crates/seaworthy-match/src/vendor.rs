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

/// Who made `package`, for people, where that is somebody else than its distribution.
///
/// A package that names nobody, and one of a distribution whose own name we do not
/// know, counts as the distribution's own.
pub(crate) fn foreign(package: &Package, distro: &Distro) -> Option<String> {
    if !matches!(package.kind, PackageType::Rpm | PackageType::Deb) {
        return None;
    }
    let vendor = package.vendor.as_deref().map(str::trim)?;
    if vendor.is_empty() || vendor == "(none)" {
        return None;
    }
    let (_, own) = OWN.iter().find(|(ids, _)| ids.contains(&&*distro.id))?;
    let (name, _) = vendor.split_once('<').unwrap_or((vendor, ""));
    let name = name.trim().to_lowercase();
    if own.contains(&&*name) {
        return None;
    }
    let shown = vendor.chars().filter(|it| !it.is_control());
    Some(shown.take(SHOWN).collect())
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
            let is_own = foreign(&package, &distro(id, "9")).is_none();
            assert_eq!(is_own, own, "{vendor} on {id}");
        }
        let nobody = package("rpm", "x", "1");
        assert_eq!(foreign(&nobody, &distro("rhel", "9")), None);
    }

    #[test]
    fn a_vendors_name_is_told_without_tricks() {
        let mut package = package("rpm", "x", "1");
        package.vendor = Some(format!("a\u{1b}[31m{}", "b".repeat(500)).into());
        let told = foreign(&package, &distro("rhel", "9"));
        assert_eq!(told.map(|it| it.chars().count()), Some(SHOWN));
    }
}
