//! Answers of the real tools, recorded in the shared fixtures. For Alpine these
//! are the only referee, since its tool is not packaged elsewhere.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use seaworthy_version::Scheme;

use crate::tools::Verdict;

/// How many pairs every table has.
const PAIRS: usize = 100_000;

fn check(scheme: Scheme, table: &str, tool: &str) {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let file = File::open(shared.join("fixtures/versions/oracle").join(table)).unwrap();
    let mut verdict = Verdict {
        pairs: 0,
        disagreements: Vec::new(),
    };
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let line = line.unwrap();
        let fields: Vec<&str> = line.split('\t').collect();
        let &[a, b, recorded] = fields.as_slice() else {
            panic!("not three fields: {line:?}");
        };
        verdict.hear(scheme, a, b, recorded);
    }
    assert_eq!(verdict.pairs, PAIRS, "{table}");
    verdict.tell(scheme, tool, "recorded");
}

#[test]
fn recorded_answers_for_dpkg_are_ours() {
    check(Scheme::Dpkg, "deb.tsv.gz", "dpkg 1.21.23");
}

#[test]
fn recorded_answers_for_rpm_are_ours() {
    check(Scheme::Rpm, "rpm.tsv.gz", "rpm 4.18");
}

#[test]
fn recorded_answers_for_apk_are_ours() {
    check(Scheme::Apk, "apk.tsv.gz", "apk-tools 3.0.6");
}

#[test]
fn recorded_answers_for_semver_are_ours() {
    check(Scheme::Semver, "npm.tsv.gz", "npm semver 7.8.6");
}

#[test]
fn recorded_answers_for_pep440_are_ours() {
    check(Scheme::Pep440, "pypi.tsv.gz", "packaging 26.3");
}

#[test]
fn recorded_answers_for_maven_are_ours() {
    check(Scheme::Maven, "mvn.tsv.gz", "Maven 3.8.7");
}

#[test]
fn recorded_answers_for_gem_are_ours() {
    check(Scheme::Gem, "gem.tsv.gz", "RubyGems of Ruby 3.1");
}

#[test]
fn recorded_answers_for_composer_are_ours() {
    check(Scheme::Composer, "composer.tsv.gz", "composer/semver 3.3.2");
}
