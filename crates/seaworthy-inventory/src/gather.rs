//! Many records of packages become a list of packages.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Claim, Package, PackageType, Sighting, SourcePackage, Version};

use crate::record::{PackageRecord, SourceRecord};

/// Packages and where each was seen.
#[derive(Default)]
pub(crate) struct Gathered<'a> {
    packages: BTreeMap<Identity<'a>, BTreeSet<Sighting>>,
}

/// What makes two records speak of one package, in the order of sorting.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity<'a> {
    kind: PackageType,
    name: &'a str,
    version: &'a str,
    architecture: Option<&'a str>,
    source: Option<&'a SourceRecord>,
    vendor: Option<&'a str>,
    module: Option<&'a str>,
    claim: Claim,
}

impl<'a> Gathered<'a> {
    /// Notes that `package` was seen.
    pub(crate) fn see(&mut self, package: &'a PackageRecord, sighting: Sighting) {
        let identity = Identity {
            kind: PackageType::from_purl_type(&package.kind),
            name: &package.name,
            version: &package.version,
            architecture: package.architecture.as_deref(),
            source: package.source.as_ref(),
            vendor: package.vendor.as_deref(),
            module: package.module.as_deref(),
            claim: package.claim(),
        };
        self.packages.entry(identity).or_default().insert(sighting);
    }

    /// The packages, sorted by type, name, version, architecture, source, vendor,
    /// module and claim, in which no two agree; each with its sightings, sorted.
    pub(crate) fn into_packages(self) -> Vec<Package> {
        let packages = self.packages.into_iter();
        packages.map(|(it, seen)| it.seen_at(seen)).collect()
    }
}

impl Identity<'_> {
    fn seen_at(self, seen: BTreeSet<Sighting>) -> Package {
        let scheme = self.kind.scheme();
        Package {
            kind: self.kind,
            name: self.name.into(),
            version: Version::of(scheme, self.version),
            architecture: self.architecture.map(Into::into),
            source: self.source.map(|source| SourcePackage {
                name: (*source.name).into(),
                version: Version::of(scheme, &*source.version),
            }),
            vendor: self.vendor.map(Into::into),
            module: self.module.map(Into::into),
            claim: self.claim,
            seen: seen.into_iter().collect(),
        }
    }
}
