//! Editions on disk.

use std::fs;
use std::path::Path;

use seaworthy_advisories::{Context, Edition, Shelf};
use seaworthy_core::Day;

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

#[test]
fn a_shelf_that_looks_back_has_the_edition_of_each_day() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let on = |day, days| Shelf::at(folder.path()).on(Day::from_days(day), days);
    // The same edition twice, another one in between, two on one day.
    let installed = [
        (10, 1),
        (11, 2),
        (12, 1),
        (14, 3),
        (14, 4),
        (17, 5),
        (18, 6),
    ];
    for (day, number) in installed {
        on(day, 30)
            .install(edition(number))
            .expect("the disk is sound");
    }
    assert_eq!(editions_in(folder.path()), 2);
    let as_of = |day: i32| match on(18, 30).as_of(Day::from_days(day)) {
        Ok((edition, begun)) => format!("{} since {}", edition.digest(), begun.days()),
        Err(error) => error.to_string(),
    };
    let told = |number, begun| {
        let edition = Edition::from_bytes(edition(number)).expect("it was just compiled");
        format!("{} since {begun}", edition.digest())
    };
    for (day, number, begun) in [
        (10, 1, 10),
        (11, 2, 11),
        (12, 1, 12),
        (13, 1, 12),
        (14, 4, 14),
        (16, 4, 14),
        (17, 5, 17),
        (18, 6, 18),
        (99, 6, 18),
    ] {
        assert_eq!(as_of(day), told(number, begun), "{day}");
    }
    assert_eq!(
        as_of(9),
        "nothing is known of the edition in use on 1970-01-10: what is remembered begins on 1970-01-11"
    );

    // Looking back less far forgets, and says so.
    on(20, 3).install(edition(7)).expect("the disk is sound");
    assert_eq!(on(20, 3).first_day(), Some(Day::from_days(14)));
    assert_eq!(as_of(17), told(5, 17));
    assert!(as_of(13).starts_with("nothing is known"));
    let changes = fs::read_dir(folder.path())
        .expect("the shelf is there")
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "changes"))
        .count();
    // Of the two of day 14, the first was never in use at the end of a day, and
    // the second needs only its own.
    assert_eq!(changes, 2, "4 and 5 are kept as changes");
}

#[test]
fn what_was_not_kept_or_was_damaged_is_said_to_be() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let on = |day, days| Shelf::at(folder.path()).on(Day::from_days(day), days);
    let day = Day::from_days(1);
    for number in 1..=3 {
        let at = i32::try_from(number).expect("it is small");
        on(at, 30)
            .install(edition(number))
            .expect("the disk is sound");
    }
    let entries = fs::read_dir(folder.path()).expect("as above").flatten();
    let changes = entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|it| it == "changes"))
        .expect("the first edition is kept as changes");
    let sound = fs::read(&changes).expect("as above");
    assert!(on(3, 30).as_of(day).is_ok());
    for (bytes, expected) in [
        (&sound[..40], "cannot be used"),
        (&b"nothing"[..], "cannot be used"),
    ] {
        fs::write(&changes, bytes).expect("as above");
        let told = on(3, 30).as_of(day).map(|_| ()).expect_err("it is damaged");
        assert!(told.to_string().contains(expected), "{told}");
    }
    fs::remove_file(&changes).expect("as above");
    let told = on(3, 30).as_of(day).map(|_| ()).expect_err("it is gone");
    assert!(told.to_string().ends_with("was not kept"), "{told}");
}
