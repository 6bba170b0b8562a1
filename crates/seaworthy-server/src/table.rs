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

use crate::api::{
    account, assessment, audit, content, document, edition, elsewhere, event, image, job, key,
    member, namespace, report, repository, robot, rules, scan, search, session, workload,
};
use crate::caller::cookie_name;
use crate::door::door;
use crate::guard::guard;
use crate::need::{Need, RouteRow};
use crate::options::{Cookies, ServerOptions};
use crate::problem::{Document, Kind, Problem};
use crate::shared::Shared;

/// Where all of it is.
const PREFIX: &str = "/api/v1";

/// The largest body of a request, except where a whole inventory is sent.
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
    components(schemas(Document, image::PlatformDocument, account::RoleWord))
)]
struct Api;

/// How large the body of a request may be.
#[derive(Clone, Copy)]
enum Size {
    Settings,
    Inventory,
}

struct Table {
    router: OpenApiRouter<Shared>,
    rows: Vec<RouteRow>,
}

impl Table {
    /// The only way in: a route comes with what it needs.
    fn route(self, need: Need, route: UtoipaMethodRouter<Shared>) -> Self {
        self.route_with(need, Size::Settings, route)
    }

    /// The same for a route with larger bodies.
    fn route_with(mut self, need: Need, size: Size, route: UtoipaMethodRouter<Shared>) -> Self {
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
        let most = match size {
            Size::Settings => MAX_BODY,
            Size::Inventory => assessment::MAX_BODY,
        };
        let guard = move |request: Request, next: Next| guard(need, request, next);
        let methods = methods
            .layer(DefaultBodyLimit::max(most))
            .route_layer(middleware::from_fn(guard));
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
        | Need::Repository(_) => vec![
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("basic", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ],
    });
}

