//! What was answered for survives: the program killed at any moment, and the power
//! lost at any moment.
//!
//! The test starts itself again as a [pusher](pusher) that pushes, deletes and
//! collects as fast as it can and says on a pipe what it has answered for. The test
//! ends it without warning, opens the store again and holds it against what it
//! heard. With `SEAWORTHY_LONG=1` it does so many times more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use seaworthy_bucket::Bucket;
use seaworthy_store::{
    Address, Blobs, Catalog, CollectOptions, Database, DatabaseOptions, ManifestName, Millis,
    RepositoryName, Whole, collect_once,
};
use seaworthy_testkit::{Disk, FileSystem, is_long};
use sha2::{Digest as _, Sha256, Sha512};

use crate::depot::{PREFIX, files};
use crate::pusher::{self, Order, REPOSITORY, Said, Word, clock_that_is_ahead};
use crate::store::tag;

/// How much later the store is cleaned: whatever nothing needs is old by then.
const LATER: i64 = 3 * 60 * 60 * 1000;

#[test]
fn whatever_moment_it_is_killed_at_nothing_answered_for_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    nothing_is_lost_by_killing(Witness::of(folder.path()));
}

#[test]
fn whatever_moment_it_is_killed_at_nothing_answered_for_is_lost_in_a_bucket() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut witness = Witness::of(folder.path());
    witness.bucket = Some(Bucket::start());
    nothing_is_lost_by_killing(witness);
}

fn nothing_is_lost_by_killing(mut witness: Witness) {
    let rounds = if is_long() { 100 } else { 6 };
    for round in 0..rounds {
        let mut pusher = witness.start(&witness.order(round));
        witness.listen(&mut pusher);
        pusher.kill();
        witness.hear_the_rest(pusher, u128::MAX);
        let lost = witness.check();
        assert!(lost.is_empty(), "after {round} kills: {lost:#?}");
    }
    let strays = witness.clean();
    assert!(strays.is_empty(), "nobody needs {strays:#?}");
    witness.must_have_heard(rounds);
}

#[test]
fn whatever_moment_ext4_loses_power_at_nothing_answered_for_is_lost() {
    nothing_is_lost_with_the_power(FileSystem::Ext4);
}

#[test]
fn whatever_moment_xfs_loses_power_at_nothing_answered_for_is_lost() {
    nothing_is_lost_with_the_power(FileSystem::Xfs);
}

/// Without this, the tests above could be blind.
#[test]
fn a_store_that_does_not_sync_is_caught() {
    let Some(disk) = Disk::mount(FileSystem::Ext4) else {
        return;
    };
    let folder = disk.folder().join("store");
    let mut witness = Witness::of(&folder);
    let caught = (0..10).any(|round| {
        let order = Order {
            is_careless: true,
            ..Order::careful(&folder, round)
        };
        lose_power(&disk, &mut witness, &order);
        !witness.check().is_empty()
    });
    assert!(caught, "it lost nothing that it had not synced");
}

fn nothing_is_lost_with_the_power(file_system: FileSystem) {
    let Some(disk) = Disk::mount(file_system) else {
        return;
    };
    let folder = disk.folder().join("store");
    let mut witness = Witness::of(&folder);
    let rounds = if is_long() { 30 } else { 3 };
    for round in 0..rounds {
        lose_power(&disk, &mut witness, &Order::careful(&folder, round));
        let lost = witness.check();
        assert!(lost.is_empty(), "after {round} losses of power: {lost:#?}");
    }
    let strays = witness.clean();
    assert!(strays.is_empty(), "nobody needs {strays:#?}");
    witness.must_have_heard(rounds);
}

fn lose_power(disk: &Disk, witness: &mut Witness, order: &Order) {
    let mut pusher = witness.start(order);
    witness.listen(&mut pusher);
    let before = disk.lose_power();
    pusher.kill();
    let before = before.duration_since(SystemTime::UNIX_EPOCH);
    witness.hear_the_rest(pusher, before.expect("it is after 1970").as_micros());
    disk.restore_power();
}

/// What the pusher answered for.
struct Witness {
    folder: PathBuf,
    /// Where the blobs are, if not in the folder.
    bucket: Option<Bucket>,
    /// By tag: the blobs and, once it was pushed, the manifest.
    pushed: BTreeMap<String, Image>,
    words: usize,
    chance: u64,
}

#[derive(Default)]
struct Image {
    blobs: Vec<(Address, u64)>,
    manifest: Option<Address>,
}

