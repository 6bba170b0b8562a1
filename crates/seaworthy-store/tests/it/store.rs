//! A store for one test, in each database, with a clock that the test turns.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use seaworthy_store::{
    Actor, Address, Catalog, Clock, Database, DatabaseOptions, Dialect, Founding, Grace,
    ManifestKind, Millis, NewManifest, Part, PartRole, Partial, Place, RepositoryName, Tag,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Makes a test of each function, once per database.
macro_rules! on_each_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::store::in_sqlite(super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { $crate::store::in_postgres(super::$name); })*
        }
    };
}
pub(crate) use on_each_database;

/// An hour, in milliseconds.
pub(crate) const HOUR: i64 = 60 * 60 * 1000;

/// What `Grace` tests push with.
pub(crate) const GRACE: Grace = Grace(HOUR);

/// An empty store and its clock. Clones share both.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) database: Database,
    pub(crate) catalog: Catalog,
    pub(crate) actor: Actor,
    time: Arc<AtomicI64>,
    uploads: Arc<AtomicI64>,
    _folder: Arc<TempDir>,
}

/// Runs a test on SQLite.
pub(crate) fn in_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DatabaseOptions::Sqlite {
        path: folder.path().join("seaworthy.db"),
    };
    run(folder, options, test);
}

/// Runs a test on PostgreSQL, where it is installed.
#[track_caller]
pub(crate) fn in_postgres<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    let Some(postgres) = seaworthy_testkit::postgres() else {
        return;
    };
    let options = DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 12,
    };
    run(tempfile::tempdir().expect("a folder"), options, test);
}

fn run<F: Future<Output = ()>>(
    folder: TempDir,
    options: DatabaseOptions,
    test: impl FnOnce(Store) -> F,
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
        let database = Database::open(&options, clock).await.expect("opens");
        let store = Store {
            catalog: Catalog::of(&database),
            actor: Actor::new("user:ada"),
            database: database.clone(),
            time,
            uploads: Arc::default(),
            _folder: Arc::new(folder),
        };
        test(store).await;
        database.close().await;
    });
}

/// The address of some bytes.
pub(crate) fn address_of(bytes: &[u8]) -> Address {
    Address::of_sha256(Sha256::digest(bytes).into())
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    name.parse().expect("a repository")
}

pub(crate) fn tag(name: &str) -> Tag {
    name.parse().expect("a tag")
}

/// A blob of a manifest.
pub(crate) fn layer(content: &str) -> Part {
    part(PartRole::Layer, content)
}

/// The config of a manifest.
pub(crate) fn config(content: &str) -> Part {
    part(PartRole::Config, content)
}

fn part(role: PartRole, content: &str) -> Part {
    Part {
        role,
        address: address_of(content.as_bytes()),
        media_type: "application/octet-stream".into(),
        size: content.len() as u64,
        platform: None,
    }
}

/// An image manifest with these parts. The name makes it different from others.
pub(crate) fn image(name: &str, parts: Vec<Part>) -> NewManifest {
    let content = format!("image {name} {parts:?}");
    NewManifest {
        address: address_of(content.as_bytes()),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        artifact_type: Some("application/vnd.oci.image.config.v1+json".into()),
        kind: ManifestKind::Image,
        content: Bytes::from(content),
        subject: None,
        annotations: BTreeMap::new(),
        parts,
    }
}

/// An index of these manifests, for platforms `linux/0`, `linux/1`...
pub(crate) fn index(name: &str, children: &[&NewManifest]) -> NewManifest {
    let parts = children.iter().enumerate().map(|(number, child)| Part {
        role: PartRole::Manifest,
        address: child.address.clone(),
        media_type: child.media_type.clone(),
        size: child.content.len() as u64,
        platform: Some(format!("linux/{number}").into()),
    });
    NewManifest {
        kind: ManifestKind::Index,
        media_type: "application/vnd.oci.image.index.v1+json".into(),
        artifact_type: None,
        ..image(name, parts.collect())
    }
}

/// An artifact that refers to `subject`.
pub(crate) fn artifact(name: &str, subject: &Address, parts: Vec<Part>) -> NewManifest {
    NewManifest {
        kind: ManifestKind::Artifact,
        artifact_type: Some("application/vnd.example.sbom".into()),
        subject: Some(subject.clone()),
        annotations: BTreeMap::from([("name".to_owned(), name.to_owned())]),
        ..image(name, parts)
    }
}

impl Store {
    pub(crate) fn is_postgres(&self) -> bool {
        self.database.dialect() == Dialect::Postgres
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Uploads a blob.
    pub(crate) async fn blob(&self, repository: &RepositoryName, content: &str) -> Address {
        let number = self.uploads.fetch_add(1, Ordering::SeqCst);
        let id = format!("upload-{number}");
        let partial = Partial {
            received: content.len() as u64,
            state: "{}".to_owned(),
        };
        self.catalog
            .begin_upload(repository, Founding::Allowed, &self.actor, &id, &partial)
            .await
            .expect("begins");
        let address = address_of(content.as_bytes());
        self.catalog
            .record_blob(
                repository,
                &id,
                &address,
                partial.received,
                &Place(format!("place-{number}")),
                GRACE,
            )
            .await
            .expect("is recorded");
        address
    }

    /// Uploads blobs and pushes an image of them: the first is its config.
    pub(crate) async fn push_image(
        &self,
        name: &RepositoryName,
        tags: &[&str],
        blobs: &[&str],
    ) -> NewManifest {
        let mut parts = Vec::new();
        for content in blobs {
            self.blob(name, content).await;
            parts.push(if parts.is_empty() {
                config(content)
            } else {
                layer(content)
            });
        }
        let manifest = image("", parts);
        self.push(name, &manifest, tags).await;
        manifest
    }

    /// Pushes a manifest. Answers the scan job.
    pub(crate) async fn push(
        &self,
        name: &RepositoryName,
        manifest: &NewManifest,
        tags: &[&str],
    ) -> Option<i64> {
        let tags: Vec<Tag> = tags.iter().map(|it| tag(it)).collect();
        self.catalog
            .push_manifest(name, manifest, &tags, Founding::Allowed, &self.actor)
            .await
            .expect("is pushed")
            .job
    }
}
