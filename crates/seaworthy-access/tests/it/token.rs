//! Tokens: what one says is believed only if we signed it, for here and for now, and
//! then it is good for no more than its account.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use seaworthy_access::{Principal, Right, Role, Wanted};
use serde_json::{Value, json};

use crate::world::{World, basic, bearer, identify, in_sqlite, key_in, repository};

/// What a token of `team/app` is asked for with.
fn wanted(name: &str, rights: &[Right]) -> Wanted {
    Wanted {
        repository: repository(name),
        rights: rights.to_vec(),
    }
}

/// A robot that may push everywhere, and a token for `team/app`.
async fn token(world: &World) -> String {
    let (_, secret) = world.robot("ci", None, &[(None, Role::Pusher)]).await;
    let principal = world.identify(&bearer(&secret)).await.expect("is known");
    let wanted = [wanted("team/app", &[Right::Read, Right::Push])];
    world
        .authority
        .issue(&principal, &wanted, 300)
        .await
        .expect("is issued")
}

/// The three parts of a token, the first two as JSON.
fn parts(token: &str) -> (Value, Value, String) {
    let mut parts = token.split('.');
    let mut json = || {
        let part = parts.next().expect("a part");
        let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let (header, claims) = (json(), json());
    (
        header,
        claims,
        parts.next().expect("a signature").to_owned(),
    )
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

/// The installation's key, which nobody outside has.
async fn real_key(world: &World) -> Vec<u8> {
    let keys = world.accounts.secrets("token-key:").await.expect("is read");
    keys[0].content.to_vec()
}

/// A token with this header and these claims, signed with the real key.
async fn forged(world: &World, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(&real_key(world).await);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
    format!("{message}.{}", signature.expect("is signed"))
}

#[test]
fn a_token_is_good_for_what_it_was_asked_for() {
    in_sqlite(async |world: World| {
        let token = token(&world).await;
        let principal = world.identify(&bearer(&token)).await.expect("is known");
        assert_eq!(principal.actor.as_str(), "robot:ci");
        assert!(world.may(&principal, Right::Read, "team/app").await);
        assert!(world.may(&principal, Right::Push, "team/app").await);
        assert!(!world.may(&principal, Right::Read, "team/other").await);
        assert!(!world.may(&principal, Right::Push, "other/app").await);
        assert!(!world.may(&principal, Right::Delete, "team/app").await);
    });
}

#[test]
fn nothing_is_granted_that_the_principal_has_not() {
    in_sqlite(async |world: World| {
        let (_, secret) = world
            .robot("ci", None, &[(Some("team"), Role::Reader)])
            .await;
        let principal = world.identify(&bearer(&secret)).await.expect("is known");
        let asked = [
            wanted("team/app", &[Right::Read, Right::Push, Right::Delete]),
            wanted("other/app", &[Right::Read]),
        ];
        let token = world
            .authority
            .issue(&principal, &asked, 300)
            .await
            .expect("is issued");
        let (_, claims, _) = parts(&token);
        assert_eq!(
            claims["access"],
            json!([
                { "repository": "team/app", "rights": ["read"] },
                { "repository": "other/app", "rights": [] },
            ])
        );
    });
}

#[test]
fn a_token_of_a_narrow_key_is_as_narrow() {
    in_sqlite(async |world: World| {
        let (robot, _) = world.robot("ci", None, &[(None, Role::Pusher)]).await;
        let key = world.key(robot.id, key_in("team", &[Right::Read])).await;
        let principal = world.identify(&bearer(&key)).await.expect("is known");
        let asked = [
            wanted("team/app", &[Right::Read, Right::Push]),
            wanted("other/app", &[Right::Read]),
        ];
        let token = world
            .authority
            .issue(&principal, &asked, 300)
            .await
            .expect("is issued");
        let principal = world.identify(&bearer(&token)).await.expect("is known");
        assert!(world.may(&principal, Right::Read, "team/app").await);
        assert!(!world.may(&principal, Right::Push, "team/app").await);
        assert!(!world.may(&principal, Right::Read, "other/app").await);
        // Asking for another token with it widens nothing.
        let asked = [wanted("team/other", &[Right::Read, Right::Push])];
        let token = world
            .authority
            .issue(&principal, &asked, 300)
            .await
            .expect("is issued");
        let principal = world.identify(&bearer(&token)).await.expect("is known");
        assert!(!world.may(&principal, Right::Read, "team/other").await);
    });
}

#[test]
fn a_token_of_the_token_flow_is_no_password_for_another() {
    in_sqlite(async |world: World| {
        let token = token(&world).await;
        assert!(world.identify(&basic("ci", &token)).await.is_none());
    });
}

#[test]
fn a_token_ends_when_it_says_and_never_after_what_was_shown_for_it() {
    in_sqlite(async |world: World| {
        let short = token(&world).await;
        world.pass(299_000);
        assert!(world.identify(&bearer(&short)).await.is_some());
        world.pass(1_000);
        assert!(world.identify(&bearer(&short)).await.is_none());

        let (robot, _) = world.robot("cd", None, &[(None, Role::Pusher)]).await;
        let mut request = crate::world::whole_key();
        request.expires_at = Some(world.database.now().plus(10_000));
        let key = world.key(robot.id, request).await;
        let principal = world.identify(&bearer(&key)).await.expect("is known");
        let asked = [wanted("team/app", &[Right::Read])];
        let long = world
            .authority
            .issue(&principal, &asked, 999_999)
            .await
            .expect("is issued");
        assert!(world.identify(&bearer(&long)).await.is_some());
        // A token that is shown for another one passes its end on.
        let principal = world.identify(&bearer(&long)).await.expect("is known");
        let next = world
            .authority
            .issue(&principal, &asked, 999_999)
            .await
            .expect("is issued");
        world.pass(10_000);
        assert!(world.identify(&bearer(&long)).await.is_none());
        assert!(world.identify(&bearer(&next)).await.is_none());
    });
}

#[test]
fn a_token_for_nobody_reads_what_is_public() {
    in_sqlite(async |world: World| {
        world.namespace("team", true).await;
        let asked = [wanted("team/app", &[Right::Read, Right::Push])];
        let issued = world
            .authority
            .issue(&Principal::anonymous(), &asked, 300)
            .await;
        let token = issued.expect("is issued");
        let principal = world.identify(&bearer(&token)).await.expect("is known");
        assert_eq!(principal.account, None);
        assert!(world.may(&principal, Right::Read, "team/app").await);
        assert!(!world.may(&principal, Right::Push, "team/app").await);
        world.namespace("team", false).await;
        assert!(!world.may(&principal, Right::Read, "team/app").await);
    });
}

#[test]
fn a_signature_is_of_our_key_by_our_algorithm() {
    in_sqlite(async |world: World| {
        let token = token(&world).await;
        let (header, claims, signature) = parts(&token);
        let message = token.rsplit_once('.').expect("three parts").0.to_owned();
        let mut refused: Vec<(&str, String)> = vec![
            ("no signature", format!("{message}.")),
            ("two parts", message.clone()),
            ("four parts", format!("{token}.{signature}")),
            (
                "another signature",
                format!("{message}.{}", encoded(&claims)),
            ),
            ("nothing", "..".to_owned()),
            ("too long", "a".repeat(1 << 20)),
        ];
        for alg in [
            "none", "None", "NONE", "", "HS384", "RS256", "ES256", "EdDSA",
        ] {
            let mut header = header.clone();
            header["alg"] = json!(alg);
            refused.push((
                "unsigned",
                format!("{}.{}.", encoded(&header), encoded(&claims)),
            ));
            let signed = forged(&world, &header, &claims).await;
            refused.push(("another algorithm", signed));
        }
        // Signed well, with a key of somebody else.
        let mut foreign = Header::new(Algorithm::HS256);
        foreign.kid = header["kid"].as_str().map(str::to_owned);
        let key = EncodingKey::from_secret(b"a key of somebody else, long enough");
        let foreign = jsonwebtoken::encode(&foreign, &claims, &key).expect("is signed");
        refused.push(("another key", foreign));
        for (what, token) in refused {
            assert!(world.identify(&bearer(&token)).await.is_none(), "{what}");
        }
    });
}

#[test]
fn a_header_that_brings_a_key_is_refused_even_if_the_signature_is_right() {
    in_sqlite(async |world: World| {
        let (header, claims, _) = parts(&token(&world).await);
        let same = forged(&world, &header, &claims).await;
        assert!(
            world.identify(&bearer(&same)).await.is_some(),
            "else this test proves nothing"
        );
        let jwk = json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" });
        for (name, value) in [
            ("jwk", jwk),
            ("jku", json!("https://evil.example/keys")),
            ("x5u", json!("https://evil.example/cert")),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("typ", json!("JWS")),
            ("zip", json!("DEF")),
            ("kid", json!("")),
            ("kid", json!("token-key:absent")),
            ("kid", json!("../../dev/null")),
            ("kid", json!("' OR '1'='1")),
            ("kid", json!(7)),
            ("kid", Value::Null),
        ] {
            let mut header = header.clone();
            header[name] = value.clone();
            let token = forged(&world, &header, &claims).await;
            assert!(
                world.identify(&bearer(&token)).await.is_none(),
                "{name}: {value}"
            );
        }
    });
}

#[test]
fn claims_are_for_here_and_for_now() {
    in_sqlite(async |world: World| {
        let (header, claims, _) = parts(&token(&world).await);
        let now = world.database.now().0 / 1000;
        for (name, value) in [
            ("aud", json!("another installation")),
            ("aud", json!(["another installation"])),
            ("aud", Value::Null),
            ("iss", json!("somebody")),
            ("iss", Value::Null),
            ("exp", json!(now)),
            ("exp", json!(now - 1)),
            ("exp", json!(-1)),
            ("exp", Value::Null),
            ("nbf", json!(now + 31)),
            ("nbf", json!(i64::MAX)),
            ("nbf", Value::Null),
            ("epoch", json!(0)),
            ("epoch", json!(2)),
            ("sub", json!(999_999)),
            ("sub", json!("1")),
            ("key", json!("absent")),
            ("session", json!("absent")),
            ("workload", json!(1)),
            ("admin", json!(true)),
        ] {
            let mut claims = claims.clone();
            claims[name] = value.clone();
            let token = forged(&world, &header, &claims).await;
            assert!(
                world.identify(&bearer(&token)).await.is_none(),
                "{name}: {value}"
            );
        }
    });
}

#[test]
fn even_a_token_that_says_more_gives_no_more_than_the_account_has() {
    in_sqlite(async |world: World| {
        let (header, mut claims, _) = parts(&token(&world).await);
        claims["access"] = json!([{ "rights": ["read", "push", "delete", "manage-accounts"] }]);
        let token = forged(&world, &header, &claims).await;
        let principal = world.identify(&bearer(&token)).await.expect("is known");
        assert!(world.may(&principal, Right::Push, "team/app").await);
        assert!(!world.may(&principal, Right::Delete, "team/app").await);
        let everywhere = seaworthy_access::Where::Everywhere;
        let answer = world
            .authority
            .permit(&principal, Right::ManageAccounts, everywhere)
            .await;
        assert!(answer.expect("is decided").is_err());
    });
}

#[test]
fn a_token_of_another_installation_is_none_here() {
    in_sqlite(async |world: World| {
        let token = token(&world).await;
        let folder = tempfile::tempdir().expect("a folder");
        let options = seaworthy_store::DatabaseOptions::Sqlite {
            path: folder.path().join("other.db"),
        };
        let now = world.database.now();
        let clock = seaworthy_store::Clock::new(move || now);
        let database = seaworthy_store::Database::open(&options, clock)
            .await
            .expect("opens");
        let other = seaworthy_access::Authority::open(&database)
            .await
            .expect("opens");
        assert!(identify(&other, &bearer(&token)).await.is_none());
    });
}

#[test]
fn any_text_is_refused_without_a_panic() {
    in_sqlite(async |world: World| {
        let token = token(&world).await;
        for end in 0..token.len() {
            let cut: String = token.chars().take(end).collect();
            assert!(world.identify(&bearer(&cut)).await.is_none());
        }
        for text in [
            "", ".", "..", "...", "eyJ", "eyJ..", "swk_", "swr__", "\u{0}", "ä.ö.ü",
        ] {
            assert!(world.identify(&bearer(text)).await.is_none(), "{text:?}");
        }
    });
}
