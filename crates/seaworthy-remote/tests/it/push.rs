//! Giving things to registries, friendly or not, and to a real one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use seaworthy_remote::{Options, Purpose, PushError, Registry, Security};
use seaworthy_testkit::require;

use crate::fake::{Fake, Reply, Seen};
use crate::real::RealRegistry;
use crate::{chain, digest, has_canary, options, password, read, reference, with};

const BLOB: &[u8] = b"some bytes";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn to_push(options: Options) -> Options {
    Options {
        purpose: Purpose::Push,
        ..options
    }
}

/// Takes what it is sent, to the address that `place` makes of a request.
fn takes(place: impl Fn(&Seen) -> String + Send + Sync + 'static) -> Fake {
    Fake::start(move |seen| match &*seen.method {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", &place(seen)),
        _ => Reply::status(201),
    })
}

/// Pushes [`BLOB`] and says what came of it, names and addresses left out.
async fn pushed(server: &Fake, options: Options) -> String {
    let registry = Registry::connect(&server.name(), to_push(options))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let bytes = Bytes::from_static(BLOB);
    let text = match registry
        .push_blob(&reference, &digest(BLOB), bytes, None)
        .await
    {
        Ok(true) => "sent".to_owned(),
        Ok(false) => "there".to_owned(),
        Err(error) => told(&error),
    };
    text.replace(&server.name(), "REGISTRY")
        .replace(&digest(BLOB).to_string(), "DIGEST")
}

fn told(error: &PushError) -> String {
    let mut text = chain(error);
    assert!(!has_canary(&text), "{text}");
    assert!(!has_canary(&format!("{error:?}")), "{error:?}");
    if error.hint().is_some() {
        text.push_str(" (hint)");
    }
    text
}

fn story(server: &Fake) -> Vec<String> {
    let of = digest(BLOB).to_string();
    let escaped = of.replace(':', "%3A");
    server
        .story()
        .iter()
        .map(|line| line.replace(&of, "DIGEST").replace(&escaped, "DIGEST"))
        .collect()
}

#[tokio::test]
async fn a_blob_goes_once_to_where_the_registry_wants_it() {
    let server = takes(|_| "/v2/team/app/blobs/uploads/1?_state=a%2Bb".into());
    assert_eq!(pushed(&server, options()).await, "sent");
    assert_eq!(
        story(&server),
        [
            "HEAD /v2/team/app/blobs/DIGEST",
            "POST /v2/team/app/blobs/uploads/",
            "PUT /v2/team/app/blobs/uploads/1?_state=a%2Bb&digest=DIGEST",
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[1].header("content-length"), Some("0"));
    assert_eq!(seen[2].header("content-length"), Some("10"));
    assert!(seen[2].raw.ends_with("\r\n\r\nsome bytes"));

    // What is there already is not sent, wherever the registry keeps it.
    let server = Fake::start(|_| Reply::status(200).body("some bytes"));
    assert_eq!(pushed(&server, options()).await, "there");
    assert_eq!(server.story().len(), 1);
    for (status, expected) in [(403, "there"), (404, "sent")] {
        let store = Fake::start(move |_| Reply::status(status));
        let place = store.url("/store?signature=s");
        let server = Fake::start(move |seen| match &*seen.method {
            "HEAD" => Reply::redirect(&place),
            "POST" => Reply::status(202).header("Location", "/u"),
            _ => Reply::status(201),
        });
        assert_eq!(pushed(&server, options()).await, expected, "{status}");
    }
}

#[tokio::test]
async fn the_token_of_a_push_is_for_writing_and_one_serves_it_all() {
    let server = Fake::start(|seen| {
        if seen.target.starts_with("/token") {
            return Reply::status(200).body("{\"token\":\"t\",\"expires_in\":300}");
        }
        if seen.header("authorization") != Some("Bearer t") {
            let realm = format!("http://{}/token", seen.header("host").unwrap());
            return Reply::status(401).header(
                "WWW-Authenticate",
                &format!("Bearer realm=\"{realm}\",service=\"r\""),
            );
        }
        match &*seen.method {
            "HEAD" => Reply::status(404),
            "POST" => Reply::status(202).header("Location", "/v2/u"),
            _ => Reply::status(201),
        }
    });
    let registry = Registry::connect(&server.name(), to_push(with(password())))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let bytes = Bytes::from_static(BLOB);
    registry
        .push_blob(&reference, &digest(BLOB), bytes, None)
        .await
        .unwrap();
    let manifest = Bytes::from_static(b"{}");
    let named = registry
        .push_manifest(&reference, MANIFEST, manifest)
        .await
        .unwrap();
    assert_eq!(named, digest(b"{}"));
    assert_eq!(
        story(&server),
        [
            "HEAD /v2/team/app/blobs/DIGEST",
            "GET /token?service=r&scope=repository%3Ateam%2Fapp%3Apull%2Cpush +Basic",
            "HEAD /v2/team/app/blobs/DIGEST +Bearer",
            "POST /v2/team/app/blobs/uploads/ +Bearer",
            "PUT /v2/u?digest=DIGEST +Bearer",
            "PUT /v2/team/app/manifests/1 +Bearer",
        ]
    );
    let seen = server.seen();
    assert_eq!(seen[5].header("content-type"), Some(MANIFEST));
}

#[tokio::test]
async fn an_upload_elsewhere_goes_without_the_login() {
    let elsewhere = Arc::new(Fake::start(|_| {
        // It would like to have one.
        Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")
    }));
    let place = elsewhere.url("/upload?signature=s");
    let server = Fake::start(move |seen| match &*seen.method {
        _ if seen.header("authorization").is_none() => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")
        }
        "HEAD" => Reply::status(404),
        _ => Reply::status(202).header("Location", &place),
    });
    let outcome = pushed(&server, with(password())).await;
    assert!(outcome.contains("HTTP status 401"), "{outcome}");
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].raw.ends_with("some bytes"));
    assert!(!has_canary(&seen[0].raw) && seen[0].header("authorization").is_none());
    // The registry itself got it.
    assert!(server.seen().iter().any(|seen| has_canary(&seen.raw)));
}

