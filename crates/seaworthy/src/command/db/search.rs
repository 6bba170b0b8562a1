//! `seaworthy db search` and `seaworthy db diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use seaworthy_advisories::{Edition, Said};
use seaworthy_match::{
    Advisories as _, RecordDetails, RecordId, RowStance, VulnerabilityDetails, VulnerabilityId,
    chosen_severity,
};
use seaworthy_report::{
    Change, EditionChanges, Entry, EntryRating, EntryStatement, changes_json, changes_text,
    entries_json, entries_text, level, stretch,
};

use crate::cli::{DbDiffArgs, DbSearchArgs};
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;

/// Tells what the edition knows of a vulnerability or a package.
pub(crate) fn search(desk: &Desk<'_>, args: &DbSearchArgs) -> anyhow::Result<Exit> {
    let edition = edition::open(desk.data, args.edition.as_deref())?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("searching");
    let wanted = Wanted::of(&edition, &args.what);
    let mut statements: BTreeMap<VulnerabilityId, BTreeSet<Statement>> = BTreeMap::new();
    let named = |name: &str| match &wanted {
        Wanted::Vulnerabilities(_) => true,
        Wanted::Package {
            ecosystem: _,
            name: asked,
        } => is_called(name, asked),
    };
    edition.walk(
        &|ecosystem, name| {
            let here = match &wanted {
                Wanted::Package {
                    ecosystem: Some(family),
                    ..
                } => ecosystem.family() == family,
                _ => true,
            };
            here && named(name)
        },
        &mut |said| {
            let chosen = match &wanted {
                Wanted::Vulnerabilities(ids) => ids.contains(&said.row.vulnerability),
                Wanted::Package { .. } => true,
            };
            if chosen {
                statements
                    .entry(said.row.vulnerability)
                    .or_default()
                    .insert(Statement::of(&said));
            }
        },
    )?;
    let entries = entries(&edition, statements);
    bar.clear();
    if entries.is_empty() && !args.json {
        return Err(Hinted::error(
            format!(
                "this edition knows nothing of `{}`",
                seaworthy_report::clean(&args.what)
            ),
            "name a vulnerability (CVE-2021-44228, GHSA-…), a package (log4j-core) or a package \
             URL (pkg:npm/ws); `seaworthy db status` lists what the edition covers",
        ));
    }
    if args.json {
        printer::write_data(&entries_json(&entries)?)?;
    } else {
        printer::write_data(entries_text(&entries).as_bytes())?;
    }
    Ok(Exit::Pass)
}

/// What is asked for.
enum Wanted {
    Vulnerabilities(BTreeSet<VulnerabilityId>),
    Package {
        ecosystem: Option<String>,
        name: String,
    },
}

impl Wanted {
    /// A package URL, else the name of a vulnerability or record, else a package.
    fn of(edition: &Edition, what: &str) -> Self {
        if let Some((ecosystem, name)) = of_purl(what) {
            return Self::Package { ecosystem, name };
        }
        let is_it = |name: &str| name.eq_ignore_ascii_case(what);
        let all: BTreeSet<VulnerabilityId> = edition.all_vulnerabilities().collect();
        let found: BTreeSet<VulnerabilityId> = edition
            .details(&BTreeSet::new(), &all)
            .vulnerabilities
            .into_iter()
            .filter(|(_, known)| is_it(&known.id) || known.aliases.iter().any(|it| is_it(it)))
            .map(|(id, _)| id)
            .collect();
        if !found.is_empty() {
            return Self::Vulnerabilities(found);
        }
        let looks_like_a_record = what.contains('-') && what.bytes().any(|it| it.is_ascii_digit());
        if looks_like_a_record {
            let all: BTreeSet<RecordId> = edition.all_records().collect();
            let records: BTreeSet<RecordId> = edition
                .details(&all, &BTreeSet::new())
                .records
                .into_iter()
                .filter(|(_, known)| is_it(&known.id))
                .map(|(id, _)| id)
                .collect();
            let mut found = BTreeSet::new();
            // A damaged edition is told by the walk that follows.
            let _ = edition.walk(&|_, _| true, &mut |said| {
                if records.contains(&said.row.record) {
                    found.insert(said.row.vulnerability);
                }
            });
            if !found.is_empty() {
                return Self::Vulnerabilities(found);
            }
        }
        Self::Package {
            ecosystem: None,
            name: what.to_owned(),
        }
    }
}

