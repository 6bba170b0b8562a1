//! `cargo xtask tidy`: the habits of the house that no compiler knows.
//!
//! Each check is a function from the project, taken apart, to what it refuses,
//! and has a test that shows it refusing.

mod form;
mod habit;
mod knot;
mod purity;
mod unused;
mod whereabouts;
mod word;

use crate::manifests;
use crate::problem::{Problem, settle};
use crate::sources::{self, Project};

/// One check of the house's habits.
type Check = fn(&Project<'_>) -> Vec<Problem>;

/// Every check, in the order of this list.
const CHECKS: [Check; 7] = [
    knot::check,
    form::check,
    word::check,
    habit::check,
    purity::check,
    unused::check,
    whereabouts::check,
];

pub(crate) fn run() -> anyhow::Result<()> {
    let texts = sources::read_texts()?;
    let crates = sources::crates(&manifests::members_only()?);
    let project = Project::new(&texts, &crates);
    let problems = CHECKS.iter().flat_map(|check| check(&project)).collect();
    settle("tidy", problems)
}

/// What `check` says of a project of one crate, for tests.
#[cfg(test)]
fn verdict(check: Check, name: &str, files: &[(&str, &str)]) -> Vec<String> {
    let (texts, crates) = sources::sample(name, files);
    crate::problem::lines(&check(&Project::new(&texts, &crates)))
}
