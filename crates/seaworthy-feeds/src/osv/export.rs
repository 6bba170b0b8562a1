//! A bulk export: `all.zip` with one record per entry.

use std::io::{Read, Seek};

use seaworthy_core::{Advisory, Day};
use zip::ZipArchive;
use zip::result::ZipError;

use super::record::parse_record;
use crate::Refusal;
use crate::fed::Refusals;

/// Ceilings for a bulk export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive as fetched.
    pub archive_bytes: u64,
    /// Entries in one archive.
    pub entries: usize,
    /// Bytes of one record.
    pub record_bytes: u64,
    /// Bytes of all records of one archive.
    pub total_bytes: u64,
}

impl Default for Limits {
    /// Several times what the largest export of 2026 needs.
    fn default() -> Self {
        Self {
            archive_bytes: 4 << 30,
            entries: 2_000_000,
            record_bytes: 32 << 20,
            total_bytes: 64 << 30,
        }
    }
}

/// What was in an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many records were read.
    pub records: u64,
    /// How many were refused.
    pub refused: u64,
    /// The first of the refused.
    pub refusals: Vec<Refusal>,
    /// The newest day of change of any record.
    pub newest: Option<Day>,
}

/// Why an export cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It is not a zip archive, or is cut.
    #[error("cannot read the archive")]
    Archive(#[source] ZipError),
    /// An entry's bytes are damaged.
    #[error("cannot read the entry `{name}`")]
    Entry {
        /// Its name.
        name: Box<str>,
        /// What is wrong.
        #[source]
        source: std::io::Error,
    },
    /// It holds more than the ceilings allow.
    #[error("the archive has more than {limit} {what}")]
    TooLarge {
        /// Entries or bytes.
        what: &'static str,
        /// The ceiling.
        limit: u64,
    },
}

/// Reads every record of an export of the ecosystem `family` and hands it to
/// `sink`.
///
/// A record may speak of several ecosystems and is then in the export of each.
/// What it says is taken from the export of the ecosystem it speaks of, so that
/// nothing comes twice and a feed covers only what it is the feed of.
pub fn read_export(
    feed: &str,
    family: &str,
    archive: impl Read + Seek,
    limits: &Limits,
    sink: &mut dyn FnMut(Advisory),
) -> Result<Exported, ExportError> {
    let mut archive = ZipArchive::new(archive).map_err(ExportError::Archive)?;
    if archive.len() > limits.entries {
        return Err(ExportError::TooLarge {
            what: "entries",
            limit: u64::try_from(limits.entries).unwrap_or(u64::MAX),
        });
    }
    let mut exported = Exported::default();
    let mut refusals = Refusals::default();
    let mut total = 0_u64;
    let mut bytes = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(ExportError::Archive)?;
        if entry.is_dir() {
            continue;
        }
        let name: Box<str> = match entry.name() {
            Ok(name) => name.chars().take(200).collect::<String>().into(),
            Err(_) => format!("entry {index}").into(),
        };
        if !name.ends_with(".json") {
            refusals.push(&name, "not a record by its name");
            continue;
        }
        bytes.clear();
        // The size in the directory is a claim: what counts is what comes out.
        let read = entry
            .by_ref()
            .take(limits.record_bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        let read = read.map_err(|source| ExportError::Entry {
            name: name.clone(),
            source,
        })?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        total = total.saturating_add(read);
        if total > limits.total_bytes {
            return Err(ExportError::TooLarge {
                what: "bytes of records",
                limit: limits.total_bytes,
            });
        }
        if read > limits.record_bytes {
            refusals.push(&name, format!("larger than {} bytes", limits.record_bytes));
            continue;
        }
        match parse_record(feed, &bytes) {
            Ok(mut advisory) => {
                advisory
                    .statements
                    .retain(|statement| statement.about.ecosystem.family() == family);
                exported.records = exported.records.saturating_add(1);
                exported.newest = exported.newest.max(advisory.modified);
                sink(advisory);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map_or_else(String::new, |source| format!(": {source}"));
                refusals.push(&name, format!("{error}{cause}"));
            }
        }
    }
    exported.refused = refusals.count;
    exported.refusals = refusals.kept;
    Ok(exported)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn archive(entries: &[(&str, &str)]) -> Cursor<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in entries {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    const MIXED: &str = r#"{"id": "X-1", "modified": "2025-01-02T03:04:05Z", "affected": [
        {"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]},
        {"package": {"ecosystem": "PyPI", "name": "b"}, "versions": ["1.0"]}]}"#;

    fn read(
        archive: Cursor<Vec<u8>>,
        limits: &Limits,
    ) -> Result<(Exported, Vec<Advisory>), ExportError> {
        let mut advisories = Vec::new();
        let exported = read_export("osv/npm", "npm", archive, limits, &mut |advisory| {
            advisories.push(advisory);
        })?;
        Ok((exported, advisories))
    }

    #[test]
    fn a_record_counts_for_its_own_ecosystem_and_the_refused_are_named() {
        let archive = archive(&[
            ("X-1.json", MIXED),
            ("X-2.json", "{"),
            ("notes.txt", "hello"),
        ]);
        let (exported, advisories) = read(archive, &Limits::default()).unwrap();
        assert_eq!(exported.records, 1);
        assert_eq!(exported.newest, "2025-01-02".parse().ok());
        let refused: Vec<_> = exported.refusals.iter().map(|it| &*it.what).collect();
        assert_eq!(refused, ["X-2.json", "notes.txt"]);
        let names: Vec<_> = advisories
            .iter()
            .flat_map(|it| &it.statements)
            .map(|it| &*it.about.name)
            .collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn ceilings_hold() {
        let limits = Limits::default();
        let two = || archive(&[("X-1.json", MIXED), ("X-2.json", MIXED)]);
        let said = |limits| match read(two(), &limits) {
            Ok((exported, _)) => format!("{} read, {} refused", exported.records, exported.refused),
            Err(error) => error.to_string(),
        };
        assert_eq!(said(limits), "2 read, 0 refused");
        assert_eq!(
            said(Limits {
                entries: 1,
                ..limits
            }),
            "the archive has more than 1 entries"
        );
        assert_eq!(
            said(Limits {
                record_bytes: 10,
                ..limits
            }),
            "0 read, 2 refused"
        );
        assert_eq!(
            said(Limits {
                total_bytes: 300,
                ..limits
            }),
            "the archive has more than 300 bytes of records"
        );
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let mut bytes = archive(&[("X-1.json", MIXED)]).into_inner();
        bytes.truncate(bytes.len() - 10);
        assert!(read(Cursor::new(bytes), &Limits::default()).is_err());
        assert!(read(Cursor::new(b"hello".to_vec()), &Limits::default()).is_err());
        let mut bytes = archive(&[("X-1.json", MIXED)]).into_inner();
        bytes[60] ^= 0xff;
        assert!(read(Cursor::new(bytes), &Limits::default()).is_err());
    }
}
