//! From a request to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::any;
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use crate::answer;
use crate::blob;
use crate::door::Door;
use crate::fault::Fault;
use crate::list;
use crate::manifest;
use crate::options::RegistryOptions;
use crate::query::{self, Plus};
use crate::referrer;
use crate::route::{self, Act, Found, Shown, Within};
use crate::token;
use crate::upload;
use crate::visit::Visit;

/// The registry: whatever [`routes`](crate::routes) lists, and nothing else.
pub fn router(options: RegistryOptions) -> Router {
    let door = Arc::new(Door::of(options));
    let mut router = Router::new();
    for mount in route::MOUNTS {
        let door = Arc::clone(&door);
        let answer = move |request: Request| serve(Arc::clone(&door), request);
        router = router.route(mount, any(answer));
    }
    router
}

/// Every request is answered, whatever happens on the way.
async fn serve(door: Arc<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let caught = AssertUnwindSafe(answer(door, parts, body))
        .catch_unwind()
        .await;
    match caught {
        Ok(Ok(response)) => response,
        Ok(Err(fault)) => fault.answer(),
        Err(_) => Fault::Broken.answer(),
    }
}

async fn answer(door: Arc<Door>, parts: Parts, body: Body) -> Result<Response, Fault> {
    let path = query::decoded(parts.uri.path(), Plus::IsPlus).ok_or(Fault::NoRoute)?;
    let Found { route, name, last } = route::find(&parts.method, &path)?;
    match route.act {
        Act::Token => token::token(&door, &parts, body).await,
        Act::Shown(act) => shown(&door, &parts, act).await,
        Act::Within(right, act) => {
            let repository = name.parse().map_err(Fault::Name)?;
            let last = last.to_owned();
            let principal = door.admit(&parts, right, &repository).await?;
            let visit = Visit {
                door,
                parts,
                principal,
                repository,
                last,
            };
            within(visit, body, act).await
        }
    }
}

/// What depends on who asks.
async fn shown(door: &Door, parts: &Parts, act: Shown) -> Result<Response, Fault> {
    match act {
        Shown::Ping => {
            door.admit_shown(parts).await?;
            let mut response = answer::json("application/json", &serde_json::json!({}));
            answer::tell(&mut response, answer::VERSION, "registry/2.0");
            Ok(response)
        }
        Shown::ListRepositories => {
            let principal = door.admit_to_list(parts).await?;
            list::repositories(door, parts, &principal).await
        }
    }
}

/// What is done within one repository, by somebody who may.
async fn within(visit: Visit, body: Body, act: Within) -> Result<Response, Fault> {
    match act {
        Within::ReadManifest => manifest::read(&visit).await,
        Within::ReadBlob => blob::read(&visit).await,
        Within::FindBlob => blob::find(&visit).await,
        Within::ListTags => list::tags(&visit).await,
        Within::ListReferrers => referrer::list(&visit).await,
        Within::TellUpload => upload::tell(&visit).await,
        Within::PushManifest => to_its_end(manifest::push(visit, body)).await,
        Within::DeleteManifest => to_its_end(manifest::delete(visit)).await,
        Within::DeleteBlob => to_its_end(blob::delete(visit)).await,
        Within::BeginUpload => to_its_end(upload::begin(visit, body)).await,
        Within::AppendUpload => to_its_end(upload::append(visit, body)).await,
        Within::FinishUpload => to_its_end(upload::finish(visit, body)).await,
        Within::CancelUpload => to_its_end(upload::cancel(visit)).await,
    }
}

/// Does what changes something in a task of its own: a client that goes away in the
/// middle does not leave it half done.
async fn to_its_end(
    change: impl Future<Output = Result<Response, Fault>> + Send + 'static,
) -> Result<Response, Fault> {
    tokio::spawn(change.in_current_span())
        .await
        .unwrap_or(Err(Fault::Broken))
}