/// A pusher at work.
struct Pusher {
    child: Child,
    words: Receiver<Said>,
    reader: JoinHandle<()>,
}

impl Pusher {
    fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

impl Witness {
    fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            bucket: None,
            pushed: BTreeMap::new(),
            words: 0,
            chance: u64::from(std::process::id()) | 1,
        }
    }

    fn order(&self, seed: u64) -> Order {
        Order {
            endpoint: self.bucket.as_ref().map(Bucket::endpoint),
            ..Order::careful(&self.folder, seed)
        }
    }

    /// The names of all that is stored, as the blob store knows them.
    fn stored(&self) -> BTreeSet<String> {
        let Some(bucket) = &self.bucket else {
            return files(&self.folder.join("blobs")).into_keys().collect();
        };
        // Several objects are one run.
        let run = |key: String| {
            let (run, _) = key.strip_prefix(PREFIX)?.rsplit_once('/')?;
            Some(run.to_owned())
        };
        bucket.objects().into_keys().filter_map(run).collect()
    }

    fn start(&mut self, order: &Order) -> Pusher {
        // Nobody ends what the pusher before was doing, so its blobs may go.
        self.pushed.retain(|_, image| image.manifest.is_some());
        std::fs::create_dir_all(&self.folder).expect("there is room");
        let program = std::env::current_exe().expect("this is a program");
        let mut child = Command::new(program)
            .args(["--exact", pusher::TEST, "--nocapture", "--test-threads=1"])
            .env(pusher::ORDER, order.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let (tell, words) = channel();
        let reader = std::thread::spawn(move || {
            // What is cut off in the middle was not said.
            for word in lines.map_while(Result::ok).filter_map(|it| Said::read(&it)) {
                let _ = tell.send(word);
            }
        });
        Pusher {
            child,
            words,
            reader,
        }
    }

    /// Listens for a while that is different each time.
    fn listen(&mut self, pusher: &mut Pusher) {
        let patience = Duration::from_mins(1);
        for _ in 0..=self.draw(40) {
            let word = pusher.words.recv_timeout(patience);
            self.hear(word.expect("it pushes until it is killed").word);
        }
        let moment = Duration::from_micros(self.draw(20_000));
        while let Ok(word) = pusher.words.recv_timeout(moment) {
            self.hear(word.word);
            if self.draw(3) == 0 {
                break;
            }
        }
    }

    /// Hears what was said before it ended, and believes what was said before `before`.
    fn hear_the_rest(&mut self, pusher: Pusher, before: u128) {
        pusher.reader.join().expect("it only reads");
        for said in pusher.words.try_iter() {
            if said.at < before || matches!(said.word, Word::Deleting { .. }) {
                self.hear(said.word);
            }
        }
    }

    fn hear(&mut self, word: Word) {
        self.words += 1;
        match word {
            Word::Blob { tag, address, size } => {
                let image = self.pushed.entry(tag).or_default();
                image.blobs.push((address, size));
            }
            Word::Manifest { tag, address } => {
                self.pushed.entry(tag).or_default().manifest = Some(address);
            }
            // From here on it may be there and may be gone.
            Word::Deleting { tag } => drop(self.pushed.remove(&tag)),
        }
    }

    /// A number below `most`.
    fn draw(&mut self, most: u64) -> u64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        self.chance % most
    }

    /// What is not as it was answered for, and what is stored and broken.
    fn check(&self) -> Vec<String> {
        in_store(&self.order(0), async |store| {
            let mut lost = Vec::new();
            for (name, image) in &self.pushed {
                for (address, size) in &image.blobs {
                    let found = store.catalog.blob(&store.repository, address).await;
                    match found.expect("the database is whole") {
                        Some(blob) if blob.size == *size => {}
                        Some(blob) => lost.push(format!("{address} has {} bytes", blob.size)),
                        None => lost.push(format!("blob {address} of {name}")),
                    }
                }
                if let Some(address) = &image.manifest {
                    let by_tag = ManifestName::Tag(tag(name));
                    let found = store.catalog.manifest(&store.repository, &by_tag).await;
                    match found.expect("the database is whole") {
                        Some(found) if found.address == *address => {
                            if digest(&found.content, address) != *address {
                                lost.push(format!("manifest {name} is corrupt"));
                            }
                        }
                        Some(found) => lost.push(format!("{name} is {}", found.address)),
                        None => lost.push(format!("manifest {name}")),
                    }
                }
            }
            // All that is stored is whole, whoever heard of it.
            for blob in store.all_blobs().await {
                if let Err(why) = store.prove(&blob).await {
                    lost.push(format!("blob {}: {why}", blob.address));
                }
            }
            lost
        })
    }

    /// Collects when all of it is old, and tells which files nobody needs.
    fn clean(&self) -> Vec<String> {
        let strays = in_store(&self.order(0), async |store| {
            let options = CollectOptions {
                idle_upload: 0,
                linger: 0,
                stray: Some(0),
            };
            let collected = collect_once(&store.catalog, &store.blobs, &options).await;
            assert_eq!(collected.expect("the database is whole").failed, 0);
            let mut found = self.stored();
            for blob in store.all_blobs().await {
                let place: serde_json::Value =
                    serde_json::from_str(&blob.place.0).expect("a place is JSON");
                for run in place["runs"].as_array().expect("it has runs") {
                    let name = run["name"].as_str().expect("runs have names");
                    assert!(found.remove(name), "{name} was swept away");
                }
            }
            found.into_iter().collect()
        });
        let whole = self.images_that_are_whole();
        assert_eq!(whole, self.images(), "what is needed was not collected");
        strays
    }

    fn images(&self) -> usize {
        let images = self.pushed.values();
        images.filter(|image| image.manifest.is_some()).count()
    }

    fn images_that_are_whole(&self) -> usize {
        in_store(&self.order(0), async |store| {
            let mut whole = 0;
            for image in self.pushed.values().filter(|it| it.manifest.is_some()) {
                let mut blobs = 0;
                for (address, _) in &image.blobs {
                    let found = store.catalog.blob(&store.repository, address).await;
                    blobs += usize::from(found.expect("the database is whole").is_some());
                }
                whole += usize::from(blobs == image.blobs.len());
            }
            whole
        })
    }

    /// A witness that heard nothing proves nothing.
    fn must_have_heard(&self, rounds: u64) {
        assert!(self.words as u64 > rounds, "it heard {}", self.words);
        assert!(self.images() > 0, "no image was pushed");
    }
}

