//! Names of images in registries.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, DigestError};

/// An image in a registry: `[registry/]repository[:tag][@digest]`, after the
/// reference grammar of the distribution project. Short names mean Docker Hub,
/// and a name without tag and digest means `latest`, as every client reads them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: Box<str>,
    repository: Box<str>,
    tag: Option<Box<str>>,
    digest: Option<Digest>,
}

/// Why a text is not the name of an image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is empty or longer than any name may be.
    #[error("an image name has 1 to 1024 characters, this one has {0}")]
    Length(usize),
    /// The host part is not one.
    #[error("`{0}` is not a registry host")]
    Registry(Box<str>),
    /// The repository has characters it may not have.
    #[error("`{0}` is not a repository name: lowercase letters, digits and single separators")]
    Repository(Box<str>),
    /// The tag has characters it may not have.
    #[error("`{0}` is not a tag")]
    Tag(Box<str>),
    /// The part after `@` is not a digest.
    #[error("the part after `@` is not a digest")]
    Digest(#[source] DigestError),
}

/// The registry that short names mean, by the name people type.
const DOCKER_HUB: &str = "docker.io";

impl Reference {
    /// Host and optional port, as typed; `docker.io` for short names.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository, such as `library/alpine`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was given or implied.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given. It wins over a tag.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What to ask a registry for: the digest, else the tag.
    pub fn manifest_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.to_string(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The same repository at `digest`.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<std::net::Ipv6Addr>().is_ok(),
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("ipv6", port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Path components of lowercase letters and digits, with `.`, `_`, `__` or any
/// number of `-` between them.
fn is_repository(text: &str) -> bool {
    text.len() <= 255
        && text.split('/').all(|component| {
            let mut separator = "";
            let mut start = 0;
            let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let bytes = component.as_bytes();
            if bytes
                .first()
                .copied()
                .is_none_or(|byte| !alphanumeric(byte))
                || bytes.last().copied().is_none_or(|byte| !alphanumeric(byte))
            {
                return false;
            }
            for (at, byte) in bytes.iter().enumerate() {
                if alphanumeric(*byte) {
                    if !matches!(separator, "" | "." | "_" | "__")
                        && !separator.bytes().all(|it| it == b'-')
                    {
                        return false;
                    }
                    separator = "";
                    start = at + 1;
                } else {
                    separator = component.get(start..=at).unwrap_or("/");
                    if !separator.bytes().all(|it| b"._-".contains(&it)) {
                        return false;
                    }
                }
            }
            true
        })
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() || text.len() > 1024 {
            return Err(ReferenceError::Length(text.len()));
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (
                name,
                Some(digest.parse::<Digest>().map_err(ReferenceError::Digest)?),
            ),
            None => (text, None),
        };
        // The first component is a host only if it looks like one; otherwise
        // `library/alpine` would be read as the host `library`.
        let (registry, rest) = match name.split_once('/') {
            Some((host, rest))
                if host.contains(['.', ':']) || host == "localhost" || host.starts_with('[') =>
            {
                if !is_host(host) {
                    return Err(ReferenceError::Registry(host.into()));
                }
                (host, rest)
            }
            _ => (DOCKER_HUB, name),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(ReferenceError::Tag(tag.into()));
        }
        if !is_repository(path) {
            return Err(ReferenceError::Repository(path.into()));
        }
        let hub = matches!(registry, DOCKER_HUB | "index.docker.io");
        let repository = if hub && !path.contains('/') {
            format!("library/{path}").into_boxed_str()
        } else {
            path.into()
        };
        let tag = tag
            .map(Into::into)
            .or_else(|| digest.is_none().then(|| "latest".into()));
        let registry = if hub { DOCKER_HUB } else { registry };
        Ok(Self {
            registry: registry.into(),
            repository,
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<Reference>() {
            Ok(reference) => reference.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn names_mean_what_every_client_takes_them_to_mean() {
        let hex = "ab".repeat(32);
        for (text, meaning) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3.20", "docker.io/library/alpine:3.20"),
            ("index.docker.io/alpine", "docker.io/library/alpine:latest"),
            ("grafana/grafana", "docker.io/grafana/grafana:latest"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/a/b:c", "localhost:5000/a/b:c"),
            ("[::1]:5000/a", "[::1]:5000/a:latest"),
            ("quay.example/a__b/c-d.e", "quay.example/a__b/c-d.e:latest"),
        ] {
            assert_eq!(read(text), meaning);
        }
        assert_eq!(
            read(&format!("a@sha256:{hex}")),
            format!("docker.io/library/a@sha256:{hex}")
        );
        assert_eq!(
            read(&format!("a:1@sha256:{hex}")),
            format!("docker.io/library/a:1@sha256:{hex}")
        );
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_reason() {
        for bad in [
            "",
            "UPPER",
            "a/../b",
            "a//b",
            "a:..",
            "a@sha256:1",
            "x.example:99999/a",
            "-.example/a",
            "a b",
            "a\u{1b}[31m",
            "a/_b",
            "a/b..c",
            "a___b",
            "http://x/y",
        ] {
            assert!(
                read(bad).starts_with("error: "),
                "{bad:?} was read as {}",
                read(bad)
            );
        }
    }
}
