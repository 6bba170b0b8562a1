//! Signing in elsewhere, and workloads that stand for robots.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use seaworthy_access::{
    Authority, ClaimPatterns, Credential, ExchangeError, ForeignError, GroupRole, OidcOptions,
    Right, Role, Secret, SignInError, SignInOptions, TrustError, Wanted,
};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Issuer, Key};
use crate::world::{HOUR, World, basic, bearer, identify, in_sqlite, namespace, repository};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

fn options() -> OidcOptions {
    OidcOptions {
        sign_in: Some(SignInOptions {
            issuer: ISSUER.to_owned(),
            client_id: "seaworthy".to_owned(),
            client_secret: Some(Secret::from("the client's secret".to_owned())),
            redirect_uri: "https://seaworthy.example/back".to_owned(),
            scopes: vec!["profile".to_owned()],
            name_claim: "preferred_username".to_owned(),
            groups_claim: Some("groups".to_owned()),
            groups: vec![
                GroupRole {
                    group: "ops".to_owned(),
                    namespace: None,
                    role: Role::Admin,
                },
                GroupRole {
                    group: "dev".to_owned(),
                    namespace: Some(namespace("team")),
                    role: Role::Pusher,
                },
                GroupRole {
                    group: "dev".to_owned(),
                    namespace: Some(namespace("team")),
                    role: Role::Admin,
                },
            ],
        }),
        workload_issuers: vec![ISSUER.to_owned()],
    }
}

/// An authority that believes an issuer with one key.
fn believing(world: &World, algorithm: Algorithm) -> (Authority, Issuer, Key) {
    let (issuer, key) = (Issuer::default(), Key::make("k1", algorithm));
    issuer.publish(std::slice::from_ref(&key.public));
    let authority = world.authority.clone();
    let authority = authority.believing(options(), Arc::new(issuer.clone()));
    (authority, issuer, key)
}

/// A parameter of an address.
fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').expect("a query");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(it, _)| *it == name);
    found.next().expect("the parameter").1.to_owned()
}

/// Claims that let somebody in.
fn claims(world: &World, nonce: &str) -> Value {
    let now = world.database.now().0 / 1000;
    json!({
        "iss": ISSUER, "aud": "seaworthy", "sub": "248289761001", "nonce": nonce,
        "iat": now, "exp": now + 300, "preferred_username": "Ada", "name": "Ada Lovelace",
        "email": "ada@example.com", "groups": ["dev", "all"],
    })
}

/// Signs in with claims that the test changes.
async fn sign_in(
    world: &World,
    authority: &Authority,
    issuer: &Issuer,
    sign: impl Fn(Value) -> String,
) -> Result<seaworthy_access::SignedIn, SignInError> {
    let journey = authority.begin_sign_in().await.expect("begins");
    let nonce = parameter(&journey.address, "nonce");
    let state = parameter(&journey.address, "state");
    issuer.answer_with(sign(claims(world, &nonce)));
    authority
        .finish_sign_in(journey.cookie.reveal(), &state, "the code")
        .await
}

#[test]
fn somebody_signs_in_elsewhere_and_has_the_roles_of_their_groups() {
    in_sqlite(async |world: World| {
        for algorithm in ALGORITHMS {
            let (authority, issuer, key) = believing(&world, algorithm);
            let signed_in = sign_in(&world, &authority, &issuer, |claims| key.sign(&claims)).await;
            let signed_in = signed_in.expect("signs in");
            assert_eq!(signed_in.principal.actor.as_str(), "user:ada");
            let session = Credential::Session(signed_in.session.reveal().to_owned());
            let principal = identify(&authority, &session).await.expect("is known");
            let team = Some(namespace("team"));
            assert_eq!(
                principal.roles,
                [(team, Role::Pusher)],
                "admin is everywhere only"
            );
            let account = world.account(principal.account.expect("somebody")).await;
            assert_eq!(account.display_name.as_deref(), Some("Ada Lovelace"));
            assert!(!account.has_password);
        }
    });
}

