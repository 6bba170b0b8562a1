//! One record.

use std::collections::{HashMap, HashSet};

use seaworthy_core::{
    Advisory, AffectedInterval, Day, Ecosystem, Fix, PackageKey, Rating, Scheme, Stance, Statement,
    Upper,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::ecosystem::{canonical_name, ecosystem, is_for_debugging};
use super::kind::{Kind, is_cve, plain_name};
use super::range::{Event, intervals};
use super::rating;

/// Why a text is not a record we can use.
#[derive(Debug, thiserror::Error)]
pub enum OsvError {
    /// It is not JSON, or a field has another type than the schema says.
    #[error("not a record of the OSV schema")]
    Json(#[source] serde_json::Error),
    /// It has no usable id.
    #[error("the id `{id}` is empty, too long or not printable")]
    Id {
        /// The start of the id.
        id: Box<str>,
    },
    /// A range has more events than anyone has a use for.
    #[error("a range has {count} events, which is more than {limit}")]
    TooManyEvents {
        /// How many there are.
        count: usize,
        /// The ceiling.
        limit: usize,
    },
    /// Versions and ranges are so many that comparing them all would take hours.
    #[error("{versions} versions and {ranges} ranges are too many to compare")]
    TooManyVersions {
        /// Listed versions of one package.
        versions: usize,
        /// Ranges of the same package.
        ranges: usize,
    },
}

/// Events in one range. The longest ranges known have some two hundred.
const MAX_EVENTS: usize = 4_000;
/// Comparisons of listed versions with ranges in one statement.
const MAX_COMPARISONS: usize = 10_000_000;
/// Links kept of a record.
const MAX_REFERENCES: usize = 32;
/// Characters kept of a summary.
const MAX_SUMMARY: usize = 240;

#[derive(Deserialize)]
struct Record {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    aliases: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    related: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    upstream: Vec<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Vec<Judgement>,
    #[serde(default, deserialize_with = "or_default")]
    affected: Vec<Affected>,
    #[serde(default, deserialize_with = "or_default")]
    references: Vec<Link>,
    #[serde(default, deserialize_with = "or_default")]
    database_specific: Extra,
}

#[derive(Deserialize)]
struct Judgement {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    score: String,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default, deserialize_with = "or_default")]
    ranges: Vec<Range>,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    severity: Vec<Judgement>,
    #[serde(default, deserialize_with = "or_default")]
    database_specific: Extra,
    #[serde(default, deserialize_with = "or_default")]
    ecosystem_specific: Extra,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    ecosystem: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    events: Vec<RawEvent>,
}

#[derive(Deserialize)]
struct RawEvent {
    #[serde(default)]
    introduced: Option<Box<str>>,
    #[serde(default)]
    fixed: Option<Box<str>>,
    #[serde(default)]
    last_affected: Option<Box<str>>,
    #[serde(default)]
    limit: Option<Box<str>>,
}

/// What databases say beside the schema. Anyone may put anything here, so the
/// values are looked at one by one.
#[derive(Default, Deserialize)]
struct Extra {
    #[serde(default)]
    severity: Value,
    #[serde(default)]
    urgency: Value,
    #[serde(default)]
    ubuntu_priority: Value,
    #[serde(default)]
    last_known_affected_version_range: Value,
    #[serde(default)]
    informational: Value,
}

