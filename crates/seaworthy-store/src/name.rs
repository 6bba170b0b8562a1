//! Names of namespaces, repositories and tags, after the OCI distribution
//! specification.

use std::fmt;
use std::str::FromStr;

use seaworthy_core::Reference;

/// The namespace of repositories whose name has no slash.
const LIBRARY: &str = "library";

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a repository name of the distribution specification.
    #[error("`{0}` is not a repository name: lowercase letters, digits and single separators")]
    Repository(Box<str>),
    /// Not a namespace.
    #[error("`{0}` is not a namespace: one path component of a repository name")]
    Namespace(Box<str>),
    /// Not a tag of the distribution specification.
    #[error("`{0}` is not a tag: up to 128 letters, digits, `.`, `_` and `-`")]
    Tag(Box<str>),
}

/// A repository, such as `team/app`: lowercase path components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Box<str>);

/// What repositories belong to and rights are given for: the first component of
/// their name, `library` for names without a slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(Box<str>);

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl RepositoryName {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace it belongs to.
    pub fn namespace(&self) -> Namespace {
        match self.0.split_once('/') {
            Some((namespace, _)) => Namespace(namespace.into()),
            None => Namespace(LIBRARY.into()),
        }
    }
}

impl Namespace {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn bounded(text: &str) -> Box<str> {
    text.chars().take(300).collect()
}

/// Whether `text` is a path of lowercase components: what a reference without tag
/// and digest may name under a host of its own.
fn is_path(text: &str) -> bool {
    text.len() <= 255
        && !text.contains([':', '@'])
        && format!("h.example/{text}").parse::<Reference>().is_ok()
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_path(text) {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Repository(bounded(text)))
        }
    }
}

impl FromStr for Namespace {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if is_path(text) && !text.contains('/') {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Namespace(bounded(text)))
        }
    }
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(is_word);
        if begins && text.len() <= 128 && bytes.all(|byte| is_word(byte) || b".-".contains(&byte)) {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Tag(bounded(text)))
        }
    }
}

macro_rules! written {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

written!(RepositoryName, Namespace, Tag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_belong_to_their_first_component() {
        for (name, namespace) in [("team/app", "team"), ("app", "library"), ("a/b/c", "a")] {
            let name: RepositoryName = name.parse().expect("a name");
            assert_eq!(name.namespace().as_str(), namespace);
        }
    }

    #[test]
    fn what_could_be_a_path_trick_is_no_name() {
        for bad in [
            "", "/a", "a/", "a//b", "../a", "a/../b", "A/b", "a:b", "a@b", "a\0b", "a b",
        ] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?}");
        }
        for bad in ["a/b", "..", ""] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad:?}");
        }
        for bad in ["", ".a", "-a", "a/b", "a:b", "ä"] {
            assert!(bad.parse::<Tag>().is_err(), "{bad:?}");
        }
        assert!("_a.B-9".parse::<Tag>().is_ok());
        assert!("a".repeat(129).parse::<Tag>().is_err());
    }
}
