//! `cargo xtask deny`: licences, sources and bans of `deny.toml`, with nothing to
//! install.
//!
//! `cargo deny` reads the same file and does more (it also knows the advisory
//! database); this is what every run can afford to hold.

mod expression;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Context;
use serde::Deserialize;

use crate::layers::{self, Layers};
use crate::manifests::{self, Metadata, Package};
use crate::problem::{Problem, settle};
use crate::step;

/// Where the rules live.
const FILE: &str = "deny.toml";

/// The part of `deny.toml` that we hold.
#[derive(Debug, Deserialize)]
struct Rules {
    graph: GraphRules,
    licenses: LicenseRules,
    sources: SourceRules,
    bans: BanRules,
}

#[derive(Debug, Deserialize)]
struct GraphRules {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct LicenseRules {
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SourceRules {
    allow_registry: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct BanRules {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: BTreeSet<String>,
    reason: String,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let text = fs::read_to_string(step::root().join(FILE))
        .with_context(|| format!("cannot read {FILE}"))?;
    let rules: Rules =
        toml::from_str(&text).with_context(|| format!("cannot understand {FILE}"))?;
    let metadata = manifests::resolved(&rules.graph.targets)?;
    let mut problems = check(&rules, &metadata);
    problems.extend(same_story(&rules, &layers::read()?));
    settle("deny", problems)
}

fn check(rules: &Rules, metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    licenses(rules, metadata, &mut problems);
    sources(rules, metadata, &mut problems);
    bans(rules, metadata, &mut problems);
    problems
}

fn licenses(rules: &Rules, metadata: &Metadata, problems: &mut Vec<Problem>) {
    let allow = &rules.licenses.allow;
    let mut needed = BTreeSet::new();
    for package in &metadata.packages {
        let Some(license) = &package.license else {
            problems.push(Problem::refuse(named(package), "names no licence"));
            continue;
        };
        if !expression::is_met(license, &|name| allow.contains(name)) {
            problems.push(Problem::refuse(
                named(package),
                format!("its licence `{license}` is not among those of {FILE}"),
            ));
        }
        for one in allow {
            if !expression::is_met(license, &|name| allow.contains(name) && name != one) {
                needed.insert(one);
            }
        }
    }
    for one in allow {
        if !needed.contains(one) {
            let message = format!("stale line: no crate needs the licence `{one}`");
            problems.push(Problem::refuse(FILE, message));
        }
    }
}

fn sources(rules: &Rules, metadata: &Metadata, problems: &mut Vec<Problem>) {
    for package in &metadata.packages {
        let welcome = match &package.source {
            None => metadata.workspace_members.contains(&package.id),
            Some(source) => source.strip_prefix("registry+").is_some_and(|registry| {
                rules
                    .sources
                    .allow_registry
                    .iter()
                    .any(|allowed| allowed == registry)
            }),
        };
        if !welcome {
            let source = package.source.as_deref().unwrap_or("a path");
            problems.push(Problem::refuse(
                named(package),
                format!("comes from {source}, which is not among the sources of {FILE}"),
            ));
        }
    }
}

fn bans(rules: &Rules, metadata: &Metadata, problems: &mut Vec<Problem>) {
    let packages: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    for node in nodes {
        let Some(user) = packages.get(node.id.as_str()) else {
            continue;
        };
        for id in &node.dependencies {
            let ban = packages
                .get(id.as_str())
                .and_then(|used| rules.bans.deny.iter().find(|ban| ban.name == used.name));
            if let Some(ban) = ban
                && !ban.wrappers.contains(&user.name)
            {
                problems.push(Problem::refuse(
                    named(user),
                    format!("depends on `{}`: {}", ban.name, ban.reason),
                ));
            }
        }
    }
}

/// A crate that both `deny.toml` and the written arrows speak of is given to the
/// same rooms by both. That others' crates may bring it along is `deny.toml`'s own.
fn same_story(rules: &Rules, layers: &Layers) -> Vec<Problem> {
    let mut problems = Vec::new();
    for ban in &rules.bans.deny {
        let Some(pinned) = layers.pinned.get(&ban.name) else {
            continue;
        };
        let wrappers: BTreeSet<&str> = ban
            .wrappers
            .iter()
            .map(|name| layers::room(name))
            .filter(|room| layers.arrows.contains_key(*room))
            .collect();
        let rooms: BTreeSet<&str> = pinned.iter().map(String::as_str).collect();
        if wrappers != rooms {
            problems.push(Problem::refuse(
                FILE,
                format!("{} gives `{}` to other rooms", layers::FILE, ban.name),
            ));
        }
    }
    problems
}

fn named(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::lines;
    use serde_json::json;

    const RULES: &str = "
        graph.targets = []
        licenses.allow = ['MIT']
        sources.allow-registry = ['https://example.org/index']
        bans.deny = [{ crate = 'clap', wrappers = ['ours'], reason = 'flags' }]
    ";

    /// Checks our crate and one third party of the given name, licence and source.
    #[track_caller]
    fn says(name: &str, license: Option<&str>, source: Option<&str>, expected: &[&str]) {
        let metadata = json!({
            "packages": [
                { "id": "1", "name": "ours", "version": "0.0.0", "license": "MIT",
                  "manifest_path": "Cargo.toml" },
                { "id": "2", "name": "theirs", "version": "1.0.0", "license": "MIT",
                  "manifest_path": "Cargo.toml", "source": "registry+https://example.org/index" },
                { "id": "3", "name": name, "version": "2.0.0", "license": license,
                  "manifest_path": "Cargo.toml", "source": source },
            ],
            "workspace_members": ["1"],
            "resolve": { "nodes": [
                { "id": "1", "dependencies": ["2", "3"] },
                { "id": "2", "dependencies": ["3"] },
                { "id": "3", "dependencies": [] },
            ] },
        });
        let metadata: Metadata = serde_json::from_value(metadata).expect("every field is there");
        let rules: Rules = toml::from_str(RULES).expect("the rules are TOML");
        assert_eq!(lines(&check(&rules, &metadata)), expected);
    }

    const REGISTRY: Option<&str> = Some("registry+https://example.org/index");

    #[test]
    fn what_follows_the_rules_passes() {
        says("good", Some("MIT OR GPL-3.0"), REGISTRY, &[]);
    }

    #[test]
    fn a_licence_must_be_on_the_list() {
        says(
            "bad",
            None,
            REGISTRY,
            &["refused: bad 2.0.0: names no licence"],
        );
        says(
            "bad",
            Some("GPL-3.0"),
            REGISTRY,
            &["refused: bad 2.0.0: its licence `GPL-3.0` is not among those of deny.toml"],
        );
    }

    #[test]
    fn only_the_known_registry_is_a_source() {
        for (source, said) in [
            (
                Some("git+https://example.org/x"),
                "git+https://example.org/x",
            ),
            (
                Some("registry+https://other.example"),
                "registry+https://other.example",
            ),
            (None, "a path"),
        ] {
            let said = format!(
                "refused: bad 2.0.0: comes from {said}, which is not among the sources of deny.toml"
            );
            says("bad", Some("MIT"), source, &[&said]);
        }
    }

    #[test]
    fn a_banned_crate_is_for_its_wrappers_only() {
        says(
            "clap",
            Some("MIT"),
            REGISTRY,
            &["refused: theirs 1.0.0: depends on `clap`: flags"],
        );
    }

    #[test]
    fn a_licence_that_nobody_needs_is_stale() {
        let rules = RULES.replace("['MIT']", "['MIT', 'ISC']");
        let rules: Rules = toml::from_str(&rules).expect("the rules are TOML");
        let metadata: Metadata = serde_json::from_value(json!({
            "packages": [{ "id": "1", "name": "ours", "version": "0.0.0",
                           "license": "MIT OR ISC", "manifest_path": "Cargo.toml" },
                         { "id": "2", "name": "also", "version": "0.0.0",
                           "license": "MIT", "manifest_path": "Cargo.toml" }],
            "workspace_members": ["1", "2"],
        }))
        .expect("every field is there");
        assert_eq!(
            lines(&check(&rules, &metadata)),
            ["refused: deny.toml: stale line: no crate needs the licence `ISC`"]
        );
    }

    #[test]
    fn both_lists_tell_the_same_story() {
        let rules: Rules = toml::from_str(RULES).expect("the rules are TOML");
        let layers = |rooms: &str| -> Layers {
            let arrows = "[arrows]\nours = []\nxtask = []";
            toml::from_str(&format!("{arrows}\n[austere]\n[pinned]\nclap = [{rooms}]"))
                .expect("the list is TOML")
        };
        assert_eq!(same_story(&rules, &layers("'ours'")), []);
        assert_eq!(
            lines(&same_story(&rules, &layers("'ours', 'xtask'"))),
            ["refused: deny.toml: docs/layers.toml gives `clap` to other rooms"]
        );
    }
}
