//! A platform without doors: a store, its blobs, and workers that a test starts and
//! ends.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Policy, Stance, Statement, Upper,
};
use seaworthy_inventory::LayerRecords;
use seaworthy_scan::{Inline, LayerReader, ReadLayerError};
use seaworthy_store::{
    Actor, Address, Blobs, BlobsOptions, Browse, Catalog, Clock, Database, DatabaseOptions,
    Founding, Grace, ImageRow, ImageState, Jobs, Listener as _, ManifestKind, Millis, NewManifest,
    Part, PartRole, RepositoryName, Scans, Tag,
};
use seaworthy_testkit::{Blob, Image, wait_until};
use seaworthy_worker::{CurrentEdition, Ear, EarOptions, Worker, WorkerOptions};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Makes a test of each function, once per database.
macro_rules! on_each_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::stage::in_sqlite(super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { $crate::stage::in_postgres(super::$name); })*
        }
    };
}
pub(crate) use on_each_database;

/// How long leases are, in milliseconds of the test's clock.
pub(crate) const LEASE: i64 = 60_000;

/// A store, its blobs and an edition. Clones share them.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) database: Database,
    pub(crate) blobs: Blobs,
    pub(crate) catalog: Catalog,
    pub(crate) scans: Scans,
    pub(crate) jobs: Jobs,
    pub(crate) browse: Browse,
    pub(crate) editions: Arc<CurrentEdition>,
    pub(crate) reader: Arc<Counting>,
    pub(crate) ear: Option<Arc<Ear>>,
    pub(crate) actor: Actor,
    pub(crate) repository: RepositoryName,
    uploads: Arc<AtomicUsize>,
    time: Arc<AtomicI64>,
    _folder: Arc<TempDir>,
}

/// Reads layers in this process and counts them; the first ones may be held up.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) read: AtomicUsize,
    pub(crate) held_up: AtomicUsize,
}

impl LayerReader for Counting {
    fn read_layer(&self, layer: &mut dyn Read) -> Result<LayerRecords, ReadLayerError> {
        self.read.fetch_add(1, Ordering::SeqCst);
        while self.held_up.load(Ordering::SeqCst) > 0 {
            std::thread::yield_now();
        }
        Inline::default().read_layer(layer)
    }
}

pub(crate) fn in_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Stage) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DatabaseOptions::Sqlite {
        path: folder.path().join("seaworthy.db"),
    };
    run(folder, &options, test);
}

#[track_caller]
pub(crate) fn in_postgres<F: Future<Output = ()>>(test: impl FnOnce(Stage) -> F) {
    let Some(postgres) = seaworthy_testkit::postgres() else {
        return;
    };
    let options = DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 12,
    };
    run(tempfile::tempdir().expect("a folder"), &options, test);
}

fn run<F: Future<Output = ()>>(
    folder: TempDir,
    options: &DatabaseOptions,
    test: impl FnOnce(Stage) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // Some day in 2026.
        let time = Arc::new(AtomicI64::new(1_780_000_000_000));
        let hand = Arc::clone(&time);
        let clock = Clock::new(move || Millis(hand.load(Ordering::SeqCst)));
        let database = Database::open(options, clock).await.expect("opens");
        let blobs = BlobsOptions::Files {
            folder: folder.path().join("blobs"),
        };
        let stage = Stage {
            blobs: Blobs::open(&blobs).await.expect("opens"),
            catalog: Catalog::of(&database),
            scans: Scans::of(&database),
            jobs: Jobs::of(&database),
            browse: Browse::of(&database),
            editions: Arc::new(CurrentEdition::of(edition("7.4.6"))),
            reader: Arc::default(),
            ear: None,
            actor: Actor::new("user:ada"),
            repository: "team/app".parse().expect("a repository"),
            database: database.clone(),
            uploads: Arc::default(),
            time,
            _folder: Arc::new(folder),
        };
        test(stage).await;
        database.close().await;
    });
    runtime.shutdown_background();
}

