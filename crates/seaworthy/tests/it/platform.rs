//! `seaworthy serve` as operators and clients meet it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use seaworthy_testkit::{image, require, wait_until};

use crate::forms::sample;
use crate::product::{User, tool};

#[test]
fn what_is_pushed_is_judged_and_a_restart_keeps_everything() {
    if !require("skopeo") {
        return;
    }
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    let layout = format!("oci:{}", user.path("layout").display());
    let serving = user.serve(&[]);
    let admin = serving.become_admin();
    serving.push(&admin, &layout, "team/app:1");
    let image = serving.judged(&admin, "team/app", "1");
    assert_eq!(image["state"], "done");
    assert_eq!(image["verdict"], "fail");
    assert_eq!(image["retention_class"], "full");
    let path = "/api/v1/search?vulnerability=CVE-2021-32640";
    let found = serving.ask("GET", path, Some(&admin), b"").json();
    assert_eq!(found["items"][0]["repository"], "team/app");
    assert!(serving.end().success());

    let again = user.serve(&[]);
    assert_eq!(again.first, None, "the first password is shown once");
    assert_eq!(again.judged(&admin, "team/app", "1"), image);
    tool(Command::new("skopeo").args([
        "inspect",
        "--tls-verify=false",
        "--creds",
        &admin,
        &format!("docker://{}/team/app:1", again.address),
    ]));
}

#[test]
fn nobody_gets_in_with_the_first_password_alone_or_without_one() {
    let user = User::new();
    let serving = user.serve(&[]);
    let first = format!("admin:{}", serving.first.clone().unwrap());
    assert_eq!(serving.ask("GET", "/v2/", None, b"").status, 401);
    let path = "/api/v1/audit";
    assert_eq!(serving.ask("GET", path, None, b"").status, 401);
    assert_eq!(serving.ask("GET", path, Some(&first), b"").status, 403);
    let admin = serving.become_admin();
    assert_eq!(serving.ask("GET", path, Some(&admin), b"").status, 200);
    assert_eq!(serving.ask("GET", path, Some(&first), b"").status, 401);
    let log = serving.log();
    assert!(!log.contains(serving.first.as_deref().unwrap()), "{log}");
}

#[test]
fn health_and_numbers_are_there_for_those_who_watch() {
    let user = User::new();
    let serving = user.serve(&["--set", "metrics_token=a-token-for-numbers"]);
    assert_eq!(serving.ask("GET", "/healthz", None, b"").text(), "alive\n");
    assert_eq!(serving.ask("GET", "/readyz", None, b"").text(), "ready\n");
    assert_eq!(serving.ask("GET", "/metrics", None, b"").status, 401);
    std::fs::remove_dir_all(user.path("data/blobs")).unwrap();
    let answer = serving.ask("GET", "/readyz", None, b"");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), "blobs: do not answer\n");
    assert_eq!(serving.ask("GET", "/healthz", None, b"").status, 200);
}

