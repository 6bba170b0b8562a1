//! Bytes: a folder of files, or an S3-compatible store.
//!
//! A blob lies at a [`Place`] of its own: an upload is never renamed over another
//! one, so bytes that are being removed can't be those that somebody just pushed.
//! What a place means (its digest, who may read it) is the catalog's business.

mod buffer;
mod files;
mod intake;
mod objects;
mod run;
mod sweep;

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::try_join;
use futures_util::stream::BoxStream;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::address::{Address, Algorithm};
use crate::clock::Millis;
use crate::trouble::StoreError;
use files::{Durability, Files};
use intake::{Batch, Intake};
use objects::Objects;
use run::{Draft, Kept, Run, is_plain, new_mark, total};

pub use sweep::{Known, Swept};

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
pub struct Blobs {
    depot: Depot,
}

#[derive(Clone, Debug)]
enum Depot {
    Files(Files),
    Objects(Objects),
}

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

/// The most runs an upload has before they are written together: what is written
/// down of it must not grow with every chunk.
const RUNS: usize = 1000;

impl Blobs {
    /// Opens the blob store.
    pub async fn open(options: &BlobsOptions) -> Result<Self, StoreError> {
        let depot = match options {
            BlobsOptions::Files { folder } => {
                Depot::Files(open_files(folder, Durability::Synced).await?)
            }
            BlobsOptions::S3(options) => {
                let opened = Objects::open(options);
                Depot::Objects(opened.map_err(|source| trouble("use the bucket", source))?)
            }
        };
        Ok(Self { depot })
    }

    /// Opens a folder and syncs nothing: for the tests that prove that they would
    /// notice.
    #[doc(hidden)]
    pub async fn open_careless(folder: &Path) -> Result<Self, StoreError> {
        let depot = Depot::Files(open_files(folder, Durability::Careless).await?);
        Ok(Self { depot })
    }

