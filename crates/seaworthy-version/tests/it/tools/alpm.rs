//! libalpm, which Debian packages with pacman, asked through Python.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, packaged};

#[test]
fn pacman_orders_as_we_do() {
    if !(require("/usr/bin/python3") && require("pacman")) {
        return;
    }
    let version = packaged("pacman-package-manager");
    match_referee(Scheme::Alpm, &Tool::of("pacman", &version), || {
        let mut python = Command::new("/usr/bin/python3");
        python.args([
            "-I",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/alpm.py"),
        ]);
        python
    });
}
