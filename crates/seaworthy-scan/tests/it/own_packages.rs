//! Packages of real databases, judged as their distribution's own or as somebody else's.

use std::collections::BTreeMap;
use std::fs;

use seaworthy_core::{Day, Ecosystem, FeedFacts};
use seaworthy_match::{
    Advisories, RecordDetails, RecordId, Row, VulnerabilityDetails, VulnerabilityId, compare,
};
use seaworthy_testkit::{image, shared};

use crate::stage::Store;

/// An edition that knows nothing: what is asked of it shows in the coverage.
struct Nothing;

impl Advisories for Nothing {
    fn about(&self, _: &Ecosystem, _: &str, _: &mut dyn FnMut(Row<'_>)) {}

    fn covers(&self, _: &Ecosystem) -> Option<FeedFacts> {
        None
    }

    fn support_ends(&self, _: &str, _: &str) -> Option<Day> {
        None
    }

    fn record(&self, _: RecordId) -> RecordDetails {
        unreachable!("nothing has no records")
    }

    fn vulnerability(&self, _: VulnerabilityId) -> VulnerabilityDetails {
        unreachable!("nothing has no vulnerabilities")
    }
}

/// Where the packages of `database` at `path` are looked up, and how many.
fn looked_up(release: &str, path: &str, database: &[u8]) -> BTreeMap<String, usize> {
    let image = image()
        .layer(|it| it.file("etc/os-release", release).file(path, database))
        .build();
    let inventory = Store::of(image).take(None, 1).unwrap();
    compare(&inventory, &Nothing)
        .coverage
        .into_iter()
        .map(|it| (it.ecosystem.into(), it.packages))
        .collect()
}

#[test]
fn packages_of_real_images_are_their_distributions_own() {
    let Some(root) = shared() else { return };
    for (fixture, path, release, expected) in [
        (
            "rpmdb/go-rpmdb/sle15-bci/Packages.db",
            "usr/lib/sysimage/rpm/Packages.db",
            "ID=sles\nVERSION_ID=15.4\n",
            "SUSE:15.4 35",
        ),
        (
            "rpmdb/go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite",
            "var/lib/rpm/rpmdb.sqlite",
            "ID=mariner\nVERSION_ID=2.0\n",
            "Azure Linux:2 129",
        ),
        (
            "rpmdb/syft/container-manifest-2",
            "var/lib/rpmmanifest/container-manifest-2",
            "ID=mariner\nVERSION_ID=2.0\n",
            "Azure Linux:2 5",
        ),
        (
            "rpmdb/go-rpmdb/libuuid/Packages",
            "var/lib/rpm/Packages",
            "ID=rhel\nVERSION_ID=8.9\n",
            "Red Hat:8 1",
        ),
        // The same database in an image of somebody else.
        (
            "rpmdb/go-rpmdb/libuuid/Packages",
            "var/lib/rpm/Packages",
            "ID=rocky\nVERSION_ID=8.9\n",
            "rpm of vendor Red Hat, Inc. 1",
        ),
        // It names no vendor.
        (
            "rpmdb/syft/Packages",
            "var/lib/rpm/Packages",
            "ID=rhel\nVERSION_ID=8.9\n",
            "Red Hat:8 1",
        ),
        (
            "dpkg/claircore/debian-only.status",
            "var/lib/dpkg/status",
            "ID=debian\nVERSION_ID=12\n",
            "Debian:12",
        ),
        (
            "dpkg/claircore/texlive.status",
            "var/lib/dpkg/status",
            "ID=debian\nVERSION_ID=11\n",
            "Debian:11",
        ),
    ] {
        let database = fs::read(root.join("fixtures").join(fixture)).unwrap();
        let found: Vec<String> = looked_up(release, path, &database)
            .into_iter()
            .map(|(label, count)| format!("{label} {count}"))
            .collect();
        assert_eq!(found.len(), 1, "{fixture}: {found:?}");
        assert!(found[0].starts_with(expected), "{fixture}: {found:?}");
    }
}

#[test]
fn a_package_of_another_repository_is_named_by_its_maker() {
    let status = "Package: a\nStatus: install ok installed\nVersion: 1\n\n\
                  Package: b\nStatus: install ok installed\nVersion: 1\nOrigin: Somebody\n\n\
                  Package: c\nStatus: install ok installed\nVersion: 1\nOrigin: debian\n";
    let found = looked_up(
        "ID=debian\nVERSION_ID=12\n",
        "var/lib/dpkg/status",
        status.as_bytes(),
    );
    let found: Vec<(&str, usize)> = found.iter().map(|(it, count)| (&**it, *count)).collect();
    assert_eq!(found, [("Debian:12", 2), ("deb of vendor Somebody", 1)]);
}
