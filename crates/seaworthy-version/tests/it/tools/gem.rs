//! `Gem::Version`, as it comes with Ruby.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, spoken};

#[test]
fn rubygems_orders_as_we_do() {
    if !require("ruby") {
        return;
    }
    let version = spoken(Command::new("ruby").args(["-e", "print Gem::VERSION"]));
    match_referee(Scheme::Gem, &Tool::of("RubyGems", &version), || {
        let mut ruby = Command::new("ruby");
        ruby.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/tools/gem.rb"
        ));
        ruby
    });
}
