//! The form of requests and answers: errors, entity tags, headers.

use axum::http::{Method, StatusCode};
use seaworthy_access::Role;
use seaworthy_store::NamespaceSettings;
use serde_json::json;

use crate::ask::{ask, read};
use crate::world::{World, on_each_database};

on_each_database! {
    settings_are_changed_only_by_who_saw_them,
    what_a_client_has_is_not_sent_again,
    what_is_not_there_is_a_problem,
    unknown_fields_and_parameters_are_refused,
    bodies_are_bounded,
    every_answer_has_a_number_and_tells_browsers_to_be_careful,
    a_store_that_is_away_asks_to_come_back,
}

async fn settings_are_changed_only_by_who_saw_them(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let chief = world
        .somebody("chief", &[(Some("team"), Role::NamespaceAdmin)])
        .await;
    let path = "/namespaces/team/settings";
    let seen = read(path).by(&chief).of(&world).await;
    let tag = seen.header("etag").expect("a tag").to_owned();
    let change = |tag: Option<&str>| {
        let request = ask(Method::PUT, path)
            .by(&chief)
            .json(&json!({ "public": true, "auto_scan": false, "quota_bytes": 1000 }));
        match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        }
    };
    let answer = change(None).of(&world).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(answer.problem(), "unconditional");
    let answer = change(Some(&tag)).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
    // The same once more: somebody changed it meanwhile.
    let answer = change(Some(&tag)).of(&world).await;
    assert_eq!(answer.problem(), "changed");
    let answer = change(Some("*")).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK);
    let now = read(path).by(&chief).of(&world).await;
    assert_eq!(
        now.json(),
        json!({ "public": true, "auto_scan": false, "sparse": false, "quota_bytes": 1000 })
    );
    // Rules are another right, and changing settings leaves them as they are.
    let rules = "/namespaces/team/rules";
    let answer = ask(Method::PUT, rules)
        .by(&chief)
        .header("if-match", "*")
        .json(&json!({ "immutable_tags": ["v*"], "retention": [{ "keep_newest": 3 }] }))
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(change(Some("*")).of(&world).await.status, StatusCode::OK);
    let answer = read(rules).by(&chief).of(&world).await;
    assert_eq!(
        answer.json(),
        json!({ "immutable_tags": ["v*"], "retention": [{ "keep_newest": 3 }] })
    );
}

async fn what_a_client_has_is_not_sent_again(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    world.push("team/app", &["v1"], "app").await;
    let ada = world.somebody("ada", &[(None, Role::Reader)]).await;
    for path in [
        "/namespaces",
        "/namespaces/team",
        "/namespaces/team/settings",
        "/repositories",
        "/repositories/team~app/tags",
        "/session",
        "/openapi.json",
    ] {
        let first = read(path).by(&ada).of(&world).await;
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path}"));
        let again = read(path).by(&ada).header("if-none-match", tag);
        let again = again.of(&world).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.text, "");
        assert_eq!(again.header("etag"), Some(tag));
        let other = read(path).by(&ada).header("if-none-match", "\"x\"");
        assert_eq!(other.of(&world).await.text, first.text);
    }
    let before = read("/repositories/team~app/tags")
        .by(&ada)
        .of(&world)
        .await;
    world.push("team/app", &["v2"], "app 2").await;
    let tag = before.header("etag").expect("a tag");
    let after = read("/repositories/team~app/tags")
        .by(&ada)
        .header("if-none-match", tag);
    assert_eq!(after.of(&world).await.status, StatusCode::OK);
}

async fn what_is_not_there_is_a_problem(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    for path in [
        "",
        "/nothing",
        "/namespaces/nowhere",
        "/namespaces/No%20Name",
        "/repositories/team~nothing",
        "/repositories/%2e%2e%2f%2e%2e",
        "/repositories/team~nothing/images/sha256:00",
        "/jobs/1",
        "/jobs/x",
        "/accounts/99999",
        "/accounts/99999999999999999999999",
    ] {
        let answer = read(path).by(&ada).of(&world).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.problem(), "absent", "{path}");
    }
    let answer = ask(Method::DELETE, "/search").by(&ada).of(&world).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.problem(), "method");
}

