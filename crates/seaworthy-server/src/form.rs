//! What comes in: bodies, queries and names in paths, all of it hostile.

use std::str::FromStr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use seaworthy_store::{Address, Namespace, RepositoryName, Tag};
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem};

/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_mins(1);

/// A JSON document as the body of a request. Its type refuses unknown fields.
pub(crate) struct Body<T>(pub(crate) T);

/// The query of a request. Its type refuses unknown parameters.
pub(crate) struct Asked<T>(pub(crate) T);

/// The namespace that the path names. The guard has read it before.
pub(crate) struct InNamespace(pub(crate) Namespace);

/// The repository that the path names. The guard has read it before.
pub(crate) struct InRepository(pub(crate) RepositoryName);

/// The image that the path names: `{digest}` in `{repository}`.
pub(crate) struct OfImage(pub(crate) RepositoryName, pub(crate) Address);

/// The tag that the path names.
pub(crate) struct OfTag(pub(crate) RepositoryName, pub(crate) Tag);

/// The last name of the path, as it is; what is no such name is not there.
pub(crate) struct Named<T>(pub(crate) T);

/// The name of a repository as it stands in a path: with `%2F` or, where a proxy does
/// not let that through, with `~` instead of each slash.
pub(crate) fn repository(text: &str) -> Option<RepositoryName> {
    text.replace('~', "/").parse().ok()
}

pub(crate) async fn param(parts: &mut Parts, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    params
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(Problem::new(
                Kind::MediaType,
                "send `content-type: application/json`",
            ));
        }
        let bytes = tokio::time::timeout(PATIENCE, Bytes::from_request(request, state))
            .await
            .map_err(|_| Problem::malformed("the body did not arrive in time"))?
            .map_err(|rejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    Problem::new(Kind::TooLarge, "")
                } else {
                    Problem::malformed("the body broke off")
                }
            })?;
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The message may quote what was sent, so it is bounded.
        let detail: String = error.to_string().chars().take(300).collect();
        if error.is_data() {
            Problem::invalid(detail)
        } else {
            Problem::malformed(detail)
        }
    })
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                let text = rejection.body_text();
                Problem::malformed(text.chars().take(300).collect::<String>())
            })?;
        Ok(Self(asked))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InNamespace {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let text = param(parts, "namespace").await;
        text.and_then(|text| text.parse().ok())
            .map(Self)
            .ok_or_else(Problem::absent)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InRepository {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let text = param(parts, "repository").await;
        text.and_then(|text| repository(&text))
            .map(Self)
            .ok_or_else(Problem::absent)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfImage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let InRepository(repository) = InRepository::from_request_parts(parts, state).await?;
        let text = param(parts, "digest").await;
        text.and_then(|text| text.parse().ok())
            .map(|address| Self(repository, address))
            .ok_or_else(Problem::absent)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfTag {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let InRepository(repository) = InRepository::from_request_parts(parts, state).await?;
        let text = param(parts, "tag").await;
        text.and_then(|text| text.parse().ok())
            .map(|tag| Self(repository, tag))
            .ok_or_else(Problem::absent)
    }
}

impl<S: Send + Sync, T: FromStr + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(names) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::absent())?;
        names
            .last()
            .and_then(|(_, text)| text.parse().ok())
            .map(Self)
            .ok_or_else(Problem::absent)
    }
}

/// All names of the path.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// The name in the place called `name`; what is no such name is not there.
    pub(crate) fn read<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, text)| text.parse().ok())
            .ok_or_else(Problem::absent)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(names) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::absent())?;
        Ok(Self(names))
    }
}
