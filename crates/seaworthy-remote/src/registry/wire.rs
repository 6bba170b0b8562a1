//! Sends one request and follows where it leads, hop by hop.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{
    Certificate, Client, ClientBuilder, Identity, Method, NoProxy, RequestBuilder, Response, Url,
};
use tokio::sync::OnceCell;

use super::failure::{Codes, PullError, Refusal};
use super::options::{Limits, Options, Security};
use super::origin::{
    Guard, GuardedNames, Inside, Origin, Reach, literal_address, literal_reach, look_up,
};
use super::payload::Payload;
use crate::secret::Secret;

/// Most redirects of one request.
const MOST_HOPS: usize = 5;

/// How many times as long as for a document a registry may take to answer when it
/// has got all of a blob: it may have to move it.
const TAKING_IN: u32 = 5;

/// Most bytes that are read of an error.
const ERROR_BYTES: u64 = 64 << 10;

/// Connections to one registry, and to those it points us to.
pub(super) struct Wire {
    /// Name of the registry, for messages.
    registry: String,
    origin: Origin,
    /// To the registry itself: whatever the user named is fine.
    home: Client,
    /// To anybody else. Names that lead inside are refused, and the client
    /// certificate stays at home.
    away: OnceCell<Client>,
    /// The same two for what is sent, where silence says nothing: an answer comes
    /// when all has been sent.
    home_up: OnceCell<Client>,
    away_up: OnceCell<Client>,
    guard: Arc<Guard>,
    options: Arc<Options>,
}

/// One request.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Sent to the origin of `url` and to nobody else.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post. Not sent on to another address.
    pub(super) form: Option<String>,
    /// What to send. It may go to another address, without `authorization`.
    pub(super) payload: Option<Payload>,
    /// Time for the answer as a whole, body included.
    pub(super) within: Option<Duration>,
}

impl Request {
    pub(super) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            form: None,
            payload: None,
            within: None,
        }
    }
}

/// What came back, after the redirects.
pub(super) struct Answer {
    pub(super) response: Response,
    /// Who answered, in the end.
    pub(super) host: String,
    /// Whether that is still the origin the request was for.
    pub(super) at_home: bool,
}

