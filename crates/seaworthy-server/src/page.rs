//! Lists in pages: how much is asked for, and where the next page begins.

use axum::Json;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

const DEFAULT: u16 = 50;
const MOST: u16 = 200;
const LONGEST_CURSOR: usize = 2048;

/// The part of a list that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) limit: usize,
    /// The key of the last item of the page before, as [`Listed::of`] was given it.
    pub(crate) after: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// In the order of the list.
    items: Vec<T>,
    /// What to send as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where the next page begins, for the `Link` header.
#[derive(Clone)]
pub(crate) struct NextCursor(pub(crate) String);

impl Window {
    pub(crate) fn of(limit: Option<u16>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::malformed(format!("`limit` is from 1 to {MOST}")));
        }
        Ok(Self {
            limit: limit.into(),
            after: cursor.map(key).transpose()?,
        })
    }

    /// The key as a whole number.
    pub(crate) fn number(&self) -> Result<Option<i64>, Problem> {
        let parse = |key: &String| key.parse().map_err(|_| wrong());
        self.after.as_ref().map(parse).transpose()
    }
}

fn wrong() -> Problem {
    Problem::malformed("`cursor` is not one that this list gave out")
}

fn key(cursor: &str) -> Result<String, Problem> {
    if cursor.len() > LONGEST_CURSOR {
        return Err(wrong());
    }
    let bytes = BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .map_err(|_| wrong())?;
    String::from_utf8(bytes).map_err(|_| wrong())
}

impl<T> Listed<T> {
    /// A page whose last item has the key `last`, and whether more follow.
    pub(crate) fn of(items: Vec<T>, last: Option<String>, more: bool) -> Self {
        let next = last
            .filter(|_| more)
            .map(|key| BASE64URL_NOPAD.encode(key.as_bytes()));
        Self { items, next }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let next = self.next.clone();
        let mut response = Json(self).into_response();
        if let Some(next) = next {
            response.extensions_mut().insert(NextCursor(next));
        }
        response
    }
}

/// The `Link` header to the page after `next`, for a request of `path` and `query`.
pub(crate) fn link(path: &str, query: &str, next: &str) -> String {
    let kept = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let mut target = format!("{path}?");
    for pair in kept {
        target.push_str(pair);
        target.push('&');
    }
    format!("<{target}cursor={next}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_else_was_asked() {
        assert_eq!(
            link("/api/v1/jobs", "state=dead&cursor=old&limit=2", "new"),
            "</api/v1/jobs?state=dead&limit=2&cursor=new>; rel=\"next\""
        );
        assert_eq!(link("/x", "", "new"), "</x?cursor=new>; rel=\"next\"");
    }

    #[test]
    fn cursors_are_what_was_given_out() {
        let listed = Listed::of(vec![1], Some("team/app".to_owned()), true);
        let next = listed.next.expect("more follow");
        let window = Window::of(None, Some(&next)).expect("a cursor");
        assert_eq!(window.after.as_deref(), Some("team/app"));
        for bad in ["%", "====", "a b", "\u{e4}", &"a".repeat(4000)] {
            assert!(Window::of(None, Some(bad)).is_err(), "{bad}");
        }
        for limit in [0, 201, u16::MAX] {
            assert!(Window::of(Some(limit), None).is_err());
        }
    }
}
