//! Layers that are still being read from an upload that ended.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use seaworthy_core::Digest;

/// Layers whose records are about to be there. A scan that needs one waits for them
/// rather than reading the layer again.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// How many readers are at a layer.
    layers: Mutex<HashMap<Digest, usize>>,
    changed: Condvar,
}

impl Pending {
    /// Somebody will soon know what is in the layer.
    pub(crate) fn begin(&self, digest: &Digest) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        *layers.entry(digest.clone()).or_default() += 1;
    }

    /// They know, or never will.
    pub(crate) fn end(&self, digest: &Digest) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = layers.get_mut(digest) {
            *count -= 1;
            if *count == 0 {
                layers.remove(digest);
            }
        }
        self.changed.notify_all();
    }

    /// Waits until nobody is at the layer, for as long as `patience`. Answers whether
    /// anybody was.
    pub(crate) fn wait(&self, digest: &Digest, patience: Duration) -> bool {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if !layers.contains_key(digest) {
            return false;
        }
        // Whether it ended in time or not, the caller looks for the records.
        let _ended = self
            .changed
            .wait_timeout_while(layers, patience, |layers| layers.contains_key(digest));
        true
    }
}
