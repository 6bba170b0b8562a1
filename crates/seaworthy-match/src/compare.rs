//! What an edition says about an inventory.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{
    AffectedInterval, Comparison, Coverage, Finding, Fix, FixState, Interval, Inventory, PackageId,
    Scheme, Source, Until, Upper, rpm,
};

use crate::advisories::{
    Advisories, Details, RecordDetails, RecordId, Row, RowStance, Trust, VulnerabilityDetails,
    VulnerabilityId,
};
use crate::home::{Home, Lookup, Scope, Standing, home, minor_streams};
use crate::kernel::is_kernel;
use crate::severity::chosen_severity;
use crate::vendor::Own;

/// Findings and coverage of an inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Sorted by package, then vulnerability.
    pub findings: Vec<Finding>,
    /// Sorted by ecosystem.
    pub coverage: Vec<Coverage>,
}

/// Compares every package with every advisory that speaks of it.
///
/// Records that name the same vulnerability become one finding. Of those that
/// speak of one package, the most trusted decide (see [`Trust`]), and one among
/// them that says *not affected* settles it. A version that cannot be compared is
/// neither hit nor clean: its package is named in [`Coverage::not_compared`].
pub fn compare(inventory: &Inventory, advisories: &dyn Advisories) -> Matched {
    let distro = inventory.distro.as_ref();
    let streams = minor_streams(distro, &inventory.content_sets);
    let own = Own::of(distro, &inventory.packages);
    let homes: Vec<Result<Home<'_>, String>> = inventory
        .packages
        .iter()
        .map(|package| home(package, distro, &streams, &own))
        .collect();
    let mut found = Vec::new();
    let mut coverage: BTreeMap<String, Coverage> = BTreeMap::new();
    for (position, (package, home)) in inventory.packages.iter().zip(&homes).enumerate() {
        let (label, home) = match home {
            Ok(home) => match &home.foreign {
                Some(label) => (label.clone(), Some(home)),
                None => (home.main.ecosystem.to_string(), Some(home)),
            },
            Err(label) => (label.clone(), None),
        };
        let covered = coverage.entry(label).or_insert_with_key(|label| Coverage {
            ecosystem: label.as_str().into(),
            packages: 0,
            not_compared: Vec::new(),
            feed: home
                .filter(|home| home.foreign.is_none())
                .and_then(|home| advisories.covers(&home.main.ecosystem)),
        });
        covered.packages += 1;
        let Some(home) = home else { continue };
        let answer = ask(home, advisories);
        if answer.undecided {
            covered.not_compared.push(package.name.clone());
        }
        for (vulnerability, decision) in answer.found {
            found.push((PackageId(position), vulnerability, decision));
        }
    }

    let kernels: BTreeSet<PackageId> = (0..)
        .map(PackageId)
        .zip(&inventory.packages)
        .filter_map(|(id, package)| is_kernel(package).then_some(id))
        .collect();
    let mut told = Told::of(&found, advisories);
    let mut findings: Vec<Finding> = found
        .iter()
        .map(|(package, vulnerability, decision)| {
            let mut finding = finding(*package, *vulnerability, decision, &mut told, advisories);
            finding.kernel = kernels.contains(package);
            finding
        })
        .collect();
    findings.sort_by(|one, other| {
        (one.package, &one.vulnerability).cmp(&(other.package, &other.vulnerability))
    });
    let coverage = coverage.into_values().map(|mut covered| {
        covered.not_compared.sort();
        covered.not_compared.dedup();
        covered
    });
    Matched {
        findings,
        coverage: coverage.collect(),
    }
}

/// A row that hit: which record, asked how, in which stretch, fixed how.
struct Hit<'a> {
    record: RecordId,
    lookup: &'a Lookup<'a>,
    interval: Option<AffectedInterval>,
    fix: Fix,
    /// Whether the fix is for subscribers only.
    subscription: bool,
}

/// What feeds of one trust say of one vulnerability.
#[derive(Default)]
struct Word<'a> {
    hits: Vec<Hit<'a>>,
    reviews: Vec<Hit<'a>>,
    not_affected: bool,
    /// A version could not be compared.
    undecided: bool,
}

/// What is said of one vulnerability of one package.
#[derive(Default)]
struct Case<'a> {
    words: BTreeMap<Trust, Word<'a>>,
    /// A fix for subscribers, or for the image's minor release, is installed.
    is_fixed_otherwise: bool,
}

