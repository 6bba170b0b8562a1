//! Who vouches for an edition.
//!
//! A *seal* is a statement about one edition with signatures over it, in the Dead
//! Simple Signing Envelope (DSSE 1.0.2) with Ed25519 (RFC 8032). It names the
//! edition by digest and size, packed and unpacked, so that nothing is unpacked
//! that nobody vouched for, and where only changes are sent, the edition they start
//! from; it counts up, so that an older one cannot take the
//! place of a newer; it ends, so that nobody can be kept on an old one for ever;
//! and it may hand over to other keys.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use seaworthy_core::{Day, Digest};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const TYPE: &str = "application/vnd.seaworthy.edition.seal.v1+json";
/// A seal with a hundred keys and signatures has some twenty kilobytes.
const MAX_BYTES: usize = 64 << 10;
const MAX_KEYS: usize = 32;

/// What a seal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The edition.
    pub edition: Digest,
    /// Its length in bytes.
    pub bytes: u64,
    /// The edition that is changed into it, where only changes are sent.
    pub from: Option<Digest>,
    /// The edition, or the changes, as sent.
    pub packed: Digest,
    /// The length of that in bytes.
    pub packed_bytes: u64,
    /// Greater than that of any seal before it.
    pub serial: u64,
    /// The last day on which the edition may be taken.
    pub expires: Option<Day>,
    /// The keys to trust from now on; empty leaves the keys as they are.
    pub keys: Vec<PublicKey>,
}

/// Somebody who may vouch for editions.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// What somebody vouches with.
pub struct PrivateKey(SigningKey);

/// Why a text is not a key.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 key in PEM")]
pub struct KeyError;

/// Why a seal does not count.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It is not a seal at all.
    #[error("not the seal of an edition")]
    NotASeal,
    /// Nobody signed it.
    #[error("the seal has no signature")]
    Unsigned,
    /// Nobody who is trusted signed it.
    #[error("the seal is signed by {keys}, and none of them is trusted")]
    Untrusted {
        /// Who signed it.
        keys: Box<str>,
    },
    /// Somebody changed it, or pretends to be somebody else.
    #[error("a signature of the seal is forged")]
    Forged,
    /// It is too old to be taken.
    #[error("the seal expired on {day}")]
    Expired {
        /// The last day on which it counted.
        day: Day,
    },
    /// A newer edition was installed before.
    #[error("the seal has serial {serial}, and {installed} was installed before")]
    Older {
        /// Its serial.
        serial: u64,
        /// The serial of the last installed.
        installed: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    keyid: String,
    sig: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    edition: String,
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    packed: String,
    packed_bytes: u64,
    serial: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
}

impl Sealed {
    /// The seal of this statement, signed with each of `keys`. Without keys it is
    /// a seal that nobody vouches for.
    pub fn seal(&self, keys: &[PrivateKey]) -> Result<Vec<u8>, SealError> {
        let payload = serde_json::to_vec(&Payload {
            edition: self.edition.to_string(),
            bytes: self.bytes,
            from: self.from.as_ref().map(Digest::to_string),
            packed: self.packed.to_string(),
            packed_bytes: self.packed_bytes,
            serial: self.serial,
            expires: self.expires.map(|day| day.to_string()),
            keys: self.keys.iter().map(PublicKey::to_base64).collect(),
        })
        .map_err(|_| SealError::NotASeal)?;
        let signed = authenticated(TYPE, &payload);
        let envelope = Envelope {
            payload_type: TYPE.to_owned(),
            payload: BASE64.encode(&payload),
            signatures: keys
                .iter()
                .map(|key| EnvelopeSignature {
                    keyid: key.public().id(),
                    sig: BASE64.encode(&key.0.sign(&signed).to_bytes()),
                })
                .collect(),
        };
        let mut text = serde_json::to_vec_pretty(&envelope).map_err(|_| SealError::NotASeal)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a seal and believes nothing: for showing it, and for those who were
    /// told that nobody vouches for it.
    pub fn read_unverified(text: &[u8]) -> Result<Self, SealError> {
        Ok(parse(text)?.1)
    }

    /// Reads a seal that one of `trusted` signed, that counts on `today` and is
    /// not older than the one with the serial `installed`.
    pub fn open(
        text: &[u8],
        trusted: &[PublicKey],
        today: Day,
        installed: Option<u64>,
    ) -> Result<Self, SealError> {
        let (envelope, sealed, payload) = parse(text)?;
        if envelope.signatures.is_empty() {
            return Err(SealError::Unsigned);
        }
        let signed = authenticated(TYPE, &payload);
        let mut vouched = false;
        for signature in &envelope.signatures {
            // A key id is a hint; only a signature that holds says who signed.
            let Some(key) = trusted.iter().find(|key| key.id() == signature.keyid) else {
                continue;
            };
            let bytes = BASE64
                .decode(signature.sig.as_bytes())
                .map_err(|_| SealError::Forged)?;
            let signature = Signature::from_slice(&bytes).map_err(|_| SealError::Forged)?;
            key.0
                .verify_strict(&signed, &signature)
                .map_err(|_| SealError::Forged)?;
            vouched = true;
        }
        if !vouched {
            let keys: Vec<String> = envelope
                .signatures
                .iter()
                .take(3)
                .map(|it| {
                    it.keyid
                        .chars()
                        .take(16)
                        .filter(char::is_ascii_hexdigit)
                        .collect()
                })
                .collect();
            return Err(SealError::Untrusted {
                keys: keys.join(", ").into(),
            });
        }
        if let Some(day) = sealed.expires.filter(|day| *day < today) {
            return Err(SealError::Expired { day });
        }
        if let Some(installed) = installed.filter(|installed| sealed.serial < *installed) {
            return Err(SealError::Older {
                serial: sealed.serial,
                installed,
            });
        }
        Ok(sealed)
    }
}

fn parse(text: &[u8]) -> Result<(Envelope, Sealed, Vec<u8>), SealError> {
    let wrong = || SealError::NotASeal;
    if text.len() > MAX_BYTES {
        return Err(wrong());
    }
    let envelope: Envelope = serde_json::from_slice(text).map_err(|_| wrong())?;
    if envelope.payload_type != TYPE || envelope.signatures.len() > MAX_KEYS {
        return Err(wrong());
    }
    let bytes = BASE64
        .decode(envelope.payload.as_bytes())
        .map_err(|_| wrong())?;
    let payload: Payload = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    if payload.keys.len() > MAX_KEYS {
        return Err(wrong());
    }
    let day = |text: String| text.parse::<Day>().map_err(|_| wrong());
    let sealed = Sealed {
        edition: payload.edition.parse().map_err(|_| wrong())?,
        bytes: payload.bytes,
        from: (payload.from.map(|from| from.parse()).transpose()).map_err(|_| wrong())?,
        packed: payload.packed.parse().map_err(|_| wrong())?,
        packed_bytes: payload.packed_bytes,
        serial: payload.serial,
        expires: payload.expires.map(day).transpose()?,
        keys: payload
            .keys
            .iter()
            .map(|key| PublicKey::of_base64(key).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
    };
    Ok((envelope, sealed, bytes))
}

/// What is signed: the pre-authentication encoding of DSSE.
fn authenticated(kind: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl PublicKey {
    /// Reads a key in PEM, as `openssl pkey -pubout` writes it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        VerifyingKey::from_public_key_pem(text)
            .map(Self)
            .map_err(|_| KeyError)
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| KeyError)
    }

    /// The key's name: the SHA-256 of its 32 bytes in hex.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.as_bytes()))
    }

