//! One process of the platform, from configuration to the last request.

use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::num::NonZero;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use seaworthy_access::{Authority, FirstAdmin};
use seaworthy_registry::{Limits, Origin, RegistryOptions};
use seaworthy_remote::{Issuers, Options};
use seaworthy_server::{Cookies, Rate, ServerOptions};
use seaworthy_store::{
    Accounts, Blobs, BlobsOptions, Catalog, Clock, Database, DatabaseOptions, Grace, Millis,
};
use seaworthy_worker::{Ear, EarOptions, Housekeeping, Worker, WorkerOptions};
use tokio::sync::watch;

use crate::config::{Config, Role};
use crate::confine::ConfinedReader;
use crate::failure::Hinted;
use crate::settings;

use super::door::Door;
use super::editions::Editions;
use super::health::{self, Health};
use super::issuers::Asked;
use super::listener::Listener;
use super::meter::Meter;
use super::numbers::Numbers;
use super::signal;
use super::tls::{self, Certificate, TlsError};

/// How often pulls are written down.
const PULLS_INTERVAL: Duration = Duration::from_mins(1);

/// How often it is looked whether the key of tokens is old.
const KEYS_INTERVAL: Duration = Duration::from_hours(12);

/// How often to look whether the certificate changed.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(5);

/// How long a blob is kept that no manifest names yet.
const GRACE: Grace = Grace(24 * 60 * 60 * 1_000);

/// How often to look for jobs that nobody rang for.
const POLL: Duration = Duration::from_secs(2);

/// Layers of one image read at once at the most: each costs a process.
const MOST_LAYER_THREADS: usize = 4;

/// How much one principal may ask of the API.
const PRINCIPAL_RATE: Rate = Rate {
    per_minute: 6_000,
    burst: 600,
};

/// How much one address may ask of it.
const ADDRESS_RATE: Rate = Rate {
    per_minute: 12_000,
    burst: 1_200,
};

/// A running process: the port is open.
pub(crate) struct Node {
    listener: Listener,
    door: Door,
    address: SocketAddr,
    certificate: Option<Arc<Certificate>>,
    database: Database,
    authority: Authority,
    worker: Option<Worker>,
    editions: Arc<Editions>,
    edition_interval: Duration,
    drain: Duration,
    draining: watch::Sender<bool>,
    welcome: String,
    first: Option<FirstAdmin>,
}

impl Node {
    /// Opens store and port.
    pub(crate) async fn start(config: &Config) -> anyhow::Result<Self> {
        let (database, blobs) = store(config).await?;
        let meter = Arc::new(Meter::default());
        let (draining, is_draining) = watch::channel(false);
        let unusable = |error: TlsError| {
            let hint = error.hint();
            Hinted::over("cannot use the certificate", hint, error)
        };
        let read = config.tls.as_ref().map(Certificate::read).transpose();
        let certificate = read.map_err(unusable)?;
        let tls = certificate.clone().map(tls::server).transpose();
        let tls = tls.map_err(unusable)?;
        let listener = Listener::open(config.listen, tls, config.limits, Arc::clone(&meter))
            .await
            .map_err(|error| {
                Hinted::over(
                    format!("cannot listen on `{}`", config.listen),
                    "another program may have the port: choose one with --listen, or port 0 for any",
                    error,
                )
            })?;
        let address = listener.address().context("cannot tell the port")?;
        let authority = Authority::open(&database)
            .await
            .context("cannot read the keys of this installation")?;
        let issuers = Issuers::new(&Options::default())
            .context("cannot set up connections to the issuers of tokens")?;
        let authority = authority.believing(config.oidc.clone(), Arc::new(Asked(issuers)));
        // People sign in at a door, so whoever opens one shows the first password.
        let first = if config.is(Role::Registry) || config.is(Role::Api) {
            let made = authority.first_admin().await;
            made.context("cannot make the first account")?
        } else {
            None
        };
        let editions = Editions::under(&config.data, config.policy.clone());
        let ear = ear(config, &database)?;
        let mut router = Router::new();
        if config.is(Role::Registry) {
            router = router.merge(seaworthy_registry::router(RegistryOptions {
                catalog: Catalog::of(&database),
                blobs: blobs.clone(),
                authority: authority.clone(),
                listener: ear.clone().map(|ear| ear as _),
                grace: GRACE,
                limits: Limits {
                    idle: config.limits.stall,
                    ..Limits::default()
                },
                origin: match &config.url {
                    Some(url) => Origin::Fixed(url.clone()),
                    None if config.tls.is_some() => Origin::HttpsOfRequest,
                    None => Origin::HttpOfRequest,
                },
            }));
        }
        if config.is(Role::Api) {
            let is_https = config
                .url
                .as_ref()
                .map_or(config.tls.is_some(), |url| url.starts_with("https://"));
            router = router.merge(seaworthy_server::router(ServerOptions {
                database: database.clone(),
                authority: authority.clone(),
                assessor: Some(Arc::clone(&editions) as _),
                cookies: if is_https {
                    Cookies::Secure
                } else {
                    Cookies::Plain
                },
                principal_rate: PRINCIPAL_RATE,
                address_rate: ADDRESS_RATE,
            }));
        }
        let router = router.merge(health::router(Health {
            database: database.clone(),
            blobs: blobs.clone(),
            meter: Arc::clone(&meter),
            draining: is_draining,
            metrics_token: config.metrics_token.clone(),
            more: Arc::new(Numbers::of(&database, &editions)),
        }));
        let worker = config
            .is(Role::Worker)
            .then(|| worker(config, &database, &blobs, &editions, ear))
            .transpose()?;
        let welcome = welcome(config, address, first.as_ref());
        Ok(Self {
            listener,
            door: Door::new(router, meter, config.limits.stall),
            address,
            certificate,
            database,
            authority,
            worker,
            editions,
            edition_interval: config.edition_interval,
            drain: config.drain,
            draining,
            welcome,
            first,
        })
    }

