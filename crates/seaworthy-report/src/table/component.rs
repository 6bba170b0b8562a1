//! What people fix: findings gathered by what they would upgrade.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use crate::Assessed;
use seaworthy_core::{Finding, FixState, Package, PackageId, Report, Severity, Version};

/// Packages that are upgraded together, with what is known of them: the
/// binaries of one source package, or the copies of one library.
#[derive(Debug)]
pub(super) struct Component<'a> {
    /// The source package's name where there is one, else the package's.
    pub(super) name: &'a str,
    /// The version that goes with the name.
    pub(super) version: &'a Version,
    /// The packages that have findings, in the order of the inventory.
    pub(super) packages: Vec<(PackageId, &'a Package)>,
    /// One for each vulnerability, worst first. Those of the other packages say
    /// the same.
    pub(super) findings: Vec<&'a Finding>,
}

/// Worse comes first: level, known exploitation, predicted exploitation, then
/// the name so that equal reports print equal bytes.
fn order(finding: &Finding) -> (Reverse<Option<Severity>>, bool, Reverse<u32>, &str) {
    (
        Reverse(finding.severity),
        finding.kev.is_none(),
        Reverse(finding.epss.map_or(0, |epss| epss.probability_millionths)),
        &finding.vulnerability,
    )
}

impl Component<'_> {
    /// The lowest version that fixes everything that can be fixed, where that
    /// can be told: one of the named fixes that for each vulnerability is
    /// itself named, or not older than the newest that is.
    pub(super) fn upgrade(&self) -> Option<&str> {
        let fixes: Vec<&[Box<str>]> = self
            .findings
            .iter()
            .filter_map(|finding| match &finding.fix {
                FixState::In(versions) if !versions.is_empty() => Some(versions.as_slice()),
                FixState::In(_)
                | FixState::Subscription(_)
                | FixState::WontFix
                | FixState::NotYet
                | FixState::UnderReview
                | FixState::Unknown => None,
            })
            .collect();
        let scheme = self.version.scheme();
        let at_least = |a: &str, b: &str| {
            scheme
                .compare(a, b)
                .is_some_and(|order| order != Ordering::Less)
        };
        let fixes_all = |candidate: &str| {
            fixes.iter().all(|versions| {
                versions.iter().any(|version| **version == *candidate)
                    || versions.iter().all(|version| at_least(candidate, version))
            })
        };
        let mut best: Option<&str> = None;
        for candidate in fixes.iter().copied().flatten() {
            if fixes_all(candidate) && best.is_none_or(|best| !at_least(candidate, best)) {
                best = Some(candidate);
            }
        }
        best
    }

    /// How many of its vulnerabilities have a fix.
    pub(super) fn fixable(&self) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.fix.is_available())
            .count()
    }
}

/// The components that have findings which count, worst first.
pub(super) fn components<'a>(assessed: &Assessed<'a>) -> Vec<Component<'a>> {
    type Key<'a> = (&'a str, &'a str, &'a str);
    type Found<'a> = (BTreeSet<PackageId>, BTreeMap<&'a str, &'a Finding>);
    let mut found: BTreeMap<Key<'_>, Found<'_>> = BTreeMap::new();
    let report: &Report = assessed.report;
    let counts = |finding: &&Finding| !finding.kernel || assessed.policy.kernel_runs;
    for finding in report.findings.iter().filter(counts) {
        let Some(package) = report.inventory.packages.get(finding.package.0) else {
            continue;
        };
        let (name, version) = named(package);
        let (packages, findings) = found
            .entry((package.kind.purl_type(), name, version.text()))
            .or_default();
        packages.insert(finding.package);
        findings
            .entry(&finding.vulnerability)
            .and_modify(|known| {
                if order(finding) < order(known) {
                    *known = finding;
                }
            })
            .or_insert(finding);
    }
    let mut components: Vec<Component<'_>> = found
        .into_values()
        .filter_map(|(packages, findings)| {
            let packages: Vec<(PackageId, &Package)> = packages
                .into_iter()
                .filter_map(|id| Some((id, report.inventory.packages.get(id.0)?)))
                .collect();
            let (name, version) = named(packages.first()?.1);
            let mut findings: Vec<&Finding> = findings.into_values().collect();
            findings.sort_by(|a, b| order(a).cmp(&order(b)));
            Some(Component {
                name,
                version,
                packages,
                findings,
            })
        })
        .collect();
    // The sort is stable, so that equals stay in the order of type and name.
    components.sort_by(|a, b| {
        let worst = |component: &Component<'_>| {
            component.findings.first().map(|finding| {
                let (severity, kev, epss, _) = order(finding);
                (severity, kev, epss)
            })
        };
        worst(a)
            .cmp(&worst(b))
            .then(b.findings.len().cmp(&a.findings.len()))
    });
    components
}

fn named(package: &Package) -> (&str, &Version) {
    match &package.source {
        Some(source) => (&source.name, &source.version),
        None => (&package.name, &package.version),
    }
}
