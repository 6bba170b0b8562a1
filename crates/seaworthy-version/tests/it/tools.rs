//! The tool that owns each scheme compares the same pairs as we do.
//!
//! A referee is one process that reads tab-separated pairs from standard input
//! and writes one answer per line: `-1`, `0` or `1`, or `E` where a text is not
//! a version for it. What has to be compiled or fetched first is kept in the
//! target folder. Numbers of pairs: 100,000 made by chance and as many real
//! ones, or what `SEAWORTHY_PAIRS` says.

mod dpkg;
mod go;
mod maven;
mod npm;
mod python;
mod rpm;

use std::cmp::Ordering;
use std::fs;
use std::io::{BufWriter, Read, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use seaworthy_version::Scheme;

use crate::chance::{self, Chance};
use crate::mined;

/// An answer of ours in the words of the referees.
pub(crate) fn reading(order: Option<Ordering>) -> &'static str {
    match order {
        Some(Ordering::Less) => "-1",
        Some(Ordering::Equal) => "0",
        Some(Ordering::Greater) => "1",
        None => "E",
    }
}

/// Whether we answer differently on purpose, as the scheme's module says.
pub(crate) fn deviates(scheme: Scheme, a: &str, b: &str) -> bool {
    match scheme {
        // JavaScript rounds numbers of a pre-release above 2^53.
        Scheme::Semver => {
            let rounded = |text: &str| {
                text.split_once('-')
                    .is_some_and(|it| has_long_number(it.1, 16))
            };
            rounded(a) && rounded(b)
        }
        // apk's numbers wrap around at 2^64.
        Scheme::Apk => has_long_number(a, 20) || has_long_number(b, 20),
        Scheme::Dpkg
        | Scheme::Rpm
        | Scheme::Pep440
        | Scheme::Maven
        | Scheme::Go
        | Scheme::Verbatim => false,
    }
}

fn has_long_number(text: &str, digits: usize) -> bool {
    text.split(|letter: char| !letter.is_ascii_digit())
        .any(|run| run.trim_start_matches('0').len() >= digits)
}

/// The folder where the referee `name` is prepared, empty at first.
fn workshop(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("referees")
        .join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command that prepares a referee; its talk is shown when it fails.
fn prepare(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Asks the referee about all pairs in one process.
fn ask(referee: &mut Command, pairs: &[(String, String)]) -> Vec<String> {
    let mut child = referee
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let questions = child.stdin.take().unwrap();
    let mut answers = child.stdout.take().unwrap();
    let mut text = String::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut questions = BufWriter::new(questions);
            for (a, b) in pairs {
                writeln!(questions, "{a}\t{b}").unwrap();
            }
        });
        answers.read_to_string(&mut text).unwrap();
    });
    assert!(child.wait().unwrap().success(), "{referee:?} failed");
    let answers: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(
        answers.len(),
        pairs.len(),
        "{referee:?} left questions open"
    );
    answers
}

/// Compares our answers with the referee's on pairs made by chance and on real ones.
fn match_referee(scheme: Scheme, name: &str, mut referee: impl FnMut() -> Command) {
    let wanted = chance::asked("SEAWORTHY_PAIRS", 100_000);
    let (mut chance, seed) = Chance::seeded();
    let mut take = |next: &dyn Fn(&mut Chance) -> (String, String)| -> Vec<_> {
        iter::repeat_with(|| next(&mut chance))
            .filter(|(a, b)| !deviates(scheme, a, b))
            .take(wanted)
            .collect()
    };
    let made = take(&|chance| chance::pair(scheme, chance));
    let made = agree(scheme, name, &mut referee(), &made, seed);

    let real = seaworthy_testkit::shared().map_or(0, |shared| {
        let versions = mined::versions(&shared, scheme);
        let real = take(&|chance| real_pair(scheme, &versions, chance));
        agree(scheme, name, &mut referee(), &real, seed)
    });
    say(&format!(
        "{name}: {made} random + {real} real pairs, 0 disagreements (seed {seed})"
    ));
}

/// Two neighbours, two strangers, or a real version and an edit of it.
fn real_pair(scheme: Scheme, versions: &[String], chance: &mut Chance) -> (String, String) {
    let place = chance.below(versions.len());
    let a = versions[place].clone();
    let b = match chance.below(10) {
        0..=4 => versions[(place + 1 + chance.below(8)) % versions.len()].clone(),
        5..=7 => versions[chance.below(versions.len())].clone(),
        _ => chance::edited(scheme, &a, chance),
    };
    (a, b)
}

/// How many of the pairs were compared; fails where the answers differ.
fn agree(
    scheme: Scheme,
    name: &str,
    referee: &mut Command,
    pairs: &[(String, String)],

    seed: usize,
) -> usize {
    let answers = ask(referee, pairs);
    let ordered = answers.iter().filter(|answer| *answer != "E").count();
    assert!(
        ordered * 3 > pairs.len(),
        "{name}: only {ordered} of {} pairs are versions",
        pairs.len()
    );
    let mut disagreements = Vec::new();
    for ((a, b), theirs) in pairs.iter().zip(&answers) {
        let ours = reading(scheme.compare(a, b));
        if ours != theirs {
            disagreements.push(format!("{a:?} {b:?}: {name} says {theirs}, we say {ours}"));
        }
    }
    assert!(
        disagreements.is_empty(),
        "{name}: {} of {} pairs disagree (seed {seed}), the first:\n{}",
        disagreements.len(),
        pairs.len(),
        disagreements
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    pairs.len()
}

/// Speaks past the test harness, which would swallow the line.
fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}
