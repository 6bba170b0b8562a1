//! Blobs in a bucket of an S3-compatible store.
//!
//! A run is cut into pieces, and each piece is an object, so an upload needs no
//! more memory than a few pieces, nothing is ever copied or written twice, and
//! whatever somebody who died left behind can be listed. (Parts of multipart
//! uploads cannot everywhere, and they cost the same.)

use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use sha2::{Digest, Sha256, Sha512};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};

use super::intake::Batch;
use super::run::{Run, Section, is_mark, sections};
use super::sweep::{Known, Swept};
use super::{Outgoing, S3Options};
use crate::address::{Address, Algorithm};
use crate::clock::Millis;

/// The size of an object, except for the last of each run.
const PIECE: usize = 8 << 20;
const PIECE_SIZE: NonZeroU64 = NonZeroU64::new(PIECE as u64).expect("not zero");

/// How much is asked for at once. A pull holds two of these.
const READ: NonZeroU64 = NonZeroU64::new(2 << 20).expect("not zero");

/// Pieces of one upload on their way at the same time.
const ABREAST: usize = 4;

/// Pieces on their way at the same time in the whole process, besides the one that
/// each upload may always have.
const SPARE: usize = 32;

/// Objects removed at the same time.
const REMOVALS: usize = 16;

/// A bucket of blobs.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    store: Arc<AmazonS3>,
    /// Empty, or ends with `/`.
    prefix: Arc<str>,
    spare: Arc<Semaphore>,
}

impl Objects {
    pub(super) fn open(options: &S3Options) -> io::Result<Self> {
        let is_plain = options.endpoint.starts_with("http://");
        if !is_plain && !options.endpoint.starts_with("https://") {
            let why = "the endpoint begins with neither `https://` nor `http://`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(3),
                base: 2.0,
            },
            max_retries: 5,
            retry_timeout: Duration::from_secs(30),
        };
        let client = ClientOptions::default()
            .with_allow_http(is_plain)
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout(Duration::from_mins(1));
        let store = AmazonS3Builder::new()
            .with_endpoint(options.endpoint.trim_end_matches('/'))
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(&options.access_key)
            .with_secret_access_key(&options.secret_key)
            // TLS proves what arrives; without it the signature has to.
            .with_unsigned_payload(!is_plain)
            .with_client_options(client)
            .with_retry(retry)
            .build()
            .map_err(trouble)?;
        let prefix = options.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        Ok(Self {
            store: Arc::new(store),
            prefix: prefix.into(),
            spare: Arc::new(Semaphore::new(SPARE)),
        })
    }

    /// Whether it can be used.
    pub(super) async fn ping(&self) -> io::Result<()> {
        let nothing = Path::from(format!("{}nothing", self.prefix));
        let mut answer = self.store.list(Some(&nothing));
        answer.try_next().await.map(drop).map_err(trouble)
    }

    /// A new run that continues an upload; `mark` tells it from all others.
    pub(super) fn write(&self, upload: &str, mark: &str) -> Writing {
        Writing {
            objects: self.clone(),
            name: format!("{upload}/{mark}"),
            piece: Vec::new(),
            piece_size: 0,
            size: 0,
            begun: 0,
            sending: JoinSet::new(),
        }
    }

    /// Removes runs. What is not there is removed already.
    pub(super) async fn remove(&self, runs: &[Run]) -> io::Result<()> {
        let keys: Vec<Path> = runs
            .iter()
            .flat_map(|run| (0..run.pieces()).map(|piece| self.key(&run.name, piece)))
            .collect();
        self.remove_keys(keys).await
    }

    async fn remove_keys(&self, keys: Vec<Path>) -> io::Result<()> {
        // One by one: removing many in one request is not everywhere understood.
        let removals = stream::iter(keys).map(|key| async move {
            match self.store.delete(&key).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(trouble(error)),
            }
        });
        let removals = removals.buffer_unordered(REMOVALS);
        removals
            .fold(Ok(()), |all, one| async { Result::and(all, one) })
            .await
    }

    /// Reads on, section after section.
    pub(super) async fn read(&self, runs: Vec<Run>, range: &Range<u64>) -> io::Result<Outgoing> {
        let objects = self.clone();
        let sections = sections(&runs, range, READ);
        let mut read = stream::iter(sections)
            .map(move |section| Fetch::begin(&objects, &runs, section).wait())
            .buffered(2);
        // Begun here, so that what is missing is an error and no answer that breaks
        // off.
        match read.next().await {
            None => Ok(stream::empty().boxed()),
            Some(first) => Ok(stream::iter([Ok(first?)]).chain(read).boxed()),
        }
    }

    /// The digest of runs, read again.
    pub(super) async fn digest(&self, runs: Vec<Run>, algorithm: Algorithm) -> io::Result<Address> {
        let mut bytes = self.read(runs, &(0..u64::MAX)).await?;
        let (mut short, mut long) = (Sha256::default(), Sha512::default());
        while let Some(bytes) = bytes.try_next().await? {
            let hashed = spawn_blocking(move || {
                match algorithm {
                    Algorithm::Sha256 => short.update(&bytes),
                    Algorithm::Sha512 => long.update(&bytes),
                }
                (short, long)
            });
            (short, long) = hashed.await.map_err(io::Error::other)?;
        }
        Ok(match algorithm {
            Algorithm::Sha256 => Address::of_sha256(short.finalize().into()),
            Algorithm::Sha512 => Address::of_sha512(long.finalize().into()),
        })
    }

    /// Removes objects older than `before` that nothing known needs.
    pub(super) async fn sweep(&self, before: Millis, known: &Known) -> io::Result<Swept> {
        let mut swept = Swept::default();
        let folder = Path::from(self.prefix.trim_end_matches('/'));
        let folder = Some(&folder).filter(|_| !self.prefix.is_empty());
        let mut listed = self.store.list(folder).try_chunks(1000);
        while let Some(found) = listed.next().await {
            let found = found.map_err(|error| trouble(error.1))?;
            let is_stray = |key: &str| {
                let name = key.strip_prefix(&*self.prefix)?;
                let (run, piece) = name.rsplit_once('/')?;
                let (upload, mark) = run.split_once('/')?;
                let ours = is_mark(mark) && piece.bytes().all(|it| it.is_ascii_digit());
                Some(ours && !known.holds(upload, run))
            };
            let strays: Vec<_> = found
                .into_iter()
                .filter(|found| Millis(found.last_modified.timestamp_millis()) < before)
                .filter(|found| is_stray(found.location.as_ref()) == Some(true))
                .collect();
            swept.count += strays.len() as u64;
            swept.bytes += strays.iter().map(|stray| stray.size).sum::<u64>();
            let keys = strays.into_iter().map(|stray| stray.location).collect();
            self.remove_keys(keys).await?;
        }
        Ok(swept)
    }

    fn key(&self, run: &str, piece: u64) -> Path {
        Path::from(format!("{}{run}/{piece}", self.prefix))
    }
}

