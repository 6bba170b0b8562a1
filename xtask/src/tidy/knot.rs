//! No two top-level modules of a crate may reach each other.
//!
//! Cargo refuses circles between crates; inside a crate nobody does, so that is
//! where the knots grow. A module is followed through `crate::…`, `super::…`, and
//! through names that the crate's first file re-exports or defines.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Graph;
use crate::outline::{Path, Role};
use crate::problem::Problem;
use crate::sources::{Leaf, Project, Source};

/// What the crate's first file is called in a circle.
const ROOT: &str = "the crate root";

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    project
        .trees
        .iter()
        .flat_map(|(root, leaves)| check_tree(project, root, leaves))
        .collect()
}

fn check_tree(project: &Project<'_>, root: &str, leaves: &[Leaf]) -> Vec<Problem> {
    let names = Names::read(project, root, leaves);
    let mut graph = Graph::default();
    // The first place that draws each arrow.
    let mut drawn: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut problems = Vec::new();
    for leaf in leaves.iter().filter(|leaf| !leaf.test) {
        let Some(source) = project.sources.get(leaf.path.as_str()) else {
            continue;
        };
        for path in source.outline.paths.iter().filter(|path| !path.test) {
            let mut around = leaf.module.clone();
            around.extend(path.scope.iter().map(|name| (*name).to_owned()));
            match names.target(&around, path) {
                Target::Nothing => {}
                Target::Everything => problems.push(Problem::refuse(
                    source.place(path.line),
                    "a glob import of the crate root hides which modules it needs",
                )),
                Target::Module(to) => {
                    let from = around.first().map_or(ROOT, String::as_str);
                    graph.add(from, to);
                    drawn
                        .entry((from.to_owned(), to.to_owned()))
                        .or_insert_with(|| source.place(path.line));
                }
            }
        }
    }
    for knot in graph.knots() {
        let circle = graph.shortest_circle(&knot);
        let mut lines = vec![format!("modules in a knot: {}", circle.join(" → "))];
        if knot.len() + 1 > circle.len() {
            let members: Vec<&str> = knot.iter().map(String::as_str).collect();
            lines.push(format!("all of the knot: {}", members.join(", ")));
        }
        for pair in circle.windows(2) {
            let place = drawn.get(&(pair[0].clone(), pair[1].clone()));
            let place = place.map(String::as_str).unwrap_or_default();
            lines.push(format!("{} → {}: {place}", pair[0], pair[1]));
        }
        let message = lines.join("\n    ");
        problems.push(Problem::refuse(root, message));
    }
    problems
}

enum Target<'names> {
    Nothing,
    Module(&'names str),
    Everything,
}

/// What a name means at the root of a crate.
struct Names {
    modules: BTreeSet<String>,
    /// Name at the root → the module it was imported from.
    imports: BTreeMap<String, String>,
    /// `macro_rules!` → the module that defines it.
    macros: BTreeMap<String, String>,
}

impl Names {
    fn read(project: &Project<'_>, root: &str, leaves: &[Leaf]) -> Self {
        let mut names = Self {
            modules: BTreeSet::new(),
            imports: BTreeMap::new(),
            macros: BTreeMap::new(),
        };
        let Some(first) = project.sources.get(root) else {
            return names;
        };
        names.modules.extend(
            first
                .outline
                .modules
                .iter()
                .filter(|module| module.scope.is_empty() && !module.test)
                .map(|module| module.name.to_owned()),
        );
        for path in &first.outline.paths {
            if let Role::Import { name, .. } = path.role
                && path.scope.is_empty()
                && let Some(module) = names.first_module(absolute(&[], path))
            {
                names.imports.insert(name.to_owned(), module);
            }
        }
        for leaf in leaves.iter().filter(|leaf| !leaf.test) {
            let source: Option<&Source<'_>> = project.sources.get(leaf.path.as_str());
            for name in source.iter().flat_map(|source| &source.outline.macros) {
                let module = leaf.module.first().map_or(ROOT, String::as_str);
                names.macros.insert((*name).to_owned(), module.to_owned());
            }
        }
        names
    }

    fn first_module(&self, absolute: Option<Vec<String>>) -> Option<String> {
        let first = absolute?.into_iter().next()?;
        self.modules.contains(&first).then_some(first)
    }

    /// The module that `path`, written inside the module `around`, leads to.
    fn target<'names>(&'names self, around: &[String], path: &Path<'_>) -> Target<'names> {
        let own = around.first();
        if path.role == Role::Macro
            && path.segments.len() == 1
            && let Some(module) = self.macros.get(path.segments[0])
        {
            return if own.is_some_and(|own| own == module) {
                Target::Nothing
            } else {
                Target::Module(module)
            };
        }
        // The first file only hands on what it re-exports.
        if own.is_none() && matches!(path.role, Role::Import { public: true, .. }) {
            return Target::Nothing;
        }
        let Some(absolute) = absolute(around, path) else {
            return Target::Nothing;
        };
        let Some(first) = absolute.first() else {
            // `use crate::*`, or `use super::*` in a module of the first file.
            let everything = path.role == Role::Glob && own.is_some();
            return if everything {
                Target::Everything
            } else {
                Target::Nothing
            };
        };
        let module = self
            .modules
            .get(first)
            .or_else(|| self.imports.get(first))
            .or_else(|| self.macros.get(first));
        match module {
            Some(module) if own == Some(module) => Target::Nothing,
            Some(module) => Target::Module(module),
            // Something that the first file defines itself.
            None if own.is_some() => Target::Module(ROOT),
            None => Target::Nothing,
        }
    }
}

