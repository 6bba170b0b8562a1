//! Accounts: users and robots, for those who look after them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seaworthy_access::{GrantRoleError, MakeAccountError, NewUser, Role, Where};
use seaworthy_store::{
    Account, AccountChange, AccountKind, AccountName, ChangeAccountError, CreateAccountError,
    Grant, GrantError, GrantOrigin, Millis, Namespace, NewAccount,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::form::{Asked, Body, Params};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use crate::tag;

/// What an account is of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountKind)]
pub(crate) enum KindWord {
    User,
    Robot,
}

impl From<KindWord> for AccountKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::User => Self::User,
            KindWord::Robot => Self::Robot,
        }
    }
}

impl From<AccountKind> for KindWord {
    fn from(kind: AccountKind) -> Self {
        match kind {
            AccountKind::User => Self::User,
            AccountKind::Robot => Self::Robot,
        }
    }
}

/// A role.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "kebab-case")]
#[expect(dead_code, reason = "it describes what the path may name")]
pub(crate) enum RoleWord {
    Reader,
    Pusher,
    ScanOperator,
    PolicyManager,
    ConnectorManager,
    NamespaceAdmin,
    Admin,
}

/// An account, without anything secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountDocument {
    /// Its number.
    account: i64,
    kind: KindWord,
    /// Unique among its kind.
    name: String,
    display_name: Option<String>,
    email: Option<String>,
    /// Whether it can sign in by password.
    has_password: bool,
    /// Whether the password must be changed before anything else.
    password_due: bool,
    /// Whether it can do nothing.
    disabled: bool,
    /// The issuer of one who signs in elsewhere.
    issuer: Option<String>,
    /// The only namespace of a robot that belongs to one.
    namespace: Option<String>,
    /// From when on it can do nothing.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last signed in.
    #[schema(format = DateTime)]
    seen_at: Option<String>,
    /// Its roles, oldest first.
    roles: Vec<GrantDocument>,
    /// Counts up with every change.
    revision: i64,
}

/// A role of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantDocument {
    role: String,
    /// Where; absent for everywhere.
    namespace: Option<String>,
    /// Whether it follows from a group of where the account signs in, and not from
    /// somebody who gave it here.
    from_group: bool,
}

impl From<Grant> for GrantDocument {
    fn from(grant: Grant) -> Self {
        Self {
            role: grant.role.into(),
            namespace: grant.namespace.map(|it| it.to_string()),
            from_group: grant.origin == GrantOrigin::Group,
        }
    }
}

impl From<Account> for AccountDocument {
    fn from(account: Account) -> Self {
        Self {
            account: account.id,
            kind: account.kind.into(),
            name: account.name.to_string(),
            display_name: account.display_name.map(String::from),
            email: account.email.map(String::from),
            has_password: account.has_password,
            password_due: account.must_change,
            disabled: account.is_disabled,
            issuer: account.elsewhere.map(|(issuer, _)| issuer.into()),
            namespace: account.namespace.map(|it| it.to_string()),
            expires_at: account.expires_at.map(moment::text),
            created_at: moment::text(account.created_at),
            seen_at: account.seen_at.map(moment::text),
            roles: account
                .grants
                .into_iter()
                .map(GrantDocument::from)
                .collect(),
            revision: account.revision,
        }
    }
}