#[test]
fn numbers_count_requests_jobs_and_the_edition() {
    let user = User::new();
    let serving = user.serve(&[]);
    serving.ask("GET", "/v2/", None, b"");
    wait_until("the starter edition is in use", || {
        let page = serving.ask("GET", "/metrics", None, b"").text();
        page.contains("seaworthy_edition_advisories{edition=\"starter\"}")
    });
    let page = serving.ask("GET", "/metrics", None, b"").text();
    for line in [
        "seaworthy_request_seconds_count{method=\"GET\",route=\"/v2/\",status=\"401\"} 1\n",
        "seaworthy_jobs{state=\"dead\",lane=\"push\"} 0\n",
        "seaworthy_connections_refused_total 0\n",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
}

#[test]
fn the_log_has_one_line_a_request_with_its_id_and_no_query_and_no_secret() {
    let user = User::new();
    let serving = user.serve(&["--log-format", "json"]);
    let login = Some("somebody:canary-password");
    serving.ask("GET", "/v2/?token=canary-query", login, b"canary-body");
    let log = serving.log();
    assert!(!log.contains("canary"), "{log}");
    let line = log.lines().find(|it| it.contains("/v2/")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["status"], 401);
    assert_eq!(line["method"], "GET");
    assert!(line["request"].as_str().unwrap().len() == 32);
}

#[test]
fn a_request_under_way_is_finished_after_sigterm_and_no_new_one_is_taken() {
    let user = User::new();
    let serving = user.serve(&[]);
    let admin = serving.become_admin();
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    let body =
        serde_json::json!({"old": crate::serving::PASSWORD, "new": "another long enough one"});
    let body = body.to_string();
    let head = format!(
        "POST /api/v1/session/password HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        serving.address,
        crate::serving::base64(admin.as_bytes()),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let (begin, end) = body.split_at(10);
    stream.write_all(begin.as_bytes()).unwrap();
    wait_until("the request is under way", || {
        let page = serving.ask("GET", "/metrics", None, b"").text();
        page.contains("seaworthy_requests_in_flight 2\n")
    });
    serving.signal("TERM");
    wait_until("the port is closed", || {
        TcpStream::connect(&serving.address).is_err()
    });
    stream.write_all(end.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(serving.end_after_signal().success());
}

#[test]
fn a_certificate_is_used_and_taken_anew_when_it_changes() {
    if !require("openssl") {
        return;
    }
    let user = User::new();
    let make = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new([name.to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        std::fs::write(user.path("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(user.path("chain.pem"), certificate.pem()).unwrap();
    };
    make("one.example");
    let serving = user.serve(&["--tls-certificate", "chain.pem", "--tls-key", "key.pem"]);
    let shown = || {
        let connect = format!(
            "openssl s_client -connect {} </dev/null 2>/dev/null",
            serving.address
        );
        let read = format!("{connect} | openssl x509 -noout -ext subjectAltName");
        tool(Command::new("sh").args(["-c", &read]))
    };
    assert!(shown().contains("one.example"));
    make("two.example");
    serving.signal("HUP");
    wait_until("the new certificate is shown", || {
        shown().contains("two.example")
    });
    std::fs::write(user.path("chain.pem"), "nothing").unwrap();
    serving.signal("HUP");
    wait_until("it says that it keeps the old one", || {
        serving.log().contains("the certificate stays the old one")
    });
    assert!(shown().contains("two.example"));
}

#[test]
fn what_cannot_be_served_is_refused_with_a_way_out() {
    let user = User::new();
    std::fs::write(
        user.path("wrong.toml"),
        "listen = \"127.0.0.1:0\"\nlisten_on = 1\n",
    )
    .unwrap();
    for (arguments, what, way_out) in [
        (
            &["--listen", "0.0.0.0:0"][..],
            "error: `0.0.0.0:0` can be reached by others, and there is no TLS",
            "allow_plain_http",
        ),
        (
            &["--config", "wrong.toml"],
            "error: `wrong.toml`, line 2: there is no key `listen_on`",
            "hint: there is `listen`",
        ),
        (
            &["--role", "registry,ui"],
            "error: `--role`, which is `registry,ui`, is not a list of registry, api, worker",
            "hint:",
        ),
        (
            &["--tls-key", "key.pem"],
            "error: there is a `tls_key` and no `tls_certificate`",
            "hint:",
        ),
        (
            &["--blobs", "s3://images"],
            "needs `s3_access_key`",
            "SEAWORTHY_S3_ACCESS_KEY",
        ),
        (
            &["--database", "mysql://x"],
            "names no database",
            "postgres://",
        ),
    ] {
        let ended = user.run(&[&["serve"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.talk.contains(what), "{}", ended.talk);
        assert!(ended.talk.contains(way_out), "{}", ended.talk);
    }
}

#[test]
fn the_configuration_is_told_with_its_origins_and_without_secrets() {
    let user = User::new();
    std::fs::write(user.path("c.toml"), "connections = 7\n").unwrap();
    std::fs::write(user.path("secret"), "canary-from-file\n").unwrap();
    let output = user
        .command()
        .args(["config", "--config", "c.toml", "--set", "role=api"])
        .env("SEAWORTHY_DATABASE", "postgres://ada:canary@db/app")
        .env("SEAWORTHY_METRICS_TOKEN_FILE", "secret")
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(!out.contains("canary"), "{out}");
    for (line, origin) in [
        ("connections = 7", "c.toml:1"),
        ("role = \"api\"", "--set role"),
        ("database = \"postgres://ada@db/app\"", "SEAWORTHY_DATABASE"),
        ("metrics_token = \"(set)\"", "SEAWORTHY_METRICS_TOKEN_FILE"),
        ("head_seconds = 15", "default"),
    ] {
        let found = out.lines().find(|it| it.starts_with(line));
        assert!(
            found.is_some_and(|it| it.ends_with(origin)),
            "{line} in {out}"
        );
    }
}

#[test]
fn the_demonstration_judges_its_images_and_leaves_nothing_behind() {
    let user = User::new();
    let scratch = user.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let output = user
        .command()
        .args(["demo", "--once"])
        .env("TMPDIR", &scratch)
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    insta::with_settings!({filters => vec![
        (r"\d+ ms|\d\.\d s", "[time]"),
        (r"127\.0\.0\.1:\d+", "[address]"),
    ]}, {
        insta::assert_snapshot!("demo", out);
    });
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn an_image_that_lies_elsewhere_is_judged_and_no_byte_of_its_layers_leaves() {
    let user = User::new();
    let canary = "canary-content-of-a-file-in-a-layer";
    image()
        .platform("linux/amd64")
        .layer(|layer| {
            layer.file("/srv/secret.txt", canary.repeat(2_000)).file(
                "/srv/node_modules/ws/package.json",
                format!(r#"{{"name":"ws","version":"7.4.5","canary":"{canary}"}}"#),
            )
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let serving = user.serve(&[]);
    let admin = serving.become_admin();
    let body = br#"{"name":"team"}"#;
    let made = serving.ask("POST", "/api/v1/namespaces", Some(&admin), body);
    assert_eq!(made.status, 201, "{}", made.text());
    let key = serving.ask(
        "POST",
        "/api/v1/session/keys",
        Some(&admin),
        br#"{"name":"ci"}"#,
    );
    let key = key.json()["secret"].as_str().unwrap().to_owned();
    std::fs::write(user.path("token"), &key).unwrap();

    let recorder = crate::recorder::Recorder::before(&serving.address);
    let url = format!("http://{}", recorder.address());
    let scan = |more: &[&str]| {
        let fixed = [
            "scan",
            "--server",
            &url,
            "--server-token-file",
            "token",
            "--repository",
            "team/app",
        ];
        user.run(&[&fixed[..], more, &["oci:layout"]].concat())
    };
    let ended = scan(&["--format", "json"]);
    assert_eq!(ended.code, 1, "{}", ended.talk);
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["images"][0]["verdict"]["outcome"], "fail");
    assert_eq!(document["images"][0]["edition"]["starter"], true);
    let table = scan(&[]);
    assert_eq!(table.code, 1);
    assert!(table.out.contains("CVE-2021-32640"), "{}", table.out);

    let sent = recorder.sent();
    let text = String::from_utf8_lossy(&sent);
    assert!(text.contains("seaworthy.submission/1"));
    assert!(!text.contains(canary));
    assert!(sent.len() < 20_000, "{} bytes left", sent.len());

    let path = "/api/v1/repositories/team~app/images";
    let images = serving.ask("GET", path, Some(&admin), b"").json();
    assert_eq!(images["items"][0]["retention_class"], "metadata");
    assert_eq!(images["items"][0]["verdict"], "fail");

    let refused = user.run(&[
        "scan",
        "--server",
        &url,
        "--repository",
        "team/app",
        "oci:layout",
    ]);
    assert_eq!(refused.code, 2);
    assert!(refused.talk.contains("SEAWORTHY_TOKEN"), "{}", refused.talk);
}

#[test]
fn a_backup_taken_while_serving_brings_everything_back() {
    if !require("skopeo") {
        return;
    }
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    let layout = format!("oci:{}", user.path("layout").display());
    let serving = user.serve(&[]);
    let admin = serving.become_admin();
    serving.push(&admin, &layout, "team/app:1");
    let image = serving.judged(&admin, "team/app", "1");
    let saved = user.run(&["backup", "all.backup"]);
    assert_eq!(saved.code, 0, "{}", saved.talk);
    assert_eq!(
        user.run(&["backup", "all.backup"]).code,
        2,
        "never over another one"
    );
    let there = user.run(&["restore", "all.backup"]);
    assert_eq!(there.code, 2, "never into a place with something in it");
    serving.kill();

    let bytes = std::fs::read(user.path("all.backup")).unwrap();
    let elsewhere = user.path("restored");
    let data = elsewhere.to_str().unwrap();
    let middle = bytes.len() / 2;
    for (what, broken) in [
        ("torn", bytes[..middle].to_vec()),
        ("changed", {
            let mut changed = bytes.clone();
            changed[middle] ^= 1;
            changed
        }),
    ] {
        std::fs::write(user.path("broken.backup"), broken).unwrap();
        let ended = user.run(&["restore", "--data", data, "broken.backup"]);
        assert_eq!(ended.code, 2, "{what}");
        assert!(!elsewhere.join("seaworthy.db").exists(), "{what}");
    }

    let restored = user.run(&["restore", "--data", data, "all.backup"]);
    assert_eq!(restored.code, 0, "{}", restored.talk);
    let serving = user.serve(&["--data", data]);
    assert_eq!(serving.judged(&admin, "team/app", "1"), image);
    tool(Command::new("skopeo").args([
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        "--src-creds",
        &admin,
        &format!("docker://{}/team/app:1", serving.address),
        &format!("dir:{}", user.path("pulled").display()),
    ]));
    drop(serving);
    let well = user.run(&["doctor", "--all", "--data", data]);
    assert_eq!(well.code, 0, "{}", well.out);
}

#[test]
fn the_doctor_says_what_is_broken_and_what_to_do() {
    if !require("skopeo") {
        return;
    }
    let user = User::new();
    let before = user.run(&["doctor"]);
    assert_eq!(before.code, 0, "{}", before.out);
    assert!(before.out.contains("is not there yet"), "{}", before.out);

    sample().write_oci_layout(&user.path("layout")).unwrap();
    let layout = format!("oci:{}", user.path("layout").display());
    let serving = user.serve(&[]);
    let admin = serving.become_admin();
    serving.push(&admin, &layout, "team/app:1");
    serving.judged(&admin, "team/app", "1");
    let well = user.run(&["doctor"]);
    assert_eq!(well.code, 0, "{}", well.out);
    for line in [
        "ok    database",
        "ok    blobs",
        "ok    blob bytes",
        "ok    sandbox",
    ] {
        assert!(well.out.contains(line), "{line} in {}", well.out);
    }
    assert!(well.out.contains("warn  edition"), "{}", well.out);

    // One byte of one blob.
    let blob = tool(Command::new("find").args([
        user.path("data/blobs/sha256").to_str().unwrap(),
        "-type",
        "f",
    ]));
    let blob = blob.lines().next().unwrap();
    let mut bytes = std::fs::read(blob).unwrap();
    bytes[0] ^= 1;
    std::fs::write(blob, bytes).unwrap();
    let broken = user.run(&["doctor", "--all"]);
    assert_eq!(broken.code, 1, "{}", broken.out);
    assert!(broken.out.contains("FAIL  blob bytes"), "{}", broken.out);
    assert!(
        broken.out.contains("next: push those images again"),
        "{}",
        broken.out
    );
    assert_eq!(user.run(&["backup", "damaged.backup"]).code, 2);
}

#[test]
fn the_support_bundle_has_no_secret() {
    let user = User::new();
    let serving = user.serve(&["--set", "metrics_token=canary-metrics"]);
    let admin = serving.become_admin();
    serving.ask("GET", "/v2/?canary=canary-query", Some(&admin), b"");
    std::fs::write(user.path("secret"), "canary-s3\n").unwrap();
    let output = user
        .command()
        .args(["support-bundle", "bundle.tar"])
        .env("SEAWORTHY_METRICS_TOKEN", "canary-metrics")
        .env("SEAWORTHY_S3_SECRET_KEY_FILE", "secret")
        .env("SEAWORTHY_S3_ACCESS_KEY", "canary-access")
        .env("SEAWORTHY_TOKEN", "canary-token")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let bundle = std::fs::read(user.path("bundle.tar")).unwrap();
    let text = String::from_utf8_lossy(&bundle);
    for part in [
        "versions.txt",
        "configuration.txt",
        "doctor.txt",
        "metrics.txt",
        "log.txt",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("listening on"));
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains(crate::serving::PASSWORD));
    assert!(!text.contains(serving.first.as_deref().unwrap()));
}
