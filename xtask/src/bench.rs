//! `cargo xtask bench`: builds the product and the bench as users get them, and
//! lets the bench speak.

use crate::step;

/// Every argument is the bench's own; `--dist` also says which profile to build.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let dist = arguments.iter().any(|argument| argument == "--dist");
    let profile = if dist { "dist" } else { "release" };
    step::run(step::cargo().args(["build", "--profile", profile, "--package", "seaworthy"]))?;
    step::run(
        step::cargo()
            .args([
                "run",
                "--release",
                "--package",
                "seaworthy-bench",
                "--features",
                "reference",
                "--",
            ])
            .args(arguments),
    )
}
