//! How registries are talked to: logins, certificates and proxies, from flags and
//! environment.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use seaworthy_remote::{Credential, CredentialFile, Credentials, Options, Proxy, Secret, Security};

use crate::cli::RegistryArgs;
use crate::desk::Desk;
use crate::failure::Hinted;

/// Longest file of logins or certificates, in bytes.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// Everything that flags and environment say of how to talk to a registry.
pub(crate) fn options(desk: &Desk<'_>, access: &RegistryArgs) -> anyhow::Result<Options> {
    let surroundings = desk.surroundings;
    let username = access
        .registry_username
        .as_ref()
        .or(surroundings.registry_username.as_ref());
    let given = match (username, &surroundings.registry_password) {
        _ if surroundings.registry_token.is_some() => surroundings
            .registry_token
            .clone()
            .map(|token| Credential::Bearer(Secret::new(token))),
        (Some(user), Some(password)) => Some(Credential::Password {
            user: user.clone(),
            password: Secret::new(password.clone()),
        }),
        (Some(_), None) => {
            return Err(Hinted::error(
                "there is a user name for the registry and no password",
                "set SEAWORTHY_REGISTRY_PASSWORD as well",
            ));
        }
        (None, Some(_)) => {
            return Err(Hinted::error(
                "there is a password for the registry and no user name",
                "set SEAWORTHY_REGISTRY_USERNAME as well",
            ));
        }
        (None, None) => None,
    };
    let mut files = Vec::new();
    if given.is_none() {
        for (path, named) in surroundings.credential_files() {
            match login_file(&path) {
                Ok(file) => files.extend(file),
                Err(error) if named => return Err(error),
                // What is public can be read without it; where a login is
                // needed, the registry says so.
                Err(error) => desk
                    .printer
                    .note(&format!("{error:#}; going on without it")),
            }
        }
    }
    let mut authorities = Vec::new();
    if let Some(path) = access
        .registry_ca
        .as_ref()
        .or(surroundings.registry_ca.as_ref())
    {
        let told = || format!("cannot read the certificates in `{}`", path.display());
        let bytes = bounded(path).with_context(told)?;
        authorities.push(bytes.with_context(told)?);
    }
    let secret = |proxy: &Option<String>| proxy.clone().map(Secret::new);
    Ok(Options {
        credentials: Credentials {
            given,
            files,
            program_path: surroundings.path.clone().unwrap_or_default(),
        },
        security: if access.insecure || surroundings.registry_insecure {
            Security::Unverified
        } else {
            Security::default()
        },
        authorities,
        proxy: Proxy {
            http: secret(&surroundings.http_proxy),
            https: secret(&surroundings.https_proxy),
            except: surroundings.no_proxy.clone().unwrap_or_default(),
        },
        trusted_realms: [
            &access.registry_trusted_realm[..],
            &surroundings.registry_trusted_realms,
        ]
        .concat(),
        user_agent: concat!("seaworthy/", env!("CARGO_PKG_VERSION")).to_owned(),
        ..Options::default()
    })
}

/// A file of logins, which may be absent or empty.
fn login_file(path: &Path) -> anyhow::Result<Option<CredentialFile>> {
    let bytes = bounded(path)
        .with_context(|| format!("cannot read the logins in `{}`", path.display()))?
        .filter(|bytes| !bytes.trim_ascii().is_empty());
    let read = |bytes: Vec<u8>| CredentialFile::read(path.display().to_string(), &bytes);
    Ok(bytes.map(read).transpose()?)
}

/// The bytes of a file that may be absent.
fn bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
