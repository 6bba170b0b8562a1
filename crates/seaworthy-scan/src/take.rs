//! From an image to its inventory.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use seaworthy_core::{Digest, Inventory, Layer};
use seaworthy_image::{BlobKey, Blobs, Image, LayerBlob, Verified, VerifyError};
use seaworthy_inventory::{LayerRecords, link};

use crate::cache::LayerCache;
use crate::progress::Progress;
use crate::reader::{LayerReader, ReadLayerError};

/// What a scan is carried out with.
#[derive(Clone, Copy)]
pub struct Rig<'a> {
    /// Who reads layers.
    pub reader: &'a dyn LayerReader,
    /// Layers already read, if any are remembered.
    pub cache: Option<&'a LayerCache>,
    /// How many layers are read at once; at least one is.
    pub threads: usize,
    /// Who hears how far it is.
    pub progress: &'a dyn Progress,
}

/// Why there is no inventory. Half an image is never judged: when a layer cannot
/// be read to its end, there is an error and no report.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// A layer's bytes cannot be had.
    #[error("cannot open layer {layer}")]
    Open {
        /// Which layer.
        layer: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A layer may be left out by whoever stores the image, and was.
    #[error("layer {layer} is not stored with the image: its licence forbids passing it on")]
    Foreign {
        /// Which layer.
        layer: String,
        /// What the store said.
        #[source]
        source: io::Error,
    },
    /// A layer's bytes are not what the image says they are.
    #[error("layer {layer} is not what the image says it is")]
    Verify {
        /// Which layer.
        layer: String,
        /// Why.
        #[source]
        source: VerifyError,
    },
    /// A layer's bytes are right but cannot be read as a layer.
    #[error("cannot read layer {layer}")]
    Read {
        /// Which layer.
        layer: String,
        /// Why.
        #[source]
        source: ReadLayerError,
    },
}

/// Reads every layer of `image` once, several at a time, and links what they
/// hold. Layers that `rig.cache` knows are not opened.
pub fn take_inventory(
    image: &Image,
    blobs: &dyn Blobs,
    rig: &Rig<'_>,
) -> Result<Inventory, TakeError> {
    let total: u64 = image.layers.iter().map(|layer| layer.size).sum();
    rig.progress.begin(image.layers.len(), total);
    // The largest first, so that no thread is left alone with it at the end.
    let mut order: Vec<usize> = (0..image.layers.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(image.layers[at].size));
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let slots: Vec<Mutex<Option<Result<ReadLayer, TakeError>>>> =
        image.layers.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let read = read_layer(&image.layers[at], blobs, rig);
            if read.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            *slots[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        }
    };
    thread::scope(|scope| {
        for _ in 1..rig.threads.min(image.layers.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut layers = Vec::with_capacity(image.layers.len());
    for (blob, slot) in image.layers.iter().zip(slots) {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(read)) => {
                layers.push((
                    Layer {
                        digest: Some(read.digest),
                        ..blob.layer.clone()
                    },
                    read.records,
                ));
            }
            Some(Err(error)) => return Err(error),
            // Not begun, because another one failed: its error comes later.
            None => {}
        }
    }
    Ok(link(layers))
}

struct ReadLayer {
    digest: Digest,
    records: LayerRecords,
}

fn read_layer(blob: &LayerBlob, blobs: &dyn Blobs, rig: &Rig<'_>) -> Result<ReadLayer, TakeError> {
    if let Some(digest) = &blob.layer.digest
        && let Some(records) = recall(rig, digest, blob.size)
    {
        return Ok(ReadLayer {
            digest: digest.clone(),
            records,
        });
    }
    // A blob that nobody vouches for by digest is worth hashing first only if
    // something of its size is remembered.
    if blob.layer.digest.is_none() && rig.cache.is_some_and(|cache| cache.knows_size(blob.size)) {
        let digest = Verified::new(open(blob, blobs)?)
            .finish(&blob.expected())
            .map_err(|source| TakeError::Verify {
                layer: name(blob),
                source,
            })?;
        if let Some(records) = recall(rig, &digest, blob.size) {
            return Ok(ReadLayer { digest, records });
        }
    }
    // One byte past the stated size is enough to know that it is wrong.
    let stated = open(blob, blobs)?.take(blob.size.saturating_add(1));
    let counted = Counted {
        inner: stated,
        progress: rig.progress,
    };
    let mut bytes = Verified::new(counted);
    let read = rig.reader.read_layer(&mut bytes);
    // Wrong bytes explain every later complaint, so they are told first.
    let digest = bytes
        .finish(&blob.expected())
        .map_err(|source| TakeError::Verify {
            layer: name(blob),
            source,
        })?;
    let records = read.map_err(|source| TakeError::Read {
        layer: name(blob),
        source,
    })?;
    if let Some(cache) = rig.cache {
        cache.remember(&digest, blob.size, &records);
    }
    rig.progress.layer_done(false);
    Ok(ReadLayer { digest, records })
}

fn recall(rig: &Rig<'_>, digest: &Digest, size: u64) -> Option<LayerRecords> {
    let records = rig.cache?.recall(digest, size)?;
    rig.progress.advance(size);
    rig.progress.layer_done(true);
    Some(records)
}

fn open<'a>(
    blob: &LayerBlob,
    blobs: &'a dyn Blobs,
) -> Result<Box<dyn Read + Send + 'a>, TakeError> {
    blobs.open(&blob.key).map_err(|source| {
        let layer = name(blob);
        if blob.is_foreign() {
            TakeError::Foreign { layer, source }
        } else {
            TakeError::Open { layer, source }
        }
    })
}

/// How people can find the layer again.
fn name(blob: &LayerBlob) -> String {
    match (&blob.layer.digest, &blob.key) {
        (Some(digest), _) | (None, BlobKey::Digest(digest, _)) => digest.to_string(),
        (None, BlobKey::Entry(entry)) => format!("`{entry}`"),
    }
}

/// Tells progress of every byte that passes.
pub(crate) struct Counted<'a, R> {
    pub(crate) inner: R,
    pub(crate) progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
