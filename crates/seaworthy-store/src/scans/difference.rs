//! What a report says that the one before did not, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::packed::Packed;
use crate::trouble::StoreError;

/// The most findings of each kind that a difference lists; all are counted.
const MOST_LISTED: usize = 1000;

/// A finding in a line. Findings are the same where the first four fields are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) vulnerability: String,
    pub(super) severity: Option<String>,
    pub(super) fix: String,
}

/// A finding that is told differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Changed<'a> {
    before: &'a Line,
    after: &'a Line,
}

/// The document that is kept with a report.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    new: usize,
    gone: usize,
    changed: usize,
    findings: Findings<'a>,
}

#[derive(Debug, Serialize)]
struct Findings<'a> {
    new: Vec<&'a Line>,
    gone: Vec<&'a Line>,
    changed: Vec<Changed<'a>>,
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

impl Line {
    fn key(&self) -> Key<'_> {
        (&self.kind, &self.name, &self.version, &self.vulnerability)
    }
}

/// Findings to compare the next report with.
pub(super) fn keep(lines: &BTreeSet<Line>) -> Packed {
    let text = serde_json::to_vec(lines).expect("lines are texts, which JSON can hold");
    Packed::of(&text)
}

/// What [`keep`] kept.
pub(super) fn recall(packed: Vec<u8>) -> Result<BTreeSet<Line>, StoreError> {
    serde_json::from_slice(&Packed(packed).unpack()?)
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// The difference as a JSON document. Without an earlier report nothing is new:
/// there is nothing to tell it from.
pub(super) fn tell(before: Option<&BTreeSet<Line>>, after: &BTreeSet<Line>) -> String {
    let had: BTreeMap<Key<'_>, &Line> = before
        .unwrap_or(after)
        .iter()
        .map(|line| (line.key(), line))
        .collect();
    let has: BTreeMap<Key<'_>, &Line> = after.iter().map(|line| (line.key(), line)).collect();
    let new: Vec<&Line> = has
        .iter()
        .filter(|(key, _)| !had.contains_key(*key))
        .map(|(_, line)| *line)
        .collect();
    let gone: Vec<&Line> = had
        .iter()
        .filter(|(key, _)| !has.contains_key(*key))
        .map(|(_, line)| *line)
        .collect();
    let changed: Vec<Changed<'_>> = has
        .iter()
        .filter_map(|(key, after)| {
            let before = had.get(key)?;
            (before != after).then_some(Changed { before, after })
        })
        .collect();
    let document = Document {
        schema: "seaworthy.difference/1",
        new: new.len(),
        gone: gone.len(),
        changed: changed.len(),
        findings: Findings {
            new: cut(new),
            gone: cut(gone),
            changed: cut(changed),
        },
    };
    serde_json::to_string(&document).expect("lines are texts, which JSON can hold")
}

fn cut<T>(mut list: Vec<T>) -> Vec<T> {
    list.truncate(MOST_LISTED);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, vulnerability: &str, fix: &str) -> Line {
        Line {
            kind: "deb".to_owned(),
            name: name.to_owned(),
            version: "1".to_owned(),
            vulnerability: vulnerability.to_owned(),
            severity: None,
            fix: fix.to_owned(),
        }
    }

    fn counts(document: &str) -> [u64; 3] {
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        ["new", "gone", "changed"].map(|it| document[it].as_u64().expect("a number"))
    }

    #[test]
    fn new_gone_and_changed_findings_are_told() {
        let before = BTreeSet::from([line("a", "CVE-1", "not_yet"), line("b", "CVE-2", "not_yet")]);
        let after = BTreeSet::from([line("a", "CVE-1", "fixed 2"), line("c", "CVE-3", "not_yet")]);
        assert_eq!(counts(&tell(Some(&before), &after)), [1, 1, 1]);
        assert_eq!(counts(&tell(None, &after)), [0, 0, 0]);
        assert_eq!(recall(keep(&after).0).ok(), Some(after));
    }
}