    /// What to tell whoever started it: where it is, and once the first password.
    pub(crate) fn welcome(&self) -> &str {
        &self.welcome
    }

    /// The first account, where this start made it.
    pub(crate) fn first(&self) -> Option<&FirstAdmin> {
        self.first.as_ref()
    }

    /// Who decides who may do what.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// People and robots.
    pub(crate) fn accounts(&self) -> Accounts {
        Accounts::of(&self.database)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `told`; then lets what is under way end.
    pub(crate) async fn run(self, told: impl Future<Output = ()>) -> anyhow::Result<()> {
        let draining = self.draining.subscribe();
        tracing::info!(address = %self.address, "listening on {}", self.address);
        let serving = self.listener.serve(self.door, draining, self.drain);
        let mut ending = self.draining.subscribe();
        let editions = Arc::clone(&self.editions);
        let working = async move {
            match self.worker {
                Some(worker) => {
                    // The first job already finds an edition.
                    editions.refresh_once().await;
                    worker
                        .run(async move {
                            let _ = ending.wait_for(|it| *it).await;
                        })
                        .await;
                }
                None => {
                    let _ = ending.wait_for(|it| *it).await;
                }
            }
        };
        let working = tokio::spawn(working);
        let renewing = renew(self.certificate);
        tokio::pin!(serving);
        tokio::select! {
            _ = &mut serving => {}
            () = renewing => {}
            () = self.editions.watch(self.edition_interval) => {}
            () = remember_pulls(&self.database) => {}
            () = renew_keys(&self.authority) => {}
            () = told => {}
        }
        tracing::info!("ending");
        self.draining.send_replace(true);
        // Whoever asks twice does not want to wait.
        let ended = async { tokio::join!(serving, working) };
        let whole = tokio::select! {
            (whole, worked) = ended => whole && worked.is_ok(),
            () = signal::until_told() => false,
        };
        if !whole {
            tracing::warn!("not everything that was under way has ended");
        }
        write_pulls(&self.database).await;
        self.database.close().await;
        tracing::info!("ended");
        Ok(())
    }
}

/// Writes down now and then what was pulled. Never ends.
async fn remember_pulls(database: &Database) {
    let mut ticks = tokio::time::interval(PULLS_INTERVAL);
    loop {
        ticks.tick().await;
        write_pulls(database).await;
    }
}

/// Renews the key that tokens are signed with when its time has come. Never ends.
async fn renew_keys(authority: &Authority) {
    let mut ticks = tokio::time::interval(KEYS_INTERVAL);
    loop {
        ticks.tick().await;
        if let Err(error) = authority.tidy_up().await {
            tracing::warn!("cannot renew the key of tokens: {error}");
        }
    }
}

/// Writes down what was pulled. What cannot be written is lost: rules of retention then
/// take an image for less used than it is by a minute.
async fn write_pulls(database: &Database) {
    if let Err(error) = Catalog::of(database).write_pulls().await {
        tracing::warn!("cannot write down what was pulled: {error}");
    }
}

/// Reads the certificate again when it changes or somebody says so. Never ends.
async fn renew(certificate: Option<Arc<Certificate>>) {
    let Some(certificate) = certificate else {
        return signal::each_hangup(|| tracing::info!("there is no certificate to read again"))
            .await;
    };
    let reload = || match certificate.reload() {
        Ok(()) => tracing::info!("the certificate was read again"),
        Err(error) => tracing::error!(
            "the certificate stays the old one: {}",
            health::chain(&error)
        ),
    };
    let watching = async {
        let mut ticks = tokio::time::interval(CERTIFICATE_INTERVAL);
        loop {
            ticks.tick().await;
            if certificate.is_stale() {
                reload();
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = signal::each_hangup(reload) => {}
    }
}

/// The clock of the machine, for the store.
pub(crate) fn clock() -> Clock {
    Clock::new(|| Millis(settings::milliseconds()))
}

/// Opens database and blobs, and makes their folders where there are none.
pub(crate) async fn store(config: &Config) -> anyhow::Result<(Database, Blobs)> {
    folder(&config.data)?;
    if let DatabaseOptions::Sqlite { path } = &config.database
        && let Some(parent) = path.parent()
    {
        folder(parent)?;
    }
    let database = Database::open(&config.database, clock())
        .await
        .map_err(|error| {
            let hint = match &config.database {
                DatabaseOptions::Sqlite { .. } => {
                    "the file must be of this program and this user's to write to"
                }
                DatabaseOptions::Postgres { .. } => {
                    "check `database`: server, name, user and password; `seaworthy doctor` tells more"
                }
            };
            Hinted::over("cannot open the database", hint, error)
        })?;
    let blobs = Blobs::open(&config.blobs).await.map_err(|error| {
        let hint = match &config.blobs {
            BlobsOptions::Files { .. } => "the folder must be this user's to write to",
            BlobsOptions::S3(_) => {
                "check `blobs`: bucket, endpoint, region and keys; `seaworthy doctor` tells more"
            }
        };
        Hinted::over("cannot open the store of blobs", hint, error)
    })?;
    Ok((database, blobs))
}

/// Makes a folder that only this user may look into.
pub(crate) fn folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            Hinted::over(
                format!("cannot make the folder `{}`", path.display()),
                "name a folder of yours with --data or SEAWORTHY_DATA",
                error,
            )
        })
}

