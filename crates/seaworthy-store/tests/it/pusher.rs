//! A program that pushes, deletes and collects until it is ended from outside.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use seaworthy_store::{
    Actor, Address, Blobs, BlobsOptions, Catalog, Clock, CollectOptions, Database, DatabaseOptions,
    DeleteError, Founding, Grace, Millis, NewManifest, Part, PartRole, RepositoryName,
    collect_once,
};

use crate::depot::{self, noise, sha256, sha512};
use crate::store::{image, tag};

/// The name of the test that is the pusher.
pub(crate) const TEST: &str = "pusher::pushes_until_it_is_killed_where_it_is_told_to";

/// What tells it to.
pub(crate) const ORDER: &str = "SEAWORTHY_TEST_PUSHER";

/// Where it pushes to.
pub(crate) const REPOSITORY: &str = "team/app";

/// How many push at the same time.
const ABREAST: u64 = 4;

/// What a pusher does.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) folder: PathBuf,
    /// No two pushers of one store have the same.
    pub(crate) seed: u64,
    pub(crate) is_careless: bool,
    /// The bucket its blobs go to, if not into the folder.
    pub(crate) endpoint: Option<String>,
}

impl Order {
    pub(crate) fn careful(folder: &Path, seed: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            seed,
            is_careless: false,
            endpoint: None,
        }
    }

    /// Where its blobs are.
    pub(crate) fn blobs(&self) -> BlobsOptions {
        match &self.endpoint {
            Some(endpoint) => depot::bucket(endpoint),
            None => BlobsOptions::Files {
                folder: self.folder.join("blobs"),
            },
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_deref().unwrap_or("none");
        let folder = self.folder.display();
        let (seed, is_careless) = (self.seed, self.is_careless);
        write!(formatter, "{seed} {is_careless} {endpoint} {folder}")
    }
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().ok_or("a word is missing");
        Ok(Self {
            seed: word()?.parse().map_err(|_| "no seed")?,
            is_careless: word()?.parse().map_err(|_| "neither true nor false")?,
            endpoint: Some(word()?.to_owned()).filter(|it| it != "none"),
            folder: PathBuf::from(word()?),
        })
    }
}

/// What a pusher says, and when: microseconds since the beginning of 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: u128,
    pub(crate) word: Word,
}

/// What a pusher says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A blob was answered for.
    Blob {
        tag: String,
        address: Address,
        size: u64,
    },
    /// A manifest was answered for.
    Manifest { tag: String, address: Address },
    /// An image is going to be deleted.
    Deleting { tag: String },
}

impl Said {
    /// Reads a whole line; `None` for what the test's own machinery says.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let (at, words) = match *words.as_slice() {
            ["at", at, ref words @ .., "."] => (at.parse().ok()?, words),
            _ => return None,
        };
        let word = match *words {
            ["blob", tag, address, size] => Word::Blob {
                tag: tag.to_owned(),
                address: address.parse().ok()?,
                size: size.parse().ok()?,
            },
            ["manifest", tag, address] => Word::Manifest {
                tag: tag.to_owned(),
                address: address.parse().ok()?,
            },
            ["deleting", tag] => Word::Deleting {
                tag: tag.to_owned(),
            },
            _ => return None,
        };
        Some(Self { at, word })
    }
}

impl Word {
    /// Says it, which is: it happened before now.
    fn say(&self) {
        let words = match self {
            Self::Blob { tag, address, size } => format!("blob {tag} {address} {size}"),
            Self::Manifest { tag, address } => format!("manifest {tag} {address}"),
            Self::Deleting { tag } => format!("deleting {tag}"),
        };
        let line = format!("at {} {words} .\n", since_1970().as_micros());
        let mut out = std::io::stdout().lock();
        // One write, so that no line of another is in between.
        let said = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        said.expect("somebody listens");
    }
}

fn since_1970() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "the age of files and the moment of a loss of power are told by the machine's clock"
    )]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH)
        .expect("it is after 1970")
}

/// The machine's clock, so many milliseconds ahead.
pub(crate) fn clock_that_is_ahead(milliseconds: i64) -> Clock {
    Clock::new(move || {
        let now = i64::try_from(since_1970().as_millis());
        Millis(now.expect("it is before the end")).plus(milliseconds)
    })
}

/// Without an order it has nothing to do.
#[test]
fn pushes_until_it_is_killed_where_it_is_told_to() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test harness takes no arguments of ours"
    )]
    let Some(order) = std::env::var_os(ORDER) else {
        return;
    };
    let order: Order = order
        .to_str()
        .expect("it is text")
        .parse()
        .expect("it is an order");
    // The harness has begun a line.
    std::io::stdout()
        .write_all(b"\n")
        .expect("somebody listens");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(push(order));
}

