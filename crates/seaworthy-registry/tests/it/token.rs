//! Docker's token flow.

use seaworthy_access::Role;
use seaworthy_registry::Origin;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::registry::{EMBEDDED, Registry, sha256};

impl Registry {
    pub(crate) async fn token(&self, key: &str, scope: &str) -> String {
        let target = format!("/token?service=seaworthy&scope={scope}");
        let answer = self.ask("GET", &target).by(key).send().await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let told = answer.json();
        assert_eq!(told["token"], told["access_token"]);
        assert_eq!(told["expires_in"], json!(300));
        told["token"].as_str().expect("a token").to_owned()
    }

    async fn with_token(&self, token: &str, method: &str, target: &str) -> Answer {
        self.ask(method, target).bearer(token).send().await
    }
}

fn scope_of(answer: &Answer) -> String {
    let challenge = answer.header("www-authenticate");
    let scope = challenge
        .split_once("scope=\"")
        .map_or("", |(_, rest)| rest);
    scope.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn who_says_nothing_is_told_where_to_get_a_token_and_for_what() {
    let registry = Registry::start().await;
    let digest = sha256(b"none");
    for (method, target, scope) in [
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/v2/team/app/tags/list", "repository:team/app:pull"),
        (
            "HEAD",
            "/v2/team/app/manifests/1",
            "repository:team/app:pull",
        ),
        (
            "GET",
            &format!("/v2/a/b/c/blobs/{digest}"),
            "repository:a/b/c:pull",
        ),
        (
            "GET",
            &format!("/v2/a/referrers/{digest}"),
            "repository:a:pull",
        ),
        (
            "POST",
            "/v2/team/app/blobs/uploads/",
            "repository:team/app:pull,push",
        ),
        (
            "PUT",
            "/v2/team/app/manifests/1",
            "repository:team/app:pull,push",
        ),
        (
            "DELETE",
            "/v2/team/app/manifests/1",
            "repository:team/app:delete",
        ),
    ] {
        let answer = registry.ask(method, target).send().await.expect(401);
        if method != "HEAD" {
            assert_eq!(answer.code(), "UNAUTHORIZED");
        }
        let challenge = answer.header("www-authenticate");
        let realm = format!(
            "Bearer realm=\"http://{}/token\",service=\"seaworthy\"",
            registry.address
        );
        assert!(challenge.starts_with(&realm), "{challenge}");
        assert_eq!(scope_of(&answer), scope);
    }
}

#[tokio::test]
async fn the_realm_is_the_address_that_was_configured() {
    let registry = Registry::start_with(EMBEDDED, |options| {
        options.origin = Origin::Fixed("https://registry.example".to_owned());
    });
    let registry = registry.await;
    let answer = registry.ask("GET", "/v2/").send().await.expect(401);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm=\"https://registry.example/token\","));
}

