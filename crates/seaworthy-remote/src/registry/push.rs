//! Gives blobs and manifests to a registry.

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Url};
use seaworthy_core::Digest;
use sha2::{Digest as _, Sha256};

use super::Line;
use super::failure::{Codes, PullError, Refusal};
use super::origin::Origin;
use super::payload::{Payload, Sent};
use super::wire::{Answer, Request, content_length};

/// Longest address of an upload that is followed.
const LONGEST_ADDRESS: usize = 16 << 10;

/// Why something could not be pushed to a registry. What may go wrong with any
/// request is a [`PullError`].
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The registry could not be talked to.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// 403: the registry knows us and will not.
    #[error("`{registry}` forbids writing to `{repository}`{codes}")]
    Forbidden {
        /// Name of the registry.
        registry: String,
        /// Where we wanted to write.
        repository: String,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// 405: nobody writes there.
    #[error("`{registry}` takes nothing{codes}")]
    ReadOnly {
        /// Name of the registry.
        registry: String,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// 413: too much at once for the registry or for something before it.
    #[error("{what}, {bytes} bytes, is too large for `{registry}`")]
    TooLarge {
        /// What we sent.
        what: String,
        /// How much that is.
        bytes: u64,
        /// Name of the registry.
        registry: String,
    },
    /// The registry does not want it.
    #[error("`{registry}` refuses {what} (HTTP status {status}{codes})")]
    Refused {
        /// What we sent.
        what: String,
        /// Name of the registry.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// The registry took something else than we sent.
    #[error("`{registry}` says another digest of {what} than was sent")]
    Changed {
        /// What we sent.
        what: String,
        /// Name of the registry.
        registry: String,
    },
    /// The reference has a digest and no tag: what has that digest is decided.
    #[error("only a tag can be pushed to")]
    NoTag,
}

impl PushError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Pull(PullError::WrongLogin { .. }) => {
                "log in with `docker login` as somebody who may write there, or check \
                 SEAWORTHY_REGISTRY_USERNAME, SEAWORTHY_REGISTRY_PASSWORD and \
                 SEAWORTHY_REGISTRY_TOKEN"
            }
            Self::Pull(error) => return error.hint(),
            Self::Forbidden { .. } => {
                "check the name and what this login may write; log in with `docker login` or set \
                 SEAWORTHY_REGISTRY_USERNAME and SEAWORTHY_REGISTRY_PASSWORD"
            }
            Self::ReadOnly { .. } => {
                "this address only gives: a mirror, or a registry in maintenance; push to the \
                 registry behind it"
            }
            Self::TooLarge { .. } => {
                "the registry, or a proxy before it, limits uploads: raise that limit"
            }
            Self::Refused { .. } => {
                "the registry must take OCI image manifests; some want the repository to be made \
                 first, and some keep a tag as it is"
            }
            Self::Changed { .. } => "something between here and the registry changes the bytes",
            Self::NoTag => "name it like `registry.example/team/advisories:latest`",
        })
    }

    /// Whether trying again may help.
    fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Pull(
                PullError::Broken { .. }
                    | PullError::Server { .. }
                    | PullError::TooManyRequests { .. }
            )
        )
    }
}

/// Whether the registry has the blob, as far as it says.
pub(super) async fn has_blob(
    line: &Line,
    repository: &str,
    digest: &Digest,
    bytes: u64,
) -> Result<bool, PullError> {
    let url = line.url(repository, "blobs", &digest.to_string())?;
    let mut request = Request::new(Method::HEAD, url);
    request.within = Some(line.wire.limits().document);
    let answer = line.ask(repository, request).await?;
    let length = content_length(answer.response.headers());
    Ok(match answer.response.status().as_u16() {
        200 => length.is_none_or(|found| found == bytes),
        404 => false,
        // A registry points elsewhere only for what it has, and elsewhere this way
        // of asking may not be known.
        _ if !answer.at_home => true,
        // Anything else than a clear yes costs a transfer, and no more.
        _ => false,
    })
}

/// Sends one blob, from the start each time it breaks: a session that broke may
/// hold any part of it.
pub(super) async fn blob(
    line: &Line,
    repository: &str,
    digest: &Digest,
    bytes: Bytes,
    told: Option<Sent>,
) -> Result<(), PushError> {
    let payload = Payload::new(bytes, told);
    again(line, async || {
        let Some(mut url) = session(line, repository, digest).await? else {
            return Ok(());
        };
        url.query_pairs_mut()
            .append_pair("digest", &digest.to_string());
        let at_home = Origin::of(&url).as_ref() == Some(line.wire.origin());
        let mut request = Request::new(Method::PUT, url);
        let kind = HeaderValue::from_static("application/octet-stream");
        request.headers.insert(CONTENT_TYPE, kind);
        request.payload = Some(payload.clone());
        let answer = if at_home {
            line.ask(repository, request).await?
        } else {
            // A stranger gets the bytes and no login, and is given none when it
            // asks.
            let mut answer = line.wire.once(&request).await?;
            answer.at_home = false;
            answer
        };
        let what = format!("blob `{digest}`");
        taken(line, repository, answer, digest, what, payload.bytes()).await
    })
    .await
}

