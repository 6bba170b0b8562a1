//! The table of routes: each with its handler, its description and what it needs.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Request};
use axum::http::Method;
use axum::middleware::{self, Next};
use seaworthy_access::Right;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::api;
use crate::api::document::Description;
use crate::caller::cookie_name;
use crate::door::door;
use crate::guard::guard;
use crate::need::{Need, RouteRow};
use crate::options::{Cookies, ServerOptions};
use crate::problem::{Document, Kind, Problem};
use crate::shared::Shared;

/// Where all of it is.
const PREFIX: &str = "/api/v1";

/// The largest body of a request, except where a route says otherwise.
const MAX_BODY: usize = 256 * 1024;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Seaworthy",
        version = "1.0.0",
        description = "What is stored about container images, and what can be done with it. \
                       See docs/api.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Document))
)]
struct Api;

struct Table {
    router: OpenApiRouter<Shared>,
    rows: Vec<RouteRow>,
}

impl Table {
    /// The only way in: a route comes with what it needs.
    fn route(mut self, need: Need, route: UtoipaMethodRouter<Shared>) -> Self {
        let (schemas, mut paths, methods) = route;
        for (path, item) in &mut paths.paths {
            for (method, operation) in operations(item) {
                self.rows.push(RouteRow {
                    method,
                    path: format!("{PREFIX}{path}"),
                    need,
                });
                describe(operation, need);
            }
        }
        let methods =
            methods.route_layer(middleware::from_fn(move |request: Request, next: Next| {
                guard(need, request, next)
            }));
        self.router = self.router.routes((schemas, paths, methods));
        self
    }
}

/// The operations of a path with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}

/// Adds to the description of a route what is alike for all that need the same.
fn describe(operation: &mut Operation, need: Need) {
    let sentence = need.sentence();
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\n{sentence}"),
        None => sentence,
    });
    let problem = ResponseBuilder::new()
        .description("A problem (RFC 9457).")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), problem.into());
    operation.security = Some(match need {
        Need::Nothing => Vec::new(),
        Need::Sight => vec![
            SecurityRequirement::default(),
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ],
        Need::Somebody
        | Need::Own
        | Need::Everywhere(_)
        | Need::Namespace(_)
        | Need::Repository(_)
        | Need::Either(..) => vec![
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("basic", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ],
    });
}

fn table() -> Table {
    let table = Table {
        router: OpenApiRouter::with_openapi(Api::openapi()),
        rows: Vec::new(),
    };
    table
        .route(Need::Nothing, routes!(api::document::openapi_document))
        .route(Need::Sight, routes!(api::namespace::list))
        .route(Need::Namespace(Right::Read), routes!(api::namespace::show))
        .route(Need::Namespace(Right::Read), routes!(api::namespace::usage))
        .route(Need::Sight, routes!(api::repository::list))
        .route(
            Need::Repository(Right::Read),
            routes!(api::repository::show),
        )
        .route(
            Need::Repository(Right::Read),
            routes!(api::repository::tags),
        )
        .route(Need::Repository(Right::Read), routes!(api::image::list))
        .route(Need::Repository(Right::Read), routes!(api::image::show))
}

/// Every route with what it needs.
pub fn routes() -> Vec<RouteRow> {
    table().rows
}

/// The OpenAPI 3.1 document of the API.
pub fn openapi() -> OpenApi {
    let (_, document) = described(table());
    document
}

fn described(table: Table) -> (Router<Shared>, OpenApi) {
    let (router, mut document) = OpenApiRouter::new()
        .nest(PREFIX, table.router)
        .split_for_parts();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("An API key, or the secret of a robot."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "basic",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Basic)
                .description(Some("A name with its password or secret."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            cookie_name(Cookies::Secure),
            "The cookie of a session. Requests that change something also send \
             `x-seaworthy-request: 1`.",
        ))),
    );
    (router, document)
}

/// The whole API under `/api/v1`, to be merged with whatever else listens there.
pub fn router(options: ServerOptions) -> Router {
    let shared = Shared::of(options);
    let (_, document) = described(table());
    let text = document
        .to_json()
        .expect("a document of texts and lists has a JSON form");
    let inner = Router::from(table().router)
        .layer(Extension(Description(text.into())))
        .fallback(|| async { Problem::absent() })
        .method_not_allowed_fallback(|| async { Problem::new(Kind::Method, "") })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(shared.clone(), door))
        .with_state(shared);
    Router::new().nest(PREFIX, inner)
}
