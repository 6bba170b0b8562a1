//! `seaworthy config`: every value and who set it, and no secret.

use std::fmt::Write as _;

use crate::cli::{ConfigCommandArgs, Flags};
use crate::config::{self, Config, Origin, Sheet, shown};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::key::{KEYS, Kind};
use crate::printer;

/// Prints the configuration as `seaworthy.toml` would have it.
pub(crate) fn config(desk: &Desk<'_>, args: &ConfigCommandArgs) -> anyhow::Result<Exit> {
    if args.reference {
        printer::write_data(reference().as_bytes())?;
        return Ok(Exit::Pass);
    }
    let sheet = config::sheet(desk, &args.config, Flags::new())?;
    printer::write_data(text(desk, &sheet).as_bytes())?;
    // Told after the values, so that one can see what is wrong.
    Config::of(&sheet, desk)?;
    Ok(Exit::Pass)
}

/// Every value and who set it.
pub(crate) fn text(desk: &Desk<'_>, sheet: &Sheet) -> String {
    let mut text = String::new();
    let file = sheet
        .file
        .as_ref()
        .map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    let _ = writeln!(text, "# {file}; data folder {}", desk.data.display());
    let lines: Vec<(String, &Origin)> = sheet
        .lines()
        .map(|said| {
            let value = written(said.key.kind, &said.text);
            (format!("{} = {value}", said.key.name), &said.origin)
        })
        .collect();
    for (line, origin) in &lines {
        let _ = writeln!(text, "{line:<50}  # {origin}");
    }
    text
}

/// A value as TOML has it.
fn written(kind: Kind, text: &str) -> String {
    let text = shown(kind, text);
    match kind {
        Kind::Truth | Kind::Number { .. } if !text.is_empty() => text,
        _ => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    for key in KEYS {
        let _ = writeln!(text, "\n### `{}`\n\n{}\n", key.name, key.help);
        let _ = writeln!(text, "- environment: `{}`", key.variable);
        if key.kind == Kind::Secret {
            let _ = writeln!(
                text,
                "- from a file: `{0}_file`, `{1}_FILE`",
                key.name, key.variable
            );
        }
        let takes = match key.kind {
            Kind::Text => "a text".to_owned(),
            Kind::Address => "an address".to_owned(),
            Kind::Path => "a file".to_owned(),
            Kind::Truth => "`true` or `false`".to_owned(),
            Kind::Number { least, most } => format!("a number from {least} to {most}"),
            Kind::Choice(choices) => format!("one of `{}`", choices.join("`, `")),
            Kind::Choices(choices) => {
                format!("any of `{}`, with commas between", choices.join("`, `"))
            }
            Kind::Secret => "a secret of one line".to_owned(),
        };
        let _ = writeln!(text, "- takes: {takes}");
        if !key.default.is_empty() {
            let _ = writeln!(text, "- default: `{}`", key.default);
        }
    }
    text
}

const INTRODUCTION: &str = "\
# Configuration of the platform

`seaworthy serve` needs no configuration. What is set anyway is looked for in four places, later ones over earlier ones:

1. the defaults below,
2. `seaworthy.toml`: the file named by `--config` or `SEAWORTHY_CONFIG`, else the one in the data folder, else
   `/etc/seaworthy/seaworthy.toml`,
3. variables of the environment, `SEAWORTHY_` and the key in capitals,
4. flags: `--set KEY=VALUE`, and for the most common keys a flag of their own.

A key that is not in this list is refused, with the line it stands in. `seaworthy config` prints every value and who set it,
and no secret. A secret can stand in a file of its own, whose name is given with `_file` after the key.

Everything lives in the data folder unless a key says otherwise: `--data`, else `SEAWORTHY_DATA`, else
`~/.local/share/seaworthy`.

```toml
# /etc/seaworthy/seaworthy.toml
listen = \"0.0.0.0:443\"
url = \"https://registry.example\"
tls_certificate = \"/etc/seaworthy/tls/chain.pem\"
tls_key = \"/etc/seaworthy/tls/key.pem\"
database = \"postgres://seaworthy@db.example/seaworthy?sslmode=verify-full\"
database_password_file = \"/run/secrets/database\"
blobs = \"s3://images/seaworthy?endpoint=https://s3.example&region=eu-1\"
s3_access_key_file = \"/run/secrets/s3_access_key\"
s3_secret_key_file = \"/run/secrets/s3_secret_key\"
```

This page is written by the program from the same table that reads the keys.

## Keys
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_what_the_program_writes() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let found = std::fs::read_to_string(page).unwrap_or_default();
        assert!(
            found == reference(),
            "write docs/configuration.md again: seaworthy config --reference > docs/configuration.md"
        );
    }
}
