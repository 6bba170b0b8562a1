//! Layers already read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use seaworthy_core::{Digest, ProbeSet};
use seaworthy_inventory::LayerRecords;
use sha2::{Digest as _, Sha256};

use crate::memory::LayerMemory;

/// What layers yielded, by the digest their bytes proved to have and by the set
/// of probes that read them. Never by a digest that an image merely claims: a
/// shared cache would believe a forged one for everybody.
///
/// One immutable file per layer, written whole under another name and renamed,
/// so that any number of processes share the folder without a lock. A file that
/// does not decode is as good as absent.
#[derive(Clone, Debug)]
pub struct LayerCache {
    folder: PathBuf,
}

/// The folder of the layer cache cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the layer cache at `{}`", folder.display())]
pub struct CacheError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

/// Larger files than any layer yields are not ours.
const LARGEST_RECORD: u64 = 256 * 1024 * 1024;

impl LayerCache {
    /// The cache in `folder`, for layers read by `probes`.
    ///
    /// # Errors
    ///
    /// When the folder can neither be found nor made.
    pub fn open(folder: &Path, probes: &ProbeSet) -> Result<Self, CacheError> {
        let hash: [u8; 32] = Sha256::digest(probes.as_str().as_bytes()).into();
        let folder = folder.join(Digest::from_sha256(hash).short());
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Ok(()) => Ok(Self { folder }),
            Err(source) => Err(CacheError { folder, source }),
        }
    }

    fn path(&self, digest: &Digest, size: u64) -> PathBuf {
        self.folder.join(size.to_string()).join(digest.hex())
    }
}

impl LayerMemory for LayerCache {
    fn recall(&self, digest: &Digest, size: u64) -> Option<LayerRecords> {
        let path = self.path(digest, size);
        if fs::metadata(&path).ok()?.len() > LARGEST_RECORD {
            return None;
        }
        LayerRecords::decode(&fs::read(path).ok()?).ok()
    }

    fn knows_size(&self, size: u64) -> bool {
        self.folder.join(size.to_string()).is_dir()
    }

    /// A cache that cannot be written costs time, not answers, so trouble ends here.
    fn remember(&self, digest: &Digest, size: u64, records: &LayerRecords) {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let path = self.path(digest, size);
        let Some(folder) = path.parent() else { return };
        let draft = folder.join(format!(
            ".draft-{}-{}",
            std::process::id(),
            SERIAL.fetch_add(1, Ordering::Relaxed)
        ));
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&draft)?;
            file.write_all(&records.encode())?;
            drop(file);
            fs::rename(&draft, &path)
        };
        if write().is_err() {
            let _ = fs::remove_file(&draft);
        }
    }
}
