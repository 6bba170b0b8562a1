//! What the environment says: the one place that reads it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use seaworthy_core::{Day, Platform};

use crate::failure::Hinted;
use crate::key::{FILE, KEYS, Kind};

/// Everything `seaworthy` takes from its surroundings, read once.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    home: Option<PathBuf>,
    data_home: Option<PathBuf>,
    runtime: Option<PathBuf>,
    docker_config: Option<PathBuf>,
    auth_file: Option<PathBuf>,
    /// Where programs are found.
    pub(crate) path: Option<OsString>,
    /// `SEAWORTHY_REGISTRY_PASSWORD`.
    pub(crate) registry_password: Option<String>,
    /// `SEAWORTHY_REGISTRY_TOKEN`.
    pub(crate) registry_token: Option<String>,
    docker_host: Option<String>,
    container_host: Option<String>,
    containerd_address: Option<String>,
    /// `SEAWORTHY_DATA`.
    data: Option<PathBuf>,
    /// `SEAWORTHY_KEEP_DAYS`.
    keep_days: Option<String>,
    /// `SEAWORTHY_REGISTRY_USERNAME`.
    pub(crate) registry_username: Option<String>,
    /// `SEAWORTHY_REGISTRY_CA`.
    pub(crate) registry_ca: Option<PathBuf>,
    /// `SEAWORTHY_REGISTRY_INSECURE`, unless it says no.
    pub(crate) registry_insecure: bool,
    /// `SEAWORTHY_REGISTRY_TRUSTED_REALM`, split at commas.
    pub(crate) registry_trusted_realms: Vec<String>,
    /// `CONTAINERD_NAMESPACE`.
    pub(crate) containerd_namespace: Option<String>,
    /// Proxy for https, as in curl.
    pub(crate) https_proxy: Option<String>,
    /// Proxy for http.
    pub(crate) http_proxy: Option<String>,
    /// Hosts that no proxy is used for.
    pub(crate) no_proxy: Option<String>,
    /// Whether `NO_COLOR` is set to anything.
    pub(crate) no_color: bool,
    /// `SEAWORTHY_CONFIG`.
    pub(crate) config: Option<PathBuf>,
    /// `SEAWORTHY_TOKEN`: who we are at a Seaworthy server.
    pub(crate) server_token: Option<String>,
    /// What variables say about keys of the configuration, by key.
    pub(crate) configured: BTreeMap<String, String>,
}

