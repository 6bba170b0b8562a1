//! What a policy says about a report.

use seaworthy_core::{
    Blindness, Coverage, Day, Finding, FixState, Policy, Reason, Report, Verdict,
};

/// A feed with fewer advisories than this for an operating system release is a
/// sample or a torn copy: every release of every distribution we cover collects
/// more within weeks.
const PLAUSIBLE_ADVISORIES: u64 = 100;

/// Decides. `today` is the day feeds and support are measured against, and
/// `support_ends` the last day of security updates of the image's distribution,
/// where the edition knows it.
///
/// Reasons and blind spots are both collected in full; [`Verdict::outcome`]
/// weighs them.
pub fn judge(report: &Report, policy: &Policy, today: Day, support_ends: Option<Day>) -> Verdict {
    let mut reasons: Vec<Reason> = report
        .findings
        .iter()
        .filter(|finding| counts(finding, policy))
        .filter(|finding| finding.fix != FixState::UnderReview)
        .filter_map(|finding| {
            let severity = finding
                .severity
                .filter(|severity| *severity >= policy.fail_on)?;
            Some(Reason {
                package: finding.package,
                vulnerability: finding.vulnerability.clone(),
                severity,
                fix_available: finding.fix.is_available(),
            })
        })
        .collect();
    reasons.sort_by(|one, other| {
        other.severity.cmp(&one.severity).then_with(|| {
            (one.package, &one.vulnerability).cmp(&(other.package, &other.vulnerability))
        })
    });
    Verdict {
        reasons,
        blindness: blindness(report, policy, today, support_ends),
    }
}

/// Whether a finding counts although it may have no fix, or be of a kernel. Malware
/// has no fix by nature: what helps is removing it.
fn counts(finding: &Finding, policy: &Policy) -> bool {
    if finding.kernel && !policy.kernel_runs {
        return false;
    }
    let is_malware = |name: &str| name.starts_with("MAL-");
    !policy.ignore_unfixed
        || finding.fix.is_available()
        || is_malware(&finding.vulnerability)
        || finding.aliases.iter().any(|name| is_malware(name))
}

fn blindness(
    report: &Report,
    policy: &Policy,
    today: Day,
    support_ends: Option<Day>,
) -> Vec<Blindness> {
    let mut blind = unread(report);
    match &report.edition {
        None => blind.push(Blindness::NoEdition),
        Some(edition) if edition.starter => blind.push(Blindness::StarterEditionOnly),
        Some(edition) if edition.advisories == 0 => blind.push(Blindness::EmptyEdition),
        Some(_) => {
            for coverage in &report.coverage {
                blind.extend(uncovered(coverage, policy, today));
            }
        }
    }
    if let (Some(distro), Some(ended)) = (&report.inventory.distro, support_ends)
        && ended < today
    {
        blind.push(Blindness::EndOfLife {
            distro: distro.title().into(),
            ended,
        });
    }
    let under_review = report
        .findings
        .iter()
        .filter(|finding| finding.fix == FixState::UnderReview)
        .filter(|finding| finding.severity.is_some_and(|it| it >= policy.fail_on))
        .filter(|finding| counts(finding, policy))
        .count();
    if under_review > 0 {
        blind.push(Blindness::UnderReview {
            findings: under_review,
        });
    }
    let unrated = report
        .findings
        .iter()
        .filter(|finding| finding.severity.is_none())
        .filter(|finding| counts(finding, policy))
        .count();
    if unrated > 0 {
        blind.push(Blindness::Unrated { findings: unrated });
    }
    blind.sort();
    blind
}

/// What the inventory itself could not see.
fn unread(report: &Report) -> Vec<Blindness> {
    let inventory = &report.inventory;
    let mut blind = Vec::new();
    let has_os_packages = inventory
        .packages
        .iter()
        .any(|package| package.kind.is_os());
    match &inventory.distro {
        None if has_os_packages => blind.push(Blindness::NoDistro),
        None if inventory.packages.is_empty() => blind.push(Blindness::NothingFound),
        Some(distro) if !has_os_packages => {
            blind.push(Blindness::NoPackageDatabase {
                distro: distro.title().into(),
            });
        }
        None | Some(_) => {}
    }
    if !inventory.gaps.is_empty() {
        blind.push(Blindness::Gaps {
            count: inventory.gaps.len(),
        });
    }
    blind
}