/// The family and name of a package URL; the version does not matter here.
fn of_purl(text: &str) -> Option<(Option<String>, String)> {
    let rest = text.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (kind, name) = rest.split_once('/')?;
    let name = match name.rsplit_once('@') {
        Some((name, _)) if !name.is_empty() && !name.ends_with('/') => name,
        _ => name,
    };
    let name = name.replace("%40", "@").replace("%2F", "/");
    let family = match kind {
        "cargo" => Some("crates.io"),
        "composer" => Some("Packagist"),
        "gem" => Some("RubyGems"),
        "golang" => Some("Go"),
        "hex" => Some("Hex"),
        "maven" => Some("Maven"),
        "npm" => Some("npm"),
        "nuget" => Some("NuGet"),
        "pub" => Some("Pub"),
        "pypi" => Some("PyPI"),
        // Distributions write theirs as the namespace.
        _ => None,
    };
    let name = match (kind, name.rsplit_once('/')) {
        ("maven", Some((group, artifact))) => format!("{group}:{artifact}"),
        ("deb" | "apk" | "rpm", Some((_, package))) => package.to_owned(),
        _ => name,
    };
    Some((family.map(str::to_owned), name))
}

/// Whether people who say `asked` may mean the package `name`: all of it, or what
/// follows its group, scope or path.
fn is_called(name: &str, asked: &str) -> bool {
    name.eq_ignore_ascii_case(asked)
        || name
            .rsplit([':', '/'])
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(asked))
}

/// One row, in an order of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    ecosystem: String,
    name: String,
    record: RecordId,
    says: String,
}

impl Statement {
    fn of(said: &Said<'_>) -> Self {
        Self {
            ecosystem: said.ecosystem.to_string(),
            name: said.name.to_owned(),
            record: said.row.record,
            says: match said.row.stance {
                RowStance::Interval(interval, fix) => stretch(&interval.into(), fix),
                RowStance::Exactly(version, _) => format!("= {version}"),
                RowStance::NotAffected => "not affected".to_owned(),
                RowStance::UnderReview => "under review".to_owned(),
                RowStance::Unreadable => "cannot be read".to_owned(),
            },
        }
    }
}

/// The entries of these statements, newest names first.
fn entries(
    edition: &Edition,
    statements: BTreeMap<VulnerabilityId, BTreeSet<Statement>>,
) -> Vec<Entry> {
    let records: BTreeSet<RecordId> = statements.values().flatten().map(|it| it.record).collect();
    let vulnerabilities: BTreeSet<VulnerabilityId> = statements.keys().copied().collect();
    let details = edition.details(&records, &vulnerabilities);
    let mut entries: Vec<Entry> = statements
        .into_iter()
        .filter_map(|(id, statements)| {
            let known = details.vulnerabilities.get(&id)?;
            Some(entry(known, &statements, &details.records))
        })
        .collect();
    entries.sort_by(|one, other| natural(&other.id).cmp(&natural(&one.id)));
    entries
}

/// Numbers in names count as numbers: `CVE-2021-9` comes before `CVE-2021-10`.
fn natural(id: &str) -> Vec<(u64, &str)> {
    id.split('-')
        .map(|part| (part.parse().unwrap_or(0), part))
        .collect()
}

fn entry(
    known: &VulnerabilityDetails,
    statements: &BTreeSet<Statement>,
    records: &BTreeMap<RecordId, RecordDetails>,
) -> Entry {
    let of = |it: &Statement| records.get(&it.record);
    let summaries: BTreeSet<&str> = statements
        .iter()
        .filter_map(of)
        .map(|record| &*record.summary)
        .filter(|summary| !summary.is_empty())
        .collect();
    let mut links = BTreeSet::new();
    let references = statements
        .iter()
        .filter_map(of)
        .flat_map(|record| &record.references)
        .filter(|link| links.insert(link.to_string()))
        .map(ToString::to_string)
        .collect();
    let texts = |list: &[Box<str>]| list.iter().map(ToString::to_string).collect();
    Entry {
        id: known.id.to_string(),
        aliases: texts(&known.aliases),
        summary: summaries.first().copied().unwrap_or_default().to_owned(),
        severity: level(chosen_severity(&[], &known.ratings)),
        ratings: known
            .ratings
            .iter()
            .map(|rating| EntryRating {
                source: rating.source.to_string(),
                text: rating.text.to_string(),
                score_tenths: rating.score_tenths,
            })
            .collect(),
        known_exploited: known.kev.as_ref().map(|kev| kev.added.to_string()),
        epss_millionths: known.epss.map(|epss| epss.probability_millionths),
        references,
        statements: statements
            .iter()
            .map(|it| EntryStatement {
                ecosystem: it.ecosystem.clone(),
                name: it.name.clone(),
                feed: of(it).map_or_else(String::new, |record| record.feed.to_string()),
                record: of(it).map_or_else(String::new, |record| record.id.to_string()),
                says: it.says.clone(),
            })
            .collect(),
    }
}

