//! Asking for a scan: written down as a job, and answered at once.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use seaworthy_store::{ImageRow, Lane, RequestError};
use serde::Serialize;
use utoipa::ToSchema;

use super::report::image;
use crate::caller::Caller;
use crate::form::{OfImage, OfTag};
use crate::problem::Problem;
use crate::shared::Shared;

/// A scan that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct AcceptedDocument {
    /// The repository.
    repository: String,
    /// The digest of the image.
    digest: String,
    /// The numbers of the jobs: one for each platform.
    jobs: Vec<i64>,
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NoImage => Self::absent(),
            RequestError::MetadataOnly => Self::conflict(error.to_string()),
            RequestError::Store(error) => error.into(),
        }
    }
}

async fn request(shared: &Shared, caller: &Caller, row: &ImageRow) -> Result<Response, Problem> {
    let jobs = shared
        .scans
        .request(row.id, Lane::Manual, &caller.principal.actor)
        .await?;
    let repository = row.repository.as_str().replace('/', "%2F");
    let place = format!("/api/v1/repositories/{repository}/images/{}", row.address);
    let document = AcceptedDocument {
        repository: row.repository.to_string(),
        digest: row.address.to_string(),
        jobs,
    };
    let place = [(header::LOCATION, place)];
    Ok((StatusCode::ACCEPTED, place, Json(document)).into_response())
}

/// Scan an image
///
/// Answers at once; the state of the image tells how far it is. For an index, each
/// platform is scanned.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/images/{digest}/scan",
    operation_id = "scan_image",
    tag = "images",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image.")
    ),
    responses((status = 202, description = "It waits for a worker.", body = AcceptedDocument))
)]
pub(crate) async fn by_digest(
    State(shared): State<Shared>,
    caller: Caller,
    named: OfImage,
) -> Result<Response, Problem> {
    let row = image(&shared, &named).await?;
    request(&shared, &caller, &row).await
}

/// Scan what a tag points to
///
/// Answers at once; the state of the image tells how far it is.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/tags/{tag}/scan",
    operation_id = "scan_tag",
    tag = "repositories",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("tag" = String, Path, description = "The tag.")
    ),
    responses((status = 202, description = "It waits for a worker.", body = AcceptedDocument))
)]
pub(crate) async fn by_tag(
    State(shared): State<Shared>,
    caller: Caller,
    OfTag(repository, tag): OfTag,
) -> Result<Response, Problem> {
    let address = shared.browse.tag_target(&repository, &tag).await?;
    let address = address.ok_or_else(Problem::absent)?;
    let row = image(&shared, &OfImage(repository, address)).await?;
    request(&shared, &caller, &row).await
}