#[tokio::test]
async fn a_token_is_good_for_what_it_was_asked_for_and_what_its_owner_may() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    registry.push_image("team/other", "1").await;
    let pusher = registry.account("pusher", &[("team", Role::Pusher)]).await;
    let get = ("GET", "/v2/team/app/manifests/1");
    let begin = ("POST", "/v2/team/app/blobs/uploads/");
    let delete = ("DELETE", "/v2/team/app/manifests/none");
    let elsewhere = ("GET", "/v2/team/other/manifests/1");
    for (scope, expected) in [
        ("repository:team/app:pull", [200, 401, 403, 401]),
        ("repository:team/app:pull,push", [200, 202, 403, 401]),
        ("repository:team/app:*", [200, 202, 403, 401]),
        ("repository:team/app:delete", [401, 401, 403, 401]),
        (
            "repository:team/app:pull%20repository:team/other:pull",
            [200, 401, 403, 200],
        ),
        (
            "repository:team/app:pull&scope=repository:team/other:pull",
            [200, 401, 403, 200],
        ),
        ("repository:team/%2A:pull", [401, 401, 403, 401]),
        ("", [401, 401, 403, 401]),
    ] {
        let token = registry.token(&pusher, scope).await;
        registry.with_token(&token, "GET", "/v2/").await.expect(200);
        for ((method, target), status) in [get, begin, delete, elsewhere].into_iter().zip(expected)
        {
            let answer = registry.with_token(&token, method, target).await;
            let answer = answer.expect(status);
            if status == 401 {
                let challenge = answer.header("www-authenticate");
                assert!(
                    challenge.contains("error=\"insufficient_scope\""),
                    "{challenge}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_mount_asks_for_a_token_for_both_repositories() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("team/source", b"bytes").await;
    let token = registry
        .token(&registry.admin, "repository:team/app:pull,push")
        .await;
    for query in [
        format!("mount={digest}&from=team/source"),
        format!("mount={digest}"),
    ] {
        let target = format!("/v2/team/app/blobs/uploads/?{query}");
        let answer = registry
            .with_token(&token, "POST", &target)
            .await
            .expect(401);
        let scope = scope_of(&answer);
        assert_eq!(
            scope,
            "repository:team/app:pull,push repository:team/source:pull"
        );
        let token = registry
            .token(&registry.admin, &scope.replace(' ', "%20"))
            .await;
        registry
            .with_token(&token, "POST", &target)
            .await
            .expect(201);
        let blob = format!("/v2/team/app/blobs/{digest}");
        registry.delete(&blob).await.expect(202);
    }
}

#[tokio::test]
async fn repositories_are_listed_with_a_token_for_lists() {
    let registry = Registry::start().await;
    registry.push_blob("team/app", b"{}").await;
    registry.push_blob("other/app", b"{}").await;
    let reader = registry.account("reader", &[("team", Role::Reader)]).await;
    let token = registry.token(&reader, "registry:catalog:*").await;
    let answer = registry
        .with_token(&token, "GET", "/v2/_catalog")
        .await
        .expect(200);
    assert_eq!(answer.json(), json!({ "repositories": ["team/app"] }));
    // It is good for nothing else.
    let answer = registry
        .with_token(&token, "GET", "/v2/team/app/tags/list")
        .await;
    answer.refused(401, "UNAUTHORIZED");
    let token = registry.token(&reader, "repository:team/app:pull").await;
    let answer = registry.with_token(&token, "GET", "/v2/_catalog").await;
    answer.refused(401, "UNAUTHORIZED");
    let token = registry.token("", "registry:catalog:*").await;
    let answer = registry
        .with_token(&token, "GET", "/v2/_catalog")
        .await
        .expect(200);
    assert_eq!(answer.json(), json!({ "repositories": [] }));
}

#[tokio::test]
async fn a_token_ends() {
    let registry = Registry::start().await;
    let token = registry.token(&registry.admin, "").await;
    registry.with_token(&token, "GET", "/v2/").await.expect(200);
    registry
        .time
        .fetch_add(400_000, std::sync::atomic::Ordering::Relaxed);
    let answer = registry.with_token(&token, "GET", "/v2/").await.expect(401);
    assert!(
        answer
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_token_gets_no_other_token() {
    let registry = Registry::start().await;
    let token = registry
        .token(&registry.admin, "repository:team/app:pull")
        .await;
    registry
        .with_token(&token, "GET", "/token")
        .await
        .refused(401, "UNAUTHORIZED");
    registry
        .ask("GET", "/token")
        .by(&token)
        .send()
        .await
        .refused(401, "UNAUTHORIZED");
    let form = format!("grant_type=refresh_token&refresh_token={token}&service=seaworthy");
    let answer = registry.ask("POST", "/token").body(form).send().await;
    answer.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_form_gets_a_token_too() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    let key = &registry.admin;
    let scope = "service=seaworthy&client_id=test&scope=repository:team/app:pull";
    for form in [
        format!("grant_type=password&username=root&password={key}&{scope}"),
        format!("grant_type=refresh_token&refresh_token={key}&{scope}"),
    ] {
        let ask = registry.ask("POST", "/token");
        let ask = ask.header("content-type", "application/x-www-form-urlencoded");
        let answer = ask.body(form).send().await.expect(200);
        let token = answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let answer = registry
            .with_token(&token, "GET", "/v2/team/app/manifests/1")
            .await;
        answer.expect(200);
    }
    for (form, status) in [
        ("grant_type=password&username=root&password=wrong", 401),
        ("grant_type=refresh_token&refresh_token=wrong", 401),
        ("grant_type=password&username=root", 400),
        ("grant_type=refresh_token", 400),
        ("grant_type=magic", 400),
        ("", 400),
        (&"x".repeat(70_000), 400),
    ] {
        registry
            .ask("POST", "/token")
            .body(form.to_owned())
            .send()
            .await
            .expect(status);
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_everywhere() {
    let registry = Registry::start().await;
    for value in [
        "Basic x",
        "Basic dXNlcjpwYXNz",
        "Bearer x",
        "Bearer a.b.c",
        "Digest x",
        "x",
    ] {
        for target in ["/v2/", "/v2/_catalog", "/v2/team/app/tags/list", "/token"] {
            let ask = registry.ask("GET", target).header("authorization", value);
            let answer = ask.send().await.refused(401, "UNAUTHORIZED");
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
}

#[tokio::test]
async fn nobody_in_particular_gets_a_token_for_what_is_public() {
    let registry = Registry::start().await;
    let public = seaworthy_store::NamespaceSettings {
        is_public: true,
        ..seaworthy_store::NamespaceSettings::default()
    };
    registry.namespace("open", public).await;
    registry.push_image("open/app", "1").await;
    registry.push_image("team/app", "1").await;
    let token = registry
        .token(
            "",
            "repository:open/app:pull,push%20repository:team/app:pull",
        )
        .await;
    registry
        .with_token(&token, "GET", "/v2/open/app/manifests/1")
        .await
        .expect(200);
    registry
        .ask("GET", "/v2/open/app/manifests/1")
        .send()
        .await
        .expect(200);
    for (method, target) in [
        ("POST", "/v2/open/app/blobs/uploads/"),
        ("GET", "/v2/team/app/manifests/1"),
    ] {
        registry
            .with_token(&token, method, target)
            .await
            .refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_refusal_names_the_right_that_is_missing() {
    let registry = Registry::start().await;
    let reader = registry.account("reader", &[("team", Role::Reader)]).await;
    let message = |answer: &Answer| -> Value { answer.json()["errors"][0]["message"].clone() };
    for (method, target, right) in [
        (
            "POST",
            "/v2/team/app/blobs/uploads/",
            "`push` in the namespace `team`",
        ),
        (
            "DELETE",
            "/v2/team/app/manifests/1",
            "`delete` in the namespace `team`",
        ),
        (
            "GET",
            "/v2/other/app/tags/list",
            "`read` in the namespace `other`",
        ),
    ] {
        let answer = registry.ask(method, target).by(&reader).send().await;
        let answer = answer.refused(403, "DENIED");
        assert_eq!(message(&answer), format!("this needs the right {right}"));
    }
    let pusher = registry.account("pusher", &[("", Role::Pusher)]).await;
    let target = "/v2/fresh/app/blobs/uploads/";
    let answer = registry.ask("POST", target).by(&pusher).send().await;
    let answer = answer.refused(403, "DENIED");
    assert!(message(&answer).to_string().contains("`create-namespace`"));
}

#[tokio::test]
async fn the_first_push_makes_the_namespace_also_with_a_token() {
    let registry = Registry::start().await;
    let token = registry
        .token(&registry.admin, "repository:fresh/app:pull,push")
        .await;
    registry
        .with_token(&token, "POST", "/v2/fresh/app/blobs/uploads/")
        .await
        .expect(202);
}
