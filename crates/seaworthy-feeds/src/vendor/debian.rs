//! Debian's security tracker: what it says of every source package, vulnerability
//! and release.
//!
//! The document is a map of source packages to vulnerabilities to releases. It is
//! turned around while it is read, so that each vulnerability is one advisory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;

use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Rating, Scheme, Stance, Statement,
    Upper,
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::packed::unpacked;
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, of_word, one_line};

/// Bytes of the document without compression; today's has some 70 MB.
const MAX_BYTES: u64 = 512 << 20;
/// Statements in the document; today's has about half a million.
const MAX_STATEMENTS: usize = 8_000_000;
/// Bytes of a package's name or of a version.
const MAX_WORD: usize = 200;

/// Releases by the names the tracker calls them.
const RELEASES: [(&str, &str); 13] = [
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", "sid"),
];

/// Reads the tracker's `data/json`.
pub(crate) fn read(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let document = unpacked(content, intake)?.take(MAX_BYTES);
    let mut tracker = Tracker::default();
    let mut json = serde_json::Deserializer::from_reader(document);
    let read = Sources {
        tracker: &mut tracker,
        intake,
    }
    .deserialize(&mut json)
    .and_then(|()| json.end());
    if tracker.statements > MAX_STATEMENTS {
        return Err(VendorError::TooLarge {
            what: "statements",
            limit: u64::try_from(MAX_STATEMENTS).unwrap_or(u64::MAX),
        });
    }
    read?;
    for (id, case) in tracker.cases {
        for advisory in advisories(&id, &case, &tracker.sources, intake) {
            intake.take(advisory);
        }
    }
    Ok(())
}

/// What was read so far, turned around.
#[derive(Default)]
struct Tracker {
    /// Names of source packages; statements point here.
    sources: Vec<Box<str>>,
    cases: BTreeMap<Box<str>, Case>,
    statements: usize,
    /// Releases that nobody here knows, each refused once.
    unknown: BTreeSet<Box<str>>,
}

/// One vulnerability.
#[derive(Default)]
struct Case {
    summary: Box<str>,
    said: Vec<Said>,
}

