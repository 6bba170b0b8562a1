//! A report as it is to be saved.

use std::collections::BTreeSet;

use seaworthy_core::{FixState, Policy, Report, Severity, Verdict, package_purl};
use sha2::{Digest as _, Sha256};

use super::component::{NewComponent, Vulnerability};
use super::difference::Line;
use crate::packed::Packed;

/// A report with all that is kept of it.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub(super) edition: Option<String>,
    pub(super) outcome: &'static str,
    pub(super) numbers: Numbers,
    pub(super) components: Vec<NewComponent>,
    pub(super) aliases: BTreeSet<(String, String)>,
    pub(super) lines: BTreeSet<Line>,
    pub(super) document: Packed,
}

/// A report in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Numbers {
    pub(super) critical: i64,
    pub(super) high: i64,
    pub(super) medium: i64,
    pub(super) low: i64,
    pub(super) negligible: i64,
    pub(super) unrated: i64,
    pub(super) fixable: i64,
    pub(super) packages: i64,
    /// Findings of a kernel that does not run; in none of the other numbers.
    pub(super) kernel: i64,
}

impl NewReport {
    /// What is kept of `report`. `deciding` is what decides each package's findings
    /// beside the edition, in the order of the packages; `document` is the report as
    /// people and tools read it.
    ///
    /// This packs and hashes: call it where it may take its time.
    pub fn of(
        report: &Report,
        verdict: &Verdict,
        policy: &Policy,
        deciding: &[String],
        document: &[u8],
    ) -> Self {
        let distro = report.inventory.distro.as_ref();
        let mut components: Vec<NewComponent> = Vec::new();
        for (at, package) in report.inventory.packages.iter().enumerate() {
            let decided_by = deciding.get(at).map_or("", String::as_str);
            let mut component = NewComponent {
                hash: String::new(),
                kind: package.kind.purl_type().to_owned(),
                name: package.name.to_string(),
                version: package.version.text().to_owned(),
                purl: package_purl(package, distro),
                source_name: package.source.as_ref().map(|it| it.name.to_string()),
                vulnerabilities: Vec::new(),
            };
            component.hash = hash(&component, decided_by);
            components.push(component);
        }
        let mut numbers = Numbers {
            packages: count(report.inventory.packages.len()),
            ..Numbers::default()
        };
        let mut aliases = BTreeSet::new();
        let mut lines = BTreeSet::new();
        for finding in &report.findings {
            let Some(component) = components.get_mut(finding.package.0) else {
                continue;
            };
            let severity = finding.severity.map(Severity::name);
            let fix = fix(&finding.fix);
            component.vulnerabilities.push(Vulnerability {
                name: finding.vulnerability.to_string(),
                severity,
                fix: fix.clone(),
            });
            for alias in &finding.aliases {
                aliases.insert((alias.to_string(), finding.vulnerability.to_string()));
            }
            lines.insert(Line {
                kind: component.kind.clone(),
                name: component.name.clone(),
                version: component.version.clone(),
                vulnerability: finding.vulnerability.to_string(),
                severity: severity.map(str::to_owned),
                fix,
            });
            numbers.add(finding, policy);
        }
        components.sort_by(|one, other| one.hash.cmp(&other.hash));
        components.dedup_by(|one, other| one.hash == other.hash);
        Self {
            edition: report.edition.as_ref().map(|it| it.digest.to_string()),
            outcome: verdict.outcome().name(),
            numbers,
            components,
            aliases,
            lines,
            document: Packed::of(document),
        }
    }
}

impl Numbers {
    fn add(&mut self, finding: &seaworthy_core::Finding, policy: &Policy) {
        if finding.kernel && !policy.kernel_runs {
            self.kernel += 1;
            return;
        }
        let of_level = match finding.severity {
            Some(Severity::Critical) => &mut self.critical,
            Some(Severity::High) => &mut self.high,
            Some(Severity::Medium) => &mut self.medium,
            Some(Severity::Low) => &mut self.low,
            Some(Severity::Negligible) => &mut self.negligible,
            None => &mut self.unrated,
        };
        *of_level += 1;
        if finding.fix.is_available() {
            self.fixable += 1;
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What can be done, as one text.
fn fix(fix: &FixState) -> String {
    match fix {
        FixState::In(versions) => format!("fixed {}", versions.join(", ")),
        FixState::Subscription(versions) => format!("subscription {}", versions.join(", ")),
        FixState::WontFix => "wont_fix".to_owned(),
        FixState::NotYet => "not_yet".to_owned(),
        FixState::UnderReview => "under_review".to_owned(),
        FixState::Unknown => "unknown".to_owned(),
    }
}

/// What tells a component from all others: what is shown of it, and what decides its
/// findings.
fn hash(component: &NewComponent, decided_by: &str) -> String {
    let mut hash = Sha256::new();
    for part in [
        &*component.kind,
        &component.name,
        &component.version,
        &component.purl,
        component.source_name.as_deref().unwrap_or_default(),
        decided_by,
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}
