//! Repositories and their tags.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seaworthy_store::{RepositoryRow, TagRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::image::{ImageDocument, require};
use crate::caller::Caller;
use crate::form::{Asked, InRepository, OfTag};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::sight;

/// A repository.
#[derive(Serialize, ToSchema)]
#[schema(as = Repository)]
pub(crate) struct RepositoryDocument {
    /// Its whole name, such as `team/app`.
    name: String,
    /// The namespace it belongs to.
    namespace: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When something was last pushed.
    #[schema(format = DateTime)]
    pushed_at: Option<String>,
    /// How many tags it has.
    tags: u64,
    /// How many images it has.
    images: u64,
}

impl From<RepositoryRow> for RepositoryDocument {
    fn from(row: RepositoryRow) -> Self {
        Self {
            namespace: row.name.namespace().to_string(),
            name: row.name.to_string(),
            created_at: moment::text(row.created_at),
            pushed_at: row.pushed_at.map(moment::text),
            tags: row.tags,
            images: row.images,
        }
    }
}

/// A tag.
#[derive(Serialize, ToSchema)]
#[schema(as = Tag)]
pub(crate) struct TagDocument {
    /// Its name.
    name: String,
    /// The digest it points to.
    digest: String,
    /// When it last moved.
    #[schema(format = DateTime)]
    updated_at: String,
    /// What it points to, as an image.
    image: Option<ImageDocument>,
}

impl From<TagRow> for TagDocument {
    fn from(row: TagRow) -> Self {
        Self {
            name: row.name.to_string(),
            digest: row.address.to_string(),
            updated_at: moment::text(row.updated_at),
            image: row.image.map(ImageDocument::from),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListRepositories {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those of this namespace.
    namespace: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListTags {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}

/// List repositories
///
/// By name.
#[utoipa::path(
    get,
    path = "/repositories",
    operation_id = "list_repositories",
    tag = "repositories",
    params(ListRepositories),
    responses((status = 200, description = "A page of repositories.", body = Listed<RepositoryDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(asked): Asked<ListRepositories>,
) -> Result<Listed<RepositoryDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let namespace = asked
        .namespace
        .map(|text| text.parse())
        .transpose()
        .map_err(|error| Problem::malformed(format!("`namespace`: {error}")))?;
    let sight = sight::of(&caller.principal);
    let page = shared
        .browse
        .repositories(
            &sight,
            namespace.as_ref(),
            window.after.as_deref(),
            window.limit,
        )
        .await?;
    let last = page.items.last().map(|row| row.name.to_string());
    let items = page.items.into_iter().map(RepositoryDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Show a repository
#[utoipa::path(
    get,
    path = "/repositories/{repository}",
    operation_id = "show_repository",
    tag = "repositories",
    params(("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`.")),
    responses((status = 200, description = "The repository.", body = RepositoryDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    InRepository(repository): InRepository,
) -> Result<Json<RepositoryDocument>, Problem> {
    let row = shared.browse.repository(&repository).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::absent)
}

/// List the tags of a repository
///
/// By name, each with the state and the verdict of what it points to.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/tags",
    operation_id = "list_tags",
    tag = "repositories",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ListTags
    ),
    responses((status = 200, description = "A page of tags.", body = Listed<TagDocument>))
)]
pub(crate) async fn tags(
    State(shared): State<Shared>,
    InRepository(repository): InRepository,
    Asked(asked): Asked<ListTags>,
) -> Result<Listed<TagDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    require(&shared, &repository).await?;
    let page = shared
        .browse
        .tag_rows(&repository, window.after.as_deref(), window.limit)
        .await?;
    let last = page.items.last().map(|row| row.name.to_string());
    let items = page.items.into_iter().map(TagDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Show a tag
#[utoipa::path(
    get,
    path = "/repositories/{repository}/tags/{tag}",
    operation_id = "show_tag",
    tag = "repositories",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("tag" = String, Path, description = "The tag.")
    ),
    responses((status = 200, description = "The tag.", body = TagDocument))
)]
pub(crate) async fn tag(
    State(shared): State<Shared>,
    OfTag(repository, tag): OfTag,
) -> Result<Json<TagDocument>, Problem> {
    let row = shared.browse.tag(&repository, &tag).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::absent)
}

/// Delete a tag
///
/// What it pointed to stays.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/tags/{tag}",
    operation_id = "delete_tag",
    tag = "repositories",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("tag" = String, Path, description = "The tag.")
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn delete_tag(
    State(shared): State<Shared>,
    caller: Caller,
    OfTag(repository, tag): OfTag,
) -> Result<StatusCode, Problem> {
    shared
        .catalog
        .delete_tag(&repository, &tag, &caller.principal.actor)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
