//! `config.json` of docker, `auth.json` of podman, skopeo and buildah.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;

use super::{Credential, CredentialError, FileFault, credential};
use crate::secret::Secret;

/// Most bytes of a file of logins.
const LARGEST: usize = 1 << 20;

/// A file of logins, read.
#[derive(Debug, Clone)]
pub struct CredentialFile {
    path: String,
    logins: BTreeMap<String, Login>,
    programs: BTreeMap<String, String>,
    default_program: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Login {
    auth: Option<Secret>,
    user: String,
    password: Option<Secret>,
    identity: Option<Secret>,
}

/// The parts of the document that concern us. Other keys are other programs'.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    auths: BTreeMap<String, Option<Entry>>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

impl CredentialFile {
    /// Reads the `bytes` of the file at `path`; the path is only for messages.
    ///
    /// # Errors
    ///
    /// When the file is larger than a mebibyte or not such a document. A login
    /// that makes no sense is an error only when it is asked for.
    pub fn read(path: impl Into<String>, bytes: &[u8]) -> Result<Self, CredentialError> {
        let path = path.into();
        let fault = |source| CredentialError::File {
            path: path.clone(),
            source,
        };
        if bytes.len() > LARGEST {
            return Err(fault(FileFault::TooLarge(LARGEST)));
        }
        // The parser's own message may quote the value it stumbled over, so
        // only the place is kept.
        let document: Document = serde_json::from_slice(bytes).map_err(|error| {
            fault(FileFault::Shape {
                line: error.line(),
                column: error.column(),
            })
        })?;
        let kept = |text: String| (!text.is_empty()).then(|| Secret::new(text));
        let logins = document
            .auths
            .into_iter()
            .map(|(key, entry)| {
                let entry = entry.unwrap_or_default();
                let login = Login {
                    auth: kept(entry.auth),
                    user: entry.username,
                    password: kept(entry.password),
                    identity: kept(entry.identitytoken),
                };
                (plain_key(&key), login)
            })
            .collect();
        let programs = document
            .cred_helpers
            .into_iter()
            .map(|(key, program)| (plain_key(&key), program))
            .collect();
        Ok(Self {
            path,
            logins,
            programs,
            default_program: Some(document.creds_store).filter(|name| !name.is_empty()),
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The program that keeps the login of `registry`, by its file name.
    pub(super) fn program_for(&self, registry: &str) -> Result<Option<String>, CredentialError> {
        let named = self.programs.get(&plain_key(registry));
        let Some(name) = named.or(self.default_program.as_ref()) else {
            return Ok(None);
        };
        // A name with a slash in it would run any program of the machine.
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.len() > 64 || !name.bytes().all(is_plain) {
            return Err(CredentialError::ProgramName {
                name: name
                    .chars()
                    .filter(|letter| !letter.is_control())
                    .take(64)
                    .collect(),
                path: self.path.clone(),
            });
        }
        Ok(Some(format!("docker-credential-{name}")))
    }

    /// The login written in the file itself, the longest matching key first:
    /// podman lets one log in to a part of a registry.
    pub(super) fn login_for(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        let host = plain_key(registry);
        let mut key = format!("{host}/{repository}");
        loop {
            if let Some(login) = self.logins.get(&key)
                && let Some(credential) = self.credential_of(&key, login)?
            {
                return Ok(Some(credential));
            }
            match key.rsplit_once('/') {
                Some((shorter, _)) => key = shorter.to_owned(),
                None => return Ok(None),
            }
        }
    }

    fn credential_of(
        &self,
        key: &str,
        login: &Login,
    ) -> Result<Option<Credential>, CredentialError> {
        if let Some(token) = &login.identity {
            return Ok(Some(Credential::Identity(token.clone())));
        }
        if let Some(auth) = &login.auth {
            let text = BASE64
                .decode(auth.reveal().as_bytes())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let Some((user, password)) = text.as_deref().and_then(|text| text.split_once(':'))
            else {
                return Err(CredentialError::File {
                    path: self.path.clone(),
                    source: FileFault::Auth(key.to_owned()),
                });
            };
            // Old versions of docker padded the password with NUL bytes.
            let password = password.trim_matches('\0');
            return Ok(Some(credential(user, password))
                .filter(|credential| *credential != Credential::Anonymous));
        }
        Ok(login
            .password
            .as_ref()
            .map(|password| credential(&login.user, password.reveal())))
    }
}

/// The names under which people have logged in to Docker Hub.
pub(super) fn is_hub(registry: &str) -> bool {
    matches!(
        registry,
        "docker.io" | "index.docker.io" | "registry-1.docker.io"
    )
}

/// One spelling for all the keys that mean the same registry. Docker writes bare
/// hosts, and a URL for Docker Hub; of a URL only the host counts. Without a
/// scheme, a path narrows the login to a part of the registry.
fn plain_key(key: &str) -> String {
    let bare = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    let (host, path) = match (bare, key.split_once('/')) {
        (Some(rest), _) => (rest.split('/').next().unwrap_or(rest), ""),
        (None, Some((host, path))) => (host, path.trim_end_matches('/')),
        (None, None) => (key, ""),
    };
    let host = host.to_ascii_lowercase();
    let host = if is_hub(&host) { "docker.io" } else { &host };
    match path {
        "" | "v1" | "v2" => host.to_owned(),
        path => format!("{host}/{path}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use super::*;

    fn login(document: &str, registry: &str, repository: &str) -> String {
        let file = match CredentialFile::read("config.json", document.as_bytes()) {
            Ok(file) => file,
            Err(error) => return spell(&error),
        };
        match file.login_for(registry, repository) {
            Ok(None) => "nothing".into(),
            Ok(Some(Credential::Anonymous)) => "anonymous".into(),
            Ok(Some(Credential::Password { user, password })) => {
                format!("{user} with {}", password.reveal())
            }
            Ok(Some(Credential::Identity(token))) => format!("identity {}", token.reveal()),
            Ok(Some(Credential::Bearer(token))) => format!("bearer {}", token.reveal()),
            Err(error) => spell(&error),
        }
    }

    fn spell(error: &CredentialError) -> String {
        let source = std::error::Error::source(error).unwrap();
        format!("{error}: {source}")
    }

    #[test]
    fn logins_are_found_under_every_spelling_of_the_registry() {
        let one = |key: &str| format!("{{\"auths\":{{\"{key}\":{{\"auth\":\"YTpi\"}}}}}}");
        for (key, registry) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("docker.io", "docker.io"),
            ("https://registry-1.docker.io/v2/", "docker.io"),
            ("r.example", "r.example"),
            ("R.Example", "r.example"),
            ("https://r.example/v2/", "r.example"),
            ("http://r.example", "r.example"),
            ("r.example/v1/", "r.example"),
            ("r.example:5000", "r.example:5000"),
            ("r.example/team", "r.example"),
            ("r.example/team/app", "r.example"),
        ] {
            assert_eq!(login(&one(key), registry, "team/app"), "a with b", "{key}");
        }
        for (key, registry) in [
            ("r.example:5000", "r.example"),
            ("r.example", "r.example:5000"),
            ("r.example/tea", "r.example"),
            ("r.example/team/app/deeper", "r.example"),
            ("example", "r.example"),
            ("r.example.evil.example", "r.example"),
            ("r.example@evil.example", "r.example"),
        ] {
            assert_eq!(login(&one(key), registry, "team/app"), "nothing", "{key}");
        }
    }

    #[test]
    fn the_longest_key_wins() {
        let document = r#"{"auths": {
            "r.example": {"auth": "YTpi"},
            "r.example/team": {"username": "team", "password": "t"},
            "r.example/team/app": {}
        }}"#;
        assert_eq!(login(document, "r.example", "team/app"), "team with t");
        assert_eq!(login(document, "r.example", "other"), "a with b");
    }

    #[test]
    fn each_kind_of_login_is_read() {
        let one = |entry: &str| format!("{{\"auths\":{{\"r\":{entry}}}, \"HttpHeaders\": {{}}}}");
        for (entry, expected) in [
            (r#"{"auth": "YTpiOmM="}"#, "a with b:c"),
            (r#"{"auth": "YTpiAA=="}"#, "a with b"),
            (r#"{"auth": "Og=="}"#, "nothing"),
            (r#"{"auth": "PHRva2VuPjp0"}"#, "identity t"),
            (
                r#"{"auth": "YTpi", "identitytoken": "long"}"#,
                "identity long",
            ),
            (r#"{"username": "u", "password": "p"}"#, "u with p"),
            ("{}", "nothing"),
            ("null", "nothing"),
            (
                r#"{"auth": "secret"}"#,
                "cannot read the logins in `config.json`: the `auth` of `r` is not `user:password` in base64",
            ),
            (
                r#"{"auth": ["canary"]}"#,
                "cannot read the logins in `config.json`: line 1, column 23 is not what `docker login` writes",
            ),
        ] {
            assert_eq!(login(&one(entry), "r", "x"), expected, "{entry}");
        }
    }

    #[test]
    fn a_program_is_named_plainly_or_not_at_all() {
        let program = |document: &str, registry: &str| {
            CredentialFile::read("config.json", document.as_bytes())
                .unwrap()
                .program_for(registry)
                .map_err(|error| error.to_string())
        };
        let document = r#"{"credsStore": "desktop", "credHelpers": {
            "https://r.example": "ecr-login", "evil.example": "../../bin/sh", "up.example": "Up"}}"#;
        assert_eq!(
            program(document, "r.example"),
            Ok(Some("docker-credential-ecr-login".into()))
        );
        assert_eq!(
            program(document, "docker.io"),
            Ok(Some("docker-credential-desktop".into()))
        );
        assert_eq!(program("{}", "r.example"), Ok(None));
        assert_eq!(
            program(document, "evil.example"),
            Err(
                "`../../bin/sh` in `config.json` is not the name of a credential program"
                    .to_owned()
            )
        );
        assert!(program(document, "up.example").is_err());
    }

    #[test]
    fn a_file_prints_without_its_secrets() {
        let document = r#"{"auths": {"r": {"auth": "Y2FuYXJ5OmNhbmFyeQ==", "password": "canary",
            "identitytoken": "canary"}}}"#;
        let file = CredentialFile::read("config.json", document.as_bytes()).unwrap();
        let shown = format!("{file:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("Y2FuYXJ5"),
            "{shown}"
        );
    }

    #[test]
    fn an_endless_file_is_refused() {
        let bytes = vec![b' '; LARGEST + 1];
        assert!(CredentialFile::read("config.json", &bytes).is_err());
    }
}
