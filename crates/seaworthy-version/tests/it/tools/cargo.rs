//! Cargo's `semver`, fetched by cargo.

use std::fs;
use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, workshop};

const VERSION: &str = "1.0.27";

#[test]
fn cargo_orders_as_we_do() {
    if !require("cargo") {
        return;
    }
    let folder = workshop("cargo");
    let manifest = format!(
        "[package]\nname = \"referee\"\nedition = \"2024\"\n\n[[bin]]\nname = \"referee\"\npath = \"main.rs\"\n\n\
         [dependencies]\nsemver = \"={VERSION}\"\n\n[profile.dev]\nopt-level = 1\n\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("main.rs"), include_str!("cargo.main")).unwrap();
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&folder);
    // Where there is no network, the next line says what is missing.
    let _ = cargo
        .args(["build", "--quiet", "--target-dir", "target"])
        .output();
    let program = folder.join("target/debug/referee");
    if !require(&program.to_string_lossy()) {
        return;
    }
    match_referee(Scheme::Cargo, &Tool::of("Cargo's semver", VERSION), || {
        Command::new(&program)
    });
}
