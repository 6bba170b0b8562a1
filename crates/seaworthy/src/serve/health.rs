//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use seaworthy_remote::Secret;
use seaworthy_store::{Blobs, Database};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use tokio::time::timeout;

use super::meter::{Meter, Page};

/// How long database and blobs may take to answer before we are not ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// What health is made of.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) database: Database,
    pub(super) blobs: Blobs,
    pub(super) meter: Arc<Meter>,
    pub(super) draining: watch::Receiver<bool>,
    pub(super) metrics_token: Option<Secret>,
    /// Writes down what others know.
    pub(super) more: Arc<dyn More>,
}

/// Numbers that are not the front door's own.
pub(super) trait More: Send + Sync {
    /// Writes them down.
    fn write<'a>(
        &'a self,
        page: &'a mut Page,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// The three routes.
pub(super) fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// The process runs and answers. What it depends on is no reason to restart it.
async fn alive() -> Response {
    plain(StatusCode::OK, "alive\n".to_owned())
}

async fn ready(State(health): State<Health>) -> Response {
    let troubles = health.troubles().await;
    if troubles.is_empty() {
        return plain(StatusCode::OK, "ready\n".to_owned());
    }
    let lines: Vec<String> = troubles.iter().map(|it| format!("{it}\n")).collect();
    plain(StatusCode::SERVICE_UNAVAILABLE, lines.concat())
}

impl Health {
    /// What keeps us from serving, by name. Details are for the log only.
    async fn troubles(&self) -> Vec<&'static str> {
        let mut troubles = Vec::new();
        if *self.draining.borrow() {
            troubles.push("draining: this process ends");
        }
        let (database, blobs) = tokio::join!(
            timeout(PATIENCE, self.database.ping()),
            timeout(PATIENCE, self.blobs.ping()),
        );
        match database {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!("not ready: {}", chain(&error));
                troubles.push("database: does not answer");
            }
            Err(_) => troubles.push("database: does not answer in time"),
        }
        match blobs {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!("not ready: {}", chain(&error));
                troubles.push("blobs: do not answer");
            }
            Err(_) => troubles.push("blobs: do not answer in time"),
        }
        troubles
    }

    fn may_read_metrics(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.metrics_token else {
            return true;
        };
        headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .is_some_and(|shown| shown.ct_eq(token.reveal().as_bytes()).into())
    }
}

async fn metrics(State(health): State<Health>, headers: HeaderMap) -> Response {
    if !health.may_read_metrics(&headers) {
        let mut response = plain(
            StatusCode::UNAUTHORIZED,
            "show the token of `metrics_token`\n".to_owned(),
        );
        let bearer = axum::http::HeaderValue::from_static("Bearer realm=\"metrics\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        return response;
    }
    let mut page = Page::default();
    page.family("seaworthy_build_info", "gauge", "Which version this is.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.line("seaworthy_build_info", &version, 1);
    health.meter.write(&mut page);
    health.more.write(&mut page).await;
    let mut response = plain(StatusCode::OK, page.finish());
    let kind = axum::http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn plain(status: StatusCode, text: String) -> Response {
    (
        status,
        [
            (CONTENT_TYPE, "text/plain; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
        ],
        text,
    )
        .into_response()
}

/// An error with all that lies behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
