//! The head of the answer: what was scanned, and the verdict.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{FeedDate, Outcome, PackageId, Report, Severity};

use super::component::Component;
use super::page::{Line, Page, Paint};
use crate::Assessed;
use crate::words::{count, grouped, size};

/// What was read and with what it was compared.
pub(super) fn subject(page: &mut Page, report: &Report) {
    let mut line = page.start(0);
    let width = page.width();
    page.add_middle(&mut line, Paint::Strong, &report.image.target, width);
    page.end(line);

    let mut facts = Vec::new();
    if let Some(platform) = &report.image.platform {
        facts.push(platform.to_string());
    }
    if let Some(distro) = &report.inventory.distro {
        facts.push(distro.title());
    }
    if let Some(manifest) = &report.image.manifest {
        facts.push(format!("sha256:{}", manifest.short()));
    }
    if !facts.is_empty() {
        page.line(0, Paint::Plain, &facts.join(" · "));
    }

    let packages = &report.inventory.packages;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        *kinds.entry(package.kind.purl_type()).or_default() += 1;
    }
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, number)| (std::cmp::Reverse(*number), *kind));
    let mut line = page.start(0);
    page.add(&mut line, Paint::Plain, &count(packages.len(), "package"));
    if !kinds.is_empty() {
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, number)| format!("{kind} {}", grouped(*number)))
            .collect();
        page.add(&mut line, Paint::Faint, &format!("  {}", kinds.join(" · ")));
    }
    page.end(line);
    edition(page, report);
}

fn edition(page: &mut Page, report: &Report) {
    let Some(edition) = &report.edition else {
        page.line(0, Paint::Plain, "no edition of advisories");
        return;
    };
    let mut line = page.start(0);
    let name = if edition.starter {
        "starter edition"
    } else {
        "edition"
    };
    page.add(
        &mut line,
        Paint::Plain,
        &format!("{name} {}", edition.digest.short()),
    );
    let advisories = format!("  {}", count(size(edition.advisories), "advisory"));
    page.add(&mut line, Paint::Faint, &advisories);
    // The oldest feed that was needed is how old the answer is.
    let oldest = report
        .coverage
        .iter()
        .filter_map(|coverage| coverage.feed.as_ref())
        .map(|feed| feed.date)
        .filter_map(FeedDate::day)
        .min();
    if let Some(day) = oldest {
        page.add(&mut line, Paint::Faint, &format!(" · as of {day}"));
    }
    page.end(line);
}

/// The verdict in one word and one sentence.
pub(super) fn verdict(page: &mut Page, assessed: &Assessed<'_>, components: &[Component<'_>]) {
    let outcome = assessed.verdict.outcome();
    let mut line = page.start(0);
    badge(page, &mut line, outcome);
    let sentence = match outcome {
        Outcome::Pass => pass_sentence(assessed),
        Outcome::Fail => fail_sentence(assessed, components),
        Outcome::Unknown => unknown_sentence(assessed),
    };
    page.add(&mut line, Paint::Plain, "  ");
    let indent = line.width();
    page.paragraph(line, indent, Paint::Plain, &sentence);
}

/// The verdict's word.
pub(super) fn badge(page: &Page, line: &mut Line, outcome: Outcome) {
    let (word, paint) = match outcome {
        Outcome::Pass => ("PASS", Paint::PassBadge),
        Outcome::Fail => ("FAIL", Paint::FailBadge),
        Outcome::Unknown => ("UNKNOWN", Paint::UnknownBadge),
    };
    page.add(line, paint, &format!(" {word} "));
}

fn pass_sentence(assessed: &Assessed<'_>) -> String {
    let findings = &assessed.report.findings;
    let packages = match assessed.report.inventory.packages.len() {
        1 => "The one package judged".to_owned(),
        more => format!("All {} packages judged", grouped(more)),
    };
    if findings.is_empty() {
        format!("{packages}, nothing known against them. Fair winds.")
    } else {
        let unfixed = if assessed.policy.ignore_unfixed {
            " that can be fixed"
        } else {
            ""
        };
        format!(
            "{packages}, nothing{unfixed} reaches {}.",
            assessed.policy.fail_on
        )
    }
}

