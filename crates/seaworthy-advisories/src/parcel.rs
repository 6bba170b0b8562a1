//! An edition on its way: packed, sealed, and in one file where that helps.
//!
//! ```text
//! parcel   0  magic "seaworthy.parcel"        16 bytes
//!         16  length of the seal              u32, little endian
//!         20  the seal, see the module `seal`
//!         then the packed edition: one zstd frame, to the end; or, where the
//!         seal names an edition to start from, a delta, see the module `delta`
//! ```
//!
//! What a seal says is checked before anything is unpacked: length and digest of
//! the packed bytes first, then length and digest of what they unpack to.

use std::io::{self, Read, Write};

use seaworthy_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::delta::{ApplyError, DeltaError, apply, delta};
use crate::edition::{Edition, VerifyError};
use crate::layout::OpenError;
use crate::seal::{SealError, Sealed};

const MAGIC: &[u8; 16] = b"seaworthy.parcel";
const LEVEL: i32 = 15;
/// A window that no edition needs more than.
const WINDOW_LOG: u32 = 27;
/// More than any seal has.
pub(crate) const MAX_SEAL: u32 = 64 << 10;
/// The largest edition that is taken: the format's own ceiling is near.
pub(crate) const MAX_EDITION: u64 = 8 << 30;
/// More than any delta has.
pub(crate) const MAX_DELTA: u64 = 512 << 20;

