//! A registry for one test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use seaworthy_access::{Authority, KeyRequest, Narrowed, Principal, Role};
use seaworthy_registry::{Limits, Origin, RegistryOptions, router};
use seaworthy_store::{
    AccountKind, Address, Blobs, BlobsOptions, Catalog, Clock, Database, DatabaseOptions, Grace,
    Millis, Namespace, NamespaceSettings, NewAccount,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::{Answer, Ask};

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A registry on a port of its own, and the key of its admin.
pub(crate) struct Registry {
    pub(crate) options: RegistryOptions,
    pub(crate) database: Database,
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    pub(crate) time: Arc<AtomicI64>,
    server: JoinHandle<()>,
    _folder: TempDir,
}

/// Where a registry keeps what it has.
pub(crate) struct Kept {
    pub(crate) database: Option<DatabaseOptions>,
    pub(crate) blobs: Option<BlobsOptions>,
}

pub(crate) const EMBEDDED: Kept = Kept {
    database: None,
    blobs: None,
};

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::start_with(EMBEDDED, |_| {}).await
    }

    pub(crate) async fn start_with(kept: Kept, change: impl FnOnce(&mut RegistryOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Some day in 2026.
        let time = Arc::new(AtomicI64::new(1_780_000_000_000));
        let now = Arc::clone(&time);
        let clock = Clock::new(move || Millis(now.load(Ordering::Relaxed)));
        let embedded = || DatabaseOptions::Sqlite {
            path: folder.path().join("seaworthy.db"),
        };
        let database = kept.database.unwrap_or_else(embedded);
        let database = Database::open(&database, clock).await.expect("a database");
        let files = || BlobsOptions::Files {
            folder: folder.path().join("blobs"),
        };
        let blobs = kept.blobs.unwrap_or_else(files);
        let mut options = RegistryOptions {
            catalog: Catalog::of(&database),
            blobs: Blobs::open(&blobs).await.expect("a blob store"),
            authority: Authority::open(&database).await.expect("an authority"),
            listener: None,
            grace: Grace(3_600_000),
            limits: Limits::default(),
            origin: Origin::HttpOfRequest,
        };
        change(&mut options);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = router(options.clone());
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("a server");
        });
        let mut registry = Self {
            options,
            database,
            address,
            admin: String::new(),
            time,
            server,
            _folder: folder,
        };
        registry.admin = registry.account("root", &[("", Role::Admin)]).await;
        registry
    }

    /// An account with roles in namespaces (an empty one is everywhere), and a key of it.
    pub(crate) async fn account(&self, name: &str, roles: &[(&str, Role)]) -> String {
        self.robot(name, roles, None, None).await
    }

    /// The same, with an end, or with what its key is narrowed to.
    pub(crate) async fn robot(
        &self,
        name: &str,
        roles: &[(&str, Role)],
        expires_at: Option<Millis>,
        narrowed: Option<Vec<Narrowed>>,
    ) -> String {
        let authority = &self.options.authority;
        let accounts = authority.accounts();
        let root = root();
        let new = NewAccount {
            kind: AccountKind::User,
            name: name.parse().expect("a name"),
            display_name: None,
            email: None,
            password: None,
            must_change: false,
            namespace: None,
            expires_at: None,
        };
        let account = accounts
            .create(&new, &root.actor)
            .await
            .expect("an account");
        for (namespace, role) in roles {
            let namespace = (!namespace.is_empty()).then(|| namespace_of(namespace));
            if let Some(namespace) = &namespace {
                self.found(namespace).await;
            }
            accounts
                .grant(account.id, namespace.as_ref(), role.name(), &root.actor)
                .await
                .expect("a role");
        }
        let request = KeyRequest {
            name: "test".into(),
            narrowed,
            expires_at,
        };
        let (_, secret) = authority
            .make_key(&root, account.id, request)
            .await
            .expect("a key");
        secret.reveal().to_owned()
    }

    pub(crate) async fn namespace(&self, name: &str, settings: NamespaceSettings) {
        let catalog = &self.options.catalog;
        catalog
            .create_namespace(&namespace_of(name), &settings, &root().actor)
            .await
            .expect("a namespace");
    }

    /// Makes a namespace where there is none.
    async fn found(&self, name: &Namespace) {
        let catalog = &self.options.catalog;
        let found = catalog.namespace(name).await.expect("a database");
        if found.is_none() {
            let settings = NamespaceSettings::default();
            self.namespace(name.as_str(), settings).await;
        }
    }

    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(self.address, method, target)
    }

    /// Asks as the admin.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target).by(&self.admin).send().await
    }

    pub(crate) async fn head(&self, target: &str) -> Answer {
        self.ask("HEAD", target).by(&self.admin).send().await
    }

    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.ask("DELETE", target).by(&self.admin).send().await
    }

    pub(crate) async fn post(&self, target: &str) -> Answer {
        self.ask("POST", target).by(&self.admin).send().await
    }

    /// Begins an upload; answers where it goes on.
    pub(crate) async fn begin(&self, repository: &str) -> String {
        let target = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.post(&target).await.expect(202);
        answer.header("location").to_owned()
    }

    pub(crate) async fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = sha256(content);
        let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let ask = self.ask("POST", &target).by(&self.admin);
        ask.body(content.to_vec()).send().await.expect(201);
        digest
    }

    pub(crate) async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        content: &str,
    ) -> Answer {
        let target = format!("/v2/{repository}/manifests/{reference}");
        let ask = self.ask("PUT", &target).by(&self.admin);
        let ask = ask.header("content-type", media_type);
        ask.body(content.to_owned()).send().await
    }

    /// Pushes a small image; answers its manifest.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str) -> String {
        let config = format!(r#"{{"architecture":"amd64","os":"linux","tag":"{tag}"}}"#);
        let layer = format!("layer of {tag}");
        self.push_blob(repository, config.as_bytes()).await;
        self.push_blob(repository, layer.as_bytes()).await;
        let manifest = image_of(config.as_bytes(), layer.as_bytes()).to_string();
        self.push_manifest(repository, tag, IMAGE, &manifest)
            .await
            .expect(201);
        manifest
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Who sets up what tests begin with.
pub(crate) fn root() -> Principal {
    Principal {
        actor: seaworthy_store::Actor::system("test"),
        roles: vec![(None, Role::Admin)],
        ..Principal::anonymous()
    }
}

pub(crate) fn namespace_of(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}

pub(crate) fn sha256(content: &[u8]) -> String {
    Address::of_sha256(Sha256::digest(content).into()).to_string()
}

pub(crate) fn sha512(content: &[u8]) -> String {
    Address::of_sha512(Sha512::digest(content).into()).to_string()
}

pub(crate) fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(content), "size": content.len() })
}

pub(crate) fn image_of(config: &[u8], layer: &[u8]) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": descriptor(CONFIG, config),
        "layers": [descriptor(LAYER, layer)],
    })
}