#[test]
fn the_code_is_redeemed_with_the_proof_of_whoever_began() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::EdDSA);
        let journey = authority.begin_sign_in().await.expect("begins");
        let address = &journey.address;
        assert!(address.starts_with("https://id.example/authorize?tenant=1&response_type=code"));
        for (name, value) in [
            ("client_id", "seaworthy"),
            ("redirect_uri", "https%3A%2F%2Fseaworthy.example%2Fback"),
            ("scope", "openid%20profile"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(parameter(address, name), value);
        }
        let state = parameter(address, "state");
        issuer.answer_with(key.sign(&claims(&world, &parameter(address, "nonce"))));
        authority
            .finish_sign_in(journey.cookie.reveal(), &state, "the code")
            .await
            .expect("signs in");
        let told = |name| issuer.redeemed(name);
        assert_eq!(told("code").as_deref(), Some("the code"));
        assert_eq!(
            told("client_secret").as_deref(),
            Some("the client's secret")
        );
        let verifier = told("code_verifier").expect("a verifier");
        let challenge = sha2_of(&verifier);
        assert_eq!(parameter(address, "code_challenge"), challenge);
        assert!(!format!("{journey:?}").contains(journey.cookie.reveal()));
    });
}

fn sha2_of(text: &str) -> String {
    use sha2::Digest as _;
    BASE64URL_NOPAD.encode(&sha2::Sha256::digest(text.as_bytes()))
}

#[test]
fn nobody_comes_back_from_the_journey_of_somebody_else() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::EdDSA);
        let mine = authority.begin_sign_in().await.expect("begins");
        let other = authority.begin_sign_in().await.expect("begins");
        let state = parameter(&mine.address, "state");
        let nonce = parameter(&mine.address, "nonce");
        issuer.answer_with(key.sign(&claims(&world, &nonce)));
        let (_, robot) = world.robot("ci", None, &[]).await;
        let token = world
            .authority
            .issue(
                &world.identify(&bearer(&robot)).await.expect("is known"),
                &[],
                300,
            )
            .await
            .expect("is issued");
        for (cookie, state) in [
            (mine.cookie.reveal(), "another state"),
            (mine.cookie.reveal(), ""),
            (other.cookie.reveal(), state.as_str()),
            ("", state.as_str()),
            (token.as_str(), state.as_str()),
        ] {
            let answer = authority.finish_sign_in(cookie, state, "the code").await;
            assert!(matches!(answer, Err(SignInError::Lost)), "{answer:?}");
        }
        assert_eq!(
            issuer.redeemed("code"),
            None,
            "no code was shown to anybody"
        );
        world.pass(10 * 60 * 1000);
        let late = authority
            .finish_sign_in(mine.cookie.reveal(), &state, "the code")
            .await;
        assert!(matches!(late, Err(SignInError::Lost)));
        // The cookie is no credential of anything else.
        assert!(
            identify(&authority, &bearer(other.cookie.reveal()))
                .await
                .is_none()
        );
    });
}

#[test]
fn what_the_issuer_says_must_be_for_us_and_for_now() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::ES256);
        let now = world.database.now().0 / 1000;
        let changes: Vec<(&str, &str, Value)> = vec![
            ("iss", "iss", json!("https://evil.example")),
            ("iss", "iss", json!("https://id.example/")),
            ("iss", "iss", Value::Null),
            ("aud", "aud", json!("somebody")),
            ("aud", "aud", json!([])),
            ("aud", "aud", Value::Null),
            ("azp", "aud", json!(["seaworthy", "somebody"])),
            ("azp", "azp", json!("somebody")),
            ("exp", "exp", json!(now - 60)),
            ("exp", "exp", json!("soon")),
            ("exp", "exp", Value::Null),
            ("nbf", "nbf", json!(now + 61)),
            ("iat", "iat", json!(now + 61)),
            ("nonce", "nonce", json!("another nonce")),
            ("nonce", "nonce", Value::Null),
            ("sub", "sub", json!("")),
            ("sub", "sub", json!(7)),
            ("sub", "sub", Value::Null),
        ];
        for (blamed, name, value) in changes {
            let answer = sign_in(&world, &authority, &issuer, |mut claims| {
                claims[name] = value.clone();
                key.sign(&claims)
            })
            .await;
            let is_blamed = matches!(
                &answer,
                Err(SignInError::Foreign(ForeignError::Claim(it))) if *it == blamed
            );
            assert!(is_blamed, "{name} {value}: {answer:?}");
        }
        let several = sign_in(&world, &authority, &issuer, |mut claims| {
            claims["aud"] = json!(["somebody", "seaworthy"]);
            claims["azp"] = json!("seaworthy");
            key.sign(&claims)
        })
        .await;
        assert!(several.is_ok(), "{several:?}");
    });
}