/// Tells what changed between two editions.
pub(crate) fn diff(desk: &Desk<'_>, args: &DbDiffArgs) -> anyhow::Result<Exit> {
    let old = edition::open(desk.data, Some(&args.old))?;
    let new = edition::open(desk.data, args.new.as_deref())?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("comparing");
    let changes = changes(&old, &new)?;
    bar.clear();
    if args.json {
        printer::write_data(&changes_json(&changes)?)?;
    } else {
        printer::write_data(changes_text(&changes).as_bytes())?;
    }
    Ok(Exit::Pass)
}

/// Of each vulnerability: its level, and of each package a fingerprint of all that
/// is said.
type Known = BTreeMap<String, (Option<String>, BTreeMap<String, u64>)>;

fn known(edition: &Edition) -> anyhow::Result<Known> {
    let all: BTreeSet<VulnerabilityId> = edition.all_vulnerabilities().collect();
    let details = edition.details(&BTreeSet::new(), &all).vulnerabilities;
    let mut known = Known::new();
    edition.walk(&|_, _| true, &mut |said| {
        let Some(about) = details.get(&said.row.vulnerability) else {
            return;
        };
        let (_, packages) = known
            .entry(about.id.to_string())
            .or_insert_with(|| (level(chosen_severity(&[], &about.ratings)), BTreeMap::new()));
        let statement = Statement::of(&said);
        let mut hasher = DefaultHasher::new();
        // Records are numbered anew in each edition.
        statement.says.hash(&mut hasher);
        let package = format!("{} {}", statement.ecosystem, statement.name);
        let fingerprint = packages.entry(package).or_default();
        *fingerprint = fingerprint.wrapping_add(hasher.finish());
    })?;
    Ok(known)
}

fn changes(old: &Edition, new: &Edition) -> anyhow::Result<EditionChanges> {
    let mut before = known(old)?;
    let mut changes = EditionChanges {
        editions: [old.digest().to_string(), new.digest().to_string()],
        ..EditionChanges::default()
    };
    for (id, (severity, packages)) in known(new)? {
        let Some((was, had)) = before.remove(&id) else {
            changes.added.push(Change {
                id,
                severity,
                packages: packages.into_keys().collect(),
            });
            continue;
        };
        if was == severity && had == packages {
            continue;
        }
        let names: BTreeSet<&String> = had.keys().chain(packages.keys()).collect();
        let differ = names
            .into_iter()
            .filter(|name| had.get(*name) != packages.get(*name))
            .cloned()
            .collect();
        changes.changed.push(Change {
            id,
            severity,
            packages: differ,
        });
    }
    changes.removed = before
        .into_iter()
        .map(|(id, (severity, packages))| Change {
            id,
            severity,
            packages: packages.into_keys().collect(),
        })
        .collect();
    for list in [
        &mut changes.added,
        &mut changes.removed,
        &mut changes.changed,
    ] {
        list.sort_by(|one, other| natural(&one.id).cmp(&natural(&other.id)));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_says_where_and_what() {
        for (text, expected) in [
            ("pkg:npm/ws@7.4.5", "npm ws"),
            ("pkg:npm/%40babel/core@7.0.0", "npm @babel/core"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "Maven org.apache.logging.log4j:log4j-core",
            ),
            ("pkg:deb/debian/openssl@3.0.1?arch=amd64", "any openssl"),
            ("log4j-core", "none"),
        ] {
            let said = match of_purl(text) {
                Some((family, name)) => {
                    format!("{} {name}", family.as_deref().unwrap_or("any"))
                }
                None => "none".to_owned(),
            };
            assert_eq!(said, expected, "{text}");
        }
    }

    #[test]
    fn people_leave_out_groups_and_scopes() {
        for (name, asked, called) in [
            ("org.apache.logging.log4j:log4j-core", "log4j-core", true),
            ("github.com/gin-gonic/gin", "gin", true),
            ("@babel/core", "core", true),
            ("openssl", "OpenSSL", true),
            ("openssl-libs", "openssl", false),
        ] {
            assert_eq!(is_called(name, asked), called, "{name}");
        }
    }
}