/// An account that was made, with the password for its first sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = NewAccountAnswer)]
pub(crate) struct MadeDocument {
    account: AccountDocument,
    /// Good for one sign-in, and told this once only. Robots have none: make a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A password that was made anew.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordAnswer)]
pub(crate) struct PasswordDocument {
    /// Good for one sign-in, and told this once only.
    password: String,
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeAccount {
    kind: KindWord,
    name: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// For a robot: in how many seconds from now it can do nothing any more.
    #[serde(default)]
    expires_in: Option<u32>,
}

/// What is to be changed of an account; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeAccount {
    /// Empty for none.
    #[serde(default)]
    display_name: Option<String>,
    /// Empty for none.
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    disabled: Option<bool>,
    /// In how many seconds from now it can do nothing any more; 0 for never.
    #[serde(default)]
    expires_in: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RolePlace {
    /// Where; everywhere if it is absent.
    namespace: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAccounts {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those of this kind.
    #[param(inline)]
    kind: Option<KindWord>,
}

impl From<CreateAccountError> for Problem {
    fn from(error: CreateAccountError) -> Self {
        match error {
            CreateAccountError::NameTaken(_) => Self::conflict(error.to_string()),
            CreateAccountError::Misnamed(_) => Self::invalid(error.to_string()),
            CreateAccountError::NoNamespace(_) => Self::absent(),
            CreateAccountError::Store(error) => error.into(),
        }
    }
}

impl From<MakeAccountError> for Problem {
    fn from(error: MakeAccountError) -> Self {
        match error {
            MakeAccountError::Create(error) => error.into(),
            MakeAccountError::TooMany(seconds) => {
                Self::new(Kind::Unavailable, "").retry_after(seconds)
            }
        }
    }
}

impl From<ChangeAccountError> for Problem {
    fn from(error: ChangeAccountError) -> Self {
        match error {
            ChangeAccountError::Absent => Self::absent(),
            ChangeAccountError::Stale(_) => Self::new(Kind::Changed, error.to_string()),
            ChangeAccountError::LastAdmin => Self::conflict(error.to_string()),
            ChangeAccountError::Store(error) => error.into(),
        }
    }
}

impl From<GrantRoleError> for Problem {
    fn from(error: GrantRoleError) -> Self {
        match error {
            GrantRoleError::Refused(refusal) => refusal.into(),
            GrantRoleError::OnlyEverywhere(_) => Self::invalid(error.to_string()),
            GrantRoleError::Grant(error) => match error {
                GrantError::NoAccount | GrantError::NoNamespace(_) => Self::absent(),
                GrantError::Foreign(_) | GrantError::TooMany => Self::invalid(error.to_string()),
                GrantError::LastAdmin => Self::conflict(error.to_string()),
                GrantError::Store(error) => error.into(),
            },
            GrantRoleError::Store(error) => error.into(),
        }
    }
}

/// The longest text about somebody.
const LONGEST: usize = 200;

/// A text for people; empty for none.
pub(crate) fn words(name: &str, text: Option<String>) -> Result<Option<Box<str>>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(Problem::invalid(format!(
            "`{name}` has at most {LONGEST} bytes and no control characters"
        )));
    }
    Ok(Some(text.into()))
}

pub(crate) fn account_name(text: &str) -> Result<AccountName, Problem> {
    text.parse()
        .map_err(|error| Problem::invalid(format!("`name`: {error}")))
}

pub(crate) fn in_seconds(shared: &Shared, seconds: Option<u32>) -> Option<Millis> {
    seconds.map(|seconds| shared.database.now().plus(i64::from(seconds) * 1000))
}

/// An answer about an account carries the tag of its revision.
pub(crate) fn answer(account: Account) -> Response {
    let tag = tag::of_revision(account.revision);
    let document = Json(AccountDocument::from(account));
    ([(header::ETAG, tag)], document).into_response()
}

/// The account that the path names: of the whole installation.
pub(crate) async fn named(shared: &Shared, params: &Params) -> Result<Account, Problem> {
    let id = params.read("account")?;
    let account = shared.accounts.account(id).await?;
    account.ok_or_else(Problem::absent)
}

/// The revision that `If-Match` asks for; nothing for any.
pub(crate) fn expected(headers: &HeaderMap, account: &Account) -> Result<Option<i64>, Problem> {
    tag::require_match(headers, account.revision)?;
    let any = headers
        .get(header::IF_MATCH)
        .is_some_and(|value| value == "*");
    Ok((!any).then_some(account.revision))
}

pub(crate) async fn change(
    shared: &Shared,
    caller: &Caller,
    account: &Account,
    headers: &HeaderMap,
    form: ChangeAccount,
) -> Result<Response, Problem> {
    let expected = expected(headers, account)?;
    let change = AccountChange {
        display_name: match form.display_name {
            Some(text) => Some(words("display_name", Some(text))?),
            None => None,
        },
        email: match form.email {
            Some(text) => Some(words("email", Some(text))?),
            None => None,
        },
        is_disabled: form.disabled,
        expires_at: form
            .expires_in
            .map(|seconds| in_seconds(shared, Some(seconds).filter(|it| *it > 0))),
    };
    let actor = &caller.principal.actor;
    let changed = shared
        .accounts
        .change(account.id, &change, expected, actor)
        .await?;
    Ok(answer(changed))
}

/// List accounts
///
/// By number.
#[utoipa::path(
    get,
    path = "/accounts",
    operation_id = "list_accounts",
    tag = "accounts",
    params(ListAccounts),
    responses((status = 200, description = "A page of accounts.", body = Listed<AccountDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Asked(asked): Asked<ListAccounts>,
) -> Result<Listed<AccountDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let kind = asked.kind.map(AccountKind::from);
    let after = window.number()?.unwrap_or(0);
    let page = shared
        .accounts
        .list(kind, None, after, window.limit)
        .await?;
    let last = page.items.last().map(|account| account.id.to_string());
    let items = page.items.into_iter().map(AccountDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}

/// Make an account
///
/// A user gets a password for one sign-in, which is told this once only.
#[utoipa::path(
    post,
    path = "/accounts",
    operation_id = "make_account",
    tag = "accounts",
    request_body = MakeAccount,
    responses((status = 201, description = "It is made.", body = MadeDocument))
)]
pub(crate) async fn make(
    State(shared): State<Shared>,
    caller: Caller,
    Body(form): Body<MakeAccount>,
) -> Result<(StatusCode, Json<MadeDocument>), Problem> {
    let name = account_name(&form.name)?;
    let display_name = words("display_name", form.display_name)?;
    let email = words("email", form.email)?;
    let actor = &caller.principal.actor;
    let (account, password) = match form.kind {
        KindWord::User => {
            if form.expires_in.is_some() {
                return Err(Problem::invalid("users do not expire; they are disabled"));
            }
            let user = NewUser {
                name,
                display_name,
                email,
            };
            let (account, password) = shared.authority.make_user(user, actor).await?;
            (account, Some(password.reveal().to_owned()))
        }
        KindWord::Robot => {
            let new = NewAccount {
                kind: AccountKind::Robot,
                name,
                display_name,
                email,
                password: None,
                must_change: false,
                namespace: None,
                expires_at: in_seconds(&shared, form.expires_in),
            };
            (shared.accounts.create(&new, actor).await?, None)
        }
    };
    let document = MadeDocument {
        account: account.into(),
        password,
    };
    Ok((StatusCode::CREATED, Json(document)))
}

