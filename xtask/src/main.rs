//! The project's own chores: house rules, tests and what CI calls.
//!
//! Each chore is one line in [`CHORES`]. Rules are plain functions from sources
//! or manifests to problems, so their tests need no project; only the outermost
//! function of each chore reads files and prints.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the person who started it"
)]

mod bench;
mod deny;
mod graph;
mod layers;
mod manifests;
mod oracle;
mod outline;
mod problem;
mod sources;
mod step;
mod suite;
mod tidy;
mod tokens;

use std::process::ExitCode;

use crate::problem::Quiet;

/// A chore: its name, what it is for, and what does it.
struct Chore {
    name: &'static str,
    purpose: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// Every chore, in the order `cargo xtask help` shows them.
const CHORES: [Chore; 7] = [
    Chore {
        name: "test",
        purpose: "every rule and every test; --hermetic, --require, --no-install",
        run: |arguments| suite::run(suite::Options::parse(arguments)?),
    },
    Chore {
        name: "ci",
        purpose: "what CI calls: `test --require`",
        run: |arguments| {
            none(arguments)?;
            suite::run(suite::Options::parse(&["--require".to_owned()])?)
        },
    },
    Chore {
        name: "tidy",
        purpose: "module knots and the house's habits",
        run: |arguments| none(arguments).and_then(|()| tidy::run()),
    },
    Chore {
        name: "layers",
        purpose: "who may know whom (docs/layers.toml)",
        run: |arguments| none(arguments).and_then(|()| layers::run()),
    },
    Chore {
        name: "deny",
        purpose: "licences, sources and bans of third parties (deny.toml)",
        run: |arguments| none(arguments).and_then(|()| deny::run()),
    },
    Chore {
        name: "oracle",
        purpose: "each scheme's own tool as referee; [--pairs N] [SCHEME...]",
        run: oracle::run,
    },
    Chore {
        name: "bench",
        purpose: "where we stand against the floor; `bench --help` for its flags",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        let asked = matches!(name.as_str(), "help" | "--help" | "-h");
        return help(asked);
    };
    match (chore.run)(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            if !why.is::<Quiet>() {
                eprintln!("error: {why:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn help(asked: bool) -> ExitCode {
    let lines: Vec<String> = CHORES
        .iter()
        .map(|chore| format!("  {:<8} {}", chore.name, chore.purpose))
        .collect();
    let text = format!("usage: cargo xtask <chore>\n\n{}", lines.join("\n"));
    if asked {
        println!("{text}");
        ExitCode::SUCCESS
    } else {
        eprintln!("{text}");
        ExitCode::FAILURE
    }
}

fn none(arguments: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(arguments.is_empty(), "this chore takes no flags");
    Ok(())
}
