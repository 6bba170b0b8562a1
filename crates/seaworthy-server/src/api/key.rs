//! Keys of accounts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seaworthy_access::{Authority, KeyRequest, MakeKeyError, Narrowed, Right};
use seaworthy_store::{ApiKey, KeyError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::{in_seconds, named};
use super::robot::robot;
use crate::caller::Caller;
use crate::form::{Body, Params};
use crate::moment;
use crate::page::Listed;
use crate::problem::Problem;
use crate::shared::Shared;

/// A right.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Right)]
pub(crate) enum RightWord {
    Read,
    Push,
    Delete,
    Scan,
    ManagePolicy,
    ManageConnectors,
    ManageNamespace,
    CreateNamespace,
    ManageAccounts,
    ReadAudit,
    Operate,
}

impl From<RightWord> for Right {
    fn from(word: RightWord) -> Self {
        match word {
            RightWord::Read => Self::Read,
            RightWord::Push => Self::Push,
            RightWord::Delete => Self::Delete,
            RightWord::Scan => Self::Scan,
            RightWord::ManagePolicy => Self::ManagePolicy,
            RightWord::ManageConnectors => Self::ManageConnectors,
            RightWord::ManageNamespace => Self::ManageNamespace,
            RightWord::CreateNamespace => Self::CreateNamespace,
            RightWord::ManageAccounts => Self::ManageAccounts,
            RightWord::ReadAudit => Self::ReadAudit,
            RightWord::Operate => Self::Operate,
        }
    }
}

impl From<Right> for RightWord {
    fn from(right: Right) -> Self {
        match right {
            Right::Read => Self::Read,
            Right::Push => Self::Push,
            Right::Delete => Self::Delete,
            Right::Scan => Self::Scan,
            Right::ManagePolicy => Self::ManagePolicy,
            Right::ManageConnectors => Self::ManageConnectors,
            Right::ManageNamespace => Self::ManageNamespace,
            Right::CreateNamespace => Self::CreateNamespace,
            Right::ManageAccounts => Self::ManageAccounts,
            Right::ReadAudit => Self::ReadAudit,
            Right::Operate => Self::Operate,
        }
    }
}

/// One of the things that a key is good for.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Narrowed)]
pub(crate) struct NarrowedDocument {
    /// The only repository, by its whole name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// The only namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// The only rights.
    rights: Vec<RightWord>,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyDocument {
    /// The part that may be shown to others.
    id: String,
    /// What it is for.
    name: String,
    /// What it is good for; absent for all that its account may.
    narrowed: Option<Vec<NarrowedDocument>>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last used, give or take some minutes.
    #[schema(format = DateTime)]
    used_at: Option<String>,
}

/// A key that was made, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = NewKeyAnswer)]
pub(crate) struct MadeKeyDocument {
    key: KeyDocument,
    /// What to send as `Authorization: Bearer` or as a password; told this once only.
    secret: String,
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeKey {
    /// What it is for, in up to 100 characters.
    name: String,
    /// What it is good for; absent for all that its account may.
    #[serde(default)]
    narrowed: Option<Vec<NarrowedDocument>>,
    /// In how many seconds from now it is good for nothing any more.
    #[serde(default)]
    expires_in: Option<u32>,
}

impl From<MakeKeyError> for Problem {
    fn from(error: MakeKeyError) -> Self {
        match error {
            MakeKeyError::Unfit(why) => Self::invalid(why),
            MakeKeyError::Refused(refusal) => refusal.into(),
            MakeKeyError::Key(error) => match error {
                KeyError::NoAccount | KeyError::Absent => Self::absent(),
                KeyError::TooMany => Self::conflict(error.to_string()),
                KeyError::Store(error) => error.into(),
            },
            MakeKeyError::Store(error) => error.into(),
        }
    }
}

impl From<ApiKey> for KeyDocument {
    fn from(key: ApiKey) -> Self {
        let narrowed = Authority::narrowed_of(&key).map(|items| {
            let items = items.into_iter().map(|item| NarrowedDocument {
                repository: item.repository.map(String::from),
                namespace: item.namespace.map(|it| it.to_string()),
                rights: item.rights.into_iter().map(RightWord::from).collect(),
            });
            items.collect()
        });
        Self {
            id: key.id.into(),
            name: key.name.into(),
            narrowed,
            expires_at: key.expires_at.map(moment::text),
            created_at: moment::text(key.created_at),
            used_at: key.used_at.map(moment::text),
        }
    }
}

async fn list_keys(shared: &Shared, account: i64) -> Result<Listed<KeyDocument>, Problem> {
    let keys = shared.accounts.keys(account).await?;
    let items = keys.into_iter().map(KeyDocument::from);
    Ok(Listed::of(items.collect(), None, false))
}

async fn make_key(
    shared: &Shared,
    caller: &Caller,
    account: i64,
    form: MakeKey,
) -> Result<(StatusCode, Json<MadeKeyDocument>), Problem> {
    let narrowed = form
        .narrowed
        .map(|items| items.into_iter().map(narrow).collect::<Result<_, _>>())
        .transpose()?;
    let request = KeyRequest {
        name: form.name.into(),
        narrowed,
        expires_at: in_seconds(shared, form.expires_in),
    };
    let (key, secret) = shared
        .authority
        .make_key(&caller.principal, account, request)
        .await?;
    let document = MadeKeyDocument {
        key: key.into(),
        secret: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(document)))
}

fn narrow(item: NarrowedDocument) -> Result<Narrowed, Problem> {
    let namespace = item.namespace.as_deref().map(str::parse).transpose();
    Ok(Narrowed {
        repository: item.repository.map(String::into_boxed_str),
        namespace: namespace.map_err(|error| Problem::invalid(format!("`namespace`: {error}")))?,
        rights: item.rights.into_iter().map(Right::from).collect(),
    })
}

async fn revoke_key(
    shared: &Shared,
    caller: &Caller,
    account: i64,
    params: &Params,
) -> Result<StatusCode, Problem> {
    let key: String = params.read("key")?;
    shared
        .authority
        .revoke_key(&caller.principal, account, &key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's own keys
#[utoipa::path(
    get,
    path = "/session/keys",
    operation_id = "list_own_keys",
    tag = "session",
    responses((status = 200, description = "Keys.", body = Listed<KeyDocument>))
)]
pub(crate) async fn own(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<Listed<KeyDocument>, Problem> {
    list_keys(&shared, caller.account()?).await
}

/// Make a key of one's own
///
/// The secret is told this once only.
#[utoipa::path(
    post,
    path = "/session/keys",
    operation_id = "make_own_key",
    tag = "session",
    request_body = MakeKey,
    responses((status = 201, description = "It is made.", body = MadeKeyDocument))
)]
pub(crate) async fn make_own(
    State(shared): State<Shared>,
    caller: Caller,
    Body(form): Body<MakeKey>,
) -> Result<(StatusCode, Json<MadeKeyDocument>), Problem> {
    make_key(&shared, &caller, caller.account()?, form).await
}

/// Revoke a key of one's own
#[utoipa::path(
    delete,
    path = "/session/keys/{key}",
    operation_id = "revoke_own_key",
    tag = "session",
    params(("key" = String, Path, description = "Its `id`.")),
    responses((status = 204, description = "It is good for nothing any more."))
)]
pub(crate) async fn revoke_own(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    revoke_key(&shared, &caller, caller.account()?, &params).await
}

