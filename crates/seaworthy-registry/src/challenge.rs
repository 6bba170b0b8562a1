//! Where clients are sent to say who they are.

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use crate::options::Origin;

/// What this registry calls itself in the token flow.
pub(crate) const SERVICE: &str = "seaworthy";

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nobody said who they are.
    Needed,
    /// What they showed is not valid.
    Invalid,
    /// What they showed is not good for this.
    Insufficient,
}

/// The `WWW-Authenticate` header: `scope` says what the token must be for.
pub(crate) fn challenge(origin: &Origin, parts: &Parts, scope: &str, why: Why) -> HeaderValue {
    let realm = realm(origin, parts);
    let mut text = format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\"");
    if !scope.is_empty() {
        text.push_str(",scope=\"");
        text.push_str(scope);
        text.push('"');
    }
    text.push_str(match why {
        Why::Needed => "",
        Why::Invalid => ",error=\"invalid_token\"",
        Why::Insufficient => ",error=\"insufficient_scope\"",
    });
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

fn realm(origin: &Origin, parts: &Parts) -> String {
    let of_request = |scheme: &str| format!("{scheme}://{}/token", host(parts));
    match origin {
        Origin::Fixed(address) => format!("{}/token", address.trim_end_matches('/')),
        Origin::HttpsOfRequest => of_request("https"),
        Origin::HttpOfRequest => of_request("http"),
    }
}

/// The host that the client asked for, as far as it is one.
fn host(parts: &Parts) -> &str {
    let named = parts
        .headers
        .get(header::HOST)
        .and_then(|it| it.to_str().ok());
    let authority = || {
        parts
            .uri
            .authority()
            .map(axum::http::uri::Authority::as_str)
    };
    let is_host = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed)
    };
    named
        .or_else(authority)
        .filter(is_host)
        .unwrap_or("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn read(origin: &Origin, host: &str) -> String {
        let request = Request::get("/v2/").header(header::HOST, host);
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let header = challenge(origin, &parts, "repository:a:pull", Why::Needed);
        header.to_str().expect("text").to_owned()
    }

    #[test]
    fn the_realm_is_the_address_that_clients_know() {
        let fixed = Origin::Fixed("https://r.example/".to_owned());
        assert_eq!(
            read(&fixed, "other.example"),
            "Bearer realm=\"https://r.example/token\",service=\"seaworthy\",scope=\"repository:a:pull\""
        );
        let asked = read(&Origin::HttpOfRequest, "127.0.0.1:5000");
        assert!(asked.starts_with("Bearer realm=\"http://127.0.0.1:5000/token\","));
    }

    #[test]
    fn a_host_that_is_none_does_not_get_into_the_header() {
        let asked = read(&Origin::HttpsOfRequest, "a\",realm=\"http://evil.example");
        assert!(asked.starts_with("Bearer realm=\"https://localhost/token\","));
    }
}
