//! Documents, packed.

use std::io::Read as _;

use crate::trouble::StoreError;

/// How hard to press: documents are written while somebody waits.
const LEVEL: i32 = 3;

/// The most bytes a document may have unpacked.
const MOST: u64 = 256 << 20;

/// A document, packed with zstd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed(pub(crate) Vec<u8>);

impl Packed {
    /// Packs `bytes`.
    ///
    /// # Panics
    ///
    /// Never: memory takes what is written to it.
    pub fn of(bytes: &[u8]) -> Self {
        Self(zstd::bulk::compress(bytes, LEVEL).expect("memory takes what is written to it"))
    }

    /// The document again.
    ///
    /// # Errors
    ///
    /// When it is not what was packed, or larger than any document.
    pub fn unpack(&self) -> Result<Vec<u8>, StoreError> {
        let unreadable = |error: std::io::Error| StoreError::Unreadable(error.to_string());
        let mut bytes = Vec::new();
        zstd::Decoder::new(&*self.0)
            .and_then(|reader| reader.take(MOST + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > MOST {
            return Err(StoreError::Unreadable(format!(
                "a document has more than {MOST} bytes"
            )));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_what_is_broken_refused() {
        let packed = Packed::of(b"[1, 2, 3]");
        assert_eq!(packed.unpack().ok().as_deref(), Some(&b"[1, 2, 3]"[..]));
        let cut = packed.0.get(..5).unwrap_or_default().to_vec();
        assert!(Packed(cut).unpack().is_err());
    }
}
