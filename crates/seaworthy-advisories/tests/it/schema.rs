//! The evaluation that the OSV schema describes, once more and naively, against
//! the rows of an edition.

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read};

use seaworthy_advisories::Edition;
use seaworthy_core::{Ecosystem, Interval, Scheme, Until};
use seaworthy_feeds::scheme_of;
use seaworthy_match::{Advisories, RecordId, RowStance};
use serde_json::Value;

use crate::shared::{edition, families};

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// At or above, where `"0"` is below everything.
fn reached(scheme: Scheme, version: &str, event: &str) -> Option<bool> {
    if event == "0" {
        return Some(true);
    }
    scheme
        .compare(version, event)
        .map(std::cmp::Ordering::is_ge)
}

/// The events of a range as (kind, version), in the order of their versions.
fn sorted_events(scheme: Scheme, range: &Value) -> Vec<(&str, &str)> {
    let mut events: Vec<(&str, &str)> = Vec::new();
    for event in list(range, "events") {
        for kind in ["introduced", "fixed", "last_affected"] {
            if let Some(version) = event.get(kind).and_then(Value::as_str) {
                events.push((kind, version));
            }
        }
    }
    let all_valid = events.iter().all(|(_, version)| {
        *version == "0" || (scheme != Scheme::Verbatim && scheme.check(version).is_ok())
    });
    if all_valid {
        // Selection of the first that no other precedes.
        for place in 0..events.len() {
            let mut first = place;
            for other in place + 1..events.len() {
                let before = match (events[other], events[first]) {
                    (("introduced", "0"), ("introduced", "0")) => false,
                    (("introduced", "0"), _) => true,
                    (_, ("introduced", "0")) => false,
                    ((_, a), (_, b)) => scheme.compare(a, b).is_some_and(std::cmp::Ordering::is_lt),
                };
                if before {
                    first = other;
                }
            }
            let event = events.remove(first);
            events.insert(place, event);
        }
    }
    events
}

/// Whether an `affected` entry holds a version; `None` where versions cannot be
/// compared.
fn holds(scheme: Scheme, affected: &Value, version: &str) -> Option<bool> {
    if list(affected, "versions")
        .iter()
        .any(|it| it.as_str() == Some(version))
    {
        return Some(true);
    }
    let extra = affected.get("database_specific").unwrap_or(&Value::Null);
    let last_known = text(extra, "last_known_affected_version_range");
    for range in list(affected, "ranges") {
        if text(range, "type") == "GIT" {
            continue;
        }
        let events = sorted_events(scheme, range);
        let mut inside = false;
        for (kind, event) in &events {
            match *kind {
                "introduced" => inside |= reached(scheme, version, event)?,
                "fixed" => inside &= !reached(scheme, version, event)?,
                _ => inside &= scheme.compare(version, event)?.is_le(),
            }
        }
        // GitHub's word for the end of a range that has none.
        let ends_open = events.last().is_some_and(|(kind, _)| *kind == "introduced");
        let (limit, inclusive) = match last_known.strip_prefix("<=") {
            Some(limit) => (limit.trim(), true),
            None => (
                last_known.strip_prefix('<').unwrap_or_default().trim(),
                false,
            ),
        };
        if inside && ends_open && !limit.is_empty() {
            let order = scheme.compare(version, limit)?;
            let last_start = events.last().map_or("0", |(_, version)| *version);
            if reached(scheme, version, last_start)? {
                inside = order.is_lt() || (inclusive && order.is_eq());
            }
        }
        if inside {
            return Some(true);
        }
    }
    Some(false)
}

/// A version, spelled as events of this record spell theirs, and one before and
/// after each.
fn versions_to_try(affected: &[&Value]) -> HashSet<String> {
    let mut versions = HashSet::new();
    for entry in affected {
        let listed = list(entry, "versions");
        for version in listed.iter().step_by(listed.len() / 3 + 1) {
            versions.extend(version.as_str().map(str::to_owned));
        }
        for range in list(entry, "ranges") {
            for event in list(range, "events").iter().take(6) {
                for version in event.as_object().into_iter().flat_map(|it| it.values()) {
                    let version = version.as_str().unwrap_or_default();
                    versions.insert(version.to_owned());
                    versions.insert(format!("{version}.1"));
                }
            }
        }
    }
    versions.extend(["1.0.0", "99999.0.0"].map(str::to_owned));
    versions
}

enum Said {
    Interval(Option<String>, Option<(String, bool)>),
    Exactly(String),
}

/// Every row about a package, by the id and feed of its record.
type RowsByRecord = HashMap<(String, String), Vec<Said>>;

fn rows(
    edition: &Edition,
    ecosystem: &Ecosystem,
    name: &str,
    ids: &mut HashMap<RecordId, (String, String)>,
) -> RowsByRecord {
    let mut found = RowsByRecord::new();
    edition.about(ecosystem, name, &mut |row| {
        let id = ids.entry(row.record).or_insert_with(|| {
            let record = edition.record(row.record);
            (record.feed.into(), record.id.into())
        });
        found.entry(id.clone()).or_default().push(match row.stance {
            RowStance::Interval(interval, _) => Said::Interval(
                interval.from.map(str::to_owned),
                match interval.until {
                    Until::Forever => None,
                    Until::Before(end) => Some((end.to_owned(), false)),
                    Until::Through(end) => Some((end.to_owned(), true)),
                },
            ),
            RowStance::Exactly(version, _) => Said::Exactly(version.to_owned()),
            RowStance::NotAffected | RowStance::UnderReview => return,
            RowStance::Unreadable => panic!("a sound edition is readable"),
        });
    });
    found
}

