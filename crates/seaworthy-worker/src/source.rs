//! The bytes of a repository, as a scan reads them.

use std::io::{self, Cursor, Read};

use seaworthy_core::Digest;
use seaworthy_image::{BlobKey, Blobs, Descriptor};
use seaworthy_store::{
    Address, Blobs as StoredBlobs, Catalog, ManifestName, RepositoryName, StoreError,
};
use tokio::runtime::Handle;

/// What a repository holds. Made for threads that may wait.
pub(crate) struct Source {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: StoredBlobs,
    pub(crate) repository: RepositoryName,
    pub(crate) handle: Handle,
}

impl Source {
    /// Whether the repository holds a blob. One that cannot be asked for is not held:
    /// whoever opens it hears why.
    pub(crate) fn holds(&self, digest: &Digest) -> bool {
        let address = Address::from(digest);
        let found = self
            .handle
            .block_on(self.catalog.blob(&self.repository, &address));
        matches!(found, Ok(Some(_)))
    }
}

impl Blobs for Source {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, _) = blob else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        let address = Address::from(digest);
        let found = self
            .handle
            .block_on(self.catalog.blob(&self.repository, &address))
            .map_err(trouble)?
            .ok_or_else(absent)?;
        let opened = self
            .blobs
            .open_blocking(&found.place, found.size, &self.handle);
        opened.map_err(trouble)
    }

    fn open_manifest(&self, manifest: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        let name = ManifestName::Address(Address::from(&manifest.digest));
        let found = self
            .handle
            .block_on(self.catalog.manifest(&self.repository, &name))
            .map_err(trouble)?
            .ok_or_else(absent)?;
        Ok(Box::new(Cursor::new(found.content)))
    }
}

fn absent() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it is not in the repository")
}

fn trouble(error: StoreError) -> io::Error {
    io::Error::other(error)
}
