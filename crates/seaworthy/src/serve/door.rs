//! What happens to every request, whoever answers it: an id, a clock, a line in the
//! log, a place in the numbers, and a bound for slow and broken ones.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode};
use axum::middleware::Next;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::guard::Sent;
use super::meter::{Meter, Series, Whose};
use super::route;

/// The header that carries the id of a request, in both directions.
const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a client.
const LONGEST_ID: usize = 64;

/// Answers requests and keeps the books.
#[derive(Clone)]
pub(super) struct Door {
    router: Router,
    meter: Arc<Meter>,
    stall: Duration,
}

impl Door {
    pub(super) fn new(router: Router, meter: Arc<Meter>, stall: Duration) -> Self {
        Self {
            router: router.layer(axum::middleware::from_fn(note_route)),
            meter,
            stall,
        }
    }

    /// Answers one request.
    pub(super) async fn answer(
        self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Watched> {
        let begun = Instant::now();
        let id = id(&request);
        request.headers_mut().insert(ID, id.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        let path = request.uri().path();
        let known = route::of(path);
        let whose = if path.starts_with("/v2/") {
            Whose::Registry
        } else {
            Whose::Other
        };
        let mut record = Record {
            meter: Arc::clone(&self.meter),
            id: id.clone(),
            method: method(request.method()),
            path: route::logged(path),
            route: known.map(Into::into),
            peer,
            whose,
            begun,
            status: 0,
            received: Arc::default(),
            sent: 0,
            is_whole: false,
            span: tracing::Span::none(),
        };
        record.span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
        self.meter.request_begun();
        let told = {
            let meter = Arc::clone(&self.meter);
            let received = Arc::clone(&record.received);
            move |bytes| {
                meter.received(whose, bytes);
                received.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            }
        };
        let request = request.map(|body| Body::new(Sent::new(body, self.stall, Box::new(told))));
        let answered = AssertUnwindSafe(self.router.oneshot(request))
            .catch_unwind()
            .instrument(record.span.clone())
            .await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            // The panic hook has told where.
            Err(_) => broken(),
        };
        response.headers_mut().insert(ID, id);
        record.status = response.status().as_u16();
        if record.route.is_none() {
            let matched = response.extensions().get::<Route>();
            record.route = matched.map(|route| route.0.clone());
        }
        response.map(|inner| {
            // A body without bytes is never asked for any.
            record.is_whole = http_body::Body::is_end_stream(&inner);
            Watched { inner, record }
        })
    }
}

/// The route a request took, for those who see the answer only.
#[derive(Clone)]
struct Route(Box<str>);

async fn note_route(request: axum::extract::Request, next: Next) -> axum::response::Response {
    let matched = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| Route(path.as_str().into()));
    let mut response = next.run(request).await;
    if let Some(route) = matched {
        response.extensions_mut().insert(route);
    }
    response
}

fn broken() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"the server is broken at this place\"}]}\n",
    ));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// The client's own id if it is one, else a new one.
fn id(request: &Request<Incoming>) -> HeaderValue {
    let is_plain = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=LONGEST_ID).contains(&bytes.len())
            && bytes
                .iter()
                .all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(it))
    };
    let theirs = request.headers().get(ID).filter(is_plain).cloned();
    theirs.unwrap_or_else(|| {
        let made = uuid::Uuid::now_v7().simple().to_string();
        HeaderValue::try_from(made).expect("hex digits are a header")
    })
}

/// A method as the numbers have it: a client cannot make new ones.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What is known of one request. It is told when the answer has gone, or when
/// nobody waits for it any more.
struct Record {
    meter: Arc<Meter>,
    id: HeaderValue,
    method: &'static str,
    path: String,
    route: Option<Box<str>>,
    peer: SocketAddr,
    whose: Whose,
    begun: Instant,
    /// 0 while there is no answer.
    status: u16,
    received: Arc<std::sync::atomic::AtomicU64>,
    sent: u64,
    is_whole: bool,
    span: tracing::Span,
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let route = self.route.take().unwrap_or_else(|| "other".into());
        let is_quiet = matches!(&*route, "/healthz" | "/readyz" | "/metrics");
        // The client went away before there was an answer.
        let status = if self.status == 0 { 499 } else { self.status };
        self.meter.request_ended(
            Series {
                method: self.method,
                route,
                status,
            },
            took,
        );
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let received_bytes = self.received.load(std::sync::atomic::Ordering::Relaxed);
        let _inside = self.span.enter();
        // Every field is named here: what a client says beyond method and path
        // (query, headers, body) never reaches the log.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    request = self.id.to_str().unwrap_or_default(),
                    method = self.method,
                    path = %self.path,
                    status,
                    duration_ms,
                    received_bytes,
                    sent_bytes = self.sent,
                    peer = %self.peer.ip(),
                    cut = !self.is_whole,
                    "{} {} {status}",
                    self.method,
                    self.path,
                )
            };
        }
        if is_quiet && status < 500 {
            line!(debug);
        } else {
            line!(info);
        }
    }
}

/// The body of an answer, counted on its way.
pub(super) struct Watched {
    inner: Body,
    record: Record,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.record.sent += bytes;
                this.record.meter.sent(this.record.whose, bytes);
                this.record.is_whole = this.inner.is_end_stream();
            }
            Poll::Ready(None) => this.record.is_whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
