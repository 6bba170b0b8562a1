//! npm's `semver`, fetched by npm.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, workshop};

const VERSION: &str = "7.8.6";

#[test]
fn npm_orders_as_we_do() {
    if !(require("node") && require("npm")) {
        return;
    }
    let wanted = format!("semver@{VERSION}");
    let folder = workshop(&wanted);
    let installed = folder.join("node_modules/semver/package.json");
    if !installed.is_file() {
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ]);
        // Where there is no network, the next line says what is missing.
        let _ = npm.arg(&folder).arg(&wanted).output();
    }
    if !require(&installed.to_string_lossy()) {
        return;
    }
    match_referee(Scheme::Semver, &Tool::of("npm semver", VERSION), || {
        let mut node = Command::new("node");
        node.env("NODE_PATH", folder.join("node_modules"));
        node.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/tools/semver.js"
        ));
        node
    });
}