/// A token with this header and these claims and no signature that means anything.
fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), "AAAA")
}

/// Makes a token of claims that is not the issuer's.
type Forge<'a> = Box<dyn Fn(Value) -> String + 'a>;

#[test]
fn only_the_issuers_keys_and_our_algorithms_count() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::RS256);
        let stranger = Key::make("k1", Algorithm::RS256);
        let curve = Key::make("k1", Algorithm::ES256);
        let modulus = key.public["n"].as_str().expect("an RSA key").to_owned();
        let hmac = |claims: &Value, secret: &[u8]| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some("k1".to_owned());
            let secret = EncodingKey::from_secret(secret);
            jsonwebtoken::encode(&header, claims, &secret).expect("is signed")
        };
        let forgeries: Vec<(&str, Forge<'_>)> = vec![
            (
                "a stranger's key",
                Box::new(|claims| stranger.sign(&claims)),
            ),
            (
                "another kind of key",
                Box::new(|claims| curve.sign(&claims)),
            ),
            (
                "none",
                Box::new(|claims| unsigned(&json!({ "alg": "none", "kid": "k1" }), &claims)),
            ),
            (
                "no signature",
                Box::new(|claims| unsigned(&json!({ "alg": "RS256", "kid": "k1" }), &claims)),
            ),
            (
                "the public key as a secret",
                Box::new(|claims| hmac(&claims, modulus.as_bytes())),
            ),
            (
                "a key that the token brings",
                Box::new(|claims| {
                    let mut header = Header::new(Algorithm::RS256);
                    header.kid = Some("k1".to_owned());
                    header.jwk = serde_json::from_value(stranger.public.clone()).ok();
                    header.jku = Some("https://evil.example/keys".to_owned());
                    stranger.sign_with(&header, &claims)
                }),
            ),
            (
                "another key's name",
                Box::new(|claims| {
                    let mut header = Header::new(Algorithm::RS256);
                    header.kid = Some("absent".to_owned());
                    key.sign_with(&header, &claims)
                }),
            ),
            (
                "something critical",
                Box::new(|claims| {
                    let mut header = Header::new(Algorithm::RS256);
                    header.kid = Some("k1".to_owned());
                    header.crit = Some(vec!["b64".to_owned()]);
                    key.sign_with(&header, &claims)
                }),
            ),
            ("nothing", Box::new(|_| String::new())),
            ("too much", Box::new(|_| "a".repeat(1 << 20))),
        ];
        for (what, forge) in forgeries {
            let answer = sign_in(&world, &authority, &issuer, forge).await;
            assert!(
                matches!(answer, Err(SignInError::Foreign(_))),
                "{what}: {answer:?}"
            );
        }
        // Where the issuer publishes secrets by mistake, they are no keys.
        let secret = BASE64URL_NOPAD.encode(b"published by mistake, long enough");
        issuer.publish(&[json!({ "kty": "oct", "kid": "k1", "k": secret })]);
        let answer = sign_in(&world, &authority, &issuer, |claims| {
            hmac(&claims, b"published by mistake, long enough")
        })
        .await;
        assert!(matches!(answer, Err(SignInError::Foreign(_))), "{answer:?}");
    });
}

#[test]
fn keys_that_the_issuer_changes_are_fetched_again_once() {
    in_sqlite(async |world: World| {
        let (authority, issuer, _) = believing(&world, Algorithm::ES256);
        let next = Key::make("k2", Algorithm::ES256);
        let strange = json!({ "kty": "quantum", "kid": "k3" });
        issuer.publish_next(&[strange, next.public.clone()]);
        let signed_in = sign_in(&world, &authority, &issuer, |claims| next.sign(&claims)).await;
        assert!(signed_in.is_ok(), "{signed_in:?}");
        let before = issuer.fetches();
        let unknown = Key::make("k9", Algorithm::ES256);
        let answer = sign_in(&world, &authority, &issuer, |claims| unknown.sign(&claims)).await;
        assert!(answer.is_err());
        // Discovery, the code, the keys that are known and the keys again.
        assert_eq!(issuer.fetches() - before, 4);
    });
}

