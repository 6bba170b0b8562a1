//! Where parcels lie that are on their way here: a transfer that was cut goes on
//! where it stopped, even if the machine was off in between.

use std::cell::Cell;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use seaworthy_advisories::{Offer, Offered};
use seaworthy_core::Reference;
use seaworthy_remote::{BlobReader, Registry};
use seaworthy_scan::Progress as _;

use crate::failure::Hinted;
use crate::progress::Bar;

const SUFFIX: &str = ".part";

/// A folder of parcels that came in part. One process uses it at a time.
pub(super) struct Depot<'a> {
    folder: PathBuf,
    /// Holds the lock for as long as the depot is in use.
    _lock: File,
    registry: &'a Registry,
    reference: &'a Reference,
    bar: &'a Bar,
    went_on: Cell<bool>,
}

impl<'a> Depot<'a> {
    /// Opens the depot under the data folder for what comes from `reference`.
    pub(super) fn open(
        data: &Path,
        registry: &'a Registry,
        reference: &'a Reference,
        bar: &'a Bar,
    ) -> anyhow::Result<Self> {
        let folder = data.join("scratch").join("parcels");
        let told = |error| {
            let what = format!("cannot use `{}`", folder.display());
            Hinted::over(what, "check the data folder and the space left", error)
        };
        fs::create_dir_all(&folder).map_err(told)?;
        let lock = File::create(folder.join(".lock")).map_err(told)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Hinted::error(
                "another update from a registry is under way",
                "wait until it is done",
            ),
            TryLockError::Error(error) => told(error),
        })?;
        Ok(Self {
            folder,
            _lock: lock,
            registry,
            reference,
            bar,
            went_on: Cell::new(false),
        })
    }

    /// Starts to fetch a parcel, from where it stopped.
    pub(super) fn fetch(&self, offered: &Offered) -> io::Result<Fetch<'_, 'a>> {
        let path = self.path_of(offered);
        let mut part = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut had = part.metadata()?.len();
        if had > offered.bytes {
            part.set_len(0)?;
            had = 0;
        }
        part.seek(SeekFrom::Start(0))?;
        if had > 0 {
            self.went_on.set(true);
        }
        Ok(Fetch {
            depot: self,
            offered: offered.clone(),
            part,
            had,
            at: 0,
            rest: None,
        })
    }

    /// Whether anything that lay here was used.
    pub(super) fn went_on(&self) -> bool {
        self.went_on.get()
    }

    /// Removes what is not on offer any more.
    pub(super) fn keep_only(&self, offer: &Offer) {
        let parcels = std::iter::once(&offer.whole).chain(&offer.deltas);
        let wanted: Vec<PathBuf> = parcels.map(|it| self.path_of(it)).collect();
        self.remove(&|path| !wanted.iter().any(|it| it == path));
    }

    /// Removes everything: it was used, or it was wrong.
    pub(super) fn clear(&self) {
        self.remove(&|_| true);
        self.went_on.set(false);
    }

    fn path_of(&self, offered: &Offered) -> PathBuf {
        self.folder
            .join(format!("{}{SUFFIX}", offered.parcel.hex()))
    }

    /// What cannot be removed stays: it is not believed anyway.
    fn remove(&self, is_meant: &dyn Fn(&Path) -> bool) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|it| it == "part") && is_meant(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// A parcel that comes: first what lies here, then the rest from the registry, which
/// is kept on the way.
pub(super) struct Fetch<'d, 'a> {
    depot: &'d Depot<'a>,
    offered: Offered,
    part: File,
    had: u64,
    at: u64,
    rest: Option<BlobReader>,
}

impl Fetch<'_, '_> {
    /// Lets go of the registry until more is read.
    pub(super) fn pause(&mut self) {
        self.rest = None;
    }

    /// Shows on the bar how far it is.
    pub(super) fn show(&self, what: &str) {
        let had = self.had.max(self.at);
        self.depot.bar.carry(what, self.offered.bytes, had);
    }
}

impl Read for Fetch<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.had {
            let left = usize::try_from(self.had - self.at).unwrap_or(usize::MAX);
            let most = buffer.len().min(left);
            let read = self.part.read(buffer.get_mut(..most).unwrap_or_default())?;
            self.at += read as u64;
            return Ok(read);
        }
        if self.at >= self.offered.bytes {
            return Ok(0);
        }
        let rest = match &mut self.rest {
            Some(rest) => rest,
            rest => {
                let depot = self.depot;
                let reader = depot
                    .registry
                    .blob_from_blocking(
                        depot.reference,
                        &self.offered.parcel,
                        self.offered.bytes,
                        self.at,
                    )
                    .map_err(io::Error::other)?;
                rest.insert(reader)
            }
        };
        let read = rest.read(buffer)?;
        let came = buffer.get(..read).unwrap_or_default();
        self.part.write_all(came)?;
        self.at += read as u64;
        self.depot.bar.advance(read as u64);
        Ok(read)
    }
}
