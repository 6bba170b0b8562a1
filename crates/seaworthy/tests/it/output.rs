//! What scripts and people rely on: codes, bytes, streams.

use std::process::{Command, Stdio};

use seaworthy_testkit::image;

use crate::forms::sample;
use crate::product::{User, findings, tool};

/// Now, as OSV writes it.
fn today() -> String {
    let now = tool(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]));
    now.trim().to_owned()
}

#[test]
fn two_runs_give_the_same_bytes() {
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    for format in ["json", "cyclonedx", "table"] {
        let read = |more: &[&str]| {
            user.run(&[&["scan", "--format", format, "oci:layout"], more].concat())
                .out
        };
        let cold = read(&["--no-cache"]);
        assert_eq!(cold, read(&[]), "{format}");
        assert_eq!(cold, read(&[]), "{format}, from the cache");
        assert!(!cold.is_empty());
    }
}

#[test]
fn the_starter_edition_finds_log4shell_and_never_passes() {
    let user = User::new();
    let jar = "groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n";
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut bytes);
    let name = "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties";
    archive
        .start_file(name, zip::write::SimpleFileOptions::default())
        .unwrap();
    std::io::Write::write_all(&mut archive, jar.as_bytes()).unwrap();
    archive.finish().unwrap();
    let jar = bytes.into_inner();
    image()
        .layer(|layer| layer.file("/app/log4j-core-2.14.1.jar", &jar))
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let document = user.scan(&["oci:layout"]);
    assert_eq!(document["outcome"], "fail");
    assert!(
        findings(&document)
            .iter()
            .any(|line| line.contains("CVE-2021-44228 \"critical\""))
    );

    image()
        .layer(|layer| {
            layer.file(
                "/node_modules/x/package.json",
                r#"{"name":"x","version":"1.0.0"}"#,
            )
        })
        .build()
        .write_oci_layout(&user.path("clean"))
        .unwrap();
    let ended = user.run(&["scan", "oci:clean"]);
    assert_eq!(ended.code, 3);
    assert!(ended.out.contains("seaworthy db update"), "{}", ended.out);
}

#[test]
fn an_image_that_is_covered_read_and_fresh_passes() {
    let user = User::new();
    let today = today();
    let record = format!(
        r#"{{"id":"GHSA-x","modified":"{today}","affected":[{{"package":{{"ecosystem":"npm","name":"ws"}},
        "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"7.4.6"}}]}}]}}]}}"#
    );
    user.learn(&[("npm", &record)]);
    image()
        .layer(|layer| {
            layer.file(
                "/node_modules/ws/package.json",
                r#"{"name":"ws","version":"7.4.6"}"#,
            )
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let ended = user.run(&["scan", "oci:layout"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.talk);
    assert_eq!(ended.talk, "");
}

#[test]
fn thresholds_and_fixes_decide_the_exit_code() {
    let user = User::new();
    let record = r#"{"id":"GHSA-y","modified":"TODAY","severity":[{"type":"CVSS_V3",
        "score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}],"affected":[{"package":{"ecosystem":"npm",
        "name":"ws"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;
    user.learn(&[("npm", &record.replace("TODAY", &today()))]);
    image()
        .layer(|layer| {
            layer.file(
                "/node_modules/ws/package.json",
                r#"{"name":"ws","version":"7.4.6"}"#,
            )
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    for (flags, code) in [
        (vec![], 0),
        (vec!["--fail-on", "medium"], 1),
        (vec!["--fail-on", "medium", "--ignore-unfixed"], 0),
    ] {
        let ended = user.run(&[&["scan"], &flags[..], &["oci:layout"]].concat());
        assert_eq!(ended.code, code, "{flags:?} {}", ended.out);
    }
    assert_eq!(
        user.run(&["scan", "--fail-on", "banana", "oci:layout"])
            .code,
        2
    );
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    let mut child = user
        .command()
        .args(["scan", "--format", "json", "oci:layout"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    // Whoever reads the pipe does not change the verdict.
    assert_eq!(
        ended.status.code(),
        Some(user.run(&["scan", "oci:layout"]).code)
    );
}

#[test]
fn help_shows_examples_and_what_exit_codes_mean() {
    let user = User::new();
    let ended = user.run(&["scan", "--help"]);
    assert_eq!(ended.code, 0);
    for text in [
        "docker save app | seaworthy scan -",
        "3  unknown",
        "--fail-on",
    ] {
        assert!(ended.out.contains(text), "{}", ended.out);
    }
    assert_eq!(user.run(&["--version"]).out, "seaworthy 0.0.0\n");
}
