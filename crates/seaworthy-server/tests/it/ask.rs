//! Asking the API, and what it answers.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::world::{Somebody, World};

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What kind of problem it tells of.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{} {}",
            self.status,
            self.text
        );
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        let kind = document["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:seaworthy:problem:")
            .unwrap_or_else(|| panic!("{document}"))
            .to_owned()
    }
}

/// A request to be made.
pub(crate) struct Ask {
    request: axum::http::request::Builder,
    body: Body,
}

/// A request of this method for `path`, from `/api/v1` on.
pub(crate) fn ask(method: Method, path: &str) -> Ask {
    Ask {
        request: Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}")),
        body: Body::empty(),
    }
}

pub(crate) fn read(path: &str) -> Ask {
    ask(Method::GET, path)
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// By somebody with a key.
    pub(crate) fn by(self, somebody: &Somebody) -> Self {
        let value = format!("Bearer {}", somebody.key);
        self.header("authorization", &value)
    }

    pub(crate) fn json(mut self, value: &Value) -> Self {
        self.body = Body::from(value.to_string());
        self.header("content-type", "application/json")
    }

    pub(crate) fn body(mut self, text: impl Into<Body>) -> Self {
        self.body = text.into();
        self
    }

    /// The answer with its body as it comes.
    pub(crate) async fn open(self, world: &World) -> axum::response::Response {
        let request = self.request.body(self.body).expect("a request");
        let answer = world.router.clone().oneshot(request).await;
        answer.expect("an answer")
    }

    pub(crate) async fn of(self, world: &World) -> Answer {
        let response = self.open(world).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// Every item of a list, page by page, with how often the list was asked.
pub(crate) async fn walk(world: &World, who: &Somebody, path: &str) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    for pages in 1..1000 {
        let answer = read(&next).by(who).of(world).await;
        assert_eq!(answer.status, StatusCode::OK, "{next}: {}", answer.text);
        let page = answer.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let Some(cursor) = page["next"].as_str() else {
            assert_eq!(answer.headers.get(header::LINK), None);
            return (items, pages);
        };
        let link = answer.header("link").expect("a link").to_owned();
        assert!(link.contains(cursor), "{link}");
        let (target, _) = link
            .strip_prefix("</api/v1")
            .and_then(|rest| rest.split_once('>'))
            .expect("a link to this API");
        target.clone_into(&mut next);
    }
    panic!("{path} never ends");
}
