//! Registries that want our secrets to go elsewhere, or us to go where we should
//! not. One canary is the password everywhere; it may be seen by the registry it
//! belongs to and by nobody else.

use seaworthy_remote::{Credential, Options, Proxy, Registry, Secret};

use crate::fake::{Fake, Reply};
use crate::login::manifest;
use crate::{CANARY, digest, has_canary, manifest_of, options, password, read, reference, with};

/// Another origin, whose only duty is to be told nothing.
fn stranger(host: &str) -> Fake {
    Fake::start_on(host, |seen| {
        if seen.target.starts_with("/token") {
            Reply::status(200).body("{\"token\":\"t\"}")
        } else {
            manifest()
        }
    })
}

/// Asserts that no request to `server` carried a secret.
fn knows_nothing(server: &Fake) {
    for seen in server.seen() {
        assert!(seen.header("authorization").is_none(), "{}", seen.raw);
        assert!(seen.header("cookie").is_none(), "{}", seen.raw);
        assert!(!has_canary(&seen.raw), "{}", seen.raw);
    }
}

/// A registry that asks for a login and then redirects to `to`.
fn redirecting(to: &str) -> Fake {
    let to = to.to_owned();
    Fake::start(move |seen| {
        if seen.header("authorization").is_none() {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")
        } else {
            Reply::redirect(&to)
        }
    })
}

#[tokio::test]
async fn a_redirect_to_another_origin_loses_the_secret() {
    for host in ["127.0.0.1", "127.0.0.2"] {
        let other = stranger(host);
        let server = redirecting(&other.url("/blobs/1?signature=abc"));
        let told = manifest_of(&server.name(), with(password())).await;
        assert!(told.starts_with("2 bytes"), "{told}");
        assert_eq!(other.story(), ["GET /blobs/1?signature=abc"]);
        knows_nothing(&other);
    }
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect_either() {
    let other = stranger("127.0.0.2");
    let server = redirecting(&other.url("/"));
    let options = with(Credential::Bearer(Secret::new(CANARY)));
    let told = manifest_of(&server.name(), options).await;
    assert!(told.starts_with("2 bytes"), "{told}");
    knows_nothing(&other);
}

#[tokio::test]
async fn whoever_sends_us_back_does_not_get_the_secret_back() {
    let server = Fake::start(|seen| match (&*seen.target, seen.header("authorization")) {
        ("/v2/team/app/manifests/1", None) => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")
        }
        ("/v2/team/app/manifests/1", Some(_)) => {
            let home = seen.header("host").unwrap();
            Reply::redirect(&format!(
                "http://127.0.0.2:{}/back",
                home.rsplit(':').next().unwrap()
            ))
        }
        _ => Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    });
    let port = server
        .name()
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let home = server.url("/v2/other/secrets/manifests/1");
    let listener = std::net::TcpListener::bind(("127.0.0.2", port));
    // The same port on another address: only the host differs.
    let _between = listener.map(|listener| {
        std::thread::spawn(move || {
            use std::io::{Read, Write};
            if let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 4096]);
                let _ = write!(
                    stream,
                    "HTTP/1.1 307 Back\r\nLocation: {home}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
            }
        })
    });
    manifest_of(&server.name(), with(password())).await;
    let story = server.story();
    assert_eq!(
        story.last().unwrap(),
        "GET /v2/other/secrets/manifests/1",
        "{story:?}"
    );
}

#[tokio::test]
async fn a_stranger_that_asks_for_a_login_gets_no_answer() {
    let other = Fake::start_on("127.0.0.2", |seen| {
        let realm = format!("http://{}/token", seen.header("host").unwrap());
        Reply::status(401).header(
            "WWW-Authenticate",
            &format!("Bearer realm=\"{realm}\", Basic realm=\"x\""),
        )
    });
    let server = redirecting(&other.url("/blob"));
    let told = manifest_of(&server.name(), with(password())).await;
    assert_eq!(
        told.replace(&other.name(), "OTHER"),
        "`OTHER` does not answer like a registry (HTTP status 401)"
    );
    assert_eq!(other.story(), ["GET /blob"]);
    knows_nothing(&other);
}