impl Wire {
    /// Prepares connections to `origin`. Resolves its name to know which
    /// networks it lies in.
    pub(super) async fn open(
        registry: &str,
        origin: Origin,
        options: Arc<Options>,
    ) -> Result<Self, PullError> {
        let host = origin.host();
        let proxies: Vec<Box<str>> = [&options.proxy.http, &options.proxy.https]
            .into_iter()
            .flatten()
            .filter_map(|url| Some(Url::parse(url.reveal()).ok()?.host_str()?.into()))
            .collect();
        let home_reach = if let Some(address) = literal_address(host) {
            Reach::of(address)
        } else {
            match look_up(host).await {
                Ok(found) => Reach::of_all(found.iter().map(SocketAddr::ip)),
                // The proxy may know names that we do not.
                Err(_) if !proxies.is_empty() => Reach::Public,
                Err(source) => {
                    return Err(PullError::NoSuchHost {
                        host: host.to_owned(),
                        source: Box::new(source),
                    });
                }
            }
        };
        let guard = Arc::new(Guard {
            home: home_reach,
            proxies,
        });
        let home = builder(registry, &options, Side::Home(&origin), Way::Down)?;
        Ok(Self {
            registry: registry.to_owned(),
            origin,
            home: build(registry, home)?,
            away: OnceCell::new(),
            home_up: OnceCell::new(),
            away_up: OnceCell::new(),
            guard,
            options,
        })
    }

    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Whether the registry may point us to `url`, from an address that was
    /// `encrypted` or not.
    pub(super) fn judge(&self, url: &Url, encrypted: bool) -> Result<Origin, Refusal> {
        let origin = Origin::of(url).ok_or(Refusal::NoAddress)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserName);
        }
        if encrypted && !origin.is_encrypted() {
            return Err(Refusal::Downgrade);
        }
        if origin == self.origin {
            return Ok(origin);
        }
        let inside = literal_reach(url).is_some_and(|there| !self.guard.home.may_point_to(there));
        // The proxy is exempt from the guard, so nobody may send us to it.
        if inside || self.guard.is_proxy(origin.host()) {
            return Err(Refusal::Inside);
        }
        Ok(origin)
    }

    /// Sends `request` and follows redirects. Tries again what may pass: 429 and
    /// 502 to 504, and connections that broke; but not what carries a payload:
    /// where that begins again is not decided here.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, PullError> {
        let mut tries = 0;
        loop {
            let outcome = self.follow(request).await;
            let limits = self.limits();
            let asked_wait = match &outcome {
                Ok(answer) if matches!(answer.response.status().as_u16(), 429 | 502..=504) => {
                    retry_after(answer.response.headers())
                }
                Err(PullError::Broken { .. }) => None,
                _ => return outcome,
            };
            if request.payload.is_some()
                || tries >= limits.retries
                || asked_wait.is_some_and(|wait| wait > limits.longest_wait)
            {
                return outcome;
            }
            tracing::debug!(
                registry.name = self.registry,
                "`{}` is asked again after a pause",
                self.registry
            );
            match asked_wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => self.pause(tries).await,
            }
            tries += 1;
        }
    }

    /// Like [`Wire::send`], without a second try.
    pub(super) async fn once(&self, request: &Request) -> Result<Answer, PullError> {
        self.follow(request).await
    }

    async fn follow(&self, request: &Request) -> Result<Answer, PullError> {
        let start = Origin::of(&request.url);
        let mut url = request.url.clone();
        let mut authorization = request.authorization.clone();
        let mut at_home = true;
        for _ in 0..=MOST_HOPS {
            let origin = Origin::of(&url);
            if origin != start {
                // For good: whoever sends us back here does not get to choose
                // which of our secrets arrive.
                authorization = None;
                at_home = false;
            }
            let host = place(&url);
            let way = match &request.payload {
                Some(_) => Way::Up,
                None => Way::Down,
            };
            let client = self.client(origin.as_ref(), way).await?;
            let mut call = client
                .request(request.method.clone(), url.clone())
                .headers(request.headers.clone());
            if let Some(value) = &authorization {
                call = call.header(AUTHORIZATION, value.clone());
            }
            if let Some(form) = &request.form {
                call = call
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.clone());
            }
            if let Some(within) = request.within {
                call = call.timeout(within);
            }
            let response = match &request.payload {
                Some(payload) => self.deliver(call, payload, &host).await?,
                None => call
                    .send()
                    .await
                    .map_err(|error| self.failed(&host, error))?,
            };
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer {
                    response,
                    host,
                    at_home,
                });
            }
            let refused = |to: String, refusal| PullError::Redirect {
                registry: self.registry.clone(),
                to,
                refusal,
            };
            let next = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
                .filter(|text| text.len() <= 16 << 10)
                .and_then(|text| url.join(text).ok())
                .ok_or_else(|| refused("nowhere".into(), Refusal::NoAddress))?;
            let shown = Origin::of(&next).map_or_else(|| "no host".into(), |it| format!("`{it}`"));
            let encrypted = origin.is_some_and(|origin| origin.is_encrypted());
            self.judge(&next, encrypted)
                .map_err(|refusal| refused(shown.clone(), refusal))?;
            if request.form.is_some() {
                return Err(refused(shown, Refusal::Secret));
            }
            let keeps = matches!(response.status().as_u16(), 307 | 308);
            if !keeps && !matches!(request.method, Method::GET | Method::HEAD) {
                return Err(refused(shown, Refusal::Method));
            }
            url = next;
        }
        Err(PullError::Redirect {
            registry: self.registry.clone(),
            to: "yet another address".into(),
            refusal: Refusal::TooMany,
        })
    }

    /// Who talks to `origin`.
    async fn client(&self, origin: Option<&Origin>, way: Way) -> Result<&Client, PullError> {
        let at_home = origin == Some(&self.origin);
        let cell = match (at_home, way) {
            (true, Way::Down) => return Ok(&self.home),
            (true, Way::Up) => &self.home_up,
            (false, Way::Down) => &self.away,
            (false, Way::Up) => &self.away_up,
        };
        cell.get_or_try_init(|| async {
            let builder = if at_home {
                builder(&self.registry, &self.options, Side::Home(&self.origin), way)?
            } else {
                builder(&self.registry, &self.options, Side::Away, way)?
                    .dns_resolver(GuardedNames(Arc::clone(&self.guard)))
            };
            build(&self.registry, builder)
        })
        .await
    }

    /// Sends `payload`, and gives up when none of it went for too long, or when
    /// all of it went and no answer comes.
    async fn deliver(
        &self,
        call: RequestBuilder,
        payload: &Payload,
        host: &str,
    ) -> Result<Response, PullError> {
        let limits = self.limits();
        let (body, sent) = payload.body();
        let mut sending = pin!(call.body(body).send());
        loop {
            let before = sent.load(Ordering::Relaxed);
            let patience = if before >= payload.bytes() {
                limits.document.saturating_mul(TAKING_IN)
            } else {
                limits.idle
            };
            match tokio::time::timeout(patience, &mut sending).await {
                Ok(answer) => return answer.map_err(|error| self.failed(host, error)),
                Err(_) if sent.load(Ordering::Relaxed) > before => {}
                Err(_) => {
                    let host = host.to_owned();
                    return Err(PullError::Timeout { host });
                }
            }
        }
    }

    /// Says what went wrong on the way to `host`.
    pub(super) fn failed(&self, host: &str, error: reqwest::Error) -> PullError {
        let host = host.to_owned();
        let inside = causes(&error).any(<dyn Error>::is::<Inside>);
        let tls = causes(&error)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::InvalidData);
        let (connect, dns, timeout) = (error.is_connect(), error.is_dns(), error.is_timeout());
        if inside {
            return PullError::Redirect {
                registry: self.registry.clone(),
                to: format!("`{host}`"),
                refusal: Refusal::Inside,
            };
        }
        if timeout {
            return PullError::Timeout { host };
        }
        let source = innermost(&error.without_url());
        if dns {
            PullError::NoSuchHost { host, source }
        } else if connect && tls {
            PullError::Tls { host, source }
        } else if connect {
            PullError::Connect { host, source }
        } else {
            PullError::Broken {
                host,
                source: Some(source),
            }
        }
    }

    /// Reads the whole body of `answer`, which is `what`.
    pub(super) async fn body(
        &self,
        answer: Answer,
        limit: u64,
        what: impl Fn() -> String,
    ) -> Result<Bytes, PullError> {
        let too_large = || PullError::TooLarge {
            what: what(),
            limit,
        };
        let Answer {
            mut response, host, ..
        } = answer;
        if content_length(response.headers()).is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.failed(&host, error))?
        {
            if (body.len() as u64).saturating_add(chunk.len() as u64) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Waits as long as is decent before the retry after `tries` others.
    pub(super) async fn pause(&self, tries: u32) {
        let limits = self.limits();
        let wait = backoff(limits.first_wait, tries).min(limits.longest_wait);
        tokio::time::sleep(wait).await;
    }

    /// What an answer with `status` means, wherever it comes from.
    pub(super) async fn refused(&self, answer: Answer, status: u16) -> PullError {
        match status {
            429 => PullError::TooManyRequests {
                registry: self.registry.clone(),
                retry_after: retry_after(answer.response.headers()),
            },
            500..=599 => PullError::Server {
                host: answer.host.clone(),
                codes: self.codes(answer).await,
                status,
            },
            _ => PullError::Status {
                host: answer.host,
                status,
            },
        }
    }

    /// The error codes in an answer that is not the one we wanted.
    pub(super) async fn codes(&self, answer: Answer) -> Codes {
        match self.body(answer, ERROR_BYTES, String::new).await {
            Ok(body) => Codes::read(&body),
            // The status has said enough.
            Err(_) => Codes::default(),
        }
    }
}

