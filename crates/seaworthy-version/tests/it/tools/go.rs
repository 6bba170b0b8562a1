//! Go's `golang.org/x/mod/semver`, fetched through the module proxy.

use std::fs;
use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{match_referee, workshop};

const MODULE: &str = "module referee\n\ngo 1.21\n\nrequire golang.org/x/mod v0.24.0\n";

#[test]
fn go_orders_as_we_do() {
    if !require("go") {
        return;
    }
    let folder = workshop("go");
    let program = folder.join("referee");
    fs::write(folder.join("go.mod"), MODULE).unwrap();
    fs::write(folder.join("main.go"), include_str!("main.go")).unwrap();
    let mut go = Command::new("go");
    go.current_dir(&folder)
        .args(["build", "-mod=mod", "-o", "referee", "."]);
    // Where there is no network, the next line says what is missing.
    let _ = go.output();
    if !require(&program.to_string_lossy()) {
        return;
    }
    match_referee(Scheme::Go, "go", || Command::new(&program));
}
