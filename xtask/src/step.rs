//! Child processes, run from the root of the workspace.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// The environment variable `name`.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask is a front door: cargo and CI speak to it through the environment"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    program(variable("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(crate) fn program(name: impl Into<OsString>) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(root());
    command
}

/// Runs a command whose output the reader should see.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", spoken(command)))?;
    anyhow::ensure!(status.success(), "{} ended with {status}", spoken(command));
    Ok(())
}

/// Runs a command for what it writes to standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", spoken(command)))?;
    anyhow::ensure!(
        output.status.success(),
        "{} ended with {}",
        spoken(command),
        output.status
    );
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} does not speak UTF-8", spoken(command)))
}

/// Whether `program` is there: on the `PATH`, or in the administrator's folders
/// that a user's `PATH` often leaves out. A full path is looked for as it is.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = variable("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

fn spoken(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_with_its_arguments() {
        let error = run(program("cargo")
            .args(["no-such-chore"])
            .stderr(Stdio::null()))
        .expect_err("cargo has no such command");
        assert!(
            error
                .to_string()
                .starts_with("`cargo no-such-chore` ended with"),
            "{error}"
        );
    }

    #[test]
    fn a_program_is_found_where_it_is() {
        assert!(is_installed("cargo"));
        assert!(!is_installed("no-such-program-anywhere"));
    }
}
