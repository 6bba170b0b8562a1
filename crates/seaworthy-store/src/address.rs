//! Content addresses of every algorithm that clients may push with.

use std::fmt;
use std::str::FromStr;

use seaworthy_core::Digest;

/// A content address, written `sha256:<64 hex digits>` or `sha512:<128 hex
/// digits>`: the two algorithms registered by the OCI image specification that
/// registries must be ready for.
///
/// Invariant: algorithm and digits are right. Scans know only
/// [`Digest`], which is SHA-256; [`Address::as_digest`] leads there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Box<str>);

/// Why a text is not a content address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither of the two algorithms.
    #[error("digest `{0}` is neither sha256 nor sha512")]
    Algorithm(Box<str>),
    /// Not the right number of lowercase hex digits.
    #[error("digest `{0}` does not have the lowercase hex digits of its algorithm")]
    Hex(Box<str>),
}

/// The algorithm of an [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256, 64 hex digits.
    Sha256,
    /// SHA-512, 128 hex digits.
    Sha512,
}

impl Algorithm {
    /// As written before the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hex digits follow the colon.
    pub fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl Address {
    /// The address of content with this SHA-256.
    pub fn of_sha256(hash: [u8; 32]) -> Self {
        Self(Digest::from_sha256(hash).to_string().into())
    }

    /// The address of content with this SHA-512.
    pub fn of_sha512(hash: [u8; 64]) -> Self {
        let hex = data_encoding::HEXLOWER.encode(&hash);
        Self(format!("sha512:{hex}").into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which algorithm.
    pub fn algorithm(&self) -> Algorithm {
        if self.0.starts_with("sha512:") {
            Algorithm::Sha512
        } else {
            Algorithm::Sha256
        }
    }

    /// The digits after the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// As a scan knows it; `None` for SHA-512.
    pub fn as_digest(&self) -> Option<Digest> {
        self.0.parse().ok()
    }
}

impl From<&Digest> for Address {
    fn from(digest: &Digest) -> Self {
        Self(digest.to_string().into())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bounded = || text.chars().take(160).collect::<String>().into_boxed_str();
        let algorithms = [Algorithm::Sha256, Algorithm::Sha512];
        let Some((algorithm, hex)) = text.split_once(':').and_then(|(name, hex)| {
            let found = algorithms.into_iter().find(|it| it.name() == name)?;
            Some((found, hex))
        }) else {
            return Err(AddressError::Algorithm(bounded()));
        };
        let lowercase_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() != algorithm.digits() || !hex.bytes().all(lowercase_hex) {
            return Err(AddressError::Hex(bounded()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_algorithms_with_all_their_digits_are_addresses() {
        for good in [
            format!("sha256:{}", "0a".repeat(32)),
            format!("sha512:{}", "0a".repeat(64)),
        ] {
            assert_eq!(good.parse::<Address>().map(|it| it.to_string()), Ok(good));
        }
        for bad in [
            String::new(),
            format!("sha256:{}", "0a".repeat(64)),
            format!("sha512:{}", "0a".repeat(32)),
            format!("sha256:{}", "0A".repeat(32)),
            format!("md5:{}", "0a".repeat(16)),
            format!("sha256:../{}", "a".repeat(61)),
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }
}
