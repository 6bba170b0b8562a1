//! Signing in elsewhere: people at an OpenID Connect issuer, workloads with its tokens.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use seaworthy_access::{ExchangeError, SignInError};
use seaworthy_store::AccountName;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::session::COOKIE_SECONDS;
use crate::caller::{journey_cookie, journey_of, set_cookie};
use crate::form::{Asked, Body};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// Where a browser goes once somebody signed in. Never somewhere that a request names.
const HOME: &str = "/";

/// How long somebody may take to sign in elsewhere.
const JOURNEY_SECONDS: i64 = 600;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Return {
    /// What the issuer was given.
    #[serde(default)]
    state: String,
    /// What the issuer gives in exchange for who it is. Absent where it refused.
    #[serde(default)]
    code: String,
}

/// A token of a workload.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// Signed by an issuer that is believed here.
    token: String,
    /// Which robot it shall stand for, where it fits several.
    #[serde(default)]
    robot: Option<String>,
}

/// A token of this installation.
#[derive(Serialize, ToSchema)]
#[schema(as = ExchangeAnswer)]
pub(crate) struct ExchangedDocument {
    /// What to send as `Authorization: Bearer`.
    token: String,
    /// For how many seconds it is good.
    expires_in: u64,
    /// The robot it stands for.
    robot: String,
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NotSet => Self::absent(),
            SignInError::Lost => Self::malformed(error.to_string()),
            SignInError::Refused | SignInError::Disabled => {
                Self::new(Kind::Unauthenticated, error.to_string())
            }
            SignInError::Foreign(ref cause) => {
                tracing::warn!("somebody could not sign in elsewhere: {cause}");
                Self::new(Kind::Unauthenticated, error.to_string())
            }
            SignInError::Fetch(cause) => {
                tracing::warn!("the issuer cannot be asked: {cause}");
                Self::new(Kind::Unavailable, "the issuer does not answer").retry_after(10)
            }
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::UnknownIssuer | ExchangeError::NoRobot => {
                Self::new(Kind::Unauthenticated, error.to_string())
            }
            ExchangeError::Foreign(cause) => {
                tracing::info!("a workload's token is not believed: {cause}");
                Self::new(Kind::Unauthenticated, "the token cannot be believed")
            }
            ExchangeError::Several => Self::invalid(error.to_string()),
            ExchangeError::Fetch(cause) => {
                tracing::warn!("the issuer cannot be asked: {cause}");
                Self::new(Kind::Unavailable, "the issuer does not answer").retry_after(10)
            }
            ExchangeError::Store(error) => error.into(),
        }
    }
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(text).map_err(|_| Problem::internal())
}

/// Sign in elsewhere
///
/// Sends a browser to the issuer that the settings name.
#[utoipa::path(
    get,
    path = "/session/oidc",
    operation_id = "begin_sign_in",
    tag = "session",
    responses((status = 303, description = "To the issuer."))
)]
pub(crate) async fn begin(State(shared): State<Shared>) -> Result<Response, Problem> {
    let journey = shared.authority.begin_sign_in().await?;
    let cookie = journey_cookie(shared.cookies, journey.cookie.reveal(), JOURNEY_SECONDS);
    let headers = [
        (header::LOCATION, value(&journey.address)?),
        (header::SET_COOKIE, value(&cookie)?),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Come back from elsewhere
///
/// Where the issuer sends the browser to. Begins a session.
#[utoipa::path(
    get,
    path = "/session/oidc/callback",
    operation_id = "finish_sign_in",
    tag = "session",
    params(Return),
    responses((status = 303, description = "Signed in."))
)]
pub(crate) async fn finish(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Asked(asked): Asked<Return>,
) -> Result<Response, Problem> {
    let journey = journey_of(&headers, shared.cookies).unwrap_or_default();
    let signed_in = shared
        .authority
        .finish_sign_in(&journey, &asked.state, &asked.code)
        .await?;
    let session = signed_in.session.reveal();
    let session = set_cookie(shared.cookies, session, COOKIE_SECONDS);
    let ended = journey_cookie(shared.cookies, "", 0);
    let headers = AppendHeaders([
        (header::LOCATION, HeaderValue::from_static(HOME)),
        (header::SET_COOKIE, value(&session)?),
        (header::SET_COOKIE, value(&ended)?),
    ]);
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// Exchange a workload's token
///
/// For one of this installation that stands for the robot whose workload identity fits.
#[utoipa::path(
    post,
    path = "/session/exchange",
    operation_id = "exchange_token",
    tag = "session",
    request_body = Exchange,
    responses((status = 200, description = "The token.", body = ExchangedDocument))
)]
pub(crate) async fn exchange(
    State(shared): State<Shared>,
    Body(form): Body<Exchange>,
) -> Result<Json<ExchangedDocument>, Problem> {
    let robot: Option<AccountName> = form
        .robot
        .map(|name| name.parse())
        .transpose()
        .map_err(|error| Problem::invalid(format!("`robot`: {error}")))?;
    let exchanged = shared
        .authority
        .exchange(&form.token, robot.as_ref())
        .await?;
    Ok(Json(ExchangedDocument {
        token: exchanged.token.reveal().to_owned(),
        expires_in: exchanged.seconds,
        robot: exchanged.robot.to_string(),
    }))
}