/// What the edition could not say about one ecosystem.
fn uncovered(coverage: &Coverage, policy: &Policy, today: Day) -> Vec<Blindness> {
    let ecosystem = || coverage.ecosystem.clone();
    let Some(feed) = &coverage.feed else {
        return vec![Blindness::NotCovered {
            ecosystem: ecosystem(),
            packages: coverage.packages,
        }];
    };
    let mut blind = Vec::new();
    // Only distributions are expected to be busy; a language ecosystem may be small.
    let rolling = ["Chainguard", "MinimOS", "Wolfi"];
    let is_distribution =
        coverage.ecosystem.contains(':') || rolling.contains(&&*coverage.ecosystem);
    if is_distribution && feed.advisories < PLAUSIBLE_ADVISORIES {
        blind.push(Blindness::ThinlyCovered {
            ecosystem: ecosystem(),
            packages: coverage.packages,
            advisories: feed.advisories,
        });
    }
    let fresh = feed
        .date
        .day()
        // A clock that is behind the feed says nothing about its age. One day is
        // the difference between time zones.
        .is_some_and(|day| (-1..=i64::from(policy.max_age_days)).contains(&today.days_since(day)));
    if !fresh {
        blind.push(Blindness::Stale {
            ecosystem: ecosystem(),
            day: feed.date.day(),
            max_age_days: policy.max_age_days,
        });
    }
    if !coverage.not_compared.is_empty() {
        blind.push(Blindness::NotCompared {
            ecosystem: ecosystem(),
            names: coverage.not_compared.clone(),
        });
    }
    blind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::fixture::{Notebook, TODAY, distro, package};
    use seaworthy_core::{Digest, EditionFacts, FeedDate, Gap, Inventory, Outcome, Severity};

    fn report(inventory: Inventory, notes: &Notebook) -> Report {
        let matched = compare(&inventory, notes);
        Report {
            image: seaworthy_core::ImageFacts::default(),
            inventory,
            findings: matched.findings,
            coverage: matched.coverage,
            edition: Some(EditionFacts {
                digest: Digest::from_sha256([0; 32]),
                starter: false,
                advisories: 5,
            }),
        }
    }

    fn debian_with_a_package() -> Inventory {
        Inventory {
            distro: Some(distro("debian", "12")),
            packages: vec![package("deb", "bash", "5.2-1")],
            ..Inventory::default()
        }
    }

    fn clean_notes() -> Notebook {
        Notebook::of("Debian:12 bash CVE-1 0 <5.1-1")
    }

    #[test]
    fn everything_read_covered_and_fresh_passes() {
        let verdict = judge(
            &report(debian_with_a_package(), &clean_notes()),
            &Policy::default(),
            TODAY,
            None,
        );
        assert_eq!(verdict, Verdict::default());
        assert_eq!(verdict.outcome(), Outcome::Pass);
    }

    type Change = fn(&mut Report);

    #[test]
    fn any_blind_spot_keeps_a_verdict_from_being_a_pass() {
        let clean = report(debian_with_a_package(), &clean_notes());
        let changes: [(Change, &str); 10] = [
            (|it| it.edition = None, "NoEdition"),
            (
                |it| it.edition.iter_mut().for_each(|it| it.starter = true),
                "StarterEditionOnly",
            ),
            (
                |it| it.edition.iter_mut().for_each(|it| it.advisories = 0),
                "EmptyEdition",
            ),
            (|it| it.inventory.distro = None, "NoDistro"),
            (|it| it.inventory.packages.clear(), "NoPackageDatabase"),
            (|it| it.inventory = Inventory::default(), "NothingFound"),
            (|it| it.coverage[0].feed = None, "NotCovered"),
            (
                |it| it.coverage[0].not_compared.push("x".into()),
                "NotCompared",
            ),
            (
                |it| {
                    it.coverage[0]
                        .feed
                        .iter_mut()
                        .for_each(|it| it.advisories = 99);
                },
                "ThinlyCovered",
            ),
            (
                |it| {
                    it.inventory.gaps.push(Gap {
                        path: "p".into(),
                        probe: "p".into(),
                        why: "w".into(),
                        layer: None,
                    });
                },
                "Gaps",
            ),
        ];
        for (change, blindness) in changes {
            let mut blind = clean.clone();
            change(&mut blind);
            let verdict = judge(&blind, &Policy::default(), TODAY, None);
            assert_eq!(verdict.outcome(), Outcome::Unknown, "{blindness}");
            assert!(
                format!("{:?}", verdict.blindness).contains(blindness),
                "{verdict:?}"
            );
        }
        let ended = judge(
            &clean,
            &Policy::default(),
            TODAY,
            Some(Day::from_days(19_999)),
        );
        assert!(matches!(
            ended.blindness.as_slice(),
            [Blindness::EndOfLife { .. }]
        ));
    }

    #[test]
    fn a_feed_is_fresh_for_exactly_as_long_as_the_policy_says() {
        let mut report = report(debian_with_a_package(), &clean_notes());
        for (age, outcome) in [(7, Outcome::Pass), (8, Outcome::Unknown)] {
            let day = Day::from_days(TODAY.days() - age);
            for coverage in &mut report.coverage {
                coverage
                    .feed
                    .iter_mut()
                    .for_each(|it| it.date = FeedDate::NewestRecord(day));
            }
            assert_eq!(
                judge(&report, &Policy::default(), TODAY, None).outcome(),
                outcome
            );
        }
    }

    #[test]
    fn fail_wins_over_unknown_and_both_are_told() {
        let mut report = report(
            debian_with_a_package(),
            &Notebook::of("Debian:12 bash CVE-1 0 *"),
        );
        report.edition = None;
        let verdict = judge(&report, &Policy::default(), TODAY, None);
        assert_eq!(verdict.outcome(), Outcome::Fail);
        assert_eq!(verdict.reasons[0].severity, Severity::Critical);
        assert_eq!(verdict.blindness, [Blindness::NoEdition]);
        let lenient = Policy {
            ignore_unfixed: true,
            ..Policy::default()
        };
        assert_eq!(
            judge(&report, &lenient, TODAY, None).outcome(),
            Outcome::Unknown
        );
    }

    #[test]
    fn a_kernel_that_does_not_run_decides_nothing() {
        let mut inventory = debian_with_a_package();
        inventory.packages = vec![package("deb", "linux-libc-dev", "6.1.1-1")];
        for notes in [
            "Debian:12 linux-libc-dev CVE-1 0 *",
            "Debian:12 linux-libc-dev CVE-1 0 review",
        ] {
            let report = report(inventory.clone(), &Notebook::of(notes));
            assert!(report.findings.iter().all(|finding| finding.kernel));
            assert_eq!(report.findings.len(), 1, "{notes}");
            let policy = Policy::default();
            let of_image = judge(&report, &policy, TODAY, None);
            let of_machine = Policy {
                kernel_runs: true,
                ..policy
            };
            let of_machine = judge(&report, &of_machine, TODAY, None);
            assert_eq!(of_image.outcome(), Outcome::Pass, "{notes}");
            assert_ne!(of_machine.outcome(), Outcome::Pass, "{notes}");
        }
    }

    #[test]
    fn a_finding_under_review_fails_nothing_and_is_no_pass_either() {
        let review = Notebook::of("Debian:12 bash CVE-1 0 review");
        let report = report(debian_with_a_package(), &review);
        let verdict = judge(&report, &Policy::default(), TODAY, None);
        assert_eq!(verdict.outcome(), Outcome::Unknown);
        assert_eq!(verdict.blindness, [Blindness::UnderReview { findings: 1 }]);
    }

    #[test]
    fn a_finding_nobody_rated_is_not_below_a_threshold() {
        let mut notes = Notebook::of("Debian:12 bash CVE-1 0 *");
        notes.unrated = true;
        let verdict = judge(
            &report(debian_with_a_package(), &notes),
            &Policy::default(),
            TODAY,
            None,
        );
        assert_eq!(verdict.outcome(), Outcome::Unknown);
        assert_eq!(verdict.blindness, [Blindness::Unrated { findings: 1 }]);
    }
}
