//! Counting what the test binaries say while it streams by.

use std::collections::{BTreeMap, BTreeSet};

/// Passed, failed and skipped tests of every binary of a run.
///
/// A test that skips itself returns early and is a success for the test harness,
/// so every skipped test is taken off those that passed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    harness_passed: usize,
    harness_failed: usize,
    failed: BTreeSet<String>,
    skipped: Vec<Skip>,
    binary: String,
}

/// A test that did not find what it needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Skip {
    binary: String,
    test: String,
    why: String,
}

impl Tally {
    /// Takes in a line of standard output.
    pub(super) fn hear(&mut self, line: &str) {
        let line = without_colour(line);
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.harness_passed += count(counts, "passed");
            self.harness_failed += count(counts, "failed");
        } else if let Some(test) = line
            .strip_prefix("test ")
            .and_then(|line| line.strip_suffix(" ... FAILED"))
        {
            self.failed.insert(test.to_owned());
        }
    }

    /// Takes in a line of standard error.
    pub(super) fn overhear(&mut self, line: &str) {
        let line = without_colour(line);
        if let Some(skip) = line.strip_prefix("SKIPPED ") {
            let (test, why) = skip.split_once(": ").unwrap_or((skip, "no reason given"));
            self.skipped.push(Skip {
                binary: self.binary.clone(),
                test: test.to_owned(),
                why: why.to_owned(),
            });
        } else if let Some(binary) = line.trim_start().strip_prefix("Running ") {
            binary.clone_into(&mut self.binary);
        }
    }

    /// Takes in how `cargo test` ended: a binary that died has no result line, and
    /// a run without any test proves nothing.
    pub(super) fn ended(&mut self, success: bool) {
        let good = success && self.harness_passed > 0;
        if !good && self.harness_failed == 0 {
            self.harness_failed = 1;
        }
    }

    pub(super) fn passed(&self) -> usize {
        // A test that skipped a part of itself and then failed counts as failed.
        let skipped_green = self
            .skipped_tests()
            .into_iter()
            .filter(|(_, test)| !self.failed.contains(*test))
            .count();
        self.harness_passed
            .saturating_sub(skipped_green + self.nameless())
    }

    pub(super) fn failed(&self) -> usize {
        self.harness_failed
    }

    pub(super) fn skipped(&self) -> usize {
        self.skipped_tests().len() + self.nameless()
    }

    /// Why tests were skipped, with how many were for each reason.
    pub(super) fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons: BTreeMap<&str, BTreeSet<&Skip>> = BTreeMap::new();
        for skip in &self.skipped {
            reasons.entry(&skip.why).or_default().insert(skip);
        }
        reasons
            .into_iter()
            .map(|(why, skips)| (why, skips.len()))
            .collect()
    }

    fn skipped_tests(&self) -> BTreeSet<(&str, &str)> {
        self.skipped
            .iter()
            .filter(|skip| !skip.is_nameless())
            .map(|skip| (skip.binary.as_str(), skip.test.as_str()))
            .collect()
    }

    fn nameless(&self) -> usize {
        self.skipped
            .iter()
            .filter(|skip| skip.is_nameless())
            .count()
    }
}

impl Skip {
    /// On a machine with one core the harness runs tests on its main thread,
    /// which does not know their names: each line is then taken for one test.
    fn is_nameless(&self) -> bool {
        matches!(self.test.as_str(), "main" | "a test")
    }
}

/// The number before `what` in `ok. 5 passed; 0 failed; …`.
fn count(counts: &str, what: &str) -> usize {
    counts
        .split([';', '.'])
        .filter_map(|part| part.trim().split_once(' '))
        .find(|(_, name)| *name == what)
        .and_then(|(number, _)| number.parse().ok())
        .unwrap_or(0)
}

/// `line` without terminal colours.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(out: &[&str], talk: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in talk {
            tally.overhear(line);
        }
        for line in out {
            tally.hear(line);
        }
        tally
    }

    #[track_caller]
    fn check(tally: &Tally, expected: [usize; 3]) {
        assert_eq!([tally.passed(), tally.failed(), tally.skipped()], expected);
    }

    #[test]
    fn results_of_all_binaries_are_summed() {
        let tally = tally(
            &[
                "running 3 tests",
                "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
                "test a::b ... FAILED",
                "test result: \u{1b}[31mFAILED\u{1b}[0m. 10 passed; 2 failed; 0 ignored",
            ],
            &[],
        );
        check(&tally, [13, 2, 0]);
    }

    #[test]
    fn a_skipped_test_did_not_pass_and_counts_once() {
        let tally = tally(
            &["test result: ok. 5 passed; 0 failed; 0 ignored"],
            &[
                "     Running unittests src/lib.rs (target/debug/deps/a-1)",
                "SKIPPED a::b: the program `rpm` is not installed",
                "SKIPPED a::b: the program `apk` is not installed",
                "     Running tests/it/main.rs (target/debug/deps/it-1)",
                "SKIPPED a::b: the program `rpm` is not installed",
            ],
        );
        check(&tally, [3, 0, 2]);
        assert_eq!(
            tally.reasons().into_iter().collect::<Vec<_>>(),
            [
                ("the program `apk` is not installed", 1),
                ("the program `rpm` is not installed", 2),
            ]
        );
    }

    #[test]
    fn a_test_that_skipped_a_part_and_failed_is_one_failure() {
        let tally = tally(
            &[
                "test a ... FAILED",
                "test result: FAILED. 4 passed; 1 failed; 0 ignored",
            ],
            &["SKIPPED a: no rpm"],
        );
        check(&tally, [4, 1, 1]);
    }

    #[test]
    fn tests_without_a_name_count_line_by_line() {
        let tally = tally(
            &["test result: ok. 4 passed; 0 failed; 0 ignored"],
            &["SKIPPED main: no rpm", "SKIPPED main: no rpm"],
        );
        check(&tally, [2, 0, 2]);
    }

    #[test]
    fn a_binary_that_died_and_an_empty_run_are_failures() {
        let mut tally = tally(&["test result: ok. 4 passed; 0 failed; 0 ignored"], &[]);
        tally.ended(true);
        check(&tally, [4, 0, 0]);
        tally.ended(false);
        check(&tally, [4, 1, 0]);
        let mut empty = Tally::default();
        empty.ended(true);
        check(&empty, [0, 1, 0]);
    }
}
