//! What one layer yields, and the bytes it is remembered as.

use flate2::Crc;
use seaworthy_image::{LayerTree, TreeError};

use crate::budget::Budget;
use crate::record::{FORMAT, FileRecord};

/// What the probes found in one layer, beside the paths the layer has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerRecords {
    /// Every path of the layer: what it brings and what it takes away.
    pub tree: LayerTree,
    /// What was found, sorted by path and then in the order of the probes.
    pub files: Vec<FileRecord>,
}

/// Why bytes are not the records of a layer.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They are something else, or records of another form.
    #[error("the bytes are not records of a layer in form {FORMAT}")]
    Form,
    /// They are not the bytes that were written.
    #[error("the bytes of a layer's records are damaged")]
    Damaged,
    /// They hold more than a layer may bring.
    #[error("the records of a layer exceed the limits")]
    TooLarge,
    /// The tree in them is damaged.
    #[error("the records of a layer hold a damaged tree")]
    Tree(#[source] TreeError),
    /// A record in them is damaged.
    #[error("a record of a layer is damaged")]
    Record(#[source] postcard::Error),
}

/// Mark, form, and checksum of what follows.
const MARK: [u8; 4] = *b"SWLR";
const HEAD: usize = MARK.len() + 4 + 4;

/// The most bytes that records of a layer may have.
const MAX_BYTES: usize = 256 << 20;

impl LayerRecords {
    /// Roughly the memory they take, in bytes.
    pub fn size_bytes(&self) -> u64 {
        // What a record and a package take beside their short texts.
        const EACH: usize = 400;
        let files: usize = self
            .files
            .iter()
            .map(|file| EACH.saturating_mul(1 + file.packages.len() + file.gaps.len()))
            .fold(0, usize::saturating_add);
        self.tree.size_bytes().saturating_add(files) as u64
    }

    /// The records as bytes for [`LayerRecords::decode`].
    #[expect(
        clippy::missing_panics_doc,
        reason = "the panic that clippy sees cannot happen"
    )]
    pub fn encode(&self) -> Vec<u8> {
        let tree = self.tree.to_bytes();
        let mut bytes = Vec::with_capacity(HEAD + 16 + tree.len() + self.files.len() * 64);
        bytes.extend_from_slice(&MARK);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&(tree.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&tree);
        for file in &self.files {
            bytes = postcard::to_extend(file, bytes)
                .expect("records hold no type that postcard lacks, and memory always takes more");
        }
        let sum = checksum(bytes.get(HEAD..).unwrap_or_default()).to_le_bytes();
        if let Some(place) = bytes.get_mut(HEAD - 4..HEAD) {
            place.copy_from_slice(&sum);
        }
        bytes
    }

    /// Reads what [`LayerRecords::encode`] wrote. The checksum finds accidents,
    /// not malice: a bounded amount of memory is taken whatever the bytes say.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge);
        }
        let mut rest = bytes.strip_prefix(&MARK).ok_or(DecodeError::Form)?;
        let form: [u8; 4] = take(&mut rest)?;
        if u32::from_le_bytes(form) != FORMAT {
            return Err(DecodeError::Form);
        }
        let sum: [u8; 4] = take(&mut rest)?;
        if u32::from_le_bytes(sum) != checksum(rest) {
            return Err(DecodeError::Damaged);
        }
        let length = u64::from_le_bytes(take(&mut rest)?);
        let (tree, mut rest) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or(DecodeError::Damaged)?;
        let tree = LayerTree::from_bytes(tree).map_err(DecodeError::Tree)?;

        let mut files = Vec::new();
        let mut budget = Budget::default();
        while !rest.is_empty() {
            let (file, after) =
                postcard::take_from_bytes::<FileRecord>(rest).map_err(DecodeError::Record)?;
            rest = after;
            files.extend(budget.spend(file));
            if budget.is_overdrawn() {
                return Err(DecodeError::TooLarge);
            }
        }
        Ok(Self { tree, files })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (head, tail) = rest.split_first_chunk().ok_or(DecodeError::Damaged)?;
    *rest = tail;
    Ok(*head)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use seaworthy_core::PackageType;

    use super::*;
    use crate::record::{DistroRecord, PackageRecord, SourceRecord};

    fn sample() -> LayerRecords {
        let mut status = FileRecord::of("dpkg", "var/lib/dpkg/status");
        status.database = true;
        status.gap("something was broken");
        status.package(PackageRecord {
            architecture: Some("amd64".to_owned()),
            source: Some(SourceRecord::new("zlib", "1:1.3")),
            ..PackageRecord::recorded(&PackageType::Deb, "zlib1g", "1:1.3")
        });
        let mut release = FileRecord::of("distro", "etc/os-release");
        release.distro = Some(DistroRecord {
            id: "debian".to_owned(),
            id_like: vec!["x".to_owned()],
            ..DistroRecord::default()
        });
        let mut link = FileRecord::of("distro", "etc/debian_version");
        link.symlink = Some("x".to_owned());
        LayerRecords {
            tree: LayerTree::default(),
            files: vec![link, release, status],
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let sample = sample();
        let again = LayerRecords::decode(&sample.encode());
        assert_eq!(again.ok(), Some(sample));
    }

    #[test]
    fn every_flipped_or_missing_byte_is_noticed() {
        let good = sample().encode();
        for at in 0..good.len() {
            let mut bad = good.clone();
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= 0x10;
            }
            assert!(LayerRecords::decode(&bad).is_err(), "byte {at}");
            let short = good.get(..at).unwrap_or_default();
            assert!(LayerRecords::decode(short).is_err(), "{at} bytes");
        }
    }

    proptest! {
        #[test]
        fn bytes_under_a_right_checksum_are_read_or_refused(
            tail in prop::collection::vec(any::<u8>(), 0..300),
            keep in 0_usize..400,
        ) {
            let mut bytes = sample().encode();
            bytes.truncate(keep.max(HEAD));
            bytes.extend_from_slice(&tail);
            let sum = checksum(bytes.get(HEAD..).unwrap_or_default()).to_le_bytes();
            if let Some(place) = bytes.get_mut(HEAD - 4..HEAD) {
                place.copy_from_slice(&sum);
            }
            if let Ok(records) = LayerRecords::decode(&bytes) {
                let again = LayerRecords::decode(&records.encode());
                prop_assert_eq!(again.ok(), Some(records));
            }
        }
    }
}
