//! The process that reads layers can do nothing else.

use std::io::Write;
use std::process::Stdio;

use seaworthy_testkit::{gzip, image};

use crate::product::User;

const ROLE: &str = "confined-layer-reader";

#[test]
fn a_confined_reader_answers_and_ends() {
    let user = User::new();
    let image = image()
        .layer(|layer| layer.file("/etc/os-release", "ID=debian\nVERSION_ID=12\n"))
        .build();
    let layer = &image.layers[0].blob.bytes;
    let ended = user.fed(layer, &[ROLE]);
    assert_eq!(ended.code, 0, "{}", ended.talk);
    assert!(
        ended.out.starts_with('R') && ended.out.contains("debian"),
        "{:?}",
        ended.out
    );
    let ended = user.fed(b"no layer at all", &[ROLE]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with('E'), "{:?}", ended.out);
}

#[test]
fn a_confined_reader_is_locked_before_it_reads() {
    let user = User::new();
    let mut child = user
        .command()
        .arg(ROLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The first bytes of a layer, after which it waits for more.
    stdin.write_all(&gzip(&[0; 4096])[..12]).unwrap();
    let status =
        || std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let field = |name: &str| {
        status()
            .lines()
            .find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
            .unwrap_or_default()
    };
    seaworthy_testkit::wait_until("the reader is locked", || field("Seccomp:") == "2");
    assert_eq!(field("NoNewPrivs:"), "1");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    for limit in [
        "Max open files            3 ",
        "Max core file size        0 ",
        "Max file size             0 ",
    ] {
        assert!(limits.contains(limit), "{limits}");
    }
    // A process that is not dumpable hides its environment, even if it is empty.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_bomb_costs_time_and_neither_memory_nor_the_answer() {
    let user = User::new();
    // A line without an end in a package database, in a tenth of a megabyte.
    let line = vec![b'x'; 96 * 1024 * 1024];
    image()
        .layer(|layer| {
            layer
                .file("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
                .file("/var/lib/dpkg/status", &line)
                .file(
                    "/node_modules/ws/package.json",
                    r#"{"name":"ws","version":"7.4.5"}"#,
                )
        })
        .build()
        .write_oci_layout(&user.path("layout"))
        .unwrap();
    drop(line);
    let document = user.scan(&["oci:layout"]);
    let gaps = document["images"][0]["gaps"].to_string();
    assert!(gaps.contains("var/lib/dpkg/status"), "{gaps}");
    assert_eq!(document["images"][0]["packages"][0]["name"], "ws");
    assert_ne!(document["outcome"], "pass");
}
