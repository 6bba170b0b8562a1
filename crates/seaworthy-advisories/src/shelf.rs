//! Where editions lie on disk.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use seaworthy_core::Digest;

use crate::edition::{Edition, VerifyError};
use crate::layout::OpenError;

/// A folder of editions, named by their digests, and the name of the current one.
///
/// Installing writes the whole file under another name, syncs it, and renames;
/// the file `current` is replaced the same way. A reader therefore sees the old
/// edition or the new one, and a scan that holds an old one open keeps it. The
/// previous edition stays; older ones go.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
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
}

/// Names the current edition, and in its second line the previous one.
const CURRENT: &str = "current";
/// The seal of the last edition that came with one.
const SEAL: &str = "seal.json";
const MAX_SEAL: u64 = 64 << 10;
const DRAFT: &str = ".draft";
const LOCK: &str = ".lock";
const SUFFIX: &str = ".edition";

impl Shelf {
    /// The shelf in `folder`, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
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
        self.clear(&[&name, &previous]);
        Ok(path)
    }

    /// The seal that was kept last, if there is one.
    pub fn seal(&self) -> Option<Vec<u8>> {
        let mut seal = Vec::new();
        let file = File::open(self.folder.join(SEAL)).ok()?;
        file.take(MAX_SEAL).read_to_end(&mut seal).ok()?;
        Some(seal)
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

    /// Removes editions other than these. What cannot be removed stays: it harms
    /// nobody.
    fn clear(&self, keep: &[&str]) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.ends_with(SUFFIX)) else {
                continue;
            };
            if !keep.contains(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    let path = path.to_owned();
    move |source| ShelfError::File { act, path, source }
}
