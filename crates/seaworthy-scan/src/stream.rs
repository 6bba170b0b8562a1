//! An archive that passes by once, and cannot be sought in.

use std::collections::HashMap;
use std::io::{self, Read};

use seaworthy_core::{Digest, ImageFacts, Inventory, Layer};
use seaworthy_image::{
    BlobKey, ChooseError, Expected, LayerBlob, PlatformWish, StreamError, Verified, VerifyError,
    read_stream,
};
use seaworthy_inventory::{LayerRecords, link};

use crate::reader::ReadLayerError;
use crate::take::{Counted, Held, Rig, TakeError};

/// Why a stream yielded no inventory.
#[derive(Debug, thiserror::Error)]
pub enum TakeStreamError {
    /// It is no archive of images.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// It does not hold the image asked for.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// A layer of the image cannot be read.
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// Reads every layer in `stream` as it passes, and links those that form the
/// image called `name`, or the only one. Which layers these are is often said
/// last, so all are read; trouble with one counts only if the image has it.
pub fn take_stream(
    stream: &mut dyn Read,
    name: Option<&str>,
    wish: &PlatformWish,
    rig: &Rig<'_>,
) -> Result<Vec<(ImageFacts, Inventory)>, TakeStreamError> {
    let mut passed: HashMap<Box<str>, Passed> = HashMap::new();
    let mut stream = Counted {
        inner: stream,
        progress: rig.progress,
    };
    let held = Held::default();
    let mut too_much = Ok(());
    let streamed = read_stream(&mut stream, &mut |entry, size, bytes| {
        let layer = Passed::read(size, bytes, rig)?;
        if let Ok(records) = &layer.records
            && let Err(error) = held.add(records)
        {
            too_much = Err(error);
            return Err(io::Error::other("too much"));
        }
        passed.insert(entry.into(), layer);
        Ok(())
    });
    too_much?;
    let streamed = streamed?;
    let images = streamed.images(name, wish)?;
    images
        .into_iter()
        .map(|image| {
            let layers = image
                .layers
                .into_iter()
                .map(|blob| claim(blob, &passed))
                .collect::<Result<Vec<_>, TakeError>>()?;
            Ok((image.facts, link(layers)))
        })
        .collect()
}

/// A layer that went by.
struct Passed {
    digest: Digest,
    records: Result<LayerRecords, String>,
}

impl Passed {
    fn read(size: u64, bytes: &mut dyn Read, rig: &Rig<'_>) -> io::Result<Self> {
        let mut bytes = Verified::new(bytes);
        let records = rig.reader.read_layer(&mut bytes);
        let expected = Expected {
            digest: None,
            size: Some(size),
        };
        let digest = match bytes.finish(&expected) {
            Ok(digest) => digest,
            Err(VerifyError::Read(error)) => return Err(error),
            // The stream ended inside this entry: whoever reads on will notice.
            Err(error @ (VerifyError::Size { .. } | VerifyError::Digest { .. })) => {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
            }
        };
        if let (Ok(records), Some(cache)) = (&records, rig.cache) {
            cache.remember(&digest, size, records);
        }
        rig.progress.layer_done(false);
        Ok(Self {
            digest,
            records: records.map_err(|error| error.to_string()),
        })
    }
}

/// What the image's layer yielded when it went by.
fn claim(
    blob: LayerBlob,
    passed: &HashMap<Box<str>, Passed>,
) -> Result<(Layer, LayerRecords), TakeError> {
    let entry: Box<str> = match &blob.key {
        BlobKey::Entry(entry) => entry.clone(),
        BlobKey::Digest(digest, _) => digest.to_string().into(),
    };
    let Some(found) = passed.get(&entry) else {
        let source = io::Error::new(io::ErrorKind::NotFound, "it is not in the stream");
        return Err(TakeError::Open {
            layer: entry.into(),
            source,
        });
    };
    if let Some(expected) = &blob.layer.digest
        && *expected != found.digest
    {
        let source = VerifyError::Digest {
            expected: expected.clone(),
            actual: found.digest.clone(),
        };
        return Err(TakeError::Verify {
            layer: entry.into(),
            source,
        });
    }
    match &found.records {
        Ok(records) => {
            let layer = Layer {
                digest: Some(found.digest.clone()),
                ..blob.layer
            };
            Ok((layer, records.clone()))
        }
        Err(reason) => Err(TakeError::Read {
            layer: entry.into(),
            source: ReadLayerError::Layer {
                reason: reason.clone(),
            },
        }),
    }
}
