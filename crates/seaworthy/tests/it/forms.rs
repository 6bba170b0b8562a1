//! One image, every form that needs no server: the same answer.

use std::fs;

use seaworthy_testkit::{Image, image, index_layout};

use crate::product::{User, findings, packages};

const STATUS: &str = "Package: libssl3\nStatus: install ok installed\nSource: openssl\n\
                      Version: 3.0.1-1\nArchitecture: amd64\n\n\
                      Package: bash\nStatus: install ok installed\n\
                      Version: 5.2-1\nArchitecture: amd64\n";

const OPENSSL: &str = r#"{"schema_version":"1.6.0","id":"DSA-1-1","modified":"2026-01-01T00:00:00Z",
    "upstream":["CVE-2026-1"],"summary":"a flaw","affected":[{"package":{"ecosystem":"Debian:12",
    "name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.2-1"}]}]}]}"#;

const WS: &str = r#"{"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-01T00:00:00Z",
    "aliases":["CVE-2026-2"],"summary":"another flaw","severity":[{"type":"CVSS_V3",
    "score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"npm",
    "name":"ws"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"7.4.6"}]}]}]}"#;

/// Debian with a package that an advisory speaks of by its source, and an npm
/// module that was there and is gone, and one that is there.
pub(crate) fn sample() -> Image {
    image()
        .tag("localhost/sample:1")
        .platform("linux/amd64")
        .layer(|layer| {
            layer
                .file(
                    "/etc/os-release",
                    "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian 12\"\n",
                )
                .file("/var/lib/dpkg/status", STATUS)
                .file(
                    "/app/node_modules/old/package.json",
                    r#"{"name":"old","version":"1.0.0"}"#,
                )
        })
        .layer(|layer| {
            layer.zstd().whiteout("/app/node_modules/old").file(
                "/app/node_modules/ws/package.json",
                r#"{"name":"ws","version":"7.4.5"}"#,
            )
        })
        .build()
}

fn knowing() -> User {
    let user = User::new();
    user.learn(&[("Debian", OPENSSL), ("npm", WS)]);
    user
}

#[test]
fn every_form_of_an_image_gives_the_same_findings() {
    let user = knowing();
    let image = sample();
    image.write_oci_layout(&user.path("layout")).unwrap();
    fs::write(user.path("oci.tar"), image.oci_archive()).unwrap();
    fs::write(user.path("docker.tar"), image.docker_archive()).unwrap();
    fs::write(user.path("legacy.tar"), image.legacy_docker_archive()).unwrap();
    fs::write(
        user.path("docker.tar.gz"),
        seaworthy_testkit::gzip(&image.docker_archive()),
    )
    .unwrap();
    let root = user.path("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    fs::create_dir_all(root.join("app/node_modules/ws")).unwrap();
    fs::write(root.join("etc/os-release"), "ID=debian\nVERSION_ID=12\n").unwrap();
    fs::write(root.join("var/lib/dpkg/status"), STATUS).unwrap();
    let module = r#"{"name":"ws","version":"7.4.5"}"#;
    fs::write(root.join("app/node_modules/ws/package.json"), module).unwrap();

    let expected = [
        "pkg:deb/debian/libssl3@3.0.1-1?arch=amd64&distro=debian-12&upstream=openssl CVE-2026-1",
        "pkg:npm/ws@7.4.5 CVE-2026-2 \"critical\"",
    ];
    let first = user.scan(&["oci:layout"]);
    for (line, expected) in findings(&first).iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(findings(&first).len(), expected.len());
    assert_eq!(packages(&first, "npm"), ["ws 7.4.5"]);
    for target in [
        "oci:layout:1",
        "layout",
        "oci-archive:oci.tar",
        "docker-archive:docker.tar",
        "docker-archive:docker.tar:localhost/sample:1",
        "docker-archive:legacy.tar",
        "docker-archive:docker.tar.gz",
        "dir:root",
        "./root",
    ] {
        let document = user.scan(&[target]);
        assert_eq!(findings(&document), findings(&first), "{target}");
    }
    for stream in [
        image.docker_archive(),
        image.legacy_docker_archive(),
        image.oci_archive(),
    ] {
        let ended = user.fed(&stream, &["scan", "--format", "json", "-"]);
        let document = serde_json::from_str(&ended.out).expect(&ended.talk);
        assert_eq!(findings(&document), findings(&first));
    }
}

#[test]
fn an_sbom_of_an_image_gives_the_findings_of_the_image() {
    let user = knowing();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    let direct = user.scan(&["oci:layout"]);
    let ended = user.run(&[
        "scan",
        "--format",
        "cyclonedx",
        "--output",
        "app.json",
        "oci:layout",
    ]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert_eq!(findings(&user.scan(&["sbom:app.json"])), findings(&direct));
}

#[test]
fn without_a_scheme_the_kind_is_inferred_and_said() {
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    let ended = user.run(&["scan", "layout"]);
    assert!(
        ended
            .talk
            .contains("note: reading `layout` as `oci:layout`"),
        "{}",
        ended.talk
    );
    let ended = user.run(&["scan", "oci:layout"]);
    assert!(!ended.talk.contains("note: reading"), "{}", ended.talk);
}

#[test]
fn of_an_index_the_wanted_platforms_are_read() {
    let user = User::new();
    let of = |platform: &str, name: &str| {
        let text = format!("{{\"name\":\"{name}\",\"version\":\"1.0.0\"}}");
        let path = format!("/node_modules/{name}/package.json");
        image()
            .platform(platform)
            .layer(|layer| layer.file(&path, &text))
            .build()
    };
    let images = [of("linux/amd64", "here"), of("linux/arm64", "there")];
    index_layout(&user.path("layout"), "1", &images, &[]).unwrap();
    let arm = user.scan(&["--platform", "linux/arm64", "oci:layout"]);
    assert_eq!(packages(&arm, "npm"), ["there 1.0.0"]);
    let all = user.scan(&["--all-platforms", "oci:layout"]);
    assert_eq!(all["images"].as_array().unwrap().len(), 2);
    let ended = user.run(&["scan", "--platform", "linux/s390x", "oci:layout"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.talk.contains("`linux/amd64`, `linux/arm64`"),
        "{}",
        ended.talk
    );
}
