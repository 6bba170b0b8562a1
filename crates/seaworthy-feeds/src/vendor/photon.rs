//! Photon OS's vulnerabilities: what each branch has fixed, and what never
//! concerned it.
//!
//! Entries name packages as they are built today, sources and binaries alike, so
//! each is said of both.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Rating, RatingSystem, Severity, Stance,
    Statement, Upper,
};
use serde::Deserialize;
use serde_json::Value;

use super::element::{Place, each_element};
use super::{Content, Intake, VendorError};
use crate::osv::is_id;

/// Entries of one branch; today's longest has some 20,000.
const MAX_ENTRIES: usize = 2_000_000;

#[derive(Deserialize)]
struct Entry {
    cve_id: String,
    pkg: String,
    #[serde(default)]
    cve_score: Value,
    #[serde(default)]
    aff_ver: String,
    #[serde(default)]
    res_ver: String,
    #[serde(default)]
    status: String,
}

/// What a branch says of one vulnerability.
#[derive(Default)]
struct Case {
    scores: BTreeSet<u8>,
    stances: BTreeMap<String, Stance>,
}

/// Reads the entries of one branch, `cve_data_photon5.0.json`.
pub(crate) fn read(
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let branch = name
        .rsplit_once("cve_data_photon")
        .and_then(|(_, rest)| rest.strip_suffix(".json"))
        .filter(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit() || it == b'.'))
        .ok_or(VendorError::Missing {
            what: "the branch in the name of the list",
        })?
        .to_owned();
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    let mut count = 0_usize;
    each_element(content, intake, Place::List, &mut |_, value, intake| {
        count += 1;
        if count > MAX_ENTRIES {
            return Err(VendorError::TooLarge {
                what: "entries",
                limit: u64::try_from(MAX_ENTRIES).unwrap_or(u64::MAX),
            });
        }
        match Entry::deserialize(&value) {
            Ok(entry) => add(entry, &mut cases, intake),
            Err(error) => intake.refuse("an entry", error),
        }
        Ok(())
    })?;
    for (id, case) in cases {
        intake.take(advisory(&id, case, &branch, intake));
    }
    Ok(())
}

fn add(entry: Entry, cases: &mut BTreeMap<String, Case>, intake: &mut Intake<'_>) {
    // Some entries carry a number of the database's own until they have a name.
    let named =
        is_id(&entry.cve_id) && entry.cve_id.contains('-') && !entry.cve_id.starts_with("UNK-");
    if !named || !is_word(&entry.pkg) {
        intake.refuse(&entry.cve_id, "it names no vulnerability or no package");
        return;
    }
    let case = cases.entry(entry.cve_id.clone()).or_default();
    case.scores.extend(tenths(&entry.cve_score));
    let stance = stance(&entry);
    case.stances
        .entry(entry.pkg)
        .and_modify(|before| {
            // Whoever is affected, or was, is not spoken free by another entry.
            if matches!(before, Stance::NotAffected { .. }) {
                *before = stance.clone();
            }
        })
        .or_insert(stance);
}

fn stance(entry: &Entry) -> Stance {
    let affected = |upper, fix| Stance::Affected {
        intervals: vec![AffectedInterval { from: None, upper }],
        versions: Vec::new(),
        fix,
    };
    if is_word(&entry.res_ver) && entry.res_ver.bytes().any(|it| it.is_ascii_digit()) {
        return affected(Upper::Fixed(entry.res_ver.as_str().into()), Fix::AsRanges);
    }
    if entry.status.eq_ignore_ascii_case("not affected") {
        return Stance::NotAffected {
            why: "no reason given".into(),
        };
    }
    if entry.aff_ver.starts_with("all versions") {
        return affected(Upper::Open, Fix::NotYet);
    }
    Stance::UnderReview
}

fn advisory(id: &str, case: Case, branch: &str, intake: &Intake<'_>) -> Advisory {
    // Branches are lists of their own; each is a record of its own.
    let mut advisory = intake.advisory(&format!("PHOTON-{branch}-{id}"));
    advisory.aliases = vec![id.into()];
    advisory.ratings = case
        .scores
        .into_iter()
        .map(|score| Rating {
            source: "Photon OS".into(),
            // A score of a version and a vector that the list keeps to itself.
            system: RatingSystem::Word,
            text: format!("{}.{}", score / 10, score % 10).into(),
            score_tenths: Some(score),
            severity: Severity::of_score(score),
        })
        .collect();
    for (package, stance) in case.stances {
        for prefix in ["", "src:"] {
            advisory.statements.push(Statement {
                about: PackageKey {
                    ecosystem: Ecosystem::of_release("Photon OS", branch),
                    name: format!("{prefix}{package}").into(),
                },
                stance: stance.clone(),
            });
        }
    }
    advisory
}

