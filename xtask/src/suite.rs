//! `cargo xtask test`: everything that must hold, in one command.
//!
//! House rules first, then every test. A test that needs a real tool or shared
//! data skips itself where it finds none and says so; here those words are
//! counted, so that nobody takes a skipped test for a passed one.

mod need;
mod tally;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::problem::Quiet;
use crate::suite::tally::Tally;
use crate::{deny, layers, step, tidy};

/// What to run and how strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) outside: Outside,
    pub(crate) install: bool,
}

/// How tests treat what they need from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// Nothing from outside is used, even where it is there.
    Hermetic,
    /// What is there is used; what is missing is skipped and counted.
    WhereMet,
    /// A missing need is a failure.
    Required,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            outside: Outside::WhereMet,
            install: true,
        };
        let required = step::variable("SEAWORTHY_REQUIRE").is_some_and(|value| value == "1");
        for argument in arguments {
            let outside = match argument.as_str() {
                "--hermetic" => Outside::Hermetic,
                "--require" => Outside::Required,
                "--no-install" => {
                    options.install = false;
                    continue;
                }
                other => anyhow::bail!("unknown flag `{other}`"),
            };
            anyhow::ensure!(
                options.outside == Outside::WhereMet || options.outside == outside,
                "`--hermetic` and `--require` contradict each other"
            );
            options.outside = outside;
        }
        if required && options.outside == Outside::WhereMet {
            options.outside = Outside::Required;
        }
        Ok(options)
    }
}

/// The step that runs the tests.
const TEST: &str = "test";

/// What property tests draw their cases from.
const SEED: &str = "PROPTEST_RNG_SEED";

/// One step, how it ended and how long it took.
struct Outcome {
    name: &'static str,
    result: anyhow::Result<()>,
    took: Duration,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let mut outcomes = Vec::new();
    let mut perform = |name, act: &mut dyn FnMut() -> anyhow::Result<()>| {
        println!("── {name}");
        let start = Instant::now();
        let result = act();
        let took = start.elapsed();
        match &result {
            Ok(()) => println!("── {name}: ok after {}", seconds(took)),
            Err(why) => println!("── {name}: failed after {}: {why:#}", seconds(took)),
        }
        outcomes.push(Outcome { name, result, took });
    };

    if options.outside != Outside::Hermetic {
        perform("needs", &mut || needs(options));
    }
    perform("fmt", &mut || {
        step::run(step::cargo().args(["fmt", "--all", "--check"]))
    });
    perform("layers", &mut layers::run);
    perform("tidy", &mut tidy::run);
    perform("deny", &mut deny);
    perform("clippy", &mut || {
        let mut command = step::cargo();
        command.args(["clippy", "--workspace", "--all-targets", "--locked"]);
        step::run(command.args(["--", "--deny", "warnings"]))
    });
    let mut tally = Tally::default();
    perform(TEST, &mut || test(options.outside, &mut tally));

    println!();
    for outcome in &outcomes {
        let result = if outcome.result.is_ok() {
            "ok"
        } else {
            "FAILED"
        };
        println!(
            "{:<8} {result:<6} {:>8}",
            outcome.name,
            seconds(outcome.took)
        );
    }
    for (why, count) in tally.reasons() {
        println!("skipped  {count:>4} × {why}");
    }
    let failed = failures(&outcomes, &tally);
    println!(
        "{} passed, {failed} failed, {} skipped",
        tally.passed(),
        tally.skipped()
    );
    if failed > 0 {
        return Err(Quiet.into());
    }
    Ok(())
}

/// Failed tests, and every other step that failed: `0 failed` means all is well.
fn failures(outcomes: &[Outcome], tally: &Tally) -> usize {
    let told_by_tests = |outcome: &Outcome| outcome.name == TEST && tally.failed() > 0;
    let steps = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err() && !told_by_tests(outcome));
    tally.failed() + steps.count()
}

/// Sees to the real tools.
fn needs(options: Options) -> anyhow::Result<()> {
    let mut missing = need::missing();
    if !missing.is_empty() && options.install && need::may_install() {
        need::install(&missing);
        missing = need::missing();
    }
    for need in &missing {
        println!("missing: {} (Debian package `{}`)", need.name, need.package);
    }
    anyhow::ensure!(
        missing.is_empty() || options.outside != Outside::Required,
        "{} needs of tests are not met",
        missing.len()
    );
    Ok(())
}