impl Surroundings {
    /// Reads the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub(crate) fn read() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let either = |lower: &str, upper: &str| text(lower).or_else(|| text(upper));
        let path = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let any_proxy = either("all_proxy", "ALL_PROXY");
        Self {
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME"),
            runtime: path("XDG_RUNTIME_DIR"),
            docker_config: path("DOCKER_CONFIG"),
            auth_file: path("REGISTRY_AUTH_FILE"),
            path: env::var_os("PATH"),
            registry_password: text("SEAWORTHY_REGISTRY_PASSWORD"),
            registry_token: text("SEAWORTHY_REGISTRY_TOKEN"),
            docker_host: text("DOCKER_HOST"),
            container_host: text("CONTAINER_HOST"),
            containerd_address: text("CONTAINERD_ADDRESS"),
            data: path("SEAWORTHY_DATA"),
            keep_days: text("SEAWORTHY_KEEP_DAYS"),
            registry_username: text("SEAWORTHY_REGISTRY_USERNAME"),
            registry_ca: path("SEAWORTHY_REGISTRY_CA"),
            registry_insecure: text("SEAWORTHY_REGISTRY_INSECURE").is_some_and(|value| {
                !matches!(&*value.to_lowercase(), "0" | "false" | "no" | "off")
            }),
            registry_trusted_realms: text("SEAWORTHY_REGISTRY_TRUSTED_REALM")
                .map(|hosts| {
                    hosts
                        .split(',')
                        .map(|host| host.trim().to_owned())
                        .collect()
                })
                .unwrap_or_default(),
            containerd_namespace: text("CONTAINERD_NAMESPACE"),
            https_proxy: either("https_proxy", "HTTPS_PROXY").or_else(|| any_proxy.clone()),
            // Upper case is not read: a CGI client could set it by a header.
            http_proxy: text("http_proxy").or(any_proxy),
            no_proxy: either("no_proxy", "NO_PROXY"),
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            config: path("SEAWORTHY_CONFIG"),
            server_token: text("SEAWORTHY_TOKEN"),
            configured: configured(text),
        }
    }

    /// The folder for editions and the layer cache, when no flag names one.
    pub(crate) fn data(&self) -> anyhow::Result<PathBuf> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        let parent = self
            .data_home
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".local/share")))
            .ok_or_else(|| {
                Hinted::error(
                    "there is no home directory to keep editions in",
                    "name a folder with SEAWORTHY_DATA or --data",
                )
            })?;
        Ok(parent.join("seaworthy"))
    }

    /// How many days of editions to keep.
    pub(crate) fn keep_days(&self) -> anyhow::Result<u32> {
        let Some(text) = &self.keep_days else {
            return Ok(0);
        };
        text.parse().map_err(|_| {
            Hinted::error(
                format!("SEAWORTHY_KEEP_DAYS is `{text}`, which is not a number of days"),
                "set it to a number like 90, or leave it away",
            )
        })
    }

    /// Files that may hold credentials for registries, most specific first:
    /// podman's, then docker's. And whether the user named the file.
    pub(crate) fn credential_files(&self) -> Vec<(PathBuf, bool)> {
        let docker = self
            .docker_config
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
            .map(|folder| (folder.join("config.json"), false));
        let podman = self
            .runtime
            .as_ref()
            .map(|folder| (folder.join("containers/auth.json"), false));
        let named = self.auth_file.clone().map(|path| (path, true));
        [named, podman, docker].into_iter().flatten().collect()
    }

    /// Where docker listens.
    pub(crate) fn docker_sockets(&self) -> anyhow::Result<Vec<PathBuf>> {
        let rootless = self
            .runtime
            .as_ref()
            .map(|folder| folder.join("docker.sock"));
        sockets("DOCKER_HOST", self.docker_host.as_deref(), || {
            [PathBuf::from("/var/run/docker.sock")]
                .into_iter()
                .chain(rootless)
                .collect()
        })
    }

    /// Where podman listens.
    pub(crate) fn podman_sockets(&self) -> anyhow::Result<Vec<PathBuf>> {
        let rootless = self
            .runtime
            .as_ref()
            .map(|folder| folder.join("podman/podman.sock"));
        sockets("CONTAINER_HOST", self.container_host.as_deref(), || {
            rootless
                .into_iter()
                .chain(["/run/podman/podman.sock".into()])
                .collect()
        })
    }

    /// Where containerd listens.
    pub(crate) fn containerd_sockets(&self) -> anyhow::Result<Vec<PathBuf>> {
        sockets(
            "CONTAINERD_ADDRESS",
            self.containerd_address.as_deref(),
            || vec!["/run/containerd/containerd.sock".into()],
        )
    }
}

/// What variables say about keys of the configuration.
fn configured(text: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for key in KEYS {
        if let Some(value) = text(key.variable) {
            found.insert(key.name.to_owned(), value);
        }
        if key.kind == Kind::Secret
            && let Some(value) = text(&format!("{}{}", key.variable, FILE.to_uppercase()))
        {
            found.insert(format!("{}{FILE}", key.name), value);
        }
    }
    found
}

/// The socket that a variable names, or else the usual places. A variable that
/// names another engine is never passed over: its images are not the local ones.
fn sockets(
    variable: &str,
    named: Option<&str>,
    usual: impl FnOnce() -> Vec<PathBuf>,
) -> anyhow::Result<Vec<PathBuf>> {
    let Some(named) = named else {
        return Ok(usual());
    };
    match named.strip_prefix("unix://") {
        Some(path) => Ok(vec![path.into()]),
        None if named.starts_with('/') => Ok(vec![named.into()]),
        None => Err(Hinted::error(
            format!("{variable} names `{named}`, which is not a unix socket"),
            "name a socket with --socket, or pipe: `docker save NAME | seaworthy scan -`",
        )),
    }
}

/// The day it is, in UTC.
pub(crate) fn today() -> Day {
    Day::from_unix_seconds(i64::try_from(seconds()).unwrap_or(i64::MAX))
}

/// Seconds since the beginning of 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub(crate) fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}

/// The platform of this machine; images are linux images wherever they are
/// looked at.
pub(crate) fn host_platform() -> Platform {
    let architecture = match env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    };
    Platform {
        os: "linux".into(),
        architecture: architecture.into(),
        variant: None,
    }
}

/// Milliseconds since the beginning of 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub(crate) fn milliseconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

/// Host and process, for people who look who does something.
pub(crate) fn process_name() -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    format!("{host}:{}", std::process::id())
}
