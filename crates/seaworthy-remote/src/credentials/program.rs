//! Programs that keep credentials: `docker-credential-<name> get`.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{Credential, CredentialError, credential};

/// Most bytes of an answer.
const LARGEST: u64 = 64 << 10;

/// A keychain may ask its user to unlock it, so this is a human time.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks `program`, found on `path`, for the login of `server`. Answers `None`
/// when it knows none. `file` is the one that names the program.
pub(super) async fn ask(
    program: &str,
    path: &OsStr,
    server: &str,
    file: &str,
) -> Result<Option<Credential>, CredentialError> {
    let Some(executable) = find(program, path) else {
        return Err(CredentialError::NotInstalled {
            program: program.to_owned(),
            path: file.to_owned(),
        });
    };
    tokio::time::timeout(PATIENCE, talk(program, executable, server))
        .await
        .unwrap_or_else(|_| {
            Err(CredentialError::Slow {
                program: program.to_owned(),
                seconds: PATIENCE.as_secs(),
            })
        })
}

async fn talk(
    program: &str,
    executable: PathBuf,
    server: &str,
) -> Result<Option<Credential>, CredentialError> {
    let failed = |source| CredentialError::Run {
        program: program.to_owned(),
        source,
    };
    let answer = || CredentialError::Answer {
        program: program.to_owned(),
    };
    let mut child = Command::new(executable)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Nothing but us speaks on our standard error, and what such a program
        // says when it fails may hold the secret.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not care for its input closes it early.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        output
            .take(LARGEST + 1)
            .read_to_end(&mut said)
            .await
            .map_err(failed)?;
    }
    if said.len() as u64 > LARGEST {
        return Err(answer());
    }
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        let said = String::from_utf8_lossy(&said).to_ascii_lowercase();
        // The protocol has no code for it, only this sentence.
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(CredentialError::Failed {
            program: program.to_owned(),
            status,
        });
    }
    let found: Answer = serde_json::from_slice(&said).map_err(|_| answer())?;
    Ok(Some(credential(&found.username, &found.secret)).filter(|it| *it != Credential::Anonymous))
}

fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        // A relative folder would run what lies in the current folder.
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| {
            file.metadata()
                .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
        })
}
