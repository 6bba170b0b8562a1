//! Content addresses.

use std::fmt;
use std::str::FromStr;

/// A SHA-256 content address, written `sha256:<64 lowercase hex digits>`.
///
/// Invariant: `hex` has exactly 64 lowercase hex digits. [`FromStr`] and
/// [`Digest::from_sha256`] are the only ways in. The algorithm registry of the
/// OCI image specification knows others; an image that uses one is refused by
/// name rather than trusted unread.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    hex: Box<str>,
}

/// Why a text is not a digest that Seaworthy can verify.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The text names another algorithm, or none.
    #[error("digest `{0}` is not a sha256 digest")]
    Algorithm(Box<str>),
    /// The text after `sha256:` is not 64 lowercase hex digits.
    #[error("digest `{0}` does not have 64 lowercase hex digits")]
    Hex(Box<str>),
}

impl Digest {
    /// The address of content whose SHA-256 is `hash`.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let hex: String = hash
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
            .collect();
        Self { hex: hex.into() }
    }

    /// The 64 hex digits without the algorithm.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The first twelve hex digits: enough for people, never for comparing.
    pub fn short(&self) -> &str {
        self.hex.get(..12).unwrap_or(&self.hex)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bounded = || text.chars().take(100).collect::<String>().into_boxed_str();
        let Some(hex) = text.strip_prefix("sha256:") else {
            return Err(DigestError::Algorithm(bounded()));
        };
        let lowercase_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() != 64 || !hex.bytes().all(lowercase_hex) {
            return Err(DigestError::Hex(bounded()));
        }
        Ok(Self { hex: hex.into() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_lowercase_sha256_is_a_digest() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(
            good.parse::<Digest>().map(|digest| digest.to_string()),
            Ok(good)
        );
        for bad in [
            String::new(),
            "sha256:".into(),
            format!("sha256:{}", "0A".repeat(32)),
            format!("sha256:{}", "0a".repeat(31)),
            format!("sha512:{}", "0a".repeat(64)),
            format!("sha256:../{}", "a".repeat(61)),
            format!("sha256:{}\0", "a".repeat(63)),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hash_prints_as_its_hex() {
        let mut hash = [0; 32];
        hash[0] = 0xf0;
        hash[31] = 0x0d;
        assert_eq!(
            Digest::from_sha256(hash).to_string(),
            format!("sha256:f0{}0d", "00".repeat(30))
        );
    }
}
