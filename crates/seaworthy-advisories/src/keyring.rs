//! Whose seals count here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::seal::{KeyError, PublicKey};

/// A folder of public keys, one PEM file each, named by the key.
///
/// Whoever may write to the folder decides who is trusted. An empty or absent
/// folder trusts nobody.
#[derive(Clone, Debug)]
pub struct Keyring {
    folder: PathBuf,
}

/// What went wrong with the keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file or folder refused.
    #[error("cannot {act} `{}`", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file in the folder is no key. Ignoring it could lock everybody out, or
    /// hide that somebody tried.
    #[error("`{}` is no public key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What it is not.
        #[source]
        source: KeyError,
    },
}

/// A public key in PEM has some hundred bytes.
const MAX_BYTES: u64 = 4 << 10;

impl Keyring {
    /// The keys in `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Every trusted key, sorted by id.
    pub fn keys(&self) -> Result<Vec<PublicKey>, KeyringError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &self.folder)(error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("read", &self.folder))?.path();
            if path.extension().is_none_or(|extension| extension != "pem") {
                continue;
            }
            let length = fs::metadata(&path).map_err(failed("read", &path))?.len();
            if length > MAX_BYTES {
                let source = KeyError;
                return Err(KeyringError::Key { path, source });
            }
            let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
            match PublicKey::from_pem(&text) {
                Ok(key) => keys.push(key),
                Err(source) => return Err(KeyringError::Key { path, source }),
            }
        }
        keys.sort_by_key(PublicKey::id);
        Ok(keys)
    }

    /// Trusts `key`, too.
    pub fn add(&self, key: &PublicKey) -> Result<PathBuf, KeyringError> {
        fs::create_dir_all(&self.folder).map_err(failed("create", &self.folder))?;
        let path = self.path_of(&key.id());
        let text = key.to_pem().map_err(|source| KeyringError::Key {
            path: path.clone(),
            source,
        })?;
        let draft = path.with_extension("draft");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(failed("write", &path))?;
        Ok(path)
    }

    /// No longer trusts the key called `id`. Says whether it was trusted.
    pub fn remove(&self, id: &str) -> Result<bool, KeyringError> {
        // Only names of ours: an id must not lead out of the folder.
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(false);
        }
        let path = self.path_of(id);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("remove", &path)(error)),
        }
    }

    /// Trusts exactly these keys: first the new ones are added, then the others
    /// go, so that being cut off in between trusts too many rather than nobody.
    pub fn hand_over(&self, keys: &[PublicKey]) -> Result<(), KeyringError> {
        for key in keys {
            self.add(key)?;
        }
        for old in self.keys()? {
            if !keys.contains(&old) {
                self.remove(&old.id())?;
            }
        }
        Ok(())
    }

    fn path_of(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.pem"))
    }
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyringError {
    let path = path.to_owned();
    move |source| KeyringError::File { act, path, source }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use crate::seal::PrivateKey;

    fn key(number: u8) -> PublicKey {
        PrivateKey::from_secret([number; 32]).public()
    }

    #[test]
    fn keys_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let ring = Keyring::at(folder.path().join("keys"));
        assert_eq!(ring.keys().unwrap(), []);
        ring.add(&key(1)).unwrap();
        ring.add(&key(1)).unwrap();
        assert_eq!(ring.keys().unwrap(), [key(1)]);
        ring.hand_over(&[key(2)]).unwrap();
        assert_eq!(ring.keys().unwrap(), [key(2)]);
        assert!(ring.remove(&key(2).id()).unwrap());
        assert!(!ring.remove(&key(2).id()).unwrap());
        assert!(!ring.remove("../keys").unwrap());
    }

    #[test]
    fn what_is_no_key_is_not_overlooked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.pem"), "hello").unwrap();
        let ring = Keyring::at(folder.path());
        assert!(
            ring.keys()
                .unwrap_err()
                .to_string()
                .ends_with("is no public key")
        );
    }
}
