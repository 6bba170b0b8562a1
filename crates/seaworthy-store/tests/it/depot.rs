//! A blob store for one test, of each kind.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3Builder;
use seaworthy_bucket::Bucket;
use seaworthy_store::{
    Address, Appended, Blobs, BlobsOptions, Incoming, Partial, Place, S3Options,
};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;

/// Makes a test of each function, once per kind of blob store.
macro_rules! on_each_depot {
    ($($name:ident),* $(,)?) => {
        mod files {
            $(#[test] fn $name() { $crate::depot::in_files(super::$name); })*
        }
        mod s3 {
            $(#[test] fn $name() { $crate::depot::in_s3(super::$name); })*
        }
    };
}
pub(crate) use on_each_depot;

/// What the keys of blobs begin with.
pub(crate) const PREFIX: &str = "some/where/";

/// An empty blob store.
pub(crate) struct Depot {
    pub(crate) blobs: Blobs,
    pub(crate) options: BlobsOptions,
    /// Where it is S3.
    pub(crate) bucket: Option<Bucket>,
    folder: TempDir,
    uploads: AtomicU32,
}

pub(crate) fn in_files<F: Future<Output = ()>>(test: impl FnOnce(Depot) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = BlobsOptions::Files {
        folder: folder.path().join("blobs"),
    };
    run(folder, options, None, test);
}

pub(crate) fn in_s3<F: Future<Output = ()>>(test: impl FnOnce(Depot) -> F) {
    let bucket = Bucket::start();
    let options = self::bucket(&bucket.endpoint());
    let folder = tempfile::tempdir().expect("a folder");
    run(folder, options, Some(bucket), test);
}

/// A folder of the bucket that is reached there.
pub(crate) fn bucket(endpoint: &str) -> BlobsOptions {
    BlobsOptions::S3(S3Options {
        endpoint: endpoint.to_owned(),
        bucket: Bucket::NAME.to_owned(),
        prefix: PREFIX.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: Bucket::ACCESS_KEY.to_owned(),
        secret_key: Bucket::SECRET_KEY.to_owned(),
    })
}

fn run<F: Future<Output = ()>>(
    folder: TempDir,
    options: BlobsOptions,
    bucket: Option<Bucket>,
    test: impl FnOnce(Depot) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        test(Depot {
            blobs: Blobs::open(&options).await.expect("the blobs open"),
            options,
            bucket,
            folder,
            uploads: AtomicU32::new(0),
        })
        .await;
    });
}

impl Depot {
    /// Begins an upload.
    pub(crate) async fn begin(&self) -> Partial {
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        let begun = self.blobs.begin(&format!("upload-{number}")).await;
        begun.expect("uploads can begin")
    }

    /// Appends `bytes`, which has to work.
    pub(crate) async fn append(&self, partial: Partial, bytes: &[u8]) -> Partial {
        let appended = self.append_from(partial, incoming(bytes)).await;
        appended.ended.expect("the chunk is taken");
        appended.partial
    }

    /// Appends what comes.
    pub(crate) async fn append_from(&self, partial: Partial, incoming: Incoming<'_>) -> Appended {
        self.blobs.append(partial, incoming, u64::MAX, None).await
    }

    /// Pushes a blob.
    pub(crate) async fn push(&self, bytes: &[u8]) -> Place {
        let partial = self.append(self.begin().await, bytes).await;
        let finished = self.blobs.finish(partial, &sha256(bytes)).await;
        finished.expect("the digest is right")
    }

    /// What is stored: names and sizes.
    pub(crate) fn stored(&self) -> BTreeMap<String, u64> {
        match &self.bucket {
            Some(bucket) => bucket.objects(),
            None => files(self.folder.path()),
        }
    }

    /// How many bytes are stored.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.stored().values().sum()
    }

    /// The folder, where it is one.
    pub(crate) fn folder(&self) -> &Path {
        match &self.options {
            BlobsOptions::Files { folder } => folder,
            BlobsOptions::S3(_) => self.folder.path(),
        }
    }

    /// Puts something beside the blobs that somebody else put there.
    pub(crate) async fn put_foreign(&self, name: &str) {
        match &self.options {
            BlobsOptions::Files { folder } => {
                let path = folder.join(name);
                let above = path.parent().expect("it is below the folder");
                std::fs::create_dir_all(above).expect("there is room");
                std::fs::write(path, b"foreign").expect("there is room");
            }
            BlobsOptions::S3(options) => {
                let store = AmazonS3Builder::new()
                    .with_endpoint(&options.endpoint)
                    .with_bucket_name(&options.bucket)
                    .with_access_key_id(&options.access_key)
                    .with_secret_access_key(&options.secret_key)
                    .with_allow_http(true)
                    .build()
                    .expect("a bucket");
                let key = format!("{}{name}", options.prefix).into();
                let put = store.put(&key, "foreign".into());
                put.await.expect("there is room");
            }
        }
    }

    /// Takes away what a loss of power took.
    pub(crate) fn lose(&self, which: impl Fn(&str) -> bool) {
        for name in self.stored().into_keys().filter(|name| which(name)) {
            std::fs::remove_file(self.folder.path().join(name)).expect("it is a file");
        }
    }

    /// The same store as another process sees it.
    pub(crate) async fn reopened(&self) -> Blobs {
        Blobs::open(&self.options).await.expect("the blobs open")
    }
}

/// All files below a folder, and their sizes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("it is a folder").flatten() {
            let metadata = entry.metadata().expect("nobody else is here");
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                let name = path.strip_prefix(folder).expect("it is below");
                found.insert(name.display().to_string(), metadata.len());
            }
        }
    }
    found
}

/// Reads a range of a blob.
pub(crate) async fn read(
    blobs: &Blobs,
    place: &Place,
    range: std::ops::Range<u64>,
) -> io::Result<Vec<u8>> {
    let bytes = blobs.read(place, range).await.map_err(io::Error::other)?;
    let read = |mut all: Vec<u8>, bytes: Bytes| async move {
        all.extend_from_slice(&bytes);
        Ok(all)
    };
    bytes.try_fold(Vec::new(), read).await
}

/// Bytes as a client sends them: in pieces of odd sizes.
pub(crate) fn incoming(bytes: &[u8]) -> Incoming<'static> {
    let mut rest = Bytes::copy_from_slice(bytes);
    let mut sizes = [1, 70_001, 3, 16_384, 300_000].into_iter().cycle();
    let pieces = std::iter::from_fn(move || {
        let size = sizes.next()?.min(rest.len());
        (size > 0).then(|| Ok(rest.split_to(size)))
    });
    stream::iter(pieces).boxed()
}

/// The same, and then the client breaks off.
pub(crate) fn broken_off(bytes: &[u8]) -> Incoming<'static> {
    let end = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    incoming(bytes).chain(stream::iter([end])).boxed()
}

/// Bytes that do not repeat.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

pub(crate) fn sha256(bytes: &[u8]) -> Address {
    Address::of_sha256(Sha256::digest(bytes).into())
}

pub(crate) fn sha512(bytes: &[u8]) -> Address {
    Address::of_sha512(Sha512::digest(bytes).into())
}
