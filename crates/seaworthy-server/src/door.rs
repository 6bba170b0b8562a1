//! What happens to every request: it gets a number, is counted, and its caller is
//! identified; and what every answer carries.

use std::panic::AssertUnwindSafe;

use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use http_body::Body as _;
use rand::RngExt;
use seaworthy_access::{Credential, IdentifyError};
use tracing::Instrument;

use crate::address;
use crate::caller::{Caller, Shown, shown};
use crate::page::{self, NextCursor};
use crate::problem::{Kind, Problem};
use crate::rate::Answer;
use crate::shared::Shared;
use crate::tag;

/// A page of another site cannot send it without being allowed to, and nobody allows
/// it: whoever sends it with the cookie of a session meant to.
pub(crate) const MEANT: HeaderName = HeaderName::from_static("x-seaworthy-request");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers up to this size get an entity tag by their bytes.
const TAGGED: u64 = 1 << 20;

/// All that happens around the routes.
pub(crate) async fn door(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let span = tracing::info_span!(
        "request",
        request.id = &*id,
        http.method = %request.method(),
        http.path = request.uri().path()
    );
    let method = request.method().clone();
    let headers = request.headers().clone();
    let uri = request
        .extensions()
        .get::<OriginalUri>()
        .map_or_else(|| request.uri().clone(), |it| it.0.clone());
    let inner = async {
        let mut rates = Vec::new();
        let answer = match admit(&shared, &mut request, &mut rates).await {
            // A panic is a bug of ours. It ends this request and nothing else.
            Ok(()) => AssertUnwindSafe(next.run(request))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    tracing::error!("a handler broke off");
                    Problem::internal().into_response()
                }),
            Err(problem) => problem.into_response(),
        };
        (answer, rates)
    };
    let (mut response, rates) = inner.instrument(span).await;
    if let Some(NextCursor(next)) = response.extensions().get::<NextCursor>().cloned() {
        let link = page::link(uri.path(), uri.query().unwrap_or_default(), &next);
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    let mut response = tagged(&method, &headers, response).await;
    dress(&mut response, &id, &rates);
    response
}

/// The client's own number for the request where it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |text: &&str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(harmless);
    given.map_or_else(
        || HEXLOWER.encode(&rand::rng().random::<[u8; 16]>()),
        str::to_owned,
    )
}

/// Counts the request and says who asks.
async fn admit(
    shared: &Shared,
    request: &mut Request,
    rates: &mut Vec<Answer>,
) -> Result<(), Problem> {
    let address = address::of(request.extensions());
    let now = shared.database.now();
    count(shared.addresses.take(&address, now), rates)?;
    let shown = shown(request.headers(), shared.cookies)?;
    let (shown, session) = match shown {
        Shown::Nothing => (Credential::None, None),
        Shown::Header(credential) => (credential, None),
        Shown::Cookie(secret) => (Credential::Session(secret.0.clone()), Some(secret)),
    };
    let (principal, shown, session) = match shared.authority.identify(&shown).await {
        Ok(principal) => (principal, shown, session),
        // A browser keeps the cookie of a session that has ended. Whoever has one must
        // be able to sign in again.
        Err(IdentifyError::Invalid) if session.is_some() => {
            let nothing = Credential::None;
            let principal = shared.authority.identify(&nothing).await?;
            (principal, nothing, None)
        }
        Err(error) => return Err(error.into()),
    };
    if principal.account.is_some() {
        let who = principal.actor.as_str().to_owned();
        count(shared.principals.take(&who, now), rates)?;
    }
    let is_safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if session.is_some() && !is_safe && !request.headers().contains_key(MEANT) {
        return Err(Problem::new(
            Kind::CrossSite,
            "with the cookie of a session, send `x-seaworthy-request: 1`",
        ));
    }
    request.extensions_mut().insert(shared.clone());
    request.extensions_mut().insert(Caller { principal, shown });
    Ok(())
}

fn count(answer: Option<Answer>, rates: &mut Vec<Answer>) -> Result<(), Problem> {
    let Some(answer) = answer else { return Ok(()) };
    rates.push(answer);
    if answer.allowed {
        Ok(())
    } else {
        Err(Problem::new(Kind::TooMany, "").retry_after(answer.wait_seconds))
    }
}

/// Gives a JSON answer to a reading request an entity tag, and answers that nothing
/// changed where the client knows it.
async fn tagged(method: &Method, asked: &HeaderMap, response: Response) -> Response {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    if !is_read || response.status() != StatusCode::OK {
        return response;
    }
    if let Some(tag) = response.headers().get(header::ETAG).cloned() {
        return if tag::is_known(asked, &tag) {
            unchanged(tag)
        } else {
            response
        };
    }
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let size = response.body().size_hint().exact();
    if !is_json || size.is_none_or(|size| size > TAGGED) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Its size was told before, so that this reads what is in memory already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Problem::internal().into_response();
    };
    let tag = tag::of_bytes(&bytes);
    if tag::is_known(asked, &tag) {
        return unchanged(tag);
    }
    parts.headers.insert(header::ETAG, tag);
    Response::from_parts(parts, Body::from(bytes))
}

fn unchanged(tag: HeaderValue) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// The headers that every answer has.
fn dress(response: &mut Response, id: &str, rates: &[Answer]) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What one may see depends on who asks. A copy may be kept by whoever asked, who
    // looks again before each use.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-cache"));
    headers.append(
        header::VARY,
        HeaderValue::from_static("authorization, cookie"),
    );
    // The tightest bucket is the one that matters to whoever reads this.
    if let Some(answer) = rates.iter().min_by_key(|answer| answer.remaining) {
        for (name, value) in [
            ("ratelimit-limit", u64::from(answer.limit)),
            ("ratelimit-remaining", u64::from(answer.remaining)),
            ("ratelimit-reset", answer.wait_seconds),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}