    /// Whether it can be used at the moment.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let answer = match &self.depot {
            Depot::Files(files) => files.ping().await,
            Depot::Objects(objects) => objects.ping().await,
        };
        answer.map_err(|source| trouble("reach the blobs", source))
    }

    /// Begins an upload. `id` is unique and safe in file names.
    #[expect(
        clippy::unused_async,
        reason = "a store that has to be told of an upload could not be told otherwise"
    )]
    pub async fn begin(&self, id: &str) -> Result<Partial, StoreError> {
        if is_plain(id) {
            Ok(Draft::new(id).write())
        } else {
            let why = format!("`{id}` is no name of an upload");
            Err(StoreError::Unreadable(why))
        }
    }

    /// Appends `incoming` to an upload, up to `limit` bytes in all. What is told to
    /// be kept survives a loss of power.
    ///
    /// Where bytes of before are lost, nothing is read and `partial` says what is
    /// left.
    ///
    /// A caller that may go away before this ends lets it run in a task of its own;
    /// dropped halfway, nothing of this append is kept.
    pub async fn append(
        &self,
        partial: Partial,
        incoming: Incoming<'_>,
        limit: u64,
        tap: Option<&dyn Tap>,
    ) -> Appended {
        let mut draft = match Draft::read(&partial) {
            Ok(draft) => draft,
            Err(error) => return Appended::nothing(partial, error),
        };
        match self.repair(&mut draft).await {
            Ok(()) if draft.received() == partial.received => {}
            Ok(()) => {
                let lost = io::Error::new(io::ErrorKind::NotFound, "bytes of it are lost");
                let error = trouble("go on with an upload", lost);
                return Appended::nothing(draft.write(), error);
            }
            Err(source) => {
                return Appended::nothing(partial, trouble("go on with an upload", source));
            }
        }
        let mut intake = Intake::new(incoming, tap, draft.received(), limit);
        let hash = draft.hash.clone();
        let written = self
            .write_run(&draft, hash, Source::Client(&mut intake))
            .await;
        match written {
            Ok((run, hash)) => {
                draft.runs.extend(run);
                draft.hash = hash;
                Appended {
                    partial: draft.write(),
                    ended: intake.ended(),
                }
            }
            Err(source) => Appended::nothing(partial, trouble("write an upload", source)),
        }
    }

    /// Proves the digest and makes the bytes last. When this returns, they survive a
    /// loss of power. The upload can't go on afterwards, whatever the answer.
    ///
    /// Asking again with the same digest, where the answer was lost, is answered
    /// again. Where the answer is an error, the bytes stay: another node may be
    /// finishing the same upload, and only who takes it out of the catalog may
    /// [abandon](Self::abandon) it.
    pub async fn finish(&self, partial: Partial, address: &Address) -> Result<Place, FinishError> {
        let draft = Draft::read(&partial)?;
        let found = match address.algorithm() {
            Algorithm::Sha256 => Address::of_sha256(draft.hash.finalize().into()),
            Algorithm::Sha512 => self
                .digest(draft.runs.clone(), Algorithm::Sha512)
                .await
                .map_err(|source| trouble("read an upload", source))?,
        };
        if found != *address {
            return Err(FinishError::WrongDigest {
                stated: address.clone(),
                found,
            });
        }
        let runs = match &self.depot {
            Depot::Files(files) => files
                .keep(draft.runs, &draft.upload, address)
                .await
                .map_err(|source| trouble("keep a blob", source))?,
            Depot::Objects(_) => draft.runs,
        };
        let upload = draft.upload;
        Ok(Kept { upload, runs }.write())
    }

    /// Removes what an append added to `before`, where it could not be written down:
    /// whoever goes on with the upload does not know of it.
    pub async fn retract(&self, before: &Partial, after: &Partial) -> Result<(), StoreError> {
        let (before, after) = (Draft::read(before)?, Draft::read(after)?);
        let mut added = after.runs;
        added.retain(|run| !before.runs.contains(run));
        self.remove_runs(&added).await
    }

    /// Removes the bytes of an upload. Only who took it out of the catalog may: until
    /// then somebody else may make a blob of them.
    pub async fn abandon(&self, partial: Partial) -> Result<(), StoreError> {
        self.remove_runs(&Draft::read(&partial)?.runs).await
    }

    /// Reads some of a blob's bytes: `range` ends where the blob does, or before.
    pub async fn read(&self, place: &Place, range: Range<u64>) -> Result<Outgoing, StoreError> {
        let runs = runs_of(place, range.end)?;
        self.read_runs(runs, &range)
            .await
            .map_err(|source| trouble("read a blob", source))
    }

    /// Reads a whole blob of `size` bytes where waiting is allowed: inside
    /// `spawn_blocking`, with the runtime to wait on.
    pub fn open_blocking(
        &self,
        place: &Place,
        size: u64,
        runtime: &Handle,
    ) -> Result<Box<dyn Read + Send>, StoreError> {
        let runs = runs_of(place, size)?;
        match &self.depot {
            Depot::Files(files) => {
                let mut reader = files.reader(runs, &(0..size));
                Ok(Box::new(Blocking::new(move || reader.next())))
            }
            Depot::Objects(objects) => {
                let opened = runtime.block_on(objects.read(runs, &(0..size)));
                let mut bytes = opened.map_err(|source| trouble("read a blob", source))?;
                let runtime = runtime.clone();
                Ok(Box::new(Blocking::new(move || {
                    runtime.block_on(bytes.next()).transpose()
                })))
            }
        }
    }

    /// Removes bytes. What is not there is removed already.
    pub async fn remove(&self, place: &Place) -> Result<(), StoreError> {
        self.remove_runs(&Kept::read(place)?.runs).await
    }

    /// Removes bytes last written before `before` that nothing `known` needs.
    ///
    /// What is known has to be read first, and `before` has to be earlier than that:
    /// names never come back, so what was not needed then never will be. Uploads are
    /// read before blobs and blobs before graves, because that is the way bytes go.
    pub async fn sweep(&self, before: Millis, known: Known) -> Result<Swept, StoreError> {
        let swept = match &self.depot {
            Depot::Files(files) => files.sweep(before, Arc::new(known)).await,
            Depot::Objects(objects) => objects.sweep(before, &known).await,
        };
        swept.map_err(|source| trouble("sweep the blobs", source))
    }

    /// Brings an upload into a state that can be continued: cut down to what is
    /// really there, and in few runs.
    async fn repair(&self, draft: &mut Draft) -> io::Result<()> {
        if draft.runs.is_empty() {
            return Ok(());
        }
        if let Depot::Files(files) = &self.depot {
            let intact = files.intact(draft.runs.clone()).await?;
            if intact.len() < draft.runs.len() {
                draft.runs = intact;
                draft.hash = Sha256::default();
                let mut bytes = self
                    .read_runs(draft.runs.clone(), &(0..draft.received()))
                    .await?;
                while let Some(bytes) = bytes.next().await {
                    draft.hash.update(&bytes?);
                }
                return Ok(());
            }
        }
        if draft.runs.len() >= RUNS {
            // Runs as large as all that follow stay: each byte is copied a few times,
            // however many chunks there are.
            let mut after = 0;
            let mut first = draft.runs.len();
            for (index, run) in draft.runs.iter().enumerate().rev() {
                if run.size <= after {
                    first = index;
                }
                after += run.size;
            }
            let small = draft.runs.get(first..).unwrap_or_default().to_vec();
            let size = total(&small);
            let bytes = self.read_runs(small, &(0..size)).await?;
            let source = Source::Runs(bytes);
            let (run, _) = self.write_run(draft, Sha256::default(), source).await?;
            draft.runs.truncate(first);
            draft.runs.extend(run);
        }
        Ok(())
    }

    /// Writes batches into a new run until the last one; while one is being written
    /// the next is asked for.
    async fn write_run(
        &self,
        draft: &Draft,
        mut hash: Sha256,
        mut source: Source<'_, '_>,
    ) -> io::Result<(Option<Run>, Sha256)> {
        let mark = new_mark(draft.received());
        let mut writing = match &self.depot {
            Depot::Files(files) => Writing::File(files.write(&draft.upload, &mark)),
            Depot::Objects(objects) => Writing::Objects(objects.write(&draft.upload, &mark)),
        };
        let mut batch = source.next().await?;
        if batch.size == 0 && batch.is_last {
            return Ok((None, hash));
        }
        while !batch.is_last {
            (hash, batch) = try_join(writing.write(batch, hash), source.next()).await?;
        }
        hash = writing.write(batch, hash).await?;
        Ok((writing.finish(), hash))
    }

    async fn read_runs(&self, runs: Vec<Run>, range: &Range<u64>) -> io::Result<Outgoing> {
        match &self.depot {
            Depot::Files(files) => files.read(runs, range).await,
            Depot::Objects(objects) => objects.read(runs, range).await,
        }
    }

    async fn digest(&self, runs: Vec<Run>, algorithm: Algorithm) -> io::Result<Address> {
        match &self.depot {
            Depot::Files(files) => files.digest(runs, algorithm).await,
            Depot::Objects(objects) => objects.digest(runs, algorithm).await,
        }
    }

    async fn remove_runs(&self, runs: &[Run]) -> Result<(), StoreError> {
        let removed = match &self.depot {
            Depot::Files(files) => files.remove(runs).await,
            Depot::Objects(objects) => objects.remove(runs).await,
        };
        removed.map_err(|source| trouble("remove bytes", source))
    }
}