/// `path` from the root of the crate; `None` where it does not start there.
fn absolute(around: &[String], path: &Path<'_>) -> Option<Vec<String>> {
    let mut module = match *path.segments.first()? {
        "crate" => Vec::new(),
        "super" | "self" => around.to_vec(),
        // In the first file a bare name may be a top-level module.
        _ if around.is_empty() => {
            return Some(path.segments.iter().map(|&name| name.to_owned()).collect());
        }
        _ => return None,
    };
    for &segment in &path.segments {
        match segment {
            "crate" | "self" => {}
            "super" => {
                module.pop();
            }
            name => module.push(name.to_owned()),
        }
    }
    // The bare words `crate`, `self` (the value) and `super` lead nowhere.
    (path.segments.len() > 1 || path.role == Role::Glob).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::verdict;

    #[track_caller]
    fn passes(files: &[(&str, &str)]) {
        assert_eq!(verdict(check, "room", files), Vec::<String>::new());
    }

    #[track_caller]
    fn refuses(files: &[(&str, &str)], circle: &str) {
        let said = verdict(check, "room", files);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(circle), "{said:?}");
    }

    #[test]
    fn one_way_is_no_knot() {
        passes(&[
            ("src/lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("src/a.rs", "use crate::b::B; use super::b; pub struct A;"),
            (
                "src/b.rs",
                "use std::fmt; pub struct B; mod c { use super::B; }",
            ),
        ]);
    }

    #[test]
    fn a_knot_is_named_with_its_places() {
        let said = verdict(
            check,
            "room",
            &[
                ("src/lib.rs", "mod a; mod b; mod c;"),
                ("src/a.rs", "\nuse crate::{c, b::B};"),
                ("src/b.rs", "fn f() { super::a::g() }"),
                ("src/c.rs", "fn f() -> crate::b::B { crate::b::B }"),
            ],
        );
        assert_eq!(
            said,
            [
                "refused: src/lib.rs: modules in a knot: a → b → a\n    all of the knot: a, b, c\
              \n    a → b: src/a.rs:2\n    b → a: src/b.rs:1"
            ]
        );
    }

    #[test]
    fn files_below_count_for_their_top_module() {
        refuses(
            &[
                ("src/lib.rs", "mod a; mod b;"),
                ("src/a.rs", "mod deep;"),
                ("src/a/deep.rs", "use super::super::b;"),
                ("src/b.rs", "use crate::a;"),
            ],
            "a → b → a",
        );
        passes(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "mod deep; mod b;"),
            ("src/a/deep.rs", "use super::b;"),
            ("src/a/b.rs", ""),
            ("src/b.rs", "use crate::a;"),
        ]);
    }

    #[test]
    fn a_reexport_does_not_hide_an_arrow() {
        refuses(
            &[
                (
                    "src/lib.rs",
                    "mod a; mod b; pub use a::{A as Alpha}; pub use b::B;",
                ),
                ("src/a.rs", "use crate::B;"),
                ("src/b.rs", "fn f(alpha: &crate::Alpha) {}"),
            ],
            "a → b → a",
        );
    }

    #[test]
    fn the_first_file_can_be_part_of_a_knot() {
        refuses(
            &[
                (
                    "src/main.rs",
                    "mod a; struct Options; fn main() { a::run() }",
                ),
                ("src/a.rs", "use crate::Options;"),
            ],
            "a → the crate root → a",
        );
        passes(&[
            (
                "src/main.rs",
                "mod a; mod b; use a::run; fn main() { run(); b::f() }",
            ),
            ("src/a.rs", "use crate::b;"),
            ("src/b.rs", ""),
        ]);
    }

    #[test]
    fn inline_modules_and_macros_are_modules_too() {
        refuses(
            &[(
                "src/lib.rs",
                "mod a { use super::b::B; } mod b { use crate::a; pub struct B; }",
            )],
            "a → b → a",
        );
        refuses(
            &[
                ("src/lib.rs", "#[macro_use] mod a; mod b;"),
                ("src/a.rs", "macro_rules! made { () => { $crate::b::f() } }"),
                ("src/b.rs", "fn f() { made!() }"),
            ],
            "a → b → a",
        );
    }

    #[test]
    fn tests_comments_and_strings_draw_no_arrow() {
        passes(&[
            ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod proof;"),
            ("src/a.rs", "use crate::b;"),
            (
                "src/b.rs",
                "//! See [`crate::a`].\nconst X: &str = \"crate::a\";\n#[cfg(test)] mod tests { use crate::a; }",
            ),
            ("src/proof.rs", "use crate::a;"),
        ]);
    }

    #[test]
    fn a_glob_of_the_root_is_refused() {
        refuses(
            &[("src/lib.rs", "mod a;"), ("src/a.rs", "use crate::*;")],
            "src/a.rs:1: a glob import of the crate root",
        );
        passes(&[
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", "mod tests { use super::*; }"),
        ]);
    }
}
