//! Maven's `ComparableVersion`, from the library that Debian packages.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, packaged, prepare, workshop};

const ARTIFACT: &str = "/usr/share/java/maven3-artifact.jar";
const LANG: &str = "/usr/share/java/commons-lang3.jar";

#[test]
fn maven_orders_as_we_do() {
    if !(require("javac") && require("java") && require(ARTIFACT) && require(LANG)) {
        return;
    }
    let folder = workshop("maven");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/Referee.java");
    let mut compiler = Command::new("javac");
    compiler.args(["-encoding", "UTF-8", "-cp", ARTIFACT, "-d"]);
    prepare(compiler.arg(&folder).arg(source));
    let path = format!("{}:{ARTIFACT}:{LANG}", folder.display());
    let version = packaged("libmaven3-core-java");
    match_referee(Scheme::Maven, &Tool::of("Maven", &version), || {
        let mut java = Command::new("java");
        java.args([
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            &path,
            "Referee",
        ]);
        java
    });
}
