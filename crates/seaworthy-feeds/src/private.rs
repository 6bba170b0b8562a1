//! The user's own feed: a folder of records in the OSV schema.
//!
//! Every file whose name ends in `.json`, in the folder or below it, is one
//! record. Other files are notes and none of our business.

use std::collections::HashMap;
use std::error::Error as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use seaworthy_core::Advisory;

use crate::fed::Refusals;
use crate::osv::{Exported, Limits, parse_record};

/// Folders within folders.
const MAX_DEPTH: usize = 8;

/// Why a folder cannot be read as a feed.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The folder cannot be listed.
    #[error("cannot list the folder `{}`", path.display())]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder's name cannot be a feed's.
    #[error("the folder `{}` has no name that a feed can have", path.display())]
    Name {
        /// Which folder.
        path: PathBuf,
    },
    /// It holds more than the ceilings allow.
    #[error("the folder `{}` has more than {limit} {what}", path.display())]
    TooLarge {
        /// Which folder.
        path: PathBuf,
        /// Files or bytes.
        what: &'static str,
        /// The ceiling.
        limit: u64,
    },
}

impl PrivateError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } => "check that the folder exists and may be read",
            Self::Name { .. } => "give the folder a name of letters, digits and hyphens",
            Self::TooLarge { .. } => "name the folder that holds your own records and nothing else",
        }
    }
}

/// The feed that the records in `folder` make: `private/` and the folder's name.
pub fn private_feed(folder: &Path) -> Result<String, PrivateError> {
    let full = fs::canonicalize(folder).map_err(|source| PrivateError::Folder {
        path: folder.to_owned(),
        source,
    })?;
    let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
    full.file_name()
        .and_then(|name| name.to_str())
        .filter(|name| name.len() <= 80 && name.chars().all(plain))
        .map(|name| format!("private/{name}"))
        .ok_or_else(|| PrivateError::Name {
            path: folder.to_owned(),
        })
}

/// Reads every record in `folder`, in the order of their paths, and hands it to
/// `sink` as `feed` has it (see [`private_feed`]).
///
/// A file that is no record is refused by name, and so is a record whose id
/// another file has already: one of them would silently hide the other.
pub fn read_private(
    feed: &str,
    folder: &Path,
    limits: &Limits,
    sink: &mut dyn FnMut(Advisory),
) -> Result<Exported, PrivateError> {
    let mut files = Vec::new();
    let mut refusals = Refusals::default();
    list(folder, 0, limits, &mut files, &mut refusals)?;
    files.sort();
    let mut exported = Exported::default();
    let mut seen: HashMap<Box<str>, String> = HashMap::new();
    let mut left = limits.total_bytes;
    for path in files {
        let name = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let bytes = match bytes_of(&path, limits.record_bytes) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                refusals.push(&name, format!("larger than {} bytes", limits.record_bytes));
                continue;
            }
            Err(error) => {
                refusals.push(&name, error);
                continue;
            }
        };
        left = u64::try_from(bytes.len())
            .ok()
            .and_then(|length| left.checked_sub(length))
            .ok_or_else(|| PrivateError::TooLarge {
                path: folder.to_owned(),
                what: "bytes of records",
                limit: limits.total_bytes,
            })?;
        let advisory = match parse_record(feed, &bytes) {
            Ok(advisory) => advisory,
            Err(error) => {
                let cause = error
                    .source()
                    .map_or_else(String::new, |source| format!(": {source}"));
                refusals.push(&name, format!("{error}{cause}"));
                continue;
            }
        };
        if let Some(first) = seen.get(&advisory.id) {
            refusals.push(&name, format!("`{}` is in `{first}` already", advisory.id));
            continue;
        }
        seen.insert(advisory.id.clone(), name);
        exported.records = exported.records.saturating_add(1);
        exported.newest = exported.newest.max(advisory.modified);
        sink(advisory);
    }
    exported.refused = refusals.count;
    exported.refusals = refusals.kept;
    Ok(exported)
}

