//! Whatever is wrong with an image: one line, its cause, a way out, exit 2. Or a
//! gap, where the rest can be read. Never a panic, never clean.

use std::fs;

use seaworthy_testkit::{gzip, image};

use crate::forms::sample;
use crate::product::User;

/// The talk of a scan that must end in an error.
#[track_caller]
fn refused(user: &User, target: &str) -> String {
    let ended = user.run(&["scan", "--no-cache", target]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{}", ended.talk);
    assert!(!ended.talk.contains("panicked"), "{}", ended.talk);
    for word in ["error: ", "hint: "] {
        assert!(ended.talk.contains(word), "{}", ended.talk);
    }
    ended.talk
}

#[test]
fn a_blob_that_is_not_what_its_digest_says_is_an_error() {
    let user = User::new();
    sample().write_oci_layout(&user.path("layout")).unwrap();
    for entry in fs::read_dir(user.path("layout/blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        let cut = &whole[..whole.len() / 2];
        for wrong in [&changed[..], cut, b""] {
            fs::write(&path, wrong).unwrap();
            let talk = refused(&user, "oci:layout");
            assert!(talk.contains("sha256:"), "{talk}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert_ne!(user.run(&["scan", "oci:layout"]).code, 2);
}

#[test]
fn a_truncated_archive_or_stream_is_an_error_wherever_it_ends() {
    let user = User::new();
    let whole = sample().docker_archive();
    for end in (0..whole.len() - 1024).step_by(1777) {
        fs::write(user.path("cut.tar"), &whole[..end]).unwrap();
        refused(&user, "docker-archive:cut.tar");
        let ended = user.fed(&whole[..end], &["scan", "-"]);
        assert_eq!(ended.code, 2, "{end}: {}", ended.talk);
    }
}

#[test]
fn what_is_no_image_is_told_with_a_way_out() {
    let user = User::new();
    fs::write(user.path("text.txt"), "hello").unwrap();
    fs::write(user.path("empty"), "").unwrap();
    fs::write(user.path("not.json"), "{\"hello\": 1}").unwrap();
    for target in [
        "text.txt",
        "empty",
        "sbom:not.json",
        "oci:.",
        "dir:text.txt",
        "./nowhere",
        "UPPER:1",
        "docker:x",
    ] {
        let talk = refused(&user, target);
        assert!(talk.lines().count() <= 5, "{talk}");
    }
    let talk = refused(&user, "./nowhere");
    assert!(talk.contains("hint: "), "{talk}");
    let offline = user.run(&["scan", "--offline", "alpine:3.20"]);
    assert_eq!(offline.code, 2);
    assert!(
        offline.talk.contains("`--offline` forbids"),
        "{}",
        offline.talk
    );
}

#[test]
fn a_layer_that_is_not_a_tar_is_an_error_that_names_it() {
    let user = User::new();
    let noise = gzip(b"this is not a tar archive, however long one looks at it");
    let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    image()
        .layer(|layer| layer.blob(seaworthy_testkit::Blob::new(noise, media_type)))
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let talk = refused(&user, "oci:layout");
    assert!(talk.contains("cannot read layer sha256:"), "{talk}");
}

#[test]
fn a_climbing_entry_is_a_gap_and_writes_nothing() {
    let user = User::new();
    image()
        .layer(|layer| {
            layer
                .file("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
                .entry(b'0', b"../../../../tmp/climbed", b"", 0o644, b"x")
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let document = user.scan(&["oci:layout"]);
    let gaps = document["images"][0]["gaps"].to_string();
    assert!(gaps.contains("climbed"), "{gaps}");
    assert_ne!(document["outcome"], "pass");
    assert!(!std::path::Path::new("/tmp/climbed").exists());
}

#[test]
fn a_broken_database_is_a_gap_and_the_rest_is_read() {
    let user = User::new();
    image()
        .layer(|layer| {
            layer
                .file("/etc/os-release", "ID=rocky\nVERSION_ID=9\n")
                .file(
                    "/var/lib/rpm/rpmdb.sqlite",
                    "SQLite format 3\0 and then nothing",
                )
                .file(
                    "/node_modules/ws/package.json",
                    r#"{"name":"ws","version":"7.4.5"}"#,
                )
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let document = user.scan(&["oci:layout"]);
    assert_eq!(document["images"][0]["packages"][0]["name"], "ws");
    let gaps = document["images"][0]["gaps"].to_string();
    assert!(gaps.contains("rpmdb.sqlite"), "{gaps}");
    assert_ne!(document["outcome"], "pass");
}

#[test]
fn terminal_escapes_from_an_image_do_not_reach_the_terminal() {
    let user = User::new();
    let nasty = "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"\u{1b}]8;;http://x\u{7}click\u{1b}[2J\"\n";
    let module = "{\"name\":\"a\\u001b[31m\",\"version\":\"1\\r\\u009b2J\"}";
    image()
        .layer(|layer| {
            layer
                .created_by("RUN \u{1b}[31mecho\u{202e}")
                .file("/etc/os-release", nasty)
                .file("/node_modules/a\u{1b}[31m/package.json", module)
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    let ended = user.run(&["scan", "--packages", "oci:layout"]);
    for text in [&ended.out, &ended.talk] {
        let hostile = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
        assert!(!text.chars().any(hostile), "{text:?}");
    }
    assert_ne!(ended.code, 0);
}
