//! What OpenID Connect issuers publish, and their token endpoints.
//!
//! Asked are issuers that the settings name, over TLS (plain HTTP stays on this
//! machine), without following redirects. Documents are remembered; whoever shows
//! tokens with made-up keys makes us fetch no more often than every half minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, NoProxy, RequestBuilder, Url};
use serde::Deserialize;
use tokio::time::Instant;

use crate::registry::{Options, Security};
use crate::secret::Secret;

/// Most bytes of a document.
const MOST_BYTES: usize = 512 << 10;
/// How long an issuer may take for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a document is good without asking again.
const REMEMBERED: Duration = Duration::from_hours(1);
/// How long after an attempt the same is not asked for again.
const PAUSE: Duration = Duration::from_secs(30);
/// How long after a failure the same is not asked for again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(3);
/// Documents of more issuers are not remembered.
const MOST_ISSUERS: usize = 200;

/// Issuers, asked from here. Clones share what is remembered.
#[derive(Clone, Debug)]
pub struct Issuers {
    client: Client,
    kept: Arc<Mutex<HashMap<(String, Document), Shelf>>>,
    pause: Duration,
}

/// A place for one document; whoever fetches it holds it meanwhile.
type Shelf = Arc<tokio::sync::Mutex<Kept>>;

#[derive(Debug, Default)]
struct Kept {
    document: Option<(Instant, Bytes)>,
    failed: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Document {
    Discovery,
    Keys,
}

/// Which keys are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysWanted {
    /// Those that are remembered, if they are.
    Any,
    /// Newer ones than those: a key is missing among them.
    Newer,
}

