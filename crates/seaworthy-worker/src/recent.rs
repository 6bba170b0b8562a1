//! What layers yielded lately, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use seaworthy_core::Digest;
use seaworthy_inventory::LayerRecords;

/// Roughly the most bytes that are held.
const MOST_BYTES: u64 = 96 << 20;

/// Records of the layers that were read or asked for last. They are here before the
/// database has them, and sooner.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    layers: HashMap<(Digest, u64), Layer>,
    bytes: u64,
    turn: u64,
}

#[derive(Debug)]
struct Layer {
    records: Arc<LayerRecords>,
    bytes: u64,
    used: u64,
}

impl Recent {
    pub(crate) fn get(&self, digest: &Digest, size: u64) -> Option<Arc<LayerRecords>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.turn += 1;
        let turn = held.turn;
        let layer = held.layers.get_mut(&(digest.clone(), size))?;
        layer.used = turn;
        Some(Arc::clone(&layer.records))
    }

    pub(crate) fn put(&self, digest: &Digest, size: u64, records: Arc<LayerRecords>) {
        let bytes = records.size_bytes();
        if bytes > MOST_BYTES / 2 {
            return;
        }
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.turn += 1;
        let layer = Layer {
            records,
            bytes,
            used: held.turn,
        };
        held.bytes += bytes;
        if let Some(before) = held.layers.insert((digest.clone(), size), layer) {
            held.bytes -= before.bytes;
        }
        while held.bytes > MOST_BYTES {
            let oldest = held
                .layers
                .iter()
                .min_by_key(|(_, layer)| layer.used)
                .map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| held.layers.remove(&key)) else {
                break;
            };
            held.bytes -= gone.bytes;
        }
    }
}
