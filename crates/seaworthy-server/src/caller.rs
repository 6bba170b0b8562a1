//! Who asks, and by what they said so.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use data_encoding::BASE64;
use seaworthy_access::{Credential, Principal};

use crate::options::Cookies;
use crate::problem::{Kind, Problem};

/// The longest credential that is looked at.
const MAX_CREDENTIAL: usize = 16 * 1024;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    /// What they showed, for answers that go on for longer than what is shown is good.
    pub(crate) shown: Credential,
}

/// A text that is never written anywhere.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// What a request shows.
pub(crate) enum Shown {
    Nothing,
    /// By the `Authorization` header, which no page of another site can set.
    Header(Credential),
    /// By the cookie, which a browser sends by itself.
    Cookie(Secret),
}

/// The name of the cookie of a session. Browsers keep the prefix `__Host-` for cookies
/// that were set by this very host over TLS.
pub(crate) fn cookie_name(cookies: Cookies) -> &'static str {
    match cookies {
        Cookies::Secure => "__Host-seaworthy_session",
        Cookies::Plain => "seaworthy_session",
    }
}

/// The header with the cookie of a session that ends in `seconds`.
pub(crate) fn set_cookie(cookies: Cookies, secret: &str, seconds: i64) -> String {
    let name = cookie_name(cookies);
    let secure = match cookies {
        Cookies::Secure => "; Secure",
        Cookies::Plain => "",
    };
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// The name of the cookie of somebody who is on their way to sign in elsewhere.
fn journey_name(cookies: Cookies) -> &'static str {
    match cookies {
        Cookies::Secure => "__Host-seaworthy_journey",
        Cookies::Plain => "seaworthy_journey",
    }
}

/// The header with the cookie of a journey that ends in `seconds`. It comes back with the
/// browser that the issuer sends here, which `SameSite=Lax` allows.
pub(crate) fn journey_cookie(cookies: Cookies, secret: &str, seconds: i64) -> String {
    let name = journey_name(cookies);
    let secure = match cookies {
        Cookies::Secure => "; Secure",
        Cookies::Plain => "",
    };
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// The cookie of a journey that a request shows.
pub(crate) fn journey_of(headers: &HeaderMap, cookies: Cookies) -> Option<String> {
    cookie(headers, journey_name(cookies))
}

/// What a request shows: its `Authorization` header, else its cookie.
pub(crate) fn shown(headers: &HeaderMap, cookies: Cookies) -> Result<Shown, Problem> {
    let invalid = || Problem::new(Kind::Unauthenticated, "the credentials are not valid");
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| invalid())?;
        if text.len() > MAX_CREDENTIAL {
            return Err(invalid());
        }
        let (scheme, rest) = text.split_once(' ').ok_or_else(invalid)?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Ok(Shown::Header(Credential::Bearer(rest.to_owned())));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let bytes = BASE64.decode(rest.as_bytes()).map_err(|_| invalid())?;
            let text = String::from_utf8(bytes).map_err(|_| invalid())?;
            let (name, secret) = text.split_once(':').ok_or_else(invalid)?;
            return Ok(Shown::Header(Credential::Basic {
                name: name.to_owned(),
                secret: secret.to_owned(),
            }));
        }
        return Err(invalid());
    }
    Ok(match cookie(headers, cookie_name(cookies)) {
        Some(secret) => Shown::Cookie(Secret(secret)),
        None => Shown::Nothing,
    })
}

/// The value of a cookie.
fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, secret)| *name == wanted && secret.len() <= MAX_CREDENTIAL)
        .map(|(_, secret)| secret.to_owned())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}

impl Caller {
    /// Whether they said who they are.
    pub(crate) fn is_somebody(&self) -> bool {
        self.principal.account.is_some()
    }

    /// Their account.
    pub(crate) fn account(&self) -> Result<i64, Problem> {
        self.principal
            .account
            .ok_or_else(|| Problem::new(Kind::Unauthenticated, "sign in first"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: header::HeaderName, value: &str) -> Result<Shown, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a value"));
        shown(&headers, Cookies::Plain)
    }

    #[test]
    fn what_is_shown_is_a_header_or_a_cookie() {
        for (value, right) in [
            ("Bearer abc", true),
            ("bearer abc", true),
            ("Basic YTpi", true),
            ("Basic YQ==", false),
            ("Basic %%", false),
            ("Digest x", false),
            ("Bearer", false),
        ] {
            let found = check(header::AUTHORIZATION, value);
            assert_eq!(matches!(found, Ok(Shown::Header(_))), right, "{value}");
        }
        let found = check(header::COOKIE, "a=b; seaworthy_session=xyz; c=d");
        assert!(matches!(found, Ok(Shown::Cookie(Secret(it))) if it == "xyz"));
        let found = check(header::COOKIE, "__Host-seaworthy_session=xyz");
        assert!(matches!(found, Ok(Shown::Nothing)));
    }
}