fn edition_holds(scheme: Scheme, said: &[Said], version: &str) -> bool {
    said.iter().any(|said| match said {
        Said::Exactly(this) => this == version,
        Said::Interval(from, until) => {
            let interval = Interval {
                from: from.as_deref(),
                until: match until {
                    None => Until::Forever,
                    Some((end, true)) => Until::Through(end),
                    Some((end, false)) => Until::Before(end),
                },
            };
            interval.contains(scheme, version) == Some(true)
        }
    })
}

/// The key that a package is compiled under, written down once more.
fn key_of(package: &Value) -> (Ecosystem, String) {
    let ecosystem = text(package, "ecosystem");
    let ecosystem = match ecosystem.split_once(':') {
        Some(("Packagist" | "Maven", _)) => ecosystem.split(':').next().unwrap_or_default(),
        Some(("Debian", number)) if number.len() == 3 && number >= "4.0" => {
            ecosystem.trim_end_matches(".0")
        }
        _ => ecosystem.strip_suffix(":LTS").unwrap_or(ecosystem),
    };
    let name = text(package, "name");
    let name = match ecosystem {
        "PyPI" => {
            let dashed = name.to_lowercase().replace(['_', '.'], "-");
            let parts: Vec<&str> = dashed.split('-').collect();
            let first_and_filled = parts
                .iter()
                .enumerate()
                .filter(|(at, it)| *at == 0 || *at == parts.len() - 1 || !it.is_empty());
            first_and_filled
                .map(|(_, it)| *it)
                .collect::<Vec<_>>()
                .join("-")
        }
        "Go" | "NuGet" | "Packagist" | "GitHub Actions" | "VSCode" => name.to_lowercase(),
        _ => name.to_owned(),
    };
    (Ecosystem::parse(ecosystem), name)
}

/// Notices of mere improvements, live patches and withdrawn records affect nothing.
fn is_silent(record: &Value) -> bool {
    let id = text(record, "id");
    let improves = ["ALBA-", "ALEA-", "RHBA-", "RHEA-"]
        .iter()
        .any(|it| id.starts_with(it));
    let fixes = ["related", "upstream", "aliases"]
        .iter()
        .flat_map(|field| list(record, field))
        .any(|it| it.as_str().is_some_and(|it| it.contains("CVE-")));
    // A patch of a running kernel changes no package.
    let is_live_patch = id.starts_with("LSN-");
    record.get("withdrawn").is_some_and(|it| !it.is_null()) || (improves && !fixes) || is_live_patch
}

/// RUSTSEC keeps notices that name no flaw; the edition leaves them out.
fn is_notice(affected: &Value) -> bool {
    let kind = affected.pointer("/database_specific/informational");
    kind.is_some_and(|kind| kind == "unmaintained" || kind == "notice")
}

#[test]
fn the_edition_agrees_with_a_naive_reading_of_the_schema() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let edition = edition(&shared);
    let feeds = shared.join("feeds");
    let mut ids = HashMap::new();
    let mut known: HashMap<(Ecosystem, String), RowsByRecord> = HashMap::new();
    let (mut compared, mut affected_versions, mut wrong) = (0_u64, 0_u64, Vec::new());
    // What their databases call a product, images call a release; the reader's own
    // tests tell how one becomes the other.
    let renamed = ["Red Hat", "SUSE", "SwiftURL", "openSUSE"];
    for family in families(&feeds) {
        if renamed.contains(&family.as_str()) {
            continue;
        }
        let scheme = scheme_of(&family);
        let path = feeds.join("osv").join(&family).join("all.zip");
        let file = BufReader::new(std::fs::File::open(path).expect("it is listed"));
        let mut archive = zip::ZipArchive::new(file).expect("the shared mirror is whole");
        for index in 0..archive.len() {
            let mut bytes = Vec::new();
            let mut entry = archive.by_index(index).expect("the shared mirror is whole");
            entry
                .read_to_end(&mut bytes)
                .expect("the shared mirror is whole");
            let record: Value = serde_json::from_slice(&bytes).expect("it is JSON");
            let mut packages: HashMap<(Ecosystem, String), Vec<&Value>> = HashMap::new();
            for affected in list(&record, "affected") {
                let Some(package) = affected.get("package") else {
                    continue;
                };
                if is_notice(affected) {
                    continue;
                }
                let key = key_of(package);
                if key.0.family() == family {
                    packages.entry(key).or_default().push(affected);
                }
            }
            let id = (format!("osv/{family}"), text(&record, "id").to_owned());
            for (key, affected) in packages {
                let of_package = known.entry(key).or_insert_with_key(|(ecosystem, name)| {
                    rows(edition, ecosystem, name, &mut ids)
                });
                let said = of_package.get(&id).map_or(&[][..], Vec::as_slice);
                for version in versions_to_try(&affected) {
                    let naive = affected
                        .iter()
                        .map(|affected| holds(scheme, affected, &version))
                        .reduce(|a, b| match (a, b) {
                            (Some(true), _) | (_, Some(true)) => Some(true),
                            (None, _) | (_, None) => None,
                            _ => Some(false),
                        });
                    let Some(Some(naive)) = naive else { continue };
                    let naive = naive && !is_silent(&record);
                    compared += 1;
                    affected_versions += u64::from(naive);
                    if naive != edition_holds(scheme, said, &version) {
                        wrong.push(format!("{} {version}: {naive}", id.1));
                    }
                }
            }
        }
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 500_000, "only {compared} comparisons");
    assert!(
        affected_versions > 100_000,
        "only {affected_versions} affected"
    );
}
