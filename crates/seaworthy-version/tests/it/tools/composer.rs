//! composer/semver on PHP, as Debian packages them.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, packaged};

const SEMVER: &str = "/usr/share/php/Composer/Semver/autoload.php";

#[test]
fn composer_orders_as_we_do() {
    if !(require("php") && require(SEMVER)) {
        return;
    }
    let version = packaged("php-composer-semver");
    match_referee(
        Scheme::Composer,
        &Tool::of("composer/semver", &version),
        || {
            let mut php = Command::new("php");
            php.args([
                "-d",
                "memory_limit=-1",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tools/composer.php"),
            ]);
            php
        },
    );
}
