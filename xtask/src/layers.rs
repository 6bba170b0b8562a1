//! `cargo xtask layers`: who may know whom, held against the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Context;
use serde::Deserialize;

use crate::graph::Graph;
use crate::manifests::{self, DependencyKind, Package};
use crate::problem::{Problem, settle};
use crate::step;

/// Where the written list lives.
pub(crate) const FILE: &str = "docs/layers.toml";

/// The written list of arrows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layers {
    /// Room → the rooms it may depend on.
    pub(crate) arrows: BTreeMap<String, BTreeSet<String>>,
    /// Room → every third party it may depend on.
    pub(crate) austere: BTreeMap<String, BTreeSet<String>>,
    /// Third party → the rooms that may depend on it.
    pub(crate) pinned: BTreeMap<String, BTreeSet<String>>,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = manifests::members_only()?;
    let members: Vec<&Package> = metadata.members().collect();
    settle("layers", check(&read()?, &members))
}

pub(crate) fn read() -> anyhow::Result<Layers> {
    let text = fs::read_to_string(step::root().join(FILE))
        .with_context(|| format!("cannot read {FILE}"))?;
    toml::from_str(&text).with_context(|| format!("cannot understand {FILE}"))
}

/// The room a crate's name stands for.
pub(crate) fn room(package: &str) -> &str {
    package.strip_prefix("seaworthy-").unwrap_or(package)
}

fn check(layers: &Layers, members: &[&Package]) -> Vec<Problem> {
    let mut problems = Vec::new();
    list(layers, members, &mut problems);
    // Levels mean nothing on a list that goes in circles.
    if circles(layers, &mut problems) {
        arrows(layers, members, &mut problems);
    }
    third_parties(layers, members, &mut problems);
    problems
}

/// The list speaks of the rooms there are, and of no other.
fn list(layers: &Layers, members: &[&Package], problems: &mut Vec<Problem>) {
    let rooms: BTreeSet<&str> = members.iter().map(|member| room(&member.name)).collect();
    for room in &rooms {
        if !layers.arrows.contains_key(*room) {
            problems.push(Problem::refuse(
                FILE,
                format!("[arrows] has no line for `{room}`"),
            ));
        }
    }
    let mut known = |section: &str, name: &String| {
        if !rooms.contains(name.as_str()) {
            let message = format!("[{section}] names `{name}`, which is no room of ours");
            problems.push(Problem::refuse(FILE, message));
        }
    };
    for (from, targets) in &layers.arrows {
        known("arrows", from);
        for to in targets {
            known("arrows", to);
        }
    }
    for room in layers.austere.keys() {
        known("austere", room);
    }
    for room in layers.pinned.values().flatten() {
        known("pinned", room);
    }
}

/// Whether the list is free of circles.
fn circles(layers: &Layers, problems: &mut Vec<Problem>) -> bool {
    let graph = written(layers);
    let knots = graph.knots();
    for knot in &knots {
        let circle = graph.shortest_circle(knot).join(" → ");
        problems.push(Problem::refuse(
            FILE,
            format!("the list goes in a circle: {circle}"),
        ));
    }
    for (from, targets) in &layers.arrows {
        if targets.contains(from) {
            problems.push(Problem::refuse(FILE, format!("`{from}` points at itself")));
        }
    }
    knots.is_empty()
}

fn written(layers: &Layers) -> Graph {
    let mut graph = Graph::default();
    for (from, targets) in &layers.arrows {
        for to in targets {
            graph.add(from, to);
        }
    }
    graph
}

