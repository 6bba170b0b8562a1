//! What the environment says: the one place that reads it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use seaworthy_core::{Day, Platform};

use crate::failure::Hinted;

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
    containerd_address: Option<PathBuf>,
    /// Proxy for https, as in curl.
    pub(crate) https_proxy: Option<String>,
    /// Proxy for http.
    pub(crate) http_proxy: Option<String>,
    /// Hosts that no proxy is used for.
    pub(crate) no_proxy: Option<String>,
    /// Whether `NO_COLOR` is set to anything.
    pub(crate) no_color: bool,
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
            containerd_address: path("CONTAINERD_ADDRESS"),
            https_proxy: either("https_proxy", "HTTPS_PROXY").or_else(|| any_proxy.clone()),
            // Upper case is not read: a CGI client could set it by a header.
            http_proxy: text("http_proxy").or(any_proxy),
            no_proxy: either("no_proxy", "NO_PROXY"),
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }

    /// The folder for editions and the layer cache, when no flag names one.
    pub(crate) fn data(&self) -> anyhow::Result<PathBuf> {
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

    /// Files that may hold credentials for registries, most specific first:
    /// podman's, then docker's.
    pub(crate) fn credential_files(&self) -> Vec<PathBuf> {
        let docker = self
            .docker_config
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".docker")))
            .map(|folder| folder.join("config.json"));
        let podman = self
            .runtime
            .as_ref()
            .map(|folder| folder.join("containers/auth.json"));
        let named = self.auth_file.clone();
        [named, podman, docker].into_iter().flatten().collect()
    }

    /// Where docker listens, most specific first.
    pub(crate) fn docker_sockets(&self) -> Vec<PathBuf> {
        let named = self
            .docker_host
            .as_deref()
            .and_then(|it| it.strip_prefix("unix://"));
        let rootless = self
            .runtime
            .as_ref()
            .map(|folder| folder.join("docker.sock"));
        named
            .map(PathBuf::from)
            .into_iter()
            .chain(["/var/run/docker.sock".into()])
            .chain(rootless)
            .collect()
    }

    /// Where podman listens, most specific first.
    pub(crate) fn podman_sockets(&self) -> Vec<PathBuf> {
        let named = self
            .container_host
            .as_deref()
            .and_then(|it| it.strip_prefix("unix://"));
        let rootless = self
            .runtime
            .as_ref()
            .map(|folder| folder.join("podman/podman.sock"));
        named
            .map(PathBuf::from)
            .into_iter()
            .chain(rootless)
            .chain(["/run/podman/podman.sock".into()])
            .collect()
    }

    /// Where containerd listens, most specific first.
    pub(crate) fn containerd_sockets(&self) -> Vec<PathBuf> {
        self.containerd_address
            .clone()
            .into_iter()
            .chain(["/run/containerd/containerd.sock".into()])
            .collect()
    }
}

/// The day it is, in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub(crate) fn today() -> Day {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs());
    Day::from_unix_seconds(i64::try_from(now).unwrap_or(i64::MAX))
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
