//! `seaworthy db compare`: anyone may check our orders against any tool.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::Context as _;
use seaworthy_core::{Ecosystem, PackageType, Scheme};

use crate::cli::DbCompareArgs;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;

/// Names that people use beside the types of package URLs.
const NAMES: [(&str, Scheme); 5] = [
    ("crates", Scheme::Cargo),
    ("go", Scheme::Go),
    ("mvn", Scheme::Maven),
    ("pacman", Scheme::Alpm),
    ("semver", Scheme::Semver),
];

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// How many bytes of answers are held back while questions are waiting.
const HELD: usize = 16 * 1024;

/// The scheme that a user means by `name`.
pub(crate) fn scheme(name: &str) -> Result<Scheme, String> {
    let lowercase = name.to_ascii_lowercase();
    let by_name = NAMES
        .into_iter()
        .find(|(known, _)| *known == lowercase)
        .map(|(_, scheme)| scheme);
    let ordered = |scheme: Scheme| (scheme != Scheme::Verbatim).then_some(scheme);
    by_name
        .or_else(|| Scheme::from_name(&lowercase).and_then(ordered))
        .or_else(|| ordered(PackageType::from_purl_type(name).scheme()))
        .or_else(|| ordered(Ecosystem::parse(name).scheme()))
        .ok_or_else(|| {
            "known are apk, bitnami, composer, cran, crates, deb, gem, go, hackage, hex, mvn, npm, \
             nuget, opam, pacman, pub, pypi and rpm"
                .to_owned()
        })
}

/// Answers the pairs of standard input until it ends.
pub(crate) fn compare(args: &DbCompareArgs) -> anyhow::Result<Exit> {
    let mut questions = BufReader::new(io::stdin().lock());
    let mut answers = Vec::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut questions)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .context("cannot read standard input");
        let answer = match read {
            Ok(0) => break,
            Ok(_) => answer(args.scheme, &line, number),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => answers.extend_from_slice(answer.as_bytes()),
            Err(error) => {
                printer::write_data(&answers)?;
                return Err(error);
            }
        }
        // Whoever asks one question at a time waits for its answer.
        if questions.buffer().is_empty() || answers.len() >= HELD {
            printer::write_data(&answers)?;
            answers.clear();
        }
    }
    printer::write_data(&answers)?;
    Ok(Exit::Pass)
}

fn answer(scheme: Scheme, line: &[u8], number: u64) -> anyhow::Result<&'static str> {
    let bad = |what: &str| {
        let hint = "every line holds two versions with a tab between";
        Err(Hinted::error(format!("line {number} {what}"), hint))
    };
    let line = match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line if line.len() as u64 >= LONGEST_LINE => {
            return bad(&format!("is longer than {LONGEST_LINE} bytes"));
        }
        line => line,
    };
    let mut fields = line.split(|byte| *byte == b'\t');
    let (Some(one), Some(other)) = (fields.next(), fields.next()) else {
        return bad("has no tab");
    };
    // What is not UTF-8 is no version under any scheme.
    let texts = std::str::from_utf8(one)
        .ok()
        .zip(std::str::from_utf8(other).ok());
    let order = texts.and_then(|(one, other)| scheme.compare(one, other));
    Ok(match order.map(|order| order as i8) {
        Some(-1) => "-1\n",
        Some(0) => "0\n",
        Some(_) => "1\n",
        None => "E\n",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_goes_by_every_name_people_use() {
        for (name, expected) in [
            ("deb", Scheme::Dpkg),
            ("dpkg", Scheme::Dpkg),
            ("Debian", Scheme::Dpkg),
            ("opam", Scheme::Dpkg),
            ("rpm", Scheme::Rpm),
            ("apk", Scheme::Apk),
            ("mvn", Scheme::Maven),
            ("maven", Scheme::Maven),
            ("pypi", Scheme::Pep440),
            ("PyPI", Scheme::Pep440),
            ("npm", Scheme::Semver),
            ("semver", Scheme::Semver),
            ("gem", Scheme::Gem),
            ("RubyGems", Scheme::Gem),
            ("composer", Scheme::Composer),
            ("Packagist", Scheme::Composer),
            ("go", Scheme::Go),
            ("golang", Scheme::Go),
            ("nuget", Scheme::NuGet),
            ("hex", Scheme::Hex),
            ("pub", Scheme::Pub),
            ("pacman", Scheme::Alpm),
            ("alpm", Scheme::Alpm),
            ("crates", Scheme::Cargo),
            ("crates.io", Scheme::Cargo),
            ("cargo", Scheme::Cargo),
            ("bitnami", Scheme::Bitnami),
            ("cran", Scheme::Cran),
            ("hackage", Scheme::Hackage),
        ] {
            assert_eq!(scheme(name), Ok(expected), "{name}");
        }
        for name in ["", "verbatim", "what"] {
            assert!(scheme(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_scheme_with_an_order_can_be_asked_for() {
        for expected in Scheme::ALL {
            if expected != Scheme::Verbatim {
                assert_eq!(scheme(expected.name()), Ok(expected));
            }
        }
    }
}
