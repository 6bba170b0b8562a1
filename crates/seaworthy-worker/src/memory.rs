//! Layers already read, in the database that all nodes share.

use std::sync::Arc;
use std::time::Duration;

use seaworthy_core::Digest;
use seaworthy_inventory::LayerRecords;
use seaworthy_scan::LayerMemory;
use seaworthy_store::{Address, Packed, Scans};
use tokio::runtime::Handle;

use crate::pending::Pending;
use crate::recent::Recent;

/// How long to wait for somebody who is about to know.
const PATIENCE: Duration = Duration::from_secs(30);

/// What layers yielded to the probes of this program. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    scans: Scans,
    recent: Arc<Recent>,
    pending: Arc<Pending>,
    probes: Arc<str>,
    handle: Handle,
}

impl Memory {
    /// What `scans` remembers. `handle` is of the runtime that may wait for it.
    pub(crate) fn of(scans: Scans, handle: Handle) -> Self {
        Self {
            scans,
            recent: Arc::default(),
            pending: Arc::default(),
            probes: seaworthy_inventory::probe_set().as_str().into(),
            handle,
        }
    }

    /// The probes whose records these are.
    pub(crate) fn probes(&self) -> &str {
        &self.probes
    }

    /// The runtime that may wait for the database.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Layers that are still being read from an upload that ended.
    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    async fn stored(&self, digest: &Digest, size: u64) -> Option<Packed> {
        let address = Address::from(digest);
        match self.scans.layer(&address, size, &self.probes).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, layer.digest = %digest, "cannot recall layer {digest}");
                None
            }
        }
    }
}

impl LayerMemory for Memory {
    fn recall(&self, digest: &Digest, size: u64) -> Option<LayerRecords> {
        let heard = || self.recent.get(digest, size).map(|it| (*it).clone());
        if let Some(records) = heard() {
            return Some(records);
        }
        if self.pending.wait(digest, PATIENCE)
            && let Some(records) = heard()
        {
            return Some(records);
        }
        let packed = self.handle.block_on(self.stored(digest, size))?;
        let records = LayerRecords::decode(&packed.unpack().ok()?).ok()?;
        let shared = Arc::new(records.clone());
        self.recent.put(digest, size, shared);
        Some(records)
    }

    /// Images state the digests of their layers, so that sizes say nothing new.
    fn knows_size(&self, _size: u64) -> bool {
        false
    }

    /// The database hears of it later: whoever asks meanwhile asks this process, or
    /// reads the layer once more.
    fn remember(&self, digest: &Digest, size: u64, records: &LayerRecords) {
        let shared = Arc::new(records.clone());
        self.recent.put(digest, size, Arc::clone(&shared));
        let (memory, digest) = (self.clone(), digest.clone());
        self.handle.spawn(async move {
            let pack = tokio::task::spawn_blocking(move || Packed::of(&shared.encode()));
            let Ok(packed) = pack.await else { return };
            let address = Address::from(&digest);
            let kept = memory
                .scans
                .save_layer(&address, size, &memory.probes, packed)
                .await;
            if let Err(error) = kept {
                tracing::debug!(%error, layer.digest = %digest, "cannot keep layer {digest}");
            }
        });
    }
}
