//! rpm, asked through the Python module that Debian packages.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, packaged};

#[test]
fn rpm_orders_as_we_do() {
    // The module belongs to Debian's own interpreter, whichever is on the path.
    if !(require("/usr/bin/python3") && require("/usr/lib/python3/dist-packages/rpm/__init__.py")) {
        return;
    }
    let version = packaged("python3-rpm");
    match_referee(Scheme::Rpm, &Tool::of("rpm", &version), || {
        let mut python = Command::new("/usr/bin/python3");
        python.args([
            "-I",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/rpm.py"),
        ]);
        python
    });
}
