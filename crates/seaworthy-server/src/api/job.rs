//! Jobs, for those who look after the installation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seaworthy_store::{JobFilter, JobRow, JobState, Lane};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::form::{Asked, Named, Params};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// What becomes of a job: `dead` ones failed for good and are kept with the reason.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub(crate) enum JobStateWord {
    Queued,
    Running,
    Dead,
}

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobDocument {
    /// Its number.
    job: i64,
    /// What is to be done, such as `scan`.
    kind: String,
    /// Which work goes first: `push`, `manual`, `import`, `rescan`.
    lane: String,
    /// What becomes of it.
    state: String,
    /// What it is about.
    #[schema(value_type = Object)]
    body: Value,
    /// How often it was begun.
    attempts: u64,
    /// When it may begin.
    #[schema(format = DateTime)]
    not_before: String,
    /// Until when its worker must say that it lives.
    #[schema(format = DateTime)]
    lease_until: Option<String>,
    /// Who has it.
    worker: Option<String>,
    /// Why it failed last.
    reason: Option<String>,
    /// When it was written down.
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<JobRow> for JobDocument {
    fn from(row: JobRow) -> Self {
        let lane = Lane::ALL
            .into_iter()
            .nth(usize::try_from(row.lane).unwrap_or(usize::MAX));
        Self {
            job: row.id,
            kind: row.kind.into(),
            lane: lane.map_or_else(|| row.lane.to_string(), |lane| lane.name().to_owned()),
            state: row.state.into(),
            body: serde_json::from_str(&row.body).unwrap_or(Value::Null),
            attempts: row.attempts,
            not_before: moment::text(row.not_before),
            lease_until: row.lease_until.map(moment::text),
            worker: row.worker.map(String::from),
            reason: row.reason.map(String::from),
            created_at: moment::text(row.created_at),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListJobs {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<JobStateWord>,
}

/// List jobs
///
/// Newest first. With `state=dead`: those that failed for good, with the reason.
#[utoipa::path(
    get,
    path = "/jobs",
    operation_id = "list_jobs",
    tag = "jobs",
    params(ListJobs),
    responses((status = 200, description = "A page of jobs.", body = Listed<JobDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Asked(asked): Asked<ListJobs>,
) -> Result<Listed<JobDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let filter = JobFilter {
        state: asked.state.map(|word| match word {
            JobStateWord::Queued => JobState::Queued,
            JobStateWord::Running => JobState::Running,
            JobStateWord::Dead => JobState::Dead,
        }),
    };
    let page = shared
        .browse
        .jobs(filter, window.number()?, window.limit)
        .await?;
    let last = page.items.last().map(|row| row.id.to_string());
    let items = page.items.into_iter().map(JobDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Show a job
///
/// One that was done is gone.
#[utoipa::path(
    get,
    path = "/jobs/{job}",
    operation_id = "show_job",
    tag = "jobs",
    params(("job" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The job.", body = JobDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    Named(job): Named<i64>,
) -> Result<Json<JobDocument>, Problem> {
    let row = shared.browse.job(job).await?;
    row.map(|row| Json(row.into())).ok_or_else(Problem::absent)
}

/// Try a dead job again
#[utoipa::path(
    post,
    path = "/jobs/{job}/retry",
    operation_id = "retry_job",
    tag = "jobs",
    params(("job" = i64, Path, description = "Its number.")),
    responses((status = 202, description = "It waits for a worker."))
)]
pub(crate) async fn retry(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    let job = params.read("job")?;
    if shared.jobs.retry(job, &caller.principal.actor).await? {
        return Ok(StatusCode::ACCEPTED);
    }
    Err(missed(&shared, job, "only a dead job is tried again").await?)
}

/// Forget a job that waits or is dead
#[utoipa::path(
    delete,
    path = "/jobs/{job}",
    operation_id = "cancel_job",
    tag = "jobs",
    params(("job" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn cancel(
    State(shared): State<Shared>,
    caller: Caller,
    Named(job): Named<i64>,
) -> Result<StatusCode, Problem> {
    if shared.jobs.cancel(job, &caller.principal.actor).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(missed(&shared, job, "the job is being done").await?)
}

/// Why an act on a job did nothing: it is not there, or in another state.
async fn missed(shared: &Shared, job: i64, why: &str) -> Result<Problem, Problem> {
    Ok(match shared.browse.job(job).await? {
        Some(_) => Problem::conflict(why),
        None => Problem::absent(),
    })
}
