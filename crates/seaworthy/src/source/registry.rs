//! Images in registries.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use seaworthy_core::{Digest, Reference};
use seaworthy_image::{BlobKey, Blobs, Descriptor, resolve};
use seaworthy_remote::{
    Credential, CredentialFile, Credentials, Options, Proxy, Registry, Secret, Security,
};

use super::{Reading, Taken};
use crate::failure::Hinted;

/// Longest file of logins or certificates, in bytes.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// Pulls and reads the image `name`.
pub(super) fn read(reading: &Reading<'_>, name: &str) -> anyhow::Result<Vec<Taken>> {
    let reference: Reference = name.parse().map_err(|error| {
        Hinted::over(
            format!("`{name}` is not the name of an image"),
            "an image in a registry is named like `alpine:3.20` or `registry.example/team/app:1.2`",
            error,
        )
    })?;
    reading.needs_network("a registry")?;
    reading.bar.say(&format!(
        "asking {} for {}",
        reference.registry(),
        reference.repository()
    ));
    let options = options(reading)?;
    let runtime = crate::runtime::start()?;
    let told = || format!("cannot pull `{reference}`");
    let registry = runtime
        .block_on(Registry::connect(reference.registry(), options))
        .with_context(told)?;
    let top = registry.manifest_blocking(&reference).with_context(told)?;
    let descriptor = Descriptor::new(&top.media_type, top.digest.clone(), top.bytes.len() as u64);
    let blobs = Remote {
        registry: Arc::new(registry),
        reference: &reference,
        top,
    };
    let images = resolve(&blobs, &descriptor, &reading.wish()).with_context(told)?;
    reading.take(images, &blobs)
}

struct Remote<'a> {
    registry: Arc<Registry>,
    reference: &'a Reference,
    /// The manifest already fetched, so that it is not asked for twice.
    top: seaworthy_remote::Manifest,
}

impl Blobs for Remote<'_> {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, size) = blob else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "a registry knows digests only",
            ));
        };
        let reader = self
            .registry
            .blob_blocking(self.reference, digest, *size)
            .map_err(io::Error::other)?;
        Ok(Box::new(reader))
    }

    fn open_manifest(&self, manifest: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        if manifest.digest == self.top.digest {
            return Ok(Box::new(Cursor::new(self.top.bytes.clone())));
        }
        let at: &Digest = &manifest.digest;
        let found = self
            .registry
            .manifest_blocking(&self.reference.at(at.clone()))
            .map_err(io::Error::other)?;
        Ok(Box::new(Cursor::new(found.bytes)))
    }
}

fn options(reading: &Reading<'_>) -> anyhow::Result<Options> {
    let access = &reading.args.access;
    let surroundings = reading.desk.surroundings;
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
                Err(error) => reading
                    .desk
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