/// An edition that knows a flaw of the npm package `ws` before `fixed`.
pub(crate) fn edition(fixed: &str) -> Edition {
    let mut advisory = Advisory::new("osv/npm", "GHSA-0000-0000-0001");
    advisory.aliases = vec!["CVE-2026-0001".into()];
    advisory.statements = vec![Statement {
        about: PackageKey {
            ecosystem: Ecosystem::family_only("npm"),
            name: "ws".into(),
        },
        stance: Stance::Affected {
            intervals: vec![AffectedInterval {
                from: None,
                upper: Upper::Fixed(fixed.into()),
            }],
            versions: Vec::new(),
            fix: Fix::AsRanges,
        },
    }];
    let mut compiler = Compiler::new();
    compiler.add(&advisory).expect("is added");
    let bytes = compiler.compile(&Context::default()).expect("compiles");
    Edition::from_bytes(bytes).expect("opens")
}

/// The package file of `ws` in this version.
pub(crate) fn ws(version: &str) -> String {
    format!(r#"{{"name":"ws","version":"{version}"}}"#)
}

/// A worker that runs. Dropping it is a crash.
pub(crate) struct Running {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Running {
    /// Lets it end politely.
    pub(crate) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        (&mut self.task).await.expect("the worker ends");
    }

    /// Lets it end at once, as a crash would.
    pub(crate) async fn crash(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Stage {
    /// Lets time pass.
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// The same with somebody who listens to uploads.
    pub(crate) fn listening(mut self) -> Self {
        let reader = self.reader.clone();
        let ear = Ear::new(&self.database, reader, EarOptions::default());
        self.ear = Some(Arc::new(ear));
        self
    }

    pub(crate) fn options(&self) -> WorkerOptions {
        WorkerOptions {
            name: "worker".to_owned(),
            slots: 2,
            layer_threads: 2,
            lease: Duration::from_millis(LEASE.unsigned_abs()),
            poll: Duration::from_millis(20),
            drain: Duration::from_millis(50),
            policy: Policy::default(),
            editions: self.editions.clone(),
            reader: self.reader.clone(),
            ear: self.ear.clone(),
            chores: Vec::new(),
        }
    }

    pub(crate) fn worker(&self) -> Running {
        self.worker_with(self.options())
    }

    pub(crate) fn worker_with(&self, options: WorkerOptions) -> Running {
        let worker = Worker::new(&self.database, &self.blobs, options);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(worker.run(async move {
            let _ = stopped.await;
        }));
        Running {
            task,
            stop: Some(stop),
        }
    }

    /// Uploads some bytes as a client does.
    pub(crate) async fn upload(&self, bytes: &[u8]) -> Address {
        let number = self.uploads.fetch_add(1, Ordering::SeqCst);
        let id = format!("upload-{number}");
        let (catalog, name) = (&self.catalog, &self.repository);
        let mut partial = self.blobs.begin(&id).await.expect("begins");
        catalog
            .begin_upload(name, Founding::Allowed, &self.actor, &id, &partial)
            .await
            .expect("begins");
        // Two requests with several pieces each.
        for half in bytes.chunks(bytes.len().div_ceil(2).max(1)) {
            let tap = self
                .ear
                .as_ref()
                .and_then(|ear| ear.begin(&id, partial.received));
            let pieces: Vec<_> = half
                .chunks(100)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let incoming = stream::iter(pieces).boxed();
            let appended = self
                .blobs
                .append(partial, incoming, u64::MAX, tap.as_deref())
                .await;
            appended.ended.expect("is appended");
            partial = appended.partial;
        }
        let address = address_of(bytes);
        let place = self.blobs.finish(partial, &address).await;
        let place = place.expect("is kept");
        if let Some(ear) = &self.ear {
            ear.finished(&id, &address);
        }
        let size = bytes.len() as u64;
        catalog
            .record_blob(
                name,
                &id,
                &address,
                size,
                &place,
                Grace(i64::from(u16::MAX)),
            )
            .await
            .expect("is recorded");
        address
    }

    /// Pushes an image with all its blobs. Answers its address.
    pub(crate) async fn push(&self, image: &Image, tag: &str) -> Address {
        for blob in image.blobs().skip(1) {
            self.upload(&blob.bytes).await;
        }
        let layers = image.layers.iter().map(|it| (PartRole::Layer, &it.blob));
        let parts = std::iter::once((PartRole::Config, &image.config)).chain(layers);
        let parts = parts.map(|(role, blob)| part(role, blob, None)).collect();
        self.push_manifest(&image.manifest, ManifestKind::Image, parts, tag)
            .await
    }

    /// Pushes an index of images that were pushed.
    pub(crate) async fn push_index(&self, images: &[&Image], tag: &str) -> Address {
        let media_type = "application/vnd.oci.image.index.v1+json";
        let text = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "manifests": images.iter().map(|it| it.descriptor()).collect::<Vec<_>>(),
        });
        let index = Blob::new(text.to_string(), media_type);
        let parts = images
            .iter()
            .map(|it| part(PartRole::Manifest, &it.manifest, Some(&it.platform)))
            .collect();
        self.push_manifest(&index, ManifestKind::Index, parts, tag)
            .await
    }

    pub(crate) async fn push_manifest(
        &self,
        manifest: &Blob,
        kind: ManifestKind,
        parts: Vec<Part>,
        tag: &str,
    ) -> Address {
        let address = address_of(&manifest.bytes);
        let tag: Tag = tag.parse().expect("a tag");
        let manifest = NewManifest {
            address: address.clone(),
            media_type: manifest.media_type.as_str().into(),
            artifact_type: None,
            kind,
            content: Bytes::copy_from_slice(&manifest.bytes),
            subject: None,
            annotations: BTreeMap::new(),
            parts,
        };
        self.catalog
            .push_manifest(
                &self.repository,
                &manifest,
                &[tag],
                Founding::Allowed,
                &self.actor,
            )
            .await
            .expect("is pushed");
        address
    }

    pub(crate) async fn image(&self, address: &Address) -> ImageRow {
        let found = self.browse.image(&self.repository, address).await;
        found.expect("asks").expect("the image is there")
    }

    /// Waits until the image is in a state that nobody works on, and answers it.
    pub(crate) async fn settled(&self, address: &Address) -> ImageRow {
        self.until("the image's scan ends", || async {
            let image = self.image(address).await;
            let is_settled = match image.state {
                ImageState::Queued | ImageState::Scanning | ImageState::NotScanned => false,
                ImageState::Done | ImageState::Unsupported | ImageState::Failed => true,
            };
            is_settled.then_some(image)
        })
        .await
    }

    /// Waits until `state` answers something.
    #[expect(clippy::unused_async, reason = "whoever waits for it writes so")]
    pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
        &self,
        what: &str,
        state: impl Fn() -> F,
    ) -> T {
        let mut found = None;
        tokio::task::block_in_place(|| {
            let handle = tokio::runtime::Handle::current();
            wait_until(what, || {
                found = handle.block_on(state());
                found.is_some()
            });
        });
        found.expect("waited for it")
    }

    /// The newest report of an image, as JSON.
    pub(crate) async fn document(&self, image: &ImageRow) -> serde_json::Value {
        let packed = self.scans.document(image.id, None).await.expect("asks");
        let bytes = packed.expect("there is one").unpack().expect("unpacks");
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

pub(crate) fn address_of(bytes: &[u8]) -> Address {
    use sha2::{Digest as _, Sha256};
    Address::of_sha256(Sha256::digest(bytes).into())
}

pub(crate) fn part(role: PartRole, blob: &Blob, platform: Option<&str>) -> Part {
    Part {
        role,
        address: address_of(&blob.bytes),
        media_type: blob.media_type.as_str().into(),
        size: blob.bytes.len() as u64,
        platform: platform.map(Into::into),
    }
}
