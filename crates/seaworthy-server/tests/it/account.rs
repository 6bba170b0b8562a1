//! Accounts, keys, robots and roles.

use axum::http::{Method, StatusCode};
use seaworthy_access::Role;
use seaworthy_store::NamespaceSettings;
use serde_json::{Value, json};

use crate::ask::{Answer, ask, read};
use crate::world::{Somebody, World, on_each_database};

on_each_database! {
    a_secret_is_told_once_and_never_again,
    a_robot_pushes_with_its_key_until_that_is_revoked,
    nobody_gives_what_they_do_not_have,
    the_last_admin_stays,
    the_audit_log_tells_who_did_it_and_can_be_verified,
}

async fn admin(world: &World) -> Somebody {
    world.found("team", NamespaceSettings::default()).await;
    world.somebody("ada", &[(None, Role::Admin)]).await
}

async fn post(world: &World, who: &Somebody, path: &str, document: Value) -> Answer {
    let answer = ask(Method::POST, path).by(who).json(&document);
    answer.of(world).await
}

async fn a_secret_is_told_once_and_never_again(world: World) {
    let ada = admin(&world).await;
    let made = post(
        &world,
        &ada,
        "/accounts",
        json!({ "kind": "user", "name": "grace", "display_name": "Grace" }),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let password = made["password"].as_str().expect("a password").to_owned();
    let account = made["account"]["account"].as_i64().expect("a number");
    assert_eq!(made["account"]["password_due"], true);
    let key = post(
        &world,
        &ada,
        &format!("/accounts/{account}/keys"),
        json!({
            "name": "laptop",
            "narrowed": [{ "namespace": "team", "rights": ["read", "push"] }],
            "expires_in": 3600
        }),
    )
    .await;
    assert_eq!(key.status, StatusCode::CREATED, "{}", key.text);
    let key = key.json();
    let secret = key["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(key["key"]["narrowed"][0]["rights"], json!(["read", "push"]));
    let reset = post(
        &world,
        &ada,
        &format!("/accounts/{account}/password"),
        json!({}),
    )
    .await;
    let second = reset.json()["password"].as_str().expect("one").to_owned();
    assert_ne!(second, password);
    let own = post(&world, &ada, "/session/keys", json!({ "name": "mine" })).await;
    assert_eq!(own.status, StatusCode::CREATED);
    let own = own.json()["secret"].as_str().expect("a secret").to_owned();
    // Whatever is read afterwards tells none of them, nor a hash.
    for path in [
        "/accounts".to_owned(),
        format!("/accounts/{account}"),
        format!("/accounts/{account}/keys"),
        "/session".to_owned(),
        "/session/keys".to_owned(),
        "/audit?limit=200".to_owned(),
        "/audit/export".to_owned(),
        "/jobs".to_owned(),
    ] {
        let answer = read(&path).by(&ada).of(&world).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for secret in [&password, &second, &secret, &own, &ada.key] {
            assert!(!answer.text.contains(secret.as_str()), "{path}");
        }
        assert!(!answer.text.contains("argon2"), "{path}");
    }
    world.pass(3_601_000);
    let late = read("/session").header("authorization", &format!("Bearer {secret}"));
    assert_eq!(late.of(&world).await.status, StatusCode::UNAUTHORIZED);
    for odd in [
        json!({ "name": "" }),
        json!({ "name": "x", "scope": "*" }),
        json!({ "name": "x", "narrowed": [{ "rights": ["everything"] }] }),
        json!({ "name": "x", "narrowed": [{ "repository": "../x", "rights": ["read"] }] }),
    ] {
        let answer = post(&world, &ada, "/session/keys", odd).await;
        assert_eq!(answer.problem(), "invalid");
    }
}

async fn a_robot_pushes_with_its_key_until_that_is_revoked(world: World) {
    admin(&world).await;
    let chief = world
        .somebody("chief", &[(Some("team"), Role::NamespaceAdmin)])
        .await;
    let made = post(
        &world,
        &chief,
        "/namespaces/team/robots",
        json!({ "name": "team/ci", "expires_in": 86400 }),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let robot = made.json()["account"].as_i64().expect("a number");
    let path = format!("/namespaces/team/robots/{robot}");
    let role = "/namespaces/team/members/robot:team~ci/roles/pusher";
    let given = ask(Method::PUT, role).by(&chief).of(&world).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    assert_eq!(given.json()["roles"], json!(["pusher"]));
    let key = post(
        &world,
        &chief,
        &format!("{path}/keys"),
        json!({ "name": "ci" }),
    )
    .await;
    assert_eq!(key.status, StatusCode::CREATED, "{}", key.text);
    let key = key.json();
    let shown = format!("Bearer {}", key["secret"].as_str().expect("a secret"));
    let who = read("/session").header("authorization", &shown);
    assert_eq!(who.of(&world).await.json()["name"], "robot:team/ci");
    let identity = post(
        &world,
        &chief,
        &format!("{path}/workload-identities"),
        json!({
            "issuer": "https://ci.example",
            "audience": "seaworthy",
            "claims": { "repository": "acme/app" }
        }),
    )
    .await;
    assert_eq!(identity.status, StatusCode::CREATED, "{}", identity.text);
    let open = post(
        &world,
        &chief,
        &format!("{path}/workload-identities"),
        json!({ "issuer": "https://ci.example", "audience": "x", "claims": {} }),
    )
    .await;
    assert_eq!(open.problem(), "invalid");
    let unknown = post(
        &world,
        &chief,
        &format!("{path}/workload-identities"),
        json!({ "issuer": "https://else.example", "audience": "x", "claims": { "sub": "y" } }),
    )
    .await;
    assert_eq!(unknown.problem(), "invalid");
    let id = key["key"]["id"].as_str().expect("an id");
    let revoke = ask(Method::DELETE, &format!("{path}/keys/{id}")).by(&chief);
    assert_eq!(revoke.of(&world).await.status, StatusCode::NO_CONTENT);
    let who = read("/session").header("authorization", &shown);
    assert_eq!(who.of(&world).await.status, StatusCode::UNAUTHORIZED);
    // A change names the version that was seen.
    let change = |tag: &str| {
        ask(Method::PATCH, &path)
            .by(&chief)
            .header("if-match", tag)
            .json(&json!({ "disabled": true }))
    };
    assert_eq!(change("\"r9999\"").of(&world).await.problem(), "changed");
    let seen = read(&path).by(&chief).of(&world).await;
    let tag = seen.header("etag").expect("a tag").to_owned();
    let changed = change(&tag).of(&world).await;
    assert_eq!(changed.json()["disabled"], true, "{}", changed.text);
    let delete = ask(Method::DELETE, &path)
        .by(&chief)
        .header("if-match", "*");
    assert_eq!(delete.of(&world).await.status, StatusCode::NO_CONTENT);
    assert_eq!(read(&path).by(&chief).of(&world).await.status, 404);
}

async fn nobody_gives_what_they_do_not_have(world: World) {
    let ada = admin(&world).await;
    let chief = world
        .somebody("chief", &[(Some("team"), Role::NamespaceAdmin)])
        .await;
    let bob = world.somebody("bob", &[]).await;
    world.found("other", NamespaceSettings::default()).await;
    let give = |who: &Somebody, path: &str| ask(Method::PUT, path).by(who);
    let path = "/namespaces/team/members/user:bob/roles/reader";
    assert_eq!(give(&chief, path).of(&world).await.status, StatusCode::OK);
    let members = read("/namespaces/team/members").by(&chief).of(&world).await;
    let names: Vec<String> = members.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|member| member["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, ["chief", "bob"]);
    // Not elsewhere, not what is of the installation, and nobody who is not there.
    for (path, status) in [
        ("/namespaces/other/members/user:bob/roles/reader", 404),
        ("/namespaces/team/members/user:nobody/roles/reader", 404),
        ("/namespaces/team/members/user:bob/roles/god", 404),
        ("/namespaces/team/members/bob/roles/reader", 404),
    ] {
        let answer = give(&chief, path).of(&world).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
    }
    let path = "/namespaces/team/members/user:bob/roles/admin";
    let answer = give(&chief, path).of(&world).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let path = format!("/accounts/{}/roles/admin", bob.account);
    assert_eq!(
        give(&chief, &path).of(&world).await.problem(),
        "missing-right"
    );
    assert_eq!(
        give(&bob, &path).of(&world).await.problem(),
        "missing-right"
    );
    assert_eq!(give(&ada, &path).of(&world).await.status, StatusCode::OK);
    // A narrow key makes no wide one.
    let narrow = seaworthy_access::Narrowed {
        repository: None,
        namespace: Some("team".parse().expect("a name")),
        rights: vec![seaworthy_access::Right::Read],
    };
    let (key, _) = world.key(ada.account, Some(vec![narrow])).await;
    let answer = ask(Method::POST, "/session/keys")
        .header("authorization", &format!("Bearer {key}"))
        .json(&json!({ "name": "wider" }))
        .of(&world)
        .await;
    assert_eq!(answer.problem(), "missing-right", "{}", answer.text);
}

async fn the_last_admin_stays(world: World) {
    let ada = admin(&world).await;
    let path = format!("/accounts/{}", ada.account);
    for request in [
        ask(Method::DELETE, &path).header("if-match", "*"),
        ask(Method::PATCH, &path)
            .header("if-match", "*")
            .json(&json!({ "disabled": true })),
        ask(Method::DELETE, &format!("{path}/roles/admin")),
    ] {
        let answer = request.by(&ada).of(&world).await;
        assert_eq!(answer.problem(), "conflict", "{}", answer.text);
    }
    assert_eq!(read("/accounts").by(&ada).of(&world).await.status, 200);
}

async fn the_audit_log_tells_who_did_it_and_can_be_verified(world: World) {
    let ada = admin(&world).await;
    let made = post(&world, &ada, "/namespaces", json!({ "name": "more" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let again = post(&world, &ada, "/namespaces", json!({ "name": "more" })).await;
    assert_eq!(again.problem(), "conflict");
    let entries = read("/audit?actor=user:ada")
        .by(&ada)
        .of(&world)
        .await
        .json();
    let entries = entries["items"].as_array().expect("items").clone();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["object"], "more");
    let export = read("/audit/export").by(&ada).of(&world).await;
    let lines: Vec<Value> = export
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let check = read("/audit/check").by(&ada).of(&world).await.json();
    assert_eq!(check["whole"], true);
    assert_eq!(check["entries"], lines.len());
    assert_eq!(check["head"], lines[lines.len() - 1]["hash"]);
}
