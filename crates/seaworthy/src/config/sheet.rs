//! What was said about each key, and by whom.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::desk::Desk;
use crate::failure::Hinted;
use crate::key::{self, FILE, KEYS, Key, Kind};

use super::file;

/// Who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody.
    Default,
    /// `seaworthy.toml`, there.
    File {
        /// Which.
        path: PathBuf,
        /// In which line.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => formatter.write_str(name),
        }
    }
}

/// What was said about a key.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) key: &'static Key,
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

impl Said {
    /// Key, value and origin, for an error.
    pub(crate) fn told(&self) -> String {
        let value = shown(self.key.kind, &self.text);
        match &self.origin {
            Origin::Default => format!("`{}`, which is `{value}`,", self.key.name),
            Origin::File { path, line } => format!(
                "`{}` in `{}`, line {line}, which is `{value}`,",
                self.key.name,
                path.display()
            ),
            Origin::Variable(name) | Origin::Flag(name) => {
                format!("`{name}`, which is `{value}`,")
            }
        }
    }
}

/// A value as it may be printed.
pub(crate) fn shown(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Secret if text.is_empty() => String::new(),
        Kind::Secret => "(set)".to_owned(),
        Kind::Address => without_password(text),
        Kind::Text
        | Kind::Path
        | Kind::Truth
        | Kind::Number { .. }
        | Kind::Choice(_)
        | Kind::Choices(_) => text.to_owned(),
    }
}

/// A URL without what follows its user's name, and without what its query may
/// hide: only `endpoint`, `region` and `sslmode` are shown.
fn without_password(text: &str) -> String {
    let (address, query) = match text.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (text, None),
    };
    // The last `@` ends the user's part, whatever a password holds.
    let address = match address
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    {
        Some((scheme, (user, host))) => {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}://{user}@{host}")
        }
        None => address.to_owned(),
    };
    let Some(query) = query else { return address };
    let kept: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name @ ("endpoint" | "region" | "sslmode"), value)) if !value.contains('@') => {
                format!("{name}={value}")
            }
            Some((name, _)) => format!("{name}=(set)"),
            None => "(set)".to_owned(),
        })
        .collect();
    format!("{address}?{}", kept.join("&"))
}

/// All keys, each with what counts.
#[derive(Debug)]
pub(crate) struct Sheet {
    said: BTreeMap<&'static str, Said>,
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
}

/// Where a file lies that nobody named, after the data folder.
const SYSTEM_FILE: &str = "/etc/seaworthy/seaworthy.toml";

/// Longest file that holds a secret, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

impl Sheet {
    /// Lays defaults, file, environment and flags over each other. `flags` are
    /// (key, value, flag), later ones over earlier ones.
    pub(crate) fn read(
        desk: &Desk<'_>,
        named: Option<&Path>,
        flags: &[(String, String, String)],
    ) -> anyhow::Result<Self> {
        let mut sheet = Self::defaults(desk);
        sheet.lay_file(desk, named)?;
        for (name, text) in &desk.surroundings.configured {
            let origin = Origin::Variable(variable(name));
            sheet.lay(name, text.clone(), origin)?;
        }
        sheet.lay_flags(flags)?;
        Ok(sheet)
    }

    /// Lays flags over the defaults, whatever else this machine says.
    pub(crate) fn without_file(
        desk: &Desk<'_>,
        flags: &[(String, String, String)],
    ) -> anyhow::Result<Self> {
        let mut sheet = Self::defaults(desk);
        sheet.lay_flags(flags)?;
        Ok(sheet)
    }

    fn defaults(desk: &Desk<'_>) -> Self {
        let mut sheet = Self {
            said: BTreeMap::new(),
            file: None,
        };
        for key in KEYS {
            let default = match key.name {
                "database" => format!("sqlite:{}", desk.data.join("seaworthy.db").display()),
                "blobs" => format!("files:{}", desk.data.join("blobs").display()),
                _ => key.default.to_owned(),
            };
            sheet.put(key, default, Origin::Default);
        }
        sheet
    }

    fn lay_flags(&mut self, flags: &[(String, String, String)]) -> anyhow::Result<()> {
        for (name, text, flag) in flags {
            self.lay(name, text.clone(), Origin::Flag(flag.clone()))?;
        }
        Ok(())
    }

    fn lay_file(&mut self, desk: &Desk<'_>, named: Option<&Path>) -> anyhow::Result<()> {
        let named = named.or(desk.surroundings.config.as_deref());
        let places = [desk.data.join("seaworthy.toml"), SYSTEM_FILE.into()];
        let usual = || places.into_iter().find(|path| path.exists());
        let Some(path) = named.map(Path::to_owned).or_else(usual) else {
            return Ok(());
        };
        for line in file::read(&path)? {
            let origin = Origin::File {
                path: path.clone(),
                line: line.number,
            };
            self.lay(&line.name, line.text, origin)?;
        }
        self.file = Some(path);
        Ok(())
    }

    fn put(&mut self, key: &'static Key, text: String, origin: Origin) {
        self.said.insert(key.name, Said { key, text, origin });
    }

