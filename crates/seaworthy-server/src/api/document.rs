//! The description of the API itself.

use axum::extract::Extension;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

/// The description, written once.
#[derive(Clone)]
pub(crate) struct Description(pub(crate) Bytes);

/// Describe the API
///
/// What this very API is, as `OpenAPI` 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "describe_api",
    tag = "description",
    responses((
        status = 200,
        description = "An OpenAPI 3.1 document.",
        body = Object,
        content_type = "application/json"
    ))
)]
pub(crate) async fn openapi_document(
    Extension(Description(bytes)): Extension<Description>,
) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], bytes).into_response()
}
