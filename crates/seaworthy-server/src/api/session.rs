//! Sessions: signing in and out, and who one is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use seaworthy_access::{ChangePasswordError, Principal, Right, Where};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::caller::{Caller, set_cookie};
use crate::form::Body;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// The cookie goes on for as long as a session can; the session itself ends earlier.
pub(crate) const COOKIE_SECONDS: i64 = 7 * 24 * 3600;

/// Who somebody is and what they may.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub(crate) struct IdentityDocument {
    /// As the audit log names them, such as `user:ada`.
    name: String,
    /// The number of the account.
    account: i64,
    /// Whether the password must be changed before anything else.
    password_due: bool,
    /// Rights in the whole installation.
    rights: Vec<String>,
    /// Rights in single namespaces, where there are more.
    namespaces: Vec<NamespaceRights>,
    /// Whether what was shown is good for less than the account may.
    narrowed: bool,
}

/// What somebody may in one namespace.
#[derive(Serialize, ToSchema)]
pub(crate) struct NamespaceRights {
    namespace: String,
    rights: Vec<String>,
}

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    name: String,
    #[schema(format = Password)]
    password: String,
}

/// A new password in place of the old one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    #[schema(format = Password)]
    old: String,
    #[schema(format = Password)]
    new: String,
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Wrong => Self::new(Kind::Unauthenticated, error.to_string()),
            ChangePasswordError::Unfit(_) => Self::invalid(error.to_string()),
            ChangePasswordError::TooMany(seconds) => {
                Self::new(Kind::TooMany, "too many tries").retry_after(seconds)
            }
            ChangePasswordError::Change(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}

/// Who somebody is, and the rights that they have in effect: what they show may be good
/// for less than their roles.
async fn identity(shared: &Shared, principal: &Principal) -> Result<IdentityDocument, Problem> {
    let account = principal
        .account
        .ok_or_else(|| Problem::new(Kind::Unauthenticated, "sign in first"))?;
    let rights_in = async |place: Where<'_>| -> Result<Vec<String>, Problem> {
        let mut rights = Vec::new();
        for right in Right::ALL {
            let answer = shared.authority.permit(principal, right, place).await?;
            if answer.is_ok() {
                rights.push(right.name().to_owned());
            }
        }
        Ok(rights)
    };
    let everywhere = rights_in(Where::Everywhere).await?;
    let mut names: Vec<_> = principal
        .roles
        .iter()
        .filter_map(|(place, _)| place.clone())
        .collect();
    names.sort();
    names.dedup();
    let mut namespaces = Vec::new();
    for namespace in names {
        namespaces.push(NamespaceRights {
            rights: rights_in(Where::In(&namespace)).await?,
            namespace: namespace.to_string(),
        });
    }
    Ok(IdentityDocument {
        name: principal.actor.as_str().to_owned(),
        account,
        password_due: principal.must_change_password,
        rights: everywhere,
        namespaces,
        narrowed: principal.narrowed.is_some(),
    })
}

fn cookie(text: &str) -> Result<[(header::HeaderName, HeaderValue); 1], Problem> {
    let value = HeaderValue::try_from(text).map_err(|_| Problem::internal())?;
    Ok([(header::SET_COOKIE, value)])
}

/// Sign in
///
/// With the name and the password of a user. The answer sets the cookie of a session.
#[utoipa::path(
    post,
    path = "/session",
    operation_id = "sign_in",
    tag = "session",
    request_body = SignIn,
    responses((status = 200, description = "Who signed in.", body = IdentityDocument))
)]
pub(crate) async fn sign_in(
    State(shared): State<Shared>,
    Body(form): Body<SignIn>,
) -> Result<Response, Problem> {
    let signed_in = shared.authority.sign_in(&form.name, &form.password).await?;
    let cookie = cookie(&set_cookie(
        shared.cookies,
        signed_in.session.reveal(),
        COOKIE_SECONDS,
    ))?;
    let document = identity(&shared, &signed_in.principal).await?;
    Ok((cookie, Json(document)).into_response())
}

/// Sign out
///
/// Ends the session that the request shows.
#[utoipa::path(
    delete,
    path = "/session",
    operation_id = "sign_out",
    tag = "session",
    responses((status = 204, description = "The session has ended."))
)]
pub(crate) async fn sign_out(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<Response, Problem> {
    shared.authority.sign_out(&caller.principal).await?;
    let cookie = cookie(&set_cookie(shared.cookies, "", 0))?;
    Ok((StatusCode::NO_CONTENT, cookie).into_response())
}

/// Show who one is
///
/// With the rights that are in effect.
#[utoipa::path(
    get,
    path = "/session",
    operation_id = "show_session",
    tag = "session",
    responses((status = 200, description = "Who one is.", body = IdentityDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
) -> Result<Json<IdentityDocument>, Problem> {
    identity(&shared, &caller.principal).await.map(Json)
}

/// Change one's password
///
/// All other sessions and tokens end.
#[utoipa::path(
    post,
    path = "/session/password",
    operation_id = "change_password",
    tag = "session",
    request_body = NewPassword,
    responses((status = 204, description = "It is changed."))
)]
pub(crate) async fn change_password(
    State(shared): State<Shared>,
    caller: Caller,
    Body(form): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    shared
        .authority
        .change_password(&caller.principal, &form.old, &form.new)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