/// Whom a client talks to.
#[derive(Clone, Copy)]
enum Side<'a> {
    Home(&'a Origin),
    Away,
}

/// Where most of the bytes go.
#[derive(Clone, Copy)]
enum Way {
    Down,
    Up,
}

fn build(registry: &str, builder: ClientBuilder) -> Result<Client, PullError> {
    builder.build().map_err(|source| PullError::Options {
        registry: registry.to_owned(),
        what: "the certificates or the proxy are refused",
        source: Some(innermost(&source.without_url())),
    })
}

fn builder(
    registry: &str,
    options: &Options,
    side: Side<'_>,
    way: Way,
) -> Result<ClientBuilder, PullError> {
    let refused = |what| PullError::Options {
        registry: registry.to_owned(),
        what,
        // The text of the fault may quote a proxy's password.
        source: None,
    };
    let limits = &options.limits;
    let mut builder = Client::builder()
        // Each hop is ours to judge, and the environment is not ours to read.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(&options.user_agent)
        .connect_timeout(limits.connect);
    if matches!(way, Way::Down) {
        builder = builder.read_timeout(limits.idle);
    }
    if let (Side::Home(_), Some(identity)) = (side, &options.identity) {
        let identity = Identity::from_pem(identity.reveal().as_bytes())
            .map_err(|_| refused("the client certificate and key are not readable PEM"))?;
        builder = builder.identity(identity);
    }
    let mut authorities = Vec::new();
    for pem in &options.authorities {
        let found = Certificate::from_pem_bundle(pem)
            .map_err(|_| refused("an authority is not a readable PEM certificate"))?;
        if found.is_empty() {
            return Err(refused("a file of authorities has no certificate in it"));
        }
        authorities.extend(found);
    }
    builder = match (side, options.security) {
        (_, Security::Unverified) => builder.tls_danger_accept_invalid_certs(true),
        // No TLS here, so no need for a system that has certificates.
        (Side::Home(origin), _) if !origin.is_encrypted() => builder.tls_certs_only([]),
        (_, Security::Verified | Security::Plain) => builder.tls_certs_merge(authorities),
    };
    let except = NoProxy::from_string(&format!(
        "localhost,127.0.0.0/8,::1,{}",
        options.proxy.except
    ));
    let revealed = |url: &Option<Secret>| url.as_ref().map(|url| url.reveal().to_owned());
    let http = revealed(&options.proxy.http).map(reqwest::Proxy::http);
    let https = revealed(&options.proxy.https).map(reqwest::Proxy::https);
    for proxy in [http, https].into_iter().flatten() {
        let proxy = proxy.map_err(|_| refused("the proxy is not an `http://` address"))?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    Ok(builder)
}

/// Whom `url` leads to, as people write it: with a port only if it has one.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `Retry-After` in seconds. The form with a date would need the clock, which is
/// the front door's; such a wait is ours to choose.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// Twice as long each time, with up to half of it added at random, so that many
/// clients do not come back in step.
fn backoff(first: Duration, tries: u32) -> Duration {
    let wait = first.saturating_mul(1 << tries.min(10));
    let chance = RandomState::new().build_hasher().finish() % 512;
    wait.saturating_add(wait.saturating_mul(u32::try_from(chance).unwrap_or(0)) / 1024)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        // An I/O error that wraps another one hides it from `source`.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The deepest cause alone. The layers above it only repeat that a request
/// failed.
fn innermost(error: &reqwest::Error) -> Box<dyn Error + Send + Sync> {
    let text = causes(error).last().map(ToString::to_string);
    text.unwrap_or_else(|| error.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_but_stays_bounded() {
        let first = Duration::from_millis(100);
        for tries in 0..20 {
            let wait = backoff(first, tries);
            let least = first * (1 << tries.min(10));
            assert!(wait >= least && wait < least * 3 / 2, "{tries}: {wait:?}");
        }
    }

    #[test]
    fn only_seconds_are_read_of_retry_after() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(read("17"), Some(17));
        assert_eq!(read("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("99999999999999999999999"), None);
    }
}