/// A `null` means the same as an absent field.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Parses one record of the OSV schema (1.x) as `feed` has it.
///
/// An update notice lists what it fixes as [`Advisory::bundles`]; any other
/// record is a vulnerability with [`Advisory::aliases`]. A withdrawn record says
/// nothing at all, and neither does a notice of improvements that fixes no
/// vulnerability or one of a live patch. Vectors and days that make no sense are left out.
pub fn parse_record(feed: &str, bytes: &[u8]) -> Result<Advisory, OsvError> {
    let record: Record = serde_json::from_slice(bytes).map_err(OsvError::Json)?;
    if !is_id(&record.id) {
        return Err(OsvError::Id {
            id: record.id.chars().take(40).collect::<String>().into(),
        });
    }
    let kind = Kind::of(&record.id);
    let (aliases, bundles) = names(&record, kind);
    let silent = match kind {
        _ if record.withdrawn.is_some() => true,
        Kind::LivePatch => true,
        Kind::Improvement => bundles.is_empty(),
        Kind::Vulnerability | Kind::Notice | Kind::Malware => false,
    };
    let mut advisory = Advisory {
        feed: feed.into(),
        aliases,
        bundles,
        summary: summary(&record),
        references: references(&record.references),
        published: day(record.published.as_deref()),
        modified: day(record.modified.as_deref()),
        ratings: Vec::new(),
        statements: Vec::new(),
        id: record.id.into(),
    };
    if silent {
        advisory.aliases.clear();
        advisory.bundles.clear();
        return Ok(advisory);
    }
    advisory.ratings = ratings(
        &advisory.id,
        &advisory.summary,
        &record.severity,
        &record.database_specific,
        &record.affected,
    );
    if kind == Kind::Malware && advisory.ratings.is_empty() {
        advisory.ratings.extend(rating::of_word("MAL", "critical"));
    }
    for affected in &record.affected {
        // RUSTSEC also keeps notices that name no flaw.
        let notice = affected.database_specific.informational.as_str();
        if matches!(notice, Some("unmaintained" | "notice")) {
            continue;
        }
        if notice == Some("unsound") && advisory.ratings.is_empty() {
            advisory.ratings.extend(rating::of_word("RUSTSEC", "low"));
        }
        advisory.statements.extend(statement(affected, kind)?);
    }
    if kind == Kind::Vulnerability {
        leave_public_release_open(&mut advisory.statements);
    }
    drop_repetitions(&mut advisory.statements);
    Ok(advisory)
}

/// Whether `text` can be the id of a record.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 120 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn day(text: Option<&str>) -> Option<Day> {
    text?.parse().ok()
}

/// Aliases and bundles.
fn names(record: &Record, kind: Kind) -> (Vec<Box<str>>, Vec<Box<str>>) {
    let own = plain_name(&record.id);
    let named = |names: &[String]| -> Vec<Box<str>> {
        let mut seen = HashSet::new();
        names
            .iter()
            .map(|name| plain_name(name))
            .filter(|name| *name != record.id && is_id(name))
            .filter(|name| matches!(Kind::of(name), Kind::Vulnerability | Kind::Malware))
            .filter(|name| seen.insert(*name))
            .map(Box::from)
            .collect()
    };
    let only_cves = |mut names: Vec<Box<str>>| {
        if names.iter().any(|name| is_cve(name)) {
            names.retain(|name| is_cve(name));
        }
        names
    };
    match kind {
        Kind::Notice | Kind::Improvement | Kind::LivePatch => {
            // Of the three fields, different years used different ones.
            let bundles = [&record.upstream, &record.related, &record.aliases]
                .into_iter()
                .map(|names| named(names))
                .find(|names| !names.is_empty());
            (Vec::new(), only_cves(bundles.unwrap_or_default()))
        }
        Kind::Vulnerability | Kind::Malware => {
            let mut aliases = named(&record.aliases);
            if own != record.id && !aliases.iter().any(|alias| **alias == *own) {
                aliases.push(own.into());
            }
            let mut upstream = named(&record.upstream);
            let repeats = ["CGA-", "MINI-"];
            if upstream.is_empty()
                && aliases.is_empty()
                && repeats.iter().any(|it| record.id.starts_with(it))
            {
                upstream = named(&record.related);
            }
            // One vulnerability upstream is this one; several are what it bundles.
            if upstream.iter().filter(|name| is_cve(name)).count() > 1 {
                return (aliases, only_cves(upstream));
            }
            for name in upstream {
                if !aliases.contains(&name) {
                    aliases.push(name);
                }
            }
            (aliases, Vec::new())
        }
    }
}

/// One line for people: the record's summary or the start of its details, not
/// counting headings.
fn summary(record: &Record) -> Box<str> {
    let given = record.summary.as_deref().unwrap_or_default().trim();
    if !given.is_empty() {
        return one_line(given);
    }
    let details = record.details.as_deref().unwrap_or_default();
    let mut lines = details
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut first = lines.next().unwrap_or_default();
    if first.starts_with('#') {
        first = lines.find(|line| !line.starts_with('#')).unwrap_or(first);
    }
    one_line(first.trim_start_matches('#'))
}

