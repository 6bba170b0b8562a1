//! From an image to its inventory.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use seaworthy_core::{Digest, Inventory, Layer};
use seaworthy_image::{BlobKey, Blobs, Image, LayerBlob, Verified, VerifyError};
use seaworthy_inventory::{LayerRecords, link};

use crate::memory::LayerMemory;
use crate::progress::Progress;
use crate::reader::{LayerReader, ReadLayerError};

/// What a scan is carried out with.
#[derive(Clone, Copy)]
pub struct Rig<'a> {
    /// Who reads layers.
    pub reader: &'a dyn LayerReader,
    /// Layers already read, if any are remembered.
    pub cache: Option<&'a dyn LayerMemory>,
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
    /// The layers together hold more than any image does.
    #[error("the layers hold more than {} MiB of names and records", MOST_HELD >> 20)]
    TooMuch,
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

/// What the records of all layers together may take in memory, in bytes. A layer
/// of a large public image yields one or two mebibytes.
const MOST_HELD: u64 = 768 << 20;

/// Sums up what is held.
#[derive(Default)]
pub(crate) struct Held(AtomicU64);

impl Held {
    /// Takes note of one more layer.
    pub(crate) fn add(&self, records: &LayerRecords) -> Result<(), TakeError> {
        let more = records.size_bytes();
        let before = self.0.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > MOST_HELD {
            return Err(TakeError::TooMuch);
        }
        Ok(())
    }
}

/// Reads every layer of `image` once, several at a time, and links what they
/// hold. Layers that `rig.cache` knows are not opened.
pub fn take_inventory(
    image: &Image,
    blobs: &dyn Blobs,
    rig: &Rig<'_>,
) -> Result<Inventory, TakeError> {
    let sizes = image.layers.iter().map(|layer| layer.size);
    let total = sizes.fold(0_u64, u64::saturating_add);
    rig.progress.begin(image.layers.len(), total);
    let held = Held::default();
    let mut slots: Vec<Mutex<Option<Result<ReadLayer, TakeError>>>> =
        image.layers.iter().map(|_| Mutex::new(None)).collect();
    // What is remembered is here sooner than a thread that could fetch it.
    let mut order = Vec::new();
    for (at, (blob, slot)) in image.layers.iter().zip(&mut slots).enumerate() {
        if first_of(image, at) != at {
            continue;
        }
        match recall_stated(blob, rig) {
            Some(read) => {
                held.add(&read.records)?;
                *slot = Mutex::new(Some(Ok(read)));
            }
            None => order.push(at),
        }
    }
    // The largest first, so that no thread is left alone with it at the end.
    order.sort_by_key(|&at| std::cmp::Reverse(image.layers[at].size));
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let read = read_layer(&image.layers[at], blobs, rig)
                .and_then(|read| held.add(&read.records).map(|()| read));
            if read.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            *slots[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        }
    };
    thread::scope(|scope| {
        for _ in 1..rig.threads.min(order.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut layers: Vec<(Layer, LayerRecords)> = Vec::with_capacity(image.layers.len());
    for (at, (blob, slot)) in image.layers.iter().zip(slots).enumerate() {
        let (digest, records) = match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(read)) => (Some(read.digest), read.records),
            Some(Err(error)) => return Err(error),
            None => match layers.get(first_of(image, at)) {
                Some((layer, records)) => {
                    held.add(records)?;
                    (layer.digest.clone(), records.clone())
                }
                // Not begun, because another one failed: its error comes later.
                None => continue,
            },
        };
        let layer = Layer {
            digest,
            ..blob.layer.clone()
        };
        layers.push((layer, records));
    }
    Ok(link(layers))
}

/// The first layer with the same content as the one at `at`: images repeat empty
/// layers, and hostile ones repeat costly layers.
fn first_of(image: &Image, at: usize) -> usize {
    let Some(digest) = image.layers.get(at).and_then(|it| it.layer.digest.as_ref()) else {
        return at;
    };
    image
        .layers
        .iter()
        .position(|it| it.layer.digest.as_ref() == Some(digest))
        .unwrap_or(at)
}

struct ReadLayer {
    digest: Digest,
    records: LayerRecords,
}

/// What is remembered under the digest that the image states.
fn recall_stated(blob: &LayerBlob, rig: &Rig<'_>) -> Option<ReadLayer> {
    let digest = blob.layer.digest.as_ref()?;
    Some(ReadLayer {
        digest: digest.clone(),
        records: recall(rig, digest, blob.size)?,
    })
}

fn read_layer(blob: &LayerBlob, blobs: &dyn Blobs, rig: &Rig<'_>) -> Result<ReadLayer, TakeError> {
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
