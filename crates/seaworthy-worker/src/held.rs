//! What is remembered of layers, for one repository.
//!
//! Records are remembered under the digest of a layer for all repositories. Whoever names
//! a digest in a manifest has not shown that they have its bytes: of a layer that only
//! others hold, nothing is told.

use seaworthy_core::Digest;
use seaworthy_inventory::LayerRecords;
use seaworthy_scan::LayerMemory;

use crate::memory::Memory;
use crate::source::Source;

/// The memory, as far as the repository holds the layers.
pub(crate) struct Held<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) source: &'a Source,
}

impl LayerMemory for Held<'_> {
    fn recall(&self, digest: &Digest, size: u64) -> Option<LayerRecords> {
        if !self.source.holds(digest) {
            return None;
        }
        self.memory.recall(digest, size)
    }

    fn knows_size(&self, size: u64) -> bool {
        self.memory.knows_size(size)
    }

    fn remember(&self, digest: &Digest, size: u64, records: &LayerRecords) {
        self.memory.remember(digest, size, records);
    }
}
