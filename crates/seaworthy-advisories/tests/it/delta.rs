//! From one edition to the next, in records.

use proptest::prelude::*;
use seaworthy_advisories::{Compiler, Context, Edition, apply, apply_all, delta};
use seaworthy_core::{Day, Epss, Rating, RatingSystem, Severity};

use crate::decompile::{bytes, context, line};
use crate::shared;

fn open(bytes: Vec<u8>) -> Edition {
    Edition::from_bytes(bytes).expect("it was just compiled")
}

fn sample(lines: &[&str], context: &Context) -> Vec<u8> {
    let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    bytes(&lines, context)
}

fn monday() -> Vec<u8> {
    let lines = [
        "osv/npm GHSA-1 =CVE-2020-1 ~high / npm a 1..2) @0.1 / npm b ..2)",
        "osv/Debian DSA-1 +CVE-2020-1 +CVE-2020-2 / Debian:12 openssl ..2)",
        "osv/npm GHSA-2 / npm c ..7)",
    ];
    sample(&lines, &Context::default())
}

fn tuesday() -> Vec<u8> {
    let lines = [
        "osv/npm GHSA-1 =CVE-2020-1 ~high / npm a 1..2) @0.1 / npm b ..3)",
        "osv/Debian DSA-1 +CVE-2020-1 +CVE-2020-2 / Debian:12 openssl ..2)",
        "osv/npm GHSA-3 / npm a ..1)",
    ];
    let mut context = Context::default();
    let support = ("debian".into(), "12".into());
    context.support.insert(support, Day::from_days(20_000));
    let epss = Epss {
        probability_millionths: 970,
        percentile_millionths: 410_000,
    };
    context.epss.insert("CVE-2020-1".into(), epss);
    sample(&lines, &context)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_delta_leads_to_the_same_bytes_as_compiling_anew(
        (stay, go, come) in (
            prop::collection::vec(line(), 0..8),
            prop::collection::vec(line(), 0..5),
            prop::collection::vec(line(), 0..5),
        ),
        (before, after) in (context(), context()),
    ) {
        let old = open(bytes(&[stay.clone(), go].concat(), &before));
        let new = bytes(&[stay, come].concat(), &after);
        let delta = delta(&old, &open(new.clone())).expect("it is small");
        prop_assert!(apply(&old, &delta).expect("it starts from here") == new);
    }

    #[test]
    fn many_deltas_lead_as_far_as_each_after_the_other(
        days in prop::collection::vec((prop::collection::vec(line(), 0..6), context()), 1..5),
    ) {
        let editions: Vec<Edition> = days
            .iter()
            .map(|(lines, context)| open(bytes(lines, context)))
            .collect();
        let deltas: Vec<Vec<u8>> = editions
            .windows(2)
            .map(|pair| delta(&pair[0], &pair[1]).expect("it is small"))
            .collect();
        let led = apply_all(&editions[0], &deltas).expect("they follow each other");
        let (lines, context) = &days[days.len() - 1];
        prop_assert!(led == bytes(lines, context));
    }
}

#[test]
fn a_delta_to_the_same_edition_changes_nothing_and_is_small() {
    let edition = open(tuesday());
    let delta = delta(&edition, &edition).expect("it is small");
    assert!(delta.len() < 200, "{}", delta.len());
    let applied = apply(&edition, &delta).expect("it starts from here");
    assert!(applied == tuesday());
}

#[test]
fn a_delta_from_another_edition_is_refused_by_name() {
    let (monday, tuesday) = (open(monday()), open(tuesday()));
    let delta = delta(&monday, &tuesday).expect("it is small");
    let refused = apply(&tuesday, &delta).expect_err("it starts elsewhere");
    assert_eq!(
        refused.to_string(),
        format!(
            "the delta starts from the edition {}, and this is {}",
            monday.digest(),
            tuesday.digest()
        )
    );
}

#[test]
fn a_delta_that_was_cut_or_changed_is_refused() {
    let monday = open(monday());
    let sound = delta(&monday, &open(tuesday())).expect("it is small");
    assert!(apply(&monday, &sound).is_ok_and(|bytes| bytes == tuesday()));
    for length in 0..sound.len() {
        assert!(apply(&monday, &sound[..length]).is_err(), "{length}");
    }
    for place in 0..sound.len() {
        for mask in [0x01, 0x10, 0x80, 0xff] {
            let mut changed = sound.clone();
            changed[place] ^= mask;
            // A bit of packed data may mean nothing: then the same comes of it.
            let applied = apply(&monday, &changed);
            assert!(
                applied.is_err() || applied.is_ok_and(|bytes| bytes == tuesday()),
                "{place}"
            );
        }
    }
    let mut longer = sound;
    longer.push(0);
    assert!(apply(&monday, &longer).is_err());
}

