//! Images that docker or podman keeps, through the engine's socket.
//!
//! Both speak docker's HTTP API over a Unix socket. It gives an image away as a
//! docker archive, written while it is read.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use reqwest::{Client, Response};
use seaworthy_core::{Digest, Platform};
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use crate::stream::{self, BlobReader};

/// Most bytes of a document of the engine.
const DOCUMENT_BYTES: usize = 4 << 20;

/// Time for a document.
const DOCUMENT_TIME: Duration = Duration::from_mins(1);

/// Time without a byte of an export. Engines write the whole image to their disk
/// before they send the first byte of it.
const EXPORT_IDLE: Duration = Duration::from_mins(10);

/// Longest name that an engine is asked for.
const NAME_LENGTH: usize = 1024;

/// The socket of a docker or podman engine that answers.
pub struct EngineSocket {
    path: PathBuf,
    client: Client,
    /// `http://engine/v1.41`, or without the version where the engine says none.
    root: String,
    runtime: Handle,
}

/// What an engine says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineImage {
    /// Digest of the image's configuration: what engines call the image's id.
    pub id: Digest,
    /// Names with tags, sorted.
    pub tags: Vec<String>,
    /// Names with manifest digests, sorted. Empty for images that were never
    /// pulled or pushed.
    pub digests: Vec<String>,
    /// What it runs on, where the engine says so.
    pub platform: Option<Platform>,
}

