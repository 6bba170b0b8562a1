//! The edition of the shared mirror.

use std::io::BufReader;
use std::path::Path;
use std::sync::OnceLock;

use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::Ecosystem;
use seaworthy_feeds::{Limits, read_export};
use seaworthy_match::{Advisories, RowStance};

use crate::sample::about;

/// The folders of the shared mirror.
pub(crate) fn families(feeds: &Path) -> Vec<String> {
    let list = std::fs::read_to_string(feeds.join("osv/ecosystems.txt"));
    let list = list.expect("the shared mirror has a list");
    list.lines().map(str::to_owned).collect()
}

/// Compiled once for all tests of this binary.
pub(crate) fn edition(shared: &Path) -> &'static Edition {
    static EDITION: OnceLock<Edition> = OnceLock::new();
    EDITION.get_or_init(|| {
        let feeds = shared.join("feeds");
        let mut compiler = Compiler::new();
        for family in families(&feeds) {
            let path = feeds.join("osv").join(&family).join("all.zip");
            let archive = BufReader::new(std::fs::File::open(path).expect("it is listed"));
            let mut take = |advisory| compiler.add(&advisory).expect("it is not too much");
            let feed = format!("osv/{family}");
            read_export(&feed, &family, archive, &Limits::default(), &mut take)
                .expect("the shared mirror is whole");
        }
        let bytes = compiler.compile(&Context::default());
        Edition::from_bytes(bytes.expect("it is not too much")).expect("it was just compiled")
    })
}

/// The records about a package that hold `vulnerability`, with their stretches.
fn said(edition: &Edition, ecosystem: &str, name: &str, vulnerability: &str) -> Vec<String> {
    let mut found = Vec::new();
    edition.about(&Ecosystem::parse(ecosystem), name, &mut |row| {
        if &*edition.vulnerability(row.vulnerability).id != vulnerability {
            return;
        }
        let record = edition.record(row.record).id;
        found.push(match row.stance {
            RowStance::Interval(interval, _) => {
                format!(
                    "{record} {} {:?}",
                    interval.from.unwrap_or("-"),
                    interval.until
                )
            }
            other => format!("{record} {other:?}"),
        });
    });
    found
}

