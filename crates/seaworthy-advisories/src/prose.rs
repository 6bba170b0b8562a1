//! Details as they lie in the file: blocks, unpacked where they are asked for.

use std::sync::{Mutex, PoisonError};

use crate::format::{MAX_BLOCK, size, u32_at, u64_at};
use crate::source::Source;

/// Where a document lies: the lower, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    block: u32,
    position: u32,
}

impl Place {
    /// The place of document `number` in a section of places.
    pub(crate) fn of(places: &[u8], number: u32) -> Option<Self> {
        let at = usize::try_from(number).ok()?.checked_mul(size::PLACE)?;
        Some(Self {
            block: u32_at(places, at)?,
            position: u32_at(places, at.checked_add(4)?)?,
        })
    }
}

impl Place {
    /// The place of the first document of a block.
    pub(crate) fn first_of(block: u32) -> Self {
        Self { block, position: 0 }
    }
}

/// What blocks are read from.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) source: &'a Source,
    pub(crate) table: &'a [u8],
    /// Start and end of the packed blocks.
    pub(crate) details: (usize, usize),
}

/// Reads documents. What reading needs is made once, and the blocks of the last
/// documents are kept: those of one finding lie beside each other.
#[derive(Default)]
pub(crate) struct Prose {
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    decompressor: Option<zstd::bulk::Decompressor<'static>>,
    packed: Vec<u8>,
    /// The latest last.
    kept: Vec<Unpacked>,
}

#[derive(Default)]
struct Unpacked {
    block: u32,
    bytes: Vec<u8>,
}

/// How many unpacked blocks are kept. Who wants many documents asks in the
/// order of their places and needs one.
const KEPT: usize = 4;

/// Buffers that grew larger than this are not kept.
const ROOMY: usize = 256 << 10;

impl Prose {
    /// What `read` makes of the bytes at `place`. `None` where they cannot be
    /// read.
    pub(crate) fn document<T>(
        &self,
        blocks: Blocks<'_>,
        place: Place,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = desk.unpacked(blocks, place.block)?;
        read(bytes.get(usize::try_from(place.position).ok()?..)?)
    }
}

impl Desk {
    /// The bytes of a block, unpacked now unless they are still at hand.
    fn unpacked(&mut self, blocks: Blocks<'_>, block: u32) -> Option<&[u8]> {
        let known = self.kept.iter().position(|kept| kept.block == block);
        if let Some(known) = known {
            return self.kept.get(known).map(|kept| kept.bytes.as_slice());
        }
        let mut bytes = if self.kept.len() < KEPT {
            Vec::new()
        } else {
            self.kept.remove(0).bytes
        };
        let done = self.unpack(blocks, block, &mut bytes);
        if self.packed.capacity() > ROOMY {
            self.packed = Vec::new();
        }
        done?;
        // The largest are the first to go: they are rare and not asked twice.
        self.kept.retain(|kept| kept.bytes.capacity() <= ROOMY);
        self.kept.push(Unpacked { block, bytes });
        self.kept.last().map(|kept| kept.bytes.as_slice())
    }

    fn unpack(&mut self, blocks: Blocks<'_>, block: u32, bytes: &mut Vec<u8>) -> Option<()> {
        let at = usize::try_from(block).ok()?.checked_mul(size::BLOCK)?;
        let start = usize::try_from(u64_at(blocks.table, at)?).ok()?;
        let packed = usize::try_from(u32_at(blocks.table, at.checked_add(8)?)?).ok()?;
        let length = usize::try_from(u32_at(blocks.table, at.checked_add(12)?)?).ok()?;
        let (first, end) = blocks.details;
        let start = first.checked_add(start)?;
        if length > MAX_BLOCK || packed > MAX_BLOCK || start.checked_add(packed)? > end {
            return None;
        }
        let start = u64::try_from(start).ok()?;
        let packed = blocks.source.read(start, packed, &mut self.packed)?;
        let decompressor = match &mut self.decompressor {
            Some(ready) => ready,
            none => none.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        bytes.clear();
        bytes.reserve_exact(length);
        decompressor.decompress_to_buffer(packed, bytes).ok()?;
        (bytes.len() == length).then_some(())
    }
}
