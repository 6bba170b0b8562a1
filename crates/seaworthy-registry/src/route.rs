//! What can be asked for, and which right it needs: one table.

use axum::http::Method;
use seaworthy_access::Right;

use crate::fault::Fault;

/// Something that can be asked for.
#[derive(Debug)]
pub struct Route {
    /// How.
    pub method: Method,
    /// Where: `{name}` is a repository, which may have slashes.
    pub pattern: &'static str,
    /// What one needs for it.
    pub needs: Needs,
    pub(crate) act: Act,
}

/// What one needs for a [`Route`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is where one says who one is.
    Nothing,
    /// To have said who one is, be it with a token for nobody in particular. What is
    /// answered depends on what one may read.
    Credential,
    /// A right in the repository of the address.
    Right(Right),
}

/// What is done, and what one needs for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Token,
    Shown(Shown),
    Within(Right, Within),
}

/// What is done for whoever said who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Ping,
    ListRepositories,
}

/// What is done within one repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    ListTags,
    ListReferrers,
    ReadManifest,
    PushManifest,
    DeleteManifest,
    ReadBlob,
    FindBlob,
    DeleteBlob,
    BeginUpload,
    AppendUpload,
    FinishUpload,
    TellUpload,
    CancelUpload,
}

const PING: &str = "/v2/";
const TOKEN: &str = "/token";
const REPOSITORIES: &str = "/v2/_catalog";
const TAGS: &str = "/v2/{name}/tags/list";
const REFERRERS: &str = "/v2/{name}/referrers/{digest}";
const MANIFEST: &str = "/v2/{name}/manifests/{reference}";
const BLOB: &str = "/v2/{name}/blobs/{digest}";
const UPLOADS: &str = "/v2/{name}/blobs/uploads/";
const UPLOAD: &str = "/v2/{name}/blobs/uploads/{id}";

/// What the router is mounted at. Patterns whose name has slashes are told apart
/// in [`find`].
pub(crate) const MOUNTS: [&str; 4] = ["/v2", PING, "/v2/{*rest}", TOKEN];

const fn reads(within: Within) -> Act {
    Act::Within(Right::Read, within)
}

const fn pushes(within: Within) -> Act {
    Act::Within(Right::Push, within)
}

const fn deletes(within: Within) -> Act {
    Act::Within(Right::Delete, within)
}

const fn route(method: Method, pattern: &'static str, act: Act) -> Route {
    let needs = match act {
        Act::Token => Needs::Nothing,
        Act::Shown(_) => Needs::Credential,
        Act::Within(right, _) => Needs::Right(right),
    };
    Route {
        method,
        pattern,
        needs,
        act,
    }
}

static ROUTES: [Route; 23] = [
    route(Method::GET, PING, Act::Shown(Shown::Ping)),
    route(Method::HEAD, PING, Act::Shown(Shown::Ping)),
    route(Method::GET, TOKEN, Act::Token),
    route(Method::POST, TOKEN, Act::Token),
    route(
        Method::GET,
        REPOSITORIES,
        Act::Shown(Shown::ListRepositories),
    ),
    route(
        Method::HEAD,
        REPOSITORIES,
        Act::Shown(Shown::ListRepositories),
    ),
    route(Method::GET, TAGS, reads(Within::ListTags)),
    route(Method::HEAD, TAGS, reads(Within::ListTags)),
    route(Method::GET, REFERRERS, reads(Within::ListReferrers)),
    route(Method::HEAD, REFERRERS, reads(Within::ListReferrers)),
    route(Method::GET, MANIFEST, reads(Within::ReadManifest)),
    route(Method::HEAD, MANIFEST, reads(Within::ReadManifest)),
    route(Method::PUT, MANIFEST, pushes(Within::PushManifest)),
    route(Method::DELETE, MANIFEST, deletes(Within::DeleteManifest)),
    route(Method::GET, BLOB, reads(Within::ReadBlob)),
    route(Method::HEAD, BLOB, reads(Within::FindBlob)),
    route(Method::DELETE, BLOB, deletes(Within::DeleteBlob)),
    route(Method::POST, UPLOADS, pushes(Within::BeginUpload)),
    route(Method::PATCH, UPLOAD, pushes(Within::AppendUpload)),
    route(Method::PUT, UPLOAD, pushes(Within::FinishUpload)),
    route(Method::GET, UPLOAD, pushes(Within::TellUpload)),
    route(Method::HEAD, UPLOAD, pushes(Within::TellUpload)),
    route(Method::DELETE, UPLOAD, pushes(Within::CancelUpload)),
];

