//! `seaworthy db compare`: anyone may check our orders against any tool.

use std::io::{self, BufRead, BufReader, Read};

use anyhow::Context as _;
use seaworthy_core::Scheme;

use crate::cli::DbCompareArgs;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// How many bytes of answers are held back while questions are waiting.
const HELD: usize = 16 * 1024;

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
