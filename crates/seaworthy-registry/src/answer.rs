//! Answers that went well, and the headers they share.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use seaworthy_store::{Address, RepositoryName};

pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(crate) const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(crate) const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(crate) const TAG: HeaderName = HeaderName::from_static("oci-tag");
pub(crate) const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(crate) const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header to a text that we made of checked parts.
pub(crate) fn tell(response: &mut Response, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}

/// A JSON document.
pub(crate) fn json(media_type: &'static str, document: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(document).expect("our documents have only text as keys");
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Names the page that follows.
pub(crate) fn link_next(response: &mut Response, target: &str) {
    tell(response, header::LINK, &format!("<{target}>; rel=\"next\""));
}

/// The entity tag of content: its address.
pub(crate) fn entity_tag(address: &Address) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{address}\"")).expect("an address is plain text")
}

/// Whether the client has this content already.
pub(crate) fn is_known(headers: &HeaderMap, entity_tag: &HeaderValue) -> bool {
    let Some(known) = headers.get(header::IF_NONE_MATCH) else {
        return false;
    };
    let Ok(known) = known.to_str() else {
        return false;
    };
    known.split(',').map(str::trim).any(|known| {
        known == "*" || known.trim_start_matches("W/").as_bytes() == entity_tag.as_bytes()
    })
}

/// Where a blob is.
pub(crate) fn blob_path(repository: &RepositoryName, address: &Address) -> String {
    format!("/v2/{repository}/blobs/{address}")
}
