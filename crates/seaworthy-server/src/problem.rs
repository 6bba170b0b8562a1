//! Answers that are no success: problem details, RFC 9457.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seaworthy_access::{IdentifyError, Refusal, Right};
use seaworthy_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// What kind of problem it is. The text of `type` is a promise: programs tell problems
/// apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Unauthenticated,
    MissingRight,
    PasswordDue,
    CrossSite,
    Absent,
    Method,
    Conflict,
    Changed,
    TooLarge,
    MediaType,
    Invalid,
    Unconditional,
    TooMany,
    Internal,
    Unavailable,
}

impl Kind {
    fn about(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Malformed => (S::BAD_REQUEST, "malformed", "The request is malformed"),
            Self::Unauthenticated => (
                S::UNAUTHORIZED,
                "unauthenticated",
                "Nobody is signed in, or the credentials are not valid",
            ),
            Self::MissingRight => (S::FORBIDDEN, "missing-right", "A right is missing"),
            Self::PasswordDue => (
                S::FORBIDDEN,
                "password-due",
                "The password must be changed first",
            ),
            Self::CrossSite => (
                S::FORBIDDEN,
                "cross-site",
                "The request does not say that it was meant",
            ),
            Self::Absent => (S::NOT_FOUND, "absent", "It is not there"),
            Self::Method => (
                S::METHOD_NOT_ALLOWED,
                "method",
                "The method is not known here",
            ),
            Self::Conflict => (S::CONFLICT, "conflict", "What is there stands in the way"),
            Self::Changed => (
                S::PRECONDITION_FAILED,
                "changed",
                "It was changed meanwhile",
            ),
            Self::TooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "too-large",
                "The request is too large",
            ),
            Self::MediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The media type is not known here",
            ),
            Self::Invalid => (
                S::UNPROCESSABLE_ENTITY,
                "invalid",
                "What was sent is not allowed",
            ),
            Self::Unconditional => (
                S::PRECONDITION_REQUIRED,
                "unconditional",
                "Say which version is to be changed",
            ),
            Self::TooMany => (S::TOO_MANY_REQUESTS, "too-many", "Too many requests"),
            Self::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something is wrong with this installation",
            ),
            Self::Unavailable => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "This installation cannot answer just now",
            ),
        }
    }
}

/// An answer that is no success.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    right: Option<Right>,
    namespace: Option<String>,
    retry_after: Option<u64>,
}

/// Problem details after RFC 9457.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// Which kind of problem it is, such as `urn:seaworthy:problem:missing-right`.
    #[serde(rename = "type")]
    kind: String,
    /// The same for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// The right that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<String>,
    /// The namespace where it is missing; absent where it is missing everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// In how many seconds it is worth another try.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            right: None,
            namespace: None,
            retry_after: None,
        }
    }

    /// What is not there, or not there for whoever asks: never told apart.
    pub(crate) fn absent() -> Self {
        Self::new(Kind::Absent, "")
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "")
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.kind.about().0
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let chain = chain(&error);
        if error.is_temporary() {
            tracing::warn!("the store is in trouble: {chain}");
            Self::new(Kind::Unavailable, "").retry_after(2)
        } else {
            tracing::error!("the store cannot answer: {chain}");
            Self::internal()
        }
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        out.push_str(": ");
        out.push_str(&inner.to_string());
        cause = inner.source();
    }
    out
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Anonymous(right) => Self {
                right: Some(right),
                ..Self::new(Kind::Unauthenticated, detail)
            },
            Refusal::Missing { right, namespace } => Self {
                right: Some(right),
                namespace: namespace.map(|it| it.to_string()),
                ..Self::new(Kind::MissingRight, detail)
            },
            Refusal::PasswordDue => Self::new(Kind::PasswordDue, detail),
        }
    }
}

impl From<IdentifyError> for Problem {
    fn from(error: IdentifyError) -> Self {
        match error {
            IdentifyError::Invalid => {
                Self::new(Kind::Unauthenticated, "the credentials are not valid")
            }
            IdentifyError::TooMany(seconds) => {
                Self::new(Kind::TooMany, "too many wrong credentials").retry_after(seconds)
            }
            IdentifyError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, word, title) = self.kind.about();
        let document = Document {
            kind: format!("urn:seaworthy:problem:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            right: self.right.map(|right| right.name().to_owned()),
            namespace: self.namespace,
            retry_after: self.retry_after,
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // Not `Basic`: a browser would ask for a password in a window of its own.
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"seaworthy\""),
            );
        }
        (status, headers, Json(document)).into_response()
    }
}
