//! Getting in: passwords, tokens, files of logins and programs that keep them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy_remote::{Credential, CredentialFile, Credentials, Options, Registry, Secret};

use crate::fake::{Fake, Reply, Seen};
use crate::{CANARY, digest, manifest_of, options, password, read, reference, with};

const BASIC: &str = "Basic Y2FwdGFpbjpjYW5hcnktNGYxYw==";

pub(crate) fn manifest() -> Reply {
    Reply::status(200)
        .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        .body("{}")
}

fn wants_password() -> Fake {
    Fake::start(|seen| match seen.header("authorization") {
        Some(BASIC) => manifest(),
        _ => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"Registry\""),
    })
}

/// A registry that wants a token, and its token server under the same roof.
fn wants_token() -> Fake {
    let count = AtomicUsize::new(0);
    Fake::start(move |seen: &Seen| {
        if seen.target.starts_with("/token") {
            let number = count.fetch_add(1, Ordering::SeqCst);
            return Reply::status(200)
                .body(format!("{{\"token\":\"t{number}\",\"expires_in\":300}}"));
        }
        match seen.header("authorization") {
            Some("Bearer t0" | "Bearer given") if seen.target.contains("/manifests/") => manifest(),
            Some("Bearer t0") => Reply::status(200).body("blob"),
            _ => {
                let realm = format!("http://{}/token", seen.header("host").unwrap());
                Reply::status(401).header(
                    "WWW-Authenticate",
                    &format!(
                        "Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:team/app:pull,push,delete\""
                    ),
                )
            }
        }
    })
}