#[tokio::test]
async fn redirects_to_places_we_do_not_go_are_refused() {
    let other = stranger("127.0.0.2");
    let userinfo = other.url("/x").replace("http://", "http://registry@");
    let mut story = Vec::new();
    for to in [
        &*userinfo,
        "http://user:password@blobs.example/x",
        "file:///etc/passwd",
        "ftp://blobs.example/x",
        "javascript:alert(1)",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0/",
        "http://[ff02::1]/",
        "http://",
        "//",
        "",
    ] {
        let server = redirecting(to);
        let told = manifest_of(&server.name(), with(password())).await;
        story.push(format!("{to}: {told}"));
    }
    assert!(other.seen().is_empty());
    insta::assert_snapshot!(story.join("\n").replace(&other.name(), "OTHER"), @r"
    http://registry@OTHER/x: `REGISTRY` redirects to `http://OTHER`, with a user name in the address
    http://user:password@blobs.example/x: `REGISTRY` redirects to `http://blobs.example:80`, with a user name in the address
    file:///etc/passwd: `REGISTRY` redirects to no host, which is not an address of the web
    ftp://blobs.example/x: `REGISTRY` redirects to no host, which is not an address of the web
    javascript:alert(1): `REGISTRY` redirects to no host, which is not an address of the web
    http://169.254.169.254/latest/meta-data/: `REGISTRY` redirects to `http://169.254.169.254:80`, which is inside a network the registry is not in
    http://[::ffff:169.254.169.254]/: `REGISTRY` redirects to `http://[::ffff:a9fe:a9fe]:80`, which is inside a network the registry is not in
    http://2852039166/: `REGISTRY` redirects to `http://169.254.169.254:80`, which is inside a network the registry is not in
    http://[fd00:ec2::254]/: `REGISTRY` redirects to `http://[fd00:ec2::254]:80`, which is inside a network the registry is not in
    http://0.0.0.0/: `REGISTRY` redirects to `http://0.0.0.0:80`, which is inside a network the registry is not in
    http://[ff02::1]/: `REGISTRY` redirects to `http://[ff02::1]:80`, which is inside a network the registry is not in
    http://: `REGISTRY` redirects to nowhere, which is not an address of the web
    //: `REGISTRY` redirects to nowhere, which is not an address of the web
    : `REGISTRY` redirects to yet another address, one redirect too many
    ");
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Fake::start(|seen| Reply::redirect(&format!("{}x", seen.target)));
    assert_eq!(
        manifest_of(&server.name(), options()).await,
        "`REGISTRY` redirects to yet another address, one redirect too many"
    );
    assert_eq!(server.seen().len(), 6);
}

/// A registry that sends everyone to the token server at `realm`.
fn sending_to(realm: &str) -> Fake {
    let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
    Fake::start(move |seen| match seen.header("authorization") {
        Some("Bearer t") => manifest(),
        _ => Reply::status(401).header("WWW-Authenticate", &challenge),
    })
}

#[tokio::test]
async fn a_token_server_elsewhere_learns_nothing_unless_it_is_trusted() {
    for credential in [password(), Credential::Identity(Secret::new(CANARY))] {
        let other = stranger("127.0.0.2");
        let server = sending_to(&other.url("/token"));
        let told = manifest_of(&server.name(), with(credential.clone())).await;
        assert_eq!(
            told.replace(&other.name(), "OTHER"),
            "`REGISTRY` sends us for a token to `http://OTHER`, which is not trusted with the login of this registry (hint)"
        );
        assert!(other.seen().is_empty());

        // Without a secret there is nothing to steal.
        assert!(
            manifest_of(&server.name(), options())
                .await
                .starts_with("2 bytes")
        );
        knows_nothing(&other);

        let trusting = Options {
            trusted_realms: vec!["127.0.0.2".into()],
            ..with(credential)
        };
        assert!(
            manifest_of(&server.name(), trusting)
                .await
                .starts_with("2 bytes")
        );
        assert!(other.seen().iter().any(|seen| has_canary(&seen.raw)));
    }
}

#[tokio::test]
async fn token_servers_in_places_we_do_not_go_are_refused() {
    let other = stranger("127.0.0.2");
    let userinfo = other.url("/token").replace("http://", "http://127.0.0.1@");
    let mut story = Vec::new();
    for realm in [
        &*userinfo,
        "http://169.254.169.254/token",
        "file:///etc/passwd",
        "/token",
        "http://0/token",
    ] {
        let server = sending_to(realm);
        let told = manifest_of(&server.name(), with(password())).await;
        story.push(format!("{realm}: {told}"));
    }
    assert!(other.seen().is_empty());
    insta::assert_snapshot!(story.join("\n").replace(&other.name(), "OTHER"), @r"
    http://127.0.0.1@OTHER/token: `REGISTRY` sends us for a token to `http://OTHER`, with a user name in the address
    http://169.254.169.254/token: `REGISTRY` sends us for a token to `http://169.254.169.254:80`, which is inside a network the registry is not in
    file:///etc/passwd: `REGISTRY` sends us for a token to no host, which is not an address of the web
    /token: `REGISTRY` sends us for a token to nowhere, which is not an address of the web
    http://0/token: `REGISTRY` sends us for a token to `http://0.0.0.0:80`, which is inside a network the registry is not in
    ");
}

#[tokio::test]
async fn a_token_server_cannot_pass_the_secret_on() {
    let other = stranger("127.0.0.2");
    for credential in [password(), Credential::Identity(Secret::new(CANARY))] {
        let to = other.url("/token");
        let server = Fake::start(move |seen| {
            if seen.target.starts_with("/auth") {
                return Reply::redirect(&to);
            }
            let realm = format!("http://{}/auth", seen.header("host").unwrap());
            match seen.header("authorization") {
                Some("Bearer t") => manifest(),
                _ => Reply::status(401)
                    .header("WWW-Authenticate", &format!("Bearer realm=\"{realm}\"")),
            }
        });
        manifest_of(&server.name(), with(credential)).await;
        knows_nothing(&other);
    }
}

#[tokio::test]
async fn urls_of_foreign_layers_are_never_followed() {
    let other = stranger("127.0.0.2");
    let document = format!(
        "{{\"layers\":[{{\"digest\":\"{}\",\"size\":4,\"urls\":[\"{}\"]}}]}}",
        digest(b"blob"),
        other.url("/layer")
    );
    let server = Fake::start(move |seen| {
        if seen.target.contains("/manifests/") {
            manifest().body(document.clone())
        } else {
            Reply::status(404)
        }
    });
    let registry = Registry::connect(&server.name(), with(password()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    registry.manifest(&reference).await.unwrap();
    assert!(
        registry
            .blob(&reference, &digest(b"blob"), 4)
            .await
            .is_err()
    );
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn endless_headers_and_noise_are_errors() {
    let mut story = Vec::new();
    for (name, reply) in [
        (
            "many headers",
            (0..2000).fold(manifest(), |reply, number| {
                reply.header(&format!("X-{number}"), "y")
            }),
        ),
        (
            "a long header",
            manifest().header("X", &"y".repeat(4 << 20)),
        ),
    ] {
        let server = Fake::start(move |_| reply.clone());
        let told = manifest_of(&server.name(), options()).await;
        let told = told.split(" <- ").next().unwrap().to_owned();
        story.push(format!("{name}: {told}"));
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    many headers: the connection to `REGISTRY` broke
    a long header: the connection to `REGISTRY` broke
    ");
}

#[tokio::test]
async fn a_proxy_is_used_as_told_and_its_password_stays_with_it() {
    let proxy = Fake::start(|seen| {
        if seen.target.starts_with("http://registry.example/") {
            manifest()
        } else {
            Reply::redirect("http://127.0.0.1:1/inside")
        }
    });
    let through = |except: &str| Options {
        proxy: Proxy {
            http: Some(Secret::new(
                proxy
                    .url("")
                    .replace("http://", &format!("http://captain:{CANARY}@")),
            )),
            https: None,
            except: except.to_owned(),
        },
        ..with(password())
    };
    let told = manifest_of("registry.example", through("")).await;
    assert!(told.starts_with("2 bytes"), "{told}");
    let seen = proxy.seen();
    let first = seen.first().unwrap();
    assert_eq!(
        first.target,
        "http://registry.example/v2/team/app/manifests/1"
    );
    assert!(first.header("proxy-authorization").is_some_and(has_canary));
    assert_eq!(first.header("authorization"), None);

    // A registry of the open internet may not point inside, proxy or not.
    assert_eq!(
        manifest_of("other.example", through("")).await,
        "`REGISTRY` redirects to `http://127.0.0.1:1`, which is inside a network the registry is not in"
    );

    // This machine is never asked through a proxy, nor is what is excepted.
    let here = stranger("127.0.0.1");
    let before = proxy.seen().len();
    assert!(
        manifest_of(&here.name(), through(""))
            .await
            .starts_with("2 bytes")
    );
    let told = manifest_of("registry.invalid", through("registry.invalid")).await;
    assert!(
        told.starts_with("the name `REGISTRY` cannot be resolved"),
        "{told}"
    );
    assert_eq!(proxy.seen().len(), before);
}

#[tokio::test]
async fn a_broken_proxy_address_is_told_without_its_password() {
    let options = Options {
        proxy: Proxy {
            https: Some(Secret::new(format!("http://captain:{CANARY}@["))),
            ..Proxy::default()
        },
        ..options()
    };
    assert_eq!(
        manifest_of("127.0.0.1:1", options).await,
        "cannot set up connections to `REGISTRY`: the proxy is not an `http://` address (hint)"
    );
}

#[tokio::test]
async fn a_blob_store_may_be_elsewhere() {
    let other = Fake::start_on("127.0.0.2", |_| Reply::status(200).body("blob"));
    let server = redirecting(&other.url("/store?signature=abc"));
    let registry = Registry::connect(&server.name(), with(password()))
        .await
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let reader = registry
        .blob(&reference, &digest(b"blob"), 4)
        .await
        .unwrap();
    assert_eq!(read(reader).await.unwrap(), b"blob");
    knows_nothing(&other);
}
