//! Where layers already read are remembered.

use seaworthy_core::Digest;
use seaworthy_inventory::LayerRecords;

/// What layers yielded to one set of probes, by the digest their bytes proved to have.
/// The product's command has a folder of files, the platform its database. A memory
/// that fails costs time, not answers, so none of this can fail.
pub trait LayerMemory: Sync {
    /// What the layer with this digest and size in bytes yielded.
    fn recall(&self, digest: &Digest, size: u64) -> Option<LayerRecords>;

    /// Whether any layer of exactly this size may be remembered. Where none is, a blob
    /// of unknown digest need not be hashed before it is read.
    fn knows_size(&self, size: u64) -> bool;

    /// Remembers what a layer yielded whose digest was proved.
    fn remember(&self, digest: &Digest, size: u64, records: &LayerRecords);
}
