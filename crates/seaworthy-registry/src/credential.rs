//! The `Authorization` header.

use axum::http::{HeaderMap, header};
use data_encoding::BASE64;
use seaworthy_access::Credential;

/// What somebody shows; `None` where it is not understood.
pub(crate) fn shown(headers: &HeaderMap) -> Option<Credential> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Some(Credential::None);
    };
    if values.next().is_some() {
        return None;
    }
    let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credential::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?;
    let (name, secret) = pair.split_once(':')?;
    if name.is_empty() && secret.is_empty() {
        // Some clients say so when nobody signed in.
        return Some(Credential::None);
    }
    Some(Credential::Basic {
        name: name.to_owned(),
        secret: secret.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&str]) -> &'static str {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(header::AUTHORIZATION, value);
        }
        match shown(&headers) {
            None => "?",
            Some(Credential::None) => "none",
            Some(Credential::Bearer(_)) => "bearer",
            Some(Credential::Basic { .. }) => "basic",
            Some(Credential::Session(_)) => "session",
        }
    }

    #[test]
    fn only_basic_and_bearer_say_who_somebody_is() {
        for (values, expected) in [
            (&[][..], "none"),
            (&["Basic dXNlcjpwYXNz"][..], "basic"),
            (&["basic Og=="][..], "none"),
            (&["BEARER a.b.c"][..], "bearer"),
            (&["Basic not base64"][..], "?"),
            (&["Basic dXNlcg=="][..], "?"),
            (&["Digest x"][..], "?"),
            (&["Bearer"][..], "?"),
            (&["Bearer a", "Bearer b"][..], "?"),
        ] {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }
}
