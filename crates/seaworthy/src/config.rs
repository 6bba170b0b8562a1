//! The configuration of the platform: defaults, `seaworthy.toml`, environment and
//! flags, laid over each other once and turned into plain values.

mod file;
mod people;
mod place;
mod sheet;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use seaworthy_access::OidcOptions;
use seaworthy_core::Policy;
use seaworthy_remote::Secret;
use seaworthy_store::{BlobsOptions, DatabaseOptions};

use crate::cli::{ConfigArgs, Flags};
use crate::desk::Desk;
use crate::failure::Hinted;

pub(crate) use sheet::{Origin, Sheet, shown};

/// What a process may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The door of image clients.
    Registry,
    /// The REST API.
    Api,
    /// Scans.
    Worker,
}

/// In which form the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The configuration of one process, proved and complete. It holds secrets, so it
/// cannot be printed.
pub(crate) struct Config {
    /// Where everything lives that no other key puts elsewhere.
    pub(crate) data: PathBuf,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) listen: SocketAddr,
    /// How clients reach us, without a slash at the end.
    pub(crate) url: Option<String>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) database: DatabaseOptions,
    pub(crate) blobs: BlobsOptions,
    /// Jobs at the same time; 0 for one a processor.
    pub(crate) worker_jobs: usize,
    /// How long a job stays claimed after its worker last said that it is at it.
    pub(crate) lease: Duration,
    pub(crate) edition_interval: Duration,
    /// What is asked of images.
    pub(crate) policy: Policy,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: tracing::Level,
    pub(crate) metrics_token: Option<Secret>,
    /// Whose tokens are believed.
    pub(crate) oidc: OidcOptions,
    pub(crate) limits: Limits,
    /// How long to wait for what is under way after SIGTERM.
    pub(crate) drain: Duration,
}

/// Where certificate and key are.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What a client may take of our time and memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at the same time.
    pub(crate) connections: usize,
    /// For a handshake or the head of a request.
    pub(crate) head: Duration,
    /// For the next byte of a request or an answer.
    pub(crate) stall: Duration,
}

/// Lays everything over each other that was said about the configuration.
pub(crate) fn sheet(desk: &Desk<'_>, args: &ConfigArgs, more: Flags) -> anyhow::Result<Sheet> {
    let flags = args.flags().map_err(|text| {
        Hinted::error(
            format!("`--set {text}` sets nothing"),
            "write it like `--set connections=100`",
        )
    })?;
    Sheet::read(desk, args.config.as_deref(), &[more, flags].concat())
}

impl Config {
    /// Reads what the sheet says and proves that it goes together.
    pub(crate) fn of(sheet: &Sheet, desk: &Desk<'_>) -> anyhow::Result<Self> {
        let listen = listen(sheet)?;
        let tls = tls(sheet)?;
        if tls.is_none() && !listen.ip().is_loopback() && !sheet.truth("allow_plain_http")? {
            return Err(Hinted::error(
                format!("`{listen}` can be reached by others, and there is no TLS"),
                "set `tls_certificate` and `tls_key`; or, behind a proxy that speaks TLS, \
                 `allow_plain_http = true`",
            ));
        }
        let roles: BTreeSet<Role> = sheet
            .choices("role")?
            .iter()
            .map(|name| match &**name {
                "registry" => Role::Registry,
                "api" => Role::Api,
                _ => Role::Worker,
            })
            .collect();
        let url = url(sheet)?;
        let seconds = |name| sheet.number(name).map(Duration::from_secs);
        Ok(Self {
            data: desk.data.to_owned(),
            roles,
            listen,
            oidc: people::oidc(sheet, url.as_deref())?,
            url,
            tls,
            database: place::database(sheet, desk.data)?,
            blobs: place::blobs(sheet, desk.data)?,
            worker_jobs: sheet.size("worker_jobs")?,
            lease: seconds("lease_seconds")?,
            edition_interval: seconds("edition_seconds")?,
            policy: Policy {
                fail_on: sheet
                    .choice("fail_on")?
                    .parse()
                    .map_err(anyhow::Error::msg)?,
                ignore_unfixed: sheet.truth("ignore_unfixed")?,
                max_age_days: u32::try_from(sheet.number("max_age_days")?).unwrap_or(u32::MAX),
                ..Policy::default()
            },
            log_format: match &*sheet.choice("log_format")? {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            log_level: match &*sheet.choice("log_level")? {
                "error" => tracing::Level::ERROR,
                "warn" => tracing::Level::WARN,
                "debug" => tracing::Level::DEBUG,
                _ => tracing::Level::INFO,
            },
            metrics_token: sheet.secret("metrics_token")?.map(Secret::new),
            limits: Limits {
                connections: sheet.size("connections")?,
                head: seconds("head_seconds")?,
                stall: seconds("stall_seconds")?,
            },
            drain: seconds("drain_seconds")?,
        })
    }

    /// Whether this process has a role.
    pub(crate) fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

fn listen(sheet: &Sheet) -> anyhow::Result<SocketAddr> {
    let said = sheet.said("listen");
    let refused = || {
        Hinted::error(
            format!("{} is not an address and a port", said.told()),
            "write it like `127.0.0.1:8686`, `[::]:443` or `0.0.0.0:8686`",
        )
    };
    // A bare name must not be looked up on the network before anything works.
    if let Some(port) = said.text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| refused())?;
        return Ok((IpAddr::from([127, 0, 0, 1]), port).into());
    }
    said.text
        .parse::<SocketAddr>()
        .ok()
        .and_then(|it| it.to_socket_addrs().ok()?.next())
        .ok_or_else(refused)
}

fn tls(sheet: &Sheet) -> anyhow::Result<Option<TlsFiles>> {
    match (sheet.path("tls_certificate"), sheet.path("tls_key")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => Err(Hinted::error(
            "there is a `tls_certificate` and no `tls_key`",
            "set both, or neither for plain HTTP on this machine",
        )),
        (None, Some(_)) => Err(Hinted::error(
            "there is a `tls_key` and no `tls_certificate`",
            "set both, or neither for plain HTTP on this machine",
        )),
    }
}

fn url(sheet: &Sheet) -> anyhow::Result<Option<String>> {
    let said = sheet.said("url");
    if said.text.is_empty() {
        return Ok(None);
    }
    let text = said.text.trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_right = host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"-.:[]".contains(&it))
    });
    if !is_right {
        return Err(Hinted::error(
            format!("{} is not the address of a server", said.told()),
            "write it like `https://registry.example`, without a path: image clients know no paths",
        ));
    }
    Ok(Some(text.to_owned()))
}
