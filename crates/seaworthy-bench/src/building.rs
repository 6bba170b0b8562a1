//! Compiling an edition from feeds, beside what nobody can do without: inflating
//! the records, parsing them, sorting what they say and writing it down.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use seaworthy_core::{Advisory, Stance, Upper};
use serde::Deserialize;
use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::floor::processor_time;
use crate::process::{self, Peak, Spent};
use crate::product::Product;
use crate::rounds::{median, ratio};
use crate::world;

/// What building cost.
pub(crate) struct Costs {
    pub(crate) floor: Duration,
    pub(crate) build: Duration,
    pub(crate) ratio: f64,
    pub(crate) peak: Peak,
    pub(crate) records: usize,
}

/// A build takes long enough to be sure after few rounds.
const ROUNDS: usize = 3;

/// Measures both in turns, on the feeds in `mirror`, with room on `table`.
pub(crate) fn measure(mirror: &Path, table: &Path, product: &Product) -> anyhow::Result<Costs> {
    let build = || {
        let mut command = product.bare();
        command
            .env("SEAWORTHY_DATA", table.join("data"))
            .args(["db", "build", "--quiet", "--from"])
            .arg(mirror)
            .arg("--output")
            .arg(table.join("built.edition"));
        command
    };
    let (mut floors, mut builds) = (Vec::new(), Vec::new());
    let mut records = 0;
    for _ in 0..ROUNDS {
        let (spent, read) = floor(mirror, &table.join("floor"))?;
        floors.push(spent.wall);
        records = read;
        builds.push(process::run(&mut build(), &[0])?.wall);
    }
    Ok(Costs {
        floor: median(floors.iter().copied()),
        build: median(builds.iter().copied()),
        ratio: ratio(builds.iter().copied(), floors.iter().copied()),
        peak: process::watch(&mut build(), &[0])?,
        records,
    })
}

/// A record, as far as a scanner must understand it.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: &'a str,
    #[serde(borrow)]
    affected: Vec<Affected<'a>>,
}

#[derive(Deserialize)]
struct Affected<'a> {
    #[serde(borrow)]
    package: Package<'a>,
    #[serde(borrow)]
    ranges: Vec<Range<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    ecosystem: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
struct Range<'a> {
    #[serde(borrow)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    fixed: Option<&'a str>,
}

/// Inflates, parses, sorts and writes, on one thread. Says how many records there
/// were, too.
fn floor(mirror: &Path, to: &Path) -> anyhow::Result<(Spent, usize)> {
    let (begun, worked) = (Instant::now(), processor_time());
    let mut rows: Vec<[Box<str>; 4]> = Vec::new();
    let mut records = 0;
    let mut bytes = Vec::new();
    for entry in fs::read_dir(mirror.join("osv"))? {
        let path = entry?.path().join("all.zip");
        let Ok(file) = File::open(&path) else {
            continue;
        };
        let mut archive = zip::ZipArchive::new(file)?;
        for index in 0..archive.len() {
            bytes.clear();
            archive.by_index(index)?.read_to_end(&mut bytes)?;
            let record: Record<'_> = serde_json::from_slice(&bytes)?;
            records += 1;
            for affected in &record.affected {
                for event in affected.ranges.iter().flat_map(|range| &range.events) {
                    let Some(fixed) = event.fixed else { continue };
                    let package = &affected.package;
                    let row = [package.ecosystem, package.name, record.id, fixed];
                    rows.push(row.map(Box::from));
                }
            }
        }
    }
    rows.sort_unstable();
    let mut out = BufWriter::new(File::create(to)?);
    for text in rows.iter().flatten() {
        out.write_all(text.as_bytes())?;
    }
    out.flush()?;
    let spent = Spent {
        wall: begun.elapsed(),
        processor: processor_time().saturating_sub(worked),
        written: 0,
    };
    Ok((spent, records))
}

/// Writes the world as a mirror of the bulk export.
pub(crate) fn write_mirror(folder: &Path) -> anyhow::Result<()> {
    let mut families: Vec<String> = Vec::new();
    let mut archive: Option<zip::ZipWriter<File>> = None;
    world::visit(1, &mut |advisory| {
        let family = advisory.feed.strip_prefix("osv/").context("an odd feed")?;
        if families.last().is_none_or(|last| last != family) {
            if let Some(full) = archive.take() {
                full.finish()?;
            }
            let folder = folder.join("osv").join(family);
            fs::create_dir_all(&folder)?;
            archive = Some(zip::ZipWriter::new(File::create(folder.join("all.zip"))?));
            families.push(family.to_owned());
        }
        let archive = archive.as_mut().context("no archive was begun")?;
        archive.start_file(
            format!("{}.json", advisory.id),
            SimpleFileOptions::default(),
        )?;
        archive.write_all(&record(advisory)?)?;
        Ok(())
    })?;
    if let Some(full) = archive {
        full.finish()?;
    }
    fs::write(folder.join("osv/ecosystems.txt"), families.join("\n"))?;
    Ok(())
}

/// An advisory in the OSV schema, with prose as long as that of real ones.
fn record(advisory: &Advisory) -> anyhow::Result<Vec<u8>> {
    let day = |day: Option<seaworthy_core::Day>| day.map(|day| format!("{day}T00:00:00Z"));
    let affected = advisory.statements.iter().map(|statement| {
        let mut events = vec![json!({"introduced": "0"})];
        if let Stance::Affected { intervals, .. } = &statement.stance {
            events.extend(intervals.iter().filter_map(|it| match &it.upper {
                Upper::Fixed(version) => Some(json!({"fixed": version})),
                Upper::LastAffected(version) => Some(json!({"last_affected": version})),
                Upper::Open => None,
            }));
        }
        let about = &statement.about;
        json!({
            "package": {"ecosystem": about.ecosystem.to_string(), "name": about.name},
            "ranges": [{"type": "ECOSYSTEM", "events": events}],
        })
    });
    let severity = advisory.ratings.iter();
    let severity = severity.map(|rating| json!({"type": "CVSS_V3", "score": rating.text}));
    let links = advisory.references.iter();
    let links = links.map(|link| json!({"type": "WEB", "url": link}));
    Ok(serde_json::to_vec(&json!({
        "schema_version": "1.7.0",
        "id": advisory.id,
        "published": day(advisory.published),
        "modified": day(advisory.modified),
        "aliases": advisory.aliases,
        "summary": advisory.summary,
        "details": advisory.summary.repeat(10),
        "severity": severity.collect::<Vec<_>>(),
        "references": links.collect::<Vec<_>>(),
        "affected": affected.collect::<Vec<_>>(),
    }))?)
}
