//! The rules of a namespace: which tags never move, and what is removed when.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use seaworthy_store::{
    NamespaceSettings, Pattern, Removable, Removal, RetentionRule, StoredNamespace,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::namespace::{expected, stored};
use crate::caller::Caller;
use crate::form::{Body, InNamespace};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::tag;

/// The most rules of one kind.
const MOST_RULES: usize = 100;

/// The rules of a namespace: what never moves, and what is removed when.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NamespaceRules)]
pub(crate) struct RulesDocument {
    /// Patterns of tags that never move and are never deleted: `*` and `?` stand for
    /// other characters.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    immutable_tags: Vec<Pattern>,
    /// What is removed when.
    #[serde(default)]
    #[schema(value_type = Vec<RetentionDocument>)]
    retention: Vec<RetentionRule>,
}

/// What rules would remove now.
#[derive(Serialize, ToSchema)]
#[schema(as = RetentionPlan)]
pub(crate) struct PlanDocument {
    /// How much it is.
    total: usize,
    /// The first 1000 of it.
    removals: Vec<RemovalDocument>,
}

/// Something that a rule would remove.
#[derive(Serialize, ToSchema)]
#[schema(as = Removal)]
pub(crate) struct RemovalDocument {
    repository: String,
    /// The tag, where it is one.
    tag: Option<String>,
    /// The digest that the tag points to, or of the manifest that goes.
    digest: String,
    /// Why.
    reason: String,
}

impl From<Removal> for RemovalDocument {
    fn from(removal: Removal) -> Self {
        let (tag, digest) = match removal.what {
            Removable::Tag { tag, address, .. } => (Some(tag.to_string()), address),
            Removable::Manifest { address, .. } => (None, address),
        };
        Self {
            repository: removal.repository.to_string(),
            tag,
            digest: digest.to_string(),
            reason: removal.reason,
        }
    }
}

/// A rule of what is kept. A tag that no rule is about stays.
#[derive(ToSchema)]
#[schema(as = RetentionRule)]
#[expect(dead_code, reason = "it describes the rule that the store reads")]
pub(crate) struct RetentionDocument {
    /// A pattern of the repositories it is about; all where it is absent.
    repositories: Option<String>,
    /// A pattern of the tags it is about; all where it is absent.
    tags: Option<String>,
    /// Keeps this many tags of a repository, those that moved last.
    keep_newest: Option<u32>,
    /// Keeps tags that moved within this many days.
    keep_pushed_days: Option<u32>,
    /// Keeps tags whose image was pulled within this many days.
    keep_pulled_days: Option<u32>,
    /// Removes manifests without a tag after this many days.
    untagged_days: Option<u32>,
}

impl RulesDocument {
    fn of(settings: NamespaceSettings) -> Self {
        Self {
            immutable_tags: settings.immutable_tags,
            retention: settings.retention,
        }
    }

    fn put_into(self, settings: &NamespaceSettings) -> NamespaceSettings {
        NamespaceSettings {
            immutable_tags: self.immutable_tags,
            retention: self.retention,
            ..*settings
        }
    }
}

/// The same tag: rules and settings are changed one after the other.
fn rules_answer(namespace: StoredNamespace) -> Response {
    let tag = tag::of_revision(namespace.revision);
    let document = Json(RulesDocument::of(namespace.settings));
    ([(header::ETAG, tag)], document).into_response()
}

/// Show the rules of a namespace
///
/// Which tags never move, and what is removed when.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/rules",
    operation_id = "show_rules",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The rules.", body = RulesDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
) -> Result<Response, Problem> {
    stored(&shared, &namespace).await.map(rules_answer)
}

/// Change the rules of a namespace
///
/// All of them are replaced. Send `If-Match` with the `ETag` that was seen.
#[utoipa::path(
    put,
    path = "/namespaces/{namespace}/rules",
    operation_id = "change_rules",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    request_body = RulesDocument,
    responses((status = 200, description = "As they are now.", body = RulesDocument))
)]
pub(crate) async fn change(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    headers: HeaderMap,
    Body(form): Body<RulesDocument>,
) -> Result<Response, Problem> {
    let stored = expected(&shared, &namespace, &headers).await?;
    let settings = form.put_into(&stored.settings);
    let actor = &caller.principal.actor;
    let changed = shared
        .catalog
        .update_namespace(&namespace, Some(stored.revision), &settings, actor)
        .await?;
    Ok(rules_answer(changed))
}

/// The most removals that are listed.
const MOST_REMOVALS: usize = 1000;

/// Try rules out
///
/// Tells what these rules would remove now. Nothing is saved, and nothing is removed.
#[utoipa::path(
    post,
    path = "/namespaces/{namespace}/rules/plan",
    operation_id = "try_rules",
    tag = "namespaces",
    params(("namespace" = String, Path, description = "Its name.")),
    request_body = RulesDocument,
    responses((status = 200, description = "What would go.", body = PlanDocument))
)]
pub(crate) async fn plan(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
    Body(form): Body<RulesDocument>,
) -> Result<Json<PlanDocument>, Problem> {
    let stored = stored(&shared, &namespace).await?;
    let settings = form.put_into(&stored.settings);
    if settings.retention.len() > MOST_RULES || settings.immutable_tags.len() > MOST_RULES {
        return Err(Problem::invalid(format!(
            "a namespace has at most {MOST_RULES} rules of a kind"
        )));
    }
    let removals = shared.catalog.try_retention(&namespace, &settings).await?;
    Ok(Json(PlanDocument {
        total: removals.len(),
        removals: removals
            .into_iter()
            .take(MOST_REMOVALS)
            .map(RemovalDocument::from)
            .collect(),
    }))
}