/// Why a parcel cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    /// It does not begin as one.
    #[error("not a parcel with an edition")]
    NotAParcel,
    /// Its seal does not count.
    #[error("the parcel's seal does not count")]
    Seal(#[source] SealError),
    /// Its bytes cannot be read or written.
    #[error("the parcel cannot be read to its end")]
    Read(#[source] io::Error),
    /// What is inside is not what the seal speaks of.
    #[error("the {what} is not the one that the seal speaks of")]
    Other {
        /// Which part.
        what: &'static str,
    },
    /// What is inside is no edition of ours.
    #[error("the parcel holds no edition that can be used")]
    Open(#[source] OpenError),
    /// The edition does not have the digest it claims.
    #[error("the edition in the parcel is damaged")]
    Verify(#[source] VerifyError),
    /// It has only changes, of an edition that is not here.
    #[error("the parcel holds what changed since the edition {needed}, which is not here")]
    Base {
        /// The edition it starts from.
        needed: Digest,
    },
    /// Its changes lead nowhere.
    #[error("the changes in the parcel lead to no edition")]
    Apply(#[source] ApplyError),
}

/// Why changes cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// There is no telling what changed.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// The changes do not lead from the one edition to the other: one of them was
    /// not made as this program makes them.
    #[error("the changes do not lead to the newer edition")]
    Unproven(#[source] ApplyError),
}

/// An edition as it is sent, with what a seal says of it. The caller fills in the
/// serial, the day it ends and the keys before sealing.
pub fn pack(edition: &Edition) -> io::Result<(Vec<u8>, Sealed)> {
    let bytes = edition.statistics().size_bytes;
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    encoder.set_pledged_src_size(Some(bytes))?;
    edition.pieces(&mut |piece| encoder.write_all(piece))?;
    let packed = encoder.finish()?;
    let sealed = statement(edition, None, &packed);
    Ok((packed, sealed))
}

/// What changed since `base`, packed as [`pack`] packs all of an edition. That it
/// leads to `edition` was tried.
pub fn pack_since(edition: &Edition, base: &Edition) -> Result<(Vec<u8>, Sealed), PackError> {
    let packed = delta(base, edition)?;
    apply(base, &packed).map_err(PackError::Unproven)?;
    let sealed = statement(edition, Some(base.digest().clone()), &packed);
    Ok((packed, sealed))
}

fn statement(edition: &Edition, from: Option<Digest>, packed: &[u8]) -> Sealed {
    Sealed {
        edition: edition.digest().clone(),
        bytes: edition.statistics().size_bytes,
        from,
        packed: Digest::from_sha256(Sha256::digest(packed).into()),
        packed_bytes: u64::try_from(packed.len()).unwrap_or(u64::MAX),
        serial: 0,
        expires: None,
        keys: Vec::new(),
    }
}

/// The edition in `packed`, if it is the one that `sealed` speaks of. Where only
/// changes are packed, `base` finds the edition they start from.
pub fn unpack(
    sealed: &Sealed,
    packed: &mut dyn Read,
    base: &dyn Fn(&Digest) -> Option<Edition>,
) -> Result<Vec<u8>, ParcelError> {
    let most = if sealed.from.is_some() {
        MAX_DELTA
    } else {
        MAX_EDITION
    };
    if sealed.bytes > MAX_EDITION || sealed.packed_bytes > most {
        return Err(ParcelError::NotAParcel);
    }
    let other = |what| ParcelError::Other { what };
    let mut bytes = Vec::new();
    packed
        .take(sealed.packed_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(ParcelError::Read)?;
    if u64::try_from(bytes.len()).ok() != Some(sealed.packed_bytes)
        || Digest::from_sha256(Sha256::digest(&bytes).into()) != sealed.packed
    {
        return Err(other("packed edition"));
    }
    if let Some(from) = &sealed.from {
        let base = base(from).ok_or_else(|| ParcelError::Base {
            needed: from.clone(),
        })?;
        let edition = apply(&base, &bytes).map_err(ParcelError::Apply)?;
        return spoken_of(sealed, edition);
    }
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(bytes.as_slice()).map_err(ParcelError::Read)?;
    decoder
        .window_log_max(WINDOW_LOG)
        .map_err(ParcelError::Read)?;
    let mut edition = Vec::new();
    decoder
        .take(sealed.bytes.saturating_add(1))
        .read_to_end(&mut edition)
        .map_err(ParcelError::Read)?;
    spoken_of(sealed, edition)
}

/// These bytes, if they are the edition that `sealed` speaks of.
fn spoken_of(sealed: &Sealed, edition: Vec<u8>) -> Result<Vec<u8>, ParcelError> {
    let other = || ParcelError::Other { what: "edition" };
    if u64::try_from(edition.len()).ok() != Some(sealed.bytes) {
        return Err(other());
    }
    let opened = Edition::from_bytes(edition).map_err(ParcelError::Open)?;
    if *opened.digest() != sealed.edition {
        return Err(other());
    }
    opened.verify().map_err(ParcelError::Verify)?;
    Ok(opened.into_bytes())
}

/// One file of a seal and a packed edition.
pub fn write_parcel(seal: &[u8], packed: &[u8], to: &mut dyn Write) -> io::Result<()> {
    let length = u32::try_from(seal.len())
        .ok()
        .filter(|length| *length <= MAX_SEAL)
        .ok_or_else(|| io::Error::other("the seal is too long"))?;
    to.write_all(MAGIC)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(seal)?;
    to.write_all(packed)
}

/// Reads a parcel whose seal `check` accepts. Returns the bytes of the edition
/// and what the seal says. Where the parcel holds only changes, `base` finds the
/// edition they start from.
pub fn read_parcel(
    from: &mut dyn Read,
    base: &dyn Fn(&Digest) -> Option<Edition>,
    check: impl FnOnce(&[u8]) -> Result<Sealed, SealError>,
) -> Result<(Vec<u8>, Sealed), ParcelError> {
    let seal = read_seal(from)?;
    let sealed = check(&seal).map_err(ParcelError::Seal)?;
    let edition = unpack(&sealed, from, base)?;
    Ok((edition, sealed))
}

/// The seal at the start of a parcel, before anything else of it is read.
pub fn read_seal(from: &mut dyn Read) -> Result<Vec<u8>, ParcelError> {
    let mut head = [0; 20];
    from.read_exact(&mut head)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ParcelError::NotAParcel,
            // Such as a network that has gone.
            _ => ParcelError::Read(error),
        })?;
    let (magic, length) = head.split_at(MAGIC.len());
    let length = length.try_into().map_or(u32::MAX, u32::from_le_bytes);
    if magic != MAGIC || length > MAX_SEAL {
        return Err(ParcelError::NotAParcel);
    }
    let mut seal = Vec::new();
    from.take(u64::from(length))
        .read_to_end(&mut seal)
        .map_err(ParcelError::Read)?;
    Ok(seal)
}

/// Whether these are the first bytes of a parcel.
pub fn is_parcel(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use crate::{Compiler, Context};

    fn parcel() -> Vec<u8> {
        let bytes = Compiler::new().compile(&Context::default()).unwrap();
        let edition = Edition::from_bytes(bytes).unwrap();
        let (packed, sealed) = pack(&edition).unwrap();
        let mut parcel = Vec::new();
        write_parcel(&sealed.seal(&[]).unwrap(), &packed, &mut parcel).unwrap();
        parcel
    }

    fn open(parcel: &[u8]) -> Result<(Vec<u8>, Sealed), ParcelError> {
        read_parcel(&mut &*parcel, &|_| None, Sealed::read_unverified)
    }

    #[test]
    fn a_parcel_gives_back_its_edition() {
        let parcel = parcel();
        assert!(is_parcel(&parcel));
        let (bytes, sealed) = open(&parcel).unwrap();
        let edition = Edition::from_bytes(bytes).unwrap();
        assert_eq!(*edition.digest(), sealed.edition);
    }

    #[test]
    fn a_parcel_that_was_cut_or_changed_is_refused() {
        let parcel = parcel();
        for at in 0..parcel.len() {
            assert!(open(&parcel[..at]).is_err(), "cut at {at}");
            // A seal nobody signed may say anything; what is packed may not differ.
            if at > 20 + 1_024 {
                let mut changed = parcel.clone();
                changed[at] ^= 0x10;
                assert!(open(&changed).is_err(), "changed at {at}");
            }
        }
        let mut longer = parcel.clone();
        longer.push(0);
        assert!(open(&longer).is_err());
    }

    #[test]
    fn changes_alone_are_for_those_who_have_the_edition_before() {
        let edition = |starter| {
            let context = Context {
                starter,
                ..Context::default()
            };
            let bytes = Compiler::new().compile(&context).unwrap();
            Edition::from_bytes(bytes).unwrap()
        };
        let (monday, tuesday) = (edition(false), edition(true));
        let (packed, sealed) = pack_since(&tuesday, &monday).unwrap();
        let mut parcel = Vec::new();
        write_parcel(&sealed.seal(&[]).unwrap(), &packed, &mut parcel).unwrap();
        let refused = open(&parcel).unwrap_err();
        let expected = format!(
            "the parcel holds what changed since the edition {}, which is not here",
            monday.digest()
        );
        assert_eq!(refused.to_string(), expected);
        let with = |starter| {
            let base = |wanted: &Digest| {
                assert_eq!(wanted, monday.digest());
                Some(edition(starter))
            };
            read_parcel(&mut parcel.as_slice(), &base, Sealed::read_unverified)
        };
        let (bytes, sealed) = with(false).unwrap();
        assert_eq!(sealed.from.as_ref(), Some(monday.digest()));
        assert_eq!(
            Edition::from_bytes(bytes).unwrap().digest(),
            tuesday.digest()
        );
        assert!(matches!(with(true), Err(ParcelError::Apply(_))));
    }

    #[test]
    fn what_the_seal_does_not_speak_of_is_not_unpacked() {
        let zeros = zstd::stream::encode_all(&vec![0_u8; 1 << 20][..], 3).unwrap();
        let sealed = Sealed {
            edition: Digest::from_sha256([0; 32]),
            bytes: 100,
            from: None,
            packed: Digest::from_sha256(Sha256::digest(&zeros).into()),
            packed_bytes: u64::try_from(zeros.len()).unwrap(),
            serial: 0,
            expires: None,
            keys: Vec::new(),
        };
        let told = unpack(&sealed, &mut zeros.as_slice(), &|_| None).unwrap_err();
        assert_eq!(
            told.to_string(),
            "the edition is not the one that the seal speaks of"
        );
    }
}
