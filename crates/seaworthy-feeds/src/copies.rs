//! Copies of parts that were fetched before.
//!
//! Asking again then costs nothing where nothing changed, a download that was cut
//! goes on where it stopped, and a feed that fails or answers nonsense keeps what
//! it last had.
//!
//! ```text
//! index.json         what is known of each part, by its address
//! bodies/<sha256>    the parts, each named by its content
//! drafts/<sha256>    downloads that are not complete, named by their address
//! ```
//!
//! A body is complete and synced before the index names it, and the index is
//! replaced as a whole: a process that is killed leaves the old state or the new.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use seaworthy_core::{Day, Digest};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The format of the index. Another one is started anew: what it knew can be
/// fetched again.
const FORMAT: u32 = 1;
const INDEX: &str = "index.json";
const BODIES: &str = "bodies";
const DRAFTS: &str = "drafts";
/// An index of ten thousand parts has a few megabytes.
const INDEX_LIMIT: u64 = 64 << 20;

/// A folder of copies, held by one process at a time.
#[derive(Debug)]
pub struct Copies {
    folder: PathBuf,
    index: Index,
    _lock: File,
}

/// Why copies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CopiesError {
    /// A file or folder refused.
    #[error("cannot {act} `{}`", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody else holds them.
    #[error("another update works in `{}`", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    format: u32,
    parts: BTreeMap<String, Copy>,
    feeds: BTreeMap<String, Health>,
    /// What the parts were made into.
    made: Option<Made>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Made {
    state: String,
    edition: String,
    day: String,
}

/// How a feed fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Records, the last time it was read well.
    pub records: u64,
    /// Records refused that time.
    pub refused: u64,
    /// The day it was last read well.
    pub well: Option<String>,
    /// What is wrong since.
    pub trouble: Option<String>,
}

/// What is known of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// The server's name for this state of the part.
    pub(crate) etag: Option<String>,
    /// When the server says it last changed, in its own words.
    pub(crate) last_modified: Option<String>,
    /// The body it had when it was last fetched.
    pub(crate) newest: Body,
    /// The body that was last read well.
    pub(crate) good: Option<Body>,
    /// The day the server last confirmed it.
    checked: String,
}

/// A body by its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Body {
    sha256: String,
    length: u64,
}

/// A download that may not be complete yet.
pub(crate) struct Draft {
    pub(crate) file: File,
    pub(crate) length: u64,
    /// What the server called the state that the bytes so far are of. Without a
    /// name nobody can say whether a later state begins alike.
    pub(crate) etag: Option<String>,
    path: PathBuf,
}