fn fail_sentence(assessed: &Assessed<'_>, components: &[Component<'_>]) -> String {
    // A vulnerability of several binaries of one source is one thing to fix, so
    // the sentence counts what the rows below show.
    let reasons: BTreeSet<(PackageId, &str)> = assessed
        .verdict
        .reasons
        .iter()
        .map(|reason| (reason.package, &*reason.vulnerability))
        .collect();
    let breaking = |component: &Component<'_>| {
        component
            .findings
            .iter()
            .filter(|finding| {
                component
                    .packages
                    .iter()
                    .any(|(id, _)| reasons.contains(&(*id, &*finding.vulnerability)))
            })
            .map(|finding| (finding.severity, finding.fix.is_available()))
            .collect::<Vec<_>>()
    };
    let broken: Vec<_> = components.iter().map(breaking).collect();
    let touched = broken.iter().filter(|rows| !rows.is_empty()).count();
    let rows: Vec<_> = broken.into_iter().flatten().collect();
    let levels: Vec<String> = Severity::WORST_FIRST
        .iter()
        .filter_map(|level| {
            let number = rows
                .iter()
                .filter(|(severity, _)| *severity == Some(*level))
                .count();
            (number > 0).then(|| format!("{} {level}", grouped(number)))
        })
        .collect();
    let levels = match levels.as_slice() {
        [] => grouped(reasons.len()),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    };
    let fixable = rows.iter().filter(|(_, fixable)| *fixable).count();
    let fixable = match (fixable, rows.len()) {
        (0, _) => "none can be fixed yet".to_owned(),
        (1, 1) => "it can be fixed".to_owned(),
        (2, 2) => "both can be fixed".to_owned(),
        (fixable, all) if fixable == all => "all can be fixed".to_owned(),
        (fixable, _) => format!("{} can be fixed", grouped(fixable)),
    };
    let noun = if rows.len() == 1 {
        "vulnerability"
    } else {
        "vulnerabilities"
    };
    format!(
        "{levels} {noun} in {}; {fixable}.",
        count(touched, "package")
    )
}

fn unknown_sentence(assessed: &Assessed<'_>) -> String {
    let seen = if assessed.report.findings.is_empty() {
        "Nothing is known against it".to_owned()
    } else {
        format!("Nothing seen reaches {}", assessed.policy.fail_on)
    };
    format!("{seen}, but not everything could be judged.")
}

/// How many vulnerabilities there are by level, and how many can be fixed.
pub(super) fn levels(page: &mut Page, components: &[Component<'_>]) {
    let findings = || components.iter().flat_map(|component| &component.findings);
    let all = findings().count();
    if all == 0 {
        return;
    }
    let tally = |level: Option<Severity>| {
        let of_level = || findings().filter(move |finding| finding.severity == level);
        let fixable = of_level()
            .filter(|finding| finding.fix.is_available())
            .count();
        (of_level().count(), fixable)
    };
    let rows: Vec<(Option<Severity>, (usize, usize))> = Severity::WORST_FIRST
        .into_iter()
        .map(Some)
        .chain([None])
        .map(|level| (level, tally(level)))
        .filter(|(_, (number, _))| *number > 0)
        .collect();
    let most = rows
        .iter()
        .map(|(_, (number, _))| *number)
        .max()
        .unwrap_or(1);
    let digits = grouped(most).len();
    let room = page.width().saturating_sub(2 + 12 + digits + 2).min(40);
    page.gap();
    for (level, (number, fixable)) in rows {
        let mut line = page.start(2);
        page.column(&mut line, paint(level), name(level), 10);
        page.add(
            &mut line,
            Paint::Plain,
            &format!("{:>digits$}  ", grouped(number)),
        );
        let (full, hollow) = bar(number, fixable, most, room);
        page.add(&mut line, paint(level), &"■".repeat(full));
        page.add(&mut line, paint(level), &"□".repeat(hollow));
        page.end(line);
    }
    let fixable: usize = components.iter().map(Component::fixable).sum();
    let noun = if all == 1 {
        "vulnerability"
    } else {
        "vulnerabilities"
    };
    page.line(
        2,
        Paint::Faint,
        &format!(
            "{} {noun}, ■ {} with a fix, □ {} without",
            grouped(all),
            grouped(fixable),
            grouped(all - fixable)
        ),
    );
}

/// How much was left out because no container runs it.
pub(super) fn kernel(page: &mut Page, assessed: &Assessed<'_>) {
    let left_out: BTreeSet<&str> = assessed
        .report
        .findings
        .iter()
        .filter(|finding| finding.kernel && !assessed.policy.kernel_runs)
        .map(|finding| &*finding.vulnerability)
        .collect();
    if left_out.is_empty() {
        return;
    }
    let kernel = "of the kernel, which no container runs, not counted (see --kernel)";
    page.gap();
    page.paragraph(
        page.start(2),
        2,
        Paint::Faint,
        &format!("{} {kernel}", grouped(left_out.len())),
    );
}

/// Signs for those with a fix and those without: one each while they fit, else
/// in proportion, and never none for some.
fn bar(number: usize, fixable: usize, most: usize, room: usize) -> (usize, usize) {
    let scale = |part: usize| {
        if most <= room || part == 0 {
            part
        } else {
            (part.saturating_mul(room) / most).max(1)
        }
    };
    (scale(fixable), scale(number - fixable))
}

/// The colour of a level.
pub(super) fn paint(level: Option<Severity>) -> Paint {
    match level {
        Some(Severity::Critical) => Paint::Worst,
        Some(Severity::High) => Paint::Bad,
        Some(Severity::Medium) => Paint::Doubtful,
        Some(Severity::Low) => Paint::Mild,
        Some(Severity::Negligible) | None => Paint::Faint,
    }
}

/// The word of a level.
pub(super) fn name(level: Option<Severity>) -> &'static str {
    level.map_or("unrated", Severity::name)
}