fn arrows(layers: &Layers, members: &[&Package], problems: &mut Vec<Problem>) {
    let levels = written(layers).levels();
    let level = |room: &str| levels.get(room).copied().unwrap_or(0);
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut used = BTreeSet::new();
    for member in members {
        let from = room(&member.name);
        let allowed = layers.arrows.get(from);
        for dependency in &member.dependencies {
            if !names.contains(dependency.name.as_str()) {
                continue;
            }
            let to = room(&dependency.name);
            let listed = allowed.is_some_and(|allowed| allowed.contains(to));
            if dependency.kind == Some(DependencyKind::Dev) {
                if to != "testkit" && !listed && level(to) >= level(from) {
                    problems.push(Problem::refuse(
                        &member.name,
                        format!("its tests reach `{to}`, which is not on a lower level"),
                    ));
                }
            } else if listed {
                used.insert((from, to));
            } else {
                problems.push(Problem::refuse(
                    &member.name,
                    format!("the arrow {from} → {to} is not in {FILE}"),
                ));
            }
        }
    }
    for (from, targets) in &layers.arrows {
        for to in targets {
            if !used.contains(&(from.as_str(), to.as_str())) {
                let message = format!("stale line: nobody uses the arrow {from} → {to}");
                problems.push(Problem::refuse(FILE, message));
            }
        }
    }
}