/// Who reads layers while they are uploaded to this process.
fn ear(config: &Config, database: &Database) -> anyhow::Result<Option<Arc<Ear>>> {
    if !config.is(Role::Registry) {
        return Ok(None);
    }
    let reader = Arc::new(ConfinedReader::of_this_program()?);
    Ok(Some(Arc::new(Ear::new(
        database,
        reader,
        EarOptions::default(),
    ))))
}

/// The worker of this process.
fn worker(
    config: &Config,
    database: &Database,
    blobs: &Blobs,
    editions: &Arc<Editions>,
    ear: Option<Arc<Ear>>,
) -> anyhow::Result<Worker> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let slots = match config.worker_jobs {
        0 => processors,
        some => some,
    };
    let options = WorkerOptions {
        name: settings::process_name(),
        slots,
        layer_threads: processors.min(MOST_LAYER_THREADS),
        lease: config.lease,
        poll: POLL,
        // What is left of the time goes to saying so.
        drain: config.drain.mul_f64(0.8),
        policy: config.policy.clone(),
        editions: Arc::clone(editions) as _,
        reader: Arc::new(ConfinedReader::of_this_program()?),
        ear,
        chores: Housekeeping::default().chores(database, blobs),
    };
    Ok(Worker::new(database, blobs, options))
}

fn welcome(config: &Config, address: SocketAddr, first: Option<&FirstAdmin>) -> String {
    let roles: Vec<&str> = config
        .roles
        .iter()
        .map(|role| match role {
            Role::Registry => "registry",
            Role::Api => "api",
            Role::Worker => "worker",
        })
        .collect();
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let mut text = String::new();
    if let Some(first) = first {
        let _ = writeln!(
            text,
            "first start: sign in as `{}` with the password\n\n    {}\n\nIt is shown this once \
             and must be changed at the first sign-in.\n",
            first.name,
            first.password.reveal()
        );
    }
    let _ = writeln!(text, "serving {} at {scheme}://{address}", roles.join(", "));
    let _ = writeln!(text, "data in {}", config.data.display());
    text
}
