//! Python's `packaging`, fetched by pip.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, workshop};

const VERSION: &str = "26.3";

#[test]
fn packaging_orders_as_we_do() {
    if !(require("python3") && require("pip3")) {
        return;
    }
    let wanted = format!("packaging=={VERSION}");
    let folder = workshop(&wanted);
    let installed = folder.join("packaging/version.py");
    if !installed.is_file() {
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--upgrade",
            "--target",
        ]);
        // Where there is no network, the next line says what is missing.
        let _ = pip.arg(&folder).arg(&wanted).output();
    }
    if !require(&installed.to_string_lossy()) {
        return;
    }
    match_referee(Scheme::Pep440, &Tool::of("packaging", VERSION), || {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &folder);
        python.args([
            "-s",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/pep440.py"),
        ]);
        python
    });
}
