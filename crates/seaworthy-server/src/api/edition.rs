//! What this installation judges with: its edition and its policy.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::content::SeverityWord;
use crate::problem::Problem;
use crate::shared::Shared;

/// The edition in use.
#[derive(Serialize, ToSchema)]
#[schema(as = Edition)]
pub(crate) struct EditionDocument {
    /// The digest of its bytes.
    digest: String,
    /// Whether it is the small one inside the program.
    starter: bool,
    /// How many advisories it holds.
    advisories: u64,
    /// The serial of its seal, where it has one.
    serial: Option<u64>,
    /// Its feeds.
    feeds: Vec<FeedDocument>,
}

/// A feed of the edition.
#[derive(Serialize, ToSchema)]
#[schema(as = Feed)]
pub(crate) struct FeedDocument {
    /// Such as `osv/Debian`.
    id: String,
    /// The day it is of, where that is known.
    day: Option<String>,
}

/// What is asked of an image.
#[derive(Serialize, ToSchema)]
#[schema(as = Policy)]
pub(crate) struct PolicyDocument {
    /// Findings at this level or above fail.
    fail_on: SeverityWord,
    /// Whether findings without a fix do not fail.
    ignore_unfixed: bool,
    /// How old a feed may be, in days.
    max_age_days: u32,
}

/// Show the edition in use
#[utoipa::path(
    get,
    path = "/edition",
    operation_id = "show_edition",
    tag = "edition",
    responses((status = 200, description = "The edition.", body = EditionDocument))
)]
pub(crate) async fn edition(
    State(shared): State<Shared>,
) -> Result<Json<EditionDocument>, Problem> {
    let assessor = shared.assessor.as_ref().ok_or_else(Problem::absent)?;
    let edition = assessor.edition().ok_or_else(Problem::absent)?;
    Ok(Json(EditionDocument {
        digest: edition.facts.digest.to_string(),
        starter: edition.facts.starter,
        advisories: edition.facts.advisories,
        serial: edition.serial,
        feeds: edition
            .feeds
            .into_iter()
            .map(|(id, day)| FeedDocument { id, day })
            .collect(),
    }))
}

/// Show the policy
///
/// What this installation asks of images.
#[utoipa::path(
    get,
    path = "/policy",
    operation_id = "show_policy",
    tag = "edition",
    responses((status = 200, description = "The policy.", body = PolicyDocument))
)]
pub(crate) async fn policy(State(shared): State<Shared>) -> Result<Json<PolicyDocument>, Problem> {
    let assessor = shared.assessor.as_ref().ok_or_else(Problem::absent)?;
    let policy = assessor.policy();
    Ok(Json(PolicyDocument {
        fail_on: policy.fail_on.into(),
        ignore_unfixed: policy.ignore_unfixed,
        max_age_days: policy.max_age_days,
    }))
}
