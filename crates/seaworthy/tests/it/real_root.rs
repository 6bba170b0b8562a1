//! This machine's own root directory.

use std::process::Command;

use seaworthy_testkit::require;

use crate::product::{User, packages, tool};

/// Done-when of the first issue: a Debian machine without network lists its
/// packages and says why it cannot judge them.
#[test]
fn a_debian_machine_lists_its_packages_and_is_unknown_with_a_reason() {
    if !require("dpkg-query") {
        return;
    }
    let user = User::new();
    let document = user.scan(&["--offline", "dir:/"]);
    let format = "${db:Status-Status} ${Package} ${Version}\n";
    let mut expected: Vec<String> = tool(Command::new("dpkg-query").args(["-W", "-f", format]))
        .lines()
        .filter_map(|line| Some(line.strip_prefix("installed ")?.to_owned()))
        .collect();
    expected.sort();
    expected.dedup();
    assert_eq!(packages(&document, "deb"), expected);
    // The starter edition may know something of the other packages here.
    let verdict = &document["images"][0]["verdict"];
    assert!(
        verdict["blindness"]
            .to_string()
            .contains("starter_edition_only"),
        "{verdict}"
    );
    assert_ne!(document["outcome"], "pass");
}
