//! What every renderer is given.

use seaworthy_core::{Outcome, Policy, Report, Verdict};

/// One image, read and judged.
#[derive(Clone, Copy, Debug)]
pub struct Assessed<'a> {
    /// What is known of the image.
    pub report: &'a Report,
    /// What the policy says to that.
    pub verdict: &'a Verdict,
    /// What was asked of the image.
    pub policy: &'a Policy,
}

/// The outcome of several images together: a fail wins over unknown, unknown
/// wins over pass, and nothing at all is unknown.
pub fn overall(images: &[Assessed<'_>]) -> Outcome {
    let outcomes = || images.iter().map(|image| image.verdict.outcome());
    if outcomes().any(|outcome| outcome == Outcome::Fail) {
        Outcome::Fail
    } else if images.is_empty() || outcomes().any(|outcome| outcome == Outcome::Unknown) {
        Outcome::Unknown
    } else {
        Outcome::Pass
    }
}

/// The exit code that stands for an outcome. The missing `2` is for what could
/// not be scanned, which has no outcome.
pub fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Fail => 1,
        Outcome::Unknown => 3,
    }
}
