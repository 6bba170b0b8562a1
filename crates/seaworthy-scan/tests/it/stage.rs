//! An image in memory, and who asks for its blobs.

use std::io::{self, Cursor, Read};
use std::sync::Mutex;

use seaworthy_core::{Inventory, Platform};
use seaworthy_image::{BlobKey, Blobs, Descriptor, Image as Resolved, PlatformWish, resolve};
use seaworthy_scan::{Inline, LayerCache, LayerMemory, Rig, Silent, TakeError, take_inventory};
use seaworthy_testkit::Image;

/// A store that remembers what it was asked for.
pub(crate) struct Store {
    pub(crate) image: Image,
    pub(crate) opened: Mutex<Vec<String>>,
}

impl Store {
    pub(crate) fn of(image: Image) -> Self {
        Self {
            image,
            opened: Mutex::default(),
        }
    }

    pub(crate) fn resolved(&self) -> Resolved {
        let manifest = &self.image.manifest;
        let top = Descriptor::new(
            &manifest.media_type,
            manifest.digest.parse().unwrap(),
            manifest.bytes.len() as u64,
        );
        let wish = PlatformWish::Host("linux/amd64".parse::<Platform>().unwrap());
        let image = resolve(self, &top, &wish).unwrap().remove(0);
        self.opened.lock().unwrap().clear();
        image
    }

    pub(crate) fn take(
        &self,
        cache: Option<&LayerCache>,
        threads: usize,
    ) -> Result<Inventory, TakeError> {
        let reader = Inline::default();
        let rig = Rig {
            reader: &reader,
            cache: cache.map(|cache| cache as &dyn LayerMemory),
            threads,
            progress: &Silent,
        };
        take_inventory(&self.resolved(), self, &rig)
    }
}

impl Blobs for Store {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, _) = blob else {
            panic!("{blob:?}")
        };
        self.opened.lock().unwrap().push(digest.to_string());
        match self.image.blob(&digest.to_string()) {
            Some(blob) => Ok(Box::new(Cursor::new(&blob.bytes))),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }
}

/// `name version @layer` of each package, and the gaps.
pub(crate) fn tell(inventory: &Inventory) -> Vec<String> {
    let packages = inventory.packages.iter().map(|it| {
        let layer = it.seen[0]
            .layer
            .map_or_else(|| "-".to_owned(), |layer| layer.to_string());
        format!("{} {} @{layer}", it.name, it.version)
    });
    let gaps = inventory
        .gaps
        .iter()
        .map(|it| format!("gap {}: {}", it.path, it.why));
    packages.chain(gaps).collect()
}
