//! Robots of a namespace.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use seaworthy_store::{Account, AccountKind, Namespace, NewAccount};
use serde::Deserialize;
use utoipa::ToSchema;

use super::account::{
    AccountDocument, ChangeAccount, account_name, answer, change, expected, in_seconds, words,
};
use super::member::{ListMembers, require};
use crate::caller::Caller;
use crate::form::{Asked, Body, InNamespace, Params};
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// A robot of a namespace to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeRobot {
    /// Its name: the namespace, a slash, and a name of its own.
    name: String,
    #[serde(default)]
    display_name: Option<String>,
    /// In how many seconds from now it can do nothing any more.
    #[serde(default)]
    expires_in: Option<u32>,
}

/// The robot that the path names: of the namespace that the path names.
pub(crate) async fn robot(shared: &Shared, params: &Params) -> Result<Account, Problem> {
    let namespace: Namespace = params.read("namespace")?;
    let id = params.read("robot")?;
    let account = shared.accounts.account(id).await?;
    account
        .filter(|account| account.namespace.as_ref() == Some(&namespace))
        .ok_or_else(Problem::absent)
}

/// List the robots of a namespace
///
/// By number.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/robots",
    operation_id = "list_robots",
    tag = "robots",
    params(("namespace" = String, Path, description = "Its name."), ListMembers),
    responses((status = 200, description = "A page of robots.", body = Listed<AccountDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
    Asked(asked): Asked<ListMembers>,
) -> Result<Listed<AccountDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    require(&shared, &namespace).await?;
    let after = window.number()?.unwrap_or(0);
    let page = shared
        .accounts
        .list(None, Some(&namespace), after, window.limit)
        .await?;
    let last = page.items.last().map(|account| account.id.to_string());
    let items = page.items.into_iter().map(AccountDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Make a robot of a namespace
///
/// It has no role and no key yet.
#[utoipa::path(
    post,
    path = "/namespaces/{namespace}/robots",
    operation_id = "make_robot",
    tag = "robots",
    params(("namespace" = String, Path, description = "Its name.")),
    request_body = MakeRobot,
    responses((status = 201, description = "It is made.", body = AccountDocument))
)]
pub(crate) async fn make(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    Body(form): Body<MakeRobot>,
) -> Result<(StatusCode, Response), Problem> {
    let new = NewAccount {
        kind: AccountKind::Robot,
        name: account_name(&form.name)?,
        display_name: words("display_name", form.display_name)?,
        email: None,
        password: None,
        must_change: false,
        namespace: Some(namespace),
        expires_at: in_seconds(&shared, form.expires_in),
    };
    let actor = &caller.principal.actor;
    let account = shared.accounts.create(&new, actor).await?;
    Ok((StatusCode::CREATED, answer(account)))
}

/// Show a robot of a namespace
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/robots/{robot}",
    operation_id = "show_robot",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    responses((status = 200, description = "The robot.", body = AccountDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Response, Problem> {
    robot(&shared, &params).await.map(answer)
}

/// Change a robot of a namespace
///
/// Send `If-Match` with the `ETag` that was seen.
#[utoipa::path(
    patch,
    path = "/namespaces/{namespace}/robots/{robot}",
    operation_id = "change_robot",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    request_body = ChangeAccount,
    responses((status = 200, description = "As it is now.", body = AccountDocument))
)]
pub(crate) async fn alter(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
    Body(form): Body<ChangeAccount>,
) -> Result<Response, Problem> {
    let account = robot(&shared, &params).await?;
    change(&shared, &caller, &account, &headers, form).await
}

/// Delete a robot of a namespace
///
/// Send `If-Match` with the `ETag` that was seen.
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/robots/{robot}",
    operation_id = "delete_robot",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let account = robot(&shared, &params).await?;
    let expected = expected(&headers, &account)?;
    let actor = &caller.principal.actor;
    shared.accounts.remove(account.id, expected, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