/// Why an engine did not give an image.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such file.
    #[error("there is no engine socket at `{path}`")]
    NoSocket {
        /// Where we looked.
        path: PathBuf,
    },
    /// The socket is not for us.
    #[error("the engine socket `{path}` may not be opened by this user")]
    Permission {
        /// The socket.
        path: PathBuf,
    },
    /// Nobody answers at the socket.
    #[error("no engine answers at `{path}`")]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The name cannot be that of an image.
    #[error("`{name}` is not the name of an image")]
    Name {
        /// The name, without what a terminal might obey.
        name: String,
    },
    /// The engine has no image of this name.
    #[error("the engine at `{path}` has no such image: `{name}`")]
    NoSuchImage {
        /// The socket.
        path: PathBuf,
        /// What we asked for.
        name: String,
    },
    /// The engine answered with an error.
    #[error("the engine at `{path}` cannot do it (HTTP status {status})")]
    Status {
        /// The socket.
        path: PathBuf,
        /// The HTTP status.
        status: u16,
    },
    /// What answered is not an engine.
    #[error("what answers at `{path}` does not speak like an engine")]
    Answer {
        /// The socket.
        path: PathBuf,
    },
    /// The engine stopped in the middle.
    #[error("the engine at `{path}` stopped in the middle of its answer")]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What the network stack said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl EngineError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoSocket { .. } | Self::Connect { .. } => Some(
                "start the engine (`systemctl start docker`, or `systemctl --user start podman.socket`), or say where its socket is with DOCKER_HOST",
            ),
            Self::Permission { .. } => Some(
                "run as a user who may use the engine (for docker: the group `docker`), or say where your own engine's socket is with DOCKER_HOST",
            ),
            Self::NoSuchImage { .. } => Some(
                "see `docker images` or `podman images` for what it has; without `docker:` the image is looked up in its registry",
            ),
            Self::Name { .. } | Self::Status { .. } | Self::Answer { .. } | Self::Broken { .. } => {
                None
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl EngineSocket {
    /// Opens the socket at `path` and agrees on the version of the API. Must be
    /// called on the async runtime that shall carry the transfers.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, EngineError> {
        let path = path.into();
        // Tried by hand first: the HTTP client would not say why it failed.
        if let Err(source) = UnixStream::connect(&path).await {
            return Err(match source.kind() {
                io::ErrorKind::NotFound => EngineError::NoSocket { path },
                io::ErrorKind::PermissionDenied => EngineError::Permission { path },
                _ => EngineError::Connect {
                    path,
                    source: Box::new(source),
                },
            });
        }
        let client = Client::builder()
            .unix_socket(path.clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .read_timeout(EXPORT_IDLE)
            // No TLS on a socket, so no need for a system that has certificates.
            .tls_certs_only([])
            .build()
            .map_err(|source| EngineError::Connect {
                path: path.clone(),
                source: Box::new(source),
            })?;
        let mut engine = Self {
            path,
            client,
            root: "http://engine".to_owned(),
            runtime: Handle::current(),
        };
        let pong = engine.get("/_ping", Some(DOCUMENT_TIME)).await?;
        if pong.status() != 200 {
            return Err(EngineError::Answer { path: engine.path });
        }
        let version = pong
            .headers()
            .get("api-version")
            .and_then(|value| value.to_str().ok())
            .filter(|version| {
                (1..=8).contains(&version.len())
                    && version
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'.')
            });
        // The newest version that the engine speaks: the two calls we make have
        // been the same in all of them.
        if let Some(version) = version {
            engine.root = format!("{}/v{version}", engine.root);
        }
        Ok(engine)
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the engine says of the image `name`: a name, or the start of an id.
    pub async fn inspect(&self, name: &str) -> Result<EngineImage, EngineError> {
        let mut response = self.image(name, "json", Some(DOCUMENT_TIME)).await?;
        let answer = || EngineError::Answer {
            path: self.path.clone(),
        };
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|it| self.broken(it))? {
            if body.len().saturating_add(chunk.len()) > DOCUMENT_BYTES {
                return Err(answer());
            }
            body.extend_from_slice(&chunk);
        }
        let found: Inspected = serde_json::from_slice(&body).map_err(|_| answer())?;
        // Podman leaves the algorithm out in some versions.
        let id = match found.id.split_once(':') {
            Some(_) => found.id,
            None => format!("sha256:{}", found.id),
        };
        let sorted = |names: Option<Vec<String>>| {
            let mut names = names.unwrap_or_default();
            names.sort_unstable();
            names
        };
        let platform = if found.variant.is_empty() {
            format!("{}/{}", found.os, found.architecture)
        } else {
            format!("{}/{}/{}", found.os, found.architecture, found.variant)
        };
        Ok(EngineImage {
            id: id.parse().map_err(|_| answer())?,
            tags: sorted(found.repo_tags),
            digests: sorted(found.repo_digests),
            platform: platform.parse().ok(),
        })
    }

    /// Starts to read the image `name` as a docker archive. To be sure that it is
    /// the one that was inspected, ask by its id.
    pub async fn export(&self, name: &str) -> Result<BlobReader, EngineError> {
        let mut response = self.image(name, "get", None).await?;
        let path = self.path.clone();
        Ok(stream::spawn(&self.runtime, |feed| async move {
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        if feed.send(chunk).await.is_err() {
                            return Ok(());
                        }
                    }
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        return Err(io::Error::new(
                            io::ErrorKind::ConnectionAborted,
                            broken(path, error),
                        ));
                    }
                }
            }
        }))
    }

    /// [`EngineSocket::inspect`] for a thread outside the async runtime.
    pub fn inspect_blocking(&self, name: &str) -> Result<EngineImage, EngineError> {
        self.runtime.block_on(self.inspect(name))
    }

    /// [`EngineSocket::export`] for a thread outside the async runtime.
    pub fn export_blocking(&self, name: &str) -> Result<BlobReader, EngineError> {
        self.runtime.block_on(self.export(name))
    }

    async fn image(
        &self,
        name: &str,
        what: &str,
        within: Option<Duration>,
    ) -> Result<Response, EngineError> {
        if !is_name(name) {
            return Err(EngineError::Name {
                name: name
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .take(100)
                    .collect(),
            });
        }
        let response = self.get(&format!("/images/{name}/{what}"), within).await?;
        match response.status().as_u16() {
            200 => Ok(response),
            404 => Err(EngineError::NoSuchImage {
                path: self.path.clone(),
                name: name.to_owned(),
            }),
            status => Err(EngineError::Status {
                path: self.path.clone(),
                status,
            }),
        }
    }

    async fn get(&self, call: &str, within: Option<Duration>) -> Result<Response, EngineError> {
        let mut request = self.client.get(format!("{}{call}", self.root));
        if let Some(within) = within {
            request = request.timeout(within);
        }
        request.send().await.map_err(|error| self.broken(error))
    }

    fn broken(&self, error: reqwest::Error) -> EngineError {
        broken(self.path.clone(), error)
    }
}

impl std::fmt::Debug for EngineSocket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "EngineSocket({})", self.path.display())
    }
}

fn broken(path: PathBuf, error: reqwest::Error) -> EngineError {
    EngineError::Broken {
        path,
        source: Box::new(error.without_url()),
    }
}

/// Whether `name` can be put into a path of the API without leading elsewhere:
/// no escapes, no query, no climbing.
fn is_name(name: &str) -> bool {
    (1..=NAME_LENGTH).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte))
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_cannot_climb_out_of_its_place_in_the_path() {
        for good in [
            "alpine",
            "localhost/a:b",
            "r.example:5000/a@sha256:00",
            "9f0",
        ] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "..",
            "../containers/json",
            "a/../b",
            "a/./b",
            "/a",
            "a/",
            "a?b",
            "a#b",
            "a%2e",
            "a b",
            "a\n",
            "a\\b",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
