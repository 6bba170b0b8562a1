//! Blobs in a folder.
//!
//! `uploads/` holds what still grows, a file per appended chunk; what is finished
//! lies under `sha256/` or `sha512/`, in a folder per first two digits. Every name
//! ends with the upload it came from, so no two pushes ever meet in one file.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256, Sha512};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Outgoing;
use super::buffer::Buffers;
use super::intake::Batch;
use super::run::{Run, Section, is_mark, sections};
use super::sweep::{Known, Swept};
use crate::address::{Address, Algorithm};
use crate::clock::Millis;

/// Where uploads grow.
const UPLOADS: &str = "uploads";

/// How much is read at once. A pull holds two of these: one on its way out, one
/// being read.
const READ_SIZE: usize = 512 << 10;
const READ: NonZeroU64 = NonZeroU64::new(READ_SIZE as u64).expect("not zero");

/// How much is written before the disk is told to begin. Without it, all the
/// writing would happen at the end while the client waits.
const SYNC_EVERY: u64 = 8 << 20;

/// Whether what is answered for survives a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    Synced,
    /// For the tests that prove that they would notice.
    Careless,
}

/// A folder of blobs.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: Arc<Path>,
    durability: Durability,
    buffers: Buffers,
    /// Folders of finished blobs whose own names are known to last.
    lasting: Arc<Mutex<HashSet<String>>>,
}

impl Files {
    pub(super) async fn open(folder: &Path, durability: Durability) -> io::Result<Self> {
        let files = Self {
            folder: folder.into(),
            durability,
            buffers: Buffers::of(READ_SIZE),
            lasting: Arc::default(),
        };
        let made = files.clone();
        blocking(move || {
            make_private(&made.folder.join(UPLOADS))?;
            made.sync_folder("")?;
            let above = made.folder.parent();
            match above.filter(|above| !above.as_os_str().is_empty()) {
                // Whoever may not open the folder above has not made ours either.
                Some(above) => File::open(above).map_or(Ok(()), |above| above.sync_all()),
                None => Ok(()),
            }
        })
        .await?;
        Ok(files)
    }

    /// Whether it can be used.
    pub(super) async fn ping(&self) -> io::Result<()> {
        let uploads = self.folder.join(UPLOADS);
        blocking(move || fs::metadata(uploads).map(drop)).await
    }

    /// A new run that continues an upload; `mark` tells it from all others.
    pub(super) fn write(&self, upload: &str, mark: &str) -> Writing {
        let name = format!("{UPLOADS}/{mark}.{upload}");
        Writing {
            path: Some(self.folder.join(&name)),
            durability: self.durability,
            name,
            file: None,
            size: 0,
            unsynced: 0,
            syncing: None,
        }
    }

    /// The runs that are still as they were written down, up to the first that is
    /// not. Only a loss of power takes bytes of a run.
    pub(super) async fn intact(&self, mut runs: Vec<Run>) -> io::Result<Vec<Run>> {
        let folder = Arc::clone(&self.folder);
        blocking(move || {
            let whole = |run: &Run| {
                fs::metadata(folder.join(&run.name)).is_ok_and(|found| found.len() == run.size)
            };
            let count = runs.iter().take_while(|run| whole(run)).count();
            runs.truncate(count);
            Ok(runs)
        })
        .await
    }

