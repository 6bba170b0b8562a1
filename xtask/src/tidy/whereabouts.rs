//! No file says where somebody's checkout or home lies.

use crate::problem::Problem;
use crate::sources::Project;

/// A line that speaks of a path inside an image carries this mark.
const MARK: &str = "tidy: a path in an image";

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in project.texts {
        for (line, content) in (1..).zip(text.lines()) {
            if content.contains(MARK) {
                continue;
            }
            for folder in ["work", "root", "home"] {
                if names_something_below(content, folder) {
                    problems.push(Problem::refuse(
                        format!("{path}:{line}"),
                        format!(
                            "a path below `/{folder}` of somebody's machine \
                             (where it is one inside an image, say `{MARK}` on the line)"
                        ),
                    ));
                }
            }
        }
    }
    problems
}

/// Whether `content` has an absolute path below `/<folder>/`.
fn names_something_below(content: &str, folder: &str) -> bool {
    let needle = format!("/{folder}/");
    content.match_indices(&needle).any(|(at, _)| {
        let before = content
            .get(..at)
            .and_then(|before| before.chars().next_back());
        let after = content
            .get(at + needle.len()..)
            .and_then(|after| after.chars().next());
        // `x/root/y` and `${x}/root/y` are below something else.
        let absolute = before.is_none_or(|before| {
            !before.is_alphanumeric()
                && !matches!(before, '_' | '-' | '.' | '/' | '}' | ')' | '*' | '$')
        });
        absolute
            && after
                .is_some_and(|after| after.is_alphanumeric() || matches!(after, '.' | '_' | '-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::verdict;

    #[test]
    fn a_path_of_somebodys_machine_is_refused_in_any_file() {
        for folder in ["work", "root", "home"] {
            for text in [
                format!("See /{folder}/ann/notes."),
                format!("path = \"/{folder}/.cache\""),
                format!("a\nb=/{folder}/x"),
            ] {
                let said = verdict(check, "room", &[("docs/a.md", &text)]);
                assert_eq!(said.len(), 1, "{text}: {said:?}");
            }
        }
    }

    #[test]
    fn other_paths_and_marked_lines_pass() {
        for text in [
            format!("/var/{}/x", "work"),
            format!("/{}", "root"),
            format!("/{}/<user>", "home"),
            format!("{{base}}/{}/x", "root"),
            format!("\"/{}/app\" // {MARK}", "home"),
            "https://example.org/homework/x".to_owned(),
        ] {
            assert_eq!(
                verdict(check, "room", &[("docs/a.md", &text)]),
                Vec::<String>::new()
            );
        }
    }
}