    fn to_base64(&self) -> String {
        BASE64.encode(self.0.as_bytes())
    }

    fn of_base64(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text.as_bytes()).ok()?;
        let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.id())
    }
}

impl PrivateKey {
    /// The key made of 32 secret random bytes.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&secret))
    }

    /// Reads a key in PEM (PKCS#8), as `openssl genpkey` writes it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        SigningKey::from_pkcs8_pem(text)
            .map(Self)
            .map_err(|_| KeyError)
    }

    /// The key in PEM. Whoever reads it can vouch for editions.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let text = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError)?;
        Ok(text.to_string())
    }

    /// What others need to check what this key signed.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({})", self.public().id())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    const TODAY: Day = Day::from_days(20_000);

    fn key(number: u8) -> PrivateKey {
        PrivateKey::from_secret([number; 32])
    }

    fn statement() -> Sealed {
        Sealed {
            edition: Digest::from_sha256([1; 32]),
            bytes: 1_000,
            from: Some(Digest::from_sha256([3; 32])),
            packed: Digest::from_sha256([2; 32]),
            packed_bytes: 100,
            serial: 7,
            expires: Some(TODAY),
            keys: vec![key(9).public()],
        }
    }

    fn told(seal: &[u8], trusted: &[PublicKey], today: Day, installed: Option<u64>) -> String {
        match Sealed::open(seal, trusted, today, installed) {
            Ok(sealed) => format!("serial {}", sealed.serial),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_seal_counts_for_those_who_trust_one_who_signed() {
        let seal = statement().seal(&[key(1), key(2)]).unwrap();
        for trusted in [1, 2] {
            let opened = Sealed::open(&seal, &[key(trusted).public()], TODAY, Some(7));
            assert_eq!(opened.unwrap(), statement());
        }
        let stranger = told(&seal, &[key(3).public()], TODAY, None);
        assert!(
            stranger.ends_with("and none of them is trusted"),
            "{stranger}"
        );
        assert_eq!(told(&seal, &[], TODAY, None), stranger);
        let nobody = statement().seal(&[]).unwrap();
        assert_eq!(
            told(&nobody, &[key(1).public()], TODAY, None),
            "the seal has no signature"
        );
        assert_eq!(Sealed::read_unverified(&nobody).unwrap(), statement());
    }

    #[test]
    fn an_old_seal_does_not_take_the_place_of_a_new_one() {
        let seal = statement().seal(&[key(1)]).unwrap();
        let trusted = [key(1).public()];
        assert_eq!(
            told(&seal, &trusted, TODAY, Some(8)),
            "the seal has serial 7, and 8 was installed before"
        );
        let tomorrow = Day::from_days(TODAY.days() + 1);
        let expired = told(&seal, &trusted, tomorrow, None);
        assert!(expired.starts_with("the seal expired on "), "{expired}");
    }

    #[test]
    fn no_byte_of_a_seal_can_be_changed() {
        let seal = statement().seal(&[key(1)]).unwrap();
        let trusted = [key(1).public()];
        // The last byte is a line break.
        for at in 0..seal.len() - 1 {
            let mut changed = seal.clone();
            changed[at] ^= 1;
            let opened = Sealed::open(&changed, &trusted, TODAY, None);
            // White space means nothing.
            assert!(
                opened.is_err() || opened.is_ok_and(|it| it == statement()),
                "byte {at}"
            );
            let _ = Sealed::open(&seal[..at], &trusted, TODAY, None).unwrap_err();
        }
    }

    #[test]
    fn keys_read_back_from_pem() {
        let private = key(5);
        let again = PrivateKey::from_pem(&private.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), private.public());
        let public = PublicKey::from_pem(&private.public().to_pem().unwrap()).unwrap();
        assert_eq!(public, private.public());
        assert!(PublicKey::from_pem("hello").is_err());
        assert!(!format!("{private:?}").contains(&HEXLOWER.encode(&[5; 32])));
    }
}
