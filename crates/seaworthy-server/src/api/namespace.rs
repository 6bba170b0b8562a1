//! Namespaces, their settings and what they hold.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seaworthy_store::{
    ChangeNamespaceError, CreateNamespaceError, Lane, Namespace, NamespaceRow, NamespaceSettings,
    RequestError, StoredNamespace,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::image::ImageDocument;
use crate::caller::Caller;
use crate::form::{Asked, Body, InNamespace};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use crate::sight;
use crate::tag;

/// A namespace.
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

/// The settings of a namespace.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NamespaceSettings)]
pub(crate) struct SettingsDocument {
    /// Whether anybody may read.
    #[serde(default)]
    public: bool,
    /// Whether images pushed from now on are scanned by themselves. Those that are there
    /// already are not: they are offered.
    #[serde(default = "yes")]
    auto_scan: bool,
    /// Whether manifests may name what is not there (yet), as sparse indexes do.
    #[serde(default)]
    sparse: bool,
    /// The most bytes it may hold; absent for no limit.
    #[serde(default)]
    quota_bytes: Option<u64>,
}

/// A namespace to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeNamespace {
    /// Its name.
    name: String,
    /// Its settings.
    #[serde(default)]
    settings: Option<SettingsDocument>,
}

/// Images that wait for a scan now.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedMany)]
pub(crate) struct AcceptedManyDocument {
    /// How many images.
    images: u64,
    /// Whether there are more: ask again.
    more: bool,
}

fn yes() -> bool {
    true
}

impl SettingsDocument {
    fn of(settings: &NamespaceSettings) -> Self {
        Self {
            public: settings.is_public,
            auto_scan: settings.auto_scan,
            sparse: settings.is_sparse,
            quota_bytes: settings.quota_bytes,
        }
    }

    fn put_into(self, settings: NamespaceSettings) -> NamespaceSettings {
        NamespaceSettings {
            is_public: self.public,
            auto_scan: self.auto_scan,
            is_sparse: self.sparse,
            quota_bytes: self.quota_bytes,
            ..settings
        }
    }
}

impl From<CreateNamespaceError> for Problem {
    fn from(error: CreateNamespaceError) -> Self {
        match error {
            CreateNamespaceError::Taken(_) => Self::conflict(error.to_string()),
            CreateNamespaceError::TooMany => Self::invalid(error.to_string()),
            CreateNamespaceError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeNamespaceError> for Problem {
    fn from(error: ChangeNamespaceError) -> Self {
        match error {
            ChangeNamespaceError::Absent(_) => Self::absent(),
            ChangeNamespaceError::Changed { .. } => Self::new(Kind::Changed, error.to_string()),
            ChangeNamespaceError::NotEmpty(_) => Self::conflict(error.to_string()),
            ChangeNamespaceError::TooMany => Self::invalid(error.to_string()),
            ChangeNamespaceError::Store(error) => error.into(),
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

/// Settings carry the tag of their revision.
fn settings_answer(namespace: &StoredNamespace) -> Response {
    let tag = tag::of_revision(namespace.revision);
    let document = Json(SettingsDocument::of(&namespace.settings));
    ([(header::ETAG, tag)], document).into_response()
}

pub(crate) async fn stored(
    shared: &Shared,
    namespace: &Namespace,
) -> Result<StoredNamespace, Problem> {
    let stored = shared.catalog.namespace(namespace).await?;
    stored.ok_or_else(Problem::absent)
}

/// The namespace that is to be changed, if it is the one that `If-Match` asks for. Who
/// sends `*` changes whatever is there at this moment, and still nothing that they did
/// not: only a part of it is theirs to change.
pub(crate) async fn expected(
    shared: &Shared,
    namespace: &Namespace,
    headers: &HeaderMap,
) -> Result<StoredNamespace, Problem> {
    let stored = stored(shared, namespace).await?;
    tag::require_match(headers, stored.revision)?;
    Ok(stored)
}

/// Make a namespace
#[utoipa::path(
    post,
    path = "/namespaces",
    operation_id = "make_namespace",
    tag = "namespaces",
    request_body = MakeNamespace,
    responses((status = 201, description = "It is made.", body = SettingsDocument))
)]
pub(crate) async fn make(
    State(shared): State<Shared>,
    caller: Caller,
    Body(form): Body<MakeNamespace>,
) -> Result<(StatusCode, Response), Problem> {
    let name: Namespace = form
        .name
        .parse()
        .map_err(|error| Problem::invalid(format!("`name`: {error}")))?;
    let settings = NamespaceSettings::default();
    let settings = match form.settings {
        Some(document) => document.put_into(settings),
        None => settings,
    };
    let made = shared
        .catalog
        .create_namespace(&name, &settings, &caller.principal.actor)
        .await?;
    Ok((StatusCode::CREATED, settings_answer(&made)))
}

/// Show the settings of a namespace
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/settings",
    operation_id = "show_settings",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The settings.", body = SettingsDocument))
)]
pub(crate) async fn settings(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
) -> Result<Response, Problem> {
    let stored = stored(&shared, &namespace).await?;
    Ok(settings_answer(&stored))
}

/// Change the settings of a namespace
///
/// All of them are replaced. Send `If-Match` with the `ETag` that was seen. Turning on
/// `auto_scan` scans nothing that is there already.
#[utoipa::path(
    put,
    path = "/namespaces/{namespace}/settings",
    operation_id = "change_settings",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    request_body = SettingsDocument,
    responses((status = 200, description = "As they are now.", body = SettingsDocument))
)]
pub(crate) async fn change_settings(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    headers: HeaderMap,
    Body(form): Body<SettingsDocument>,
) -> Result<Response, Problem> {
    let stored = expected(&shared, &namespace, &headers).await?;
    let settings = form.put_into(stored.settings);
    let actor = &caller.principal.actor;
    let changed = shared
        .catalog
        .update_namespace(&namespace, Some(stored.revision), &settings, actor)
        .await?;
    Ok(settings_answer(&changed))
}

