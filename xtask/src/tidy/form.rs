//! The form of a file: it introduces itself, has one name, and ends in time.

use std::collections::BTreeSet;

use crate::outline::Attribute;
use crate::problem::Problem;
use crate::sources::{Project, Source};

/// More lines than this, tests aside, and a file is refused.
const CEILING: usize = 900;
/// More lines than this, tests aside, and a better noun is worth looking for.
const SOFT_CEILING: usize = 600;

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in project.sources.values() {
        check_source(source, &mut problems);
    }
    let found: BTreeSet<&str> = project
        .trees
        .values()
        .flatten()
        .map(|leaf| leaf.path.as_str())
        .collect();
    for owner in project
        .crates
        .iter()
        .filter(|owner| !owner.roots.is_empty())
    {
        let folder = format!("{}src/", owner.folder);
        for path in project.sources.keys() {
            if path.starts_with(&folder) && !found.contains(path) {
                problems.push(Problem::refuse(
                    *path,
                    "no `mod` line leads to this file: nobody compiles it",
                ));
            }
        }
    }
    problems
}

fn check_source(source: &Source<'_>, problems: &mut Vec<Problem>) {
    if !source.text.starts_with("//! ") {
        problems.push(Problem::refuse(
            source.place(1),
            "a file opens with a `//!` line that tells a newcomer what it is for",
        ));
    }
    if source.path.ends_with("/mod.rs") {
        problems.push(Problem::refuse(
            source.path,
            "`foo.rs` beside `foo/`, never `mod.rs`",
        ));
    }
    for (index, token, _) in source.marked() {
        let path = Attribute::at(&source.tokens, index)
            .is_some_and(|attribute| attribute.words.first() == Some(&"path"));
        if path {
            problems.push(Problem::refuse(
                source.place(token.line),
                "`#[path]` hides where a module lives",
            ));
        }
    }
    let lines = lines_without_tests(source);
    if lines > CEILING {
        let message = format!("{lines} lines without tests, {CEILING} are the ceiling");
        problems.push(Problem::refuse(source.path, message));
    } else if lines > SOFT_CEILING {
        let message = format!("{lines} lines without tests, {SOFT_CEILING} are the soft ceiling");
        problems.push(Problem::warn(source.path, message));
    }
}

fn lines_without_tests(source: &Source<'_>) -> usize {
    if source.test_file {
        return 0;
    }
    let tested: BTreeSet<usize> = source
        .marked()
        .filter(|(_, _, test)| *test)
        .map(|(_, token, _)| token.line)
        .collect();
    // Blank lines and comments between the first and last token of a test item
    // belong to it; items for tests usually stand together at the end.
    let mut ours = 0;
    let mut inside = false;
    let mut depth = 0_usize;
    let mut marks = source.marked().peekable();
    for line in 1..=source.text.lines().count() {
        let mut any = false;
        while let Some((_, token, test)) = marks.next_if(|(_, token, _)| token.line == line) {
            any = true;
            inside = test;
            if test && token.opens() {
                depth += 1;
            } else if test && token.closes() {
                depth = depth.saturating_sub(1);
            }
        }
        let blank_in_test = !any && inside && depth > 0;
        if !tested.contains(&line) && !blank_in_test {
            ours += 1;
        }
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::verdict;

    #[track_caller]
    fn says(files: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(verdict(check, "room", files), expected);
    }

    #[test]
    fn a_file_introduces_itself() {
        says(&[("src/lib.rs", "//! What it is for.\n")], &[]);
        says(
            &[("src/lib.rs", "// What it is for.\n")],
            &[
                "refused: src/lib.rs:1: a file opens with a `//!` line that tells a newcomer what it is for",
            ],
        );
    }

    #[test]
    fn a_folder_has_no_mod_file_and_no_borrowed_path() {
        says(
            &[("src/lib.rs", "//! A.\nmod a;"), ("src/a/mod.rs", "//! A.")],
            &["refused: src/a/mod.rs: `foo.rs` beside `foo/`, never `mod.rs`"],
        );
        says(
            &[("src/lib.rs", "//! A.\n#[path = \"x.rs\"]\nmod a;")],
            &["refused: src/lib.rs:2: `#[path]` hides where a module lives"],
        );
    }

    #[test]
    fn a_file_that_nobody_compiles_is_refused() {
        says(
            &[("src/lib.rs", "//! A."), ("src/lost.rs", "//! B.")],
            &["refused: src/lost.rs: no `mod` line leads to this file: nobody compiles it"],
        );
    }

    #[test]
    fn long_files_are_refused_and_their_tests_do_not_count() {
        let long = |lines: usize| format!("//! A.\n{}", "fn f() {}\n".repeat(lines - 1));
        says(&[("src/lib.rs", &long(600))], &[]);
        says(
            &[("src/lib.rs", &long(601))],
            &["warning: src/lib.rs: 601 lines without tests, 600 are the soft ceiling"],
        );
        says(
            &[("src/lib.rs", &long(901))],
            &["refused: src/lib.rs: 901 lines without tests, 900 are the ceiling"],
        );
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "// why\n\nfn f() {}\n".repeat(400)
        );
        says(&[("src/lib.rs", &(long(600) + &tests))], &[]);
        says(&[("tests/it/main.rs", &long(2000))], &[]);
    }
}
