//! What we may say to be let in, and where it is kept.
//!
//! The front door finds the files and the `PATH`, this module reads them: the
//! `config.json` of `docker login`, the `auth.json` of podman and its relatives,
//! and the programs that keep secrets in a keychain.

mod file;
mod program;

use std::ffi::OsString;
use std::io;

pub use file::CredentialFile;

use crate::secret::Secret;

/// What a registry or its token server accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: what everyone may read.
    Anonymous,
    /// A user with a password or access token.
    Password {
        /// The user name, as the registry knows it.
        user: String,
        /// The password, or an access token in its place.
        password: Secret,
    },
    /// A long-lived token that the token server exchanges for short ones
    /// (OAuth 2 refresh token; `identitytoken` in docker's configuration).
    Identity(Secret),
    /// A token that the registry itself accepts, sent as it is.
    Bearer(Secret),
}

/// Why a credential could not be looked up.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file is not what docker or podman writes.
    #[error("cannot read the logins in `{path}`")]
    File {
        /// As the front door named it.
        path: String,
        /// What is wrong with it. Never quotes the file.
        source: FileFault,
    },
    /// The configuration names a program that no program can be called.
    #[error("`{name}` in `{path}` is not the name of a credential program")]
    ProgramName {
        /// The name, shortened.
        name: String,
        /// The file that names it.
        path: String,
    },
    /// The program is not on the `PATH`.
    #[error("the credential program `{program}` named in `{path}` is not installed")]
    NotInstalled {
        /// File name of the program.
        program: String,
        /// The file that names it.
        path: String,
    },
    /// The program could not be run.
    #[error("cannot run the credential program `{program}`")]
    Run {
        /// File name of the program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program did not answer in time and was stopped.
    #[error("the credential program `{program}` did not answer within {seconds} seconds")]
    Slow {
        /// File name of the program.
        program: String,
        /// How long it had.
        seconds: u64,
    },
    /// The program ended with an error. What it said is not repeated here: it may
    /// hold the secret.
    #[error("the credential program `{program}` failed ({status})")]
    Failed {
        /// File name of the program.
        program: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
    /// The program answered something that is not a credential.
    #[error("the credential program `{program}` gave no readable answer")]
    Answer {
        /// File name of the program.
        program: String,
    },
}

/// What is wrong with a file of logins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// More bytes than a person has logins for.
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    /// Not JSON, or not of this shape.
    #[error("line {line}, column {column} is not what `docker login` writes")]
    Shape {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The `auth` of a registry is not `user:password` in base64.
    #[error("the `auth` of `{0}` is not `user:password` in base64")]
    Auth(String),
}

/// Where credentials come from, best first: what the user gave for this run, then
/// files in the order given.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// From `SEAWORTHY_REGISTRY_*` or a flag. Wins over everything else.
    pub given: Option<Credential>,
    /// The first file that knows the registry decides.
    pub files: Vec<CredentialFile>,
    /// The `PATH` on which `docker-credential-…` programs are looked for.
    pub program_path: OsString,
}

impl Credentials {
    /// What to say to `registry` for `repository`. Knowing nothing is
    /// [`Credential::Anonymous`].
    pub async fn look_up(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Credential, CredentialError> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        for file in &self.files {
            if let Some(program) = file.program_for(registry)? {
                let found = program::ask(
                    &program,
                    &self.program_path,
                    &server_name(registry),
                    file.path(),
                )
                .await?;
                if let Some(credential) = found {
                    return Ok(credential);
                }
            }
            if let Some(credential) = file.login_for(registry, repository)? {
                return Ok(credential);
            }
        }
        Ok(Credential::Anonymous)
    }
}

/// The name under which docker keeps the login of Docker Hub, since before
/// registries had names.
const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// What a credential program calls `registry`.
fn server_name(registry: &str) -> String {
    if file::is_hub(registry) {
        HUB_SERVER.to_owned()
    } else {
        registry.to_owned()
    }
}

/// A user name and secret as files and programs give them. Docker marks a token
/// for the token server with the user name `<token>`.
fn credential(user: &str, secret: &str) -> Credential {
    match (user, secret) {
        ("", "") => Credential::Anonymous,
        ("<token>", token) => Credential::Identity(Secret::new(token)),
        (user, password) => Credential::Password {
            user: user.to_owned(),
            password: Secret::new(password),
        },
    }
}