/// `text` as one line, cut where people stop reading.
pub(crate) fn one_line(text: &str) -> Box<str> {
    let text = text.trim();
    let mut short: String = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(MAX_SUMMARY)
        .collect();
    if text.chars().nth(MAX_SUMMARY).is_some() {
        short.push('…');
    }
    short.into()
}

/// Links to the web, pages of advisories first.
fn references(given: &[Link]) -> Vec<Box<str>> {
    links(
        given
            .iter()
            .map(|link| (link.kind == "ADVISORY", link.url.as_str())),
    )
}

/// The usable of `links`, those that come with `true` first, each once and not
/// more than anyone follows.
pub(crate) fn links<'a>(links: impl IntoIterator<Item = (bool, &'a str)>) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    let usable = |url: &str| {
        (url.starts_with("https://") || url.starts_with("http://"))
            && url.len() <= 1_000
            && url.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let (first, rest): (Vec<_>, Vec<_>) = links
        .into_iter()
        .filter(|(_, url)| usable(url))
        .partition(|(is_first, _)| *is_first);
    first
        .into_iter()
        .chain(rest)
        .map(|(_, url)| url)
        .filter(|url| seen.insert(*url))
        .take(MAX_REFERENCES)
        .map(Box::from)
        .collect()
}

fn ratings(
    id: &str,
    summary: &str,
    whole: &[Judgement],
    extra: &Extra,
    affected: &[Affected],
) -> Vec<Rating> {
    let source = rating::source_of(id);
    let judged = |judgement: &Judgement| {
        if judgement.kind.starts_with("CVSS_") {
            rating::of_vector(source, &judgement.score)
        } else if judgement.kind == "Ubuntu" {
            rating::of_word("Ubuntu", &judgement.score)
        } else {
            rating::of_word(source, &judgement.score)
        }
    };
    let word = |value: &Value| rating::of_word(source, value.as_str()?);
    let mut found: Vec<Rating> = whole.iter().filter_map(judged).collect();
    found.extend(word(&extra.severity));
    // Red Hat and those who rebuild it write `Important: openssl update`.
    if matches!(source, "ALSA" | "RHSA" | "RLSA" | "RXSA") {
        let level = summary.split_once(": ").map(|(level, _)| level);
        found.extend(level.and_then(|level| rating::of_word(source, level)));
    }
    for affected in affected {
        found.extend(affected.severity.iter().filter_map(judged));
        found.extend(word(&affected.database_specific.severity));
        let extra = &affected.ecosystem_specific;
        found.extend(word(&extra.severity));
        found.extend(word(&extra.urgency));
        let priority = extra.ubuntu_priority.as_str();
        found.extend(priority.and_then(|word| rating::of_word("Ubuntu", word)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What the record says of one package; `None` where it names no package or no
/// version of it.
fn statement(affected: &Affected, kind: Kind) -> Result<Option<Statement>, OsvError> {
    let Some(package) = &affected.package else {
        return Ok(None);
    };
    if package.name.is_empty() || package.ecosystem.is_empty() {
        return Ok(None);
    }
    let ecosystem = ecosystem(&package.ecosystem);
    if is_for_debugging(ecosystem.family(), &package.name) {
        return Ok(None);
    }
    let scheme = ecosystem.scheme();
    let mut stretches: Vec<AffectedInterval> = Vec::new();
    for range in &affected.ranges {
        if range.kind == "GIT" {
            continue;
        }
        if range.events.len() > MAX_EVENTS {
            return Err(OsvError::TooManyEvents {
                count: range.events.len(),
                limit: MAX_EVENTS,
            });
        }
        let mut found = intervals(scheme, &events(&range.events));
        close_at_last_known(&affected.database_specific, &mut found);
        stretches.extend(found);
    }
    if kind == Kind::Malware && affected.ranges.is_empty() && affected.versions.is_empty() {
        stretches.push(AffectedInterval {
            from: None,
            upper: Upper::Open,
        });
    }
    let mut seen = HashSet::new();
    stretches.retain(|stretch| seen.insert(stretch.clone()));
    if affected.versions.len().saturating_mul(stretches.len()) > MAX_COMPARISONS {
        return Err(OsvError::TooManyVersions {
            versions: affected.versions.len(),
            ranges: stretches.len(),
        });
    }
    let versions = versions_outside(scheme, &affected.versions, &stretches);
    if stretches.is_empty() && versions.is_empty() {
        return Ok(None);
    }
    let urgency = affected.ecosystem_specific.urgency.as_str();
    let fix = match urgency {
        Some("end-of-life") => Fix::WontFix,
        _ => Fix::AsRanges,
    };
    Ok(Some(Statement {
        about: PackageKey {
            name: canonical_name(ecosystem.family(), &package.name),
            ecosystem,
        },
        stance: Stance::Affected {
            intervals: stretches,
            versions,
            fix,
        },
    }))
}

/// Says aloud what Ubuntu leaves unsaid: a package that is affected or fixed only
/// for subscribers (`Ubuntu:Pro:22.04`) stays affected in the public release.
///
/// This holds for records of vulnerabilities, which name every release that is or
/// was affected; a notice names only where it fixes. Certified builds
/// (`Pro:FIPS:…`) are packages of their own and say nothing of the public ones.
fn leave_public_release_open(statements: &mut Vec<Statement>) {
    let public: HashSet<PackageKey> = statements
        .iter()
        .map(|statement| &statement.about)
        .filter(|about| about.ecosystem.family() == "Ubuntu")
        .cloned()
        .collect();
    let mut open = Vec::new();
    for Statement { about, stance } in statements.iter() {
        let number = match (about.ecosystem.family(), about.ecosystem.release()) {
            ("Ubuntu", Some(release)) => release.strip_prefix("Pro:"),
            _ => None,
        };
        let plain = |number: &&str| !number.contains(':');
        let (Some(number), Stance::Affected { intervals, fix, .. }) =
            (number.filter(plain), stance)
        else {
            continue;
        };
        let key = PackageKey {
            ecosystem: Ecosystem::of_release("Ubuntu", number),
            name: about.name.clone(),
        };
        if public.contains(&key) {
            continue;
        }
        let is_fixed = intervals
            .iter()
            .any(|interval| matches!(interval.upper, Upper::Fixed(_)));
        open.push(Statement {
            about: key,
            stance: Stance::Affected {
                intervals: vec![AffectedInterval {
                    from: None,
                    upper: Upper::Open,
                }],
                versions: Vec::new(),
                fix: if is_fixed { Fix::WontFix } else { *fix },
            },
        });
    }
    statements.extend(open);
}

/// Several repositories of one release are one ecosystem to us and often say the
/// same.
fn drop_repetitions(statements: &mut Vec<Statement>) {
    let mut kept: HashMap<PackageKey, Vec<Stance>> = HashMap::new();
    statements.retain(|statement| {
        let stances = kept.entry(statement.about.clone()).or_default();
        let is_new = !stances.contains(&statement.stance);
        if is_new {
            stances.push(statement.stance.clone());
        }
        is_new
    });
}

fn events(raw: &[RawEvent]) -> Vec<Event> {
    let mut events = Vec::with_capacity(raw.len());
    for event in raw {
        // The schema wants one field per event; old records have two.
        if let Some(version) = &event.introduced {
            events.push(Event::Introduced(
                (&**version != "0").then(|| version.clone()),
            ));
        }
        events.extend(event.fixed.clone().map(Event::Fixed));
        events.extend(event.last_affected.clone().map(Event::LastAffected));
        events.extend(event.limit.clone().map(Event::Limit));
    }
    events
}

/// GitHub's export loses the end of a range without a fix and says it beside:
/// `<= 1.2.3`, seldom `< 1.2.3`.
fn close_at_last_known(extra: &Extra, stretches: &mut [AffectedInterval]) {
    let Some(range) = extra.last_known_affected_version_range.as_str() else {
        return;
    };
    let range = range.trim();
    let upper = if let Some(last) = range.strip_prefix("<=") {
        Upper::LastAffected(last.trim().into())
    } else if let Some(first_outside) = range.strip_prefix('<') {
        Upper::Fixed(first_outside.trim().into())
    } else {
        return;
    };
    if let Some(last) = stretches.last_mut()
        && last.upper == Upper::Open
    {
        last.upper = upper;
    }
}

/// The listed versions that no stretch is known to hold.
fn versions_outside(
    scheme: Scheme,
    versions: &[String],
    stretches: &[AffectedInterval],
) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    versions
        .iter()
        .filter(|version| {
            !stretches
                .iter()
                .any(|stretch| stretch.as_interval().contains(scheme, version) == Some(true))
        })
        .filter(|version| seen.insert(version.as_str()))
        .map(|version| version.as_str().into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a record says, line by line.
    fn read(json: &str) -> String {
        let advisory = match parse_record("osv/test", json.as_bytes()) {
            Ok(advisory) => advisory,
            Err(error) => return error.to_string(),
        };
        let mut lines = vec![format!("{} {}", advisory.id, advisory.summary)];
        let list = |label: &str, names: &[Box<str>]| {
            (!names.is_empty()).then(|| format!("{label}: {}", names.join(" ")))
        };
        lines.extend(list("aliases", &advisory.aliases));
        lines.extend(list("bundles", &advisory.bundles));
        lines.extend(list("links", &advisory.references));
        for rating in &advisory.ratings {
            lines.push(format!(
                "{} {:?} {} {:?} {}",
                rating.source, rating.system, rating.text, rating.score_tenths, rating.severity
            ));
        }
        for statement in &advisory.statements {
            let about = &statement.about;
            let Stance::Affected {
                intervals,
                versions,
                fix,
            } = &statement.stance
            else {
                continue;
            };
            let mut said = vec![format!("{} {}:", about.ecosystem, about.name)];
            for interval in intervals {
                said.push(format!(
                    "{}..{:?}",
                    interval.from.as_deref().unwrap_or(""),
                    interval.upper
                ));
            }
            said.extend(versions.iter().map(|version| format!("={version}")));
            if *fix != Fix::AsRanges {
                said.push(format!("{fix:?}"));
            }
            lines.push(said.join(" "));
        }
        lines.join("\n")
    }

    #[test]
    fn a_record_of_a_language_is_a_vulnerability_with_names_ratings_and_ranges() {
        insta::assert_snapshot!(read(r#"{
            "id": "GHSA-aaaa-bbbb-cccc", "modified": "2025-01-02T00:00:00Z",
            "aliases": ["CVE-2020-0001", "CVE-2020-0001", ""],
            "details": "\n## What\nis this",
            "references": [{"type": "WEB", "url": "https://a/1"}, {"type": "ADVISORY", "url": "https://a/2"},
                {"type": "WEB", "url": "javascript:x"}, {"type": "WEB", "url": "https://a/1"}],
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"},
                {"type": "CVSS_V4", "score": "broken"}],
            "database_specific": {"severity": "HIGH", "cwe_ids": []},
            "affected": [
                {"package": {"ecosystem": "PyPI", "name": "Some_Name"},
                 "ranges": [{"type": "GIT", "repo": "x", "events": [{"introduced": "0"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
                 "versions": ["1.0", "1.9", "3.0rc1", "not a version"]},
                {"package": {"ecosystem": "npm", "name": "left"},
                 "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
                 "database_specific": {"last_known_affected_version_range": "<= 1.2.3"}},
                {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]},
                {"package": {"ecosystem": "npm", "name": "silent"}}
            ]}"#), @r#"
        GHSA-aaaa-bbbb-cccc is this
        aliases: CVE-2020-0001
        links: https://a/2 https://a/1
        GHSA CvssV3 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H Some(75) high
        GHSA Word HIGH None high
        PyPI some-name: ..Fixed("2.0") =3.0rc1 =not a version
        npm left: ..LastAffected("1.2.3")
        "#);
    }

    #[test]
    fn notices_bundle_what_they_fix_and_records_of_one_cve_are_that_cve() {
        for (id, names, expected) in [
            (
                "DLA-3008-1",
                r#""upstream": ["CVE-2022-1292", "DEBIAN-CVE-2022-1292"]"#,
                "bundles: CVE-2022-1292",
            ),
            (
                "DLA-0001-1",
                r#""related": ["CVE-2014-3466"], "upstream": []"#,
                "bundles: CVE-2014-3466",
            ),
            (
                "DSA-1-1",
                r#""aliases": ["CVE-2002-1", "CVE-2002-2"]"#,
                "bundles: CVE-2002-1 CVE-2002-2",
            ),
            (
                "USN-5614-1",
                r#""upstream": ["UBUNTU-CVE-2021-3782"]"#,
                "bundles: CVE-2021-3782",
            ),
            (
                "ALSA-2021:1",
                r#""related": ["CVE-2021-1", "RHSA-2021:1"]"#,
                "bundles: CVE-2021-1",
            ),
            (
                "CLEANSTART-1",
                r#""upstream": ["GHSA-a", "GHSA-b"]"#,
                "bundles: GHSA-a GHSA-b",
            ),
            (
                "CGA-1",
                r#""upstream": ["CVE-2024-1", "GHSA-a"]"#,
                "aliases: CVE-2024-1 GHSA-a",
            ),
            (
                "CGA-2",
                r#""related": ["CGA-2", "CVE-2024-1", "GHSA-a"]"#,
                "aliases: CVE-2024-1 GHSA-a",
            ),
            (
                "UBUNTU-CVE-2021-1",
                r#""upstream": ["CVE-2021-1"], "related": ["USN-1-1"]"#,
                "aliases: CVE-2021-1",
            ),
            (
                "ALPINE-CVE-2021-1",
                r#""aliases": null"#,
                "aliases: CVE-2021-1",
            ),
            (
                "RSEC-2023-0",
                r#""upstream": ["CVE-2017-1", "CVE-2017-2"]"#,
                "bundles: CVE-2017-1 CVE-2017-2",
            ),
        ] {
            let said = read(&format!(r#"{{"id": "{id}", "summary": "x", {names}}}"#));
            assert_eq!(said, format!("{id} x\n{expected}"));
        }
    }

    #[test]
    fn the_withdrawn_and_the_merely_improved_say_nothing() {
        let affected = r#""affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]"#;
        for (id, more, expected) in [
            (
                "GHSA-a",
                r#""aliases": ["CVE-2020-1"], "withdrawn": "2024-01-01T00:00:00Z""#,
                "GHSA-a ",
            ),
            ("ALBA-1", r#""related": []"#, "ALBA-1 "),
            (
                "ALBA-2",
                r#""related": ["CVE-2020-1"]"#,
                "ALBA-2 \nbundles: CVE-2020-1\nnpm a: =1.0.0",
            ),
            ("GHSA-b", r#""withdrawn": null"#, "GHSA-b \nnpm a: =1.0.0"),
        ] {
            assert_eq!(
                read(&format!(r#"{{"id": "{id}", {more}, {affected}}}"#)),
                expected
            );
        }
    }

    #[test]
    fn malware_is_affected_in_every_version_unless_it_says_which() {
        let package = r#""package": {"ecosystem": "npm", "name": "evil"}"#;
        assert_eq!(
            read(&format!(
                r#"{{"id": "MAL-2025-1", "affected": [{{{package}}}]}}"#
            )),
            "MAL-2025-1 \nMAL Word critical None critical\nnpm evil: ..Open"
        );
        assert_eq!(
            read(&format!(
                r#"{{"id": "MAL-2025-1", "affected": [{{{package}, "versions": ["1.0.0"]}}]}}"#
            )),
            "MAL-2025-1 \nMAL Word critical None critical\nnpm evil: =1.0.0"
        );
    }

    #[test]
    fn distributions_rate_in_words() {
        insta::assert_snapshot!(read(r#"{"id": "UBUNTU-CVE-2021-1", "severity": [{"type": "Ubuntu", "score": "medium"}],
            "affected": [{"package": {"ecosystem": "Ubuntu:Pro:22.04:LTS", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
                "ecosystem_specific": {"ubuntu_priority": "low", "urgency": "end-of-life"}}]}"#), @r"
        UBUNTU-CVE-2021-1 
        aliases: CVE-2021-1
        Ubuntu Word low None low
        Ubuntu Word medium None medium
        Ubuntu:Pro:22.04 a: ..Open WontFix
        Ubuntu:22.04 a: ..Open WontFix
        ");
        assert!(
            read(r#"{"id": "ALSA-2021:3572", "summary": "Moderate: nss update"}"#)
                .contains("ALSA Word Moderate None medium")
        );
    }

    #[test]
    fn what_only_subscribers_get_leaves_the_public_release_open() {
        insta::assert_snapshot!(read(r#"{"id": "UBUNTU-CVE-2021-1", "affected": [
            {"package": {"ecosystem": "Ubuntu:Pro:16.04:LTS", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1+esm1"}]}]},
            {"package": {"ecosystem": "Ubuntu:16.04:LTS", "name": "b"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1"}]}]},
            {"package": {"ecosystem": "Ubuntu:Pro:16.04:LTS", "name": "b"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2+esm1"}]}]},
            {"package": {"ecosystem": "Ubuntu:Pro:18.04:LTS", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]},
            {"package": {"ecosystem": "Ubuntu:Pro:FIPS:18.04:LTS", "name": "c"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3"}]}]}
            ]}"#), @r#"
        UBUNTU-CVE-2021-1 
        aliases: CVE-2021-1
        Ubuntu:Pro:16.04 a: ..Fixed("1+esm1")
        Ubuntu:16.04 b: ..Fixed("1")
        Ubuntu:Pro:16.04 b: ..Fixed("2+esm1")
        Ubuntu:Pro:18.04 a: ..Open
        Ubuntu:Pro:FIPS:18.04 c: ..Fixed("3")
        Ubuntu:16.04 a: ..Open WontFix
        Ubuntu:18.04 a: ..Open
        "#);
        // A notice need not name all releases that are affected.
        assert!(!read(r#"{"id": "USN-1-1", "upstream": ["CVE-2021-1"], "affected": [
            {"package": {"ecosystem": "Ubuntu:Pro:16.04:LTS", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1+esm1"}]}]}]}"#)
            .contains("Ubuntu:16.04"));
    }

    #[test]
    fn one_release_of_several_repositories_is_told_once() {
        let affected = |repository: &str, name: &str, fixed: &str| {
            format!(
                r#"{{"package": {{"ecosystem": "Red Hat:enterprise_linux:8::{repository}", "name": "{name}"}},
                "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}"#
            )
        };
        let said = read(&format!(
            r#"{{"id": "RHSA-2024:1", "related": ["CVE-2024-1"], "affected": [{}, {}, {}, {}]}}"#,
            affected("baseos", "a", "0:1-1.el8"),
            affected("appstream", "a", "0:1-1.el8"),
            affected("appstream", "a", "0:2-1.el8"),
            affected("appstream", "a-debuginfo", "0:1-1.el8"),
        ));
        assert_eq!(
            said,
            "RHSA-2024:1 \nbundles: CVE-2024-1\n\
             Red Hat:8 a: ..Fixed(\"0:1-1.el8\")\nRed Hat:8 a: ..Fixed(\"0:2-1.el8\")"
        );
    }

    #[test]
    fn a_live_patch_says_nothing_of_packages() {
        let said = read(
            r#"{"id": "LSN-0108-1", "summary": "x", "related": ["CVE-2024-1"], "affected": [
            {"package": {"ecosystem": "Ubuntu:Pro:16.04:LTS", "name": "linux-aws"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#,
        );
        assert_eq!(said, "LSN-0108-1 x");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let many = vec![r#"{"fixed": "1.0.0"}"#; MAX_EVENTS + 1].join(",");
        for (text, expected) in [
            ("7", "not a record of the OSV schema"),
            ("{\"id\": 7}", "not a record of the OSV schema"),
            ("{}", "the id `` is empty, too long or not printable"),
            (
                "{\"id\": \"a\\u001bb\"}",
                "the id `a\u{1b}b` is empty, too long or not printable",
            ),
            (
                &format!(
                    r#"{{"id": "X-1", "affected": [{{"package": {{"ecosystem": "npm", "name": "a"}}, "ranges": [{{"type": "SEMVER", "events": [{many}]}}]}}]}}"#
                ),
                "a range has 4001 events, which is more than 4000",
            ),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_damaged_record_is_read_or_refused(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        ) {
            let mut bytes = br#"{"id": "DSA-1", "withdrawn": null, "upstream": ["CVE-2020-1"],
                "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
                "affected": [{"package": {"ecosystem": "Maven", "name": "a:b"}, "versions": ["1", "2"],
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0-rc1"}]}]}]}"#
                .to_vec();
            for (position, byte) in damage {
                let position = position.index(bytes.len());
                bytes[position] = byte;
            }
            let _ = parse_record("osv/Maven", &bytes);
        }
    }
}