#[test]
fn the_whole_shared_mirror_is_one_edition() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let edition = edition(&shared);
    assert!(edition.verify().is_ok());
    let statistics = edition.statistics();
    insta::assert_debug_snapshot!(
        (statistics.advisories, statistics.vulnerabilities, statistics.packages, statistics.rows),
        @"
    (
        49645,
        46225,
        30810,
        222238,
    )
    "
    );
    let covered: Vec<String> = statistics
        .ecosystems
        .iter()
        .filter(|it| {
            ["Debian", "Alpine", "AlmaLinux", "npm", "Ubuntu"].contains(&it.ecosystem.family())
        })
        .map(|it| format!("{} {} {}", it.ecosystem, it.feed.id, it.feed.advisories))
        .collect();
    insta::assert_debug_snapshot!(covered, @r#"
    [
        "AlmaLinux:10 osv/AlmaLinux 660",
        "AlmaLinux:8 osv/AlmaLinux 2043",
        "AlmaLinux:9 osv/AlmaLinux 1780",
        "Alpine:v3.10 osv/Alpine 2311",
        "Alpine:v3.11 osv/Alpine 2637",
        "Alpine:v3.12 osv/Alpine 2987",
        "Alpine:v3.13 osv/Alpine 3355",
        "Alpine:v3.14 osv/Alpine 3723",
        "Alpine:v3.15 osv/Alpine 3876",
        "Alpine:v3.16 osv/Alpine 4495",
        "Alpine:v3.17 osv/Alpine 5039",
        "Alpine:v3.18 osv/Alpine 5441",
        "Alpine:v3.19 osv/Alpine 5872",
        "Alpine:v3.2 osv/Alpine 305",
        "Alpine:v3.20 osv/Alpine 6227",
        "Alpine:v3.21 osv/Alpine 6269",
        "Alpine:v3.22 osv/Alpine 6498",
        "Alpine:v3.23 osv/Alpine 6841",
        "Alpine:v3.24 osv/Alpine 7628",
        "Alpine:v3.3 osv/Alpine 475",
        "Alpine:v3.4 osv/Alpine 680",
        "Alpine:v3.5 osv/Alpine 901",
        "Alpine:v3.6 osv/Alpine 1074",
        "Alpine:v3.7 osv/Alpine 1462",
        "Alpine:v3.8 osv/Alpine 1666",
        "Alpine:v3.9 osv/Alpine 1954",
        "Debian:10 osv/Debian 945",
        "Debian:11 osv/Debian 410",
        "Debian:3.0 osv/Debian 727",
        "Debian:3.1 osv/Debian 649",
        "Debian:4 osv/Debian 639",
        "Debian:5 osv/Debian 567",
        "Debian:6 osv/Debian 1139",
        "Debian:7 osv/Debian 1796",
        "Debian:8 osv/Debian 1824",
        "Debian:9 osv/Debian 1568",
        "Ubuntu:14.04 osv/Ubuntu 15",
        "Ubuntu:16.04 osv/Ubuntu 18",
        "Ubuntu:18.04 osv/Ubuntu 15",
        "Ubuntu:20.04 osv/Ubuntu 14",
        "Ubuntu:22.04 osv/Ubuntu 11",
        "Ubuntu:22.04:LTS:for:NVIDIA:BlueField osv/Ubuntu 1",
        "Ubuntu:24.04 osv/Ubuntu 8",
        "Ubuntu:24.10 osv/Ubuntu 1",
        "Ubuntu:25.10 osv/Ubuntu 4",
        "Ubuntu:26.04 osv/Ubuntu 1",
        "Ubuntu:Pro:14.04 osv/Ubuntu 9",
        "Ubuntu:Pro:16.04 osv/Ubuntu 6",
        "Ubuntu:Pro:18.04 osv/Ubuntu 4",
        "Ubuntu:Pro:20.04 osv/Ubuntu 6",
        "Ubuntu:Pro:22.04 osv/Ubuntu 2",
        "Ubuntu:Pro:22.04:LTS:Realtime:Kernel osv/Ubuntu 1",
        "Ubuntu:Pro:24.04 osv/Ubuntu 1",
        "Ubuntu:Pro:24.04:LTS:Realtime:Kernel osv/Ubuntu 1",
        "Ubuntu:Pro:26.04 osv/Ubuntu 1",
        "Ubuntu:Pro:FIPS-preview:22.04 osv/Ubuntu 1",
        "Ubuntu:Pro:FIPS-updates:18.04 osv/Ubuntu 2",
        "Ubuntu:Pro:FIPS-updates:20.04 osv/Ubuntu 1",
        "Ubuntu:Pro:FIPS-updates:22.04 osv/Ubuntu 1",
        "Ubuntu:Pro:FIPS-updates:24.04 osv/Ubuntu 1",
        "Ubuntu:Pro:FIPS:16.04 osv/Ubuntu 2",
        "Ubuntu:Pro:FIPS:18.04 osv/Ubuntu 2",
        "Ubuntu:Pro:FIPS:20.04 osv/Ubuntu 1",
        "npm osv/npm 2397",
    ]
    "#);
}

#[test]
fn famous_vulnerabilities_are_where_they_belong() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let edition = edition(&shared);
    let log4j = "org.apache.logging.log4j:log4j-core";
    insta::assert_debug_snapshot!(said(edition, "Maven", log4j, "CVE-2021-44228"), @r#"
    [
        "GHSA-jfh8-c2jp-5v3q - Before(\"2.3.1\")",
        "GHSA-jfh8-c2jp-5v3q 2.13.0 Before(\"2.15.0\")",
        "GHSA-jfh8-c2jp-5v3q 2.4 Before(\"2.12.2\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "npm", "lodash", "CVE-2019-10744"), @r#"
    [
        "GHSA-jf85-cpcp-j695 - Before(\"4.17.12\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "PyPI", "django", "CVE-2019-14234"), @r#"
    [
        "PYSEC-2019-13 1.11 Before(\"1.11.23\")",
        "PYSEC-2019-13 2.1 Before(\"2.1.11\")",
        "PYSEC-2019-13 2.2 Before(\"2.2.4\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "Go", "golang.org/x/text", "CVE-2021-38561"), @r#"
    [
        "GHSA-ppp9-7jff-5vj2 - Before(\"0.3.7\")",
        "GO-2021-0113 - Before(\"0.3.7\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "Debian:11", "openssl", "CVE-2022-1292"), @r#"
    [
        "DSA-5139-1 - Before(\"1.1.1n-0+deb11u2\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "Alpine:v3.20", "openssl", "CVE-2024-2511"), @r#"
    [
        "ALPINE-CVE-2024-2511 - Before(\"3.2.1-r2\")",
    ]
    "#);
    insta::assert_debug_snapshot!(said(edition, "AlmaLinux:8", "openssl", "CVE-2022-0778"), @r#"
    [
        "ALSA-2022:1065 - Before(\"1:1.1.1k-6.el8_5\")",
    ]
    "#);
    assert!(about(edition, "Alpine:v3.20", "no-such-package").is_empty());
}