impl Appended {
    fn nothing(partial: Partial, error: StoreError) -> Self {
        let ended = Err(error.into());
        Self { partial, ended }
    }
}

/// Where the batches of a run come from.
enum Source<'a, 'b> {
    Client(&'a mut Intake<'b>),
    Runs(Outgoing),
}

impl Source<'_, '_> {
    async fn next(&mut self) -> io::Result<Batch> {
        match self {
            Self::Client(intake) => Ok(intake.batch().await),
            Self::Runs(bytes) => {
                let chunk = bytes.next().await.transpose()?;
                Ok(Batch {
                    is_last: chunk.is_none(),
                    size: chunk.as_ref().map_or(0, Bytes::len),
                    chunks: chunk.into_iter().collect(),
                })
            }
        }
    }
}

/// A run being written.
enum Writing {
    File(files::Writing),
    Objects(objects::Writing),
}

impl Writing {
    async fn write(&mut self, batch: Batch, hash: Sha256) -> io::Result<Sha256> {
        match self {
            Self::File(writing) => writing.write(batch, hash).await,
            Self::Objects(writing) => writing.write(batch, hash).await,
        }
    }

    fn finish(self) -> Option<Run> {
        match self {
            Self::File(writing) => writing.finish(),
            Self::Objects(writing) => writing.finish(),
        }
    }
}

/// Bytes that come in pieces, as a reader.
struct Blocking<F> {
    next: F,
    rest: Bytes,
}

impl<F: FnMut() -> io::Result<Option<Bytes>>> Blocking<F> {
    fn new(next: F) -> Self {
        let rest = Bytes::new();
        Self { next, rest }
    }
}

impl<F: FnMut() -> io::Result<Option<Bytes>>> Read for Blocking<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match (self.next)()? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let part = self.rest.split_to(into.len().min(self.rest.len()));
        into.get_mut(..part.len())
            .expect("it is no longer than that")
            .copy_from_slice(&part);
        Ok(part.len())
    }
}

async fn open_files(folder: &Path, durability: Durability) -> Result<Files, StoreError> {
    let opened = Files::open(folder, durability).await;
    let what = || format!("use the folder `{}`", folder.display());
    opened.map_err(|source| StoreError::Blobs {
        what: what(),
        source,
    })
}

/// The runs of a blob that has at least `end` bytes.
fn runs_of(place: &Place, end: u64) -> Result<Vec<Run>, StoreError> {
    let runs = Kept::read(place)?.runs;
    let size = total(&runs);
    if end <= size {
        Ok(runs)
    } else {
        let why = format!("a blob of {size} bytes has no {end}");
        Err(StoreError::Unreadable(why))
    }
}

fn trouble(what: &str, source: io::Error) -> StoreError {
    let what = what.to_owned();
    StoreError::Blobs { what, source }
}