async fn push(order: Order) {
    let path = order.folder.join("seaworthy.db");
    let options = DatabaseOptions::Sqlite { path };
    let database = Database::open(&options, clock_that_is_ahead(0)).await;
    let blobs = if order.is_careless {
        Blobs::open_careless(&order.folder.join("blobs")).await
    } else {
        Blobs::open(&order.blobs()).await
    };
    let hand = Hand {
        catalog: Catalog::of(&database.expect("the database opens")),
        blobs: blobs.expect("the blobs open"),
        repository: REPOSITORY.parse().expect("a repository"),
        actor: Actor::new("user:ada"),
        count: Arc::default(),
    };
    let mut hands: Vec<_> = (0..ABREAST)
        .map(|number| {
            let chance = (order.seed * ABREAST + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            tokio::spawn(hand.clone().push_for_ever(order.seed, chance))
        })
        .collect();
    hands.push(tokio::spawn(hand.collect_for_ever()));
    // The first that fails ends all: its disk is gone.
    let (ended, _, _) = futures_util::future::select_all(hands).await;
    ended.expect("nobody panics");
}

#[derive(Clone)]
struct Hand {
    catalog: Catalog,
    blobs: Blobs,
    repository: RepositoryName,
    actor: Actor,
    count: Arc<AtomicU64>,
}

impl Hand {
    async fn push_for_ever(self, seed: u64, mut chance: u64) {
        let mut mine = Vec::new();
        let mut draw = move |most: u64| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance % most
        };
        loop {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let name = format!("image-{seed}-{number}");
            let Some(manifest) = self.push_image(&name, &mut draw).await else {
                return;
            };
            mine.push((name, manifest));
            if draw(3) == 0 {
                let which = usize::try_from(draw(mine.len() as u64)).expect("it is small");
                let (name, manifest) = mine.swap_remove(which);
                Word::Deleting { tag: name }.say();
                if self.delete(&manifest).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn delete(&self, manifest: &NewManifest) -> Result<(), DeleteError> {
        let (catalog, repository, actor) = (&self.catalog, &self.repository, &self.actor);
        catalog
            .delete_manifest(repository, &manifest.address, actor)
            .await?;
        for part in &manifest.parts {
            match catalog.delete_blob(repository, &part.address, actor).await {
                // Two images may have had the same one.
                Ok(()) | Err(DeleteError::Absent | DeleteError::Named(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Pushes an image; `None` when the disk fails.
    async fn push_image(
        &self,
        name: &str,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Option<NewManifest> {
        let mut parts = Vec::new();
        for number in 0..=draw(3) {
            let id = format!("{name}-{number}");
            let size = if draw(4) == 0 {
                draw(2 << 20)
            } else {
                draw(30_000)
            };
            let bytes = noise(draw(u64::MAX), usize::try_from(size).ok()?);
            let address = if draw(8) == 0 {
                sha512(&bytes)
            } else {
                sha256(&bytes)
            };
            self.push_blob(&id, &bytes, &address, draw).await?;
            Word::Blob {
                tag: name.to_owned(),
                address: address.clone(),
                size,
            }
            .say();
            parts.push(Part {
                role: if number == 0 {
                    PartRole::Config
                } else {
                    PartRole::Layer
                },
                address,
                media_type: "application/octet-stream".into(),
                size,
                platform: None,
            });
        }
        let manifest = image(name, parts);
        let tags = [tag(name)];
        let pushed = self.catalog.push_manifest(
            &self.repository,
            &manifest,
            &tags,
            Founding::Allowed,
            &self.actor,
        );
        pushed.await.ok()?;
        Word::Manifest {
            tag: name.to_owned(),
            address: manifest.address.clone(),
        }
        .say();
        Some(manifest)
    }

    async fn push_blob(
        &self,
        id: &str,
        bytes: &[u8],
        address: &Address,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Option<()> {
        let mut partial = self.blobs.begin(id).await.ok()?;
        let begun = self.catalog.begin_upload(
            &self.repository,
            Founding::Allowed,
            &self.actor,
            id,
            &partial,
        );
        begun.await.ok()?;
        let pieces = 1 + usize::try_from(draw(3)).ok()?;
        for chunk in bytes.chunks(bytes.len() / pieces + 1) {
            let before = partial.received;
            let chunk = Bytes::copy_from_slice(chunk);
            let incoming = stream::iter([Ok(chunk)]).boxed();
            let appended = self.blobs.append(partial, incoming, u64::MAX, None).await;
            appended.ended.ok()?;
            partial = appended.partial;
            let noted = self.catalog.note_upload(id, before, &partial).await;
            noted.ok()?.then_some(())?;
        }
        let place = self.blobs.finish(partial, address).await.ok()?;
        let size = bytes.len() as u64;
        // Long enough that no blob goes before its manifest comes.
        let grace = Grace(60 * 1000);
        let recorded = self
            .catalog
            .record_blob(&self.repository, id, address, size, &place, grace);
        recorded.await.ok()
    }

    async fn collect_for_ever(self) {
        let options = CollectOptions {
            linger: 0,
            stray: Some(1000),
            ..CollectOptions::default()
        };
        while collect_once(&self.catalog, &self.blobs, &options)
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    }
}
