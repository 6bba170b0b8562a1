//! A store for one test, in each database, with a clock that the test turns.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use seaworthy_store::{
    Actor, Address, Blobs, BlobsOptions, Catalog, Clock, CollectOptions, Collected, Database,
    DatabaseOptions, Dialect, Founding, Grace, ManifestKind, Millis, NewManifest, Part, PartRole,
    RecordBlobError, RepositoryName, Tag, collect_once,
};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
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
    pub(crate) blobs: Blobs,
    options: DatabaseOptions,
    time: Arc<AtomicI64>,
    uploads: Arc<AtomicI64>,
    folder: Arc<TempDir>,
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
        let blobs = BlobsOptions::Files {
            folder: folder.path().join("blobs"),
        };
        let store = Store {
            blobs: Blobs::open(&blobs).await.expect("opens"),
            options,
            catalog: Catalog::of(&database),
            actor: Actor::new("user:ada"),
            database: database.clone(),
            time,
            uploads: Arc::default(),
            folder: Arc::new(folder),
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
        ..image(&format!("{name} of {subject}"), parts)
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

    /// Uploads a blob, with its bytes.
    pub(crate) async fn blob(&self, repository: &RepositoryName, content: &str) -> Address {
        self.try_blob(repository, content)
            .await
            .expect("is recorded")
    }

    /// The same, where it may be refused.
    pub(crate) async fn try_blob(
        &self,
        repository: &RepositoryName,
        content: &str,
    ) -> Result<Address, RecordBlobError> {
        let number = self.uploads.fetch_add(1, Ordering::SeqCst);
        let id = format!("upload-{number}");
        let begun = self.blobs.begin(&id).await.expect("begins");
        self.catalog
            .begin_upload(repository, Founding::Allowed, &self.actor, &id, &begun)
            .await
            .expect("begins");
        let bytes = Bytes::from(content.to_owned());
        let incoming = futures_util::stream::iter([Ok(bytes)]).boxed();
        let appended = self.blobs.append(begun, incoming, u64::MAX, None).await;
        appended.ended.expect("is appended");
        let address = address_of(content.as_bytes());
        let place = self.blobs.finish(appended.partial, &address).await;
        self.catalog
            .record_blob(
                repository,
                &id,
                &address,
                content.len() as u64,
                &place.expect("is kept"),
                GRACE,
            )
            .await?;
        Ok(address)
    }

    /// The bytes of a blob, as a client gets them.
    pub(crate) async fn read(
        &self,
        repository: &RepositoryName,
        address: &Address,
    ) -> Option<Vec<u8>> {
        let found = self
            .catalog
            .blob(repository, address)
            .await
            .expect("asks")?;
        let bytes = self.blobs.read(&found.place, 0..found.size).await;
        let chunks: Vec<Bytes> = bytes.ok()?.try_collect().await.ok()?;
        Some(chunks.concat())
    }

    /// How many files of blobs there are, and how many bytes they have.
    pub(crate) fn files(&self) -> (usize, u64) {
        let mut folders = vec![self.folder.path().join("blobs")];
        let (mut count, mut bytes) = (0, 0);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                let kind = entry.metadata().expect("metadata");
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.len() > 0 {
                    count += 1;
                    bytes += kind.len();
                }
            }
        }
        (count, bytes)
    }

    /// Carries out statements beside the store.
    pub(crate) async fn carry_out(&self, statements: &str) {
        let sql = sqlx::AssertSqlSafe(statements.to_owned());
        match &self.options {
            DatabaseOptions::Sqlite { path } => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.expect("connects");
                sqlx::raw_sql(sql)
                    .execute(&mut connection)
                    .await
                    .expect("is done");
                connection.close().await.expect("closes");
            }
            DatabaseOptions::Postgres { url, .. } => {
                let mut connection = PgConnection::connect(url).await.expect("connects");
                sqlx::raw_sql(sql)
                    .execute(&mut connection)
                    .await
                    .expect("is done");
                connection.close().await.expect("closes");
            }
        }
    }

    /// The first column of a query, as text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(query.to_owned());
        match &self.options {
            DatabaseOptions::Sqlite { path } => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.expect("connects");
                let texts = sqlx::query_scalar(sql).fetch_all(&mut connection).await;
                connection.close().await.expect("closes");
                texts.expect("answers")
            }
            DatabaseOptions::Postgres { url, .. } => {
                let mut connection = PgConnection::connect(url).await.expect("connects");
                let texts = sqlx::query_scalar(sql).fetch_all(&mut connection).await;
                connection.close().await.expect("closes");
                texts.expect("answers")
            }
        }
    }

    /// How many rows each table has.
    pub(crate) async fn rows(&self) -> BTreeMap<String, u64> {
        let tables = if self.is_postgres() {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        };
        let mut rows = BTreeMap::new();
        for table in self.texts(tables).await {
            let count = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}");
            let count = self.texts(&count).await;
            let count = count.first().expect("a count").parse().expect("a number");
            rows.insert(table, count);
        }
        rows
    }

    /// Collects until there is nothing left to collect.
    pub(crate) async fn collect(&self) -> Collected {
        let options = CollectOptions {
            linger: 0,
            ..CollectOptions::default()
        };
        collect_once(&self.catalog, &self.blobs, &options)
            .await
            .expect("collects")
    }

    /// What the audit log tells, oldest first: action and object.
    pub(crate) async fn audit(&self) -> Vec<String> {
        self.texts("SELECT action || ' ' || object FROM audit ORDER BY serial")
            .await
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
