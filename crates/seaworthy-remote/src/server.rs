//! Asks a Seaworthy server through its REST API.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Method, NoProxy, RequestBuilder, StatusCode, Url};

use crate::registry::{Options, Security};
use crate::secret::Secret;

/// Most bytes that are read of a refusal.
const ERROR_BYTES: usize = 64 << 10;

/// Longest text of a refusal that is told, in characters.
const LONGEST_DETAIL: usize = 500;

/// How long a server may take for an answer, which includes judging an inventory.
const PATIENCE: Duration = Duration::from_mins(2);

/// A Seaworthy server. Requests go to its own address and nowhere else: redirects are
/// not followed, so that the token and what is sent stay there.
#[derive(Debug)]
pub struct Server {
    client: Client,
    base: Url,
    token: Option<Secret>,
}

/// Why a server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// What was typed is no address of a server.
    #[error("`{0}` is not the address of a server")]
    Address(String),
    /// Plain HTTP over a network, where a token and an inventory could be read.
    #[error("`{0}` is asked without TLS")]
    Unencrypted(String),
    /// The options cannot be used as they are.
    #[error("cannot set up connections to `{server}`: {what}")]
    Options {
        /// The server.
        server: String,
        /// Which option.
        what: &'static str,
    },
    /// It could not be reached, or the connection broke.
    #[error("cannot ask `{server}`")]
    Away {
        /// The server.
        server: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// 401: it does not know us.
    #[error("`{server}` does not accept the token")]
    Unauthorized {
        /// The server.
        server: String,
    },
    /// 403: it knows us and will not.
    #[error("`{server}` refuses: {detail}")]
    Forbidden {
        /// The server.
        server: String,
        /// In its words, which name the missing right.
        detail: String,
    },
    /// Anything else than an answer.
    #[error("`{server}` answers with HTTP status {status}: {detail}")]
    Refused {
        /// The server.
        server: String,
        /// The HTTP status.
        status: u16,
        /// In its words.
        detail: String,
    },
    /// More than was to be expected.
    #[error("`{server}` answers with more than {most} bytes")]
    TooMuch {
        /// The server.
        server: String,
        /// What was allowed.
        most: usize,
    },
}

impl ServerError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Address(_) => "write it like `https://seaworthy.example`",
            Self::Unencrypted(_) => {
                "use `https://`; --insecure allows plain http, which shows the token to the network"
            }
            Self::Options { .. } => "check --registry-ca and the proxy variables",
            Self::Away { .. } => {
                "check the address, the network and the certificate; --registry-ca trusts another \
                 authority"
            }
            Self::Unauthorized { .. } => {
                "set SEAWORTHY_TOKEN to an API key or a robot's secret, or name a file with \
                 --server-token-file"
            }
            Self::Forbidden { .. } => "ask for a role that has the right, such as `pusher`",
            Self::Refused { status: 404, .. } => {
                "check the address and that its namespace exists: --repository names another place"
            }
            Self::Refused {
                status: 429 | 503, ..
            } => "try again in a moment",
            Self::Refused { .. } => "both programs should be of about the same version",
            Self::TooMuch { .. } => "is that a Seaworthy server?",
        })
    }
}

impl Server {
    /// Prepares connections to the server at `address`. Of the options, security,
    /// authorities, proxy and time limits are used; who we are there says `token`.
    pub fn at(
        address: &str,
        token: Option<Secret>,
        options: &Options,
    ) -> Result<Self, ServerError> {
        let wrong = || ServerError::Address(address.chars().take(200).collect());
        let mut base = Url::parse(address).map_err(|_| wrong())?;
        let is_plain = base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        let host = base.host_str().ok_or_else(wrong)?.to_owned();
        match base.scheme() {
            "https" if is_plain => {}
            "http" if is_plain => {
                if options.security == Security::Verified && !is_loopback(&host) {
                    return Err(ServerError::Unencrypted(place(&base)));
                }
            }
            _ => return Err(wrong()),
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self {
            client: client(&base, options)?,
            base,
            token,
        })
    }

    /// Reads the document at `path`, which has at most `most` bytes.
    pub async fn read(&self, path: &str, most: usize) -> Result<Bytes, ServerError> {
        let request = self.request(Method::GET, path)?;
        self.answer(request, most).await
    }

    /// Sends a JSON document to `path` and answers with what comes back.
    pub async fn send(
        &self,
        path: &str,
        document: Bytes,
        most: usize,
    ) -> Result<Bytes, ServerError> {
        let request = self
            .request(Method::POST, path)?
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(document);
        self.answer(request, most).await
    }