/// Our own check always; `cargo deny` too where somebody installed it.
fn deny() -> anyhow::Result<()> {
    deny::run()?;
    if step::is_installed("cargo-deny") {
        let mut command = step::cargo();
        step::run(command.args(["deny", "check", "bans", "licenses", "sources"]))?;
    }
    Ok(())
}

fn test(outside: Outside, tally: &mut Tally) -> anyhow::Result<()> {
    let mut command = step::cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    command
        .env_remove("SEAWORTHY_REQUIRE")
        .env_remove("SEAWORTHY_HERMETIC");
    match outside {
        Outside::Hermetic => {
            command
                .env("SEAWORTHY_HERMETIC", "1")
                .env("SEAWORTHY_SHARED", "");
        }
        Outside::WhereMet => {}
        Outside::Required => {
            command.env("SEAWORTHY_REQUIRE", "1");
            // A gate answers alike for the same commit. Every other run draws
            // anew, and what it finds is written down beside the test.
            if step::variable(SEED).is_none() {
                command.env(SEED, "20261123");
            }
        }
    }
    let success = stream(&mut command, tally)?;
    tally.ended(success);
    anyhow::ensure!(success && tally.failed() == 0, "{} failed", tally.failed());
    Ok(())
}

/// Runs `command`, passes on what it says and lets `tally` listen.
fn stream(command: &mut Command, tally: &mut Tally) -> anyhow::Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let out = child
        .stdout
        .take()
        .context("the output of cargo is piped")?;
    let talk = child.stderr.take().context("the talk of cargo is piped")?;
    let tally = Mutex::new(tally);
    let listen = |line: &str, hear: fn(&mut Tally, &str)| {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        hear(&mut tally, line);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for_each_line(talk, |line| {
                eprintln!("{line}");
                listen(line, Tally::overhear);
            });
        });
        for_each_line(out, |line| {
            println!("{line}");
            listen(line, Tally::hear);
        });
    });
    Ok(child.wait().context("cannot wait for cargo")?.success())
}

fn for_each_line(source: impl Read, mut each: impl FnMut(&str)) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    // A test may print what is not UTF-8.
    while source
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> anyhow::Result<Options> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn flags_say_how_strict_to_be() {
        let hermetic = parse(&["--hermetic", "--no-install"]).expect("both are known");
        assert_eq!(hermetic.outside, Outside::Hermetic);
        assert!(!hermetic.install);
        let required = parse(&["--require"]).expect("it is known");
        assert_eq!(required.outside, Outside::Required);
        assert!(required.install);
    }

    #[test]
    fn a_contradiction_or_an_unknown_flag_is_an_error() {
        for arguments in [
            &["--hermetic", "--require"][..],
            &["--require", "--hermetic"],
            &["-x"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn every_failed_step_is_a_failure() {
        let outcome = |name, good: bool| Outcome {
            name,
            result: if good {
                Ok(())
            } else {
                Err(anyhow::anyhow!("no"))
            },
            took: Duration::ZERO,
        };
        let mut tally = Tally::default();
        tally.hear("test result: ok. 1 passed; 0 failed;");
        assert_eq!(
            failures(&[outcome("fmt", true), outcome(TEST, true)], &tally),
            0
        );
        assert_eq!(
            failures(&[outcome("fmt", false), outcome(TEST, true)], &tally),
            1
        );
        // Cargo could not even be started.
        assert_eq!(
            failures(&[outcome("fmt", true), outcome(TEST, false)], &tally),
            1
        );
        tally.hear("test result: FAILED. 1 passed; 2 failed;");
        assert_eq!(
            failures(&[outcome("fmt", false), outcome(TEST, false)], &tally),
            3
        );
    }

    #[test]
    fn what_a_child_says_is_heard_on_both_channels() {
        let mut tally = Tally::default();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "echo 'test result: ok. 3 passed; 0 failed;'; echo 'SKIPPED a: no rpm' >&2; \
             printf 'test result: ok. 2 passed; \\377'; exit 3",
        ]);
        let success = stream(&mut shell, &mut tally).expect("a shell is everywhere");
        assert!(!success);
        assert_eq!([tally.passed(), tally.failed(), tally.skipped()], [4, 0, 1]);
    }
}