/// Show an account
#[utoipa::path(
    get,
    path = "/accounts/{account}",
    operation_id = "show_account",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The account.", body = AccountDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    params: Params,
) -> Result<Response, Problem> {
    named(&shared, &params).await.map(answer)
}

/// Change an account
///
/// Send `If-Match` with the `ETag` that was seen.
#[utoipa::path(
    patch,
    path = "/accounts/{account}",
    operation_id = "change_account",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
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
    let account = named(&shared, &params).await?;
    change(&shared, &caller, &account, &headers, form).await
}

/// Delete an account
///
/// Send `If-Match` with the `ETag` that was seen. Its keys and roles go with it; the
/// audit log keeps what it did.
#[utoipa::path(
    delete,
    path = "/accounts/{account}",
    operation_id = "delete_account",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let account = named(&shared, &params).await?;
    let expected = expected(&headers, &account)?;
    let actor = &caller.principal.actor;
    shared.accounts.remove(account.id, expected, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a user a new password
///
/// Good for one sign-in, and told this once only. All that the user showed before is good
/// for nothing any more.
#[utoipa::path(
    post,
    path = "/accounts/{account}/password",
    operation_id = "reset_password",
    tag = "accounts",
    params(("account" = i64, Path, description = "Its number.")),
    responses((status = 200, description = "The password.", body = PasswordDocument))
)]
pub(crate) async fn reset_password(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
) -> Result<Json<PasswordDocument>, Problem> {
    let account = named(&shared, &params).await?;
    if account.kind != AccountKind::User {
        return Err(Problem::conflict("robots have keys and no password"));
    }
    // Whoever has the password may all that the account may.
    shared
        .authority
        .permit_all_of(&caller.principal, &account)?;
    let actor = &caller.principal.actor;
    let password = shared.authority.reset_password(account.id, actor).await?;
    Ok(Json(PasswordDocument {
        password: password.reveal().to_owned(),
    }))
}

fn place(text: Option<&str>) -> Result<Option<Namespace>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|error| Problem::invalid(format!("`namespace`: {error}")))
}

/// Give an account a role
///
/// Nobody gives away a right that they do not have there.
#[utoipa::path(
    put,
    path = "/accounts/{account}/roles/{role}",
    operation_id = "give_role",
    tag = "accounts",
    params(
        ("account" = i64, Path, description = "Its number."),
        ("role" = RoleWord, Path, description = "The role."),
        RolePlace
    ),
    responses((status = 200, description = "As it is now.", body = AccountDocument))
)]
pub(crate) async fn give_role(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Asked(asked): Asked<RolePlace>,
) -> Result<Response, Problem> {
    let role: Role = params.read("role")?;
    let account = named(&shared, &params).await?;
    let namespace = place(asked.namespace.as_deref())?;
    let place = namespace.as_ref().map_or(Where::Everywhere, Where::In);
    let changed = shared
        .authority
        .grant(&caller.principal, account.id, place, role)
        .await?;
    Ok(answer(changed))
}

/// Take a role from an account
#[utoipa::path(
    delete,
    path = "/accounts/{account}/roles/{role}",
    operation_id = "take_role",
    tag = "accounts",
    params(
        ("account" = i64, Path, description = "Its number."),
        ("role" = RoleWord, Path, description = "The role."),
        RolePlace
    ),
    responses((status = 200, description = "As it is now.", body = AccountDocument))
)]
pub(crate) async fn take_role(
    State(shared): State<Shared>,
    caller: Caller,
    params: Params,
    Asked(asked): Asked<RolePlace>,
) -> Result<Response, Problem> {
    let role: Role = params.read("role")?;
    let account = named(&shared, &params).await?;
    let namespace = place(asked.namespace.as_deref())?;
    let place = namespace.as_ref().map_or(Where::Everywhere, Where::In);
    let changed = shared
        .authority
        .withdraw(&caller.principal, account.id, place, role)
        .await?;
    Ok(answer(changed))
}
