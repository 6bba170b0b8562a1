//! The bytes of a repository, as a scan reads them.

use std::io::{self, Cursor, Read};

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use seaworthy_image::{BlobKey, Blobs, Descriptor};
use seaworthy_store::{
    Address, Blobs as StoredBlobs, Catalog, ManifestName, Outgoing, RepositoryName, StoreError,
};
use tokio::runtime::Handle;

/// What a repository holds. Made for threads that may wait.
pub(crate) struct Source {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: StoredBlobs,
    pub(crate) repository: RepositoryName,
    pub(crate) handle: Handle,
}

impl Blobs for Source {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, _) = blob else {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        };
        let address = Address::from(digest);
        let opened = self.handle.block_on(async {
            let found = self.catalog.blob(&self.repository, &address).await?;
            let Some(blob) = found else { return Ok(None) };
            self.blobs.read(&blob.place, 0..blob.size).await.map(Some)
        });
        match opened.map_err(trouble)? {
            Some(stream) => Ok(Box::new(Streamed {
                stream,
                rest: Bytes::new(),
                handle: self.handle.clone(),
            })),
            None => Err(absent()),
        }
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

/// A stream, read by a thread that may wait.
struct Streamed {
    stream: Outgoing,
    rest: Bytes,
    handle: Handle,
}

impl Read for Streamed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.handle.block_on(self.stream.next()) {
                Some(piece) => self.rest = piece?,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        self.rest
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}
