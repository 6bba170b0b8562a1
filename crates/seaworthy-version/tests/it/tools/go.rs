//! Go's `golang.org/x/mod/semver`, fetched through the module proxy.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, built_by_go, match_referee};

const VERSION: &str = "v0.24.0";

#[test]
fn go_orders_as_we_do() {
    if !require("go") {
        return;
    }
    let module = format!("golang.org/x/mod {VERSION}");
    let program = built_by_go("go", &module, include_str!("go.go"));
    if !require(&program.to_string_lossy()) {
        return;
    }
    match_referee(Scheme::Go, &Tool::of("x/mod/semver", VERSION), || {
        Command::new(&program)
    });
}