/// A store that was opened again.
struct Opened {
    catalog: Catalog,
    blobs: Blobs,
    database: Database,
    repository: RepositoryName,
}

fn in_store<T>(order: &Order, look: impl AsyncFnOnce(&Opened) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let path = order.folder.join("seaworthy.db");
        let clock = clock_that_is_ahead(LATER);
        let database = Database::open(&DatabaseOptions::Sqlite { path }, clock).await;
        let database = database.expect("the database opens");
        let blobs = Blobs::open(&order.blobs()).await;
        let store = Opened {
            catalog: Catalog::of(&database),
            blobs: blobs.expect("the blobs open"),
            database,
            repository: REPOSITORY.parse().expect("a repository"),
        };
        let seen = look(&store).await;
        store.database.close().await;
        seen
    })
}

impl Opened {
    async fn all_blobs(&self) -> Vec<seaworthy_store::NamedBlob> {
        let whole = Whole::of(&self.database);
        let mut all: Vec<seaworthy_store::NamedBlob> = Vec::new();
        loop {
            let last = all.last().map(|blob| blob.address.clone());
            let page = whole.blobs(last.as_ref(), 100).await;
            let page = page.expect("the database is whole");
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    async fn prove(&self, blob: &seaworthy_store::NamedBlob) -> Result<(), String> {
        let bytes = self.blobs.read(&blob.place, 0..blob.size).await;
        let bytes = bytes.map_err(|error| error.to_string())?;
        let chunks: Vec<bytes::Bytes> = bytes
            .try_collect()
            .await
            .map_err(|error| error.to_string())?;
        let found = digest(&chunks.concat(), &blob.address);
        if found == blob.address {
            Ok(())
        } else {
            Err("it is corrupt".to_owned())
        }
    }
}

/// The digest of bytes, by the algorithm of `like`.
fn digest(bytes: &[u8], like: &Address) -> Address {
    match like.algorithm() {
        seaworthy_store::Algorithm::Sha256 => Address::of_sha256(Sha256::digest(bytes).into()),
        seaworthy_store::Algorithm::Sha512 => Address::of_sha512(Sha512::digest(bytes).into()),
    }
}

/// The time is only told to be ahead: files have that of the machine.
#[test]
fn the_witness_sees_later_than_the_pusher() {
    let (now, later) = (clock_that_is_ahead(0), clock_that_is_ahead(LATER));
    assert!(later.now() > now.now());
    assert!(now.now() > Millis(0));
}
