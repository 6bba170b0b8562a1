//! The workspace as `cargo metadata` tells it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::step;

/// The part of `cargo metadata`'s answer that we read.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: BTreeSet<String>,
    /// Absent with `--no-deps`.
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) license: Option<String>,
    /// `None` for a package of this workspace or of a path.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
    pub(crate) kind: Option<DependencyKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DependencyKind {
    Dev,
    Build,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// The ids of the packages it depends on.
    pub(crate) dependencies: Vec<String>,
}

impl Metadata {
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }
}

impl Package {
    /// Its folder, relative to `root`.
    pub(crate) fn folder(&self, root: &Path) -> String {
        self.manifest_path
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok())
            .map(|folder| folder.display().to_string())
            .unwrap_or_default()
    }
}

/// The members of the workspace, without what they depend on.
pub(crate) fn members_only() -> anyhow::Result<Metadata> {
    read(&["--no-deps"])
}

/// The members and everything they depend on, on the given platforms.
pub(crate) fn resolved(platforms: &[String]) -> anyhow::Result<Metadata> {
    let mut arguments = vec!["--all-features", "--locked"];
    for platform in platforms {
        arguments.extend(["--filter-platform", platform]);
    }
    read(&arguments)
}

fn read(arguments: &[&str]) -> anyhow::Result<Metadata> {
    let mut command = step::cargo();
    command
        .args(["metadata", "--format-version", "1"])
        .args(arguments);
    let output = step::output(&mut command)?;
    serde_json::from_str(&output).context("cannot read the answer of `cargo metadata`")
}
