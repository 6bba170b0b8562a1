//! The records inside the program: famous vulnerabilities, in our own words.

use std::collections::BTreeMap;

use seaworthy_core::{Advisory, Kev};
use serde::Deserialize;

use crate::osv::{OsvError, parse_record};

/// The feed of the records inside the program.
const FEED: &str = "starter";

const RECORDS: &str = include_str!("../starter/advisories.jsonl");

/// What a record of ours says of known exploitation.
#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    database_specific: Extra,
}

#[derive(Default, Deserialize)]
struct Extra {
    #[serde(default)]
    kev: Option<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    added: String,
    #[serde(default)]
    due: Option<String>,
    #[serde(default)]
    ransomware: bool,
}

/// The records inside the program, and what they say of known exploitation, by
/// CVE id. They are few, and no substitute for a feed.
///
/// # Panics
///
/// Never: every line is read by a test.
pub fn starter() -> (Vec<Advisory>, BTreeMap<Box<str>, Kev>) {
    let mut advisories = Vec::new();
    let mut kev = BTreeMap::new();
    for line in RECORDS.lines().filter(|line| !line.trim().is_empty()) {
        advisories.push(parsed(line).expect("every line of the starter file is read by a test"));
        kev.extend(listed(line));
    }
    (advisories, kev)
}

fn parsed(line: &str) -> Result<Advisory, OsvError> {
    parse_record(FEED, line.as_bytes())
}

fn listed(line: &str) -> Option<(Box<str>, Kev)> {
    let line: Line = serde_json::from_str(line).ok()?;
    let listed = line.database_specific.kev?;
    let name = std::iter::once(&line.id)
        .chain(&line.aliases)
        .find(|name| name.starts_with("CVE-"))?;
    let entry = Kev {
        added: listed.added.parse().ok()?,
        due: listed.due.and_then(|day| day.parse().ok()),
        ransomware: listed.ransomware,
    };
    Some((name.as_str().into(), entry))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn every_record_has_a_summary_a_rating_a_link_and_something_to_say() {
        let mut seen = std::collections::HashSet::new();
        for line in RECORDS.lines().filter(|line| !line.trim().is_empty()) {
            let advisory = parsed(line).unwrap();
            let id = &advisory.id;
            assert!(!advisory.summary.is_empty(), "{id} has no summary");
            assert!(!advisory.ratings.is_empty(), "{id} has no rating");
            assert!(!advisory.references.is_empty(), "{id} has no link");
            assert!(!advisory.statements.is_empty(), "{id} says nothing");
            assert!(advisory.modified.is_some(), "{id} has no day");
            assert!(seen.insert(id.clone()), "{id} is there twice");
            assert_eq!(
                line.contains("\"kev\""),
                listed(line).is_some(),
                "{id} is listed as exploited without a name or a day"
            );
        }
    }

    #[test]
    fn log4shell_is_there() {
        let (advisories, kev) = starter();
        let log4shell = advisories
            .iter()
            .find(|it| {
                &*it.id == "CVE-2021-44228" || it.aliases.iter().any(|it| &**it == "CVE-2021-44228")
            })
            .unwrap();
        assert!(
            log4shell
                .statements
                .iter()
                .any(|it| &*it.about.name == "org.apache.logging.log4j:log4j-core")
        );
        assert!(kev.contains_key("CVE-2021-44228"));
    }
}
