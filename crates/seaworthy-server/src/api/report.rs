//! Reports of an image: the newest, the history, one, and what changed.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use seaworthy_store::{ImageRow, Packed, ReportRow, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::image::OutcomeWord;
use crate::form::{Asked, Named, OfImage};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// A report in the history of an image.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportDocument {
    /// Its number.
    report: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// The digest of the edition it was made with.
    edition: Option<String>,
    /// What the policy said.
    verdict: OutcomeWord,
    /// Findings by severity, packages, and what else is counted.
    #[schema(value_type = Object)]
    summary: Value,
    /// Whether the whole document is kept, or its numbers only.
    document: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListReports {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}

fn stored_json(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Unreadable(format!("a report: {error}")).into())
}

fn listed(row: &ReportRow) -> Result<ReportDocument, Problem> {
    Ok(ReportDocument {
        report: row.id,
        made_at: moment::text(row.made_at),
        edition: row.edition.as_deref().map(str::to_owned),
        verdict: OutcomeWord::of(&row.outcome),
        summary: stored_json(&row.summary)?,
        document: row.has_document,
    })
}

/// The image that the path names.
pub(crate) async fn image(shared: &Shared, named: &OfImage) -> Result<ImageRow, Problem> {
    let row = shared.browse.image(&named.0, &named.1).await?;
    row.ok_or_else(Problem::absent)
}

/// Sends a document as it is kept. It never changes, so its number is its tag.
async fn send(packed: Packed, report: i64) -> Result<Response, Problem> {
    let bytes = tokio::task::spawn_blocking(move || packed.unpack())
        .await
        .map_err(|_| Problem::internal())??;
    let tag = format!("\"report-{report}\"");
    let tag = HeaderValue::try_from(tag).map_err(|_| Problem::internal())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::ETAG, tag),
    ];
    Ok((headers, bytes).into_response())
}

/// Show the newest report
///
/// The document `seaworthy.report/1`, described in docs/json-report.md.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/report",
    operation_id = "show_newest_report",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image.")
    ),
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json"))
)]
pub(crate) async fn newest(
    State(shared): State<Shared>,
    named: OfImage,
) -> Result<Response, Problem> {
    let row = image(&shared, &named).await?;
    let report = row.report.ok_or_else(Problem::absent)?;
    let packed = shared.scans.document(row.id, Some(report)).await?;
    send(packed.ok_or_else(Problem::absent)?, report).await
}

/// List the reports of an image
///
/// Newest first. Old ones are kept as numbers only.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/reports",
    operation_id = "list_reports",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image."),
        ListReports
    ),
    responses((status = 200, description = "A page of reports.", body = Listed<ReportDocument>))
)]
pub(crate) async fn history(
    State(shared): State<Shared>,
    named: OfImage,
    Asked(asked): Asked<ListReports>,
) -> Result<Listed<ReportDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let row = image(&shared, &named).await?;
    let page = shared
        .browse
        .reports(row.id, window.number()?, window.limit)
        .await?;
    let last = page.items.last().map(|row| row.id.to_string());
    let items = page.items.iter().map(listed).collect::<Result<_, _>>()?;
    Ok(Listed::of(items, last, page.more))
}

/// Show one report of an image
///
/// The document, where it is still kept.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/reports/{report}",
    operation_id = "show_report",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image."),
        ("report" = i64, Path, description = "The number of the report.")
    ),
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json"))
)]
pub(crate) async fn one(
    State(shared): State<Shared>,
    named: OfImage,
    Named(report): Named<i64>,
) -> Result<Response, Problem> {
    let row = image(&shared, &named).await?;
    let packed = shared.scans.document(row.id, Some(report)).await?;
    send(packed.ok_or_else(Problem::absent)?, report).await
}

/// Show what a report changed
///
/// What is new, gone and told differently since the report before it.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/difference/{report}",
    operation_id = "show_difference",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image."),
        ("report" = i64, Path, description = "The number of the report.")
    ),
    responses((status = 200, description = "The difference.", body = Object))
)]
pub(crate) async fn difference(
    State(shared): State<Shared>,
    named: OfImage,
    Named(report): Named<i64>,
) -> Result<axum::Json<Value>, Problem> {
    let row = image(&shared, &named).await?;
    let report = shared.browse.report(row.id, report).await?;
    let report = report.ok_or_else(Problem::absent)?;
    stored_json(&report.difference).map(axum::Json)
}
