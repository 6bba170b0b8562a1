//! Answers of the real tools, recorded in the shared fixtures. For Alpine these
//! are the only referee, since its tool is not packaged elsewhere.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use seaworthy_version::Scheme;

use crate::tools::{deviates, reading};

fn check(scheme: Scheme, table: &str) {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let file = File::open(shared.join("fixtures/versions/oracle").join(table)).unwrap();
    let mut disagreements = Vec::new();
    let mut count = 0;
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let line = line.unwrap();
        let fields: Vec<&str> = line.split('\t').collect();
        let &[a, b, recorded] = fields.as_slice() else {
            panic!("not three fields: {line:?}");
        };
        if deviates(scheme, a, b) || (scheme == Scheme::Rpm && labelled_otherwise(a, b)) {
            continue;
        }
        count += 1;
        let ours = reading(scheme.compare(a, b));
        if ours != recorded {
            disagreements.push(format!("{a:?} {b:?}: recorded {recorded}, ours {ours}"));
        }
    }
    assert!(count >= 90_000, "only {count} pairs in {table}");
    assert!(
        disagreements.is_empty(),
        "{scheme}: {} of {count} recorded pairs disagree, the first:\n{}",
        disagreements.len(),
        disagreements
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// Whether the recorded rpm table cut the label by other rules than rpm: it takes
/// any text before a colon for an epoch, and ignores a release that one side lacks.
fn labelled_otherwise(a: &str, b: &str) -> bool {
    let odd_epoch = |text: &str| {
        text.split_once(':')
            .is_some_and(|(epoch, _)| epoch.contains(|it: char| !it.is_ascii_digit()))
    };
    odd_epoch(a) || odd_epoch(b) || a.contains('-') != b.contains('-')
}

#[test]
fn recorded_answers_of_dpkg_are_ours() {
    check(Scheme::Dpkg, "deb.tsv.gz");
}

#[test]
fn recorded_answers_of_rpm_are_ours() {
    check(Scheme::Rpm, "rpm.tsv.gz");
}

#[test]
fn recorded_answers_of_apk_are_ours() {
    check(Scheme::Apk, "apk.tsv.gz");
}

#[test]
fn recorded_answers_of_npm_are_ours() {
    check(Scheme::Semver, "npm.tsv.gz");
}

#[test]
fn recorded_answers_of_python_are_ours() {
    check(Scheme::Pep440, "pypi.tsv.gz");
}

#[test]
fn recorded_answers_of_maven_are_ours() {
    check(Scheme::Maven, "mvn.tsv.gz");
}
