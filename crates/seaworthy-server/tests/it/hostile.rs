//! What people send who mean no good.

use std::fmt::Write as _;
use std::net::SocketAddr;

use seaworthy_access::Role;
use seaworthy_core::Severity;
use seaworthy_server::openapi;
use seaworthy_store::NamespaceSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ask::read;
use crate::world::{World, on_each_database, report};

on_each_database! {
    no_parameter_reaches_further_than_it_says,
    no_name_in_a_path_reaches_further_than_it_says,
    a_client_that_speaks_nonsense_gets_an_answer,
}

const CORPUS: &[&str] = &[
    "'",
    "\"",
    "' OR '1'='1",
    "1' OR 1=1 --",
    "x'; DROP TABLE image; --",
    "1) UNION SELECT password FROM account --",
    "' AND (SELECT count(*) FROM account) > 0 --",
    "'||(SELECT name FROM account LIMIT 1)||'",
    "pg_sleep(10)",
    "'; SELECT pg_sleep(10); --",
    "%",
    "_",
    "\\",
    "a,team,b",
    ",",
    "$1",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../../etc/passwd",
    "\u{0}",
    "\u{1b}[2J",
    "x\r\nset-cookie: a=b",
    "<script>alert(1)</script>",
    "\u{202e}abc",
    "\u{1f4a3}",
    "-1",
    "0",
    "9223372036854775808",
    "1e999",
    "null",
    "[]",
    "{}",
    "true",
    "NaN",
];

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        write!(out, "%{byte:02X}").expect("texts take what is written to them");
    }
    out
}

/// Paths with the names of their query's parameters.
fn readable(digest: &str, report: i64) -> Vec<(String, Vec<String>)> {
    let document = serde_json::to_value(openapi()).expect("JSON");
    let mut out = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let Some(operation) = item.get("get") else {
            continue;
        };
        if path.ends_with("/events") {
            continue;
        }
        let path = path
            .strip_prefix("/api/v1")
            .expect("ours")
            .replace("{repository}", "team~app")
            .replace("{namespace}", "team")
            .replace("{digest}", digest)
            .replace("{report}", &report.to_string())
            .replace("{tag}", "v1");
        let parameters = operation["parameters"].as_array().cloned();
        let names = parameters
            .unwrap_or_default()
            .iter()
            .filter(|it| it["in"] == "query")
            .filter_map(|it| it["name"].as_str().map(str::to_owned))
            .collect();
        out.push((path, names));
    }
    out
}

async fn no_parameter_reaches_further_than_it_says(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    world.found("secret", NamespaceSettings::default()).await;
    let image = world.push("team/app", &["v1"], "app").await;
    world.push("secret/app", &["v1"], "secret").await;
    let found = report(&[("left-pad", "1.0.0", &[("CVE-2026-1", Severity::High)])]);
    world.scan_all(&found).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let reader = world
        .somebody("reader", &[(Some("team"), Role::Reader)])
        .await;
    let mut asked = 0;
    for (path, names) in readable(&image.to_string(), 1) {
        for name in names {
            let long = "a".repeat(3000);
            for text in CORPUS.iter().copied().chain([long.as_str()]) {
                let path = format!("{path}?{name}={}", encoded(text));
                for who in [&ada, &reader] {
                    let answer = read(&path).by(who).of(&world).await;
                    let told = format!("{path}: {} {}", answer.status, answer.text);
                    assert!(!answer.status.is_server_error(), "{told}");
                    for word in ["$argon2", "syntax error", "no such column"] {
                        assert!(!answer.text.contains(word), "{told}");
                    }
                    assert_eq!(answer.header("set-cookie"), None, "{told}");
                    asked += 1;
                }
                let answer = read(&path).by(&reader).of(&world).await;
                assert!(
                    !answer.text.contains("secret/app"),
                    "{path}: {}",
                    answer.text
                );
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    // Everything is still there.
    let all = read("/repositories").by(&ada).of(&world).await.json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(2));
}

async fn no_name_in_a_path_reaches_further_than_it_says(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let image = world.push("team/app", &["v1"], "app").await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let no_text = "%ff%fe".to_owned();
    for text in CORPUS.iter().map(|it| encoded(it)).chain([no_text]) {
        for path in [
            format!("/namespaces/{text}"),
            format!("/repositories/{text}"),
            format!("/repositories/team~{text}/tags"),
            format!("/repositories/team~app/tags/{text}"),
            format!("/repositories/team~app/images/{text}"),
            format!("/repositories/team~app/images/{image}/reports/{text}"),
            format!("/accounts/{text}"),
            format!("/accounts/{text}/keys"),
            format!("/jobs/{text}"),
            format!("/namespaces/team/robots/{text}"),
        ] {
            let answer = read(&path).by(&ada).of(&world).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text);
        }
    }
}

async fn a_client_that_speaks_nonsense_gets_an_answer(world: World) {
    // Over a connection, since some of it is no request at all.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = world
        .router
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let talk = async |text: &str| -> String {
        let stream = tokio::net::TcpStream::connect(address).await;
        let mut stream = stream.expect("a connection");
        // Whoever does not listen to the end is not told the end.
        let _ = stream.write_all(text.as_bytes()).await;
        if text.contains("content-length") {
            stream.shutdown().await.expect("ended");
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let long = "a".repeat(100_000);
    let rest = "HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
    for (text, status) in [
        (format!("GET /api/v1/openapi.json {rest}\r\n"), "200"),
        (
            format!("GET /api/v1/namespaces {rest}authorization: Basic ====\r\n\r\n"),
            "401",
        ),
        (format!("GET /api/v1/search?package={long} {rest}\r\n"), "4"),
        (
            format!("GET /api/v1/session {rest}cookie: {long}\r\n\r\n"),
            "4",
        ),
        (format!("BREW /api/v1/namespaces {rest}\r\n"), "405"),
        (format!("GET /api/v1/../../etc/passwd {rest}\r\n"), "404"),
    ] {
        let answer = talk(&text).await;
        let short: String = text.chars().take(60).collect();
        let begin = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begin), "{short}: {answer}");
    }
    // A body that breaks off is nobody's sign-in.
    let text = format!(
        "POST /api/v1/session {rest}content-type: application/json\r\ncontent-length: 100\r\n\r\n\
         {{\"name\":"
    );
    let answer = talk(&text).await;
    assert!(!answer.contains(" 200 "), "{answer}");
    server.abort();
}
