//! An OCI image layout on disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use seaworthy_core::Digest;

use crate::choice::{self, ChooseError};
use crate::manifest::{Descriptor, MANIFEST_BYTES, ManifestError, read_index};
use crate::resolve::{BlobKey, Blobs, Image, PlatformWish};

/// A directory with `index.json` and blobs by digest.
#[derive(Clone, Debug)]
pub struct OciLayout {
    root: PathBuf,
    entries: Vec<Descriptor>,
    index: Digest,
}

/// Why a directory is not an image layout.
#[derive(Debug, thiserror::Error)]
pub enum OciLayoutError {
    /// There is no `index.json`.
    #[error("`{0}` is not an OCI image layout: it has no `index.json`")]
    NotALayout(PathBuf),
    /// It could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The index is no index.
    #[error("cannot read the index of the image layout")]
    Index(#[source] ManifestError),
}

impl OciLayout {
    /// Opens the layout in the directory `root`.
    pub fn open(root: &Path) -> Result<Self, OciLayoutError> {
        let path = root.join("index.json");
        let read = |source| OciLayoutError::Read {
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(OciLayoutError::NotALayout(root.to_owned()));
            }
            Err(error) => return Err(read(error)),
        };
        let mut bytes = Vec::new();
        file.take(MANIFEST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(read)?;
        let (entries, index) = read_index(&bytes).map_err(OciLayoutError::Index)?;
        Ok(Self {
            root: root.to_owned(),
            entries,
            index,
        })
    }

    /// The images called `name`, or all there are if that is one image or one
    /// per platform.
    pub fn images(
        &self,
        name: Option<&str>,
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ChooseError> {
        choice::among(self, &self.index, &self.entries, name, wish)
    }
}

impl Blobs for OciLayout {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        match blob {
            // Digests are parsed: nothing but hex digits gets into this path.
            BlobKey::Digest(digest, _) => {
                let path = self.root.join("blobs/sha256").join(digest.hex());
                let file = File::open(path)?;
                // Not a pipe that blocks, nor a device that never ends.
                if !file.metadata()?.is_file() {
                    return Err(io::Error::other("not a regular file"));
                }
                Ok(Box::new(file))
            }
            BlobKey::Entry(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
