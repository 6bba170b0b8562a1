//! The files of the project, and every Rust file taken apart once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::manifests::{DependencyKind, Metadata};
use crate::outline::{Outline, outline, test_marks};
use crate::step;
use crate::tokens::{Token, tokens};

/// Every text file of the project, by its path from the root.
pub(crate) type Texts = BTreeMap<String, String>;

/// One of our crates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// From the root, with a slash at its end.
    pub(crate) folder: String,
    pub(crate) description: String,
    /// The first files of its library and binaries.
    pub(crate) roots: Vec<String>,
    /// What it declares to depend on, as its code would name it, and whether
    /// only its tests may.
    pub(crate) dependencies: BTreeSet<(String, bool)>,
}

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source<'texts> {
    pub(crate) path: &'texts str,
    pub(crate) text: &'texts str,
    pub(crate) tokens: Vec<Token<'texts>>,
    /// For each token, whether it is compiled for tests only.
    pub(crate) test: Vec<bool>,
    pub(crate) outline: Outline<'texts>,
    /// The whole file is compiled for tests only.
    pub(crate) test_file: bool,
    /// The name of its crate; empty outside of any.
    pub(crate) owner: &'texts str,
}

/// The project, taken apart.
pub(crate) struct Project<'texts> {
    pub(crate) texts: &'texts Texts,
    pub(crate) crates: &'texts [Crate],
    pub(crate) sources: BTreeMap<&'texts str, Source<'texts>>,
    /// For each first file of a crate, the files that its `mod` lines lead to,
    /// with their module paths.
    pub(crate) trees: BTreeMap<&'texts str, Vec<Leaf>>,
}

/// A file in the module tree of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) path: String,
    /// Its module path, empty for the first file.
    pub(crate) module: Vec<String>,
    pub(crate) test: bool,
}

impl<'texts> Project<'texts> {
    pub(crate) fn new(texts: &'texts Texts, crates: &'texts [Crate]) -> Self {
        let owner = |path: &str| {
            crates
                .iter()
                .filter(|owner| path.starts_with(&owner.folder))
                .max_by_key(|owner| owner.folder.len())
        };
        let mut sources: BTreeMap<&str, Source<'_>> = texts
            .iter()
            .filter(|(path, _)| is_rust(path))
            .map(|(path, text)| {
                let owner = owner(path);
                let inside = owner.and_then(|owner| path.strip_prefix(owner.folder.as_str()));
                let test_file = inside.unwrap_or(path).starts_with("tests/");
                (path.as_str(), Source::new(path, text, test_file, owner))
            })
            .collect();
        let mut trees = BTreeMap::new();
        for root in crates.iter().flat_map(|owner| &owner.roots) {
            let mut leaves = Vec::new();
            grow(&sources, root, &[], false, &mut leaves);
            trees.insert(root.as_str(), leaves);
        }
        for leaf in trees.values().flatten().filter(|leaf| leaf.test) {
            if let Some(source) = sources.get_mut(leaf.path.as_str()) {
                source.become_test();
            }
        }
        Self {
            texts,
            crates,
            sources,
            trees,
        }
    }
}

impl<'texts> Source<'texts> {
    fn new(
        path: &'texts str,
        text: &'texts str,
        test_file: bool,
        owner: Option<&'texts Crate>,
    ) -> Self {
        let tokens = tokens(text);
        let test = test_marks(&tokens);
        let mut source = Self {
            path,
            text,
            outline: outline(&tokens, &test),
            tokens,
            test,
            test_file: false,
            owner: owner.map_or("", |owner| owner.name.as_str()),
        };
        if test_file {
            source.become_test();
        }
        source
    }

    fn become_test(&mut self) {
        self.test_file = true;
        self.test.fill(true);
        self.outline
            .paths
            .iter_mut()
            .for_each(|path| path.test = true);
    }

    /// `path:line`
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// The tokens with whether each is for tests only.
    pub(crate) fn marked(&self) -> impl Iterator<Item = (usize, &Token<'texts>, bool)> {
        let marks = self.test.iter().copied();
        self.tokens
            .iter()
            .zip(marks)
            .enumerate()
            .map(|(index, (token, test))| (index, token, test))
    }
}

/// Follows the `mod` lines of `path` down.
fn grow(
    sources: &BTreeMap<&str, Source<'_>>,
    path: &str,
    module: &[String],
    test: bool,
    leaves: &mut Vec<Leaf>,
) {
    let Some(source) = sources.get(path) else {
        return;
    };
    // Only a file that names itself as its own module could come round again.
    if leaves.iter().any(|leaf| leaf.path == path) {
        return;
    }
    let below = if module.is_empty() {
        folder_of(path).to_owned()
    } else {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        format!("{stem}/")
    };
    leaves.push(Leaf {
        path: path.to_owned(),
        module: module.to_owned(),
        test,
    });
    for child in source.outline.modules.iter().filter(|child| !child.inline) {
        let mut names = child.scope.clone();
        names.push(child.name);
        let stem = format!("{below}{}", names.join("/"));
        let mut deeper = module.to_owned();
        deeper.extend(names.into_iter().map(str::to_owned));
        for file in [format!("{stem}.rs"), format!("{stem}/mod.rs")] {
            grow(sources, &file, &deeper, test || child.test, leaves);
        }
    }
}

