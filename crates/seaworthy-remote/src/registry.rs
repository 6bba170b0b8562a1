//! Registries that speak the OCI distribution protocol.

mod blob;
mod challenge;
mod failure;
mod login;
mod options;
mod origin;
mod payload;
mod push;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use seaworthy_core::{Digest, Reference};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

pub use failure::{Codes, PullError, Refusal};
pub use options::{Limits, Options, Proxy, Purpose, Security};
pub use push::PushError;

use crate::stream::BlobReader;
use login::Login;
use origin::Origin;
use wire::{Answer, Request, Wire};

/// Where the API of Docker Hub lives. `docker.io` is only what people call it;
/// every client knows this host by heart. Its token server is in `login`.
const HUB_HOST: &str = "registry-1.docker.io";

/// The media types that describe an image or a choice of images. Docker's
/// schema 1 is not among them: it names no sizes, and its digests are of a text
/// that has to be signed anew.
const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// One registry, ready to be read from, and to be written to if that is the
/// [`Options::purpose`].
///
/// **What is asked.** Manifests, and blobs by digest. The `urls` of foreign
/// layers are never followed.
///
/// **Secrets are bound to an origin** (scheme, host and port). They go to the
/// registry's own origin and to its token server: over `https`, unless the
/// registry itself speaks plain HTTP, and only if the token server's host is the
/// registry's, lies below or above it by name, is Docker Hub's own, or is in
/// [`Options::trusted_realms`]. A redirect to another origin loses them for good.
/// From `https` there is no way back to `http`.
///
/// **A registry points outwards only.** Redirects and token servers on this
/// machine, in private networks or on the local link are refused, unless the
/// registry itself is there; names are judged by the addresses that are then
/// connected to. The same holds for where it wants an upload to go: to another
/// origin it goes without any login.
pub struct Registry {
    line: Arc<Line>,
    runtime: Handle,
}

/// A manifest, proved: its bytes have this digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// One of the four media types of images and indexes, as the registry said.
    /// What the document says of itself is for its reader to compare.
    pub media_type: String,
    /// The bytes as they came, at most [`Limits::manifest_bytes`].
    pub bytes: Bytes,
    /// SHA-256 of the bytes. The one that was asked for, if one was.
    pub digest: Digest,
}

