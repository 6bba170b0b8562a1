//! Namespaces, their settings and what they hold.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use seaworthy_store::NamespaceRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::form::{Asked, InNamespace};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::sight;
use crate::tag;

/// A namespace with its settings.
#[derive(Serialize, ToSchema)]
#[schema(as = Namespace)]
pub(crate) struct NamespaceDocument {
    /// Its name: the first part of its repositories' names.
    name: String,
    /// Whether anybody may read.
    public: bool,
    /// Whether newly pushed images are scanned by themselves.
    auto_scan: bool,
    /// The most bytes it may hold; absent for no limit.
    quota_bytes: Option<u64>,
    /// How many repositories it has.
    repositories: u64,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Counts up with every change of the settings.
    revision: i64,
}

impl From<NamespaceRow> for NamespaceDocument {
    fn from(row: NamespaceRow) -> Self {
        Self {
            name: row.name.to_string(),
            public: row.is_public,
            auto_scan: row.auto_scan,
            quota_bytes: row.quota_bytes,
            repositories: row.repositories,
            created_at: moment::text(row.created_at),
            revision: row.revision,
        }
    }
}

/// What a namespace holds.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageDocument {
    /// Bytes of its blobs, each counted once, and of its manifests.
    bytes: u64,
    /// The most it may hold; absent for no limit.
    quota_bytes: Option<u64>,
    /// Repositories.
    repositories: u64,
    /// Images, of every class.
    images: u64,
    /// Images that were never scanned, which may be offered for a scan.
    not_scanned: u64,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListNamespaces {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}

/// An answer about a namespace carries the tag of its revision.
pub(crate) fn answer(row: NamespaceRow) -> Response {
    let tag = tag::of_revision(row.revision);
    let document = Json(NamespaceDocument::from(row));
    ([(header::ETAG, tag)], document).into_response()
}

/// List namespaces
///
/// By name.
#[utoipa::path(
    get,
    path = "/namespaces",
    operation_id = "list_namespaces",
    tag = "namespaces",
    params(ListNamespaces),
    responses((status = 200, description = "A page of namespaces.", body = Listed<NamespaceDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(asked): Asked<ListNamespaces>,
) -> Result<Listed<NamespaceDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let sight = sight::of(&caller.principal);
    let page = shared
        .browse
        .namespaces(&sight, window.after.as_deref(), window.limit)
        .await?;
    let last = page.items.last().map(|row| row.name.to_string());
    let items = page.items.into_iter().map(NamespaceDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Show a namespace
///
/// The `ETag` is that of its settings.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}",
    operation_id = "show_namespace",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The namespace.", body = NamespaceDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
) -> Result<Response, Problem> {
    let row = shared.browse.namespace(&namespace).await?;
    row.map(answer).ok_or_else(Problem::absent)
}

/// Show what a namespace holds
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/usage",
    operation_id = "show_usage",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 200, description = "What it holds.", body = UsageDocument))
)]
pub(crate) async fn usage(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
) -> Result<Json<UsageDocument>, Problem> {
    let row = shared.browse.namespace(&namespace).await?;
    let usage = shared.browse.usage(&namespace).await?;
    let (row, usage) = row.zip(usage).ok_or_else(Problem::absent)?;
    Ok(Json(UsageDocument {
        bytes: usage.bytes,
        quota_bytes: row.quota_bytes,
        repositories: usage.repositories,
        images: usage.images,
        not_scanned: usage.not_scanned,
    }))
}