    /// One value, said later than what is there.
    fn lay(&mut self, name: &str, text: String, origin: Origin) -> anyhow::Result<()> {
        if let Some(key) = key::named(name) {
            self.put(key, text, origin);
            return Ok(());
        }
        let secret = name
            .strip_suffix(FILE)
            .and_then(key::named)
            .filter(|key| key.kind == Kind::Secret);
        if let Some(key) = secret {
            let text = secret_in(Path::new(&text)).map_err(|error| {
                Hinted::over(
                    format!("cannot read the secret in `{text}` ({origin})"),
                    "the file must hold the secret alone and be readable by this user",
                    error,
                )
            })?;
            self.put(key, text, origin);
            return Ok(());
        }
        let what = match &origin {
            Origin::File { path, line } => {
                format!(
                    "`{}`, line {line}: there is no key `{name}`",
                    path.display()
                )
            }
            _ => format!("there is no key `{name}`"),
        };
        Err(Hinted::error(what, nearest(name)))
    }

    /// Every key in the order of the table.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Said> {
        KEYS.iter().filter_map(|key| self.said.get(key.name))
    }

    /// What was said about a key of the table.
    pub(super) fn said(&self, name: &'static str) -> &Said {
        self.said
            .get(name)
            .expect("every key of the table has a default, and names in code are of the table")
    }

    pub(super) fn path(&self, name: &'static str) -> Option<PathBuf> {
        let text = &self.said(name).text;
        (!text.is_empty()).then(|| text.into())
    }

    pub(super) fn secret(&self, name: &'static str) -> anyhow::Result<Option<String>> {
        let said = self.said(name);
        if said.text.chars().any(char::is_control) {
            return Err(Hinted::error(
                format!("{} has more than one line", said.told()),
                "a secret is one line",
            ));
        }
        Ok((!said.text.is_empty()).then(|| said.text.clone()))
    }

    pub(super) fn truth(&self, name: &'static str) -> anyhow::Result<bool> {
        let said = self.said(name);
        match &*said.text.to_lowercase() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Hinted::error(
                format!("{} is neither true nor false", said.told()),
                "write `true` or `false`",
            )),
        }
    }

    pub(super) fn number(&self, name: &'static str) -> anyhow::Result<u64> {
        let said = self.said(name);
        let Kind::Number { least, most } = said.key.kind else {
            return Ok(0);
        };
        let number = said.text.replace('_', "").parse().ok();
        number
            .filter(|it| (least..=most).contains(it))
            .ok_or_else(|| {
                Hinted::error(
                    format!("{} is not a number from {least} to {most}", said.told()),
                    "docs/configuration.md tells what each key takes",
                )
            })
    }

    pub(super) fn size(&self, name: &'static str) -> anyhow::Result<usize> {
        self.number(name)
            .map(|it| usize::try_from(it).unwrap_or(usize::MAX))
    }

    pub(super) fn choice(&self, name: &'static str) -> anyhow::Result<String> {
        let said = self.said(name);
        match said.key.kind {
            Kind::Choice(choices) if !choices.contains(&&*said.text) => Err(Hinted::error(
                format!("{} is none of {}", said.told(), choices.join(", ")),
                "docs/configuration.md tells what each key takes",
            )),
            _ => Ok(said.text.clone()),
        }
    }

    pub(super) fn choices(&self, name: &'static str) -> anyhow::Result<Vec<String>> {
        let said = self.said(name);
        let Kind::Choices(choices) = said.key.kind else {
            return Ok(Vec::new());
        };
        let chosen: Vec<String> = said
            .text
            .split(',')
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .collect();
        match chosen.iter().find(|it| !choices.contains(&&***it)) {
            None if !chosen.is_empty() => Ok(chosen),
            _ => Err(Hinted::error(
                format!("{} is not a list of {}", said.told(), choices.join(", ")),
                "write one or several of them, with commas between",
            )),
        }
    }
}

/// The variable of a key, or of a secret's file.
fn variable(name: &str) -> String {
    format!("SEAWORTHY_{}", name.to_uppercase())
}

/// The one line of a file with a secret.
fn secret_in(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::metadata(path)?.len();
    anyhow::ensure!(bytes <= LONGEST_SECRET, "it is longer than a secret");
    Ok(fs::read_to_string(path)?
        .trim_end_matches(['\r', '\n'])
        .to_owned())
}

/// What somebody may have meant.
fn nearest(name: &str) -> String {
    let close = |key: &&Key| {
        let shared = key
            .name
            .bytes()
            .zip(name.bytes())
            .take_while(|(known, typed)| known == typed)
            .count();
        shared >= 3 || key.name.contains(name) || name.contains(key.name)
    };
    match KEYS.iter().find(close) {
        Some(key) => format!(
            "there is `{}`; docs/configuration.md lists all keys",
            key.name
        ),
        None => "docs/configuration.md lists all keys".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_address_has_no_password() {
        for (text, expected) in [
            (
                "postgres://ada:s3cr3t@db:5432/app",
                "postgres://ada@db:5432/app",
            ),
            ("postgres://ada:s3@cr3t@db/app", "postgres://ada@db/app"),
            (
                "postgres://ada@db/app?sslmode=require&password=s3cr3t",
                "postgres://ada@db/app?sslmode=require&password=(set)",
            ),
            ("sqlite:/srv/a.db", "sqlite:/srv/a.db"),
            (
                "s3://bucket/x?endpoint=https://me:s3cr3t@minio&region=r",
                "s3://bucket/x?endpoint=(set)&region=r",
            ),
        ] {
            assert_eq!(shown(Kind::Address, text), expected);
        }
        assert_eq!(shown(Kind::Secret, "s3cr3t"), "(set)");
    }
}