/// A score in tenths. The list writes `7.5`, `5` and at times `"7.5"`.
fn tenths(score: &Value) -> Option<u8> {
    let text = match score {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let digit = part.chars().next()?.to_digit(10)?;
    let tenths = whole
        .parse::<u32>()
        .ok()?
        .checked_mul(10)?
        .checked_add(digit)?;
    u8::try_from(tenths)
        .ok()
        .filter(|it| (1..=100).contains(it))
}

/// Whether `text` can be a package's name or a version.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::intake::tests::{read_with, told};
    use super::*;
    use crate::osv::Limits;

    const SMALL: &str = r#"[
        {"cve_id": "CVE-2024-1", "pkg": "curl", "cve_score": 7.5, "aff_ver": "all versions before 8-1.ph5 are vulnerable", "res_ver": "8-1.ph5", "status": "Fixed"},
        {"cve_id": "CVE-2024-1", "pkg": "curl", "cve_score": "5", "aff_ver": "NA", "res_ver": "NA", "status": "Not Affected"},
        {"cve_id": "BDSA-2025-1", "pkg": "consul", "cve_score": 10.0, "aff_ver": "NA", "res_ver": "NA", "status": "Not Affected"},
        {"cve_id": "CVE-2024-2", "pkg": "open", "aff_ver": "all versions are vulnerable", "res_ver": "NA"},
        {"cve_id": "CVE-2024-3", "pkg": "who", "aff_ver": "NA", "res_ver": "NA"},
        {"cve_id": "UNK-1", "pkg": "curl", "status": "Not Affected"}, {"cve_id": "Re", "pkg": "linux"}, {"cve_id": 7}]"#;

    #[test]
    fn every_entry_is_a_stance_or_refused() {
        insta::assert_snapshot!(told(read, "x/cve_data_photon5.0.json", SMALL.as_bytes()), @r"
        PHOTON-5.0-BDSA-2025-1 
          aliases: BDSA-2025-1
          Photon OS: 10.0 critical
          Photon OS:5.0 consul: not affected (no reason given)
          Photon OS:5.0 src:consul: not affected (no reason given)
        PHOTON-5.0-CVE-2024-1 
          aliases: CVE-2024-1
          Photon OS: 5.0 medium
          Photon OS: 7.5 high
          Photon OS:5.0 curl: [..8-1.ph5)
          Photon OS:5.0 src:curl: [..8-1.ph5)
        PHOTON-5.0-CVE-2024-2 
          aliases: CVE-2024-2
          Photon OS:5.0 open: [..) NotYet
          Photon OS:5.0 src:open: [..) NotYet
        PHOTON-5.0-CVE-2024-3 
          aliases: CVE-2024-3
          Photon OS:5.0 who: under review
          Photon OS:5.0 src:who: under review
        refused UNK-1: it names no vulnerability or no package
        refused Re: it names no vulnerability or no package
        refused an entry: invalid type: integer `7`, expected a string
        ");
        assert_eq!(
            told(read, "x.json", b"[]"),
            "error: the branch in the name of the list is missing"
        );
        assert!(told(read, "cve_data_photon5.0.json", b"{}").starts_with("error: not the JSON"));
    }

    #[test]
    fn photons_branches_are_read() {
        let Some(root) = seaworthy_testkit::shared() else {
            return;
        };
        let folder = root.join("feeds/vendor/photon/photon_cve_metadata");
        let mut lines = Vec::new();
        for branch in ["1.0", "2.0", "3.0", "4.0", "5.0"] {
            let name = format!("cve_data_photon{branch}.json");
            let bytes = std::fs::read(folder.join(&name)).unwrap();
            let (_, taken) = read_with(read, &name, &bytes);
            lines.push(format!(
                "{branch}: {} records, {} refused",
                taken.records, taken.refused
            ));
        }
        insta::assert_snapshot!(lines.join("\n"), @r"
        1.0: 7 records, 0 refused
        2.0: 5 records, 0 refused
        3.0: 5 records, 1 refused
        4.0: 1 records, 4 refused
        5.0: 2 records, 0 refused
        ");
    }

    #[test]
    fn a_score_is_counted_in_tenths() {
        for (score, expected) in [
            ("7.5", Some(75)),
            ("10", Some(100)),
            ("\"6.3\"", Some(63)),
            ("0", None),
            ("99", None),
            ("-1", None),
            ("1e9", None),
            ("null", None),
        ] {
            assert_eq!(
                tenths(&serde_json::from_str(score).unwrap()),
                expected,
                "{score}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_damaged_list_is_read_or_refused(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let mut bytes = SMALL.as_bytes().to_vec();
            for (position, byte) in damage {
                let position = position.index(bytes.len());
                bytes[position] = byte;
            }
            let limits = Limits::default();
            let mut sink = |_| {};
            let mut intake = Intake::new("test", &limits, &mut sink);
            let _ = read(&mut Cursor::new(&bytes), "cve_data_photon5.0.json", &mut intake);
        }
    }
}