#[test]
fn whoever_was_disabled_here_signs_in_nowhere() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::EdDSA);
        let sign = |claims: Value| key.sign(&claims);
        let signed_in = sign_in(&world, &authority, &issuer, sign)
            .await
            .expect("signs in");
        let change = seaworthy_store::AccountChange {
            is_disabled: Some(true),
            ..seaworthy_store::AccountChange::default()
        };
        let account = signed_in.principal.account.expect("somebody");
        world
            .accounts
            .change(account, &change, None, &world.admin.actor)
            .await
            .expect("is changed");
        let answer = sign_in(&world, &authority, &issuer, sign).await;
        assert!(matches!(answer, Err(SignInError::Disabled)), "{answer:?}");
    });
}

#[test]
fn a_code_that_is_worth_nothing_and_an_issuer_that_is_away_are_told_apart() {
    in_sqlite(async |world: World| {
        let (authority, issuer, _) = believing(&world, Algorithm::EdDSA);
        let journey = authority.begin_sign_in().await.expect("begins");
        let state = parameter(&journey.address, "state");
        let cookie = journey.cookie.reveal();
        let answer = authority.finish_sign_in(cookie, &state, "a code").await;
        assert!(matches!(answer, Err(SignInError::Refused)), "{answer:?}");
        let answer = authority.finish_sign_in(cookie, &state, "").await;
        assert!(matches!(answer, Err(SignInError::Refused)), "{answer:?}");
        issuer.go_away();
        let answer = authority.finish_sign_in(cookie, &state, "a code").await;
        assert!(matches!(answer, Err(SignInError::Fetch(_))), "{answer:?}");
        let answer = world.authority.begin_sign_in().await;
        assert!(matches!(answer, Err(SignInError::NotSet)), "{answer:?}");
    });
}

fn patterns(pairs: &[(&str, &str)]) -> ClaimPatterns {
    let pairs = pairs
        .iter()
        .map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
    ClaimPatterns::new(pairs.collect::<BTreeMap<_, _>>()).expect("patterns")
}

/// A token that a build system gives to a job.
fn job(world: &World, key: &Key, sub: &str) -> String {
    let now = world.database.now().0 / 1000;
    key.sign(&json!({
        "iss": ISSUER, "aud": "https://seaworthy.example", "sub": sub,
        "iat": now, "nbf": now, "exp": now + 600, "ref_protected": true,
    }))
}

#[test]
fn a_job_stands_for_a_robot_for_as_long_as_it_is_trusted() {
    in_sqlite(async |world: World| {
        let (authority, _, key) = believing(&world, Algorithm::RS256);
        let (robot, _) = world
            .robot("team/ci", Some("team"), &[(Some("team"), Role::Pusher)])
            .await;
        let claims = patterns(&[("sub", "repo:org/app:*"), ("ref_protected", "true")]);
        let identity = authority
            .trust_workload(
                &world.admin,
                robot.id,
                ISSUER,
                "https://seaworthy.example",
                &claims,
            )
            .await
            .expect("is trusted");
        let shown = job(&world, &key, "repo:org/app:ref:refs/heads/main");
        let had = authority.exchange(&shown, None).await.expect("is believed");
        assert_eq!((had.robot.as_str(), had.seconds), ("team/ci", 600));

        // Good as a bearer, and for `docker login` as a password of any name.
        let credentials = [bearer(had.token.reveal()), basic("ci", had.token.reveal())];
        for credential in &credentials {
            let principal = identify(&authority, credential).await.expect("is known");
            assert_eq!(principal.actor.as_str(), "robot:team/ci");
            assert!(world.may(&principal, Right::Push, "team/app").await);
            assert!(!world.may(&principal, Right::Push, "other/app").await);
            let wanted = Wanted {
                repository: repository("team/app"),
                rights: vec![Right::Push],
            };
            let token = authority
                .issue(&principal, &[wanted], 3600)
                .await
                .expect("is issued");
            assert!(identify(&authority, &bearer(&token)).await.is_some());
            // It ends with what was shown for it.
            world.pass(-1000);
        }
        let principal = identify(&authority, &credentials[0])
            .await
            .expect("is known");
        let made = authority
            .make_key(&principal, robot.id, crate::world::whole_key())
            .await;
        assert!(made.is_err(), "a job makes itself no key that stays");

        authority
            .distrust_workload(&world.admin, robot.id, identity.id)
            .await
            .expect("is distrusted");
        for credential in &credentials {
            assert!(identify(&authority, credential).await.is_none());
        }
        let answer = authority.exchange(&shown, None).await;
        assert!(matches!(
            answer,
            Err(ExchangeError::Foreign(ForeignError::Claim("aud")))
        ));
    });
}

