//! Why something could not be pulled, and what the user can do about it.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use seaworthy_core::Digest;

use crate::credentials::CredentialError;

/// Why something could not be pulled from a registry.
///
/// No variant carries a path, a query, a header or a body of the registry: those
/// may hold secrets, and the registry may have written them for our terminal.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The options cannot be used as they are.
    #[error("cannot set up connections to `{registry}`: {what}")]
    Options {
        /// Name of the registry.
        registry: String,
        /// Which option.
        what: &'static str,
        /// What the network stack said.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// 401: the registry or its token server does not know us.
    #[error("`{registry}` wants a login for `{repository}`")]
    Unauthorized {
        /// Name of the registry.
        registry: String,
        /// What we asked for.
        repository: String,
        /// Why there was no credential to give, if that is so.
        source: Option<Arc<CredentialError>>,
    },
    /// 401 although there was a credential.
    #[error("`{registry}` does not accept the login for `{repository}`")]
    WrongLogin {
        /// Name of the registry.
        registry: String,
        /// What we asked for.
        repository: String,
    },
    /// 403: the registry knows us and will not.
    #[error("`{registry}` forbids reading `{repository}`{codes}")]
    Forbidden {
        /// Name of the registry.
        registry: String,
        /// What we asked for.
        repository: String,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// 404: there is no such repository, or it hides.
    #[error("`{registry}` has no repository `{repository}`, or hides it")]
    NoRepository {
        /// Name of the registry.
        registry: String,
        /// What we asked for.
        repository: String,
    },
    /// 404: the repository has no such tag or digest.
    #[error("`{registry}` has no {what} in `{repository}`{codes}")]
    NotFound {
        /// Name of the registry.
        registry: String,
        /// Where we looked.
        repository: String,
        /// What is missing, such as ``tag `3.20` ``.
        what: String,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// 429, still, after waiting as long as we may.
    #[error("`{registry}` is being asked too often{}", after(*.retry_after))]
    TooManyRequests {
        /// Name of the registry.
        registry: String,
        /// How long the registry wants us to wait, if it says.
        retry_after: Option<Duration>,
    },
    /// 5xx, still, after the retries.
    #[error("`{host}` is in trouble (HTTP status {status}{codes})")]
    Server {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Error codes of the registry.
        codes: Codes,
    },
    /// An answer that no registry should give.
    #[error("`{host}` does not answer like a registry (HTTP status {status})")]
    Status {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// TLS failed: a certificate that nobody vouches for, most of the time.
    #[error("no secure connection to `{host}`")]
    Tls {
        /// Whom we called.
        host: String,
        /// What the TLS stack said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing came for too long.
    #[error("`{host}` did not answer in time")]
    Timeout {
        /// Whom we called.
        host: String,
    },
    /// The name of the host means nothing here.
    #[error("the name `{host}` cannot be resolved")]
    NoSuchHost {
        /// Whom we wanted to call.
        host: String,
        /// What the resolver said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody listens there.
    #[error("cannot connect to `{host}`")]
    Connect {
        /// Whom we called.
        host: String,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The connection broke, and stayed broken after the retries.
    #[error("the connection to `{host}` broke")]
    Broken {
        /// Whom we talked to.
        host: String,
        /// What the network stack said.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// More bytes than allowed.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// What we were reading.
        what: String,
        /// How much it may have.
        limit: u64,
    },
    /// Not the number of bytes that the manifest promises.
    #[error("{what} should have {said} bytes, `{host}` has {found}")]
    Size {
        /// What we were reading.
        what: String,
        /// Who sent it.
        host: String,
        /// As the manifest says.
        said: u64,
        /// As the sender says, or as came.
        found: u64,
    },
    /// The bytes are not those that were asked for.
    #[error("{what} from `{registry}` is not what its digest says: its bytes have {found}")]
    Digest {
        /// What we were reading.
        what: String,
        /// Name of the registry.
        registry: String,
        /// Digest of the bytes that came.
        found: Digest,
    },
    /// The registry names another digest than that of the bytes it sent.
    #[error("`{registry}` says another digest of {what} than its bytes have, {found}")]
    SaidDigest {
        /// What we were reading.
        what: String,
        /// Name of the registry.
        registry: String,
        /// Digest of the bytes that came.
        found: Digest,
    },
    /// Not a manifest of a kind that describes an image.
    #[error("{what} has the media type `{media_type}`, which is not that of an image")]
    MediaType {
        /// What we were reading.
        what: String,
        /// As the registry says, shortened.
        media_type: String,
    },
    /// The registry sent us somewhere we do not go.
    #[error("`{registry}` redirects to {to}, {refusal}")]
    Redirect {
        /// Name of the registry.
        registry: String,
        /// Scheme, host and port, or words.
        to: String,
        /// Why we do not follow.
        refusal: Refusal,
    },
    /// The registry wants our credentials to be shown to somebody else.
    #[error("`{registry}` sends us for a token to {realm}, {refusal}")]
    Realm {
        /// Name of the registry.
        registry: String,
        /// Scheme, host and port, or words.
        realm: String,
        /// Why we do not go there.
        refusal: Refusal,
    },
    /// The registry says 401 without saying how to log in.
    #[error("`{registry}` wants a login of a kind that is not known")]
    Challenge {
        /// Name of the registry.
        registry: String,
    },
    /// The token server answered, but not with a token.
    #[error("the token server `{host}` gave no token")]
    Token {
        /// Who answered.
        host: String,
    },
}

/// Why an address that a registry gave us is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// From `https` to `http`.
    #[error("which is not encrypted")]
    Downgrade,
    /// Loopback, private or link-local, unless the registry is there, too.
    #[error("which is inside a network the registry is not in")]
    Inside,
    /// `user:password@`.
    #[error("with a user name in the address")]
    UserName,
    /// Not an address, or not one of the web.
    #[error("which is not an address of the web")]
    NoAddress,
    /// One hop too many.
    #[error("one redirect too many")]
    TooMany,
    /// The credentials of this registry may not be shown there.
    #[error("which is not trusted with the login of this registry")]
    NotTrusted,
    /// A redirect that would drop what is being sent.
    #[error("in a way that loses what is sent")]
    Method,
    /// A redirect of a request that carries a secret in its body.
    #[error("with a secret in the request")]
    Secret,
}

/// Error codes that a registry gave, such as `DENIED`. Of what a registry says,
/// only these are kept: at most four words of capital letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes(Vec<Box<str>>);

impl Codes {
    /// Reads the error document of the distribution specification. Anything else
    /// has no codes.
    pub(super) fn read(body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Document {
            errors: Vec<Item>,
        }
        #[derive(serde::Deserialize)]
        struct Item {
            code: String,
        }
        let Ok(document) = serde_json::from_slice::<Document>(body) else {
            return Self::default();
        };
        let is_code = |code: &str| {
            (1..=40).contains(&code.len())
                && code
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        Self(
            document
                .errors
                .into_iter()
                .map(|item| item.code.into_boxed_str())
                .filter(|code| is_code(code))
                .take(4)
                .collect(),
        )
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|it| &**it == code)
    }
}

impl std::fmt::Display for Codes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, code) in self.0.iter().enumerate() {
            formatter.write_str(if number == 0 { ": " } else { ", " })?;
            formatter.write_str(code)?;
        }
        Ok(())
    }
}

fn after(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(" and wants us to wait {} seconds", wait.as_secs()))
        .unwrap_or_default()
}

impl PullError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorized { .. } => {
                "log in with `docker login`, or set SEAWORTHY_REGISTRY_USERNAME and SEAWORTHY_REGISTRY_PASSWORD (or SEAWORTHY_REGISTRY_TOKEN); check the name, too: many registries ask for a login where there is no such repository"
            }
            Self::WrongLogin { .. } => {
                "log in again with `docker login`, or check SEAWORTHY_REGISTRY_USERNAME, SEAWORTHY_REGISTRY_PASSWORD and SEAWORTHY_REGISTRY_TOKEN"
            }
            Self::Forbidden { .. } => {
                "check the name and what this login may read; log in with `docker login` or set SEAWORTHY_REGISTRY_USERNAME and SEAWORTHY_REGISTRY_PASSWORD"
            }
            Self::NoRepository { .. } => {
                "check the spelling; if the repository is private, log in with `docker login`"
            }
            Self::NotFound { .. } => "check the tag or digest",
            Self::TooManyRequests { .. } => {
                "wait, or log in with `docker login`: registries allow more to those they know"
            }
            Self::Server { .. } => "try again later",
            Self::Tls { .. } => {
                "name the authority of its certificate with `--registry-ca FILE`, or use `--insecure` for a registry you trust without proof"
            }
            Self::Timeout { .. } | Self::Broken { .. } => {
                "check the network and the proxy, then try again"
            }
            Self::NoSuchHost { .. } => {
                "check the spelling of the registry, the network and the proxy"
            }
            Self::Connect { .. } => "check the address of the registry and its port",
            Self::MediaType { .. } => {
                "only image manifests and image indexes can be scanned: OCI, or docker schema 2"
            }
            Self::Digest { .. } | Self::SaidDigest { .. } | Self::Size { .. } => {
                "the registry, or something between, changed the bytes: do not use this image"
            }
            Self::Realm {
                refusal: Refusal::NotTrusted,
                ..
            } => "if this token server belongs to the registry, name its host as a trusted realm",
            Self::Options { .. } => {
                "check the proxy and the certificates; without certificates of the system (package `ca-certificates`), name one with `--registry-ca FILE`"
            }
            Self::Status { .. }
            | Self::TooLarge { .. }
            | Self::Redirect { .. }
            | Self::Realm { .. }
            | Self::Challenge { .. }
            | Self::Token { .. } => return None,
        })
    }

    /// The error as a reader reports it.
    pub(super) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Timeout { .. } => io::ErrorKind::TimedOut,
            Self::Broken { .. } | Self::Connect { .. } => io::ErrorKind::ConnectionAborted,
            Self::Size { .. } => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}

#[cfg(test)]
mod tests {
    use super::Codes;

    #[test]
    fn only_codes_are_kept_of_what_a_registry_says() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":"DENIED","message":"canary"},{"code":"X_Y"}]}"#,
                ": DENIED, X_Y",
            ),
            (r#"{"errors":[{"code":"\u001b[31m"},{"code":"lower"}]}"#, ""),
            (r#"{"errors":[{"code":""}]}"#, ""),
            (r#"{"errors":{}}"#, ""),
            ("<html>", ""),
            (
                r#"{"errors":[{"code":"A"},{"code":"B"},{"code":"C"},{"code":"D"},{"code":"E"}]}"#,
                ": A, B, C, D",
            ),
        ] {
            assert_eq!(Codes::read(body.as_bytes()).to_string(), expected, "{body}");
        }
    }
}
