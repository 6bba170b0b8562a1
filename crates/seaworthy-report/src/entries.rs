//! What an edition knows of vulnerabilities, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use seaworthy_core::{AffectedInterval, Fix, Severity, Upper};
use serde::Serialize;

use crate::clean::clean;

/// One vulnerability and what is said about packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The best-known name.
    pub id: String,
    /// Its other names, sorted.
    pub aliases: Vec<String>,
    /// One line for people.
    pub summary: String,
    /// The highest severity anyone gives it in the newest scoring system.
    pub severity: Option<String>,
    /// Every judgement: source, vector or word, score.
    pub ratings: Vec<EntryRating>,
    /// The day it was listed as known to be exploited.
    pub known_exploited: Option<String>,
    /// Probability of exploitation in the next 30 days, in millionths.
    pub epss_millionths: Option<u32>,
    /// Links.
    pub references: Vec<String>,
    /// Who says what of which package, in a fixed order.
    pub statements: Vec<EntryStatement>,
}

/// One judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryRating {
    /// Who judged.
    pub source: String,
    /// The vector or word.
    pub text: String,
    /// The score in tenths, where there is one.
    pub score_tenths: Option<u8>,
}

/// One record's word on one package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EntryStatement {
    /// Such as `Debian:12`.
    pub ecosystem: String,
    /// The package.
    pub name: String,
    /// The feed.
    pub feed: String,
    /// The record's id in that feed.
    pub record: String,
    /// What is said: `>= 2.0, < 2.15.0`, `= 1.2.3`, `not affected`.
    pub says: String,
}

/// What a stretch says, in the way package managers write it.
pub fn stretch(interval: &AffectedInterval, fix: Fix) -> String {
    let mut words = Vec::new();
    if let Some(from) = &interval.from {
        words.push(format!(">= {from}"));
    }
    match &interval.upper {
        Upper::Open => {}
        Upper::Fixed(version) => words.push(format!("< {version}")),
        Upper::LastAffected(version) => words.push(format!("<= {version}")),
    }
    if words.is_empty() {
        words.push("all versions".to_owned());
    }
    match fix {
        Fix::AsRanges => {}
        Fix::WontFix => words.push("will not be fixed".to_owned()),
        Fix::NotYet => words.push("no fix yet".to_owned()),
    }
    words.join(", ")
}

/// The entries as JSON, one array.
pub fn entries_json(entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(entries)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// How many packages and links of one entry people see before the rest is counted.
const SHOWN: usize = 40;
const LINKS: usize = 3;

/// The entries for people.
pub fn entries_text(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        if !text.is_empty() {
            text.push('\n');
        }
        write_entry(&mut text, entry);
    }
    text
}

fn write_entry(text: &mut String, entry: &Entry) {
    let severity = entry.severity.as_deref().unwrap_or("unrated");
    let _ = write!(text, "{}  {severity}", clean(&entry.id));
    if let Some(day) = &entry.known_exploited {
        let _ = write!(text, "  exploited since {day}");
    }
    if let Some(millionths) = entry.epss_millionths {
        let _ = write!(text, "  EPSS {:.1} %", f64::from(millionths) / 10_000.0);
    }
    text.push('\n');
    if !entry.summary.is_empty() {
        let _ = writeln!(text, "  {}", clean(&entry.summary));
    }
    if !entry.aliases.is_empty() {
        let names: Vec<String> = entry.aliases.iter().map(|name| clean(name)).collect();
        let _ = writeln!(text, "  also {}", names.join(", "));
    }
    for link in entry.references.iter().take(LINKS) {
        let _ = writeln!(text, "  {}", clean(link));
    }
    // Feeds repeat each other; a package is told once for each thing said.
    let mut told: BTreeMap<(&str, &str, &str), Vec<String>> = BTreeMap::new();
    for it in &entry.statements {
        let key = (it.ecosystem.as_str(), it.name.as_str(), it.says.as_str());
        let by = format!("{} {}", it.feed, it.record);
        told.entry(key).or_default().push(by);
    }
    let width = |of: fn(&(&str, &str, &str)) -> usize| {
        told.keys().take(SHOWN).map(of).max().unwrap_or(0).min(48)
    };
    let (first, second) = (
        width(|(ecosystem, ..)| clean(ecosystem).chars().count()),
        width(|(_, name, _)| clean(name).chars().count()),
    );
    for ((ecosystem, name, says), by) in told.iter().take(SHOWN) {
        let more = match by.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let _ = writeln!(
            text,
            "  {:first$}  {:second$}  {}  ({}{more})",
            clean(ecosystem),
            clean(name),
            clean(says),
            clean(by.first().map_or("", String::as_str)),
        );
    }
    if told.len() > SHOWN {
        let _ = writeln!(text, "  … and {} more", told.len() - SHOWN);
    }
}

