//! What an edition says about an inventory.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{
    AffectedInterval, Comparison, Coverage, Finding, Fix, FixState, Interval, Inventory, PackageId,
    Scheme, Source, Until, Upper,
};

use crate::advisories::{Advisories, RecordId, RowStance, VulnerabilityId};
use crate::home::{Lookup, home};
use crate::severity::chosen_severity;

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
/// Records that name the same vulnerability become one finding. A record that
/// says *not affected* settles the vulnerability for its package. A version that
/// cannot be compared is neither hit nor clean: its package is named in
/// [`Coverage::not_compared`].
pub fn compare(inventory: &Inventory, advisories: &dyn Advisories) -> Matched {
    let mut findings = Vec::new();
    let mut coverage: BTreeMap<String, Coverage> = BTreeMap::new();
    for (position, package) in inventory.packages.iter().enumerate() {
        let (label, lookup) = match home(package, inventory.distro.as_ref()) {
            Ok(lookup) => (lookup.ecosystem.to_string(), Some(lookup)),
            Err(label) => (label, None),
        };
        let covered = coverage.entry(label).or_insert_with_key(|label| Coverage {
            ecosystem: label.as_str().into(),
            packages: 0,
            not_compared: Vec::new(),
            feed: lookup
                .as_ref()
                .and_then(|lookup| advisories.covers(&lookup.ecosystem)),
        });
        covered.packages += 1;
        let Some(lookup) = lookup else { continue };
        let hits = ask(&lookup, advisories);
        if hits.undecided {
            covered.not_compared.push(package.name.clone());
        }
        for (vulnerability, sources) in hits.affected {
            findings.push(finding(
                PackageId(position),
                &lookup,
                vulnerability,
                &sources,
                advisories,
            ));
        }
    }
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

/// What a row that hit says: which record, in which stretch, fixed how.
struct Hit {
    record: RecordId,
    interval: Option<AffectedInterval>,
    fix: Fix,
}

#[derive(Default)]
struct Hits {
    affected: BTreeMap<VulnerabilityId, Vec<Hit>>,
    undecided: bool,
}

fn ask(lookup: &Lookup<'_>, advisories: &dyn Advisories) -> Hits {
    let scheme = lookup.version.scheme();
    let installed = lookup.version.text();
    let mut hits = Hits::default();
    let mut settled = BTreeSet::new();
    advisories.about(&lookup.ecosystem, &lookup.name, &mut |row| {
        let (affected, interval, fix) = match row.stance {
            RowStance::Interval(interval, fix) => {
                if is_of_another_stream(scheme, installed, interval.until) {
                    return;
                }
                (interval.contains(scheme, installed), Some(interval), fix)
            }
            RowStance::Exactly(version, fix) => {
                (Some(is_same(scheme, version, installed)), None, fix)
            }
            RowStance::NotAffected => {
                settled.insert(row.vulnerability);
                return;
            }
            RowStance::UnderReview => (None, None, Fix::AsRanges),
        };
        match affected {
            Some(true) => hits
                .affected
                .entry(row.vulnerability)
                .or_default()
                .push(Hit {
                    record: row.record,
                    interval: interval.map(owned),
                    fix,
                }),
            Some(false) => {}
            None => hits.undecided = true,
        }
    });
    hits.affected
        .retain(|vulnerability, _| !settled.contains(vulnerability));
    hits
}

/// Whether the end of a stretch belongs to another module stream than the
/// installed package. Red Hat and its relatives ship several streams of one
/// package in one release (`nodejs:18`, `nodejs:20`), each with fixes of its own,
/// and mark their releases with `.module`. Streams of one major version cannot be
/// told apart by their versions.
fn is_of_another_stream(scheme: Scheme, installed: &str, until: Until<'_>) -> bool {
    let (Scheme::Rpm, Until::Before(end) | Until::Through(end)) = (scheme, until) else {
        return false;
    };
    let is_modular = |version: &str| version.contains(".module");
    let major = |version: &str| {
        let plain = version.split_once(':').map_or(version, |(_, plain)| plain);
        plain
            .split(['.', '-'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match (is_modular(installed), is_modular(end)) {
        (true, true) => major(installed) != major(end),
        (one, other) => one != other,
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

fn owned(interval: Interval<'_>) -> AffectedInterval {
    AffectedInterval {
        from: interval.from.map(Into::into),
        upper: match interval.until {
            Until::Forever => Upper::Open,
            Until::Before(version) => Upper::Fixed(version.into()),
            Until::Through(version) => Upper::LastAffected(version.into()),
        },
    }
}

fn finding(
    package: PackageId,
    lookup: &Lookup<'_>,
    vulnerability: VulnerabilityId,
    hits: &[Hit],
    advisories: &dyn Advisories,
) -> Finding {
    let about = advisories.vulnerability(vulnerability);
    let mut ratings = about.ratings;
    let mut references = Vec::new();
    let mut sources = Vec::new();
    let mut summaries = Vec::new();
    let mut distro_ratings = Vec::new();
    for hit in hits {
        let record = advisories.record(hit.record);
        if !record.summary.is_empty() {
            summaries.push((record.feed.clone(), record.id.clone(), record.summary));
        }
        // The word of a distribution's own notice counts before a general score.
        if lookup.ecosystem.release().is_some() {
            distro_ratings.extend(record.ratings.iter().cloned());
        }
        ratings.extend(record.ratings);
        references.extend(record.references);
        sources.push(Source {
            feed: record.feed,
            id: record.id,
            comparison: Comparison {
                name: (&*lookup.name).into(),
                ecosystem: lookup.ecosystem.to_string().into(),
                installed: lookup.version.clone(),
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
    let mut unique = BTreeSet::new();
    references.retain(|link| unique.insert(link.clone()));
    Finding {
        package,
        vulnerability: about.id,
        aliases: about.aliases,
        summary: summaries
            .into_iter()
            .next()
            .map(|(_, _, summary)| summary)
            .unwrap_or_default(),
        severity: chosen_severity(&distro_ratings, &ratings),
        fix: fix_state(lookup.version.scheme(), hits),
        ratings,
        sources,
        kev: about.kev,
        epss: about.epss,
        references,
    }
}

fn fix_state(scheme: Scheme, hits: &[Hit]) -> FixState {
    let mut fixed: Vec<Box<str>> = hits
        .iter()
        .filter_map(|hit| match &hit.interval {
            Some(AffectedInterval {
                upper: Upper::Fixed(version),
                ..
            }) => Some(version.clone()),
            _ => None,
        })
        .collect();
    fixed.sort_by(|one, other| {
        scheme
            .compare(one, other)
            .unwrap_or(std::cmp::Ordering::Equal)
            .then_with(|| one.cmp(other))
    });
    fixed.dedup();
    if !fixed.is_empty() {
        return FixState::In(fixed);
    }
    let open = |hit: &Hit| {
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
    fn not_affected_settles_a_vulnerability_and_no_other() {
        let notes = "npm ws CVE-1 0 *\nnpm ws CVE-1 0 not\nnpm ws CVE-2 0 *";
        assert_eq!(
            tell(vec![package("npm", "ws", "1.0.0")], notes),
            "ws CVE-2 NotYet"
        );
    }

    #[test]
    fn a_module_stream_is_judged_by_its_own_fixes() {
        let fix20 = "1:20.9.0-1.module_el8+1";
        let fix18 = "1:18.19.0-1.module_el8+2";
        for (installed, fixed, other) in [
            ("1:18.9.0-1.module_el8+0", fix20, true),
            ("1:18.9.0-1.module_el8+0", fix18, false),
            ("1:18.9.0-1.el9", fix18, true),
            ("1:18.9.0-1.el9", "1:18.19.0-1.el9", false),
        ] {
            let until = Until::Before(fixed);
            assert_eq!(
                is_of_another_stream(Scheme::Rpm, installed, until),
                other,
                "{installed}"
            );
        }
        assert!(!is_of_another_stream(
            Scheme::Rpm,
            "1-1.module",
            Until::Forever
        ));
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
            "ws CVE-2 Unknown\nnot compared: [\"other\", \"ws\"]"
        );
        assert_eq!(
            tell(vec![package("npm", "unheard-of", "banana")], notes),
            ""
        );
    }
}
