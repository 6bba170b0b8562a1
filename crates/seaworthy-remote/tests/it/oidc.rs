//! OpenID Connect issuers, friendly and not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::BASE64;
use seaworthy_remote::{IssuerError, Issuers, KeysWanted, Options, Secret, Security};

use crate::fake::{Fake, Reply, Seen};
use crate::{CANARY, chain, has_canary};

/// An issuer on loopback. What it says may depend on its own address.
fn issuer(answer: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Fake {
    let own = Arc::new(std::sync::OnceLock::<String>::new());
    let there = Arc::clone(&own);
    let fake = Fake::start(move |seen| answer(there.wait(), seen));
    own.set(fake.url("")).unwrap();
    fake
}

fn discovery(own: &str) -> String {
    format!(r#"{{"issuer":"{own}","jwks_uri":"{own}/keys","token_endpoint":"{own}/token"}}"#)
}

fn json(body: impl Into<Vec<u8>>) -> Reply {
    Reply::status(200).body(body)
}

fn issuers() -> Issuers {
    let options = Options {
        security: Security::Plain,
        ..Options::default()
    };
    Issuers::new(&options).unwrap()
}

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn documents_are_fetched_once() {
    let fake = issuer(|own, seen| match seen.target.as_str() {
        DISCOVERY => json(discovery(own)),
        "/keys" => json(r#"{"keys":[]}"#),
        _ => Reply::status(404),
    });
    let issuers = issuers();
    for _ in 0..3 {
        let keys = issuers.keys(&fake.url(""), KeysWanted::Any).await.unwrap();
        assert_eq!(&keys[..], br#"{"keys":[]}"#);
        issuers.discovery(&fake.url("")).await.unwrap();
    }
    // A key is missing, but they were fetched just now.
    issuers
        .keys(&fake.url(""), KeysWanted::Newer)
        .await
        .unwrap();
    assert_eq!(
        fake.story(),
        [format!("GET {DISCOVERY}"), "GET /keys".to_owned()]
    );
}

#[tokio::test]
async fn newer_keys_are_fetched_after_a_pause() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let fake = issuer(move |own, seen| match seen.target.as_str() {
        DISCOVERY => json(discovery(own)),
        _ => json(format!("{}", counted.fetch_add(1, Ordering::SeqCst))),
    });
    let issuers = issuers().with_pause(Duration::ZERO);
    let mut found = Vec::new();
    for wanted in [KeysWanted::Any, KeysWanted::Newer, KeysWanted::Any] {
        found.push(issuers.keys(&fake.url(""), wanted).await.unwrap());
    }
    assert_eq!(found, ["0", "1", "1"]);
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_request() {
    let fake = issuer(|own, seen| match seen.target.as_str() {
        DISCOVERY => json(discovery(own)),
        _ => json(r#"{"keys":[]}"#),
    });
    let issuers = issuers();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (issuers, address) = (issuers.clone(), fake.url(""));
        tasks.spawn(async move { issuers.keys(&address, KeysWanted::Any).await.is_ok() });
    }
    while let Some(done) = tasks.join_next().await {
        assert!(done.unwrap());
    }
    assert_eq!(fake.story().len(), 2);
}

#[tokio::test]
async fn a_document_of_another_issuer_is_refused() {
    for body in [
        r#"{"issuer":"https://id.example","jwks_uri":"https://id.example/keys"}"#,
        r#"{"issuer":7}"#,
        "[]",
        "",
    ] {
        let fake = issuer(move |_, _| json(body));
        let error = issuers().discovery(&fake.url("")).await.unwrap_err();
        assert!(matches!(error, IssuerError::Discovery { .. }), "{error}");
    }
}

#[tokio::test]
async fn keys_are_not_fetched_from_where_the_network_is_plain() {
    let fake = issuer(|own, _| {
        json(format!(
            r#"{{"issuer":"{own}","jwks_uri":"http://keys.example/keys"}}"#
        ))
    });
    let error = issuers()
        .keys(&fake.url(""), KeysWanted::Any)
        .await
        .unwrap_err();
    assert!(matches!(error, IssuerError::Discovery { .. }), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Fake::start(|_| json("{}"));
    let to = elsewhere.url("/");
    let fake = issuer(move |_, _| Reply::redirect(&to));
    let error = issuers().discovery(&fake.url("")).await.unwrap_err();
    assert!(
        matches!(error, IssuerError::Refused { status: 307, .. }),
        "{error}"
    );
    assert_eq!(elsewhere.story(), [""; 0]);
}

#[tokio::test]
async fn too_large_a_document_is_not_read() {
    let fake = issuer(|_, _| json(vec![b' '; 1 << 20]));
    let error = issuers().discovery(&fake.url("")).await.unwrap_err();
    assert!(matches!(error, IssuerError::TooMuch { .. }), "{error}");
}

#[tokio::test]
async fn an_issuer_that_failed_rests_for_a_moment() {
    let fake = issuer(|_, _| Reply::status(500));
    let issuers = issuers();
    let error = issuers.discovery(&fake.url("")).await.unwrap_err();
    assert!(
        matches!(error, IssuerError::Refused { status: 500, .. }),
        "{error}"
    );
    let error = issuers.discovery(&fake.url("")).await.unwrap_err();
    assert!(matches!(error, IssuerError::Resting { .. }), "{error}");
    assert_eq!(fake.story().len(), 1);
}

fn fields() -> Vec<(&'static str, Secret)> {
    vec![
        ("grant_type", Secret::new("authorization_code")),
        ("code", Secret::new("a&b")),
        ("client_id", Secret::new("sea:worthy")),
        ("client_secret", Secret::new(CANARY)),
    ]
}

#[tokio::test]
async fn the_clients_secret_is_shown_in_the_header() {
    let fake = issuer(|own, seen| match seen.target.as_str() {
        DISCOVERY => json(discovery(own)),
        _ => json(r#"{"id_token":"x"}"#),
    });
    let answer = issuers().redeem(&fake.url(""), &fields()).await.unwrap();
    assert_eq!(&answer[..], br#"{"id_token":"x"}"#);
    let seen = fake.seen().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/token")
    );
    let pair = format!("sea%3Aworthy:{CANARY}");
    let expected = format!("Basic {}", BASE64.encode(pair.as_bytes()));
    assert_eq!(seen.header("authorization"), Some(expected.as_str()));
    let body = seen.raw.rsplit("\r\n").next().unwrap();
    assert_eq!(
        body,
        "grant_type=authorization_code&code=a%26b&client_id=sea%3Aworthy"
    );
}

#[tokio::test]
async fn the_clients_secret_is_in_the_form_where_the_issuer_wants_it_there() {
    let fake = issuer(|own, seen| match seen.target.as_str() {
        DISCOVERY => json(discovery(own).replace(
            "\"jwks_uri\"",
            r#""token_endpoint_auth_methods_supported":["client_secret_post"],"jwks_uri""#,
        )),
        _ => Reply::status(400),
    });
    let error = issuers()
        .redeem(&fake.url(""), &fields())
        .await
        .unwrap_err();
    assert!(
        matches!(error, IssuerError::Refused { status: 400, .. }),
        "{error}"
    );
    assert!(!has_canary(&chain(&error)) && !has_canary(&format!("{error:?}")));
    let seen = fake.seen().pop().unwrap();
    assert_eq!(seen.header("authorization"), None);
    assert!(seen.raw.ends_with(&format!("client_secret={CANARY}")));
}
