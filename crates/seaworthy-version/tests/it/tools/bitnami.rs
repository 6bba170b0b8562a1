//! Bitnami's `go-version`, fetched through the module proxy.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, built_by_go, match_referee};

const VERSION: &str = "v0.0.0-20250505154626-452e8c5ee607";

#[test]
fn bitnami_orders_as_we_do() {
    if !require("go") {
        return;
    }
    let module = format!("github.com/bitnami/go-version {VERSION}");
    let program = built_by_go("bitnami", &module, include_str!("bitnami.go"));
    if !require(&program.to_string_lossy()) {
        return;
    }
    match_referee(
        Scheme::Bitnami,
        &Tool::of("bitnami/go-version", VERSION),
        || Command::new(&program),
    );
}