/// What is said of one source package in one release.
struct Said {
    source: usize,
    release: &'static str,
    urgency: Option<Rating>,
    status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Status {
    NotAffected,
    Undetermined,
    Fixed(Box<str>),
    Open(Fix),
}

impl Tracker {
    /// Takes what is said of the vulnerability `id` in the source package at the
    /// end of `sources`.
    fn hear(&mut self, id: &str, entry: &Value, intake: &mut Intake<'_>) -> Result<(), String> {
        let source = self.sources.len().saturating_sub(1);
        if !is_id(id) {
            return Err("not an id".to_owned());
        }
        let releases = match entry.get("releases") {
            Some(Value::Object(releases)) => releases,
            // What has no releases is written as an empty list.
            Some(Value::Array(none)) if none.is_empty() => return Ok(()),
            _ => return Err("it says nothing of any release".to_owned()),
        };
        let mut said = Vec::new();
        for (codename, words) in releases {
            let Some((_, release)) = RELEASES.iter().find(|(name, _)| name == codename) else {
                if self.unknown.len() < 100 && self.unknown.insert(codename.as_str().into()) {
                    intake.refuse(codename, "not a release that has a number here");
                }
                continue;
            };
            let status = match status(words) {
                Ok(status) => status,
                Err(why) => {
                    intake.refuse(&format!("{id} {codename}"), why);
                    continue;
                }
            };
            let urgency = words.get("urgency").and_then(Value::as_str);
            said.push(Said {
                source,
                release,
                urgency: urgency.and_then(|word| of_word("Debian", word)),
                status,
            });
        }
        if said.is_empty() {
            return Ok(());
        }
        let case = self.cases.entry(id.into()).or_default();
        if case.summary.is_empty() {
            let description = entry.get("description").and_then(Value::as_str);
            case.summary = one_line(description.unwrap_or_default());
        }
        self.statements = self.statements.saturating_add(said.len());
        case.said.extend(said);
        Ok(())
    }
}

/// What the tracker says of one release.
fn status(words: &Value) -> Result<Status, String> {
    let word = |name: &str| words.get(name).and_then(Value::as_str);
    let fixed_version = word("fixed_version").filter(|version| !version.is_empty());
    if fixed_version.is_some_and(|version| Scheme::Dpkg.check(version).is_err()) {
        return Err("`fixed_version` is not a version".to_owned());
    }
    if fixed_version.is_some_and(|version| version.len() > MAX_WORD) {
        return Err("`fixed_version` is too long".to_owned());
    }
    match (word("status"), fixed_version) {
        (Some("resolved"), Some("0")) => Ok(Status::NotAffected),
        (Some("resolved"), Some(version)) => Ok(Status::Fixed(version.into())),
        // Fixed, and nobody says where: in the oldest version that the release has.
        (Some("resolved"), None) => oldest(words.get("repositories"))
            .map(|version| Status::Fixed(version.into()))
            .ok_or_else(|| "resolved in no version".to_owned()),
        (Some("undetermined"), _) => Ok(Status::Undetermined),
        // A fix that some suites of the release have already.
        (Some("open"), Some(version)) if version != "0" => Ok(Status::Fixed(version.into())),
        (Some("open"), _) => {
            // Unless a fix is postponed or refused in so many words, a plain
            // advisory is merely not planned.
            let fix = match (word("urgency"), word("nodsa_reason")) {
                (Some("end-of-life"), _) | (_, Some("ignored")) => Fix::WontFix,
                (_, Some("postponed")) => Fix::NotYet,
                _ => Fix::AsRanges,
            };
            Ok(Status::Open(fix))
        }
        (Some(other), _) => {
            let other: String = other.chars().take(40).collect();
            Err(format!("the status `{other}` is unknown"))
        }
        (None, _) => Err("it has no status".to_owned()),
    }
}

/// The oldest version among the suites of a release.
fn oldest(repositories: Option<&Value>) -> Option<&str> {
    let versions = repositories?
        .as_object()?
        .values()
        .filter_map(Value::as_str);
    versions
        .filter(|version| version.len() <= MAX_WORD && Scheme::Dpkg.check(version).is_ok())
        .reduce(|one, other| match Scheme::Dpkg.compare(one, other) {
            Some(std::cmp::Ordering::Greater) => other,
            _ => one,
        })
}

/// The advisories about one vulnerability: one, unless Debian judges its source
/// packages differently. A judgement belongs to a record as a whole, and what is
/// unimportant in one package must not make another's flaw look so.
fn advisories(
    id: &str,
    case: &Case,
    sources: &[Box<str>],
    intake: &mut Intake<'_>,
) -> Vec<Advisory> {
    let mut judged: BTreeMap<usize, Option<&Rating>> = BTreeMap::new();
    for said in &case.said {
        let worst = judged.entry(said.source).or_default();
        let is_worse = |rating: &&Rating| worst.is_none_or(|it| it.severity < rating.severity);
        if let Some(rating) = said.urgency.as_ref().filter(is_worse) {
            *worst = Some(rating);
        }
    }
    let mut groups: BTreeMap<Option<&str>, Advisory> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for said in &case.said {
        let Some(source) = sources.get(said.source) else {
            continue;
        };
        if !seen.insert((source, said.release)) {
            intake.refuse(id, format!("`{source}` is listed twice"));
            continue;
        }
        // Who is not affected needs no judgement.
        let rating = match said.status {
            Status::NotAffected => None,
            _ => judged.get(&said.source).copied().flatten(),
        };
        let advisory = groups
            .entry(rating.map(|it| &*it.text))
            .or_insert_with(|| Advisory {
                summary: case.summary.clone(),
                references: vec![
                    format!("https://security-tracker.debian.org/tracker/{id}").into(),
                ],
                ratings: rating.cloned().into_iter().collect(),
                ..intake.advisory(id)
            });
        advisory.statements.push(statement(source, said));
    }
    // Those that need no judgement go along with any.
    if groups.len() > 1
        && let Some(silent) = groups.remove(&None)
    {
        let only_not_affected = silent
            .statements
            .iter()
            .all(|it| matches!(it.stance, Stance::NotAffected { .. }));
        if let Some(mut first) = groups.first_entry().filter(|_| only_not_affected) {
            first.get_mut().statements.extend(silent.statements);
        } else {
            groups.insert(None, silent);
        }
    }
    let mut advisories: Vec<Advisory> = groups.into_values().collect();
    for advisory in advisories.iter_mut().skip(1) {
        let word = advisory.ratings.first().map_or("", |it| &*it.text);
        advisory.id = format!("{id} ({word})").into();
        advisory.aliases.push(id.into());
    }
    advisories
}

fn statement(source: &str, said: &Said) -> Statement {
    let affected = |upper, fix| Stance::Affected {
        intervals: vec![AffectedInterval { from: None, upper }],
        versions: Vec::new(),
        fix,
    };
    Statement {
        about: PackageKey {
            ecosystem: Ecosystem::of_release("Debian", said.release),
            name: source.into(),
        },
        stance: match &said.status {
            Status::NotAffected => Stance::NotAffected {
                why: "Debian counts no version in this release as affected".into(),
            },
            Status::Undetermined => Stance::UnderReview,
            Status::Fixed(version) => affected(Upper::Fixed(version.clone()), Fix::AsRanges),
            Status::Open(fix) => affected(Upper::Open, *fix),
        },
    }
}

/// The document.
struct Sources<'t, 'i> {
    tracker: &'t mut Tracker,
    intake: &'t mut Intake<'i>,
}

impl<'de> DeserializeSeed<'de> for Sources<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Sources<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of source packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let is_name = !name.is_empty()
                && name.len() <= MAX_WORD
                && name.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_name {
                self.intake
                    .refuse(&name, "not the name of a source package");
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.tracker.sources.push(name.into());
            map.next_value_seed(Source {
                tracker: &mut *self.tracker,
                intake: &mut *self.intake,
            })?;
            if self.tracker.statements > MAX_STATEMENTS {
                return Err(serde::de::Error::custom("too many statements"));
            }
        }
        Ok(())
    }
}