    /// Moves the runs of a finished upload to where blobs lie. When it returns they
    /// are there after a loss of power too. Doing it again is harmless.
    pub(super) async fn keep(
        &self,
        mut runs: Vec<Run>,
        upload: &str,
        address: &Address,
    ) -> io::Result<Vec<Run>> {
        if runs.is_empty() {
            return Ok(runs);
        }
        let (files, upload, address) = (self.clone(), upload.to_owned(), address.clone());
        blocking(move || {
            let algorithm = address.algorithm().name();
            let shard = format!("{algorithm}/{}", address.hex().get(..2).unwrap_or("xx"));
            files.make_last(algorithm, &shard)?;
            for (index, run) in runs.iter_mut().enumerate() {
                let number = match index {
                    0 => String::new(),
                    index => format!("-{index}"),
                };
                let name = format!("{shard}/{}{number}.{upload}", address.hex());
                let (from, to) = (files.folder.join(&run.name), files.folder.join(&name));
                let found = match fs::metadata(&from) {
                    Ok(found) => {
                        fs::rename(&from, &to)?;
                        found
                    }
                    // Somebody may have come this far before and then have died.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => fs::metadata(&to)?,
                    Err(error) => return Err(error),
                };
                if found.len() != run.size {
                    let why = format!("`{name}` has {} bytes, not {}", found.len(), run.size);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                run.name = name;
            }
            files.sync_folder(&shard)?;
            Ok(runs)
        })
        .await
    }

    /// Removes runs. What is not there is removed already.
    pub(super) async fn remove(&self, runs: &[Run]) -> io::Result<()> {
        let paths: Vec<PathBuf> = runs.iter().map(|run| self.folder.join(&run.name)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        blocking(move || {
            // One that cannot be removed is no reason to leave the others.
            let removed = paths.iter().map(|path| unlink(path));
            removed.fold(Ok(()), Result::and)
        })
        .await
    }

    /// Reads on, section after section.
    pub(super) async fn read(&self, runs: Vec<Run>, range: &Range<u64>) -> io::Result<Outgoing> {
        let mut reader = self.reader(runs, range);
        // Opened and begun here, so that what is missing is an error and no answer
        // that breaks off.
        let (reader, first) = blocking(move || {
            let first = reader.next()?;
            Ok((reader, first))
        })
        .await?;
        let Some(first) = first else {
            return Ok(stream::empty().boxed());
        };
        let rest = stream::unfold(reader.ahead(), |ahead| async {
            let (reader, next) = match ahead?.await {
                Ok((reader, Ok(next))) => (reader, next?),
                Ok((_, Err(error))) => return Some((Err(error), None)),
                Err(error) => return Some((Err(io::Error::other(error)), None)),
            };
            Some((Ok(next), reader.ahead()))
        });
        Ok(stream::iter([Ok(first)]).chain(rest).boxed())
    }

    /// Reads on, on the caller's thread.
    pub(super) fn reader(&self, runs: Vec<Run>, range: &Range<u64>) -> Reader {
        let sections = sections(&runs, range, READ);
        Reader {
            folder: Arc::clone(&self.folder),
            buffers: self.buffers.clone(),
            runs,
            sections: (Box::new(sections) as Box<dyn Iterator<Item = Section> + Send>).peekable(),
            file: None,
        }
    }

    /// The digest of runs, read again.
    pub(super) async fn digest(&self, runs: Vec<Run>, algorithm: Algorithm) -> io::Result<Address> {
        let mut reader = self.reader(runs, &(0..u64::MAX));
        blocking(move || match algorithm {
            Algorithm::Sha256 => {
                let mut hash = Sha256::default();
                while let Some(bytes) = reader.next()? {
                    hash.update(&bytes);
                }
                Ok(Address::of_sha256(hash.finalize().into()))
            }
            Algorithm::Sha512 => {
                let mut hash = Sha512::default();
                while let Some(bytes) = reader.next()? {
                    hash.update(&bytes);
                }
                Ok(Address::of_sha512(hash.finalize().into()))
            }
        })
        .await
    }

    /// Removes files older than `before` that nothing known needs.
    pub(super) async fn sweep(&self, before: Millis, known: Arc<Known>) -> io::Result<Swept> {
        let files = self.clone();
        blocking(move || {
            let mut swept = Swept::default();
            files.sweep_folder(UPLOADS, is_mark, before, &known, &mut swept)?;
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let shards = match fs::read_dir(files.folder.join(algorithm.name())) {
                    Ok(shards) => shards,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                // What a finished run is called, but for a number.
                let is_digits = |name: &str| {
                    let (hex, _) = name.split_once('-').unwrap_or((name, ""));
                    let all_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
                    all_hex && hex.len() == algorithm.digits()
                };
                for shard in shards {
                    let shard = shard?.file_name();
                    let shard = format!("{}/{}", algorithm.name(), shard.display());
                    files.sweep_folder(&shard, is_digits, before, &known, &mut swept)?;
                }
            }
            Ok(swept)
        })
        .await
    }

    fn sweep_folder(
        &self,
        folder: &str,
        is_ours: impl Fn(&str) -> bool,
        before: Millis,
        known: &Known,
        swept: &mut Swept,
    ) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().display().to_string();
            let Some((what, upload)) = name.split_once('.') else {
                continue;
            };
            if !is_ours(what) || known.holds(upload, &format!("{folder}/{name}")) {
                continue;
            }
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if metadata.is_file() && millis(metadata.modified()?) < before {
                unlink(&entry.path())?;
                swept.count += 1;
                swept.bytes += metadata.len();
            }
        }
        Ok(())
    }

    /// Makes a folder of finished blobs, and its name last.
    fn make_last(&self, algorithm: &str, shard: &str) -> io::Result<()> {
        let lasting = || self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        if lasting().contains(shard) {
            return Ok(());
        }
        make_private(&self.folder.join(shard))?;
        self.sync_folder(algorithm)?;
        self.sync_folder("")?;
        lasting().insert(shard.to_owned());
        Ok(())
    }