impl Registry {
    /// Prepares to talk to `registry`, named as in [`Reference::registry`].
    ///
    /// A registry on this machine, and one that need not prove itself, is asked
    /// once whether it speaks TLS. Else nothing is sent yet. Must be called on
    /// the async runtime that shall carry the transfers.
    pub async fn connect(registry: &str, options: Options) -> Result<Self, PullError> {
        let options = Arc::new(options);
        let host = match registry {
            "docker.io" | "index.docker.io" => HUB_HOST,
            host => host,
        };
        let address = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}/v2/"))
                .ok()
                // Nothing but a host and a port: the rest of the URL is ours.
                .filter(|url| url.path() == "/v2/" && !host.contains(['@', '/', '\\', '?', '#']))
                .and_then(|url| Some((Origin::of(&url)?, url)))
                .ok_or_else(|| PullError::NoSuchHost {
                    host: registry.to_owned(),
                    source: "it is not the name of a host".into(),
                })
        };
        let open = async |scheme| {
            let (origin, root) = address(scheme)?;
            let wire = Wire::open(registry, origin, Arc::clone(&options)).await?;
            Ok::<_, PullError>((wire, root))
        };
        let (wire, root) = match options.security {
            Security::Plain => open("http").await?,
            Security::Verified if !is_on_this_machine(host) => open("https").await?,
            Security::Verified | Security::Unverified => {
                let (wire, root) = open("https").await?;
                match speaks(&wire, &root).await {
                    Ok(_) => (wire, root),
                    Err(
                        failure @ (PullError::Tls { .. }
                        | PullError::Connect { .. }
                        | PullError::Timeout { .. }),
                    ) => {
                        let (plain, plain_root) = open("http").await?;
                        match speaks(&plain, &plain_root).await {
                            // 400 is what servers of TLS say to plain HTTP.
                            Ok(status) if status != 400 => (plain, plain_root),
                            _ => return Err(failure),
                        }
                    }
                    Err(failure) => return Err(failure),
                }
            }
        };
        Ok(Self {
            line: Arc::new(Line {
                login: Login::new(options),
                wire,
                root,
            }),
            runtime: Handle::current(),
        })
    }

    /// Fetches the manifest that `reference` names: by its digest, else its tag.
    /// The registry part of `reference` is not looked at.
    pub async fn manifest(&self, reference: &Reference) -> Result<Manifest, PullError> {
        let (line, wire) = (&self.line, &self.line.wire);
        let repository = reference.repository();
        let name = reference.manifest_name();
        let what = || format!("manifest `{name}`");
        let url = line.url(repository, "manifests", &name)?;
        let mut request = Request::get(url);
        request.within = Some(wire.limits().document);
        request.headers.insert(ACCEPT, accepted());
        let mut tries = 0;
        let (media_type, said, bytes) = loop {
            let answer = line.ask(repository, request.clone()).await?;
            if answer.response.status() != 200 {
                let missing = if reference.digest().is_some() {
                    what()
                } else {
                    format!("tag `{name}`")
                };
                return Err(line.unwanted(answer, repository, missing).await);
            }
            let media_type = media_type(answer.response.headers());
            if !MANIFEST_TYPES.contains(&&*media_type) {
                return Err(PullError::MediaType {
                    what: what(),
                    media_type,
                });
            }
            let said = answer
                .response
                .headers()
                .get(HeaderName::from_static("docker-content-digest"))
                .cloned();
            match wire.body(answer, wire.limits().manifest_bytes, what).await {
                Ok(bytes) => break (media_type, said, bytes),
                Err(PullError::Broken { .. }) if tries < wire.limits().retries => {
                    wire.pause(tries).await;
                    tries += 1;
                }
                Err(failure) => return Err(failure),
            }
        };
        let digest = Digest::from_sha256(Sha256::digest(&bytes).into());
        if reference.digest().is_some_and(|wanted| *wanted != digest) {
            return Err(PullError::Digest {
                what: what(),
                registry: wire.registry().to_owned(),
                found: digest,
            });
        }
        // Only a hint, and never believed. But a registry that contradicts its
        // own bytes is not one to go on with.
        if said.is_some_and(|said| said.as_bytes() != digest.to_string().as_bytes()) {
            return Err(PullError::SaidDigest {
                what: what(),
                registry: wire.registry().to_owned(),
                found: digest,
            });
        }
        Ok(Manifest {
            media_type,
            bytes,
            digest,
        })
    }

    /// Starts to fetch the blob `digest` of `reference`'s repository, which has
    /// `size` bytes, as its manifest says.
    ///
    /// The reader gives exactly `size` bytes or ends in an error. It takes up a
    /// broken transfer where it broke. It does not prove the digest: whoever
    /// reads hashes the bytes anyway, once.
    pub async fn blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
    ) -> Result<BlobReader, PullError> {
        let repository = reference.repository();
        let line = Arc::clone(&self.line);
        blob::open(line, &self.runtime, repository, digest, size, 0).await
    }

    /// [`Registry::blob`] without its first `from` bytes, which came before.
    pub async fn blob_from(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
        from: u64,
    ) -> Result<BlobReader, PullError> {
        let repository = reference.repository();
        let line = Arc::clone(&self.line);
        blob::open(line, &self.runtime, repository, digest, size, from).await
    }

    /// Whether `reference`'s repository has the blob `digest` of `size` bytes, as
    /// far as the registry says.
    pub async fn has_blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, PullError> {
        push::has_blob(&self.line, reference.repository(), digest, size).await
    }

    /// Puts a blob into `reference`'s repository, unless it is there. `sent` is told
    /// how many bytes have gone so far. Answers whether any had to.
    pub async fn push_blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        bytes: Bytes,
        sent: Option<Arc<dyn Fn(u64) + Send + Sync>>,
    ) -> Result<bool, PushError> {
        let size = bytes.len() as u64;
        if self.has_blob(reference, digest, size).await? {
            return Ok(false);
        }
        push::blob(&self.line, reference.repository(), digest, bytes, sent).await?;
        Ok(true)
    }

    /// Puts a manifest into `reference`'s repository and makes its tag name it.
    /// What the manifest speaks of has to be there. Answers with its digest.
    pub async fn push_manifest(
        &self,
        reference: &Reference,
        media_type: &'static str,
        bytes: Bytes,
    ) -> Result<Digest, PushError> {
        let Some(tag) = reference.tag().filter(|_| reference.digest().is_none()) else {
            return Err(PushError::NoTag);
        };
        push::manifest(&self.line, reference.repository(), tag, media_type, bytes).await
    }

    /// [`Registry::manifest`] for a thread outside the async runtime.
    pub fn manifest_blocking(&self, reference: &Reference) -> Result<Manifest, PullError> {
        self.runtime.block_on(self.manifest(reference))
    }

    /// [`Registry::blob_from`] for a thread outside the async runtime.
    pub fn blob_from_blocking(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
        from: u64,
    ) -> Result<BlobReader, PullError> {
        self.runtime
            .block_on(self.blob_from(reference, digest, size, from))
    }

    /// [`Registry::blob`] for a thread outside the async runtime.
    pub fn blob_blocking(
        &self,
        reference: &Reference,
        digest: &Digest,
        size: u64,
    ) -> Result<BlobReader, PullError> {
        self.runtime.block_on(self.blob(reference, digest, size))
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Registry({})", self.line.wire.origin())
    }
}