#[tokio::test]
async fn a_registry_cannot_send_an_upload_where_it_may_not_point() {
    for (place, expected) in [
        (
            "http://169.254.169.254/latest",
            "`REGISTRY` redirects to `http://169.254.169.254:80`, which is inside a network the registry is not in",
        ),
        (
            "ftp://a.example/x",
            "`REGISTRY` redirects to no host, which is not an address of the web",
        ),
        (
            "http://captain:canary-4f1c@127.0.0.1:1/x",
            "`REGISTRY` redirects to `http://127.0.0.1:1`, with a user name in the address",
        ),
        (
            "http://[",
            "`REGISTRY` redirects to nowhere, which is not an address of the web",
        ),
    ] {
        let server = takes(move |_| place.to_owned());
        assert_eq!(pushed(&server, options()).await, expected);
        assert!(server.seen().iter().all(|seen| seen.method != "PUT"));
    }
}

#[tokio::test]
async fn a_redirect_that_loses_the_bytes_is_not_followed() {
    for (status, followed) in [(301, false), (303, false), (307, true), (308, true)] {
        let other = Fake::start(|_| Reply::status(201));
        let to = other.url("/there");
        let server = Fake::start(move |seen| match &*seen.method {
            "HEAD" => Reply::status(404),
            "POST" => Reply::status(202).header("Location", "/u"),
            _ => Reply::status(status).header("Location", &to),
        });
        let outcome = pushed(&server, options()).await;
        assert_eq!(outcome == "sent", followed, "{status}: {outcome}");
        assert_eq!(other.seen().len(), usize::from(followed));
        if followed {
            assert!(other.seen()[0].raw.ends_with("some bytes"));
        }
    }
}

#[tokio::test]
async fn what_a_registry_refuses_is_told_with_a_way_out() {
    let denied = r#"{"errors":[{"code":"DENIED","message":"canary-4f1c"}]}"#;
    for (at, status, expected) in [
        (
            "POST",
            403,
            "`REGISTRY` forbids writing to `team/app`: DENIED (hint)",
        ),
        (
            "PUT",
            403,
            "`REGISTRY` forbids writing to `team/app`: DENIED (hint)",
        ),
        ("POST", 405, "`REGISTRY` takes nothing: DENIED (hint)"),
        (
            "PUT",
            413,
            "blob `DIGEST`, 10 bytes, is too large for `REGISTRY` (hint)",
        ),
        (
            "PUT",
            400,
            "`REGISTRY` refuses blob `DIGEST` (HTTP status 400: DENIED) (hint)",
        ),
        (
            "POST",
            404,
            "`REGISTRY` refuses blob `DIGEST` (HTTP status 404: DENIED) (hint)",
        ),
        ("PUT", 429, "`REGISTRY` is being asked too often (hint)"),
        (
            "PUT",
            500,
            "`REGISTRY` is in trouble (HTTP status 500: DENIED) (hint)",
        ),
    ] {
        let server = Fake::start(move |seen| match &*seen.method {
            method if method == at => Reply::status(status).body(denied),
            "HEAD" => Reply::status(404),
            "POST" => Reply::status(202).header("Location", "/u"),
            _ => Reply::status(201),
        });
        assert_eq!(pushed(&server, options()).await, expected, "{at} {status}");
    }
    let server = Fake::start(|seen| match &*seen.method {
        "HEAD" => Reply::status(404),
        "POST" => Reply::status(202).header("Location", "/u"),
        _ => Reply::status(201).header("Docker-Content-Digest", &digest(b"other").to_string()),
    });
    assert_eq!(
        pushed(&server, options()).await,
        "`REGISTRY` says another digest of blob `DIGEST` than was sent (hint)"
    );
}

