//! Signing in and out, and what a cookie is good for.

use axum::http::{Method, StatusCode};
use seaworthy_access::Role;
use seaworthy_store::NamespaceSettings;
use serde_json::json;

use crate::ask::{Ask, ask, read};
use crate::world::{World, on_each_database};

on_each_database! {
    a_user_signs_in_changes_the_password_and_signs_out,
    a_cookie_alone_changes_nothing,
    wrong_passwords_are_refused_and_told_apart_from_nothing,
    one_is_told_the_rights_that_are_in_effect,
    whoever_signs_in_elsewhere_comes_back_with_what_they_were_given,
    tokens_of_nobody_are_not_exchanged,
}

const NEW: &str = "a much longer password, 7 words";

/// The first account of an installation and its password.
async fn first(world: &World) -> (String, String) {
    let first = world.authority.first_admin().await.expect("answers");
    let first = first.expect("the first account");
    (first.name.to_string(), first.password.reveal().to_owned())
}

fn sign_in(name: &str, password: &str) -> Ask {
    ask(Method::POST, "/session").json(&json!({ "name": name, "password": password }))
}

/// The cookie that an answer sets.
fn cookie(answer: &crate::ask::Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    assert!(cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Path=/"), "{cookie}");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

async fn a_user_signs_in_changes_the_password_and_signs_out(world: World) {
    let (name, password) = first(&world).await;
    let answer = sign_in(&name, &password).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["password_due"], true);
    assert!(!answer.text.contains(&password));
    let session = cookie(&answer);
    let by_cookie = |request: Ask| {
        request
            .header("cookie", &session)
            .header("x-seaworthy-request", "1")
    };
    // Nothing else before the password is changed.
    let answer = by_cookie(read("/jobs")).of(&world).await;
    assert_eq!(answer.problem(), "password-due");
    let weak = json!({ "old": password, "new": "short" });
    let answer = by_cookie(ask(Method::POST, "/session/password").json(&weak));
    assert_eq!(answer.of(&world).await.problem(), "invalid");
    let wrong = json!({ "old": "not this", "new": NEW });
    let answer = by_cookie(ask(Method::POST, "/session/password").json(&wrong));
    assert_eq!(answer.of(&world).await.status, StatusCode::UNAUTHORIZED);
    let change = json!({ "old": password, "new": NEW });
    let answer = by_cookie(ask(Method::POST, "/session/password").json(&change));
    let answer = answer.of(&world).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let answer = by_cookie(read("/jobs")).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    // The old one is good for nothing any more.
    let answer = sign_in(&name, &password).of(&world).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = by_cookie(ask(Method::DELETE, "/session")).of(&world).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let cleared = answer.header("set-cookie").expect("a cookie");
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
    // The session has ended, whoever kept its cookie. They can sign in again.
    let answer = by_cookie(read("/session")).of(&world).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = by_cookie(sign_in(&name, NEW)).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn a_cookie_alone_changes_nothing(world: World) {
    let (name, password) = first(&world).await;
    let session = cookie(&sign_in(&name, &password).of(&world).await);
    let change = json!({ "old": password, "new": NEW });
    let request = || ask(Method::POST, "/session/password").json(&change);
    // As a form of another site would send it.
    let answer = request().header("cookie", &session).of(&world).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.problem(), "cross-site");
    // Reading is harmless.
    let answer = read("/session").header("cookie", &session).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = request()
        .header("cookie", &session)
        .header("x-seaworthy-request", "1")
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    // A key needs nothing of the kind: no browser sends it by itself.
    world.found("team", NamespaceSettings::default()).await;
    let chief = world.somebody("chief", &[(None, Role::Admin)]).await;
    let answer = ask(Method::POST, "/namespaces")
        .by(&chief)
        .json(&json!({ "name": "more" }))
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

async fn wrong_passwords_are_refused_and_told_apart_from_nothing(world: World) {
    let (name, _) = first(&world).await;
    let wrong = sign_in(&name, "wrong").of(&world).await;
    let nobody = sign_in("nobody-of-this-name", "wrong").of(&world).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.text, nobody.text);
    assert_eq!(wrong.header("set-cookie"), None);
    for odd in ["Bearer x", "Basic eDp5", "Negotiate abc", "Bearer"] {
        let answer = read("/namespaces").header("authorization", odd);
        let answer = answer.of(&world).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{odd}");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
}

async fn one_is_told_the_rights_that_are_in_effect(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let pusher = world
        .somebody("pusher", &[(Some("team"), Role::Pusher)])
        .await;
    let answer = read("/session").by(&pusher).of(&world).await;
    assert_eq!(
        answer.json(),
        json!({
            "name": "user:pusher",
            "account": pusher.account,
            "password_due": false,
            "rights": [],
            "namespaces": [{ "namespace": "team", "rights": ["read", "push"] }],
            "narrowed": false
        })
    );
}

async fn whoever_signs_in_elsewhere_comes_back_with_what_they_were_given(world: World) {
    let begun = read("/session/oidc").of(&world).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
    let place = begun.header("location").expect("a place");
    assert!(
        place.starts_with("https://issuer.example/authorize?"),
        "{place}"
    );
    let state = place
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("state="))
        .expect("a state")
        .to_owned();
    let journey = cookie(&begun);
    // Without the cookie, or with another state, it is somebody else who comes.
    let path = format!("/session/oidc/callback?state={state}&code=abc&session_state=x");
    let stranger = read(&path).of(&world).await;
    assert_eq!(stranger.problem(), "malformed");
    let other = read("/session/oidc/callback?state=other&code=abc").header("cookie", &journey);
    assert_eq!(other.of(&world).await.problem(), "malformed");
    let refused = read(&format!("/session/oidc/callback?state={state}&error=no"));
    let refused = refused.header("cookie", &journey).of(&world).await;
    assert_eq!(refused.problem(), "unauthenticated");
    // What is given in exchange is asked for at the issuer, which is away.
    let back = read(&path).header("cookie", &journey).of(&world).await;
    assert_eq!(back.problem(), "unavailable", "{}", back.text);
    assert!(back.header("retry-after").is_some());
    assert_eq!(back.header("set-cookie"), None);
    world.pass(601_000);
    let late = read(&path).header("cookie", &journey).of(&world).await;
    assert_eq!(late.problem(), "malformed");
}

async fn tokens_of_nobody_are_not_exchanged(world: World) {
    for token in ["", "a.b.c", "not a token"] {
        let answer = ask(Method::POST, "/session/exchange")
            .json(&json!({ "token": token }))
            .of(&world)
            .await;
        assert_eq!(answer.problem(), "unauthenticated", "{token}");
    }
}
