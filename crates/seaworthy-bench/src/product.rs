//! How the product is run and what it answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use seaworthy_advisories::Shelf;
use serde::Deserialize;

/// Exit codes of a scan that was carried out: pass, fail, unknown.
pub(crate) const SCANNED: [i32; 3] = [0, 1, 3];

/// The binary that is measured.
pub(crate) struct Product {
    pub(crate) binary: PathBuf,
    pub(crate) edition: PathBuf,
}

/// What an answer says, as far as it shows that the work was done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) packages: usize,
    pub(crate) findings: usize,
    pub(crate) gaps: usize,
    /// Bytes of the document.
    pub(crate) size: u64,
}

#[derive(Deserialize)]
struct Document {
    images: Vec<Image>,
}

#[derive(Deserialize)]
struct Image {
    packages: Vec<serde::de::IgnoredAny>,
    findings: Vec<serde::de::IgnoredAny>,
    gaps: Vec<serde::de::IgnoredAny>,
}

impl Product {
    /// A scan of the layout in `image`, with its data in `table`, where the edition
    /// is installed first.
    pub(crate) fn scan(&self, image: &Path, table: &Path) -> anyhow::Result<Command> {
        let editions = table.join("data/editions");
        if !editions.exists() {
            Shelf::at(&editions).install(fs::read(&self.edition)?)?;
        }
        let mut target = std::ffi::OsString::from("oci:");
        target.push(image);
        let mut command = self.bare();
        command
            .env("SEAWORTHY_DATA", table.join("data"))
            .args([
                "scan",
                "--quiet",
                "--offline",
                "--format",
                "json",
                "--output",
            ])
            .arg(answer_in(table))
            .arg(target);
        Ok(command)
    }

    /// The product with nothing in its environment.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear();
        command
    }

    /// Takes the last answer away: to replace a file, some file systems wait for
    /// the disk.
    pub(crate) fn clear(table: &Path) -> anyhow::Result<()> {
        Ok(fs::remove_file(answer_in(table))?)
    }

    /// What the last scan with its data in `table` answered.
    pub(crate) fn answer(table: &Path) -> anyhow::Result<Answer> {
        let path = answer_in(table);
        let bytes =
            fs::read(&path).with_context(|| format!("no answer in `{}`", path.display()))?;
        let document: Document =
            serde_json::from_slice(&bytes).context("the answer is not the document we know")?;
        let sum = |count: fn(&Image) -> usize| document.images.iter().map(count).sum();
        Ok(Answer {
            packages: sum(|image| image.packages.len()),
            findings: sum(|image| image.findings.len()),
            gaps: sum(|image| image.gaps.len()),
            size: bytes.len() as u64,
        })
    }
}

fn answer_in(table: &Path) -> PathBuf {
    table.join("answer.json")
}

/// Number of the files below a folder, and the bytes of the folder in whole
/// pages as storage counts them, one for each folder.
pub(crate) fn stored(folder: &Path) -> (usize, u64) {
    let mut sum = (0, 4096);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(facts) = entry.metadata() else {
            continue;
        };
        let (count, bytes) = if facts.is_dir() {
            stored(&entry.path())
        } else {
            (1, facts.len().next_multiple_of(4096))
        };
        sum = (sum.0 + count, sum.1 + bytes);
    }
    sum
}