    fn sync_folder(&self, name: &str) -> io::Result<()> {
        match self.durability {
            Durability::Synced => File::open(self.folder.join(name))?.sync_all(),
            Durability::Careless => Ok(()),
        }
    }
}

/// Makes a folder and those above it, for their owner alone: who else may read images
/// is not for the file system to say.
fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A run being written. Dropped before it is finished, it leaves nothing.
pub(super) struct Writing {
    /// Absent once the file is to stay.
    path: Option<PathBuf>,
    durability: Durability,
    name: String,
    /// Absent before the first byte, and while a thread has it.
    file: Option<File>,
    size: u64,
    unsynced: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl Writing {
    /// Writes a batch and hashes it along. With the last one, all of it is on disk.
    pub(super) async fn write(&mut self, batch: Batch, mut hash: Sha256) -> io::Result<Sha256> {
        let size = batch.size as u64;
        let must_sync = batch.is_last && self.durability == Durability::Synced;
        if must_sync && let Some(syncing) = self.syncing.take() {
            // An error of writing back is told once per open file: not to be missed.
            syncing.await.map_err(io::Error::other)??;
        }
        let file = self.file.take();
        let path = self.path.clone().unwrap_or_default();
        let (file, hash) = blocking(move || {
            let mut file = match file {
                Some(file) => file,
                None => OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)?,
            };
            for chunk in &batch.chunks {
                hash.update(chunk);
            }
            write_all(&mut file, &batch.chunks)?;
            if must_sync {
                file.sync_data()?;
            }
            Ok((file, hash))
        })
        .await?;
        self.size += size;
        self.unsynced += size;
        if self.unsynced >= SYNC_EVERY && !must_sync {
            self.begin_sync(&file).await?;
        }
        self.file = Some(file);
        Ok(hash)
    }

    /// The run, to be written down; `None` where nothing came.
    pub(super) fn finish(mut self) -> Option<Run> {
        self.file.take()?;
        self.path = None;
        Some(Run {
            name: std::mem::take(&mut self.name),
            size: self.size,
            piece: None,
        })
    }

    /// Lets the disk begin with what was written, unless it is still busy with what
    /// was written before.
    async fn begin_sync(&mut self, file: &File) -> io::Result<()> {
        if self.durability == Durability::Careless {
            return Ok(());
        }
        if let Some(syncing) = self.syncing.take_if(|syncing| syncing.is_finished()) {
            syncing.await.map_err(io::Error::other)??;
        }
        if self.syncing.is_none() {
            let file = file.try_clone()?;
            self.syncing = Some(spawn_blocking(move || file.sync_data()));
            self.unsynced = 0;
        }
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // Whatever remains all the same is swept later.
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(move || unlink(&path))),
                Err(_) => drop(unlink(&path)),
            }
        }
    }
}

/// Reads sections one after the other.
pub(super) struct Reader {
    folder: Arc<Path>,
    buffers: Buffers,
    runs: Vec<Run>,
    sections: std::iter::Peekable<Box<dyn Iterator<Item = Section> + Send>>,
    /// The file that is read, and the how-manieth run it is.
    file: Option<(usize, File)>,
}

impl Reader {
    /// The next bytes; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some(section) = self.sections.next() else {
            return Ok(None);
        };
        let file = match &mut self.file {
            Some((run, file)) if *run == section.run => file,
            file => {
                let run = self.runs.get(section.run).map_or("", |run| &run.name);
                let mut opened = File::open(self.folder.join(run))?;
                opened.seek(SeekFrom::Start(section.range.start))?;
                &mut file.insert((section.run, opened)).1
            }
        };
        let length = section.range.end - section.range.start;
        let length = usize::try_from(length).expect("a section is no longer than what is read");
        let mut buffer = self.buffers.take(length);
        file.read_exact(buffer.first(length))?;
        Ok(Some(buffer.freeze(length)))
    }

    /// Reads the next section on another thread, if there is one.
    fn ahead(mut self) -> Option<JoinHandle<(Self, io::Result<Option<Bytes>>)>> {
        self.sections.peek()?;
        Some(spawn_blocking(move || {
            let next = self.next();
            (self, next)
        }))
    }
}

/// A file's time; one before 1970 is the beginning of 1970.
fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    Millis(i64::try_from(since).unwrap_or(i64::MAX))
}

fn unlink(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_all(file: &mut File, chunks: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Does `act` where waiting for a disk stops nobody else.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(act).await.map_err(io::Error::other)?
}