#[derive(Default)]
struct Answer<'a> {
    found: Vec<(VulnerabilityId, Decision<'a>)>,
    undecided: bool,
}

fn ask<'a>(home: &'a Home<'a>, advisories: &dyn Advisories) -> Answer<'a> {
    let mut cases = BTreeMap::new();
    for lookup in std::iter::once(&home.main).chain(&home.others) {
        hear(lookup, home.foreign.is_some(), advisories, &mut cases);
    }
    let mut answer = Answer::default();
    for (vulnerability, case) in cases {
        let decision = decide(case);
        answer.undecided |= decision.undecided;
        if !decision.hits.is_empty() {
            answer.found.push((vulnerability, decision));
        }
    }
    answer
}

/// Collects what `lookup` finds; of a package that is `foreign`, only what the user
/// says.
fn hear<'a>(
    lookup: &'a Lookup<'a>,
    foreign: bool,
    advisories: &dyn Advisories,
    cases: &mut BTreeMap<VulnerabilityId, Case<'a>>,
) {
    let scheme = lookup.version.scheme();
    let installed = lookup.version.text();
    let subscription = lookup.standing == Standing::Subscription;
    advisories.about(&lookup.ecosystem, &lookup.name, &mut |row| {
        if foreign && row.trust != Trust::Private || is_of_another_stream(lookup, &row) {
            return;
        }
        let (affected, interval, fix) = match row.stance {
            RowStance::Interval(interval, fix) => {
                (interval.contains(scheme, installed), Some(interval), fix)
            }
            RowStance::Exactly(version, fix) => {
                (Some(is_same(scheme, version, installed)), None, fix)
            }
            RowStance::NotAffected | RowStance::UnderReview | RowStance::Unreadable => {
                (None, None, Fix::AsRanges)
            }
        };
        let case = cases.entry(row.vulnerability).or_default();
        if lookup.standing != Standing::Own && affected == Some(false) {
            // Only a fix that was passed ends what the public release leaves open.
            case.is_fixed_otherwise |= interval.is_some_and(|interval| match interval.until {
                Until::Before(fixed) => {
                    (subscription || is_same_branch(installed, fixed))
                        && scheme
                            .compare(installed, fixed)
                            .is_some_and(std::cmp::Ordering::is_ge)
                }
                Until::Through(_) | Until::Forever => false,
            });
            return;
        }
        let hit = || Hit {
            record: row.record,
            lookup,
            interval: interval.map(AffectedInterval::from),
            fix,
            subscription,
        };
        let word = case.words.entry(row.trust).or_default();
        match (row.stance, affected) {
            (RowStance::NotAffected, _) => word.not_affected = true,
            (RowStance::UnderReview, _) => word.reviews.push(hit()),
            (_, Some(true)) => word.hits.push(hit()),
            (_, Some(false)) => {}
            (_, None) => word.undecided = true,
        }
    });
}

/// What stands in the end.
#[derive(Default)]
struct Decision<'a> {
    hits: Vec<Hit<'a>>,
    /// The hits are of feeds that have not made up their mind.
    under_review: bool,
    /// Somebody who counts spoke of versions that cannot be compared.
    undecided: bool,
}

