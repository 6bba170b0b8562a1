//! npm modules, against `npm ls`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use seaworthy_testkit::{require, shared};

use crate::folder;
use crate::look::{kept, output};

/// Modules with dependencies of their own, of a scope, in two versions at once,
/// under another name, and full of test data.
const WISHES: [&str; 7] = [
    "lodash@4.17.15",
    "minimist@1.2.0",
    "my-alias@npm:left-pad@1.3.0",
    "ws@7.4.5",
    "@hapi/hoek@8.5.0",
    "mkdirp@0.5.1",
    "resolve@1.12.0",
];

#[test]
fn installed_modules_are_those_npm_lists() {
    if !require("npm") {
        return;
    }
    let folder = kept("npm");
    if !folder.join("node_modules/resolve").is_dir() {
        fs::write(
            folder.join("package.json"),
            r#"{"name": "app", "version": "1.0.0"}"#,
        )
        .unwrap();
        output(
            Command::new("npm")
                .current_dir(&folder)
                .args([
                    "install",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--silent",
                ])
                .args(WISHES),
        );
    }
    let tree = output(
        Command::new("npm")
            .current_dir(&folder)
            .args(["ls", "--all", "--json", "--long"]),
    );
    let tree: Value = serde_json::from_str(&tree).unwrap();
    let mut listed = BTreeSet::new();
    list(&tree, &mut listed);

    let ours: BTreeSet<String> = folder::read(&folder)
        .iter()
        .inspect(|record| assert_eq!(record.gaps, [""; 0], "{}", record.path))
        .flat_map(|record| &record.packages)
        .map(|it| format!("{} {}", it.name, it.version))
        .collect();
    assert!(listed.len() >= 8, "{listed:?}");
    assert!(listed.contains("left-pad 1.3.0"), "{listed:?}");
    assert_eq!(ours, listed);
}

/// Names and versions of a tree of dependencies, by the modules' own names.
fn list(tree: &Value, into: &mut BTreeSet<String>) {
    for below in tree["dependencies"].as_object().into_iter().flatten() {
        let (_, module) = below;
        if let (Some(name), Some(version)) = (module["name"].as_str(), module["version"].as_str()) {
            into.insert(format!("{name} {version}"));
        }
        list(module, into);
    }
}

#[test]
fn modules_that_npm_itself_brings_are_installed_modules() {
    let npm = std::path::Path::new("/usr/lib/node_modules/npm");
    if !require("npm") || !npm.is_dir() {
        return;
    }
    let records = folder::read(npm.parent().unwrap().parent().unwrap());
    let packages: Vec<_> = records.iter().flat_map(|it| &it.packages).collect();
    let own = packages.iter().find(|it| it.name == "npm").unwrap();
    let said = output(Command::new("npm").arg("--version"));
    assert_eq!(own.version, said.trim());
    assert!(packages.len() > 100, "{}", packages.len());
}

#[test]
fn every_package_manager_leaves_modules_in_the_same_shape() {
    let Some(root) = shared() else { return };
    let mut lines = Vec::new();
    for record in folder::read(&root.join("fixtures/node")) {
        for package in &record.packages {
            lines.push(format!(
                "{}: {} {}",
                record.path, package.name, package.version
            ));
        }
        for gap in &record.gaps {
            lines.push(format!("{}: gap: {gap}", record.path));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    syft/pkg-lock/node_modules/@actions/core/package.json: @actions/core 1.6.0
    syft/pkg-lock/node_modules/cowsay/package.json: cowsay 1.4.0
    trivy-analyzer/bun/happy/node_modules/@types/bun/package.json: @types/bun 1.2.13
    trivy-analyzer/bun/happy/node_modules/@types/node/package.json: @types/node 22.15.18
    trivy-analyzer/bun/happy/node_modules/bun-types/package.json: bun-types 1.2.13
    trivy-analyzer/bun/happy/node_modules/typescript/package.json: typescript 5.8.3
    trivy-analyzer/bun/happy/node_modules/undici-types/package.json: undici-types 6.21.0
    trivy-analyzer/bun/happy/node_modules/zod/package.json: zod 3.24.4
    trivy-analyzer/npm/happy/node_modules/@babel/parser/package.json: @babel/parser 7.23.6
    trivy-analyzer/npm/happy/node_modules/body-parser/node_modules/debug/package.json: debug 2.6.9
    trivy-analyzer/npm/happy/node_modules/body-parser/node_modules/ms/package.json: ms 2.0.0
    trivy-analyzer/npm/happy/node_modules/body-parser/package.json: body-parser 1.18.3
    trivy-analyzer/npm/happy/node_modules/express/node_modules/debug/package.json: debug 2.6.9
    trivy-analyzer/npm/happy/node_modules/express/node_modules/ms/package.json: ms 2.0.0
    trivy-analyzer/npm/happy/node_modules/express/package.json: express 4.16.4
    trivy-analyzer/npm/happy/node_modules/ms/package.json: ms 2.1.1
    trivy-analyzer/pnpm/happy-v9/node_modules/vue-router/package.json: vue-router 4.5.1
    trivy-analyzer/pnpm/happy/node_modules/.pnpm/ms@2.1.3/node_modules/ms/package.json: ms 2.1.3
    trivy-analyzer/yarn/yarn-berry-node-modules/node_modules/is-callable/package.json: is-callable 1.2.7
    trivy-analyzer/yarn/yarn-berry-node-modules/node_modules/is-number/package.json: is-number 6.0.0
    trivy-analyzer/yarn/yarn-berry-node-modules/node_modules/is-odd/package.json: is-odd 3.0.1
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/@babel/parser/package.json: @babel/parser 7.22.7
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/@vue/compiler-sfc/package.json: @vue/compiler-sfc 2.7.14
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/nanoid/package.json: nanoid 3.3.6
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/picocolors/package.json: picocolors 1.0.0
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/postcss/package.json: postcss 8.4.27
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/source-map-js/package.json: source-map-js 1.0.2
    trivy-analyzer/yarn/yarn-classic-licenses/node_modules/source-map/package.json: source-map 0.6.1
    trivy-analyzer/yarn/yarn-licenses/.yarn/unplugged/is-callable-npm-1.2.7-808a303e61/node_modules/is-callable/package.json: is-callable 1.2.7
    ");
}
