//! What people ask of an image.

use crate::Severity;

/// The questions a verdict answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Findings at this level or above fail.
    pub fail_on: Severity,
    /// Findings without an available fix do not fail. They stay in the report.
    pub ignore_unfixed: bool,
    /// How old a feed may be, in days, before it is no longer fresh enough for
    /// a pass.
    pub max_age_days: u32,
    /// Whether the kernel that was found runs: it does on a machine, and never in a
    /// container. Findings of one that does not run stay in the report, and no
    /// verdict depends on them.
    pub kernel_runs: bool,
}

impl Default for Policy {
    /// Fails on `high`, whether fixed or not, and trusts feeds for a week.
    fn default() -> Self {
        Self {
            fail_on: Severity::High,
            ignore_unfixed: false,
            max_age_days: 7,
            kernel_runs: false,
        }
    }
}
