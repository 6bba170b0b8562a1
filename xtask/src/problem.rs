//! What a check found.

use std::fmt;

/// One finding of a check: where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// A path from the workspace root, with `:line` where there is one, or the
    /// name of a crate.
    pub(crate) place: String,
    pub(crate) message: String,
    pub(crate) weight: Weight,
}

/// Whether a finding stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Refuse,
    Warn,
}

impl Problem {
    pub(crate) fn refuse(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            weight: Weight::Refuse,
        }
    }

    pub(crate) fn warn(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warn,
            ..Self::refuse(place, message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Refuse => "refused",
            Weight::Warn => "warning",
        };
        write!(out, "{weight}: {}: {}", self.place, self.message)
    }
}

/// A failure that has already been told.
#[derive(Debug)]
pub(crate) struct Quiet;

impl fmt::Display for Quiet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("failed, as told above")
    }
}

impl std::error::Error for Quiet {}

/// Prints what a check found and fails where something was refused.
pub(crate) fn settle(check: &str, mut problems: Vec<Problem>) -> anyhow::Result<()> {
    problems.sort();
    problems.dedup();
    for problem in &problems {
        println!("{problem}");
    }
    let refused = problems
        .iter()
        .filter(|problem| problem.weight == Weight::Refuse)
        .count();
    anyhow::ensure!(refused == 0, "{check} refused {refused} things");
    Ok(())
}

/// One line per problem, for tests.
#[cfg(test)]
pub(crate) fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_does_not_fail_a_check_and_a_refusal_does() {
        assert!(settle("it", vec![Problem::warn("a.rs", "long")]).is_ok());
        let mixed = vec![
            Problem::warn("a.rs", "long"),
            Problem::refuse("a.rs", "wrong"),
        ];
        assert_eq!(
            settle("it", mixed).expect_err("one refusal").to_string(),
            "it refused 1 things"
        );
    }
}