/// Delete a namespace
///
/// One that holds nothing (any more). Send `If-Match` with the `ETag` of its settings.
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}",
    operation_id = "delete_namespace",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let stored = expected(&shared, &namespace, &headers).await?;
    shared
        .catalog
        .delete_namespace(&namespace, Some(stored.revision), &caller.principal.actor)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List images that were never scanned
///
/// Of a whole namespace, newest first: what is offered when it begins to scan by itself.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/unscanned",
    operation_id = "list_unscanned",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name."), ListNamespaces),
    responses((status = 200, description = "A page of images.", body = Listed<ImageDocument>))
)]
pub(crate) async fn unscanned(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
    Asked(asked): Asked<ListNamespaces>,
) -> Result<Listed<ImageDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let row = shared.browse.namespace(&namespace).await?;
    row.ok_or_else(Problem::absent)?;
    let page = shared
        .browse
        .unscanned(&namespace, window.number()?, window.limit)
        .await?;
    let last = page.items.last().map(|row| row.id.to_string());
    let items = page.items.into_iter().map(ImageDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// The most images that one request sends to be scanned.
const MOST_SCANS: usize = 500;

/// Scan what was never scanned
///
/// Of a whole namespace, at most 500 images at a time. Nothing of the kind happens by
/// itself.
#[utoipa::path(
    post,
    path = "/namespaces/{namespace}/unscanned/scan",
    operation_id = "scan_unscanned",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 202, description = "They wait for a worker.", body = AcceptedManyDocument))
)]
pub(crate) async fn scan_unscanned(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
) -> Result<(StatusCode, Json<AcceptedManyDocument>), Problem> {
    let row = shared.browse.namespace(&namespace).await?;
    row.ok_or_else(Problem::absent)?;
    let page = shared.catalog.unscanned(&namespace, 0, MOST_SCANS).await?;
    let mut images = 0;
    for item in page.items {
        let asked = shared
            .scans
            .request(item.image, Lane::Import, &caller.principal.actor)
            .await;
        match asked {
            Ok(_) => images += 1,
            // It was deleted meanwhile.
            Err(RequestError::NoImage | RequestError::MetadataOnly) => {}
            Err(RequestError::Store(error)) => return Err(error.into()),
        }
    }
    let document = AcceptedManyDocument {
        images,
        more: page.more,
    };
    Ok((StatusCode::ACCEPTED, Json(document)))
}
