//! Elixir's `Version`.

use std::process::Command;

use seaworthy_testkit::require;
use seaworthy_version::Scheme;

use super::{Tool, match_referee, spoken};

/// Erlang reads and writes what its surroundings say the terminal can; bytes are
/// bytes here.
fn elixir() -> Command {
    let mut elixir = Command::new("elixir");
    elixir.env("LC_ALL", "C.UTF-8");
    elixir
}

#[test]
fn elixir_orders_as_we_do() {
    if !require("elixir") {
        return;
    }
    let version = spoken(elixir().args(["-e", "IO.puts(System.version())"]));
    match_referee(Scheme::Hex, &Tool::of("Elixir", &version), || {
        let mut elixir = elixir();
        elixir.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/tools/hex.exs"
        ));
        elixir
    });
}
