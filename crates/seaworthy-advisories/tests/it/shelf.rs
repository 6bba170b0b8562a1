//! Editions on disk.

use std::fs;
use std::path::Path;

use seaworthy_advisories::{Context, Edition, Shelf};

use crate::sample::{advisory, bytes_of};

fn edition(number: u32) -> Vec<u8> {
    let one = advisory(&format!("f X-{number} / npm a ..{number})"));
    bytes_of(&[one], &Context::default())
}

fn editions_in(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("the shelf is there").flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "edition"))
        .count()
}

#[test]
fn the_last_installed_is_current_and_the_one_before_stays() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let shelf = Shelf::at(folder.path().join("deep/editions"));
    assert!(shelf.current().is_ok_and(|it| it.is_none()));
    let mut last = None;
    for number in [1, 2, 3, 3] {
        let path = shelf.install(edition(number)).expect("the disk is sound");
        let current = shelf.current().expect("it was just installed");
        assert_eq!(current.as_ref(), Some(&path));
        let opened = Edition::open(&path).expect("it was just installed");
        assert!(opened.verify().is_ok());
        let name = format!("{}.edition", opened.digest().hex());
        assert!(path.ends_with(name));
        last = Some(path);
    }
    assert_eq!(editions_in(&folder.path().join("deep/editions")), 2);
    // Who holds an edition open keeps it, whatever is installed after.
    let held = Edition::open(&last.expect("some were installed")).expect("it is there");
    for number in [4, 5, 6] {
        shelf.install(edition(number)).expect("the disk is sound");
    }
    assert!(held.verify().is_ok());
}

#[test]
fn what_is_damaged_or_no_edition_never_comes_onto_the_shelf() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let shelf = Shelf::at(folder.path());
    let mut damaged = edition(1);
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    for bytes in [damaged, b"hello".to_vec(), Vec::new()] {
        assert!(shelf.install(bytes).is_err());
    }
    assert!(shelf.current().is_ok_and(|it| it.is_none()));
    fs::write(folder.path().join("current"), "../../etc/passwd\n").expect("as above");
    assert!(shelf.current().is_err());
    shelf.install(edition(1)).expect("the disk is sound");
    assert!(shelf.current().is_ok_and(|it| it.is_some()));
}

#[test]
fn many_installers_at_once_leave_a_whole_edition() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let shelf = Shelf::at(folder.path());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let shelf = &shelf;
            scope.spawn(move || shelf.install(edition(number)).expect("the disk is sound"));
        }
        for _ in 0..50 {
            if let Some(path) = shelf.current().expect("`current` is always whole") {
                // It may be gone already, but it is never half there.
                if let Ok(edition) = Edition::open(&path) {
                    assert!(edition.verify().is_ok());
                }
            }
        }
    });
    let path = shelf
        .current()
        .expect("it is whole")
        .expect("some were installed");
    assert!(Edition::open(&path).is_ok_and(|it| it.verify().is_ok()));
    assert_eq!(editions_in(folder.path()), 2);
}
