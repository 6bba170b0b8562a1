//! The tool that owns each scheme compares the same pairs as we do.
//!
//! A referee is one process that reads tab-separated pairs from standard input
//! and writes one answer per line: `-1`, `0` or `1`, or `E` where a text is not
//! a version for it. What has to be compiled or fetched first is kept in the
//! target folder. Numbers of pairs: 100,000 made by chance and as many real
//! ones, or what `SEAWORTHY_PAIRS` says.
//!
//! Each tool's module is named as its scheme is, and says its result in a line that
//! `cargo xtask oracle` reads.

mod alpm;
mod bitnami;
mod cargo;
mod composer;
mod dpkg;
mod gem;
mod go;
mod hex;
mod maven;
mod pep440;
mod rpm;
mod semver;

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
        | Scheme::Gem
        | Scheme::Composer
        | Scheme::NuGet
        | Scheme::Hex
        | Scheme::Pub
        | Scheme::Alpm
        | Scheme::Bitnami
        | Scheme::Cargo
        | Scheme::Cran
        | Scheme::Hackage
        | Scheme::Verbatim => false,
    }
}

fn has_long_number(text: &str, digits: usize) -> bool {
    text.split(|letter: char| !letter.is_ascii_digit())
        .any(|run| run.trim_start_matches('0').len() >= digits)
}

/// A tool that referees, and its version.
pub(crate) struct Tool {
    name: String,
}

impl Tool {
    fn of(name: &str, version: &str) -> Self {
        Self {
            name: format!("{name} {version}"),
        }
    }
}

/// What the command says, such as a version.
fn spoken(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The version of a Debian package.
fn packaged(package: &str) -> String {
    spoken(Command::new("dpkg-query").args(["--show", "--showformat=${Version}", package]))
}

/// A program with one Go module beside the standard library; where there is no
/// network, it is missing afterwards.
fn built_by_go(name: &str, module: &str, source: &str) -> PathBuf {
    let folder = workshop(name);
    let manifest = format!("module referee\n\ngo 1.21\n\nrequire {module}\n");
    fs::write(folder.join("go.mod"), manifest).unwrap();
    fs::write(folder.join("main.go"), source).unwrap();
    let mut go = Command::new("go");
    let _ = go
        .current_dir(&folder)
        .args(["build", "-mod=mod", "-o", "referee", "."])
        .output();
    folder.join("referee")
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
fn match_referee(scheme: Scheme, tool: &Tool, mut referee: impl FnMut() -> Command) {
    let wanted = chance::asked("SEAWORTHY_PAIRS", 100_000);
    let (mut chance, seed) = Chance::seeded();
    let mut take = |next: &dyn Fn(&mut Chance) -> (String, String)| -> Vec<_> {
        iter::repeat_with(|| next(&mut chance))
            .filter(|(a, b)| !deviates(scheme, a, b))
            .take(wanted)
            .collect()
    };
    let made = take(&|chance| chance::pair(scheme, chance));
    let mut verdict = agree(scheme, &mut referee(), &made);

    let mut kinds = vec![format!("{} random", verdict.pairs)];
    if let Some(shared) = seaworthy_testkit::shared() {
        let versions = mined::versions(&shared, scheme);
        let real = agree(
            scheme,
            &mut referee(),
            &take(&|chance| real_pair(scheme, &versions, chance)),
        );
        kinds.push(format!("{} real", real.pairs));
        verdict.pairs += real.pairs;
        verdict.disagreements.extend(real.disagreements);
    }
    kinds.push(format!("seed {seed}"));
    verdict.tell(scheme, &tool.name, &kinds.join(", "));
}

/// How often a tool was asked, and where it says otherwise than we do.
pub(crate) struct Verdict {
    pub(crate) pairs: usize,
    pub(crate) disagreements: Vec<String>,
}

impl Verdict {
    /// Takes in one pair with the tool's answer.
    pub(crate) fn hear(&mut self, scheme: Scheme, a: &str, b: &str, theirs: &str) {
        self.pairs += 1;
        let ours = reading(scheme.compare(a, b));
        if ours != theirs {
            self.disagreements
                .push(format!("{a:?} {b:?}: they say {theirs}, we say {ours}"));
        }
    }

    /// Says the result past the test harness, which would swallow the line, and
    /// fails where there are disagreements.
    pub(crate) fn tell(&self, scheme: Scheme, tool: &str, kinds: &str) {
        let line = format!(
            "ORACLE\t{scheme}\t{tool}\t{}\t{}\t{kinds}\n",
            self.pairs,
            self.disagreements.len()
        );
        // One write, so that the lines of tests that run at once stay whole.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        assert!(
            self.disagreements.is_empty(),
            "{scheme}: {tool} disagrees on {} of {} pairs ({kinds}), the first:\n{}",
            self.disagreements.len(),
            self.pairs,
            self.disagreements
                .iter()
                .take(10)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        );
    }
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

/// Asks the referee about all pairs and compares.
fn agree(scheme: Scheme, referee: &mut Command, pairs: &[(String, String)]) -> Verdict {
    let answers = ask(referee, pairs);
    let ordered = answers.iter().filter(|answer| *answer != "E").count();
    assert!(
        ordered * 3 > pairs.len(),
        "{scheme}: only {ordered} of {} pairs are versions",
        pairs.len()
    );
    let mut verdict = Verdict {
        pairs: 0,
        disagreements: Vec::new(),
    };
    for ((a, b), theirs) in pairs.iter().zip(&answers) {
        verdict.hear(scheme, a, b, theirs);
    }
    verdict
}