impl Copies {
    /// The copies in `folder`, which need not exist yet.
    pub fn open(folder: &Path) -> Result<Self, CopiesError> {
        for part in [BODIES, DRAFTS] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(failed("create", &path))?;
        }
        let path = folder.join(".lock");
        let lock = File::create(&path).map_err(failed("create", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CopiesError::Busy {
                    folder: folder.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
        }
        Ok(Self {
            index: read_index(&folder.join(INDEX)).unwrap_or_default(),
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// What is known of the part at `address`, if its newest body is still there.
    pub(crate) fn known(&self, address: &str) -> Option<Copy> {
        let copy = self.index.parts.get(address)?;
        self.body(&copy.newest).map(|_| copy.clone())
    }

    /// Opens a body, unless it is not what it was.
    pub(crate) fn body(&self, body: &Body) -> Option<File> {
        // Only a name of ours: the index must not lead out of the folder.
        let _: Digest = format!("sha256:{}", body.sha256).parse().ok()?;
        let file = File::open(self.folder.join(BODIES).join(&body.sha256)).ok()?;
        (file.metadata().ok()?.len() == body.length).then_some(file)
    }

    /// The download of `address` that was begun, or a new one.
    pub(crate) fn draft(&self, address: &str) -> Result<Draft, CopiesError> {
        let path = self.folder.join(DRAFTS).join(name_of(address));
        let file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        let length = file.metadata().map_err(failed("read", &path))?.len();
        let etag = fs::read_to_string(path.with_extension("etag"))
            .ok()
            .filter(|etag| !etag.is_empty());
        Ok(Draft {
            file,
            length,
            etag,
            path,
        })
    }

    /// Makes a complete download the newest body of `address`. Returns the open
    /// body and whether it differs from the one before.
    pub(crate) fn keep(
        &mut self,
        address: &str,
        draft: &Draft,
        etag: Option<String>,
        last_modified: Option<String>,
        today: Day,
    ) -> Result<(File, bool), CopiesError> {
        let from = draft.path.clone();
        draft.file.sync_all().map_err(failed("write", &from))?;
        let body = body_of(&from).map_err(failed("read", &from))?;
        let path = self.folder.join(BODIES).join(&body.sha256);
        fs::rename(&from, &path).map_err(failed("write", &path))?;
        let _ = fs::remove_file(from.with_extension("etag"));
        let folder = self.folder.join(BODIES);
        File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("write", &folder))?;
        let before = self.index.parts.get(address);
        let changed = before.is_none_or(|copy| copy.newest != body);
        let good = before.and_then(|copy| copy.good.clone());
        let copy = Copy {
            etag,
            last_modified,
            newest: body,
            good,
            checked: today.to_string(),
        };
        self.index.parts.insert(address.to_owned(), copy);
        self.save()?;
        let file = File::open(&path).map_err(failed("open", &path))?;
        Ok((file, changed))
    }

    /// The server says that `address` has not changed.
    pub(crate) fn confirm(&mut self, address: &str, today: Day) -> Result<(), CopiesError> {
        let today = today.to_string();
        let Some(copy) = self.index.parts.get_mut(address) else {
            return Ok(());
        };
        if copy.checked == today {
            return Ok(());
        }
        copy.checked = today;
        self.save()
    }

    /// How many records `feed` had when it was last read well.
    pub(crate) fn records_of(&self, feed: &str) -> Option<u64> {
        self.index.feeds.get(feed).map(|health| health.records)
    }

    /// The newest bodies of these parts were read well.
    pub(crate) fn approve(&mut self, feed: &str, mut health: Health, addresses: &[String]) {
        if health.well.is_none() {
            health.well = self.index.feeds.remove(feed).and_then(|it| it.well);
        }
        self.index.feeds.insert(feed.to_owned(), health);
        for address in addresses {
            if let Some(copy) = self.index.parts.get_mut(address) {
                copy.good = Some(copy.newest.clone());
            }
        }
    }

    /// Something is wrong with a feed.
    pub(crate) fn complain(&mut self, feed: &str, trouble: &str) {
        let health = self.index.feeds.entry(feed.to_owned()).or_default();
        health.trouble = Some(trouble.chars().take(300).collect());
    }

    /// Whether `edition` was made of exactly these parts; and, if the day counts,
    /// on `today`.
    pub fn made(&self, edition: &Digest, today: Option<Day>) -> bool {
        self.index.made.as_ref().is_some_and(|made| {
            made.state == self.state()
                && made.edition == edition.to_string()
                && today.is_none_or(|today| made.day == today.to_string())
        })
    }

    /// Writes down that these parts were made into `edition`.
    pub fn note_made(&mut self, edition: &Digest, today: Day) -> Result<(), CopiesError> {
        self.index.made = Some(Made {
            state: self.state(),
            edition: edition.to_string(),
            day: today.to_string(),
        });
        self.save()
    }

    /// How each feed fared, as the copies in `folder` have it. Nothing where there
    /// are none.
    pub fn health(folder: &Path) -> BTreeMap<String, Health> {
        read_index(&folder.join(INDEX))
            .map(|index| index.feeds)
            .unwrap_or_default()
    }

    /// A name for all parts as they are now.
    fn state(&self) -> String {
        let mut hash = Sha256::new();
        for (address, copy) in &self.index.parts {
            hash.update(address);
            hash.update([0]);
            hash.update(&copy.newest.sha256);
            hash.update([0]);
        }
        Digest::from_sha256(hash.finalize().into()).to_string()
    }

    /// Lets go of everything but what is at `address`.
    pub(crate) fn keep_only(&mut self, address: &str) -> Result<(), CopiesError> {
        self.index.parts.retain(|it, _| it == address);
        self.finish()
    }

    /// Writes down what was approved and removes bodies that nothing names.
    pub(crate) fn finish(&mut self) -> Result<(), CopiesError> {
        self.save()?;
        let named: BTreeSet<&str> = self
            .index
            .parts
            .values()
            .flat_map(|copy| [Some(&copy.newest), copy.good.as_ref()])
            .flatten()
            .map(|body| body.sha256.as_str())
            .collect();
        let folder = self.folder.join(BODIES);
        for entry in fs::read_dir(&folder)
            .map_err(failed("read", &folder))?
            .flatten()
        {
            let name = entry.file_name();
            // What cannot be removed stays: it harms nobody.
            if name.to_str().is_some_and(|name| !named.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let folder = self.folder.join(DRAFTS);
        for entry in fs::read_dir(&folder)
            .map_err(failed("read", &folder))?
            .flatten()
        {
            // Asked for, and nothing came.
            if entry.metadata().is_ok_and(|it| it.len() == 0) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), CopiesError> {
        self.index.format = FORMAT;
        let path = self.folder.join(INDEX);
        let draft = self.folder.join(".index");
        File::create(&draft)
            .and_then(|mut file| {
                file.write_all(&serde_json::to_vec_pretty(&self.index)?)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(failed("write", &path))
    }
}

impl Copy {
    /// The day the server last confirmed the part.
    pub(crate) fn checked(&self) -> Option<Day> {
        self.checked.parse().ok()
    }
}

impl Draft {
    /// Throws away what came so far; what comes now is called `etag`.
    pub(crate) fn restart(&mut self, etag: Option<&str>) -> Result<(), CopiesError> {
        self.file.set_len(0).map_err(failed("write", &self.path))?;
        self.length = 0;
        self.etag = etag.map(str::to_owned);
        let path = self.path.with_extension("etag");
        fs::write(&path, etag.unwrap_or_default()).map_err(failed("write", &path))
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), CopiesError> {
        self.file
            .write_all(bytes)
            .map_err(failed("write", &self.path))?;
        self.length = self
            .length
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

fn read_index(path: &Path) -> Option<Index> {
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(INDEX_LIMIT).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text)
        .ok()
        .filter(|index: &Index| index.format == FORMAT)
}

fn name_of(address: &str) -> String {
    let digest = Digest::from_sha256(Sha256::digest(address).into());
    digest.hex().to_owned()
}

fn body_of(path: &Path) -> io::Result<Body> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        length += u64::try_from(read).unwrap_or(u64::MAX);
    }
    Ok(Body {
        sha256: Digest::from_sha256(hash.finalize().into()).hex().to_owned(),
        length,
    })
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CopiesError {
    let path = path.to_owned();
    move |source| CopiesError::File { act, path, source }
}
