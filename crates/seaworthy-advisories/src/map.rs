//! The bytes of an edition, mapped or owned. The only unsafe code of the
//! workspace lives here.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// Bytes that somebody keeps alive.
pub(crate) enum Bytes {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps the file at `path` for reading. Nothing is read yet.
    pub(crate) fn map(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self::Owned(Vec::new()));
        }
        // SAFETY: a mapping is sound as long as nobody changes or shortens the
        // file beneath it. Editions are written under another name, renamed into
        // place once complete, and only ever unlinked after that, which leaves
        // the mapped bytes alone. They lie in the user's own data folder: who
        // can write there can replace the program as well.
        #[expect(unsafe_code, reason = "mapping a file is unsafe by nature; see above")]
        let map = unsafe { memmap2::Mmap::map(&file) }?;
        Ok(Self::Mapped(map))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}
