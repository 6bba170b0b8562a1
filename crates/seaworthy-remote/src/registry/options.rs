//! What the front door may say about how to talk to a registry.

use std::time::Duration;

use crate::credentials::Credentials;
use crate::secret::Secret;

/// How to talk to a registry. Nothing here is read from the environment: the
/// front door gives it all. [`Options::default`] is the safe choice throughout.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who we are there.
    pub credentials: Credentials,
    /// What we want there: a token is asked for that, and for nothing more.
    pub purpose: Purpose,
    /// Whether, and how, the connection is secured.
    pub security: Security,
    /// PEM certificates of authorities to trust beside those of the system.
    pub authorities: Vec<Vec<u8>>,
    /// A client certificate: PEM certificates and their key in one text. Shown
    /// to the registry itself and to nobody it points to.
    pub identity: Option<Secret>,
    /// The proxies to go through, if any.
    pub proxy: Proxy,
    /// Hosts of token servers that may see the credentials of this registry,
    /// beside those that belong to it (see [`crate::Registry`]).
    pub trusted_realms: Vec<String>,
    /// The `User-Agent` of every request.
    pub user_agent: String,
    /// How much and how long.
    pub limits: Limits,
}

/// What we want of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// To read.
    #[default]
    Pull,
    /// To read and to write.
    Push,
}

/// Whether, and how, a connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS with a certificate that is proved. A registry on this machine
    /// (`localhost`, `127.0.0.0/8`, `::1`) that speaks no TLS is asked in plain
    /// HTTP, as docker does.
    #[default]
    Verified,
    /// TLS with any certificate; plain HTTP where the registry speaks no TLS.
    /// What docker calls an insecure registry.
    Unverified,
    /// Plain HTTP from the start.
    Plain,
}

/// The proxies to go through. An address may hold a user name and password. What
/// is on this machine is never asked through a proxy.
#[derive(Debug, Clone, Default)]
pub struct Proxy {
    /// URL of the proxy for `http` requests.
    pub http: Option<Secret>,
    /// URL of the proxy for `https` requests.
    pub https: Option<Secret>,
    /// Hosts, domains and networks to reach without it, as `NO_PROXY` lists them.
    pub except: String,
}

/// Ceilings on what a registry may cost us.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a manifest.
    pub manifest_bytes: u64,
    /// Bytes of a blob.
    pub blob_bytes: u64,
    /// Time to a connection, TLS included.
    pub connect: Duration,
    /// Time without a byte.
    pub idle: Duration,
    /// Time for a manifest or token as a whole. A blob has no such limit.
    pub document: Duration,
    /// The least bytes a second of a blob, over a minute of waiting for it. Time
    /// in which our own reader was busy does not count.
    pub slowest: u64,
    /// How often a request is tried again, and how often a blob without any
    /// progress is.
    pub retries: u32,
    /// Wait before the first retry; each further one waits twice as long.
    pub first_wait: Duration,
    /// The longest wait that a registry may ask for with `Retry-After`. When it
    /// asks for more, that is the answer.
    pub longest_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            credentials: Credentials::default(),
            purpose: Purpose::default(),
            security: Security::default(),
            authorities: Vec::new(),
            identity: None,
            proxy: Proxy::default(),
            trusted_realms: Vec::new(),
            user_agent: concat!("seaworthy/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            blob_bytes: 64 << 30,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            document: Duration::from_mins(1),
            slowest: 1 << 10,
            retries: 3,
            first_wait: Duration::from_millis(300),
            longest_wait: Duration::from_secs(30),
        }
    }
}