/// Everything that can be asked for.
pub fn routes() -> &'static [Route] {
    &ROUTES
}

/// A route, and what the address says.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) route: &'static Route,
    /// The repository; empty where there is none.
    pub(crate) name: &'a str,
    /// What follows: a tag, a digest, an upload; empty where there is nothing.
    pub(crate) last: &'a str,
}

/// Which route it is; `path` is decoded already.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Result<Found<'a>, Fault> {
    let (pattern, name, last) = dissect(path).ok_or(Fault::NoRoute)?;
    let here = || ROUTES.iter().filter(|route| route.pattern == pattern);
    let Some(route) = here().find(|route| route.method == method) else {
        let allowed: Vec<&str> = here().map(|route| route.method.as_str()).collect();
        return Err(Fault::Method {
            method: method.as_str().chars().take(20).collect(),
            allowed: allowed.join(", "),
        });
    };
    Ok(Found { route, name, last })
}

/// Pattern, repository and what follows.
fn dissect(path: &str) -> Option<(&'static str, &str, &str)> {
    let rest = match path {
        "/v2" | "/v2/" => return Some((PING, "", "")),
        TOKEN => return Some((TOKEN, "", "")),
        REPOSITORIES => return Some((REPOSITORIES, "", "")),
        other => other.strip_prefix("/v2/")?,
    };
    let (before, last) = rest.rsplit_once('/')?;
    if let Some(name) = before.strip_suffix("/blobs/uploads") {
        let pattern = if last.is_empty() { UPLOADS } else { UPLOAD };
        return Some((pattern, name, last));
    }
    let (name, kind) = before.rsplit_once('/')?;
    match (kind, last) {
        (_, "") => None,
        ("manifests", _) => Some((MANIFEST, name, last)),
        ("blobs", "uploads") => Some((UPLOADS, name, "")),
        ("blobs", _) => Some((BLOB, name, last)),
        ("tags", "list") => Some((TAGS, name, "")),
        ("referrers", _) => Some((REFERRERS, name, last)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(&'static str, &str, &str)> {
        dissect(path)
    }

    #[test]
    fn addresses_are_told_apart_by_their_end() {
        let cases = [
            ("/v2/", Some((PING, "", ""))),
            ("/v2", Some((PING, "", ""))),
            ("/v2/_catalog", Some((REPOSITORIES, "", ""))),
            ("/v2/a/b/c/tags/list", Some((TAGS, "a/b/c", ""))),
            ("/v2/a/manifests/1", Some((MANIFEST, "a", "1"))),
            (
                "/v2/manifests/manifests/manifests",
                Some((MANIFEST, "manifests", "manifests")),
            ),
            ("/v2/a/blobs/uploads/", Some((UPLOADS, "a", ""))),
            ("/v2/a/blobs/uploads", Some((UPLOADS, "a", ""))),
            ("/v2/a/blobs/uploads/x", Some((UPLOAD, "a", "x"))),
            (
                "/v2/a/blobs/uploads/tags/list",
                Some((TAGS, "a/blobs/uploads", "")),
            ),
            ("/v2/a/blobs/sha256:x", Some((BLOB, "a", "sha256:x"))),
            (
                "/v2/a/referrers/sha256:x",
                Some((REFERRERS, "a", "sha256:x")),
            ),
            ("/v2/a/../manifests/1", Some((MANIFEST, "a/..", "1"))),
            ("/v2/a/manifests/", None),
            ("/v2/manifests/1", None),
            ("/v2/a/tags/other", None),
            ("/v2/a", None),
            ("/v3/a/manifests/1", None),
            ("", None),
        ];
        for (path, expected) in cases {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn no_route_stands_twice_in_the_table() {
        for (at, route) in ROUTES.iter().enumerate() {
            let same =
                |other: &&Route| other.method == route.method && other.pattern == route.pattern;
            assert_eq!(ROUTES.iter().position(|other| same(&other)), Some(at));
        }
    }
}
