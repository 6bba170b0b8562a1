//! Workload identities: which tokens of other issuers act as which robot.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seaworthy_access::{ClaimPatterns, TrustError};
use seaworthy_store::{Account, WorkloadIdentity, WorkloadIdentityError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::named;
use super::robot::robot;
use crate::caller::Caller;
use crate::form::{Body, Params};
use crate::page::Listed;
use crate::problem::Problem;
use crate::shared::Shared;

/// Which tokens of which issuer act as a robot.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkloadIdentity)]
pub(crate) struct WorkloadDocument {
    /// Its number.
    identity: i64,
    issuer: String,
    audience: String,
    /// Patterns of claims that must be there.
    #[schema(value_type = Object)]
    claims: serde_json::Value,
}

/// Which tokens of which issuer shall act as a robot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeWorkload {
    /// The issuer's address, as its tokens spell it.
    issuer: String,
    /// For whom the tokens must be made.
    audience: String,
    /// Patterns of claims that must be there; at least one.
    claims: BTreeMap<String, String>,
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Refused(refusal) => refusal.into(),
            TrustError::UnknownIssuer(_) | TrustError::Audience | TrustError::Patterns(_) => {
                Self::invalid(error.to_string())
            }
            TrustError::Identity(error) => error.into(),
            TrustError::Store(error) => error.into(),
        }
    }
}

impl From<WorkloadIdentityError> for Problem {
    fn from(error: WorkloadIdentityError) -> Self {
        match error {
            WorkloadIdentityError::NoRobot => {
                Self::conflict("only robots have workload identities")
            }
            WorkloadIdentityError::Absent => Self::absent(),
            WorkloadIdentityError::TooMany => Self::conflict(error.to_string()),
            WorkloadIdentityError::Store(error) => error.into(),
        }
    }
}

impl From<WorkloadIdentity> for WorkloadDocument {
    fn from(identity: WorkloadIdentity) -> Self {
        Self {
            identity: identity.id,
            issuer: identity.issuer.into(),
            audience: identity.audience.into(),
            claims: serde_json::from_str(&identity.claims).unwrap_or(serde_json::Value::Null),
        }
    }
}

async fn list_workloads(
    shared: &Shared,
    account: &Account,
) -> Result<Listed<WorkloadDocument>, Problem> {
    let identities = shared.accounts.workload_identities(account.id).await?;
    let items = identities.into_iter().map(WorkloadDocument::from);
    Ok(Listed::of(items.collect(), None, false))
}

async fn add_workload(
    shared: &Shared,
    caller: &Caller,
    account: &Account,
    form: MakeWorkload,
) -> Result<(StatusCode, Json<WorkloadDocument>), Problem> {
    let claims = ClaimPatterns::new(form.claims).map_err(TrustError::from)?;
    let (issuer, audience) = (&form.issuer, &form.audience);
    let identity = shared
        .authority
        .trust_workload(&caller.principal, account.id, issuer, audience, &claims)
        .await?;
    Ok((StatusCode::CREATED, Json(identity.into())))
}

async fn remove_workload(
    shared: &Shared,
    caller: &Caller,
    account: &Account,
    params: &Params,
) -> Result<StatusCode, Problem> {
    let identity = params.read("identity")?;
    shared
        .authority
        .distrust_workload(&caller.principal, account.id, identity)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the workload identities of a robot of the installation
#[utoipa::path(
    get,
    path = "/accounts/{account}/workload-identities",
    operation_id = "list_workload_identities",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "Workload identities.", body = Listed<WorkloadDocument>))
)]
pub(crate) async fn workloads_of_account(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Listed<WorkloadDocument>, Problem> {
    let account = named(&shared, &params).await?;
    list_workloads(&shared, &account).await
}

/// Let tokens of an issuer act as a robot of the installation
#[utoipa::path(
    post,
    path = "/accounts/{account}/workload-identities",
    operation_id = "add_workload_identity",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    request_body = MakeWorkload,
    responses((status = 201, description = "They do from now on.", body = WorkloadDocument))
)]
pub(crate) async fn add_workload_to_account(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Body(form): Body<MakeWorkload>,
) -> Result<(StatusCode, Json<WorkloadDocument>), Problem> {
    let account = named(&shared, &params).await?;
    add_workload(&shared, &caller, &account, form).await
}

/// Let tokens no longer act as a robot of the installation
#[utoipa::path(
    delete,
    path = "/accounts/{account}/workload-identities/{identity}",
    operation_id = "remove_workload_identity",
    tag = "accounts",
    params(
        ("account" = i64, Path, description = "Its number."),
        ("identity" = i64, Path, description = "The number of the workload identity.")
    ),
    responses((status = 204, description = "They do not any more."))
)]
pub(crate) async fn remove_workload_of_account(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    let account = named(&shared, &params).await?;
    remove_workload(&shared, &caller, &account, &params).await
}

/// List the workload identities of a robot
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/robots/{robot}/workload-identities",
    operation_id = "list_robot_workload_identities",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    responses((status = 200, description = "Workload identities.", body = Listed<WorkloadDocument>))
)]
pub(crate) async fn workloads_of_robot(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Listed<WorkloadDocument>, Problem> {
    let account = robot(&shared, &params).await?;
    list_workloads(&shared, &account).await
}

/// Let tokens of an issuer act as a robot
#[utoipa::path(
    post,
    path = "/namespaces/{namespace}/robots/{robot}/workload-identities",
    operation_id = "add_robot_workload_identity",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    request_body = MakeWorkload,
    responses((status = 201, description = "They do from now on.", body = WorkloadDocument))
)]
pub(crate) async fn add_workload_to_robot(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Body(form): Body<MakeWorkload>,
) -> Result<(StatusCode, Json<WorkloadDocument>), Problem> {
    let account = robot(&shared, &params).await?;
    add_workload(&shared, &caller, &account, form).await
}

/// Let tokens no longer act as a robot
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/robots/{robot}/workload-identities/{identity}",
    operation_id = "remove_robot_workload_identity",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot."),
        ("identity" = i64, Path, description = "The number of the workload identity.")
    ),
    responses((status = 204, description = "They do not any more."))
)]
pub(crate) async fn remove_workload_of_robot(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    let account = robot(&shared, &params).await?;
    remove_workload(&shared, &caller, &account, &params).await
}
