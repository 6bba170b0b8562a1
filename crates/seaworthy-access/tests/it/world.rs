//! A store with some people in it, and a clock that the test turns.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use seaworthy_access::{
    Authority, Credential, IdentifyError, KeyRequest, Narrowed, Principal, Right, Role, Where,
};
use seaworthy_store::{
    Account, AccountKind, AccountName, Accounts, Actor, Catalog, Clock, Database, DatabaseOptions,
    Millis, Namespace, NamespaceSettings, NewAccount, RepositoryName,
};
use tempfile::TempDir;

/// An hour, in milliseconds.
pub(crate) const HOUR: i64 = 60 * 60 * 1000;

/// A password that was chosen.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A store, the authority of one node, and an admin who already chose a password.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) accounts: Accounts,
    pub(crate) catalog: Catalog,
    pub(crate) database: Database,
    pub(crate) admin: Principal,
    options: DatabaseOptions,
    time: Arc<AtomicI64>,
    _folder: TempDir,
}

/// Runs a test on SQLite.
pub(crate) fn in_sqlite<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("seaworthy.db");
    run(folder, DatabaseOptions::Sqlite { path }, test);
}

/// Runs a test on PostgreSQL, where it is installed.
#[track_caller]
pub(crate) fn in_postgres<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let Some(postgres) = seaworthy_testkit::postgres() else {
        return;
    };
    let options = DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 8,
    };
    run(tempfile::tempdir().expect("a folder"), options, test);
}

fn run<F: Future<Output = ()>>(
    folder: TempDir,
    options: DatabaseOptions,
    test: impl FnOnce(World) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // Some day in 2026.
        let time = Arc::new(AtomicI64::new(1_780_000_000_000));
        let database = open(&options, &time).await;
        let authority = Authority::open(&database).await.expect("opens");
        let first = authority.first_admin().await.expect("no trouble");
        let first = first.expect("there was no account");
        let signed_in = authority
            .sign_in("admin", first.password.reveal())
            .await
            .expect("signs in");
        authority
            .change_password(&signed_in.principal, first.password.reveal(), PASSWORD)
            .await
            .expect("is changed");
        let session = Credential::Session(signed_in.session.reveal().to_owned());
        let admin = authority.identify(&session).await.expect("goes on");
        let world = World {
            accounts: Accounts::of(&database),
            catalog: Catalog::of(&database),
            authority,
            admin,
            options,
            time,
            database: database.clone(),
            _folder: folder,
        };
        for name in ["team", "other"] {
            world.namespace(name, false).await;
        }
        test(world).await;
        database.close().await;
    });
}

async fn open(options: &DatabaseOptions, time: &Arc<AtomicI64>) -> Database {
    let hand = Arc::clone(time);
    let clock = Clock::new(move || Millis(hand.load(Ordering::SeqCst)));
    Database::open(options, clock).await.expect("opens")
}

pub(crate) fn namespace(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    name.parse().expect("a repository")
}

pub(crate) fn name(text: &str) -> AccountName {
    text.parse().expect("an account name")
}

pub(crate) fn basic(name: &str, secret: &str) -> Credential {
    Credential::Basic {
        name: name.to_owned(),
        secret: secret.to_owned(),
    }
}

pub(crate) fn bearer(text: &str) -> Credential {
    Credential::Bearer(text.to_owned())
}

/// What a key of everything is asked for with.
pub(crate) fn whole_key() -> KeyRequest {
    KeyRequest {
        name: "test".into(),
        narrowed: None,
        expires_at: None,
    }
}

/// What a key of one namespace is asked for with.
pub(crate) fn key_in(place: &str, rights: &[Right]) -> KeyRequest {
    KeyRequest {
        narrowed: Some(vec![Narrowed {
            repository: None,
            namespace: Some(namespace(place)),
            rights: rights.to_vec(),
        }]),
        ..whole_key()
    }
}

impl World {
    /// Lets time pass.
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Another node on the same database, with the same clock.
    pub(crate) async fn other_node(&self) -> Authority {
        let database = open(&self.options, &self.time).await;
        Authority::open(&database).await.expect("opens")
    }

    /// Makes a namespace, or changes whether it is public.
    pub(crate) async fn namespace(&self, name: &str, is_public: bool) {
        let (name, actor) = (namespace(name), Actor::new("user:admin"));
        let settings = NamespaceSettings {
            is_public,
            ..NamespaceSettings::default()
        };
        let made = self
            .catalog
            .create_namespace(&name, &settings, &actor)
            .await;
        if made.is_err() {
            self.catalog
                .update_namespace(&name, None, &settings, &actor)
                .await
                .expect("is changed");
        }
    }

    /// Makes a user with [`PASSWORD`] and roles.
    pub(crate) async fn user(&self, text: &str, roles: &[(Option<&str>, Role)]) -> Account {
        // Whoever proves that it is right computes it again, with the same cost.
        let (account, once) = self
            .authority
            .make_user(
                seaworthy_access::NewUser {
                    name: name(text),
                    display_name: None,
                    email: None,
                },
                &self.admin.actor,
            )
            .await
            .expect("is made");
        let signed_in = self.authority.sign_in(text, once.reveal()).await;
        let principal = signed_in.expect("signs in").principal;
        self.authority
            .change_password(&principal, once.reveal(), PASSWORD)
            .await
            .expect("is changed");
        self.grant(account.id, roles).await;
        self.account(account.id).await
    }

    /// Makes a robot with roles, and a secret for it.
    pub(crate) async fn robot(
        &self,
        text: &str,
        place: Option<&str>,
        roles: &[(Option<&str>, Role)],
    ) -> (Account, String) {
        let new = NewAccount {
            kind: AccountKind::Robot,
            name: name(text),
            display_name: None,
            email: None,
            password: None,
            must_change: false,
            namespace: place.map(namespace),
            expires_at: None,
        };
        let robot = self
            .accounts
            .create(&new, &self.admin.actor)
            .await
            .expect("is made");
        self.grant(robot.id, roles).await;
        let secret = self.key(robot.id, whole_key()).await;
        (self.account(robot.id).await, secret)
    }

    async fn grant(&self, account: i64, roles: &[(Option<&str>, Role)]) {
        for (place, role) in roles {
            let place = place.map(namespace);
            let place = place.as_ref().map_or(Where::Everywhere, Where::In);
            self.authority
                .grant(&self.admin, account, place, *role)
                .await
                .expect("is given");
        }
    }

    /// Makes a key and answers its text.
    pub(crate) async fn key(&self, account: i64, request: KeyRequest) -> String {
        let (_, secret) = self
            .authority
            .make_key(&self.admin, account, request)
            .await
            .expect("is made");
        secret.reveal().to_owned()
    }

    pub(crate) async fn account(&self, id: i64) -> Account {
        let account = self.accounts.account(id).await.expect("is read");
        account.expect("is there")
    }

    pub(crate) async fn identify(&self, credential: &Credential) -> Option<Principal> {
        identify(&self.authority, credential).await
    }

    /// Whether a principal has a right in a repository.
    pub(crate) async fn may(&self, principal: &Principal, right: Right, name: &str) -> bool {
        self.authority
            .permit_repository(principal, right, &repository(name))
            .await
            .expect("is decided")
            .is_ok()
    }
}

/// Who somebody is; nothing if the credential is not valid.
pub(crate) async fn identify(authority: &Authority, credential: &Credential) -> Option<Principal> {
    match authority.identify(credential).await {
        Ok(principal) => Some(principal),
        Err(IdentifyError::Invalid) => None,
        Err(error) => panic!("{error}"),
    }
}
