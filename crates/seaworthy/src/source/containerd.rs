//! Images in containerd's content store.

use std::io::{self, Read};

use anyhow::Context as _;
use seaworthy_image::{BlobKey, Blobs, Descriptor, resolve};
use seaworthy_remote::Containerd;

use super::{Reading, Taken};
use crate::settings::Surroundings;

/// Reads the image `name` of the namespace asked for.
pub(super) fn read(reading: &Reading<'_>, name: &str) -> anyhow::Result<Vec<Taken>> {
    let sockets = Surroundings::containerd_sockets;
    let socket = super::export::choose(reading, "containerd", sockets)?;
    reading.bar.say(&format!("asking containerd for {name}"));
    let runtime = crate::runtime::start()?;
    let told = || format!("cannot read `containerd:{name}`");
    let asked = &reading.args.access.containerd_namespace;
    let usual = &reading.desk.surroundings.containerd_namespace;
    let namespace = asked
        .as_ref()
        .or(usual.as_ref())
        .map_or("default", String::as_str);
    let containerd = runtime
        .block_on(Containerd::open(socket, namespace))
        .with_context(told)?;
    let image = containerd.image_blocking(name).with_context(told)?;
    let top = Descriptor::new(&image.media_type, image.digest, image.size);
    let blobs = Store(containerd);
    let images = resolve(&blobs, &top, &reading.wish()).with_context(told)?;
    reading.take(images, &blobs)
}

struct Store(Containerd);

impl Blobs for Store {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, size) = blob else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "containerd knows digests only",
            ));
        };
        let reader = self
            .0
            .blob_blocking(digest, *size)
            .map_err(io::Error::other)?;
        Ok(Box::new(reader))
    }
}
