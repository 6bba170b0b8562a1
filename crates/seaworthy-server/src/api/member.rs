//! Who has which role in a namespace.

use axum::Json;
use axum::extract::State;
use seaworthy_access::{Role, Where};
use seaworthy_store::{Account, AccountKind, AccountName, Namespace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account::{KindWord, RoleWord};
use crate::caller::Caller;
use crate::form::{Asked, InNamespace, Params};
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListMembers {
    /// The most items of a page, from 1 to 200; 50 without it.
    pub(crate) limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// List who has a role in a namespace
///
/// By number.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/members",
    operation_id = "list_members",
    tag = "members",
    params(("namespace" = String, Path, description = "Its name."), ListMembers),
    responses((status = 200, description = "A page of members.", body = Listed<MemberDocument>))
)]
pub(crate) async fn members(
    State(shared): State<Shared>,
    InNamespace(namespace): InNamespace,
    Asked(asked): Asked<ListMembers>,
) -> Result<Listed<MemberDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    require(&shared, &namespace).await?;
    let after = window.number()?.unwrap_or(0);
    let page = shared
        .accounts
        .members(&namespace, after, window.limit)
        .await?;
    let last = page.items.last().map(|account| account.id.to_string());
    let items = page
        .items
        .into_iter()
        .map(|account| MemberDocument::of(account, &namespace));
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Somebody with a role in a namespace: no more is told than those need who look after it.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberDocument {
    /// The number of the account.
    account: i64,
    kind: KindWord,
    name: String,
    display_name: Option<String>,
    disabled: bool,
    /// Roles in this namespace.
    roles: Vec<String>,
}

impl MemberDocument {
    fn of(account: Account, namespace: &Namespace) -> Self {
        Self {
            account: account.id,
            kind: account.kind.into(),
            name: account.name.to_string(),
            display_name: account.display_name.map(String::from),
            disabled: account.is_disabled,
            roles: account
                .grants
                .into_iter()
                .filter(|grant| grant.namespace.as_ref() == Some(namespace))
                .map(|grant| grant.role.into())
                .collect(),
        }
    }
}

pub(crate) async fn require(shared: &Shared, namespace: &Namespace) -> Result<(), Problem> {
    let row = shared.browse.namespace(namespace).await?;
    row.map(drop).ok_or_else(Problem::absent)
}

/// The account that the path names as the audit log does: `user:ada`, `robot:team~ci`.
async fn member(shared: &Shared, params: &Params) -> Result<Account, Problem> {
    let text: String = params.read("member")?;
    let (kind, name) = text.split_once(':').ok_or_else(Problem::absent)?;
    let kind: AccountKind = kind.parse().map_err(|_| Problem::absent())?;
    let name = name.replace('~', "/");
    let name: AccountName = name.parse().map_err(|_| Problem::absent())?;
    let account = shared.accounts.named(kind, &name).await?;
    account.ok_or_else(Problem::absent)
}

/// Give somebody a role in a namespace
#[utoipa::path(
    put,
    path = "/namespaces/{namespace}/members/{member}/roles/{role}",
    operation_id = "give_member_role",
    tag = "members",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("member" = String, Path, description = "Kind and name, such as `user:ada`; a slash as `%2F` or `~`."),
        ("role" = RoleWord, Path, description = "The role.")
    ),
    responses((status = 200, description = "As it is now.", body = MemberDocument))
)]
pub(crate) async fn add_member(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    params: Params,
) -> Result<Json<MemberDocument>, Problem> {
    require(&shared, &namespace).await?;
    let role: Role = params.read("role")?;
    let account = member(&shared, &params).await?;
    let place = Where::In(&namespace);
    let changed = shared
        .authority
        .grant(&caller.principal, account.id, place, role)
        .await?;
    Ok(Json(MemberDocument::of(changed, &namespace)))
}

/// Take a role in a namespace from somebody
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/members/{member}/roles/{role}",
    operation_id = "take_member_role",
    tag = "members",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("member" = String, Path, description = "Kind and name, such as `user:ada`; a slash as `%2F` or `~`."),
        ("role" = RoleWord, Path, description = "The role.")
    ),
    responses((status = 200, description = "As it is now.", body = MemberDocument))
)]
pub(crate) async fn remove_member(
    State(shared): State<Shared>,
    caller: Caller,
    InNamespace(namespace): InNamespace,
    params: Params,
) -> Result<Json<MemberDocument>, Problem> {
    require(&shared, &namespace).await?;
    let role: Role = params.read("role")?;
    let account = member(&shared, &params).await?;
    let place = Where::In(&namespace);
    let changed = shared
        .authority
        .withdraw(&caller.principal, account.id, place, role)
        .await?;
    Ok(Json(MemberDocument::of(changed, &namespace)))
}
