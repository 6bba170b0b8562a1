//! What a run comes to: a table for people, numbers for programs, and the
//! comparison with the numbers we keep.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The row of the goals it answers to.
    pub(crate) goal: &'static str,
    pub(crate) what: String,
    pub(crate) target: &'static str,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

/// Where we stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// For information; no target speaks of it.
    Reported,
    /// Asked for by a flag that was not given.
    NotMeasured,
}

impl Verdict {
    pub(crate) fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Missed }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::Reported => "",
            Self::NotMeasured => "not measured",
        }
    }
}

/// Everything a run measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sheet {
    pub(crate) rows: Vec<Row>,
    /// Costs relative to a floor or rival of the same run; less is better.
    pub(crate) ratios: BTreeMap<&'static str, f64>,
    /// What the reader should know before believing any of it.
    pub(crate) remarks: Vec<String>,
}

/// A ratio may worsen by this much before it counts.
const SLACK: f64 = 1.10;

impl Sheet {
    pub(crate) fn row(
        &mut self,
        goal: &'static str,
        what: impl Into<String>,
        target: &'static str,
        measured: String,
        verdict: Verdict,
    ) {
        self.rows.push(Row {
            goal,
            what: what.into(),
            target,
            measured,
            verdict,
        });
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let head = ["row", "what", "target", "measured", "verdict"].map(str::to_owned);
        let lines: Vec<[String; 5]> = std::iter::once(head)
            .chain(self.rows.iter().map(|row| {
                [
                    row.goal.to_owned(),
                    row.what.clone(),
                    row.target.to_owned(),
                    row.measured.clone(),
                    row.verdict.word().to_owned(),
                ]
            }))
            .collect();
        let mut widths = [0; 5];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for line in &lines {
            let cells: Vec<String> = line
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "\n{remark}");
        }
        text
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
    }
}

/// The numbers we keep.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// By the names of [`Sheet::ratios`].
    pub(crate) ratios: BTreeMap<String, f64>,
}

impl Baseline {
    /// Where they are kept.
    pub(crate) fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.toml")
    }

    pub(crate) fn read() -> anyhow::Result<Self> {
        let path = Self::path();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("cannot understand `{}`", path.display()))
    }

    /// Replaces the numbers that `sheet` measured and keeps the others.
    pub(crate) fn update(mut self, sheet: &Sheet) -> anyhow::Result<()> {
        for (name, ratio) in &sheet.ratios {
            self.ratios
                .insert((*name).to_owned(), (ratio * 1000.0).round() / 1000.0);
        }
        let text = format!(
            "# Costs relative to the floor (or rival) of the same run; less is better.\n\
             # Written by `cargo xtask bench --record`, held by `--check`.\n\n{}",
            toml::to_string(&self)?
        );
        fs::write(Self::path(), text)?;
        Ok(())
    }

    /// What became worse.
    pub(crate) fn worse(&self, sheet: &Sheet) -> Vec<String> {
        let mut worse = Vec::new();
        for (name, &ratio) in &sheet.ratios {
            match self.ratios.get(*name) {
                Some(&kept) if ratio > kept * SLACK => {
                    worse.push(format!("{name} was {kept:.3} and is {ratio:.3}"));
                }
                Some(_) => {}
                None => worse.push(format!("{name} has no number in baseline.toml")),
            }
        }
        worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_noise_and_more_is_worse() {
        let baseline: Baseline =
            toml::from_str("[ratios]\ncold = 1.2\nwarm = 2.0\n").expect("it is TOML");
        let sheet = |cold, warm| Sheet {
            ratios: [("cold", cold), ("warm", warm)].into(),
            ..Sheet::default()
        };
        assert!(baseline.worse(&sheet(1.3, 1.0)).is_empty());
        assert_eq!(
            baseline.worse(&sheet(1.4, 2.0)),
            ["cold was 1.200 and is 1.400"]
        );
    }

    #[test]
    fn the_table_lines_up() {
        let mut sheet = Sheet::default();
        sheet.row("1", "cold", "<= 1", "2".to_owned(), Verdict::Missed);
        assert_eq!(
            sheet.table(),
            "row  what  target  measured  verdict\n1    cold  <= 1    2         MISSED\n"
        );
    }
}
