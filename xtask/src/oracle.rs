//! `cargo xtask oracle`: asks each scheme's own tool, and prints where we stand.
//!
//! The tests of the room `version` do the asking. Each says its result in a line
//! that starts with `ORACLE`; here the lines become a table.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::problem::Quiet;
use crate::step;

/// How many pairs of each kind a scheme is asked for.
const PAIRS: u64 = 1_000_000;

/// What starts a line that is for us.
const MARK: &str = "ORACLE\t";

/// What a user asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    pairs: u64,
    schemes: Vec<String>,
}

/// What one tool said.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    scheme: String,
    tool: String,
    pairs: u64,
    disagreements: u64,
    kinds: String,
}

/// A test that could not ask.
type Skip = String;

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(arguments)?;
    let mut command = step::cargo();
    command
        .args(["test", "--package", "seaworthy-version", "--test", "it"])
        .args(["--", "--nocapture"])
        .args(options.tests())
        .env("SEAWORTHY_PAIRS", options.pairs.to_string())
        .env_remove("SEAWORTHY_HERMETIC");
    let (mut rows, skips, success) = ask(&mut command)?;
    rows.sort_by(|a, b| (&a.scheme, &a.kinds).cmp(&(&b.scheme, &b.kinds)));
    println!("{}", table(&rows));
    for skip in &skips {
        println!("not asked: {skip}");
    }
    anyhow::ensure!(
        !rows.is_empty(),
        "no scheme of that name has a tool; without names all are asked"
    );
    if !success || rows.iter().any(|row| row.disagreements > 0) {
        return Err(Quiet.into());
    }
    Ok(())
}

impl Options {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            pairs: PAIRS,
            schemes: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--pairs" => {
                    let count = arguments.next().context("`--pairs` needs a number")?;
                    options.pairs = count
                        .parse()
                        .with_context(|| format!("`{count}` is not a number of pairs"))?;
                }
                flag if flag.starts_with('-') => {
                    anyhow::bail!("usage: cargo xtask oracle [--pairs N] [SCHEME...]")
                }
                scheme => options.schemes.push(canonical(scheme).to_owned()),
            }
        }
        Ok(options)
    }

    /// The tests to run, by parts of their names.
    fn tests(&self) -> Vec<String> {
        if self.schemes.is_empty() {
            return vec!["tools::".to_owned(), "recorded::".to_owned()];
        }
        let of_scheme = |scheme: &String| {
            [
                format!("tools::{scheme}::"),
                format!("recorded_answers_for_{scheme}_"),
            ]
        };
        self.schemes.iter().flat_map(of_scheme).collect()
    }
}

/// The name that the room `version` gives a scheme people also know otherwise.
fn canonical(scheme: &str) -> &str {
    match scheme {
        "deb" => "dpkg",
        "npm" => "semver",
        "pypi" => "pep440",
        "mvn" => "maven",
        "golang" => "go",
        "pacman" => "alpm",
        "crates" => "cargo",
        other => other,
    }
}

/// Runs the tests; what they say to us is kept, and what else they say is passed on.
fn ask(command: &mut Command) -> anyhow::Result<(Vec<Row>, Vec<Skip>, bool)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let talk = child.stderr.take().context("the talk of cargo is piped")?;
    let (mut rows, mut skips) = (Vec::new(), Vec::new());
    for line in BufReader::new(talk).split(b'\n') {
        let line = line.context("cannot read what cargo says")?;
        let line = String::from_utf8_lossy(&line);
        if let Some(row) = row(&line) {
            eprintln!("asked {}", row.tool);
            rows.push(row);
        } else if let Some(skip) = line.strip_prefix("SKIPPED ") {
            skips.push(skip.to_owned());
        } else {
            eprintln!("{line}");
        }
    }
    let success = child.wait().context("cannot wait for cargo")?.success();
    Ok((rows, skips, success))
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.strip_prefix(MARK)?.split('\t').collect();
    let &[scheme, tool, pairs, disagreements, kinds] = fields.as_slice() else {
        return None;
    };
    Some(Row {
        scheme: scheme.to_owned(),
        tool: tool.to_owned(),
        pairs: pairs.parse().ok()?,
        disagreements: disagreements.parse().ok()?,
        kinds: kinds.to_owned(),
    })
}

fn table(rows: &[Row]) -> String {
    let widest = |title: &str, cell: fn(&Row) -> usize| {
        rows.iter().map(cell).max().unwrap_or(0).max(title.len())
    };
    let scheme = widest("scheme", |row| row.scheme.len());
    let tool = widest("tool", |row| row.tool.len());
    let mut lines = vec![format!(
        "{:scheme$}  {:tool$}  {:>10}  {:>13}  of which",
        "scheme", "tool", "pairs", "disagreements"
    )];
    lines.extend(rows.iter().map(|row| {
        format!(
            "{:scheme$}  {:tool$}  {:>10}  {:>13}  {}",
            row.scheme, row.tool, row.pairs, row.disagreements, row.kinds
        )
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> anyhow::Result<Options> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn schemes_go_by_the_names_people_use() {
        let options = parse(&["--pairs", "5", "deb", "gem"]).expect("all is known");
        assert_eq!(options.pairs, 5);
        assert_eq!(
            options.tests(),
            [
                "tools::dpkg::",
                "recorded_answers_for_dpkg_",
                "tools::gem::",
                "recorded_answers_for_gem_"
            ]
        );
        assert_eq!(parse(&[]).expect("nothing is needed").tests().len(), 2);
        for arguments in [&["--pairs"][..], &["--pairs", "many"], &["-x"]] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn what_the_tests_say_becomes_a_table() {
        let rows: Vec<Row> = [
            "ORACLE\tgem\tRubyGems 3.3.15\t2000000\t0\t1000000 random, 1000000 real",
            "ORACLE\tgem\tonly three",
            "test tools::gem ... ok",
            "ORACLE\tdpkg\tdpkg 1.21\t10\t3\trecorded",
        ]
        .into_iter()
        .filter_map(row)
        .collect();
        assert_eq!(
            table(&rows),
            "scheme  tool                  pairs  disagreements  of which\n\
             gem     RubyGems 3.3.15     2000000              0  1000000 random, 1000000 real\n\
             dpkg    dpkg 1.21                10              3  recorded"
        );
    }
}