/// What changed between two editions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EditionChanges {
    /// The digests, old and new.
    pub editions: [String; 2],
    /// Vulnerabilities that only the new one knows.
    pub added: Vec<Change>,
    /// Vulnerabilities that only the old one knows.
    pub removed: Vec<Change>,
    /// Vulnerabilities of which the two say different things.
    pub changed: Vec<Change>,
}

/// One vulnerability that changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The vulnerability.
    pub id: String,
    /// The severity, in the newer edition that knows it.
    pub severity: Option<String>,
    /// The packages that something new is said of, as `ecosystem name`.
    pub packages: Vec<String>,
}

/// The changes as JSON.
pub fn changes_json(changes: &EditionChanges) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(changes)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The changes for people.
pub fn changes_text(changes: &EditionChanges) -> String {
    let mut text = String::new();
    let count = |changes: &[Change]| changes.len();
    let _ = writeln!(
        text,
        "vulnerabilities: {} added, {} removed, {} changed",
        count(&changes.added),
        count(&changes.removed),
        count(&changes.changed)
    );
    for (title, list) in [
        ("added", &changes.added),
        ("removed", &changes.removed),
        ("changed", &changes.changed),
    ] {
        if list.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for change in list.iter().take(SHOWN * 5) {
            let severity = change.severity.as_deref().unwrap_or("unrated");
            let packages: Vec<String> =
                change.packages.iter().take(4).map(|it| clean(it)).collect();
            let more = match change.packages.len().saturating_sub(4) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(
                text,
                "  {:20}  {severity:10}  {}{more}",
                clean(&change.id),
                packages.join(", ")
            );
        }
        if list.len() > SHOWN * 5 {
            let _ = writeln!(text, "  … and {} more", list.len() - SHOWN * 5);
        }
    }
    text
}

/// A level by name, for entries.
pub fn level(severity: Option<Severity>) -> Option<String> {
    severity.map(|severity| severity.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_written_as_package_managers_do() {
        let interval = |from: Option<&str>, upper| AffectedInterval {
            from: from.map(Into::into),
            upper,
        };
        for (interval, fix, words) in [
            (
                interval(Some("1"), Upper::Fixed("2".into())),
                Fix::AsRanges,
                ">= 1, < 2",
            ),
            (
                interval(None, Upper::LastAffected("2".into())),
                Fix::NotYet,
                "<= 2, no fix yet",
            ),
            (interval(None, Upper::Open), Fix::AsRanges, "all versions"),
            (
                interval(Some("1"), Upper::Open),
                Fix::WontFix,
                ">= 1, will not be fixed",
            ),
        ] {
            assert_eq!(stretch(&interval, fix), words);
        }
    }

    #[test]
    fn an_entry_reads_well_and_obeys_no_terminal() {
        let statement = |feed: &str, record: &str| EntryStatement {
            ecosystem: "Maven".to_owned(),
            name: "a:b".to_owned(),
            feed: feed.to_owned(),
            record: record.to_owned(),
            says: "< 2.15.0".to_owned(),
        };
        let entry = Entry {
            id: "CVE-2021-44228".to_owned(),
            aliases: vec!["GHSA-jfh8-c2jp-5v3q".to_owned()],
            summary: "Remote \u{1b}[31mcode".to_owned(),
            severity: Some("critical".to_owned()),
            ratings: Vec::new(),
            known_exploited: Some("2021-12-10".to_owned()),
            epss_millionths: Some(975_650),
            references: vec!["https://example.org".to_owned()],
            statements: vec![
                statement("osv/Maven", "GHSA-jfh8-c2jp-5v3q"),
                statement("private/x", "X-1"),
            ],
        };
        let text = entries_text(&[entry]);
        assert!(!text.contains('\u{1b}'));
        insta::assert_snapshot!(text, @r"
        CVE-2021-44228  critical  exploited since 2021-12-10  EPSS 97.6 %
          Remote \u{1b}[31mcode
          also GHSA-jfh8-c2jp-5v3q
          https://example.org
          Maven  a:b  < 2.15.0  (osv/Maven GHSA-jfh8-c2jp-5v3q and 1 more)
        ");
    }
}