/// Sends the manifest that `tag` shall name. Answers with its digest.
pub(super) async fn manifest(
    line: &Line,
    repository: &str,
    tag: &str,
    media_type: &'static str,
    bytes: Bytes,
) -> Result<Digest, PushError> {
    let digest = Digest::from_sha256(Sha256::digest(&bytes).into());
    let payload = Payload::new(bytes, None);
    again(line, async || {
        let mut request = Request::new(Method::PUT, line.url(repository, "manifests", tag)?);
        let kind = HeaderValue::from_static(media_type);
        request.headers.insert(CONTENT_TYPE, kind);
        request.payload = Some(payload.clone());
        request.within = Some(line.wire.limits().document);
        let answer = line.ask(repository, request).await?;
        let what = format!("the manifest of `{tag}`");
        taken(line, repository, answer, &digest, what, payload.bytes()).await
    })
    .await?;
    Ok(digest)
}

/// Tries again what may pass, as often as anything else is.
async fn again(
    line: &Line,
    once: impl AsyncFn() -> Result<(), PushError>,
) -> Result<(), PushError> {
    let limits = line.wire.limits();
    let mut tries = 0;
    loop {
        let failure = match once().await {
            Err(failure) if failure.may_pass() && tries < limits.retries => failure,
            outcome => return outcome,
        };
        match failure {
            PushError::Pull(PullError::TooManyRequests {
                retry_after: Some(wait),
                ..
            }) if wait > limits.longest_wait => return Err(failure),
            PushError::Pull(PullError::TooManyRequests {
                retry_after: Some(wait),
                ..
            }) => tokio::time::sleep(wait).await,
            _ => line.wire.pause(tries).await,
        }
        tries += 1;
    }
}

/// Asks where to send a blob. Nowhere, if the registry says that it has it.
async fn session(line: &Line, repository: &str, digest: &Digest) -> Result<Option<Url>, PushError> {
    let wire = &line.wire;
    let mut request = Request::new(Method::POST, line.url(repository, "blobs", "uploads/")?);
    request
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    request.within = Some(wire.limits().document);
    let answer = line.ask(repository, request).await?;
    match answer.response.status().as_u16() {
        201 => return Ok(None),
        202 => {}
        _ => {
            let what = format!("blob `{digest}`");
            return Err(unwanted(line, repository, answer, what, 0).await);
        }
    }
    let refused = |to: String, refusal| PullError::Redirect {
        registry: wire.registry().to_owned(),
        to,
        refusal,
    };
    let here = answer.response.url();
    let encrypted = wire.origin().is_encrypted() || here.scheme() == "https";
    let url = answer
        .response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .filter(|text| text.len() <= LONGEST_ADDRESS)
        .and_then(|text| here.join(text).ok())
        .ok_or_else(|| refused("nowhere".into(), Refusal::NoAddress))?;
    wire.judge(&url, encrypted).map_err(|refusal| {
        let shown = Origin::of(&url).map_or_else(|| "no host".into(), |it| format!("`{it}`"));
        refused(shown, refusal)
    })?;
    Ok(Some(url))
}

/// Whether the registry took what it was sent.
async fn taken(
    line: &Line,
    repository: &str,
    answer: Answer,
    digest: &Digest,
    what: String,
    bytes: u64,
) -> Result<(), PushError> {
    if !matches!(answer.response.status().as_u16(), 200 | 201 | 204) {
        return Err(unwanted(line, repository, answer, what, bytes).await);
    }
    if said(answer.response.headers()).is_some_and(|said| said != digest.to_string().as_bytes()) {
        return Err(PushError::Changed {
            what,
            registry: line.wire.registry().to_owned(),
        });
    }
    Ok(())
}

fn said(headers: &HeaderMap) -> Option<&[u8]> {
    headers
        .get("docker-content-digest")
        .map(HeaderValue::as_bytes)
}

/// What an answer means that is not the one we wanted.
async fn unwanted(
    line: &Line,
    repository: &str,
    answer: Answer,
    what: String,
    bytes: u64,
) -> PushError {
    let registry = line.wire.registry().to_owned();
    match answer.response.status().as_u16() {
        403 => PushError::Forbidden {
            codes: line.wire.codes(answer).await,
            registry,
            repository: repository.to_owned(),
        },
        405 => PushError::ReadOnly {
            codes: line.wire.codes(answer).await,
            registry,
        },
        413 => PushError::TooLarge {
            what,
            bytes,
            registry,
        },
        status @ (400 | 404 | 409 | 415 | 416 | 422) => PushError::Refused {
            codes: line.wire.codes(answer).await,
            what,
            registry,
            status,
        },
        _ => line.unwanted(answer, repository, what).await.into(),
    }
}
