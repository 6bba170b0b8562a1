//! A crate says what it is, and names whatever it declares to depend on.

use std::collections::BTreeSet;

use crate::problem::Problem;
use crate::sources::{Crate, Project, Source};
use crate::tokens::Kind;

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for owner in project.crates {
        let manifest = format!("{}Cargo.toml", owner.folder);
        let sentence = owner.description.contains(' ') && owner.description.ends_with('.');
        if !sentence {
            problems.push(Problem::refuse(
                &manifest,
                "the description is one sentence that says what the crate is",
            ));
        }
        let everywhere = named(project, owner, true);
        let outside_tests = named(project, owner, false);
        for (dependency, for_tests) in &owner.dependencies {
            let name = dependency.as_str();
            let (sort, used) = if *for_tests {
                ("dev-dependency", everywhere.contains(name))
            } else {
                ("dependency", outside_tests.contains(name))
            };
            if !used {
                let instead = if !for_tests && everywhere.contains(name) {
                    " outside of tests"
                } else {
                    ""
                };
                problems.push(Problem::refuse(
                    &manifest,
                    format!("nobody names the {sort} `{name}`{instead}"),
                ));
            }
        }
    }
    problems
}

/// Every word in the sources of `owner`.
fn named<'project>(
    project: &'project Project<'_>,
    owner: &Crate,
    in_tests_too: bool,
) -> BTreeSet<&'project str> {
    project
        .sources
        .values()
        .filter(|source| source.owner == owner.name)
        .flat_map(Source::marked)
        .filter(|(_, token, test)| token.kind == Kind::Word && (in_tests_too || !test))
        .map(|(_, token, _)| token.text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::lines;
    use crate::sources::sample;

    #[track_caller]
    fn says(text: &str, description: &str, expected: &[&str]) {
        let (texts, mut crates) = sample("room", &[("src/lib.rs", text)]);
        crates[0].description = description.to_owned();
        crates[0].dependencies =
            [("serde_json".to_owned(), false), ("insta".to_owned(), true)].into();
        assert_eq!(lines(&check(&Project::new(&texts, &crates))), expected);
    }

    #[test]
    fn a_dependency_that_nobody_names_is_refused() {
        let all = "use serde_json::Value; #[cfg(test)] mod tests { insta::assert_snapshot!(x); }";
        says(all, "It reads.", &[]);
        says(
            "// serde_json\nconst X: &str = \"insta\";",
            "It reads.",
            &[
                "refused: Cargo.toml: nobody names the dev-dependency `insta`",
                "refused: Cargo.toml: nobody names the dependency `serde_json`",
            ],
        );
        says(
            "#[cfg(test)] mod tests { use serde_json::Value; insta::assert_snapshot!(x); }",
            "It reads.",
            &["refused: Cargo.toml: nobody names the dependency `serde_json` outside of tests"],
        );
        says(
            all,
            "stub",
            &["refused: Cargo.toml: the description is one sentence that says what the crate is"],
        );
    }
}
