//! Words that say nothing, and so name no module of ours.

use crate::problem::Problem;
use crate::sources::Project;

/// Each also in the plural.
const EMPTY_WORDS: [&str; 9] = [
    "base",
    "common",
    "engine",
    "handler",
    "helper",
    "manager",
    "processor",
    "service",
    "util",
];

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in project.sources.values() {
        for module in &source.outline.modules {
            if let Some(word) = module.name.split('_').find(|word| is_empty_word(word)) {
                problems.push(Problem::refuse(
                    source.place(module.line),
                    format!("`{word}` says nothing about the module `{}`", module.name),
                ));
            }
        }
    }
    problems
}

fn is_empty_word(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    EMPTY_WORDS.contains(&word) || EMPTY_WORDS.contains(&singular)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::verdict;

    #[test]
    fn an_empty_word_names_no_module() {
        for name in [
            "util",
            "utils",
            "path_helpers",
            "manager",
            "common_types",
            "service",
        ] {
            let said = verdict(check, "room", &[("src/lib.rs", &format!("mod {name};"))]);
            assert_eq!(said.len(), 1, "{name}: {said:?}");
        }
        for name in ["whiteout", "base64", "database", "utility", "dpkg"] {
            let said = verdict(check, "room", &[("src/lib.rs", &format!("mod {name};"))]);
            assert_eq!(said, Vec::<String>::new());
        }
    }

    #[test]
    fn test_modules_are_named_as_well_as_others() {
        let said = verdict(check, "room", &[("tests/it/main.rs", "\nmod helpers {}")]);
        assert_eq!(
            said,
            ["refused: tests/it/main.rs:2: `helpers` says nothing about the module `helpers`"]
        );
    }
}
