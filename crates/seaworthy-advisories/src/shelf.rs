//! Where editions lie on disk.

mod history;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use seaworthy_core::{Day, Digest};

use self::history::History;
use crate::delta::{ApplyError, apply_all, delta};
use crate::edition::{Edition, VerifyError};
use crate::layout::OpenError;
use crate::parcel::MAX_DELTA;

/// A folder of editions, named by their digests, and the name of the current one.
///
/// Installing writes the whole file under another name, syncs it, and renames;
/// the file `current` is replaced the same way. A reader therefore sees the old
/// edition or the new one, and a scan that holds an old one open keeps it. The
/// previous edition stays; older ones go.
///
/// A shelf that is told the day ([`Shelf::on`]) writes down which edition was in use
/// when. If it is to look back, what went out of use stays as the changes that lead
/// to it from the edition that took its place.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    memory: Option<Memory>,
}

#[derive(Clone, Copy, Debug)]
struct Memory {
    today: Day,
    /// How many days to look back.
    days: u32,
}

/// What went wrong on the shelf.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
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
    /// The bytes to install are no edition.
    #[error("cannot install the edition")]
    Open(#[source] OpenError),
    /// The bytes to install were damaged on the way.
    #[error("cannot install the edition")]
    Verify(#[source] VerifyError),
    /// The file that names the current edition names none.
    #[error("`{}` does not name an edition", path.display())]
    Current {
        /// The file.
        path: PathBuf,
    },
    /// Nobody wrote down what was in use that early.
    #[error("nothing is known of the edition in use on {day}{}", since(*first))]
    NotThen {
        /// The day that was asked for.
        day: Day,
        /// The first day that is remembered.
        first: Option<Day>,
    },
    /// What was in use then was not kept.
    #[error("the edition in use on {day}, {edition}, was not kept")]
    NotKept {
        /// The day that was asked for.
        day: Day,
        /// What was in use.
        edition: Digest,
    },
    /// The changes that lead back do not.
    #[error("the changes that lead back to the edition of {day} cannot be used")]
    Back {
        /// The day that was asked for.
        day: Day,
        /// What is wrong with them.
        #[source]
        source: ApplyError,
    },
}

fn since(first: Option<Day>) -> String {
    first.map_or_else(String::new, |day| {
        format!(": what is remembered begins on {day}")
    })
}

/// Names the current edition, and in its second line the previous one.
const CURRENT: &str = "current";
/// The seal of the last edition that came with one.
const SEAL: &str = "seal.json";
const MAX_SEAL: u64 = 64 << 10;
const DRAFT: &str = ".draft";
const LOCK: &str = ".lock";
const SUFFIX: &str = ".edition";
/// Names the editions that were in use.
const HISTORY: &str = "history";
const MAX_HISTORY: u64 = 1 << 20;
/// Changes that lead to the edition they are named after.
const CHANGES: &str = ".changes";

impl Shelf {
    /// The shelf in `folder`, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            memory: None,
        }
    }

    /// This shelf as it is on the day `today`, looking back so many `days`.
    #[must_use]
    pub fn on(self, today: Day, days: u32) -> Self {
        Self {
            memory: Some(Memory { today, days }),
            ..self
        }
    }

    /// Verifies an edition, puts it on the shelf and makes it the current one.
    /// Returns its path. Waits while another process installs.
    pub fn install(&self, bytes: Vec<u8>) -> Result<PathBuf, ShelfError> {
        let edition = Edition::from_bytes(bytes).map_err(ShelfError::Open)?;
        edition.verify().map_err(ShelfError::Verify)?;
        fs::create_dir_all(&self.folder).map_err(failed("create", &self.folder))?;
        let lock = self.folder.join(LOCK);
        let held = File::create(&lock).map_err(failed("create", &lock))?;
        held.lock().map_err(failed("lock", &lock))?;

        let name = format!("{}{SUFFIX}", edition.digest().hex());
        // A `current` that cannot be read is about to be replaced anyway.
        let (was_current, was_previous) = self.names().ok().flatten().unwrap_or_default();
        let previous = if was_current == name {
            was_previous
        } else {
            was_current
        };
        let path = self.replace(&name, |file| {
            edition.pieces(&mut |piece| file.write_all(piece))
        })?;
        self.replace(CURRENT, |file| {
            file.write_all(format!("{name}\n{previous}\n").as_bytes())
        })?;
        let history = self.remember(edition.digest())?;
        self.clear(&[&name, &previous], &history);
        Ok(path)
    }

    /// The edition that was in use at the end of `day`, and the day its use began.
    pub fn as_of(&self, day: Day) -> Result<(Edition, Day), ShelfError> {
        let history = self.history();
        let first = history.first_day();
        let (begun, wanted) = history.at(day).ok_or(ShelfError::NotThen { day, first })?;
        let not_kept = || ShelfError::NotKept {
            day,
            edition: wanted.clone(),
        };
        // Back from the next edition that is here whole.
        let mut changes = Vec::new();
        let mut at = wanted;
        let whole = loop {
            if let Some(whole) = self.find(at) {
                break whole;
            }
            let name = format!("{}{CHANGES}", at.hex());
            let step = match self.bytes_of(&name, MAX_DELTA) {
                Ok(step) => step,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(not_kept()),
                Err(error) => return Err(failed("read", &self.folder.join(name))(error)),
            };
            changes.push(step);
            at = history.successor(at).ok_or_else(not_kept)?;
        };
        let edition = Edition::open(&whole).map_err(ShelfError::Open)?;
        if changes.is_empty() {
            return Ok((edition, begun));
        }
        changes.reverse();
        let bytes =
            apply_all(&edition, &changes).map_err(|source| ShelfError::Back { day, source })?;
        let edition = Edition::from_bytes(bytes).map_err(ShelfError::Open)?;
        if edition.digest() != wanted {
            return Err(not_kept());
        }
        Ok((edition, begun))
    }

    /// The first day that [`Shelf::as_of`] knows of.
    pub fn first_day(&self) -> Option<Day> {
        self.history().first_day()
    }

    fn history(&self) -> History {
        match self.bytes_of(HISTORY, MAX_HISTORY) {
            Ok(text) => History::parse(&String::from_utf8_lossy(&text)),
            Err(_) => History::default(),
        }
    }

    /// The file `name`, as far as it goes within `limit`.
    fn bytes_of(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.folder.join(name))?;
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes down that this edition is in use from today on.
    fn remember(&self, edition: &Digest) -> Result<History, ShelfError> {
        let mut history = self.history();
        let Some(Memory { today, days }) = self.memory else {
            return Ok(history);
        };
        history.begin(today, edition);
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        history.forget_before(Day::from_days(today.days().saturating_sub(days)));
        self.replace(HISTORY, |file| file.write_all(history.text().as_bytes()))?;
        Ok(history)
    }

    /// The seal that was kept last, if there is one.
    pub fn seal(&self) -> Option<Vec<u8>> {
        self.bytes_of(SEAL, MAX_SEAL).ok()
    }

    /// Keeps the seal of the edition that was just installed: what comes later may
    /// not be older.
    pub fn keep_seal(&self, seal: &[u8]) -> Result<(), ShelfError> {
        fs::create_dir_all(&self.folder).map_err(failed("create", &self.folder))?;
        let lock = self.folder.join(LOCK);
        let held = File::create(&lock).map_err(failed("create", &lock))?;
        held.lock().map_err(failed("lock", &lock))?;
        self.replace(SEAL, |file| file.write_all(seal))?;
        Ok(())
    }

    /// The path of the current edition, if there is one.
    pub fn current(&self) -> Result<Option<PathBuf>, ShelfError> {
        let names = self.names()?;
        Ok(names.map(|(current, _)| self.folder.join(current)))
    }

    /// The path of the edition with this digest, if it is still here.
    pub fn find(&self, edition: &Digest) -> Option<PathBuf> {
        let path = self.folder.join(format!("{}{SUFFIX}", edition.hex()));
        path.is_file().then_some(path)
    }

    /// The file names of the current and the previous edition; the latter is
    /// empty where there is none.
    fn names(&self) -> Result<Option<(String, String)>, ShelfError> {
        let path = self.folder.join(CURRENT);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("read", &path)(source)),
        };
        let mut lines = text.lines().filter(|line| {
            // Only a name of ours: the file must not lead out of the folder.
            let hex = line.strip_suffix(SUFFIX).unwrap_or_default();
            format!("sha256:{hex}").parse::<Digest>().is_ok()
        });
        match lines.next() {
            Some(current) => Ok(Some((
                current.to_owned(),
                lines.next().unwrap_or_default().to_owned(),
            ))),
            None => Err(ShelfError::Current { path }),
        }
    }

    /// Lets `write` fill the file `name` so that others see all of it or none.
    fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<PathBuf, ShelfError> {
        let path = self.folder.join(name);
        let draft = self.folder.join(DRAFT);
        // Whoever holds the lock owns the draft; one left by a crash is reused.
        let written = File::create(&draft)
            .and_then(|mut file| {
                write(&mut file)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&draft, &path))
            // The new name itself must survive a power cut, too.
            .and_then(|()| File::open(&self.folder)?.sync_all());
        written.map_err(failed("write", &path))?;
        Ok(path)
    }

    /// Removes editions other than these, and keeps what leads back to those that
    /// are to be remembered. What cannot be removed stays: it harms nobody.
    fn clear(&self, keep: &[&str], history: &History) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let remembers = self.memory.is_some_and(|memory| memory.days > 0);
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let of = |suffix| -> Option<Digest> {
                format!("sha256:{}", name.strip_suffix(suffix)?)
                    .parse()
                    .ok()
            };
            if let Some(edition) = of(SUFFIX)
                && !keep.contains(&name)
            {
                // What cannot be told as changes stays whole.
                if !(remembers && history.names(&edition)) || self.lead_back(&edition, history) {
                    let _ = fs::remove_file(entry.path());
                }
            }
            if let Some(edition) = of(CHANGES)
                && !history.names(&edition)
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Keeps the changes that lead to `edition` from the one that took its place.
    /// Says whether it could.
    fn lead_back(&self, edition: &Digest, history: &History) -> bool {
        let changes = || {
            let successor = history.successor(edition)?;
            let open = |digest| Edition::open(&self.find(digest)?).ok();
            delta(&open(successor)?, &open(edition)?).ok()
        };
        let name = format!("{}{CHANGES}", edition.hex());
        changes()
            .is_some_and(|changes| self.replace(&name, |file| file.write_all(&changes)).is_ok())
    }
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    move |source| ShelfError::File { act, path, source }
}