/// List the keys of an account
#[utoipa::path(
    get,
    path = "/accounts/{account}/keys",
    operation_id = "list_keys",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "Keys.", body = Listed<KeyDocument>))
)]
pub(crate) async fn of_account(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Listed<KeyDocument>, Problem> {
    let account = named(&shared, &params).await?;
    list_keys(&shared, account.id).await
}

/// Make a key of an account
///
/// The secret is told this once only.
#[utoipa::path(
    post,
    path = "/accounts/{account}/keys",
    operation_id = "make_key",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    request_body = MakeKey,
    responses((status = 201, description = "It is made.", body = MadeKeyDocument))
)]
pub(crate) async fn make_for_account(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Body(form): Body<MakeKey>,
) -> Result<(StatusCode, Json<MadeKeyDocument>), Problem> {
    let account = named(&shared, &params).await?;
    make_key(&shared, &caller, account.id, form).await
}

/// Revoke a key of an account
#[utoipa::path(
    delete,
    path = "/accounts/{account}/keys/{key}",
    operation_id = "revoke_key",
    tag = "accounts",
    params(
        ("account" = i64, Path, description = "Its number."),
        ("key" = String, Path, description = "The `id` of the key.")
    ),
    responses((status = 204, description = "It is good for nothing any more."))
)]
pub(crate) async fn revoke_of_account(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    let account = named(&shared, &params).await?;
    revoke_key(&shared, &caller, account.id, &params).await
}

/// List the keys of a robot
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/robots/{robot}/keys",
    operation_id = "list_robot_keys",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    responses((status = 200, description = "Keys.", body = Listed<KeyDocument>))
)]
pub(crate) async fn of_robot(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Listed<KeyDocument>, Problem> {
    let account = robot(&shared, &params).await?;
    list_keys(&shared, account.id).await
}

/// Make a key of a robot
///
/// The secret is told this once only.
#[utoipa::path(
    post,
    path = "/namespaces/{namespace}/robots/{robot}/keys",
    operation_id = "make_robot_key",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot.")
    ),
    request_body = MakeKey,
    responses((status = 201, description = "It is made.", body = MadeKeyDocument))
)]
pub(crate) async fn make_for_robot(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Body(form): Body<MakeKey>,
) -> Result<(StatusCode, Json<MadeKeyDocument>), Problem> {
    let account = robot(&shared, &params).await?;
    make_key(&shared, &caller, account.id, form).await
}

/// Revoke a key of a robot
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/robots/{robot}/keys/{key}",
    operation_id = "revoke_robot_key",
    tag = "robots",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("robot" = i64, Path, description = "The number of the robot."),
        ("key" = String, Path, description = "The `id` of the key.")
    ),
    responses((status = 204, description = "It is good for nothing any more."))
)]
pub(crate) async fn revoke_of_robot(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    let account = robot(&shared, &params).await?;
    revoke_key(&shared, &caller, account.id, &params).await
}
