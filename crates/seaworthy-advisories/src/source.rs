//! Where the bytes of an edition come from: a file or memory.
//!
//! Of a file only the front is mapped, which is what questions touch. The rest,
//! the details, is read piece by piece: pages of a map count as memory of the
//! process for as long as it runs, and prose is looked at once.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::layout::{HEAD, Layout, OpenError};
use crate::map;

/// How much of a file is read at once where all of it is.
const PIECE: usize = 256 << 10;

/// Bytes that somebody keeps alive.
pub(crate) enum Source {
    File {
        file: File,
        length: u64,
        front: memmap2::Mmap,
    },
    Memory(Vec<u8>),
}

impl Source {
    /// The file, its front mapped, and its layout.
    pub(crate) fn of_file(file: File) -> Result<(Self, Layout), OpenError> {
        let length = file.metadata().map_err(OpenError::Read)?.len();
        let mut head = Vec::new();
        read_up_to(&file, 0, HEAD, &mut head).map_err(OpenError::Read)?;
        let layout = Layout::read(&head, length)?;
        let front = map::front(&file, layout.front()).map_err(OpenError::Read)?;
        let source = Self::File {
            file,
            length,
            front,
        };
        Ok((source, layout))
    }

    /// Bytes in memory and their layout.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Result<(Self, Layout), OpenError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let layout = Layout::read(&bytes, length)?;
        Ok((Self::Memory(bytes), layout))
    }

    /// The bytes in memory; of a file, none.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::File { .. } => Vec::new(),
            Self::Memory(bytes) => bytes,
        }
    }

    /// The bytes that are at hand: at least all before the details.
    pub(crate) fn front(&self) -> &[u8] {
        match self {
            Self::File { front, .. } => front,
            Self::Memory(bytes) => bytes,
        }
    }

    /// The size in bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } => *length,
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// `length` bytes from `start`, in `buffer` where they must be read. `None`
    /// where they are not there.
    pub(crate) fn read<'a>(
        &'a self,
        start: u64,
        length: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).ok()?;
                bytes.get(start..start.checked_add(length)?)
            }
            Self::File { file, .. } => {
                read_up_to(file, start, length, buffer).ok()?;
                (buffer.len() == length).then_some(buffer.as_slice())
            }
        }
    }

    /// Visits all bytes from `start` on, in order, a piece at a time.
    pub(crate) fn pieces(
        &self,
        mut start: u64,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                return take(bytes.get(start..).unwrap_or_default());
            }
            Self::File { file, .. } => file,
        };
        let mut piece = Vec::new();
        loop {
            read_up_to(file, start, PIECE, &mut piece)?;
            if piece.is_empty() {
                return Ok(());
            }
            take(&piece)?;
            start = start.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        }
    }
}

/// Fills `buffer` with `length` bytes from `start`, with fewer where the file
/// ends before.
fn read_up_to(file: &File, start: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize(length, 0);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = start.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(())
}
