//! The audit log: who did what, when.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use seaworthy_store::{AuditCheck, AuditEntry, AuditOrder, AuditQuery, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::form::Asked;
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// How many entries are read at once for an export.
const BATCH: usize = 1000;

/// One line of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct EntryDocument {
    /// Counts up without gaps.
    serial: i64,
    #[schema(format = DateTime)]
    at: String,
    /// Who, such as `user:ada`.
    actor: String,
    /// What was done, such as `manifest.push`.
    action: String,
    /// To what, such as `team/app:1.2`.
    object: String,
    /// What else is known.
    #[schema(value_type = Object)]
    detail: Value,
    /// The hash of this line and of the hash before it, hex.
    hash: String,
}

impl From<AuditEntry> for EntryDocument {
    fn from(entry: AuditEntry) -> Self {
        Self {
            serial: entry.serial,
            at: moment::text(entry.at),
            actor: entry.actor.into(),
            action: entry.action.into(),
            object: entry.object.into(),
            detail: serde_json::from_str(&entry.detail).unwrap_or(Value::Null),
            hash: entry.hash.into(),
        }
    }
}

/// Whether the audit log is as it was written.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditCheck)]
pub(crate) struct CheckDocument {
    whole: bool,
    /// How many entries there are, where it is whole.
    entries: Option<i64>,
    /// The hash of the last entry, to be kept elsewhere, where it is whole.
    head: Option<String>,
    /// Where it shows first that something was changed.
    broken_at: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAudit {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only what this actor did.
    actor: Option<String>,
    /// Only this action; with a full stop at the end, all that begin so.
    action: Option<String>,
    /// Only what was done to objects that begin so.
    object: Option<String>,
}

/// The longest text that is asked for.
const LONGEST: usize = 500;

fn query(asked: &ListAudit) -> Result<AuditQuery, Problem> {
    let word = |text: &Option<String>| -> Result<Option<Box<str>>, Problem> {
        match text {
            Some(text) if text.is_empty() || text.len() > LONGEST => Err(Problem::malformed(
                format!("what is asked for has from 1 to {LONGEST} bytes"),
            )),
            Some(text) => Ok(Some(text.as_str().into())),
            None => Ok(None),
        }
    };
    Ok(AuditQuery {
        actor: word(&asked.actor)?,
        action: word(&asked.action)?,
        object: word(&asked.object)?,
        since: None,
        until: None,
    })
}

/// Read the audit log
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "read_audit",
    tag = "audit",
    params(ListAudit),
    responses((status = 200, description = "A page of entries.", body = Listed<EntryDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Asked(asked): Asked<ListAudit>,
) -> Result<Listed<EntryDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let order = AuditOrder::Before(window.number()?);
    let page = shared
        .audit
        .read(&query(&asked)?, order, window.limit)
        .await?;
    let last = page.items.last().map(|entry| entry.serial.to_string());
    let items = page.items.into_iter().map(EntryDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Export the audit log
///
/// One JSON object a line, oldest first, as it was hashed.
#[utoipa::path(
    get,
    path = "/audit/export",
    operation_id = "export_audit",
    tag = "audit",
    responses((status = 200, description = "All entries.", body = String, content_type = "application/x-ndjson"))
)]
pub(crate) async fn export(State(shared): State<Shared>, _caller: Caller) -> Response {
    let lines = stream::try_unfold(Some(0), move |after| {
        let audit = shared.audit.clone();
        async move {
            let Some(after) = after else {
                return Ok::<_, StoreError>(None);
            };
            let order = AuditOrder::After(after);
            let page = audit.read(&AuditQuery::default(), order, BATCH).await?;
            let mut text = String::new();
            for entry in &page.items {
                text.push_str(&entry.to_json());
                text.push('\n');
            }
            let last = page.items.last().map(|entry| entry.serial);
            let next = last.filter(|_| page.more);
            Ok(Some((Bytes::from(text), next)))
        }
    });
    let kind = HeaderValue::from_static("application/x-ndjson");
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response()
}

/// Verify the audit log
///
/// Reads all of it and checks that every entry follows from the one before.
#[utoipa::path(
    get,
    path = "/audit/check",
    operation_id = "verify_audit",
    tag = "audit",
    responses((status = 200, description = "Whether it is whole.", body = CheckDocument))
)]
pub(crate) async fn check(State(shared): State<Shared>) -> Result<Json<CheckDocument>, Problem> {
    Ok(Json(match shared.audit.verify().await? {
        AuditCheck::Whole { entries, head } => CheckDocument {
            whole: true,
            entries: Some(entries),
            head: Some(head.into()),
            broken_at: None,
        },
        AuditCheck::Broken { serial } => CheckDocument {
            whole: false,
            entries: None,
            head: None,
            broken_at: Some(serial),
        },
    }))
}
