//! dpkg, asked through its library, and by its command on a sample.

use std::iter;
use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, ask, match_referee, packaged, prepare, reading, workshop};
use crate::chance::{self, Chance};

/// The program, compiled into the folder `place`: tests run at the same time.
fn referee(place: &str) -> Option<impl FnMut() -> Command> {
    if !(require("gcc") && require("dpkg") && require("/usr/include/dpkg/dpkg.h")) {
        return None;
    }
    let program = workshop(place).join("referee");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/dpkg.c");
    let mut compiler = Command::new("gcc");
    compiler
        .args(["-O2", "-DLIBDPKG_VOLATILE_API", "-o"])
        .arg(&program);
    prepare(compiler.args([source, "-ldpkg", "-lmd"]));
    Some(move || Command::new(&program))
}

#[test]
fn dpkg_orders_as_we_do() {
    let Some(referee) = referee("dpkg") else {
        return;
    };
    let version = packaged("libdpkg-dev");
    match_referee(Scheme::Dpkg, &Tool::of("dpkg", &version), referee);
}

#[test]
fn the_dpkg_command_agrees_with_its_library() {
    let Some(mut referee) = referee("dpkg-sample") else {
        return;
    };
    let (mut chance, _) = Chance::seeded();
    // The command would take a text that starts with a hyphen for an option.
    let pairs: Vec<_> = iter::repeat_with(|| chance::pair(Scheme::Dpkg, &mut chance))
        .filter(|(a, b)| !a.starts_with('-') && !b.starts_with('-'))
        .take(200)
        .collect();
    let answers = ask(&mut referee(), &pairs);
    for ((a, b), from_library) in pairs.iter().zip(answers) {
        let succeeds = |arguments: &[&str]| {
            let mut dpkg = Command::new("dpkg");
            dpkg.args(arguments).output().unwrap().status.success()
        };
        let valid = |text: &str| succeeds(&["--validate-version", text]);
        let compares = |relation: &str| succeeds(&["--compare-versions", a, relation, b]);
        let from_command = if !valid(a) || !valid(b) {
            "E"
        } else if compares("lt") {
            "-1"
        } else if compares("eq") {
            "0"
        } else {
            "1"
        };
        assert_eq!(from_command, from_library, "{a:?} {b:?}");
        assert_eq!(
            from_command,
            reading(Scheme::Dpkg.compare(a, b)),
            "{a:?} {b:?}"
        );
    }
}