#[tokio::test]
async fn a_password_is_sent_when_asked_for_and_then_at_once() {
    let server = wants_password();
    let registry = Registry::connect(&server.name(), with(password()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    registry.manifest(&reference).await.unwrap();
    registry.manifest(&reference).await.unwrap();
    assert_eq!(
        server.story(),
        [
            "GET /v2/team/app/manifests/1",
            "GET /v2/team/app/manifests/1 +Basic",
            "GET /v2/team/app/manifests/1 +Basic",
        ]
    );
}

#[tokio::test]
async fn one_token_serves_a_whole_image_and_is_only_for_reading() {
    let server = wants_token();
    let registry = Registry::connect(&server.name(), with(password()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    registry.manifest(&reference).await.unwrap();
    let blob = async || {
        let reader = registry
            .blob(&reference, &digest(b"blob"), 4)
            .await
            .unwrap();
        read(reader).await.unwrap()
    };
    let (one, other) = tokio::join!(blob(), blob());
    assert_eq!((&*one, &*other), (&b"blob"[..], &b"blob"[..]));
    let story = server.story();
    let of_blob = format!("GET /v2/team/app/blobs/{} +Bearer", digest(b"blob"));
    assert_eq!(
        story,
        [
            "GET /v2/team/app/manifests/1",
            "GET /token?service=the+registry&scope=repository%3Ateam%2Fapp%3Apull +Basic",
            "GET /v2/team/app/manifests/1 +Bearer",
            &of_blob,
            &of_blob,
        ]
    );
}

#[tokio::test]
async fn layers_that_ask_at_once_share_one_token() {
    let server = wants_token();
    let registry = Registry::connect(&server.name(), with(password()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let blob = async || {
        registry
            .blob(&reference, &digest(b"blob"), 4)
            .await
            .unwrap()
    };
    tokio::join!(blob(), blob(), blob(), blob());
    let tokens = server.story();
    let tokens = tokens.iter().filter(|line| line.contains("/token"));
    assert_eq!(tokens.count(), 1);
}

#[tokio::test]
async fn a_token_that_has_run_out_is_replaced() {
    // Good for one request, whatever it promises; or dead on arrival.
    for life in ["", ",\"expires_in\":0"] {
        let tokens = AtomicUsize::new(0);
        let used = std::sync::Mutex::new(std::collections::BTreeSet::new());
        let server = Fake::start(move |seen: &Seen| {
            if seen.target.starts_with("/token") {
                let number = tokens.fetch_add(1, Ordering::SeqCst);
                return Reply::status(200).body(format!("{{\"token\":\"t{number}\"{life}}}"));
            }
            match seen.header("authorization") {
                Some(token) if used.lock().unwrap().insert(token.to_owned()) => manifest(),
                _ => {
                    let realm = format!("http://{}/token", seen.header("host").unwrap());
                    Reply::status(401)
                        .header("WWW-Authenticate", &format!("Bearer realm=\"{realm}\""))
                }
            }
        });
        let registry = Registry::connect(&server.name(), options()).await.unwrap();
        let reference = reference(&server.name(), "team/app:1");
        for _ in 0..3 {
            registry.manifest(&reference).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nobody_gets_a_token_for_what_everyone_may_read() {
    let server = wants_token();
    assert_eq!(
        manifest_of(&server.name(), options()).await,
        "2 bytes of application/vnd.oci.image.manifest.v1+json"
    );
    assert!(!server.story().iter().any(|line| line.contains("+Basic")));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_in_a_form() {
    let server = wants_token();
    let options = with(Credential::Identity(Secret::new(CANARY)));
    manifest_of(&server.name(), options).await;
    let seen = server.seen();
    let exchange = seen.iter().find(|seen| seen.method == "POST").unwrap();
    assert_eq!(
        (&*exchange.target, exchange.header("authorization")),
        ("/token", None)
    );
    assert!(
        exchange.raw.ends_with(
            "\r\n\r\nservice=the+registry&scope=repository%3Ateam%2Fapp%3Apull&grant_type=refresh_token&client_id=seaworthy&refresh_token=canary-4f1c"
        ),
        "{}",
        exchange.raw
    );
    assert!(server.story().last().unwrap().ends_with("+Bearer"));
}

#[tokio::test]
async fn a_given_token_is_sent_as_it_is() {
    let server = wants_token();
    let options = with(Credential::Bearer(Secret::new("given")));
    assert!(
        manifest_of(&server.name(), options)
            .await
            .starts_with("2 bytes")
    );
    assert!(!server.story().iter().any(|line| line.contains("/token")));
}

#[tokio::test]
async fn a_registry_that_does_not_let_us_in_is_told_apart() {
    let closed = |challenge: &'static str| {
        Fake::start(move |_| Reply::status(401).header("WWW-Authenticate", challenge))
    };
    let mut story = Vec::new();
    for (name, challenge, options) in [
        ("no login", "Basic realm=\"x\"", options()),
        ("wrong password", "Basic realm=\"x\"", with(password())),
        (
            "wrong token",
            "Basic realm=\"x\"",
            with(Credential::Bearer(Secret::new(CANARY))),
        ),
        (
            "nowhere to exchange it",
            "Basic realm=\"x\"",
            with(Credential::Identity(Secret::new(CANARY))),
        ),
        ("another kind", "Negotiate", with(password())),
    ] {
        let server = closed(challenge);
        story.push(format!(
            "{name}: {}",
            manifest_of(&server.name(), options).await
        ));
    }
    for (name, answer) in [
        ("token server says no", Reply::status(403)),
        ("no token in it", Reply::status(200).body("{}")),
        ("no document", Reply::status(200).body("<html>")),
        (
            "a token with a line break",
            Reply::status(200).body("{\"token\":\"a\\r\\nX: y\"}"),
        ),
        ("token server down", Reply::status(500)),
        (
            "a token that is not good enough",
            Reply::status(200).body("{\"access_token\":\"useless\"}"),
        ),
        (
            "a token without end",
            Reply::status(200).body(vec![b' '; (1 << 20) + 1]),
        ),
    ] {
        let server = Fake::start(move |seen| {
            if seen.target.starts_with("/token") {
                return answer.clone();
            }
            let realm = format!("http://{}/token", seen.header("host").unwrap());
            Reply::status(401).header("WWW-Authenticate", &format!("Bearer realm=\"{realm}\""))
        });
        story.push(format!(
            "{name}: {}",
            manifest_of(&server.name(), with(password())).await
        ));
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    no login: `REGISTRY` wants a login for `team/app` (hint)
    wrong password: `REGISTRY` does not accept the login for `team/app` (hint)
    wrong token: `REGISTRY` does not accept the login for `team/app` (hint)
    nowhere to exchange it: `REGISTRY` does not accept the login for `team/app` (hint)
    another kind: `REGISTRY` wants a login of a kind that is not known
    token server says no: `REGISTRY` does not accept the login for `team/app` (hint)
    no token in it: the token server `127.0.0.1` gave no token
    no document: the token server `127.0.0.1` gave no token
    a token with a line break: the token server `127.0.0.1` gave no token
    token server down: `REGISTRY` is in trouble (HTTP status 500) (hint)
    a token that is not good enough: `REGISTRY` does not accept the login for `team/app` (hint)
    a token without end: the token of `127.0.0.1` has more than 1048576 bytes
    ");
}

/// A file of logins for `server`, and a folder with a credential program.
fn kept(server: &Fake, document: &str, program: &str) -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker-credential-test");
    fs::write(&path, program).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let document = document.replace("REGISTRY", &server.name());
    let options = Options {
        credentials: Credentials {
            given: None,
            files: vec![CredentialFile::read("config.json", document.as_bytes()).unwrap()],
            program_path: folder.path().as_os_str().to_owned(),
        },
        ..options()
    };
    (folder, options)
}

#[tokio::test]
async fn logins_come_from_files_and_programs() {
    let good = "#!/bin/sh\nread -r server || true\necho \"$1 $server\" > \"$(dirname \"$0\")/asked\"\n\
                echo '{\"ServerURL\":\"x\",\"Username\":\"captain\",\"Secret\":\"canary-4f1c\"}'\n";
    let mut story = Vec::new();
    for (name, document, program) in [
        (
            "in the file",
            r#"{"auths":{"REGISTRY":{"auth":"Y2FwdGFpbjpjYW5hcnktNGYxYw=="}}}"#,
            "",
        ),
        (
            "for a part of the registry",
            r#"{"auths":{"REGISTRY/team":{"auth":"Y2FwdGFpbjpjYW5hcnktNGYxYw=="}}}"#,
            "",
        ),
        (
            "with the program of this registry",
            r#"{"credHelpers":{"REGISTRY":"test"}}"#,
            good,
        ),
        ("with the program of all", r#"{"credsStore":"test"}"#, good),
        (
            "unknown to the program, in the file",
            r#"{"credsStore":"test","auths":{"REGISTRY":{"auth":"Y2FwdGFpbjpjYW5hcnktNGYxYw=="}}}"#,
            "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n",
        ),
        (
            "unknown to the program",
            r#"{"credsStore":"test"}"#,
            "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n",
        ),
        (
            "a program that fails and blurts the secret out",
            r#"{"credsStore":"test"}"#,
            "#!/bin/sh\necho canary-4f1c\necho canary-4f1c >&2\nexit 3\n",
        ),
        (
            "a program that babbles without end",
            r#"{"credsStore":"test"}"#,
            "#!/bin/sh\nexec cat /dev/zero\n",
        ),
        (
            "a program that says something else",
            r#"{"credsStore":"test"}"#,
            "#!/bin/sh\necho canary-4f1c\n",
        ),
        (
            "a program that is not there",
            r#"{"credsStore":"other"}"#,
            "",
        ),
        ("a program with a path", r#"{"credsStore":"../test"}"#, good),
        (
            "a login for somebody else",
            r#"{"auths":{"r.example":{"auth":"YTpi"}}}"#,
            "",
        ),
    ] {
        let server = wants_password();
        let (folder, options) = kept(&server, document, program);
        let told = manifest_of(&server.name(), options).await;
        story.push(format!("{name}: {told}"));
        if let Ok(asked) = fs::read_to_string(folder.path().join("asked")) {
            assert_eq!(asked, format!("get {}\n", server.name()));
        }
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    in the file: 2 bytes of application/vnd.oci.image.manifest.v1+json
    for a part of the registry: 2 bytes of application/vnd.oci.image.manifest.v1+json
    with the program of this registry: 2 bytes of application/vnd.oci.image.manifest.v1+json
    with the program of all: 2 bytes of application/vnd.oci.image.manifest.v1+json
    unknown to the program, in the file: 2 bytes of application/vnd.oci.image.manifest.v1+json
    unknown to the program: `REGISTRY` wants a login for `team/app` (hint)
    a program that fails and blurts the secret out: `REGISTRY` wants a login for `team/app` <- the credential program `docker-credential-test` failed (exit status: 3) (hint)
    a program that babbles without end: `REGISTRY` wants a login for `team/app` <- the credential program `docker-credential-test` gave no readable answer (hint)
    a program that says something else: `REGISTRY` wants a login for `team/app` <- the credential program `docker-credential-test` gave no readable answer (hint)
    a program that is not there: `REGISTRY` wants a login for `team/app` <- the credential program `docker-credential-other` named in `config.json` is not installed (hint)
    a program with a path: `REGISTRY` wants a login for `team/app` <- `../test` in `config.json` is not the name of a credential program (hint)
    a login for somebody else: `REGISTRY` wants a login for `team/app` (hint)
    ");
}

#[tokio::test]
async fn what_is_given_for_this_run_wins() {
    let server = wants_password();
    let document = r#"{"auths":{"REGISTRY":{"auth":"YTpi"}}}"#;
    let (_folder, mut options) = kept(&server, document, "");
    options.credentials.given = Some(password());
    assert!(
        manifest_of(&server.name(), options)
            .await
            .starts_with("2 bytes")
    );
}

#[test]
fn options_print_without_their_secrets() {
    let mut options = with(password());
    options.identity = Some(Secret::new(CANARY));
    options.proxy.https = Some(Secret::new(format!("http://a:{CANARY}@proxy.example")));
    let shown = format!("{options:?}");
    assert!(!crate::has_canary(&shown), "{shown}");
}