fn folder_of(path: &str) -> &str {
    path.rfind('/')
        .and_then(|slash| path.get(..=slash))
        .unwrap_or_default()
}

pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "rs")
}

/// Reads every text file of the project: what git knows and what it would add,
/// or, where git does not answer, what lies in the folder.
pub(crate) fn read_texts() -> anyhow::Result<Texts> {
    let root = step::root();
    let mut git = step::program("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listing = if root.join(".git").exists() {
        step::output(&mut git).ok()
    } else {
        None
    };
    let mut paths = Vec::new();
    if let Some(listing) = listing {
        paths.extend(listing.split_terminator('\0').map(str::to_owned));
    } else {
        walk(&root, "", &mut paths)?;
    }
    let mut texts = Texts::new();
    for path in paths {
        // A file may be deleted and not committed yet; one that is not text says
        // nothing to these checks.
        if let Ok(text) = fs::read_to_string(root.join(&path)) {
            texts.insert(path, text);
        }
    }
    Ok(texts)
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(root.join(folder))
        .with_context(|| format!("cannot list `{}`", root.join(folder).display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() {
            paths.push(format!("{folder}{name}"));
        } else if entry.file_type()?.is_dir() && name != "target" && name != ".git" {
            walk(root, &format!("{folder}{name}/"), paths)?;
        }
    }
    Ok(())
}

/// Our crates, as their manifests tell.
pub(crate) fn crates(metadata: &Metadata) -> Vec<Crate> {
    let root = step::root();
    let relative = |path: &Path| {
        path.strip_prefix(&root)
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    };
    metadata
        .members()
        .map(|member| Crate {
            name: member.name.clone(),
            folder: format!("{}/", member.folder(&root)),
            description: member.description.clone().unwrap_or_default(),
            roots: member
                .targets
                .iter()
                .filter(|target| {
                    target
                        .kind
                        .iter()
                        .any(|kind| kind == "lib" || kind == "bin")
                })
                .map(|target| relative(&target.src_path))
                .collect(),
            dependencies: member
                .dependencies
                .iter()
                .map(|dependency| {
                    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
                    let for_tests = dependency.kind == Some(DependencyKind::Dev);
                    (name.replace('-', "_"), for_tests)
                })
                .collect(),
        })
        .collect()
}

/// A project of one crate `room` with the given files, for tests of checks.
#[cfg(test)]
pub(crate) fn sample(name: &str, files: &[(&str, &str)]) -> (Texts, Vec<Crate>) {
    let texts: Texts = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let roots = ["src/lib.rs", "src/main.rs"]
        .into_iter()
        .filter(|root| texts.contains_key(*root))
        .map(str::to_owned)
        .collect();
    let one = Crate {
        name: name.to_owned(),
        description: "A room.".to_owned(),
        roots,
        ..Crate::default()
    };
    (texts, vec![one])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mod_lines_are_followed_and_test_modules_are_known() {
        let (texts, crates) = sample(
            "room",
            &[
                ("src/lib.rs", "mod a; mod b { mod c; }"),
                ("src/a.rs", "mod d; #[cfg(test)] mod proof;"),
                ("src/a/d.rs", ""),
                ("src/a/proof.rs", "fn f() {}"),
                ("src/b/c.rs", ""),
                ("src/lost.rs", ""),
                ("tests/it/main.rs", "fn f() {}"),
            ],
        );
        let project = Project::new(&texts, &crates);
        let leaves: Vec<(String, &str)> = project.trees["src/lib.rs"]
            .iter()
            .map(|leaf| (leaf.module.join("::"), leaf.path.as_str()))
            .collect();
        let leaves: Vec<(&str, &str)> = leaves
            .iter()
            .map(|(module, path)| (module.as_str(), *path))
            .collect();
        assert_eq!(
            leaves,
            [
                ("", "src/lib.rs"),
                ("a", "src/a.rs"),
                ("a::d", "src/a/d.rs"),
                ("a::proof", "src/a/proof.rs"),
                ("b::c", "src/b/c.rs"),
            ]
        );
        let tests: Vec<&str> = project
            .sources
            .values()
            .filter(|source| source.test_file)
            .map(|source| source.path)
            .collect();
        assert_eq!(tests, ["src/a/proof.rs", "tests/it/main.rs"]);
    }

    #[test]
    fn the_project_finds_itself() {
        let texts = read_texts().expect("the project can be listed");
        assert!(texts.contains_key("xtask/src/main.rs"));
        assert!(!texts.keys().any(|path| path.starts_with("target/")));
    }
}
