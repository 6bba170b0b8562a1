//! Secrets that this installation makes up: long, random, and kept as hashes only.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use seaworthy_store::AccountKind;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A secret in the clear, to be shown once. It prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("****")
    }
}

/// An API key or robot secret in its two parts: `swk_<public>_<secret>`.
pub(crate) struct KeyText<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
}

const USER_PREFIX: &str = "swk_";
const ROBOT_PREFIX: &str = "swr_";
const SESSION_PREFIX: &str = "sws_";

/// Longer texts are no secret of ours.
const LONGEST: usize = 128;

impl<'a> KeyText<'a> {
    /// Splits a text that has the shape of a key.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let rest = text
            .strip_prefix(USER_PREFIX)
            .or_else(|| text.strip_prefix(ROBOT_PREFIX))?;
        let (id, secret) = rest.split_once('_')?;
        Some(Self { id, secret })
    }
}

/// What is made when a key is made.
pub(crate) struct Minted {
    pub(crate) id: Box<str>,
    pub(crate) text: Secret,
    pub(crate) hash: Box<str>,
}

/// Makes up a key: 80 random bits to find it by and 256 that prove it.
pub(crate) fn mint_key(kind: AccountKind) -> Minted {
    let prefix = match kind {
        AccountKind::User => USER_PREFIX,
        AccountKind::Robot => ROBOT_PREFIX,
    };
    let id = random_word::<10>();
    let secret = random_word::<32>();
    Minted {
        text: Secret::new(format!("{prefix}{id}_{secret}")),
        hash: hash_of(&secret),
        id: id.into(),
    }
}

/// Makes up the secret of a session, and its hash.
pub(crate) fn mint_session() -> (Secret, Box<str>) {
    let secret = format!("{SESSION_PREFIX}{}", random_word::<32>());
    let hash = hash_of(&secret);
    (Secret::new(secret), hash)
}

/// The hash by which a session is found, if the text can be one.
pub(crate) fn session_hash(text: &str) -> Option<Box<str>> {
    (text.len() <= LONGEST && text.starts_with(SESSION_PREFIX)).then(|| hash_of(text))
}

/// A password for one sign-in: 100 random bits in groups that can be read aloud.
pub(crate) fn mint_password() -> Secret {
    let letters = random_word::<15>();
    let groups: Vec<String> = letters
        .as_bytes()
        .chunks(5)
        .take(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Secret::new(groups.join("-"))
}

/// A random word of lowercase letters and digits that carries `N` bytes.
pub(crate) fn random_word<const N: usize>() -> String {
    BASE32_NOPAD
        .encode(&random_bytes::<N>())
        .to_ascii_lowercase()
}

/// Bytes from the generator that is fit for keys.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}

/// The hash that a random secret is kept as. It needs no salt and no slowness: nobody
/// guesses 256 random bits.
pub(crate) fn hash_of(secret: &str) -> Box<str> {
    HEXLOWER.encode(&Sha256::digest(secret.as_bytes())).into()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_public_part_and_256_secret_bits() {
        let minted = mint_key(AccountKind::Robot);
        let text = minted.text.reveal();
        assert!(text.starts_with("swr_"), "{text}");
        let parts = KeyText::parse(text).expect("the shape of a key");
        assert_eq!(parts.id, &*minted.id);
        assert_eq!(parts.secret.len(), 52, "256 bits, five to a letter");
        assert!(is_same(&hash_of(parts.secret), &minted.hash));
        assert_ne!(mint_key(AccountKind::Robot).id, minted.id);
    }

    #[test]
    fn what_has_another_shape_is_no_key() {
        let long = format!("swk_{}_x", "a".repeat(200));
        for text in ["", "swk_", "swk_abc", "sws_a_b", "SWK_a_b", &long] {
            assert!(KeyText::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn secrets_print_as_stars() {
        assert_eq!(format!("{:?}", mint_session().0), "****");
    }

    #[test]
    fn a_password_for_one_sign_in_has_four_groups() {
        let password = mint_password();
        let groups: Vec<&str> = password.reveal().split('-').collect();
        assert_eq!(groups.len(), 4);
        assert!(groups.iter().all(|group| group.len() == 5));
    }
}
