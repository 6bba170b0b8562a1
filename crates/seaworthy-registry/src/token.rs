//! Docker's token flow: who somebody is, turned into a token for what they want.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use seaworthy_access::{Credential, IdentifyError};
use serde::Serialize;

use crate::answer;
use crate::body;
use crate::credential;
use crate::door::Door;
use crate::fault::Fault;
use crate::query::Query;
use crate::scope::Scopes;

/// The largest form that asks for a token.
const LARGEST_FORM: usize = 64 << 10;

/// The token under the names that Docker and OAuth 2 have for it.
#[derive(Serialize)]
struct Issued<'a> {
    token: &'a str,
    access_token: &'a str,
    expires_in: u64,
}

pub(crate) async fn token(door: &Door, parts: &Parts, body: Body) -> Result<Response, Fault> {
    if parts.method == Method::POST {
        let idle = door.options.limits.idle;
        let form = body::whole(body, LARGEST_FORM, idle, &door.large).await?;
        let form = form.ok_or(Fault::Query("the form is larger than any we know"))?;
        let form = std::str::from_utf8(&form).map_err(|_| Fault::Query("the form is no text"))?;
        let form = Query::read(Some(form));
        let credential = granted(&form)?;
        return issue(door, &credential, &form).await;
    }
    let query = Query::read(parts.uri.query());
    let credential = match credential::shown(&parts.headers).ok_or_else(invalid)? {
        Credential::Bearer(secret) => kept(secret),
        other => other,
    };
    issue(door, &credential, &query).await
}

/// A secret that somebody keeps, such as an API key. It is read as a password would be,
/// where tokens of this flow are refused: they would be good for ever.
fn kept(secret: String) -> Credential {
    Credential::Basic {
        name: "token".to_owned(),
        secret,
    }
}

/// What an OAuth 2 form shows.
fn granted(form: &Query<'_>) -> Result<Credential, Fault> {
    let field = |name| form.one(name).map(str::to_owned);
    match form.one("grant_type") {
        Some("password") => match (field("username"), field("password")) {
            (Some(name), Some(secret)) => Ok(Credential::Basic { name, secret }),
            _ => Err(Fault::Query("the form has no `username` or no `password`")),
        },
        Some("refresh_token") => match field("refresh_token") {
            Some(secret) => Ok(kept(secret)),
            None => Err(Fault::Query("the form has no `refresh_token`")),
        },
        _ => Err(Fault::Query(
            "`grant_type` is neither `password` nor `refresh_token`",
        )),
    }
}

fn invalid() -> Fault {
    Fault::Unauthorized {
        challenge: HeaderValue::from_static("Basic realm=\"seaworthy\""),
        why: "the credentials are not valid".to_owned(),
    }
}

async fn issue(door: &Door, shown: &Credential, asked: &Query<'_>) -> Result<Response, Fault> {
    let authority = &door.options.authority;
    let principal = match authority.identify(shown).await {
        Ok(principal) => principal,
        Err(IdentifyError::Invalid) => return Err(invalid()),
        Err(IdentifyError::TooMany(seconds)) => return Err(Fault::TooManyAttempts(seconds)),
        Err(IdentifyError::Store(error)) => return Err(error.into()),
    };
    let scopes = Scopes::read(asked.all("scope"));
    let seconds = door.options.limits.token_seconds;
    let wanted = &scopes.repositories;
    let token = if scopes.listing {
        authority
            .issue_for_listing(&principal, wanted, seconds)
            .await?
    } else {
        authority.issue(&principal, wanted, seconds).await?
    };
    let told = Issued {
        token: &token,
        access_token: &token,
        expires_in: seconds,
    };
    let mut response = answer::json("application/json", &told);
    answer::tell(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(response)
}
