//! Images in registries.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use anyhow::Context as _;
use seaworthy_core::{Digest, Reference};
use seaworthy_image::{BlobKey, Blobs, Descriptor, resolve};
use seaworthy_remote::Registry;

use super::{Reading, Taken};
use crate::access;
use crate::failure::Hinted;

/// Pulls and reads the image `name`.
pub(super) fn read(reading: &Reading<'_>, name: &str) -> anyhow::Result<Vec<Taken>> {
    let reference: Reference = name.parse().map_err(|error| {
        Hinted::over(
            format!("`{name}` is not the name of an image"),
            "an image in a registry is named like `alpine:3.20` or `registry.example/team/app:1.2`",
            error,
        )
    })?;
    reading.needs_network("a registry")?;
    reading.bar.say(&format!(
        "asking {} for {}",
        reference.registry(),
        reference.repository()
    ));
    let options = access::options(reading.desk, &reading.args.access.registry)?;
    let runtime = crate::runtime::start()?;
    let told = || format!("cannot pull `{reference}`");
    let registry = runtime
        .block_on(Registry::connect(reference.registry(), options))
        .with_context(told)?;
    let top = registry.manifest_blocking(&reference).with_context(told)?;
    let descriptor = Descriptor::new(&top.media_type, top.digest.clone(), top.bytes.len() as u64);
    let blobs = Remote {
        registry: Arc::new(registry),
        reference: &reference,
        top,
    };
    let images = resolve(&blobs, &descriptor, &reading.wish()).with_context(told)?;
    reading.take(images, &blobs)
}

struct Remote<'a> {
    registry: Arc<Registry>,
    reference: &'a Reference,
    /// The manifest already fetched, so that it is not asked for twice.
    top: seaworthy_remote::Manifest,
}

impl Blobs for Remote<'_> {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, size) = blob else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "a registry knows digests only",
            ));
        };
        let reader = self
            .registry
            .blob_blocking(self.reference, digest, *size)
            .map_err(io::Error::other)?;
        Ok(Box::new(reader))
    }

    fn open_manifest(&self, manifest: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        if manifest.digest == self.top.digest {
            return Ok(Box::new(Cursor::new(self.top.bytes.clone())));
        }
        let at: &Digest = &manifest.digest;
        let found = self
            .registry
            .manifest_blocking(&self.reference.at(at.clone()))
            .map_err(io::Error::other)?;
        Ok(Box::new(Cursor::new(found.bytes)))
    }
}