/// The connection to one registry with its login.
struct Line {
    wire: Wire,
    login: Login,
    /// `…/v2/`.
    root: Url,
}

impl Line {
    fn url(&self, repository: &str, kind: &str, name: &str) -> Result<Url, PullError> {
        // Repository and name have no character that means something in a URL:
        // `Reference` and `Digest` see to it.
        self.root
            .join(&format!("{repository}/{kind}/{name}"))
            .map_err(|_| PullError::NoRepository {
                registry: self.wire.registry().to_owned(),
                repository: repository.to_owned(),
            })
    }

    /// Sends `request` with what we may say, and logs in when asked to.
    async fn ask(&self, repository: &str, mut request: Request) -> Result<Answer, PullError> {
        request.authorization = self.login.pass(repository).await;
        let mut renewed = false;
        loop {
            let answer = self.wire.send(&request).await?;
            // A stranger's 401 is never answered.
            if answer.response.status() != 401 || !answer.at_home {
                return Ok(answer);
            }
            if renewed {
                return Err(self.login.rejected(&self.wire, repository).await);
            }
            renewed = true;
            let refused = request.authorization.take();
            let pass = self
                .login
                .renew(&self.wire, repository, refused.as_ref(), &answer)
                .await?;
            request.authorization = Some(pass);
        }
    }

    /// What an answer means that is not the one we wanted. `missing` is what a
    /// 404 is about.
    async fn unwanted(&self, answer: Answer, repository: &str, missing: String) -> PullError {
        let registry = self.wire.registry().to_owned();
        let repository = repository.to_owned();
        match answer.response.status().as_u16() {
            401 if answer.at_home => PullError::Unauthorized {
                registry,
                repository,
                source: None,
            },
            403 => PullError::Forbidden {
                codes: self.wire.codes(answer).await,
                registry,
                repository,
            },
            404 => {
                let codes = self.wire.codes(answer).await;
                if codes.has("NAME_UNKNOWN") || codes.has("NAME_INVALID") {
                    PullError::NoRepository {
                        registry,
                        repository,
                    }
                } else {
                    PullError::NotFound {
                        registry,
                        repository,
                        what: missing,
                        codes,
                    }
                }
            }
            status => self.wire.refused(answer, status).await,
        }
    }
}

/// Whether `host` can only be this machine.
fn is_on_this_machine(host: &str) -> bool {
    Url::parse(&format!("http://{host}/"))
        .ok()
        .and_then(|url| origin::literal_reach(&url))
        .is_some_and(|reach| reach == origin::Reach::Loopback)
}

/// Asks the root of the API for any answer, and says its status.
async fn speaks(wire: &Wire, root: &Url) -> Result<u16, PullError> {
    let mut request = Request::get(root.clone());
    request.within = Some(wire.limits().document);
    let answer = wire.once(&request).await?;
    Ok(answer.response.status().as_u16())
}

fn accepted() -> HeaderValue {
    HeaderValue::from_str(&MANIFEST_TYPES.join(", ")).expect("media types are visible ASCII")
}

/// The media type without its parameters, fit to be shown.
fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .unwrap_or_default()
        .trim()
        .chars()
        .filter(char::is_ascii_graphic)
        .take(100)
        .collect::<String>()
        .to_ascii_lowercase()
}