async fn unknown_fields_and_parameters_are_refused(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    for path in [
        "/namespaces?limt=3",
        "/namespaces?limit=0",
        "/namespaces?limit=201",
        "/namespaces?limit=-1",
        "/namespaces?limit=1&limit=2",
        "/namespaces?cursor=%25",
        "/jobs?state=sleeping",
        "/jobs?state=Dead",
        "/search",
        "/search?package=a&label=b",
        "/search?version=1",
        "/search?purl=nonsense",
        "/search?digest=sha256:zz",
        "/repositories?namespace=A",
        "/repositories?order=password",
    ] {
        let answer = read(path).by(&ada).of(&world).await;
        assert_eq!(answer.problem(), "malformed", "{path}");
    }
    let settings = ask(Method::PUT, "/namespaces/team/settings")
        .by(&ada)
        .header("if-match", "*");
    let answer = settings
        .json(&json!({ "public": true, "revision": 7 }))
        .of(&world)
        .await;
    assert_eq!(answer.problem(), "invalid");
    let make = |body: &str| {
        ask(Method::POST, "/accounts")
            .by(&ada)
            .header("content-type", "application/json")
            .body(body.to_owned())
    };
    for (body, problem) in [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "invalid"),
        (r#"{"kind":"user","name":"a","is_admin":true}"#, "invalid"),
        (r#"{"kind":"user","name":"a","name":"b"}"#, "invalid"),
        (r#"{"kind":"god","name":"a"}"#, "invalid"),
        (r#"{"kind":"user","name":"A b"}"#, "invalid"),
        (r#"{"kind":"user","name":7}"#, "invalid"),
        (
            r#"{"kind":"user","name":"a","display_name":"\u0007"}"#,
            "invalid",
        ),
    ] {
        let answer = make(body).of(&world).await;
        assert_eq!(answer.problem(), problem, "{body}");
    }
    let answer = ask(Method::POST, "/accounts")
        .by(&ada)
        .body(r#"{"kind":"user","name":"a"}"#);
    assert_eq!(answer.of(&world).await.problem(), "media-type");
    let deep = "[".repeat(100_000);
    let answer = make(&format!(r#"{{"kind":"user","name":{deep}"#))
        .of(&world)
        .await;
    assert!(answer.status.is_client_error());
}

async fn bodies_are_bounded(world: World) {
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let name = "a".repeat(300 * 1024);
    let answer = ask(Method::POST, "/accounts")
        .by(&ada)
        .json(&json!({ "kind": "user", "name": name }))
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.problem(), "too-large");
}

async fn every_answer_has_a_number_and_tells_browsers_to_be_careful(world: World) {
    let mut numbers = Vec::new();
    for path in ["/session", "/nothing", "/namespaces"] {
        let answer = read(path).of(&world).await;
        numbers.push(answer.header("x-request-id").expect("a number").to_owned());
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"));
    }
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
    let own = read("/session").header("x-request-id", "build-7");
    let answer = own.of(&world).await;
    assert_eq!(answer.header("x-request-id"), Some("build-7"));
    for odd in ["a b", "<script>", &"x".repeat(65)] {
        let answer = read("/session")
            .header("x-request-id", odd)
            .of(&world)
            .await;
        assert_ne!(answer.header("x-request-id"), Some(odd));
    }
}

async fn a_store_that_is_away_asks_to_come_back(world: World) {
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    assert_eq!(read("/jobs").by(&ada).of(&world).await.status, 200);
    world.database.close().await;
    let answer = read("/jobs").by(&ada).of(&world).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.problem(), "unavailable");
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.text.contains("sql"), "{}", answer.text);
}