/// One source package: a map of vulnerabilities.
struct Source<'t, 'i> {
    tracker: &'t mut Tracker,
    intake: &'t mut Intake<'i>,
}

impl Source<'_, '_> {
    fn refuse(&mut self, id: Option<&str>, why: &str) {
        let source = self.tracker.sources.last().map_or("", |name| name);
        let what = id.map_or_else(|| source.to_owned(), |id| format!("{source} {id}"));
        self.intake.refuse(&what, why);
    }

    fn refuse_shape(mut self) {
        self.refuse(None, "not a map of vulnerabilities");
    }
}

impl<'de> DeserializeSeed<'de> for Source<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Source<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of vulnerabilities")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(id) = map.next_key::<String>()? {
            let entry = map.next_value::<Value>()?;
            if let Err(why) = self.tracker.hear(&id, &entry, self.intake) {
                self.refuse(Some(&id), &why);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut length = 0_u64;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            length += 1;
        }
        if length > 0 {
            self.refuse_shape();
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.refuse_shape();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use crate::vendor::intake::tests::{read_with, shown, told, withstands_damage};

    fn tracker(json: &str) -> String {
        told(read, "debian/tracker/data/json", json.as_bytes())
    }

    #[test]
    fn every_status_of_a_release_is_a_stance() {
        for (words, expected) in [
            (
                r#""status": "resolved", "fixed_version": "1.2-3""#,
                "[..1.2-3)",
            ),
            (
                r#""status": "resolved", "fixed_version": "0""#,
                "not affected (Debian counts no version in this release as affected)",
            ),
            (
                r#""status": "resolved", "repositories": {"a": "1.10-1", "b": "1.9-1", "c": 7}"#,
                "[..1.9-1)",
            ),
            (r#""status": "undetermined""#, "under review"),
            (r#""status": "open""#, "[..)"),
            (r#""status": "open", "fixed_version": "1.2-3""#, "[..1.2-3)"),
            (r#""status": "open", "fixed_version": "0""#, "[..)"),
            (
                r#""status": "open", "nodsa": "Minor issue", "nodsa_reason": """#,
                "[..)",
            ),
            (
                r#""status": "open", "nodsa_reason": "postponed""#,
                "[..) NotYet",
            ),
            (
                r#""status": "open", "nodsa_reason": "ignored""#,
                "[..) WontFix",
            ),
            (
                r#""status": "open", "urgency": "end-of-life""#,
                "[..) WontFix",
            ),
        ] {
            let said = tracker(&format!(
                r#"{{"bash": {{"CVE-2024-1": {{"releases": {{"bookworm": {{{words}}}}}}}}}}}"#
            ));
            let (_, said) = said.split_once("\n  Debian:12 bash: ").unwrap();
            assert_eq!(said, expected, "{words}");
        }
    }

    #[test]
    fn a_vulnerability_of_several_source_packages_is_one_advisory() {
        insta::assert_snapshot!(tracker(r#"{
            "openssl": {"CVE-2024-1": {"description": "A flaw\nin TLS.", "releases": {
                "bookworm": {"status": "resolved", "fixed_version": "3.0.1-1", "urgency": "medium**"},
                "sid": {"status": "open", "urgency": "medium"}}}},
            "openssl1.0": {"CVE-2024-1": {"releases": {
                "stretch": {"status": "resolved", "fixed_version": "0", "urgency": "unimportant"}}}}
        }"#), @r"
        CVE-2024-1 A flaw in TLS.
          links: https://security-tracker.debian.org/tracker/CVE-2024-1
          Debian: medium medium
          Debian:12 openssl: [..3.0.1-1)
          Debian:sid openssl: [..)
          Debian:9 openssl1.0: not affected (Debian counts no version in this release as affected)
        ");
    }

    #[test]
    fn what_is_unimportant_in_one_package_is_not_so_in_another() {
        insta::assert_snapshot!(tracker(r#"{
            "a": {"CVE-2024-1": {"releases": {
                "bullseye": {"status": "open", "urgency": "end-of-life"},
                "sid": {"status": "open", "urgency": "unimportant"}}}},
            "b": {"CVE-2024-1": {"releases": {
                "sid": {"status": "open", "urgency": "not yet assigned"}}}}
        }"#), @r"
        CVE-2024-1 
          links: https://security-tracker.debian.org/tracker/CVE-2024-1
          Debian:sid b: [..)
        CVE-2024-1 (unimportant) 
          aliases: CVE-2024-1
          links: https://security-tracker.debian.org/tracker/CVE-2024-1
          Debian: unimportant negligible
          Debian:11 a: [..) WontFix
          Debian:sid a: [..)
        ");
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_the_rest_is_read() {
        insta::assert_snapshot!(tracker(r#"{
            "a": 7, "b": [], "c": ["x"], "": {}, "d e": {"CVE-2024-1": {}},
            "f": {
                "CVE-2024-1": {"releases": {"sid": {"status": "closed"}}},
                "CVE-2024-2": {"releases": {"sid": {}}},
                "CVE-2024-3": {"releases": {"sid": {"status": "resolved"}}},
                "CVE-2024-4": {"releases": {"sid": {"status": "resolved", "fixed_version": "not a version"}}},
                "CVE-2024-5": {"releases": 7},
                "CVE-2024-6": {"releases": {"potato": {"status": "open"}}},
                "CVE 2024 7": {"releases": {"sid": {"status": "open"}}},
                "CVE-2024-8": {"releases": {"sid": {"status": "open"}}},
                "CVE-2024-8": {"releases": {"sid": {"status": "open"}}},
                "CVE-2024-9": {"releases": []}
            },
            "f": {"CVE-2024-8": {"releases": {"sid": {"status": "open"}}}}
        }"#), @r"
        CVE-2024-8 
          links: https://security-tracker.debian.org/tracker/CVE-2024-8
          Debian:sid f: [..)
        refused a: not a map of vulnerabilities
        refused c: not a map of vulnerabilities
        refused : not the name of a source package
        refused d e: not the name of a source package
        refused CVE-2024-1 sid: the status `closed` is unknown
        refused CVE-2024-2 sid: it has no status
        refused CVE-2024-3 sid: resolved in no version
        refused CVE-2024-4 sid: `fixed_version` is not a version
        refused f CVE-2024-5: it says nothing of any release
        refused potato: not a release that has a number here
        refused f CVE 2024 7: not an id
        refused CVE-2024-8: `f` is listed twice
        refused CVE-2024-8: `f` is listed twice
        ");
    }

    #[test]
    fn what_is_not_the_document_is_an_error() {
        for (text, expected) in [
            (&b""[..], "EOF while parsing a value"),
            (b"[]", "expected a map of source packages"),
            (b"{\"a\": {", "EOF while parsing an object"),
            (b"{} x", "trailing characters"),
            (b"{\"a\": {\"\xff\": {}}}", "invalid unicode code point"),
            (b"<html>", "expected value"),
        ] {
            let said = told(read, "json", text);
            assert!(
                said.starts_with("error: not the JSON it should be: ") && said.contains(expected),
                "{said}"
            );
        }
        let deep = format!("{{\"a\": {{\"CVE-2024-1\": {}", "[".repeat(100_000));
        assert!(told(read, "json", deep.as_bytes()).contains("recursion limit exceeded"));
    }

    #[test]
    fn the_shared_sample_is_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let path = shared.join("feeds/vendor/debian/tracker/data/json");
        let sample = std::fs::read(path).unwrap();
        let (advisories, taken) = read_with(read, "json", &sample);
        assert_eq!((taken.records, taken.refused), (16, 0));
        let told: Vec<String> = advisories
            .iter()
            .filter(|it| ["CVE-2022-0456", "CVE-2016-5416", "CVE-2012-0833"].contains(&&*it.id))
            .map(shown)
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        CVE-2012-0833 The acllas__handle_group_entry function in servers/plugins/acl/acllas.c in 389 Directory Server before 1.2.10 does not properly handled access control instructions (ACIs) that use certificate groups, which allows remote authenticated LDAP u…
          links: https://security-tracker.debian.org/tracker/CVE-2012-0833
          Debian:11 389-ds-base: not affected (Debian counts no version in this release as affected)
          Debian:sid 389-ds-base: not affected (Debian counts no version in this release as affected)
        CVE-2016-5416 389 Directory Server in Red Hat Enterprise Linux Desktop 6 through 7, Red Hat Enterprise Linux HPC Node 6 through 7, Red Hat Enterprise Linux Server 6 through 7, and Red Hat Enterprise Linux Workstation 6 through 7 allows remote attackers t…
          links: https://security-tracker.debian.org/tracker/CVE-2016-5416
          Debian:11 389-ds-base: [..) WontFix
          Debian:sid 389-ds-base: [..)
        CVE-2022-0456 
          links: https://security-tracker.debian.org/tracker/CVE-2022-0456
          Debian:12 chromium: [..98.0.4758.80-1)
          Debian:11 chromium: [..98.0.4758.80-1~deb11u1)
          Debian:10 chromium: [..) WontFix
          Debian:sid chromium: [..98.0.4758.80-1)
          Debian:9 chromium: [..) WontFix
        ");
        withstands_damage(read, "json", &sample);
    }
}
