//! Lists of tags and repositories.

use seaworthy_access::Role;
use seaworthy_registry::Limits;
use seaworthy_store::NamespaceSettings;
use serde_json::json;

use crate::client::Answer;
use crate::registry::{EMBEDDED, IMAGE, Registry};

/// Where the next page is.
pub(crate) fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().expect("text");
    let target = link
        .strip_prefix('<')
        .and_then(|it| it.strip_suffix(">; rel=\"next\""));
    Some(target.expect("a link to the next page").to_owned())
}

fn names(answer: &Answer, field: &str) -> Vec<String> {
    let list = answer.json()[field].clone();
    serde_json::from_value(list).expect("a list of names")
}

async fn tagged(tags: &[&str], limits: Limits) -> Registry {
    let registry = Registry::start_with(EMBEDDED, |options| options.limits = limits).await;
    let manifest = registry.push_image("team/app", tags[0]).await;
    for tag in &tags[1..] {
        registry
            .push_manifest("team/app", tag, IMAGE, &manifest)
            .await
            .expect(201);
    }
    registry
}

#[tokio::test]
async fn tags_are_listed_in_order() {
    let registry = tagged(&["b", "a", "B", "1.10", "1.9", "_x"], Limits::default()).await;
    let answer = registry.get("/v2/team/app/tags/list").await.expect(200);
    let expected = json!({ "name": "team/app", "tags": ["1.10", "1.9", "B", "_x", "a", "b"] });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(next(&answer), None);
}

#[tokio::test]
async fn tags_are_listed_in_pages_that_link_to_the_next() {
    let registry = tagged(&["a", "b", "c", "d", "e"], Limits::default()).await;
    let mut target = Some("/v2/team/app/tags/list?n=2".to_owned());
    let mut pages = Vec::new();
    while let Some(here) = target {
        let answer = registry.get(&here).await.expect(200);
        pages.push(names(&answer, "tags").join(""));
        target = next(&answer);
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    for (query, expected, more) in [
        ("n=5", "abcde", false),
        ("n=9", "abcde", false),
        ("n=1", "a", true),
        ("n=2&last=b", "cd", true),
        ("n=3&last=b", "cde", false),
        ("last=c", "de", false),
        ("last=bb", "cde", false),
        ("last=z", "", false),
        ("n=0", "", false),
        ("n=0&last=a", "", false),
        ("n=99999999999999999999", "abcde", false),
    ] {
        let answer = registry
            .get(&format!("/v2/team/app/tags/list?{query}"))
            .await
            .expect(200);
        assert_eq!(names(&answer, "tags").join(""), expected, "{query}");
        assert_eq!(next(&answer).is_some(), more, "{query}");
    }
    for query in ["n=-1", "n=x", "n=1e9", &format!("last={}", "a".repeat(600))] {
        let answer = registry
            .get(&format!("/v2/team/app/tags/list?{query}"))
            .await;
        answer.refused(400, "UNSUPPORTED");
    }
}

#[tokio::test]
async fn a_page_has_as_many_tags_as_the_limit_also_where_nobody_asks_for_pages() {
    let limits = Limits {
        page: 3,
        ..Limits::default()
    };
    let registry = tagged(&["a", "b", "c", "d"], limits).await;
    for query in ["", "?n=100"] {
        let answer = registry
            .get(&format!("/v2/team/app/tags/list{query}"))
            .await
            .expect(200);
        assert_eq!(names(&answer, "tags"), ["a", "b", "c"]);
        let rest = registry
            .get(&next(&answer).expect("more"))
            .await
            .expect(200);
        assert_eq!(names(&rest, "tags"), ["d"]);
    }
}

#[tokio::test]
async fn a_repository_without_tags_has_an_empty_list_and_one_that_is_not_there_none() {
    let registry = Registry::start().await;
    registry.push_blob("team/app", b"{}").await;
    let answer = registry.get("/v2/team/app/tags/list").await.expect(200);
    assert_eq!(answer.json(), json!({ "name": "team/app", "tags": [] }));
    for query in ["", "?n=0"] {
        let answer = registry
            .get(&format!("/v2/team/none/tags/list{query}"))
            .await;
        answer.refused(404, "NAME_UNKNOWN");
    }
}

#[tokio::test]
async fn repositories_are_listed_as_far_as_one_may_read() {
    let limits = Limits {
        page: 2,
        ..Limits::default()
    };
    let registry = Registry::start_with(EMBEDDED, |options| options.limits = limits).await;
    let public = NamespaceSettings {
        is_public: true,
        ..NamespaceSettings::default()
    };
    registry.namespace("open", public).await;
    for name in ["alone", "open/a", "team/a", "team/b/c", "zoo/a"] {
        registry.push_blob(name, b"{}").await;
    }
    let reader = registry.account("reader", &[("team", Role::Reader)]).await;
    let nobody = registry.account("nobody", &[]).await;
    for (key, expected) in [
        (
            &registry.admin,
            &["alone", "open/a", "team/a", "team/b/c", "zoo/a"][..],
        ),
        (&reader, &["open/a", "team/a", "team/b/c"][..]),
        (&nobody, &["open/a"][..]),
    ] {
        let mut target = Some("/v2/_catalog".to_owned());
        let mut found = Vec::new();
        while let Some(here) = target {
            let answer = registry.ask("GET", &here).by(key).send().await.expect(200);
            let page = names(&answer, "repositories");
            assert!(page.len() <= 2);
            found.extend(page);
            target = next(&answer);
        }
        assert_eq!(found, expected);
    }
    let answer = registry
        .get("/v2/_catalog?n=1&last=open/a")
        .await
        .expect(200);
    assert_eq!(names(&answer, "repositories"), ["team/a"]);
    let answer = registry.get("/v2/_catalog?n=0").await.expect(200);
    assert_eq!(names(&answer, "repositories"), [""; 0]);
    assert_eq!(next(&answer), None);
}