/// Collects the records in `folder` and below. A link to a folder is not
/// followed: it may lead round in circles.
fn list(
    folder: &Path,
    depth: usize,
    limits: &Limits,
    files: &mut Vec<PathBuf>,
    refusals: &mut Refusals,
) -> Result<(), PrivateError> {
    let failed = |source| PrivateError::Folder {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            if depth + 1 >= MAX_DEPTH {
                refusals.push(&path.to_string_lossy(), "too many folders within folders");
            } else {
                list(&path, depth + 1, limits, files, refusals)?;
            }
            continue;
        }
        if path.extension().is_none_or(|it| it != "json") {
            continue;
        }
        if files.len() >= limits.entries {
            return Err(PrivateError::TooLarge {
                path: folder.to_owned(),
                what: "files",
                limit: u64::try_from(limits.entries).unwrap_or(u64::MAX),
            });
        }
        files.push(path);
    }
    Ok(())
}

/// The bytes of a file; `None` of one with more than `limit`.
fn bytes_of(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    // Asked before it is opened: opening a pipe waits for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    let is_small = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    Ok(is_small.then_some(bytes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    fn record(id: &str) -> String {
        format!(
            r#"{{"id": "{id}", "modified": "2025-01-02T00:00:00Z", "affected": [
            {{"package": {{"ecosystem": "npm", "name": "ours"}}, "versions": ["1.0.0"]}}]}}"#
        )
    }

    fn read(files: &[(&str, &str)], limits: &Limits) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut lines = Vec::new();
        let mut sink = |advisory: Advisory| {
            lines.push(format!("{} {}", advisory.feed, advisory.id));
        };
        match read_private("private/ours", folder.path(), limits, &mut sink) {
            Ok(exported) => {
                let refused = exported.refusals.iter();
                lines.extend(refused.map(|it| format!("refused {}: {}", it.what, it.why)));
            }
            Err(error) => {
                let told = error.to_string();
                lines.push(told.replace(&*folder.path().to_string_lossy(), "…"));
            }
        }
        lines.join("\n")
    }

    #[test]
    fn records_are_read_in_the_order_of_their_paths_and_the_bad_are_named() {
        let (one, two, twice) = (record("OURS-1"), record("OURS-2"), record("OURS-1"));
        insta::assert_snapshot!(read(&[
            ("b.json", &two),
            ("a.json", &one),
            ("deeper/c.json", &twice),
            ("deeper/d.json", "{"),
            ("README.md", "# Ours"),
            (".git/e.json", "{"),
        ], &Limits::default()), @r"
        private/ours OURS-1
        private/ours OURS-2
        refused deeper/c.json: `OURS-1` is in `a.json` already
        refused deeper/d.json: not a record of the OSV schema: EOF while parsing an object at line 1 column 1
        ");
    }

    #[test]
    fn ceilings_hold() {
        let (one, two) = (record("OURS-1"), record("OURS-2"));
        let files = [("a.json", &*one), ("b.json", &*two)];
        let limits = Limits::default();
        for (limits, expected) in [
            (
                Limits {
                    entries: 1,
                    ..limits
                },
                "the folder `…` has more than 1 files",
            ),
            (
                Limits {
                    record_bytes: 10,
                    ..limits
                },
                "refused a.json: larger than 10 bytes\nrefused b.json: larger than 10 bytes",
            ),
            (
                Limits {
                    total_bytes: 200,
                    ..limits
                },
                "private/ours OURS-1\nthe folder `…` has more than 200 bytes of records",
            ),
        ] {
            assert_eq!(read(&files, &limits), expected);
        }
        let deep = format!("{}x.json", "d/".repeat(MAX_DEPTH));
        let said = read(&[(&deep, &one)], &limits);
        assert!(said.ends_with("too many folders within folders"), "{said}");
    }

    #[test]
    fn the_folders_name_is_the_feeds() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("ours-2026");
        fs::create_dir(&ours).unwrap();
        fs::create_dir(folder.path().join("not a name")).unwrap();
        let tell = |path: &Path| match private_feed(path) {
            Ok(id) => id,
            Err(error) => error
                .to_string()
                .replace(&*folder.path().to_string_lossy(), "…"),
        };
        assert_eq!(tell(&ours), "private/ours-2026");
        assert_eq!(tell(&ours.join("../ours-2026/.")), "private/ours-2026");
        assert_eq!(
            tell(&folder.path().join("not a name")),
            "the folder `…/not a name` has no name that a feed can have"
        );
        assert_eq!(
            tell(&folder.path().join("nowhere")),
            "cannot list the folder `…/nowhere`"
        );
    }
}
