//! Bytes: a folder of files, or an S3-compatible store.
//!
//! A blob lies at a [`Place`] of its own: an upload is never renamed over another
//! one, so bytes that are being removed can't be those that somebody just pushed.
//! What a place means (its digest, who may read it) is the catalog's business.

use std::ops::Range;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::address::Address;
use crate::trouble::StoreError;

/// Where blobs are.
#[derive(Clone, Debug)]
pub enum BlobsOptions {
    /// In a folder of this machine.
    Files {
        /// The folder, made where there is none.
        folder: PathBuf,
    },
    /// In a bucket of an S3-compatible store.
    S3(S3Options),
}

/// How to reach a bucket.
#[derive(Clone)]
pub struct S3Options {
    /// `https://host[:port]`, or `http://` for one that has no TLS.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every key begins with, such as `seaworthy/`; may be empty.
    pub prefix: String,
    /// The region, `us-east-1` for most others than AWS.
    pub region: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

impl std::fmt::Debug for S3Options {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Blobs in files or in S3. Clones share it.
#[derive(Clone, Debug)]
pub struct Blobs;

/// Where the bytes of one blob lie, as the blob store writes it down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place(pub String);

/// An upload so far: what the blob store needs to go on, on any node. It is written
/// down with the upload after each chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// How many bytes it has.
    pub received: u64,
    /// As the blob store writes it down, including the running SHA-256.
    pub state: String,
}

/// Bytes as they arrive; an error ends them where the client broke off.
pub type Incoming<'a> = BoxStream<'a, std::io::Result<Bytes>>;

/// Bytes on their way out.
pub type Outgoing = BoxStream<'static, std::io::Result<Bytes>>;

/// Reads along while bytes arrive; never slows an upload and never fails it.
pub trait Tap: Send + Sync {
    /// These bytes came next.
    fn hear(&self, bytes: &Bytes);
}

/// Wants to hear what is uploaded: hands out a [`Tap`] per upload and learns how each
/// upload ended. All of it returns at once.
pub trait Listener: Send + Sync {
    /// An upload receives bytes from `offset` on. `None` where nobody listens (any
    /// more). Chunks of one upload come one after the other.
    fn begin(&self, upload: &str, offset: u64) -> Option<std::sync::Arc<dyn Tap>>;

    /// The upload became this blob: its digest is proved and it lasts.
    fn finished(&self, upload: &str, address: &Address);

    /// The upload came to nothing, or its digest was wrong.
    fn abandoned(&self, upload: &str);
}

/// Why bytes did not become a blob.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// They have another digest.
    #[error("the bytes have the digest `{found}`, not `{stated}`")]
    WrongDigest {
        /// As the client said.
        stated: Address,
        /// As counted.
        found: Address,
    },
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How an append ended: what there is now, and why it ended early if it did.
#[derive(Debug)]
pub struct Appended {
    /// The upload with what was kept.
    pub partial: Partial,
    /// Why there is not more.
    pub ended: Result<(), AppendError>,
}

/// Why an append ended early.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The client broke off; what had arrived is kept.
    #[error("the client broke off")]
    Client(#[source] std::io::Error),
    /// More bytes than allowed; nothing beyond is kept.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The most the upload may have.
        limit: u64,
    },
    /// The store is in trouble; what had arrived may be lost, and `partial` says so.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Blobs {
    /// Opens the blob store.
    pub async fn open(options: &BlobsOptions) -> Result<Self, StoreError> {
        let _ = options;
        todo!()
    }

    /// Begins an upload. `id` is unique and safe in file names.
    pub async fn begin(&self, id: &str) -> Result<Partial, StoreError> {
        let _ = id;
        todo!()
    }

    /// Appends `incoming` to an upload, up to `limit` bytes in all.
    pub async fn append(
        &self,
        partial: Partial,
        incoming: Incoming<'_>,
        limit: u64,
        tap: Option<&dyn Tap>,
    ) -> Appended {
        let _ = (partial, incoming, limit, tap);
        todo!()
    }

    /// Proves the digest and makes the bytes last. When this returns, they survive a
    /// loss of power. The upload can't go on afterwards, whatever the answer.
    pub async fn finish(&self, partial: Partial, address: &Address) -> Result<Place, FinishError> {
        let _ = (partial, address);
        todo!()
    }

    /// Forgets an upload.
    pub async fn abandon(&self, partial: Partial) -> Result<(), StoreError> {
        let _ = partial;
        todo!()
    }

    /// Reads some of a blob's bytes.
    pub async fn read(&self, place: &Place, range: Range<u64>) -> Result<Outgoing, StoreError> {
        let _ = (place, range);
        todo!()
    }

    /// Removes bytes. What is not there is removed already.
    pub async fn remove(&self, place: &Place) -> Result<(), StoreError> {
        let _ = place;
        todo!()
    }
}
