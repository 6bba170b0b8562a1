//! Needs of a test that the machine may not meet.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Whether the program `tool` is on the `PATH`.
///
/// Where it is not, this prints a `SKIPPED` line and answers `false`.
///
/// # Panics
///
/// With `SEAWORTHY_REQUIRE=1` a missing tool is a failure.
#[track_caller]
pub fn require(tool: &str) -> bool {
    let found = env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
        || Path::new("/usr/sbin").join(tool).is_file();
    met(found, &format!("the program `{tool}` is not installed"))
}

/// Whether the test runs as root, which some real tools insist on.
///
/// # Panics
///
/// With `SEAWORTHY_REQUIRE=1` another user is a failure.
#[track_caller]
pub fn require_root() -> bool {
    met(is_root(), "this test needs to run as root")
}

/// Whether the test runs as root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

/// The folder of shared feeds and fixtures: `SEAWORTHY_SHARED`, or `../shared`
/// beside the workspace.
///
/// # Panics
///
/// With `SEAWORTHY_REQUIRE=1` its absence is a failure.
#[track_caller]
pub fn shared() -> Option<PathBuf> {
    let root = env::var_os("SEAWORTHY_SHARED").map_or_else(
        || {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../../shared")
                .canonicalize()
                .unwrap_or_default()
        },
        PathBuf::from,
    );
    let found = root.join("feeds").is_dir() && root.join("fixtures").is_dir();
    met(found, "the shared feeds and fixtures are not at hand").then_some(root)
}

#[track_caller]
fn met(found: bool, why_not: &str) -> bool {
    let is_on = |name| env::var_os(name).is_some_and(|value| value == "1");
    // A hermetic run skips even what the machine could offer, so that it tests
    // the same everywhere.
    let hermetic = is_on("SEAWORTHY_HERMETIC");
    if found && !hermetic {
        return true;
    }
    assert!(
        hermetic || !is_on("SEAWORTHY_REQUIRE"),
        "{why_not}, and SEAWORTHY_REQUIRE=1 forbids skipping"
    );
    let why_not = if hermetic {
        "the run is hermetic"
    } else {
        why_not
    };
    skip(why_not);
    false
}

/// Whether tests take their time, as they do where nobody waits: `SEAWORTHY_LONG=1`.
pub fn is_long() -> bool {
    env::var_os("SEAWORTHY_LONG").is_some_and(|value| value == "1")
}

/// Says that the test is skipped.
pub(crate) fn skip(why: &str) {
    let test = std::thread::current();
    let name = test.name().unwrap_or("a test").to_owned();
    // Written past the test harness, which would swallow `eprintln!`.
    let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {why}");
}