#[test]
fn what_unpacks_to_too_much_or_makes_no_sense_is_refused() {
    let edition = open(tuesday());
    let sound = delta(&edition, &edition).expect("it is small");
    let with = |plan: &[u8], records: &[u8]| {
        let pack = |bytes| zstd::stream::encode_all(bytes, 3).expect("memory does not fail");
        let (plan, records) = (pack(plan), pack(records));
        let mut delta = sound[..88].to_vec();
        delta.extend_from_slice(&(plan.len() as u64).to_le_bytes());
        delta.extend_from_slice(&plan);
        delta.extend_from_slice(&records);
        match apply(&edition, &delta) {
            Ok(_) => "applied".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    // A plan that changes nothing, but for ends of support and such.
    let plan = |start: &[u8]| [start, &vec![0; 12_usize.saturating_sub(start.len())]].concat();
    let list_of = |start: &[u8]| [start, &vec![0; 13_usize.saturating_sub(start.len())]].concat();
    let damaged = |what: &str| format!("the delta is damaged: {what}");
    for (plan, records, expected) in [
        (vec![0; 70 << 20], &[][..], "it unpacks to too much"),
        (vec![0xff; 40], &[], "its plan cannot be read"),
        (vec![0; 13], &[], "its plan cannot be read"),
        // The fourth of three records.
        (
            list_of(&[1, 3]),
            &[],
            "it changes records that are not there",
        ),
        (
            list_of(&[0, 1, 3]),
            &[],
            "it changes records that are not there",
        ),
        // The tenth name in a catalogue of none.
        (
            list_of(&[0, 0, 0, 0, 0, 1, 9]),
            &[],
            "it changes names that are not there",
        ),
        (plan(&[]), &[0xff; 9], "one of its records cannot be read"),
        (
            plan(&[]),
            &[1, 0, 0, 0, 0],
            "one of its records cannot be read",
        ),
    ] {
        assert_eq!(with(&plan, records), damaged(expected));
    }
    let other = with(&plan(&[]), &[]);
    assert!(
        other.starts_with("the delta says it leads to the edition sha256:"),
        "{other}"
    );
    let mut other = sound.clone();
    other[16] = 7;
    let told = apply(&edition, &other).expect_err("nobody makes such");
    insta::assert_snapshot!(told, @"the delta has version 7 for format 3, and this program reads 1 for 3");
    assert!(apply(&edition, b"hello").is_err());
}

/// A day in the life of an edition: every 25th record of the shared mirror says
/// something else, every 500th is gone, and as many are new.
#[test]
fn a_day_of_changes_is_far_smaller_than_the_edition() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let old = shared::edition(&shared);
    let mut compiler = Compiler::new();
    let (mut number, mut changed) = (0, 0);
    let context = old.decompile(&mut |mut advisory| {
        number += 1;
        if number % 25 == 0 {
            changed += 1;
            match changed % 4 {
                0 => advisory.summary = format!("{}, revised", advisory.summary).into(),
                1 => advisory
                    .references
                    .push(format!("https://example.org/{number}").into()),
                2 => advisory.ratings.push(Rating {
                    source: "nvd".into(),
                    system: RatingSystem::Word,
                    text: "high".into(),
                    score_tenths: None,
                    severity: Severity::High,
                }),
                _ => {
                    if let Some(statement) = advisory.statements.first() {
                        advisory.statements.push(statement.clone());
                    }
                    if let Some(statement) = advisory.statements.last_mut() {
                        statement.about.name = format!("{}-next", statement.about.name).into();
                    }
                }
            }
        }
        if number % 500 == 0 {
            advisory.id = format!("{}-again", advisory.id).into();
        }
        compiler.add(&advisory).expect("it is not too much");
    });
    let bytes = compiler.compile(&context.expect("it is whole"));
    let bytes = bytes.expect("it is not too much");
    let size = bytes.len();
    let new = open(bytes);
    let delta = delta(old, &new).expect("the two have much in common");
    assert!(
        delta.len() < 150_000,
        "{} for {changed} of {size}",
        delta.len()
    );
    let applied = apply(old, &delta).expect("it starts from here");
    assert_eq!(open(applied).digest(), new.digest());
}
