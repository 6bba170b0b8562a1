//! Entity tags: RFC 9110, sections 8.8.3 and 13.1.

use axum::http::{HeaderMap, HeaderValue, header};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::problem::{Kind, Problem};

/// The tag of something that counts its changes.
pub(crate) fn of_revision(revision: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"r{revision}\"")).expect("digits are header text")
}

/// The tag of an answer by its bytes. Weak: the same may be written in another way.
pub(crate) fn of_bytes(bytes: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(bytes);
    let short = hash.iter().copied().take(16).collect::<Vec<u8>>();
    let text = format!("W/\"{}\"", BASE64URL_NOPAD.encode(&short));
    HeaderValue::try_from(text).expect("base64 is header text")
}

/// Whether `If-None-Match` says that the client has `tag` already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let Ok(tag) = tag.to_str() else { return false };
    let bare = tag.strip_prefix("W/").unwrap_or(tag);
    listed(headers, &header::IF_NONE_MATCH)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == bare)
}

/// Refuses a change unless `If-Match` names the version that is there. `*` means any.
pub(crate) fn require_match(headers: &HeaderMap, revision: i64) -> Result<(), Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::new(
            Kind::Unconditional,
            "send `If-Match` with the `ETag` of what you saw, or with `*`",
        ));
    }
    let tag = of_revision(revision);
    let there = tag.to_str().unwrap_or_default();
    if listed(headers, &header::IF_MATCH).any(|wanted| wanted == "*" || wanted == there) {
        Ok(())
    } else {
        Err(Problem::new(Kind::Changed, ""))
    }
}

fn listed<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a value"));
        headers
    }

    #[test]
    fn a_change_names_the_version_it_is_for() {
        let check = |value| require_match(&headers(header::IF_MATCH, value), 7).is_ok();
        assert!(check("\"r7\""));
        assert!(check("\"r1\", \"r7\""));
        assert!(check("*"));
        assert!(!check("\"r8\""));
        // Weak tags never match here.
        assert!(!check("W/\"r7\""));
        assert!(require_match(&HeaderMap::new(), 7).is_err());
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let tag = of_bytes(b"{}");
        let text = tag.to_str().expect("text").to_owned();
        assert!(is_known(&headers(header::IF_NONE_MATCH, &text), &tag));
        assert!(is_known(&headers(header::IF_NONE_MATCH, "*"), &tag));
        assert!(!is_known(
            &headers(header::IF_NONE_MATCH, "\"other\""),
            &tag
        ));
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