#[test]
fn a_job_that_does_not_fit_stands_for_nobody() {
    in_sqlite(async |world: World| {
        let (authority, issuer, key) = believing(&world, Algorithm::ES256);
        let (one, _) = world.robot("one", None, &[]).await;
        let (two, _) = world.robot("two", None, &[]).await;
        let audience = "https://seaworthy.example";
        for (robot, sub) in [(&one, "repo:org/*"), (&two, "repo:org/app:*")] {
            authority
                .trust_workload(
                    &world.admin,
                    robot.id,
                    ISSUER,
                    audience,
                    &patterns(&[("sub", sub)]),
                )
                .await
                .expect("is trusted");
        }
        let exchange = async |token: String, robot: Option<&str>| {
            let robot = robot.map(crate::world::name);
            authority.exchange(&token, robot.as_ref()).await
        };
        let answer = exchange(job(&world, &key, "repo:organisation/app:x"), None).await;
        assert!(matches!(answer, Err(ExchangeError::NoRobot)), "{answer:?}");
        let answer = exchange(job(&world, &key, "repo:org/app:x"), None).await;
        assert!(matches!(answer, Err(ExchangeError::Several)), "{answer:?}");
        let answer = exchange(job(&world, &key, "repo:org/app:x"), Some("two")).await;
        assert_eq!(answer.expect("is believed").robot.as_str(), "two");
        let answer = exchange(job(&world, &key, "repo:org/other:x"), Some("two")).await;
        assert!(matches!(answer, Err(ExchangeError::NoRobot)), "{answer:?}");

        let stranger = Key::make("k1", Algorithm::ES256);
        let answer = exchange(job(&world, &stranger, "repo:org/app:x"), Some("two")).await;
        assert!(
            matches!(answer, Err(ExchangeError::Foreign(_))),
            "{answer:?}"
        );
        let late = job(&world, &key, "repo:org/app:x");
        world.pass(HOUR);
        let answer = exchange(late, Some("two")).await;
        assert!(
            matches!(answer, Err(ExchangeError::Foreign(_))),
            "{answer:?}"
        );

        let before = issuer.fetches();
        let now = world.database.now().0 / 1000;
        let foreign = key.sign(&json!({ "iss": "https://evil.example", "exp": now + 60 }));
        for token in [foreign, String::new(), "a.b.c".to_owned(), "..".to_owned()] {
            let answer = exchange(token, None).await;
            assert!(
                matches!(answer, Err(ExchangeError::UnknownIssuer)),
                "{answer:?}"
            );
        }
        assert_eq!(issuer.fetches(), before, "nobody makes us ask others");
    });
}

#[test]
fn issuers_are_those_of_the_settings_and_robots_are_whose_namespace_it_is() {
    in_sqlite(async |world: World| {
        let (authority, _, _) = believing(&world, Algorithm::EdDSA);
        let (robot, _) = world.robot("team/ci", Some("team"), &[]).await;
        let claims = patterns(&[("sub", "x")]);
        let internal = "http://169.254.169.254";
        let answer = authority
            .trust_workload(&world.admin, robot.id, internal, "a", &claims)
            .await;
        assert!(
            matches!(answer, Err(TrustError::UnknownIssuer(_))),
            "{answer:?}"
        );
        let answer = authority
            .trust_workload(&world.admin, robot.id, ISSUER, "", &claims)
            .await;
        assert!(matches!(answer, Err(TrustError::Audience)), "{answer:?}");
        for (who, place, may) in [("ada", "team", true), ("bob", "other", false)] {
            world
                .user(who, &[(Some(place), Role::NamespaceAdmin)])
                .await;
            let credential = basic(who, crate::world::PASSWORD);
            let principal = world.identify(&credential).await.expect("is known");
            let answer = authority
                .trust_workload(&principal, robot.id, ISSUER, "a", &claims)
                .await;
            assert_eq!(answer.is_ok(), may, "{who}");
        }
    });
}
