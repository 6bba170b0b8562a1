//! Reading all a mirror has.

use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use seaworthy_core::{Advisory, Day, FeedDate};

use crate::eol::{EolError, parse_eol};
use crate::epss::{EpssError, parse_epss};
use crate::kev::{KevError, parse_kev};
use crate::mirror::{Part, Source};
use crate::osv::{ExportError, Limits, read_export};
use crate::vendor::{self, Intake, VendorError};
use crate::{Fed, Mirror, MirrorError, Reading};

/// How to read a mirror.
#[derive(Clone, Debug)]
pub struct Options {
    /// What day it is. No feed is taken to be from the future.
    pub today: Day,
    /// An existing folder for what is being downloaded.
    pub scratch: PathBuf,
    /// Ceilings for bulk exports.
    pub limits: Limits,
}

/// Why a mirror could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A part could not be had.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// There is no list of ecosystems.
    #[error("the mirror has no `osv/ecosystems.txt`")]
    NoEcosystems,
    /// A listed ecosystem has no bulk export.
    #[error("the mirror lists the ecosystem `{ecosystem}` and has no export of it")]
    NoExport {
        /// The ecosystem.
        ecosystem: Box<str>,
    },
    /// A list names what cannot be an ecosystem.
    #[error("`{name}` in the list of ecosystems is not a name")]
    Name {
        /// The start of the name.
        name: Box<str>,
    },
    /// A bulk export is damaged.
    #[error("cannot use the export of `{ecosystem}`")]
    Export {
        /// The ecosystem.
        ecosystem: Box<str>,
        /// What is wrong.
        #[source]
        source: ExportError,
    },
    /// A part of a vendor's own feed is damaged.
    #[error("cannot use `{part}` of the feed `{feed}`")]
    Vendor {
        /// The feed.
        feed: Box<str>,
        /// Which part of it.
        part: Box<str>,
        /// What is wrong.
        #[source]
        source: VendorError,
    },
    /// The catalogue of known exploitation is damaged.
    #[error("cannot use the catalogue of known exploited vulnerabilities")]
    Kev(#[source] KevError),
    /// The predictions are damaged.
    #[error("cannot use the predictions of exploitation")]
    Epss(#[source] EpssError),
    /// The ends of support are damaged.
    #[error("cannot use the ends of support")]
    Eol(#[source] EolError),
}

impl ReadError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Mirror(error) => error.hint(),
            Self::NoEcosystems | Self::NoExport { .. } | Self::Name { .. } => {
                "a mirror has the layout of the OSV bulk export below `osv`"
            }
            Self::Export { .. }
            | Self::Vendor { .. }
            | Self::Kev(_)
            | Self::Epss(_)
            | Self::Eol(_) => "fetch this part of the mirror again",
        }
    }
}

const ECOSYSTEMS: &str = "ecosystems.txt";
const KEV: &str = "enrich/kev/known_exploited_vulnerabilities.json";
const EPSS: &str = "enrich/epss/epss_scores-current.csv.gz";
const EOL: [&str; 2] = ["enrich/eol/endoflife.json", "enrich/eol/full"];

/// What a list of names may have, and what the enrichments may have, in bytes.
const LIST_LIMIT: u64 = 1 << 20;
const ENRICHMENT_LIMIT: u64 = 64 << 20;