fn table() -> Table {
    use Need::{Everywhere, Namespace, Nothing, Own, Repository, Sight, Somebody};
    let mut table = Table {
        router: OpenApiRouter::with_openapi(Api::openapi()),
        rows: Vec::new(),
    };
    table = table.route(Nothing, routes!(document::openapi_document));
    table = table.route(Nothing, routes!(session::sign_in));
    table = table.route(Nothing, routes!(elsewhere::begin));
    table = table.route(Nothing, routes!(elsewhere::finish));
    table = table.route(Nothing, routes!(elsewhere::exchange));
    table = table.route(Somebody, routes!(session::sign_out));
    table = table.route(Somebody, routes!(session::show));
    table = table.route(Somebody, routes!(session::change_password));
    table = table.route(Own, routes!(key::own));
    table = table.route(Own, routes!(key::make_own));
    table = table.route(Own, routes!(key::revoke_own));
    table = table.route(Sight, routes!(namespace::list));
    table = table.route(Everywhere(Right::CreateNamespace), routes!(namespace::make));
    table = table.route(Namespace(Right::Read), routes!(namespace::show));
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(namespace::delete),
    );
    table = table.route(Namespace(Right::Read), routes!(namespace::settings));
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(namespace::change_settings),
    );
    table = table.route(Namespace(Right::Read), routes!(rules::show));
    table = table.route(Namespace(Right::ManagePolicy), routes!(rules::change));
    table = table.route(Namespace(Right::ManagePolicy), routes!(rules::plan));
    table = table.route(Namespace(Right::Read), routes!(namespace::usage));
    table = table.route(Namespace(Right::Read), routes!(namespace::unscanned));
    table = table.route(Namespace(Right::Scan), routes!(namespace::scan_unscanned));
    table = table.route(Namespace(Right::ManageNamespace), routes!(member::members));
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(member::add_member),
    );
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(member::remove_member),
    );
    table = table.route(Namespace(Right::ManageNamespace), routes!(robot::list));
    table = table.route(Namespace(Right::ManageNamespace), routes!(robot::make));
    table = table.route(Namespace(Right::ManageNamespace), routes!(robot::show));
    table = table.route(Namespace(Right::ManageNamespace), routes!(robot::alter));
    table = table.route(Namespace(Right::ManageNamespace), routes!(robot::delete));
    table = table.route(Namespace(Right::ManageNamespace), routes!(key::of_robot));
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(key::make_for_robot),
    );
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(key::revoke_of_robot),
    );
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(workload::workloads_of_robot),
    );
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(workload::add_workload_to_robot),
    );
    table = table.route(
        Namespace(Right::ManageNamespace),
        routes!(workload::remove_workload_of_robot),
    );
    table = table.route(Sight, routes!(repository::list));
    table = table.route(Repository(Right::Read), routes!(repository::show));
    table = table.route(Repository(Right::Read), routes!(repository::tags));
    table = table.route(Repository(Right::Read), routes!(repository::tag));
    table = table.route(Repository(Right::Delete), routes!(repository::delete_tag));
    table = table.route(Repository(Right::Scan), routes!(scan::by_tag));
    table = table.route(Repository(Right::Read), routes!(image::list));
    table = table.route(Repository(Right::Read), routes!(image::show));
    table = table.route(Repository(Right::Delete), routes!(image::delete));
    table = table.route(Repository(Right::Scan), routes!(scan::by_digest));
    table = table.route(Repository(Right::Read), routes!(report::newest));
    table = table.route(Repository(Right::Read), routes!(report::history));
    table = table.route(Repository(Right::Read), routes!(report::one));
    table = table.route(Repository(Right::Read), routes!(report::difference));
    table = table.route(Repository(Right::Read), routes!(content::packages));
    table = table.route(Repository(Right::Read), routes!(content::findings));
    table = table.route(Repository(Right::Read), routes!(content::sbom));
    table = table.route_with(
        Repository(Right::Push),
        Size::Inventory,
        routes!(assessment::submit),
    );
    table = table.route(Sight, routes!(search::search));
    table = table.route(Sight, routes!(event::follow));
    table = table.route(Own, routes!(edition::edition));
    table = table.route(Own, routes!(edition::policy));
    table = table.route(Everywhere(Right::Operate), routes!(job::list));
    table = table.route(Everywhere(Right::Operate), routes!(job::show));
    table = table.route(Everywhere(Right::Operate), routes!(job::retry));
    table = table.route(Everywhere(Right::Operate), routes!(job::cancel));
    table = table.route(Everywhere(Right::ManageAccounts), routes!(account::list));
    table = table.route(Everywhere(Right::ManageAccounts), routes!(account::make));
    table = table.route(Everywhere(Right::ManageAccounts), routes!(account::show));
    table = table.route(Everywhere(Right::ManageAccounts), routes!(account::alter));
    table = table.route(Everywhere(Right::ManageAccounts), routes!(account::delete));
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(account::reset_password),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(account::give_role),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(account::take_role),
    );
    table = table.route(Everywhere(Right::ManageAccounts), routes!(key::of_account));
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(key::make_for_account),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(key::revoke_of_account),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(workload::workloads_of_account),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(workload::add_workload_to_account),
    );
    table = table.route(
        Everywhere(Right::ManageAccounts),
        routes!(workload::remove_workload_of_account),
    );
    table = table.route(Everywhere(Right::ReadAudit), routes!(audit::list));
    table = table.route(Everywhere(Right::ReadAudit), routes!(audit::export));
    table = table.route(Everywhere(Right::ReadAudit), routes!(audit::check));
    table
}

/// Every route with what it needs.
pub fn routes() -> Vec<RouteRow> {
    table().rows
}

/// The description of the API, after `OpenAPI` 3.1.
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
///
/// # Panics
///
/// Never: the description is made of texts and lists.
pub fn router(options: ServerOptions) -> Router {
    let shared = Shared::of(options);
    let (_, document) = described(table());
    let text = document
        .to_json()
        .expect("a document of texts and lists has a JSON form");
    let inner = Router::from(table().router)
        .layer(Extension(document::Description(text.into())))
        .fallback(|| async { Problem::absent() })
        .method_not_allowed_fallback(|| async { Problem::new(Kind::Method, "") })
        .layer(middleware::from_fn_with_state(shared.clone(), door))
        .with_state(shared);
    Router::new().nest(PREFIX, inner)
}
