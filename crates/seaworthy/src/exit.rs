//! What the exit codes mean.

use std::process::ExitCode;

use seaworthy_core::Outcome;

/// Every way `seaworthy` ends. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for a scan: everything was read and judged and nothing breaks the
    /// policy.
    Pass = 0,
    /// The image breaks the policy.
    Fail = 1,
    /// The command could not be carried out: no target, no network, a corrupt
    /// layer, a wrong flag.
    Error = 2,
    /// Nothing seen breaks the policy, but not everything could be seen.
    Unknown = 3,
}

impl Exit {
    /// The code of a verdict.
    pub(crate) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Fail => Self::Fail,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_ends_with_the_code_that_the_documents_name() {
        for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Unknown] {
            assert_eq!(
                Exit::of(outcome) as u8,
                seaworthy_report::exit_code(outcome)
            );
        }
    }
}
