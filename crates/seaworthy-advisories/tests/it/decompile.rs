//! What an edition gives back makes the same edition.

use std::fmt::Write as _;

use proptest::prelude::*;
use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::{Advisory, Day, Epss, FeedDate, Kev};

use crate::sample::{advisory, bytes_of};
use crate::shared;

/// What compiling makes of all that `edition` gives back, last record first.
fn again(edition: &Edition) -> Vec<u8> {
    let mut advisories = Vec::new();
    let context = edition.decompile(&mut |advisory| advisories.push(advisory));
    advisories.reverse();
    bytes_of(&advisories, &context.expect("it is whole"))
}

/// One record in a line of [`advisory`]. Few names, so that many are shared,
/// refused, bundled or rated without rows.
pub(crate) fn line() -> impl Strategy<Value = String> {
    let name = || {
        prop_oneof![
            (1..6_u8).prop_map(|number| format!("CVE-2020-{number}")),
            (1..6_u8).prop_map(|number| format!("GHSA-{number}")),
        ]
    };
    let word = prop_oneof![
        4 => name().prop_map(|name| format!("={name}")),
        1 => name().prop_map(|name| format!("+{name}")),
        1 => Just("~high".to_owned()),
        1 => Just("~low".to_owned()),
        1 => (1..9_u8).prop_map(|day| format!("2024-01-0{day}")),
    ];
    let part = prop_oneof![
        Just("1..2)"),
        Just("..2)"),
        Just("3..4]"),
        Just("5.."),
        Just("@0.1"),
        Just("@"),
        Just("!"),
        Just("?"),
        Just("wontfix"),
        Just("notyet"),
    ];
    let package = prop_oneof![
        Just("npm a"),
        Just("npm b"),
        Just("Debian a"),
        Just("Debian:12 a"),
        Just("Alpine:v3.20 c"),
        Just("Go nothing"),
    ];
    let statement = (package, prop::collection::vec(part, 0..4))
        .prop_map(|(package, parts)| format!(" / {package} {}", parts.join(" ")));
    let feed = prop_oneof![Just("osv/npm"), Just("osv/Debian"), Just("private/own")];
    (
        (feed, name()),
        prop::collection::vec(word, 0..4),
        prop::collection::vec(statement, 0..3),
    )
        .prop_map(|((feed, id), words, statements)| {
            let mut line = format!("{feed} {id}");
            for word in words {
                let _ = write!(line, " {word}");
            }
            line + &statements.concat()
        })
}

pub(crate) fn context() -> impl Strategy<Value = Context> {
    let names = || prop::collection::btree_map(1..6_u8, (0..3_u32, 0..3_u32), 0..5);
    (names(), names(), 0..3_i32, any::<bool>()).prop_map(|(kev, epss, day, starter)| {
        let day = Day::from_days(20_000 + day);
        let mut context = Context {
            starter,
            ..Context::default()
        };
        context
            .feeds
            .insert("osv/npm".into(), FeedDate::Fetched(day));
        context
            .feeds
            .insert("osv/x".into(), FeedDate::NewestRecord(day));
        context.support.insert(("debian".into(), "12".into()), day);
        for (name, (added, due)) in kev {
            let day = |days: u32| Day::from_days(days.cast_signed());
            let kev = Kev {
                added: day(added),
                due: (due > 0).then(|| day(due)),
                ransomware: added == due,
            };
            context.kev.insert(format!("CVE-2020-{name}").into(), kev);
        }
        for (name, (probability_millionths, percentile_millionths)) in epss {
            let epss = Epss {
                probability_millionths,
                percentile_millionths,
            };
            context.epss.insert(format!("CVE-2020-{name}").into(), epss);
        }
        context
    })
}

/// The bytes of an edition with a record for each line.
pub(crate) fn bytes(lines: &[String], context: &Context) -> Vec<u8> {
    let advisories: Vec<Advisory> = lines.iter().map(|line| advisory(line)).collect();
    bytes_of(&advisories, context)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn compiling_what_was_decompiled_makes_the_same_bytes(
        lines in prop::collection::vec(line(), 0..12),
        context in context(),
    ) {
        let bytes = bytes(&lines, &context);
        let edition = Edition::from_bytes(bytes.clone()).expect("it was just compiled");
        prop_assert!(again(&edition) == bytes, "{lines:#?}");
    }
}

#[test]
fn a_record_without_rows_is_kept_only_where_it_bears_on_another() {
    let ids = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        let edition = Edition::from_bytes(bytes(&lines, &Context::default()));
        let edition = edition.expect("it was just compiled");
        let mut ids = Vec::new();
        let context = edition.decompile(&mut |advisory| ids.push(advisory.id.into_string()));
        assert!(context.is_ok());
        ids.join(" ")
    };
    let says = "f A =CVE-2020-1 / npm a ..2)";
    for (silent, expected) in [
        ("f B", "A"),
        ("f B =CVE-2020-1", "A B"),
        ("f B =CVE-2020-2", "A"),
        ("nvd CVE-2020-1 ~high", "A CVE-2020-1"),
        ("nvd CVE-2020-2 ~high", "A"),
        ("f B +CVE-2020-1", "A"),
        // It is of two vulnerabilities, so it joins no names.
        ("f CVE-2020-1 =CVE-2020-2", "A"),
    ] {
        assert_eq!(ids(&[says, silent]), expected, "{silent}");
    }
}

#[test]
fn the_edition_of_the_shared_mirror_gives_back_what_made_it() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let edition = shared::edition(&shared);
    let mut compiler = Compiler::new();
    let context = edition.decompile(&mut |advisory| {
        compiler.add(&advisory).expect("it is not too much");
    });
    let bytes = compiler.compile(&context.expect("it is whole"));
    let again = Edition::from_bytes(bytes.expect("it is not too much"));
    let again = again.expect("it was just compiled");
    assert_eq!(again.digest(), edition.digest());
}