/// Reads every feed of `mirror` once and hands each advisory to `sink`.
///
/// A listed ecosystem whose export is missing or damaged is an error: an edition
/// without it would look complete. The enrichments are optional; those that are
/// missing are named in the answer. Reading files and parsing happen in place, so
/// a caller with other asynchronous work runs this on a thread of its own.
pub async fn read(
    mirror: &Mirror,
    options: &Options,
    sink: &mut (dyn FnMut(Advisory) + Send),
) -> Result<Fed, ReadError> {
    let source = Source::of(mirror, &options.scratch)?;
    let mut fed = Fed::default();

    let (prefix, list) = match source
        .open(&format!("osv/{ECOSYSTEMS}"), LIST_LIMIT)
        .await?
    {
        Some(list) => ("osv/", list),
        None => match source.open(ECOSYSTEMS, LIST_LIMIT).await? {
            Some(list) => ("", list),
            None => return Err(ReadError::NoEcosystems),
        },
    };
    let list = String::from_utf8_lossy(&bytes_of(list, ECOSYSTEMS)?).into_owned();
    for family in families(&list)? {
        let part = source
            .open(
                &format!("{prefix}{family}/all.zip"),
                options.limits.archive_bytes,
            )
            .await?
            .ok_or_else(|| ReadError::NoExport {
                ecosystem: family.into(),
            })?;
        let id = format!("osv/{family}");
        let modified = part.modified;
        let archive = BufReader::with_capacity(1 << 16, part.file);
        let exported =
            read_export(&id, family, archive, &options.limits, sink).map_err(|source| {
                ReadError::Export {
                    ecosystem: family.into(),
                    source,
                }
            })?;
        tracing::debug!(records = exported.records, "read `{id}`");
        fed.feeds.push(Reading {
            id: id.into(),
            date: dated(modified, exported.newest, options.today),
            records: exported.records,
            refused: exported.refused,
            refusals: exported.refusals,
        });
    }

    for feed in vendor::FEEDS {
        let mut intake = Intake::new(feed.id, &options.limits, sink);
        let mut found = false;
        let mut modified = None;
        for part in feed.parts {
            let path = format!("vendor/{}", part.path);
            let Some(opened) = source.open(&path, options.limits.archive_bytes).await? else {
                continue;
            };
            found = true;
            modified = modified.max(opened.modified);
            let mut content = BufReader::with_capacity(1 << 16, opened.file);
            (feed.read)(&mut content, part.path, &mut intake).map_err(|source| {
                ReadError::Vendor {
                    feed: feed.id.into(),
                    part: part.path.into(),
                    source,
                }
            })?;
        }
        if found {
            let taken = intake.finish();
            let date = dated(modified, taken.newest, options.today);
            fed.feeds.push(taken.reading(feed.id, date));
        }
    }

    match source.open(KEV, ENRICHMENT_LIMIT).await? {
        Some(part) => {
            let modified = part.modified;
            let catalogue = parse_kev(&bytes_of(part, KEV)?).map_err(ReadError::Kev)?;
            let date = dated(modified, catalogue.released, options.today);
            fed.feeds.push(catalogue.reading(date));
            fed.kev = catalogue.entries;
        }
        None => fed
            .missing
            .push("known exploited vulnerabilities (KEV)".into()),
    }
    match source.open(EPSS, ENRICHMENT_LIMIT).await? {
        Some(part) => {
            let predictions = parse_epss(part.file).map_err(ReadError::Epss)?;
            let date = dated(part.modified, predictions.made, options.today);
            fed.feeds.push(predictions.reading(date));
            fed.epss = predictions.entries;
        }
        None => fed
            .missing
            .push("predictions of exploitation (EPSS)".into()),
    }
    let mut ends = None;
    for name in EOL {
        if let Some(part) = source.open(name, ENRICHMENT_LIMIT).await? {
            ends = Some((name, part));
            break;
        }
    }
    match ends {
        Some((name, part)) => {
            let modified = part.modified;
            let found = parse_eol(&bytes_of(part, name)?).map_err(ReadError::Eol)?;
            fed.feeds.push(Reading {
                id: "eol".into(),
                date: dated(modified, found.dated, options.today),
                records: u64::try_from(found.entries.len()).unwrap_or(u64::MAX),
                refused: 0,
                refusals: Vec::new(),
            });
            fed.support = found.entries;
        }
        None => fed.missing.push("ends of support (endoflife.date)".into()),
    }
    Ok(fed)
}

/// How current a part is: a server's word for its last change counts as the day
/// it was fetched from its source, else the newest record speaks. Nothing is
/// newer than today, whatever it says.
fn dated(modified: Option<Day>, newest: Option<Day>, today: Day) -> FeedDate {
    match (modified, newest) {
        // A day that has not come says nothing about an age.
        (Some(day), _) if day <= today => FeedDate::Fetched(day),
        (_, Some(day)) if day <= today => FeedDate::NewestRecord(day),
        _ => FeedDate::Unknown,
    }
}

fn bytes_of(mut part: Part, name: &str) -> Result<Vec<u8>, MirrorError> {
    let mut bytes = Vec::new();
    part.file
        .read_to_end(&mut bytes)
        .map_err(|source| MirrorError::File {
            path: name.into(),
            source,
        })?;
    Ok(bytes)
}

/// The families in a list of ecosystems, sorted. A release (`Debian:12`) is in
/// its family's export; `[EMPTY]` stands for records without any ecosystem.
fn families(list: &str) -> Result<BTreeSet<&str>, ReadError> {
    let mut families = BTreeSet::new();
    for line in list.lines() {
        let name = line.trim();
        let family = name.split_once(':').map_or(name, |(family, _)| family);
        if family.is_empty() || family.starts_with('[') {
            continue;
        }
        let plain = family.len() <= 80
            && !family.starts_with('.')
            && family
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, ' ' | '.' | '-' | '_'));
        if !plain {
            return Err(ReadError::Name {
                name: family.chars().take(80).collect::<String>().into(),
            });
        }
        families.insert(family);
    }
    if families.is_empty() {
        return Err(ReadError::NoEcosystems);
    }
    Ok(families)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ecosystems_names_families() {
        let read = |list| match families(list) {
            Ok(families) => families.into_iter().collect::<Vec<_>>().join("|"),
            Err(error) => error.to_string(),
        };
        for (list, expected) in [
            (
                "npm\nDebian\nDebian:12\n[EMPTY]\n\nRocky Linux:9\ncrates.io\n",
                "Debian|Rocky Linux|crates.io|npm",
            ),
            ("", "the mirror has no `osv/ecosystems.txt`"),
            ("../x", "`../x` in the list of ecosystems is not a name"),
            ("a/b", "`a/b` in the list of ecosystems is not a name"),
            ("<html>", "`<html>` in the list of ecosystems is not a name"),
        ] {
            assert_eq!(read(list), expected);
        }
    }

    #[test]
    fn nothing_is_from_the_future() {
        let day = Day::from_days;
        let today = day(100);
        for (modified, newest, expected) in [
            (Some(day(90)), Some(day(80)), FeedDate::Fetched(day(90))),
            (Some(day(900)), None, FeedDate::Unknown),
            (
                Some(day(900)),
                Some(day(80)),
                FeedDate::NewestRecord(day(80)),
            ),
            (None, Some(day(80)), FeedDate::NewestRecord(day(80))),
            (None, Some(day(800)), FeedDate::Unknown),
            (None, None, FeedDate::Unknown),
        ] {
            assert_eq!(dated(modified, newest, today), expected);
        }
    }
}
