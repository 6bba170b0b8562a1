//! `seaworthy db`.

use std::fs;

use seaworthy_testkit::shared;

use crate::product::{User, write_mirror};

const RECORD: &str = r#"{"id":"GHSA-x","modified":"2026-01-01T00:00:00Z","affected":[{"package":
    {"ecosystem":"npm","name":"ws"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;

#[test]
fn without_an_edition_the_starter_edition_is_told_and_how_to_get_more() {
    let user = User::new();
    let ended = user.run(&["db", "status"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("(starter)"), "{}", ended.out);
    assert!(
        ended.talk.contains("hint: `seaworthy db build"),
        "{}",
        ended.talk
    );
}

#[test]
fn an_edition_is_the_same_bytes_from_the_same_records() {
    let user = User::new();
    write_mirror(&user.path("mirror"), &[("npm", RECORD)]);
    for output in ["one.edition", "two.edition"] {
        let ended = user.run(&["db", "build", "--from", "mirror", "--output", output]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
    }
    assert_eq!(
        fs::read(user.path("one.edition")).unwrap(),
        fs::read(user.path("two.edition")).unwrap()
    );
    let ended = user.run(&["db", "status", "--verify", "--edition", "one.edition"]);
    assert!(ended.out.contains("verified"), "{}", ended.out);
}

#[test]
fn a_mirror_that_cannot_be_used_leaves_the_old_edition_in_place() {
    let user = User::new();
    user.learn(&[("npm", RECORD)]);
    let before = user.run(&["db", "status"]).out;
    fs::write(user.path("mirror/osv/npm/all.zip"), "not a zip").unwrap();
    for from in ["mirror", "nowhere", "https://127.0.0.1:9/none"] {
        let ended = user.run(&["db", "build", "--from", from]);
        assert_eq!(ended.code, 2, "{from}");
        assert!(
            ended.talk.contains("error: ") && ended.talk.contains("hint: "),
            "{}",
            ended.talk
        );
    }
    assert_eq!(user.run(&["db", "status"]).out, before);
}

#[test]
fn a_damaged_edition_is_refused_and_never_read_as_empty() {
    let user = User::new();
    user.learn(&[("npm", RECORD)]);
    let folder = user.path("data/editions");
    let edition = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|it| it == "edition"))
        .unwrap();
    fs::write(&edition, "gone").unwrap();
    fs::create_dir(user.path("root")).unwrap();
    let ended = user.run(&["scan", "dir:root"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.talk.contains("cannot use the edition"),
        "{}",
        ended.talk
    );
}

#[test]
fn the_shared_feeds_compile_into_one_edition() {
    let Some(shared) = shared() else { return };
    let user = User::new();
    let from = shared.join("feeds");
    let ended = user.run(&["db", "build", "--from", from.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{}", ended.talk);
    for ecosystem in [
        "\nnpm ",
        "\nPyPI ",
        "\nMaven ",
        "\nGo ",
        "\nAlpine:v3.20 ",
        "\nDebian:11 ",
    ] {
        assert!(ended.out.contains(ecosystem), "{}", ended.out);
    }
}
