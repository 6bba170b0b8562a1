//! What went wrong, and how clients are told: one enum, one place.

use std::error::Error;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use seaworthy_store::{Address, AddressError, NameError, Part, RepositoryName, StoreError, Tag};
use serde::Serialize;

use crate::document::DocumentError;

/// What a request came to instead of an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("nothing can be asked for here")]
    NoRoute,
    #[error("this is not done by `{method}`; it may be {allowed}")]
    Method { method: String, allowed: String },
    #[error(transparent)]
    Name(NameError),
    #[error("there is no repository `{0}`")]
    NoRepository(RepositoryName),
    #[error("there is no manifest `{0}`")]
    NoManifest(String),
    #[error("there is no blob `{0}`")]
    NoBlob(Address),
    #[error("there is no such upload")]
    NoUpload,
    #[error(transparent)]
    Digest(AddressError),
    #[error("the query says no `digest`")]
    NoDigest,
    #[error("the content has the digest `{found}`, not `{stated}`")]
    WrongDigest { stated: Address, found: Address },
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("a manifest may have up to {limit} bytes")]
    ManifestTooLarge { limit: usize },
    #[error("a blob may have up to {limit} bytes")]
    BlobTooLarge { limit: u64 },
    #[error("the manifest names {} things that are not in the repository", .0.len())]
    Missing(Vec<Part>),
    #[error("{0}")]
    Size(String),
    #[error("the next byte of this upload is {received}")]
    OutOfOrder { location: String, received: u64 },
    #[error("the blob has {size} bytes")]
    Unsatisfiable { size: u64 },
    #[error("{0}")]
    Upload(&'static str),
    #[error("the request took too long")]
    TooSlow,
    #[error("{0}")]
    Query(&'static str),
    #[error("up to {0} tags can be pushed at once")]
    TooManyTags(usize),
    #[error("{why}")]
    Unauthorized { challenge: HeaderValue, why: String },
    #[error("{0}")]
    Denied(String),
    #[error("the tag `{0}` is immutable")]
    Immutable(Tag),
    #[error("{0}")]
    Conflict(String),
    #[error("too many wrong credentials; try again in {0} seconds")]
    TooManyAttempts(u64),
    #[error("{0} uploads are open already; end or cancel some")]
    TooManyUploads(usize),
    #[error("the store is in trouble")]
    Store(#[from] StoreError),
    #[error("the request was given up")]
    Broken,
}

/// How long clients are asked to wait while the store is in trouble.
const PATIENCE_SECONDS: u64 = 5;

/// How many missing things one answer names.
const MOST_NAMED: usize = 100;

#[derive(Serialize)]
struct Errors<'a> {
    errors: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<serde_json::Value>,
}

impl Fault {
    /// Status and error code, after the specification where it has one.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoRoute => (StatusCode::NOT_FOUND, "UNSUPPORTED"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::Name(_) => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::NoRepository(_) => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::NoManifest(_) => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::NoBlob(_) => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::NoUpload => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::Digest(_) | Self::NoDigest | Self::WrongDigest { .. } => {
                (StatusCode::BAD_REQUEST, "DIGEST_INVALID")
            }
            Self::Document(_) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::ManifestTooLarge { .. } | Self::BlobTooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID")
            }
            Self::Missing(_) => (StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN"),
            Self::Size(_) => (StatusCode::BAD_REQUEST, "SIZE_INVALID"),
            Self::OutOfOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::Unsatisfiable { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID"),
            Self::Upload(_) => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "BLOB_UPLOAD_INVALID"),
            Self::Query(_) => (StatusCode::BAD_REQUEST, "UNSUPPORTED"),
            Self::TooManyTags(_) => (StatusCode::URI_TOO_LONG, "UNSUPPORTED"),
            Self::Unauthorized { .. } => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
            Self::Denied(_) => (StatusCode::FORBIDDEN, "DENIED"),
            Self::Immutable(_) | Self::Conflict(_) => (StatusCode::CONFLICT, "DENIED"),
            Self::TooManyAttempts(_) | Self::TooManyUploads(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS")
            }
            Self::Store(error) if error.is_temporary() => {
                (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE")
            }
            Self::Store(_) | Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        }
    }

    fn entries(&self, code: &'static str) -> Vec<Entry<'static>> {
        let entry = |message, detail| Entry {
            code,
            message,
            detail,
        };
        match self {
            Self::Missing(parts) => {
                let named = parts.iter().take(MOST_NAMED);
                let told = named.map(|part| {
                    let detail = serde_json::json!({
                        "digest": part.address.as_str(),
                        "mediaType": part.media_type,
                        "size": part.size,
                    });
                    let message = format!("`{}` is not in the repository", part.address);
                    entry(message, Some(detail))
                });
                told.collect()
            }
            told => vec![entry(told.to_string(), None)],
        }
    }

    fn headers(&self, mut tell: impl FnMut(HeaderName, HeaderValue)) {
        let mut tell_text = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                tell(name, value);
            }
        };
        match self {
            Self::Method { allowed, .. } => tell_text(header::ALLOW, allowed),
            Self::OutOfOrder { location, received } => {
                tell_text(header::LOCATION, location);
                let last = received.saturating_sub(1);
                tell_text(header::RANGE, &format!("0-{last}"));
            }
            Self::Unsatisfiable { size } => {
                tell_text(header::CONTENT_RANGE, &format!("bytes */{size}"));
            }
            Self::Unauthorized { challenge, .. } => {
                tell(header::WWW_AUTHENTICATE, challenge.clone());
            }
            Self::TooManyAttempts(seconds) => {
                tell_text(header::RETRY_AFTER, &seconds.to_string());
            }
            Self::Store(error) if error.is_temporary() => {
                tell_text(header::RETRY_AFTER, &PATIENCE_SECONDS.to_string());
            }
            Self::NoRoute
            | Self::Name(_)
            | Self::NoRepository(_)
            | Self::NoManifest(_)
            | Self::NoBlob(_)
            | Self::NoUpload
            | Self::Digest(_)
            | Self::NoDigest
            | Self::WrongDigest { .. }
            | Self::Document(_)
            | Self::ManifestTooLarge { .. }
            | Self::BlobTooLarge { .. }
            | Self::Missing(_)
            | Self::Size(_)
            | Self::Upload(_)
            | Self::TooSlow
            | Self::Query(_)
            | Self::TooManyTags(_)
            | Self::Denied(_)
            | Self::Immutable(_)
            | Self::Conflict(_)
            | Self::TooManyUploads(_)
            | Self::Store(_)
            | Self::Broken => {}
        }
    }

    /// The answer that tells it. What only concerns us goes to the log.
    pub(crate) fn answer(&self) -> Response {
        let (status, code) = self.kind();
        if let Self::Store(error) = self {
            tracing::error!("{}", chain(error));
        }
        let errors = Errors {
            errors: self.entries(code),
        };
        let body = serde_json::to_vec(&errors).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        self.headers(|name, value| {
            headers.insert(name, value);
        });
        response
    }
}

/// An error with all its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