fn third_parties(layers: &Layers, members: &[&Package], problems: &mut Vec<Problem>) {
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut used = BTreeSet::new();
    for member in members {
        let from = room(&member.name);
        for dependency in &member.dependencies {
            let name = dependency.name.as_str();
            if names.contains(name) {
                continue;
            }
            let for_tests = dependency.kind == Some(DependencyKind::Dev);
            if let Some(rooms) = layers.pinned.get(name) {
                if rooms.is_empty() {
                    let message = format!("`{name}` has no place in this house ({FILE})");
                    problems.push(Problem::refuse(&member.name, message));
                } else if !for_tests && !rooms.contains(from) {
                    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
                    let message = format!("`{name}` belongs to {} only ({FILE})", rooms.join(", "));
                    problems.push(Problem::refuse(&member.name, message));
                }
            }
            if let Some(allowed) = layers.austere.get(from)
                && !for_tests
                && !allowed.contains(name)
            {
                let message =
                    format!("`{name}` is not among the third parties of this room ({FILE})");
                problems.push(Problem::refuse(&member.name, message));
            }
            if !for_tests {
                used.insert((from, name));
            }
        }
    }
    let pinned = layers
        .pinned
        .iter()
        .flat_map(|(name, rooms)| rooms.iter().map(move |room| (room, name)));
    let austere = layers
        .austere
        .iter()
        .flat_map(|(room, names)| names.iter().map(move |name| (room, name)));
    for (room, name) in pinned.chain(austere) {
        if !used.contains(&(room.as_str(), name.as_str())) {
            let message = format!("stale line: `{room}` does not depend on `{name}`");
            problems.push(Problem::refuse(FILE, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::lines;

    /// Checks a list against manifests written as `room: room dev:room build:room`.
    #[track_caller]
    fn check_lines(list: &str, manifests: &[&str], expected: &[&str]) {
        let layers: Layers = toml::from_str(list).expect("the list is TOML");
        let members: Vec<Package> = manifests.iter().map(|line| member(line)).collect();
        let members: Vec<&Package> = members.iter().collect();
        assert_eq!(lines(&check(&layers, &members)), expected);
    }

    fn member(line: &str) -> Package {
        let (name, dependencies) = line.split_once(':').expect("`name: dependencies`");
        let dependencies: Vec<serde_json::Value> = dependencies
            .split_whitespace()
            .map(|word| match word.split_once(':') {
                Some((kind, name)) => serde_json::json!({ "name": name, "kind": kind }),
                None => serde_json::json!({ "name": word, "kind": null }),
            })
            .collect();
        serde_json::from_value(serde_json::json!({
            "id": name, "name": name, "version": "0.0.0", "manifest_path": "Cargo.toml",
            "dependencies": dependencies,
        }))
        .expect("the package has every field")
    }

    fn list(arrows: &str) -> String {
        format!("[arrows]\n{arrows}\n[austere]\n[pinned]\n")
    }

    #[test]
    fn a_house_that_agrees_with_its_list_passes() {
        check_lines(
            &list("version = []\ncore = ['version']\ntestkit = []"),
            &[
                "seaworthy-version: dev:seaworthy-testkit",
                "seaworthy-core: seaworthy-version serde dev:seaworthy-testkit",
                "seaworthy-testkit: tar",
            ],
            &[],
        );
    }

    #[test]
    fn an_arrow_that_is_not_listed_is_refused_even_for_building() {
        check_lines(
            &list("version = []\ncore = []"),
            &[
                "seaworthy-version: seaworthy-core",
                "seaworthy-core: build:seaworthy-version",
            ],
            &[
                "refused: seaworthy-version: the arrow version → core is not in docs/layers.toml",
                "refused: seaworthy-core: the arrow core → version is not in docs/layers.toml",
            ],
        );
    }

    #[test]
    fn testkit_is_for_tests() {
        check_lines(
            &list("core = []\ntestkit = []"),
            &["seaworthy-core: seaworthy-testkit", "seaworthy-testkit:"],
            &["refused: seaworthy-core: the arrow core → testkit is not in docs/layers.toml"],
        );
    }

    #[test]
    fn a_line_that_nobody_uses_is_stale() {
        check_lines(
            &list("version = []\ncore = ['version']"),
            &[
                "seaworthy-version:",
                "seaworthy-core: dev:seaworthy-version",
            ],
            &["refused: docs/layers.toml: stale line: nobody uses the arrow core → version"],
        );
    }

    #[test]
    fn tests_may_look_down_but_neither_up_nor_sideways() {
        let arrows = "version = []\ncore = ['version']\nimage = ['core']\nfeeds = ['core']\nscan = ['image']";
        let house = |image: &'static str, scan: &'static str| {
            [
                "seaworthy-version:",
                "seaworthy-core: seaworthy-version",
                "seaworthy-feeds: seaworthy-core",
                image,
                scan,
            ]
        };
        check_lines(
            &list(arrows),
            &house(
                "seaworthy-image: seaworthy-core dev:seaworthy-version",
                "seaworthy-scan: seaworthy-image dev:seaworthy-feeds",
            ),
            &[],
        );
        check_lines(
            &list(arrows),
            &house(
                "seaworthy-image: seaworthy-core dev:seaworthy-feeds dev:seaworthy-scan",
                "seaworthy-scan: seaworthy-image",
            ),
            &[
                "refused: seaworthy-image: its tests reach `feeds`, which is not on a lower level",
                "refused: seaworthy-image: its tests reach `scan`, which is not on a lower level",
            ],
        );
    }

    #[test]
    fn a_list_in_a_circle_is_refused() {
        check_lines(
            &list("a = ['b']\nb = ['a', 'b']"),
            &["a: b", "b: a"],
            &[
                "refused: docs/layers.toml: the list goes in a circle: a → b → a",
                "refused: docs/layers.toml: `b` points at itself",
            ],
        );
    }

    #[test]
    fn the_list_and_the_house_know_the_same_rooms() {
        check_lines(
            &list("a = []\nc = []"),
            &["a:", "b:"],
            &[
                "refused: docs/layers.toml: [arrows] has no line for `b`",
                "refused: docs/layers.toml: [arrows] names `c`, which is no room of ours",
            ],
        );
    }

    #[test]
    fn a_pinned_third_party_stays_in_its_rooms() {
        let list = "[arrows]\na = []\nb = []\n[austere]\n[pinned]\nclap = ['a']\nsqlx = []";
        check_lines(list, &["a: clap", "b: dev:clap"], &[]);
        check_lines(
            list,
            &["a:", "b: clap dev:sqlx"],
            &[
                "refused: b: `clap` belongs to a only (docs/layers.toml)",
                "refused: b: `sqlx` has no place in this house (docs/layers.toml)",
                "refused: docs/layers.toml: stale line: `a` does not depend on `clap`",
            ],
        );
    }

    #[test]
    fn an_austere_room_takes_nobody_in() {
        let list = "[arrows]\na = []\n[austere]\na = ['thiserror']\n[pinned]";
        check_lines(list, &["a: thiserror dev:proptest"], &[]);
        check_lines(
            list,
            &["a: thiserror serde"],
            &["refused: a: `serde` is not among the third parties of this room (docs/layers.toml)"],
        );
        check_lines(
            list,
            &["a:"],
            &["refused: docs/layers.toml: stale line: `a` does not depend on `thiserror`"],
        );
    }

    #[test]
    fn the_written_list_is_free_of_circles() {
        let layers = read().expect("the list is there");
        assert_eq!(written(&layers).knots(), Vec::<BTreeSet<String>>::new());
    }
}