/// A run being written. Dropped before it is finished, it leaves nothing.
pub(super) struct Writing {
    objects: Objects,
    name: String,
    piece: Vec<Bytes>,
    piece_size: usize,
    /// What was cut into pieces.
    size: u64,
    /// How many pieces were.
    begun: u64,
    sending: JoinSet<object_store::Result<()>>,
}

impl Writing {
    /// Sends a batch and hashes it along. With the last one, all of it has arrived.
    pub(super) async fn write(&mut self, batch: Batch, mut hash: Sha256) -> io::Result<Sha256> {
        let is_last = batch.is_last;
        let (hash, chunks) = spawn_blocking(move || {
            for chunk in &batch.chunks {
                hash.update(chunk);
            }
            (hash, batch.chunks)
        })
        .await
        .map_err(io::Error::other)?;
        for mut chunk in chunks {
            while !chunk.is_empty() {
                let part = chunk.split_to(chunk.len().min(PIECE - self.piece_size));
                self.piece_size += part.len();
                self.piece.push(part);
                if self.piece_size == PIECE {
                    self.send().await?;
                }
            }
        }
        if is_last {
            if self.piece_size > 0 {
                self.send().await?;
            }
            while let Some(sent) = self.sending.join_next().await {
                sent.map_err(io::Error::other)?.map_err(trouble)?;
            }
        }
        Ok(hash)
    }

    /// The run, to be written down; `None` where nothing came.
    pub(super) fn finish(mut self) -> Option<Run> {
        self.begun = 0;
        (self.size > 0).then(|| Run {
            name: std::mem::take(&mut self.name),
            size: self.size,
            piece: Some(PIECE_SIZE),
        })
    }

    async fn send(&mut self) -> io::Result<()> {
        let permit = self.room().await?;
        let payload: PutPayload = self.piece.drain(..).collect();
        let key = self.objects.key(&self.name, self.begun);
        self.size += std::mem::take(&mut self.piece_size) as u64;
        self.begun += 1;
        let store = Arc::clone(&self.objects.store);
        self.sending.spawn(async move {
            let _permit = permit;
            store.put(&key, payload).await.map(drop)
        });
        Ok(())
    }

    /// Waits until another piece may leave. One of each upload always may, however
    /// many others there are: slow ones must not stop fast ones.
    async fn room(&mut self) -> io::Result<Option<OwnedSemaphorePermit>> {
        loop {
            while let Some(sent) = self.sending.try_join_next() {
                sent.map_err(io::Error::other)?.map_err(trouble)?;
            }
            if self.sending.is_empty() {
                return Ok(None);
            }
            if self.sending.len() < ABREAST
                && let Ok(permit) = Arc::clone(&self.objects.spare).try_acquire_owned()
            {
                return Ok(Some(permit));
            }
            if let Some(sent) = self.sending.join_next().await {
                sent.map_err(io::Error::other)?.map_err(trouble)?;
            }
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let keys: Vec<Path> = (0..self.begun)
            .map(|piece| self.objects.key(&self.name, piece))
            .collect();
        if keys.is_empty() {
            return;
        }
        let (objects, mut sending) = (self.objects.clone(), std::mem::take(&mut self.sending));
        // Whatever remains all the same is swept later.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                sending.shutdown().await;
                if let Err(error) = objects.remove_keys(keys).await {
                    tracing::debug!("pieces of an upload remain until they are swept: {error}");
                }
            });
        }
    }
}

/// A section on its way. Dropped, it stops.
struct Fetch {
    task: JoinHandle<io::Result<Bytes>>,
}

impl Fetch {
    fn begin(objects: &Objects, runs: &[Run], section: Section) -> Self {
        let name = runs.get(section.run).map_or("", |run| &run.name);
        let key = objects.key(name, section.piece);
        let store = Arc::clone(&objects.store);
        let task = tokio::spawn(async move {
            let length = section.range.end - section.range.start;
            let bytes = store.get_range(&key, section.range).await;
            let bytes = bytes.map_err(trouble)?;
            // Whatever the store says, a wrong byte never leaves.
            if bytes.len() as u64 == length {
                Ok(bytes)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        });
        Self { task }
    }

    async fn wait(mut self) -> io::Result<Bytes> {
        (&mut self.task).await.map_err(io::Error::other).flatten()
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn trouble(error: object_store::Error) -> io::Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