/// Why an issuer gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// Not an `https` address, or one with a query, a fragment or a name in it.
    #[error("`{0}` is no address that an issuer can have; it begins with `https://`")]
    Address(String),
    /// The options cannot be used as they are.
    #[error("cannot set up connections to issuers: {0}")]
    Options(&'static str),
    /// It could not be reached, or the connection broke.
    #[error("cannot ask the issuer `{issuer}`")]
    Away {
        /// Which.
        issuer: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// It refuses.
    #[error("the issuer `{issuer}` answers with HTTP status {status}")]
    Refused {
        /// Which.
        issuer: String,
        /// The HTTP status.
        status: u16,
    },
    /// More than was to be expected.
    #[error("the issuer `{issuer}` answers with more than {MOST_BYTES} bytes")]
    TooMuch {
        /// Which.
        issuer: String,
    },
    /// What it says is not what an issuer says.
    #[error("the discovery document of the issuer `{issuer}` {what}")]
    Discovery {
        /// Which.
        issuer: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It failed a moment ago and is left alone for a while.
    #[error("the issuer `{issuer}` did not answer a moment ago")]
    Resting {
        /// Which.
        issuer: String,
    },
}

/// What of a discovery document is looked at here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
    token_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

impl Issuers {
    /// Prepares connections. Of the options, security, authorities, proxy and time
    /// limits are used.
    pub fn new(options: &Options) -> Result<Self, IssuerError> {
        Ok(Self {
            client: client(options)?,
            kept: Arc::default(),
            pause: PAUSE,
        })
    }

    /// The same with another pause between attempts to fetch newer keys.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The discovery document of an issuer, which names exactly that one.
    pub async fn discovery(&self, issuer: &str) -> Result<Bytes, IssuerError> {
        let shelf = self.shelf(issuer, Document::Discovery);
        let mut kept = shelf.lock().await;
        if let Some(document) = kept.good(REMEMBERED) {
            return Ok(document);
        }
        kept.rest(issuer)?;
        let fetched = self.fetch_discovery(issuer).await;
        kept.keep(fetched)
    }

    /// The keys of an issuer.
    pub async fn keys(&self, issuer: &str, wanted: KeysWanted) -> Result<Bytes, IssuerError> {
        let shelf = self.shelf(issuer, Document::Keys);
        let mut kept = shelf.lock().await;
        let good_for = match wanted {
            KeysWanted::Any => REMEMBERED,
            KeysWanted::Newer => self.pause,
        };
        if let Some(document) = kept.good(good_for) {
            return Ok(document);
        }
        kept.rest(issuer)?;
        let fetched = self.fetch_keys(issuer).await;
        kept.keep(fetched)
    }

    /// What the token endpoint of an issuer answers to a form with these fields. The
    /// field `client_secret` is shown as the issuer wants it.
    pub async fn redeem(
        &self,
        issuer: &str,
        fields: &[(&'static str, Secret)],
    ) -> Result<Bytes, IssuerError> {
        let discovery = self.read_discovery(issuer).await?;
        let endpoint = discovery.token_endpoint.as_deref().unwrap_or_default();
        let endpoint = endpoint_of(issuer, endpoint)?;
        // Without a list it is the header (OpenID Connect Discovery 1.0, section 3).
        let in_form = discovery
            .token_endpoint_auth_methods_supported
            .iter()
            .any(|method| method == "client_secret_post");
        let field = |name| fields.iter().find(|(it, _)| *it == name);
        let shown = match (field("client_id"), field("client_secret")) {
            (Some((_, id)), Some((_, secret))) if !in_form => Some((id, secret)),
            _ => None,
        };
        let sent = fields
            .iter()
            .filter(|(name, _)| *name != "client_secret" || shown.is_none());
        let form = form(sent.map(|(name, value)| (*name, value.reveal())));
        let mut request = self
            .client
            .post(endpoint)
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            )
            .body(form);
        if let Some((id, secret)) = shown {
            // Both are form-encoded before (OAuth 2.0, section 2.3.1).
            let pair = format!("{}:{}", escaped(id.reveal()), escaped(secret.reveal()));
            let value = format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()));
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| IssuerError::Options("the client's secret"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        self.answer(issuer, request).await
    }

    fn shelf(&self, issuer: &str, document: Document) -> Shelf {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_ISSUERS * 2 {
            kept.clear();
        }
        let shelf = kept.entry((issuer.to_owned(), document));
        Arc::clone(shelf.or_default())
    }

    async fn read_discovery(&self, issuer: &str) -> Result<Discovery, IssuerError> {
        let document = self.discovery(issuer).await?;
        discovery_in(issuer, &document)
    }

    async fn fetch_discovery(&self, issuer: &str) -> Result<Bytes, IssuerError> {
        let base = address(issuer)?;
        let text = format!(
            "{}/.well-known/openid-configuration",
            base.as_str().trim_end_matches('/')
        );
        let url = Url::parse(&text).map_err(|_| IssuerError::Address(shown(issuer)))?;
        let document = self.answer(issuer, self.client.get(url)).await?;
        let discovery = discovery_in(issuer, &document)?;
        if discovery.issuer != issuer {
            return Err(IssuerError::Discovery {
                issuer: shown(issuer),
                what: "names another issuer",
            });
        }
        Ok(document)
    }

    async fn fetch_keys(&self, issuer: &str) -> Result<Bytes, IssuerError> {
        let discovery = self.read_discovery(issuer).await?;
        let url = endpoint_of(issuer, &discovery.jwks_uri)?;
        self.answer(issuer, self.client.get(url)).await
    }

    async fn answer(&self, issuer: &str, request: RequestBuilder) -> Result<Bytes, IssuerError> {
        let away = |source: reqwest::Error| IssuerError::Away {
            issuer: shown(issuer),
            source: source.without_url(),
        };
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let mut response = request.send().await.map_err(away)?;
        let status = response.status();
        if !status.is_success() {
            return Err(IssuerError::Refused {
                issuer: shown(issuer),
                status: status.as_u16(),
            });
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(away)? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(IssuerError::TooMuch {
                    issuer: shown(issuer),
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.into())
    }
}

impl Kept {
    /// The document, if it is not older than `age`.
    fn good(&self, age: Duration) -> Option<Bytes> {
        let (at, document) = self.document.as_ref()?;
        (at.elapsed() < age).then(|| document.clone())
    }

    /// Leaves an issuer alone that failed a moment ago.
    fn rest(&self, issuer: &str) -> Result<(), IssuerError> {
        match self.failed {
            Some(at) if at.elapsed() < PAUSE_AFTER_FAILURE => Err(IssuerError::Resting {
                issuer: shown(issuer),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn keep(&mut self, fetched: Result<Bytes, IssuerError>) -> Result<Bytes, IssuerError> {
        match fetched {
            Ok(document) => {
                self.document = Some((Instant::now(), document.clone()));
                self.failed = None;
                Ok(document)
            }
            Err(error) => {
                self.failed = Some(Instant::now());
                Err(error)
            }
        }
    }
}

fn discovery_in(issuer: &str, document: &[u8]) -> Result<Discovery, IssuerError> {
    serde_json::from_slice(document).map_err(|_| IssuerError::Discovery {
        issuer: shown(issuer),
        what: "cannot be read",
    })
}

/// An address that an issuer can have.
fn address(text: &str) -> Result<Url, IssuerError> {
    let wrong = || IssuerError::Address(shown(text));
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if is_plain && is_safe {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// An address that an issuer names: over TLS, unless the issuer is on this machine too.
fn endpoint_of(issuer: &str, text: &str) -> Result<Url, IssuerError> {
    let wrong = || IssuerError::Discovery {
        issuer: shown(issuer),
        what: "names an address that is not `https`",
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_local = address(issuer).is_ok_and(|base| base.scheme() == "http");
    let is_safe =
        url.scheme() == "https" || (is_local && url.scheme() == "http" && is_loopback(&url));
    if is_safe && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(wrong())
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn shown(text: &str) -> String {
    let plain = text.chars().filter(|char| !char.is_control());
    plain.take(200).collect()
}

/// A form, as it is sent.
fn form<'a>(fields: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let pairs = fields.map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => {
                out.push('%');
                out.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
            }
        }
    }
    out
}

fn client(options: &Options) -> Result<Client, IssuerError> {
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
            .map_err(|_| IssuerError::Options("an authority is not a readable PEM certificate"))?;
        authorities.extend(found);
    }
    builder = match options.security {
        // Who signs people in must be who they say: nothing allows less.
        Security::Verified | Security::Unverified => builder.tls_certs_merge(authorities),
        // No TLS here, so no need for a system that has certificates.
        Security::Plain => builder.tls_certs_only([]),
    };
    let except = format!("localhost,127.0.0.0/8,::1,{}", options.proxy.except);
    let except = NoProxy::from_string(&except);
    let revealed = |url: &Option<Secret>| url.as_ref().map(|url| url.reveal().to_owned());
    let http = revealed(&options.proxy.http).map(reqwest::Proxy::http);
    let https = revealed(&options.proxy.https).map(reqwest::Proxy::https);
    for proxy in [http, https].into_iter().flatten() {
        let proxy =
            proxy.map_err(|_| IssuerError::Options("the proxy is not an `http://` address"))?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    // The text of the fault may quote a proxy's password.
    builder
        .build()
        .map_err(|_| IssuerError::Options("the network stack refuses them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_asked_over_tls_or_on_this_machine() {
        for (text, right) in [
            ("https://id.example", true),
            ("https://id.example:8443/realms/a", true),
            ("http://127.0.0.1:5556/dex", true),
            ("http://[::1]:5556", true),
            ("http://id.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("https://me:secret@id.example", false),
            ("https://id.example?x=1", false),
            ("https://id.example#x", false),
            ("file:///etc/passwd", false),
            ("id.example", false),
            ("", false),
        ] {
            assert_eq!(address(text).is_ok(), right, "{text}");
        }
    }

    #[test]
    fn an_issuer_on_the_network_names_only_addresses_over_tls() {
        for (issuer, text, right) in [
            ("https://id.example", "https://keys.example/jwks", true),
            ("https://id.example", "http://id.example/jwks", false),
            ("https://id.example", "http://127.0.0.1/jwks", false),
            ("https://id.example", "file:///etc/passwd", false),
            ("https://id.example", "/jwks", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/jwks", true),
            ("http://127.0.0.1:1", "http://keys.example/jwks", false),
        ] {
            assert_eq!(endpoint_of(issuer, text).is_ok(), right, "{issuer} {text}");
        }
    }

    #[test]
    fn forms_are_escaped() {
        let fields = [("code", "a b&c=d"), ("state", "ü")];
        assert_eq!(form(fields.into_iter()), "code=a%20b%26c%3Dd&state=%C3%BC");
    }
}