/// The most trusted feeds decide. If they do not know yet, the next ones are
/// heard; if nobody knows, the reviews themselves are what there is to tell.
fn decide(case: Case<'_>) -> Decision<'_> {
    let mut decision = Decision::default();
    if case.is_fixed_otherwise {
        return decision;
    }
    let mut decided = false;
    let mut affected = false;
    let mut reviews = Vec::new();
    for (_, word) in case.words.into_iter().rev() {
        if !decided {
            decision.undecided |= word.undecided;
            affected = !word.hits.is_empty() && !word.not_affected;
            let silent = word.undecided || !word.reviews.is_empty();
            decided = affected || word.not_affected || !silent;
            if !word.not_affected {
                reviews.extend(word.reviews);
            }
        }
        if !word.not_affected {
            decision.hits.extend(word.hits);
        }
    }
    if !affected {
        decision.under_review = !decided && !reviews.is_empty();
        decision.hits = if decision.under_review {
            reviews
        } else {
            Vec::new()
        };
    }
    decision
}

/// Whether a row speaks of another module stream than the installed package. Red Hat
/// and its relatives ship several streams of one package in one release (`nodejs:18`,
/// `nodejs:20`), each with fixes of its own, and mark their releases with `.module`.
/// Where the advisory names no stream, the major version stands for it: streams that
/// share one cannot be told apart then.
fn is_of_another_stream(lookup: &Lookup<'_>, row: &Row<'_>) -> bool {
    // Red Hat itself names the stream wherever it means one.
    let knows_streams = row.trust == Trust::Firsthand && lookup.ecosystem.family() == "Red Hat";
    match lookup.scope {
        Scope::Stream => return false,
        Scope::Rest if knows_streams => return true,
        Scope::Rest | Scope::Any => {}
    }
    let installed = lookup.version;
    let RowStance::Interval(Interval { until, .. }, _) = row.stance else {
        return false;
    };
    let (Scheme::Rpm, Until::Before(end) | Until::Through(end)) = (installed.scheme(), until)
    else {
        return false;
    };
    let installed_is_modular = lookup.scope == Scope::Rest || rpm::is_modular(installed.text());
    match (installed_is_modular, rpm::is_modular(end)) {
        (true, true) => rpm::upstream_major(installed.text()) != rpm::upstream_major(end),
        (one, other) => one != other,
    }
}

/// Whether a fix of a minor release's stream was made on the branch that `installed`
/// is of. A package of a later minor release has a later version than that fix and
/// need not have it.
fn is_same_branch(installed: &str, fixed: &str) -> bool {
    let trunk = |version: &str| {
        let (upstream, release) = version.rsplit_once('-')?;
        let (number, _) = release.split_once('.')?;
        Some(format!("{upstream}-{number}"))
    };
    // `8_4` and `8.4.0` are minor releases; `8` is what was built for the first of them.
    let is_minor = |release: &str| release.contains(['_', '.']);
    match (rpm::minor_release(installed), rpm::minor_release(fixed)) {
        (Some(one), Some(other)) if one == other => true,
        (Some(one), Some(other)) if is_minor(one) && is_minor(other) => false,
        _ => trunk(installed).is_some_and(|it| trunk(fixed) == Some(it)),
    }
}

/// Whether two spellings are one version. Where the scheme cannot read one of
/// them, only the same spelling is.
fn is_same(scheme: Scheme, listed: &str, installed: &str) -> bool {
    listed == installed
        || scheme
            .compare(listed, installed)
            .is_some_and(std::cmp::Ordering::is_eq)
}

/// The details that findings need. One question asks for all: they are found
/// faster in the edition's order than in ours, and packages share them.
struct Told {
    details: Details,
    /// How many findings still need them; the last one takes them away.
    of_records: BTreeMap<RecordId, usize>,
    of_vulnerabilities: BTreeMap<VulnerabilityId, usize>,
}

impl Told {
    fn of(
        found: &[(PackageId, VulnerabilityId, Decision<'_>)],
        advisories: &dyn Advisories,
    ) -> Self {
        let mut of_records = BTreeMap::new();
        let mut of_vulnerabilities = BTreeMap::new();
        for (_, vulnerability, decision) in found {
            *of_vulnerabilities.entry(*vulnerability).or_default() += 1;
            for hit in &decision.hits {
                *of_records.entry(hit.record).or_default() += 1;
            }
        }
        let records = of_records.keys().copied().collect();
        let vulnerabilities = of_vulnerabilities.keys().copied().collect();
        Self {
            details: advisories.details(&records, &vulnerabilities),
            of_records,
            of_vulnerabilities,
        }
    }

    fn record(&mut self, id: RecordId) -> Option<RecordDetails> {
        take(&mut self.details.records, &mut self.of_records, id)
    }

    fn vulnerability(&mut self, id: VulnerabilityId) -> Option<VulnerabilityDetails> {
        take(
            &mut self.details.vulnerabilities,
            &mut self.of_vulnerabilities,
            id,
        )
    }
}

/// A copy for all but the last that need it.
fn take<Id: Copy + Ord, T: Clone>(
    all: &mut BTreeMap<Id, T>,
    needed: &mut BTreeMap<Id, usize>,
    id: Id,
) -> Option<T> {
    let needed = needed.get_mut(&id)?;
    *needed = needed.saturating_sub(1);
    if *needed == 0 {
        all.remove(&id)
    } else {
        all.get(&id).cloned()
    }
}

fn finding(
    package: PackageId,
    vulnerability: VulnerabilityId,
    decision: &Decision<'_>,
    told: &mut Told,
    advisories: &dyn Advisories,
) -> Finding {
    // Who was asked for many and left some out is asked once more.
    let about = told
        .vulnerability(vulnerability)
        .unwrap_or_else(|| advisories.vulnerability(vulnerability));
    let mut ratings = about.ratings;
    let mut references: Vec<Box<str>> = Vec::new();
    let mut sources = Vec::new();
    let mut summaries = Vec::new();
    let mut distro_ratings = Vec::new();
    for hit in &decision.hits {
        let record = told
            .record(hit.record)
            .unwrap_or_else(|| advisories.record(hit.record));
        if !record.summary.is_empty() {
            summaries.push((record.feed.clone(), record.id.clone(), record.summary));
        }
        // The word of a distribution's own notice counts before a general score.
        if hit.lookup.ecosystem.release().is_some() {
            distro_ratings.extend(record.ratings.iter().cloned());
        }
        ratings.extend(record.ratings);
        references.extend(record.references);
        sources.push(Source {
            feed: record.feed,
            id: record.id,
            comparison: Comparison {
                name: (&*hit.lookup.name).into(),
                ecosystem: hit.lookup.ecosystem.to_string().into(),
                installed: hit.lookup.version.clone(),
                interval: hit.interval.clone(),
            },
        });
    }
    sources.sort_by(|one, other| {
        (&one.feed, &one.id, &one.comparison.interval).cmp(&(
            &other.feed,
            &other.id,
            &other.comparison.interval,
        ))
    });
    sources.dedup();
    ratings.sort();
    ratings.dedup();
    summaries.sort();
    let mut linked = BTreeSet::new();
    references.retain(|link| linked.insert(link.clone()));
    Finding {
        package,
        vulnerability: about.id,
        aliases: about.aliases,
        summary: summaries
            .into_iter()
            .next()
            .map(|(.., summary)| summary)
            .unwrap_or_default(),
        severity: chosen_severity(&distro_ratings, &ratings),
        fix: if decision.under_review {
            FixState::UnderReview
        } else {
            fix_state(&decision.hits)
        },
        ratings,
        sources,
        kev: about.kev,
        epss: about.epss,
        references,
        kernel: false,
    }
}

fn fix_state(hits: &[Hit<'_>]) -> FixState {
    let public = fixed_versions(hits, false);
    if !public.is_empty() {
        return FixState::In(public);
    }
    let for_subscribers = fixed_versions(hits, true);
    if !for_subscribers.is_empty() {
        return FixState::Subscription(for_subscribers);
    }
    let open = |hit: &Hit<'_>| {
        matches!(
            &hit.interval,
            Some(AffectedInterval {
                upper: Upper::Open,
                ..
            })
        )
    };
    if hits.iter().any(|hit| hit.fix == Fix::WontFix) {
        FixState::WontFix
    } else if hits.iter().any(|hit| hit.fix == Fix::NotYet || open(hit)) {
        FixState::NotYet
    } else {
        FixState::Unknown
    }
}

/// The versions that end the stretches that hit, lowest first.
fn fixed_versions(hits: &[Hit<'_>], subscription: bool) -> Vec<Box<str>> {
    let scheme = hits
        .first()
        .map_or(Scheme::Verbatim, |hit| hit.lookup.version.scheme());
    let mut fixed: Vec<Box<str>> = hits
        .iter()
        .filter(|hit| hit.subscription == subscription)
        .filter_map(|hit| match &hit.interval {
            Some(AffectedInterval {
                upper: Upper::Fixed(version),
                ..
            }) => Some(version.clone()),
            _ => None,
        })
        .collect();
    // Versions that are equal and written differently keep a fixed order.
    fixed.sort_unstable();
    scheme.sort_by_version(&mut fixed, |version| Some(version));
    fixed.dedup();
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Notebook, package};
    use seaworthy_core::Package;

    fn tell(packages: Vec<Package>, notes: &str) -> String {
        let inventory = Inventory {
            packages,
            ..Inventory::default()
        };
        let matched = compare(&inventory, &Notebook::of(notes));
        let mut lines: Vec<String> = matched
            .findings
            .iter()
            .map(|it| {
                format!(
                    "{} {} {:?}",
                    inventory.packages[it.package.0].name, it.vulnerability, it.fix
                )
            })
            .collect();
        lines.extend(
            matched
                .coverage
                .iter()
                .filter(|it| !it.not_compared.is_empty())
                .map(|it| format!("not compared: {:?}", it.not_compared)),
        );
        lines.join("\n")
    }

    #[test]
    fn a_version_inside_a_stretch_is_a_finding_and_the_fix_is_named() {
        let notes = "npm ws CVE-1 7.0.0 <7.4.6\nnpm ws CVE-2 0 <5.2.3\nnpm ws CVE-3 8.0.0 *";
        assert_eq!(
            tell(vec![package("npm", "ws", "7.4.5")], notes),
            "ws CVE-1 In([\"7.4.6\"])"
        );
        assert_eq!(tell(vec![package("npm", "ws", "7.4.6")], notes), "");
        assert_eq!(
            tell(vec![package("npm", "ws", "9.0.0")], notes),
            "ws CVE-3 NotYet"
        );
    }

    #[test]
    fn records_of_one_vulnerability_are_one_finding() {
        let notes = "npm ws CVE-1 0 <7.4.6\nnpm ws CVE-1 0 <7.5.0\nnpm ws CVE-1 0 *";
        assert_eq!(
            tell(vec![package("npm", "ws", "1.0.0")], notes),
            "ws CVE-1 In([\"7.4.6\", \"7.5.0\"])"
        );
    }

    #[test]
    fn what_cannot_be_read_leaves_its_package_not_compared() {
        let notes = "npm ws CVE-1 0 unreadable\nnpm ws CVE-2 0 *\nnpm tar CVE-3 0 <1.0.0";
        assert_eq!(
            tell(
                vec![
                    package("npm", "ws", "1.0.0"),
                    package("npm", "tar", "1.0.0")
                ],
                notes
            ),
            "ws CVE-2 NotYet\nnot compared: [\"ws\"]"
        );
    }

    #[test]
    fn not_affected_settles_a_vulnerability_and_no_other() {
        let notes = "npm ws CVE-1 0 *\nnpm ws CVE-1 0 not\nnpm ws CVE-2 0 *";
        assert_eq!(
            tell(vec![package("npm", "ws", "1.0.0")], notes),
            "ws CVE-2 NotYet"
        );
    }

    #[test]
    fn the_most_trusted_feed_decides_and_those_that_agree_are_told() {
        for (notes, answer) in [
            // The vendor says it is fixed earlier than a collector does.
            ("npm ws CVE-1 0 <9.0.0\nnpm ws !CVE-1 0 <5.0.0", ""),
            // Both say so.
            (
                "npm ws CVE-1 0 <9.0.0\nnpm ws !CVE-1 0 <8.0.0",
                "ws !CVE-1 In([\"8.0.0\", \"9.0.0\"])",
            ),
            // A collector cannot clear what the vendor calls affected, but the
            // vendor can.
            ("npm ws CVE-1 0 not\nnpm ws !CVE-1 0 *", "ws !CVE-1 NotYet"),
            ("npm ws CVE-1 0 *\nnpm ws !CVE-1 0 not", ""),
            // A vendor that is not done yet leaves the word to others.
            (
                "npm ws CVE-1 0 <9.0.0\nnpm ws !CVE-1 0 review",
                "ws !CVE-1 In([\"9.0.0\"])",
            ),
            ("npm ws !CVE-1 0 review", "ws !CVE-1 UnderReview"),
            ("npm ws CVE-1 0 <5.0.0\nnpm ws !CVE-1 0 review", ""),
        ] {
            let told = tell(vec![package("npm", "ws", "6.0.0")], notes);
            assert_eq!(told, answer.replace('!', ""), "{notes}");
        }
    }

    #[test]
    fn what_subscribers_get_ends_no_finding_of_others() {
        let notes =
            "Ubuntu:18.04 bash CVE-1 0 *\nUbuntu:Pro:18.04 bash CVE-1 0 <4.4-2ubuntu1.3+esm1";
        let tell = |version| {
            let inventory = Inventory {
                distro: Some(crate::fixture::distro("ubuntu", "18.04")),
                packages: vec![package("deb", "bash", version)],
                ..Inventory::default()
            };
            let matched = compare(&inventory, &Notebook::of(notes));
            let fixes: Vec<FixState> = matched.findings.into_iter().map(|it| it.fix).collect();
            format!("{fixes:?}")
        };
        assert_eq!(
            tell("4.4-2ubuntu1.2"),
            "[Subscription([\"4.4-2ubuntu1.3+esm1\"])]"
        );
        assert_eq!(tell("4.4-2ubuntu1.3+esm1"), "[]");
    }

    /// Findings of one rpm on `distro`, with what is not covered.
    fn on(distro: &str, package: Package, content_sets: &[&str], notes: &str) -> String {
        let (id, version) = distro.split_once(' ').unwrap_or((distro, ""));
        let inventory = Inventory {
            distro: Some(crate::fixture::distro(id, version)),
            content_sets: content_sets.iter().map(|it| (*it).into()).collect(),
            packages: vec![package],
            ..Inventory::default()
        };
        let matched = compare(&inventory, &Notebook::of(notes));
        let found = matched.findings.iter();
        let mut lines: Vec<String> = found
            .map(|it| format!("{} {:?}", it.vulnerability, it.fix))
            .collect();
        let uncovered = matched.coverage.iter().filter(|it| it.feed.is_none());
        lines.extend(uncovered.map(|it| format!("not covered: {}", it.ecosystem)));
        lines.join(", ")
    }

    #[test]
    fn a_stream_that_nobody_recorded_is_told_by_versions() {
        let fix20 = "1:20.9.0-1.module_el8+1";
        let fix18 = "1:18.19.0-1.module_el8+2";
        for (installed, fixed, finds) in [
            ("1:18.9.0-1.module_el8+0", fix20, false),
            ("1:18.9.0-1.module_el8+0", fix18, true),
            ("1:18.9.0-1.el8", fix18, false),
            ("1:18.9.0-1.el8", "1:18.19.0-1.el8", true),
        ] {
            for module in [None, Some("nodejs:18".into())] {
                // A module's build says so in its version.
                if module.is_some() != rpm::is_modular(installed) && module.is_some() {
                    continue;
                }
                let nodejs = Package {
                    module,
                    ..package("rpm", "nodejs", installed)
                };
                let notes = format!("AlmaLinux:8 nodejs CVE-1 0 <{fixed}");
                let found = on("almalinux 8.9", nodejs, &[], &notes);
                assert_eq!(!found.is_empty(), finds, "{installed} {fixed}");
            }
        }
        let open = "AlmaLinux:8 nodejs CVE-1 0 *";
        let nodejs = package("rpm", "nodejs", "1-1.module");
        assert_eq!(on("almalinux 8.9", nodejs, &[], open), "CVE-1 NotYet");
    }

    #[test]
    fn a_recorded_stream_is_judged_by_what_is_said_of_it() {
        let podman = || Package {
            module: Some("container-tools:4.0".into()),
            source: Some(seaworthy_core::SourcePackage {
                name: "podman".into(),
                version: seaworthy_core::Version::of(Scheme::Rpm, "2:4.0.2-1.module+el8.9.0+1"),
            }),
            ..package("rpm", "podman", "2:4.0.2-1.module+el8.9.0+1")
        };
        for (notes, answer) in [
            // Another stream of the same major version, and the plain name.
            (
                "Red Hat:8 container-tools:rhel8/podman !CVE-1 0 <2:4.9.4-1.module+el8.10.0+2
                 Red Hat:8 podman !CVE-1 0 <2:4.9.4-1.module+el8.10.0+2
                 Red Hat:8 src:podman !CVE-2 0 *",
                "",
            ),
            (
                "Red Hat:8 container-tools:4.0/podman !CVE-1 0 <2:4.0.2-9.module+el8.9.0+3",
                "CVE-1 In([\"2:4.0.2-9.module+el8.9.0+3\"])",
            ),
            (
                "Red Hat:8 src:container-tools:4.0/podman !CVE-1 0 *",
                "CVE-1 NotYet",
            ),
            // A build whose stream is not told.
            (
                "Red Hat:8 4/podman !CVE-1 0 <2:4.0.2-9.module+el8.9.0+3",
                "CVE-1 In([\"2:4.0.2-9.module+el8.9.0+3\"])",
            ),
            // A collector knows no streams, so the major version decides.
            (
                "Red Hat:8 podman CVE-1 0 <2:4.9.4-1.module+el8.10.0+2",
                "CVE-1 In([\"2:4.9.4-1.module+el8.10.0+2\"])",
            ),
            (
                "Red Hat:8 container-tools:4.0/podman !CVE-1 0 not
                 Red Hat:8 podman CVE-1 0 <2:4.9.4-1.module+el8.10.0+2",
                "",
            ),
        ] {
            let notes = notes
                .replace("Red Hat", "Red_Hat")
                .replace("                 ", "");
            assert_eq!(on("rhel 8.9", podman(), &[], &notes), answer, "{notes}");
        }
    }

    #[test]
    fn a_minor_releases_stream_is_heard_only_by_images_on_it() {
        let notes = "Red_Hat:8 glibc !CVE-1 0 <2.28-225.el8_10.1
            Red_Hat:eus:8.4 glibc !CVE-1 0 <2.28-151.el8_4.9
            Red_Hat:eus:8.6 glibc !CVE-1 0 <2.28-189.el8_6.3";
        let main = "CVE-1 In([\"2.28-225.el8_10.1\"])";
        let both = "CVE-1 In([\"2.28-151.el8_4.9\", \"2.28-225.el8_10.1\"])";
        let eus = "rhel-8-for-x86_64-baseos-eus-rpms";
        for (content_set, distro, installed, answer) in [
            ("", "rhel 8.4", "2.28-151.el8_4.1", main),
            ("", "rhel 8.4", "2.28-151.el8_4.9", main),
            (
                "rhel-8-for-x86_64-baseos-rpms",
                "rhel 8.4",
                "2.28-151.el8_4.9",
                main,
            ),
            (eus, "rhel 8.4", "2.28-151.el8_4.1", both),
            (eus, "rhel 8.4", "2.28-151.el8_4.9", ""),
            // Of a later minor release, it is later than the fix and has none.
            (eus, "rhel 8.4", "2.28-189.el8_6.1", main),
            (eus, "rhel 8.4", "2.28-189.el8", main),
            (eus, "rhel 8.2", "2.28-151.el8_4.9", main),
            (
                eus,
                "rhel 9.4",
                "2.28-151.el8_4.9",
                "not covered: Red Hat:9",
            ),
            (
                "rhel-8-for-x86_64-baseos-e4s-rpms",
                "rhel 8.4",
                "2.28-151.el8_4.9",
                "",
            ),
            (
                "rhel-8-for-x86_64-baseos-eus-rpms__8_DOT_4",
                "rhel 8.4",
                "2.28-151.el8_4.9",
                "",
            ),
            (
                "rhel-8-for-x86_64-baseos-eus-rpms__8_DOT_6",
                "rhel 8.4",
                "2.28-151.el8_4.9",
                main,
            ),
            (eus, "centos 8.4", "2.28-151.el8_4.9", main),
        ] {
            let sets: Vec<&str> = Some(content_set)
                .filter(|it| !it.is_empty())
                .into_iter()
                .collect();
            let found = on(distro, package("rpm", "glibc", installed), &sets, notes);
            assert_eq!(found, answer, "{content_set} {distro} {installed}");
        }
    }

    #[test]
    fn a_package_of_somebody_else_is_not_covered() {
        let docker = Package {
            vendor: Some("Docker <support@docker.com>".into()),
            ..package("rpm", "runc", "1.1.0-1.el8")
        };
        let notes = "AlmaLinux:8 runc CVE-1 0 <4:1.2.0-1.el8
            AlmaLinux:8 runc !CVE-2 0 *
            AlmaLinux:8 runc !!CVE-3 0 *";
        assert_eq!(
            on("almalinux 8.9", docker, &[], notes),
            "CVE-3 NotYet, not covered: rpm of vendor Docker <support@docker.com>"
        );
    }

    #[test]
    fn what_cannot_be_compared_is_named_and_never_clean() {
        let notes = "npm ws CVE-1 0 <2.0.0\nnpm ws CVE-2 0 =banana\nnpm other CVE-3 0 review";
        assert_eq!(
            tell(
                vec![
                    package("npm", "ws", "banana"),
                    package("npm", "other", "1.0.0")
                ],
                notes
            ),
            "ws CVE-2 Unknown\nother CVE-3 UnderReview\nnot compared: [\"ws\"]"
        );
        assert_eq!(
            tell(vec![package("npm", "unheard-of", "banana")], notes),
            ""
        );
    }
}