#[tokio::test]
async fn an_upload_that_breaks_begins_again_in_a_new_session() {
    let sessions = AtomicUsize::new(0);
    let server = Fake::start(move |seen| match &*seen.method {
        "HEAD" => Reply::status(404),
        "POST" => {
            let number = sessions.fetch_add(1, Ordering::SeqCst);
            Reply::status(202).header("Location", &format!("/u{number}"))
        }
        _ if seen.target.starts_with("/u2") => Reply::status(201),
        _ => Reply::status(503),
    });
    assert_eq!(pushed(&server, options()).await, "sent");
    let puts = server.story();
    let puts = puts.iter().filter(|line| line.starts_with("PUT"));
    assert_eq!(puts.count(), 3);
}

#[tokio::test]
async fn a_digest_is_not_pushed_to() {
    let server = takes(|_| "/u".into());
    let registry = Registry::connect(&server.name(), to_push(options()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1").at(digest(b"{}"));
    let outcome = registry
        .push_manifest(&reference, MANIFEST, Bytes::from_static(b"{}"))
        .await;
    assert_eq!(
        told(&outcome.unwrap_err()),
        "only a tag can be pushed to (hint)"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_real_registry_gives_back_what_it_was_given() {
    if !require("docker-registry") {
        return;
    }
    let server = RealRegistry::start(|_| {}, "", "");
    let quick = Options {
        security: Security::Verified,
        ..to_push(options())
    };
    let registry = Registry::connect(&server.name, quick).await.unwrap();
    let reference = server.reference();
    let blob: Vec<u8> = (0..3_000_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let of = digest(&blob);
    let size = blob.len() as u64;
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let push = |bytes: Vec<u8>| {
        let counted = Arc::clone(&counted);
        let told = Arc::new(move |bytes| counted.store(bytes, Ordering::SeqCst));
        registry.push_blob(&reference, &of, Bytes::from(bytes), Some(told))
    };
    assert!(push(blob.clone()).await.unwrap());
    assert_eq!(sent.load(Ordering::SeqCst), size);
    assert!(!push(blob.clone()).await.unwrap());
    let config = digest(b"{}");
    let nothing = Bytes::from_static(b"{}");
    assert!(
        registry
            .push_blob(&reference, &config, nothing, None)
            .await
            .unwrap()
    );
    // A registry this old knows nothing of artifacts, and takes one all the same.
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"application/vnd.x.v1",
        "config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},
        "layers":[{{"mediaType":"application/vnd.x.v1","digest":"{of}","size":{size}}}]}}"#
    );
    let named = registry
        .push_manifest(&reference, MANIFEST, manifest.clone().into())
        .await
        .unwrap();
    let back = registry.manifest(&reference).await.unwrap();
    assert_eq!((&*back.bytes, &back.digest), (manifest.as_bytes(), &named));
    for from in [0, 1, size / 2, size] {
        let reader = registry
            .blob_from(&reference, &of, size, from)
            .await
            .unwrap();
        let start = usize::try_from(from).unwrap();
        assert_eq!(read(reader).await.unwrap(), &blob[start..]);
    }
    // What the manifest speaks of must be there.
    let lost = manifest.replace(&of.to_string(), &digest(b"lost").to_string());
    let outcome = registry
        .push_manifest(&reference, MANIFEST, lost.into())
        .await;
    let text = told(&outcome.unwrap_err()).replace(&server.name, "REGISTRY");
    assert!(
        text.starts_with(
            "`REGISTRY` refuses the manifest of `1` (HTTP status 400: MANIFEST_BLOB_UNKNOWN"
        ),
        "{text}"
    );
}
