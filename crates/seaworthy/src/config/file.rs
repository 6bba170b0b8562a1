//! `seaworthy.toml`: keys and values with their lines.

use std::fs;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::failure::Hinted;

/// Longest configuration that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// One key of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    /// The value as a variable would hold it.
    pub(super) text: String,
    /// Counted from 1.
    pub(super) number: usize,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let told = |line: Option<usize>| {
        let place = line.map_or_else(String::new, |line| format!(", line {line}"));
        format!(
            "cannot read the configuration in `{}`{place}",
            path.display()
        )
    };
    let hint = "docs/configuration.md shows a file and lists all keys";
    let text = fs::metadata(path)
        .and_then(|file| {
            if file.len() > LONGEST {
                return Err(std::io::Error::other("it is longer than a configuration"));
            }
            fs::read_to_string(path)
        })
        .map_err(|error| Hinted::over(told(None), hint, error))?;
    lines(&text)
        .map_err(|trouble| Hinted::over(told(trouble.line), hint, anyhow::Error::msg(trouble.why)))
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
struct Trouble {
    line: Option<usize>,
    why: String,
}

fn lines(text: &str) -> Result<Vec<Line>, Trouble> {
    let number = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        before.matches('\n').count() + 1
    };
    let table = DeTable::parse(text).map_err(|error| Trouble {
        line: error.span().map(|span| number(span.start)),
        why: error.message().to_owned(),
    })?;
    let mut lines = Vec::new();
    for (name, value) in table.get_ref() {
        let at = number(name.span().start);
        let refused = |what: &str| Trouble {
            line: Some(at),
            why: format!(
                "`{}` is {what}; keys take texts, numbers, true or false",
                name.get_ref()
            ),
        };
        let text = match value.get_ref() {
            DeValue::Array(items) => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|item| plain(item.get_ref())).collect();
                texts
                    .ok_or_else(|| refused("a list of something else than texts"))?
                    .join(",")
            }
            DeValue::Table(_) => return Err(refused("a table")),
            one => plain(one).ok_or_else(|| refused("a date or a fraction"))?,
        };
        lines.push(Line {
            name: name.get_ref().to_string(),
            text,
            number: at,
        });
    }
    lines.sort_by_key(|line| line.number);
    Ok(lines)
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match lines(text) {
            Ok(lines) => lines
                .iter()
                .map(|it| format!("{}: {} = {}\n", it.number, it.name, it.text))
                .collect::<Vec<_>>()
                .concat(),
            Err(trouble) => format!("{:?}: {}", trouble.line, trouble.why),
        }
    }

    #[test]
    fn values_come_with_their_lines() {
        insta::assert_snapshot!(
            read("# ours\nlisten = \"[::]:443\"\n\nrole = [\"api\", \"worker\"]\nconnections = 10\nallow_plain_http = true\n"),
            @r"
        2: listen = [::]:443
        4: role = api,worker
        5: connections = 10
        6: allow_plain_http = true
        "
        );
    }

    #[test]
    fn what_is_not_a_value_is_refused_with_its_line() {
        insta::assert_snapshot!(
            read("listen = \"x\"\n[tls]\nkey = 1\n"),
            @"Some(2): `tls` is a table; keys take texts, numbers, true or false"
        );
        insta::assert_snapshot!(
            read("a = 1\nlisten = 1.5\n"),
            @"Some(2): `listen` is a date or a fraction; keys take texts, numbers, true or false"
        );
        assert!(read("a = 1\na = 2\n").starts_with("Some(2)"));
        assert!(read("a = 1\n= 2\n").starts_with("Some(2)"));
    }
}
