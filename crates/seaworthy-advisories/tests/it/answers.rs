//! What an edition answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::{Day, Ecosystem, Epss, FeedDate, Kev};
use seaworthy_match::{Advisories, RecordId, VulnerabilityDetails};

use crate::sample::{about, advisory, bytes_of, edition_of};

fn plain(lines: &[&str]) -> Edition {
    edition_of(lines, &Context::default())
}

#[test]
fn every_stance_reads_back() {
    let edition = plain(&[
        "osv/npm CVE-1-1 / npm a 1..2) 3..4] 5.. @0.1",
        "osv/npm CVE-2-2 / npm a ..2) wontfix",
        "osv/npm CVE-3-3 / npm a !",
        "osv/npm CVE-4-4 / npm a ? / npm b @1 notyet",
    ]);
    insta::assert_snapshot!(about(&edition, "npm", "a"), @r#"
    CVE-1-1 CVE-1-1: Interval(Interval { from: Some("5"), until: Forever }, AsRanges)
    CVE-1-1 CVE-1-1: Interval(Interval { from: Some("1"), until: Before("2") }, AsRanges)
    CVE-1-1 CVE-1-1: Interval(Interval { from: Some("3"), until: Through("4") }, AsRanges)
    CVE-1-1 CVE-1-1: Exactly("0.1", AsRanges)
    CVE-2-2 CVE-2-2: Interval(Interval { from: None, until: Before("2") }, WontFix)
    CVE-3-3 CVE-3-3: NotAffected
    CVE-4-4 CVE-4-4: UnderReview
    "#);
    insta::assert_snapshot!(about(&edition, "npm", "b"), @r#"CVE-4-4 CVE-4-4: Exactly("1", NotYet)"#);
    assert_eq!(about(&edition, "npm", "c"), "");
    assert_eq!(about(&edition, "PyPI", "a"), "");
}

#[test]
fn a_release_has_its_own_rows_and_those_of_its_family() {
    let edition = plain(&[
        "osv/Debian D-1 / Debian:12 openssl ..2)",
        "osv/Debian D-2 / Debian:11 openssl ..1)",
        "osv/Debian D-3 / Debian openssl ..3)",
    ]);
    insta::assert_snapshot!(about(&edition, "Debian:12", "openssl"), @r#"
    D-1 D-1: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    D-3 D-3: Interval(Interval { from: None, until: Before("3") }, AsRanges)
    "#);
    insta::assert_snapshot!(about(&edition, "Debian:13", "openssl"), @r#"D-3 D-3: Interval(Interval { from: None, until: Before("3") }, AsRanges)"#);
    insta::assert_snapshot!(about(&edition, "Debian", "openssl"), @r#"D-3 D-3: Interval(Interval { from: None, until: Before("3") }, AsRanges)"#);
}

#[test]
fn aliases_are_one_vulnerability_with_the_ratings_of_all_records_that_are_it() {
    let edition = plain(&[
        "osv/npm GHSA-x =CVE-2020-1 ~high / npm a ..2)",
        "osv/Go GO-9 =GHSA-x ~low / Go b ..2)",
        "osv/nvd CVE-2020-1 ~critical",
        "osv/AlmaLinux ALSA-1 +CVE-2020-1 +CVE-2020-2 ~medium / AlmaLinux:9 a ..2)",
    ]);
    let mut found = Vec::new();
    edition.about(&Ecosystem::parse("Go"), "b", &mut |row| {
        found.push(edition.vulnerability(row.vulnerability));
    });
    let [
        VulnerabilityDetails {
            id,
            aliases,
            ratings,
            ..
        },
    ] = found.as_slice()
    else {
        panic!("one row was expected, not {found:?}");
    };
    assert_eq!(&**id, "CVE-2020-1");
    assert_eq!(aliases.join(" "), "GHSA-x GO-9");
    let words: Vec<&str> = ratings.iter().map(|rating| &*rating.text).collect();
    assert_eq!(words, ["low", "high", "critical"]);
    insta::assert_snapshot!(about(&edition, "AlmaLinux:9", "a"), @r#"
    ALSA-1 CVE-2020-1: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    ALSA-1 CVE-2020-2: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    "#);
}

#[test]
fn two_cves_are_never_one_because_a_third_record_lists_both() {
    let edition = plain(&[
        "osv/npm GHSA-x =CVE-2020-1 =CVE-2020-2 / npm a ..2)",
        "osv/npm CVE-2020-1 / npm b ..2)",
        "osv/npm CVE-2020-2 / npm c ..2)",
        // Through a name of a name as well.
        "osv/npm GHSA-y =CVE-2020-3 / npm d ..2)",
        "osv/npm CVE-2020-4 =GHSA-y / npm e ..2)",
    ]);
    insta::assert_snapshot!(about(&edition, "npm", "a"), @r#"
    GHSA-x CVE-2020-1: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    GHSA-x CVE-2020-2: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    "#);
    insta::assert_snapshot!(about(&edition, "npm", "b"), @r#"CVE-2020-1 CVE-2020-1: Interval(Interval { from: None, until: Before("2") }, AsRanges)"#);
    insta::assert_snapshot!(about(&edition, "npm", "c"), @r#"CVE-2020-2 CVE-2020-2: Interval(Interval { from: None, until: Before("2") }, AsRanges)"#);
    insta::assert_snapshot!(about(&edition, "npm", "d"), @r#"
    GHSA-y CVE-2020-3: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    GHSA-y CVE-2020-4: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    "#);
    insta::assert_snapshot!(about(&edition, "npm", "e"), @r#"CVE-2020-4 CVE-2020-4: Interval(Interval { from: None, until: Before("2") }, AsRanges)"#);
}

#[test]
fn the_last_modified_of_two_records_of_one_id_counts() {
    let edition = plain(&[
        "osv/npm X-1 2024-01-01 / npm a ..1)",
        "osv/npm X-1 2025-01-01 / npm a ..2)",
        "osv/Go X-1 / npm a ..3)",
    ]);
    insta::assert_snapshot!(about(&edition, "npm", "a"), @r#"
    X-1 X-1: Interval(Interval { from: None, until: Before("3") }, AsRanges)
    X-1 X-1: Interval(Interval { from: None, until: Before("2") }, AsRanges)
    "#);
    assert_eq!(edition.facts().advisories, 2);
}

fn context() -> Context {
    let day = Day::from_days;
    Context {
        feeds: BTreeMap::from([
            ("osv/npm".into(), FeedDate::Fetched(day(20_000))),
            ("osv/Debian".into(), FeedDate::NewestRecord(day(19_000))),
            ("kev".into(), FeedDate::Unknown),
        ]),
        kev: BTreeMap::from([(
            "CVE-2020-1".into(),
            Kev {
                added: day(18_000),
                due: Some(day(18_014)),
                ransomware: true,
            },
        )]),
        epss: BTreeMap::from([(
            "CVE-2020-1".into(),
            Epss {
                probability_millionths: 5,
                percentile_millionths: 999_999,
            },
        )]),
        support: BTreeMap::from([
            (("alpine".into(), "3.20".into()), day(20_500)),
            (("rocky".into(), "9".into()), day(22_000)),
        ]),
        starter: true,
    }
}

#[test]
fn what_stands_beside_the_advisories_reads_back() {
    let edition = edition_of(
        &[
            "osv/npm GHSA-x =CVE-2020-1 / npm a ..2)",
            "osv/npm GHSA-y / npm a ..2) / npm b ..2)",
            "osv/Debian D-1 / Debian:12 openssl ..2)",
            "unheard E-1 / Echo:1 c ..2)",
        ],
        &context(),
    );
    insta::assert_debug_snapshot!(edition.feeds(), @r#"
    [
        FeedFacts {
            id: "kev",
            advisories: 0,
            date: Unknown,
        },
        FeedFacts {
            id: "osv/Debian",
            advisories: 1,
            date: NewestRecord(
                Day(
                    19000,
                ),
            ),
        },
        FeedFacts {
            id: "osv/npm",
            advisories: 2,
            date: Fetched(
                Day(
                    20000,
                ),
            ),
        },
        FeedFacts {
            id: "unheard",
            advisories: 1,
            date: Unknown,
        },
    ]
    "#);
    let covers = |ecosystem| {
        let feed = edition.covers(&Ecosystem::parse(ecosystem));
        feed.map_or("none".to_owned(), |it| {
            format!("{} {}", it.id, it.advisories)
        })
    };
    for (ecosystem, expected) in [
        ("npm", "osv/npm 2"),
        ("Debian:12", "osv/Debian 1"),
        ("Debian:13", "none"),
        ("Debian", "none"),
        ("Echo:1", "unheard 1"),
        ("PyPI", "none"),
    ] {
        assert_eq!(covers(ecosystem), expected, "{ecosystem}");
    }
    let ends = |distro, version| edition.support_ends(distro, version).map(Day::days);
    assert_eq!(ends("alpine", "3.20.3"), Some(20_500));
    assert_eq!(ends("alpine", "3.2"), None);
    assert_eq!(ends("rocky", "9.4"), Some(22_000));
    assert_eq!(ends("rocky", "10"), None);
    assert_eq!(ends("debian", ""), None);
    assert!(edition.facts().starter);
    assert_eq!(edition.facts().advisories, 4);
    let statistics = edition.statistics();
    assert_eq!(
        (
            statistics.packages,
            statistics.rows,
            statistics.vulnerabilities
        ),
        (4, 5, 4)
    );
    let mut exploited = Vec::new();
    edition.about(&Ecosystem::parse("npm"), "a", &mut |row| {
        let it = edition.vulnerability(row.vulnerability);
        exploited.push((
            it.id,
            it.kev.is_some(),
            it.epss.map(|it| it.probability_millionths),
        ));
    });
    assert_eq!(
        exploited,
        [
            ("CVE-2020-1".into(), true, Some(5)),
            ("GHSA-y".into(), false, None)
        ]
    );
}

#[test]
fn an_empty_edition_is_an_edition() {
    let edition = plain(&[]);
    assert!(edition.verify().is_ok());
    assert_eq!(about(&edition, "npm", "a"), "");
    assert_eq!(edition.covers(&Ecosystem::parse("npm")), None);
    assert_eq!(edition.statistics().rows, 0);
}

#[test]
fn many_details_are_what_each_of_them_is() {
    // Enough prose for many blocks.
    let lines: Vec<String> = (0..300)
        .map(|number| {
            let id = number * 7 % 300;
            format!(
                "f{} GHSA-{id:0200} =CVE-2020-{id} / npm n{} ..2)",
                number % 3,
                number % 40
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let edition = plain(&lines);
    let mut records = BTreeSet::new();
    let mut vulnerabilities = BTreeSet::new();
    for number in 0..40 {
        edition.about(
            &Ecosystem::parse("npm"),
            &format!("n{number}"),
            &mut |row| {
                records.insert(row.record);
                vulnerabilities.insert(row.vulnerability);
            },
        );
    }
    assert_eq!((records.len(), vulnerabilities.len()), (300, 300));
    // What no edition has is answered, too.
    records.insert(RecordId(u32::MAX));
    let details = edition.details(&records, &vulnerabilities);
    assert_eq!(details.records.len(), 301);
    assert_eq!(details.vulnerabilities.len(), 300);
    for (&id, record) in &details.records {
        assert_eq!(*record, edition.record(id));
    }
    for (&id, vulnerability) in &details.vulnerabilities {
        assert_eq!(*vulnerability, edition.vulnerability(id));
    }
}

#[test]
fn an_edition_in_a_file_answers_as_one_in_memory_does() {
    let lines = [
        "osv/npm GHSA-x =CVE-2020-1 ~high / npm a 1..2) 3..4] 5.. @0.1 / npm b ..2)",
        "osv/Debian DSA-1 +CVE-2020-1 +CVE-2020-2 / Debian:12 openssl ..2)",
        "osv/Debian D-3 / Debian openssl ?",
    ];
    let advisories: Vec<_> = lines.into_iter().map(advisory).collect();
    let bytes = bytes_of(&advisories, &context());
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let path = folder.path().join("an.edition");
    std::fs::write(&path, &bytes).expect("the disk is sound");
    let in_file = Edition::open(&path).expect("it was just written");
    let in_memory = Edition::from_bytes(bytes).expect("it was just compiled");
    assert!(in_file.verify().is_ok());
    assert_eq!(in_file.digest(), in_memory.digest());
    assert_eq!(in_file.statistics(), in_memory.statistics());
    assert_eq!(in_file.feeds(), in_memory.feeds());
    for (ecosystem, name) in [
        ("npm", "a"),
        ("npm", "b"),
        ("Debian:12", "openssl"),
        ("Debian:13", "openssl"),
        ("Debian", "openssl"),
        ("Go", "a"),
    ] {
        assert_eq!(
            about(&in_file, ecosystem, name),
            about(&in_memory, ecosystem, name)
        );
    }
}

/// Lines that collide in every way that matters.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = (0..3_u8, 0..6_u8, 0..6_u8, 0..4_u8, 0..3_u8, 0..3_u8).prop_map(
        |(feed, id, alias, kind, name, day)| {
            let alias = match kind {
                0 => format!("=CVE-2020-{alias}"),
                1 => format!("=GHSA-{alias}"),
                2 => format!("+CVE-2020-{alias} +CVE-2020-9"),
                _ => format!("=GHSA-{id} =CVE-2020-{alias}"),
            };
            let id = if id % 2 == 0 {
                format!("CVE-2020-{id}")
            } else {
                format!("GHSA-{id}")
            };
            format!(
                "f{feed} {id} {alias} 2025-01-0{} / npm n{name} {day}..9)",
                day + 1
            )
        },
    );
    proptest::collection::vec(line, 0..12)
}

proptest! {
    #[test]
    fn the_order_of_advisories_never_shows_in_the_bytes(
        (lines, shuffled) in lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let bytes = |lines: &[String]| {
            let advisories: Vec<_> = lines.iter().map(|line| advisory(line)).collect();
            bytes_of(&advisories, &context())
        };
        prop_assert!(bytes(&lines) == bytes(&shuffled));
    }

    #[test]
    fn every_package_is_found_and_no_other(names in proptest::collection::hash_set("[a-z]{1,6}", 0..300)) {
        let mut compiler = Compiler::new();
        for name in &names {
            compiler.add(&advisory(&format!("f X-{name} / npm {name} ..2)"))).expect("it is small");
        }
        let bytes = compiler.compile(&Context::default()).expect("it is small");
        let edition = Edition::from_bytes(bytes).expect("it was just compiled");
        for name in &names {
            let mut rows = 0;
            edition.about(&Ecosystem::parse("npm"), name, &mut |_| rows += 1);
            prop_assert_eq!(rows, 1);
            edition.about(&Ecosystem::parse("npm"), &format!("{name}-"), &mut |_| rows += 1);
            edition.about(&Ecosystem::parse("Go"), name, &mut |_| rows += 1);
            prop_assert_eq!(rows, 1);
        }
    }
}
