//! A root directory as a layer.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;
use seaworthy_image::{FileFacts, Limits, RootError, write_root};

use crate::record::read;

fn wanted(file: &FileFacts<'_>) -> bool {
    !file.path.contains("skip")
}

#[test]
fn wanted_files_and_links_become_one_layer() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let long = format!("{}/file", ["directory-with-a-long-name"; 6].join("/"));
    for file in [
        "etc/os-release",
        "usr/bin/run",
        "skip/this",
        "proc/plain",
        &long,
    ] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, file).unwrap();
    }
    fs::set_permissions(root.join("usr/bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    symlink("/etc/shadow", root.join("etc/away")).unwrap();
    symlink("..", root.join("etc/loop")).unwrap();
    let link = folder.path().join("link");
    symlink(&root, &link).unwrap();

    let mut layer = Vec::new();
    let missed = write_root(&link, &Limits::default(), &wanted, &mut layer).unwrap();
    assert_eq!(missed, []);
    let folders = ["directory-with-a-long-name"; 6].join("/");
    assert_snapshot!(read(&layer).replace(&folders, "[folders]"), @r#"
    symlink bin -> usr/bin
    file [folders]/file 644 166 "[folders]/file"
    symlink etc/away -> /etc/shadow
    symlink etc/loop -> ..
    file etc/os-release 644 14 "etc/os-release"
    file proc/plain 644 10 "proc/plain"
    file usr/bin/run 755 11 "usr/bin/run"
    Symlink("usr/bin") /bin
    File /[folders]/file
    Symlink("/etc/shadow") /etc/away
    Symlink("..") /etc/loop
    File /etc/os-release
    File /proc/plain
    File /usr/bin/run
    "#);
    let mut again = Vec::new();
    write_root(&root, &Limits::default(), &wanted, &mut again).unwrap();
    assert_eq!(layer, again);
}

#[test]
fn names_too_deep_are_missed_aloud() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
    fs::write(folder.path().join("a/b/c/file"), "").unwrap();
    let limits = Limits {
        depth: 2,
        ..Limits::default()
    };
    let missed = write_root(folder.path(), &limits, &wanted, &mut Vec::new()).unwrap();
    let missed: Vec<&str> = missed.iter().map(|it| &*it.path).collect();
    assert_eq!(missed, ["a/b/c"]);
}

#[test]
fn what_cannot_be_read_is_missed_aloud() {
    // Root may read everything, but nobody reads a dangling root.
    let folder = tempfile::tempdir().unwrap();
    let check =
        |path: &std::path::Path| write_root(path, &Limits::default(), &wanted, &mut Vec::new());
    assert!(matches!(
        check(&folder.path().join("none")),
        Err(RootError::Open { .. })
    ));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(check(&file), Err(RootError::NotADirectory(_))));
    fs::create_dir(folder.path().join("closed")).unwrap();
    fs::set_permissions(
        folder.path().join("closed"),
        fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    let missed = check(folder.path()).unwrap();
    let is_root = fs::read_dir(folder.path().join("closed")).is_ok();
    assert_eq!(missed.len(), usize::from(!is_root));
}
