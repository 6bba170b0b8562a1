//! Damaged editions: errors or odd answers, never a panic.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use seaworthy_advisories::{Context, Edition, FORMAT_VERSION};
use seaworthy_core::Ecosystem;
use seaworthy_match::{Advisories, RecordId, VulnerabilityId};

use crate::sample::{advisory, bytes_of};

fn sound() -> Vec<u8> {
    let advisories: Vec<_> = [
        "osv/npm GHSA-x =CVE-2020-1 ~high / npm a 1..2) 3..4] 5.. @0.1 / npm b ..2)",
        "osv/Debian DSA-1 +CVE-2020-1 +CVE-2020-2 / Debian:12 openssl ..2)",
        "osv/Debian D-3 / Debian openssl ?",
    ]
    .into_iter()
    .map(advisory)
    .collect();
    let mut context = Context::default();
    let support = ("debian".into(), "12".into());
    context
        .support
        .insert(support, seaworthy_core::Day::from_days(20_000));
    bytes_of(&advisories, &context)
}

/// Asks everything an edition can be asked.
fn ask_all(bytes: Vec<u8>) {
    let Ok(edition) = Edition::from_bytes(bytes) else {
        return;
    };
    for (ecosystem, name) in [
        ("npm", "a"),
        ("npm", "b"),
        ("Debian:12", "openssl"),
        ("Go", "z"),
    ] {
        let ecosystem = Ecosystem::parse(ecosystem);
        edition.about(&ecosystem, name, &mut |row| {
            edition.record(row.record);
            edition.vulnerability(row.vulnerability);
        });
        edition.covers(&ecosystem);
    }
    for number in [0, 1, 2, 3, 1 << 20, u32::MAX] {
        edition.record(RecordId(number));
        edition.vulnerability(VulnerabilityId(number));
    }
    edition.support_ends("debian", "12.5");
    edition.feeds();
    let _ = edition.decompile(&mut |_| {});
    edition.statistics();
    assert!(
        edition.verify().is_err(),
        "the digest does not see the damage"
    );
}

#[test]
fn every_single_flipped_byte_is_survived_and_seen_by_the_digest() {
    let sound = sound();
    for position in 0..sound.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = sound.clone();
            damaged[position] ^= mask;
            ask_all(damaged);
        }
    }
}

/// Where a section starts and ends, as the header says.
fn section(bytes: &[u8], name: &str) -> std::ops::Range<usize> {
    let entries = bytes[64..].chunks(32).take(13);
    let number = |bytes: &[u8]| {
        let word = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        usize::try_from(word).expect("a sample is small")
    };
    entries
        .map(|entry| (&entry[..8], number(&entry[8..16]), number(&entry[16..24])))
        .find(|(tag, ..)| tag.starts_with(name.as_bytes()))
        .map(|(_, start, length)| start..start + length)
        .expect("the format has the section")
}

/// What an edition says about each package of [`sound`].
fn answers(edition: &Edition) -> Vec<String> {
    [("npm", "a"), ("npm", "b"), ("Debian:12", "openssl")]
        .into_iter()
        .map(|(ecosystem, name)| {
            let mut said = String::new();
            edition.about(&Ecosystem::parse(ecosystem), name, &mut |row| {
                let _ = writeln!(said, "{:?}", row.stance);
            });
            said
        })
        .collect()
}

#[test]
fn what_damage_hides_is_unreadable_and_not_absent() {
    let sound = sound();
    for name in ["groups", "starts", "keys"] {
        let mut damaged = sound.clone();
        damaged[section(&sound, name)].fill(0xff);
        let edition = Edition::from_bytes(damaged).expect("its header is sound");
        let said = answers(&edition);
        if name == "keys" {
            // No name has such a hash: only the digest can tell.
            assert!(edition.verify().is_err());
        } else {
            assert!(said.iter().all(|said| said == "Unreadable\n"), "{said:?}");
        }
    }
}

#[test]
fn a_file_that_lost_its_end_has_rows_and_unreadable_details() {
    let sound = sound();
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let path = folder.path().join("an.edition");
    std::fs::write(&path, &sound).expect("the disk is sound");
    let edition = Edition::open(&path).expect("it is sound");
    let whole = answers(&edition);
    assert!(edition.verify().is_ok());
    assert_eq!(&*edition.record(RecordId(0)).feed, "osv/Debian");

    let file = std::fs::OpenOptions::new().write(true).open(&path);
    let details = u64::try_from(section(&sound, "details").start).expect("it is small");
    file.and_then(|file| file.set_len(details))
        .expect("the disk is sound");
    let edition_again = Edition::open(&path);
    assert!(edition_again.is_err(), "it is not as long as it says");
    assert!(edition.verify().is_err());
    assert_eq!(answers(&edition), whole);
    let details = edition.details(
        &BTreeSet::from([RecordId(0), RecordId(1)]),
        &BTreeSet::from([VulnerabilityId(0)]),
    );
    // The first documents are still kept, unpacked; what is read anew is gone.
    let fresh = Edition::from_bytes(sound).expect("it is sound");
    assert_eq!(details.records.len(), 2);
    assert_eq!(details.vulnerabilities.len(), 1);
    assert_eq!(
        details.records.get(&RecordId(0)),
        Some(&fresh.record(RecordId(0)))
    );
}

#[test]
fn every_cut_is_an_error() {
    let sound = sound();
    assert!(Edition::from_bytes(sound.clone()).is_ok_and(|it| it.verify().is_ok()));
    for length in 0..sound.len() {
        assert!(
            Edition::from_bytes(sound[..length].to_vec()).is_err(),
            "{length}"
        );
    }
}

proptest! {
    #[test]
    fn many_damaged_bytes_are_survived(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 2..40),
    ) {
        let sound = sound();
        let mut damaged = sound.clone();
        for (position, byte) in damage {
            let position = position.index(damaged.len());
            damaged[position] = byte;
        }
        if damaged != sound {
            ask_all(damaged);
        }
    }
}

#[test]
fn what_is_no_edition_or_of_another_age_is_refused_by_name() {
    let said = |bytes: Vec<u8>| match Edition::from_bytes(bytes) {
        Ok(_) => "opened".to_owned(),
        Err(error) => format!("{error}; {}", error.hint()),
    };
    let mut newer = sound();
    newer[48] = 9;
    insta::assert_snapshot!(said(newer), @"the edition has format 9, and this program reads format 3; update seaworthy, or build the edition again with this version");
    insta::assert_snapshot!(said(b"SQLite format 3".to_vec()), @"this is not an edition; build or fetch the edition again");
    let mut longer = sound();
    longer.push(0);
    insta::assert_snapshot!(said(longer), @"the edition is damaged: it is not as long as it says; build or fetch the edition again");
    assert_eq!(FORMAT_VERSION, 3);
}
