//! Habits of tests, and work left for later.

use crate::outline::{Attribute, Role};
use crate::problem::Problem;
use crate::sources::{Project, Source};

/// Written in two parts, so that this file does not refuse itself.
const LEFT_FOR_LATER: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
];

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in project.sources.values() {
        attributes(source, &mut problems);
        naps(source, &mut problems);
        left_for_later(source, &mut problems);
    }
    problems
}

fn attributes(source: &Source<'_>, problems: &mut Vec<Problem>) {
    for (index, token, _) in source.marked() {
        let Some(attribute) = Attribute::at(&source.tokens, index) else {
            continue;
        };
        let words = match attribute.words.as_slice() {
            ["cfg_attr", words @ ..] => words,
            [word, ..] => std::slice::from_ref(word),
            [] => continue,
        };
        for (word, instead) in [
            (
                "ignore",
                "a test that cannot run says so with `testkit::require`",
            ),
            ("should_panic", "assert on the error that is returned"),
        ] {
            if words.contains(&word) {
                problems.push(Problem::refuse(
                    source.place(token.line),
                    format!("`#[{word}]`: {instead}"),
                ));
            }
        }
    }
}

/// A test that sleeps is slow on a good day and fails on a bad one.
fn naps(source: &Source<'_>, problems: &mut Vec<Problem>) {
    for path in source.outline.paths.iter().filter(|path| path.test) {
        if path.role == Role::Call && path.segments.last() == Some(&"sleep") {
            problems.push(Problem::refuse(
                source.place(path.line),
                "a test waits for a state, it does not sleep",
            ));
        }
    }
}

fn left_for_later(source: &Source<'_>, problems: &mut Vec<Problem>) {
    for (line, text) in (1..).zip(source.text.lines()) {
        for mark in LEFT_FOR_LATER {
            if text.contains(mark) {
                problems.push(Problem::refuse(
                    source.place(line),
                    format!("`{mark}`: do it now, or write an issue"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::verdict;

    #[track_caller]
    fn says(text: &str, expected: &[&str]) {
        assert_eq!(verdict(check, "room", &[("src/lib.rs", text)]), expected);
    }

    #[test]
    fn no_test_is_ignored_or_expected_to_panic() {
        says(
            "#[test]\n#[ignore]\nfn f() {}",
            &[
                "refused: src/lib.rs:2: `#[ignore]`: a test that cannot run says so with `testkit::require`",
            ],
        );
        says(
            "#[test] #[should_panic(expected = \"x\")] fn f() {}",
            &["refused: src/lib.rs:1: `#[should_panic]`: assert on the error that is returned"],
        );
        assert_eq!(
            verdict(
                check,
                "room",
                &[("src/lib.rs", "#[cfg_attr(unix, ignore)] fn f() {}")]
            )
            .len(),
            1
        );
        says("#[test] fn ignore() { should_panic(\"#[ignore]\") }", &[]);
    }

    #[test]
    fn a_test_does_not_sleep() {
        let nap = ["refused: src/lib.rs:1: a test waits for a state, it does not sleep"];
        says(
            "#[cfg(test)] mod tests { fn f() { std::thread::sleep(second) } }",
            &nap,
        );
        says("#[test] fn f() { thread::sleep(second) }", &nap);
        says("fn poll() { thread::sleep(second) }", &[]);
        says("#[test] fn f() { Command::new(\"sleep\"); }", &[]);
    }

    #[test]
    fn nothing_is_left_for_later() {
        for mark in super::LEFT_FOR_LATER {
            assert_eq!(
                verdict(check, "room", &[("src/lib.rs", &format!("// {mark} more"))]).len(),
                1
            );
        }
        says("// Done.", &[]);
    }
}