    /// Its name, for messages.
    pub fn name(&self) -> String {
        place(&self.base)
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ServerError> {
        let url = self
            .base
            .join(path.trim_start_matches('/'))
            .map_err(|_| ServerError::Address(path.to_owned()))?;
        let mut request = self
            .client
            .request(method, url)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", token.reveal())).map_err(|_| {
                    ServerError::Options {
                        server: self.name(),
                        what: "the token has characters that no token has",
                    }
                })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn answer(&self, request: RequestBuilder, most: usize) -> Result<Bytes, ServerError> {
        let server = self.name();
        let away = |source: reqwest::Error| ServerError::Away {
            server: server.clone(),
            source: source.without_url(),
        };
        let mut response = request.send().await.map_err(away)?;
        let status = response.status();
        let limit = if status.is_success() {
            most
        } else {
            ERROR_BYTES
        };
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(away)? {
            if body.len() + piece.len() > limit {
                if status.is_success() {
                    return Err(ServerError::TooMuch { server, most });
                }
                break;
            }
            body.extend_from_slice(&piece);
        }
        match status {
            _ if status.is_success() => Ok(body.into()),
            StatusCode::UNAUTHORIZED => Err(ServerError::Unauthorized { server }),
            StatusCode::FORBIDDEN => Err(ServerError::Forbidden {
                server,
                detail: detail(&body),
            }),
            _ => Err(ServerError::Refused {
                server,
                status: status.as_u16(),
                detail: detail(&body),
            }),
        }
    }
}

/// What a problem (RFC 9457) says, or that it says nothing.
fn detail(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = problem.as_ref().and_then(|problem| {
        ["detail", "title"]
            .into_iter()
            .filter_map(|name| problem.get(name)?.as_str())
            .find(|text| !text.is_empty())
    });
    text.unwrap_or("it does not say why")
        .chars()
        .take(LONGEST_DETAIL)
        .collect()
}

fn client(base: &Url, options: &Options) -> Result<Client, ServerError> {
    let refused = |what| ServerError::Options {
        server: place(base),
        what,
    };
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(&options.user_agent)
        .connect_timeout(options.limits.connect)
        .timeout(PATIENCE);
    let mut authorities = Vec::new();
    for pem in &options.authorities {
        let found = Certificate::from_pem_bundle(pem)
            .map_err(|_| refused("an authority is not a readable PEM certificate"))?;
        authorities.extend(found);
    }
    builder = if options.security == Security::Unverified {
        builder.tls_danger_accept_invalid_certs(true)
    } else if base.scheme() == "http" {
        // No TLS here, so no need for a system that has certificates.
        builder.tls_certs_only([])
    } else {
        builder.tls_certs_merge(authorities)
    };
    let except = format!("localhost,127.0.0.0/8,::1,{}", options.proxy.except);
    let except = NoProxy::from_string(&except);
    let revealed = |url: &Option<Secret>| url.as_ref().map(|url| url.reveal().to_owned());
    let http = revealed(&options.proxy.http).map(reqwest::Proxy::http);
    let https = revealed(&options.proxy.https).map(reqwest::Proxy::https);
    for proxy in [http, https].into_iter().flatten() {
        let proxy = proxy.map_err(|_| refused("the proxy is not an `http://` address"))?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    // The text of the fault may quote a proxy's password.
    builder
        .build()
        .map_err(|_| refused("the network stack refuses them"))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_servers_are_taken_and_plain_http_stays_on_this_machine() {
        let at = |address: &str| {
            let options = Options::default();
            Server::at(address, None, &options).map(|it| it.name()).ok()
        };
        for (address, name) in [
            ("https://a.example", Some("a.example")),
            ("https://a.example:8443/x", Some("a.example:8443")),
            ("http://127.0.0.1:8686", Some("127.0.0.1:8686")),
            ("http://[::1]:8686/", Some("[::1]:8686")),
            ("http://a.example", None),
            ("https://me:secret@a.example", None),
            ("https://a.example/?token=1", None),
            ("ftp://a.example", None),
            ("a.example", None),
        ] {
            assert_eq!(at(address).as_deref(), name, "{address}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        assert_eq!(
            detail(br#"{"title":"x","detail":"needs `push`"}"#),
            "needs `push`"
        );
        assert_eq!(detail(br#"{"title":"x","detail":""}"#), "x");
        assert_eq!(detail(b"<html>"), "it does not say why");
    }
}
