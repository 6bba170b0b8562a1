//! From the name of some bytes to the images they are.

use std::io::{self, Read};

use seaworthy_core::{Digest, ImageFacts, Layer, Platform};

use crate::manifest::{
    self, CONFIG_BYTES, Config, ConfigError, Descriptor, Document, MANIFEST_BYTES, ManifestError,
    read_config, read_manifest,
};
use crate::verify::{Expected, Verified, VerifyError};

/// How indexes may nest.
const MOST_NESTED: usize = 4;
/// How many documents one resolving may read.
const MOST_DOCUMENTS: usize = 2000;

/// Where in its store a blob is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BlobKey {
    /// By content: digest and size in bytes.
    Digest(Digest, u64),
    /// By the name of an entry in an archive.
    Entry(Box<str>),
}

/// A store of blobs: a registry, a layout, an archive.
///
/// Nothing that comes from it is trusted before its digest was compared, so an
/// implementation only has to find bytes.
pub trait Blobs: Sync {
    /// Opens a blob for reading from its first byte.
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>>;

    /// Opens an index or a manifest. Registries keep these apart from blobs.
    fn open_manifest(&self, manifest: &Descriptor) -> io::Result<Box<dyn Read + Send + '_>> {
        self.open(&BlobKey::Digest(manifest.digest.clone(), manifest.size))
    }
}

/// Which images of an index are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformWish {
    /// Of an index the one for this platform; an image outside of an index,
    /// whatever it is for.
    Host(Platform),
    /// The one for this platform, and no other.
    Only(Platform),
    /// Each image there is.
    All,
}

/// One layer to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerBlob {
    /// What is known of it. Where `digest` is there, the bytes must have it.
    pub layer: Layer,
    /// Where to open it.
    pub key: BlobKey,
    /// What the manifest says it is. How it is compressed is seen by reading.
    pub media_type: Box<str>,
    /// Its size in bytes as it is kept.
    pub size: u64,
}

impl LayerBlob {
    /// Whether the registry need not have it: base layers under a licence that
    /// forbids passing them on. When opening fails, this is why.
    pub fn is_foreign(&self) -> bool {
        manifest::is_foreign(&self.media_type)
    }

    /// What reading it must prove.
    pub fn expected(&self) -> Expected {
        Expected {
            digest: self.layer.digest.clone(),
            size: Some(self.size),
        }
    }
}

/// One image, pinned by digests, and where its layers are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What identifies it. `target` is left empty: only the caller knows.
    pub facts: ImageFacts,
    /// Layers, bottom first.
    pub layers: Vec<LayerBlob>,
}

/// Why no image was found.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A document could not be opened.
    #[error("cannot open {digest}")]
    Open {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A document is not what its digest says, or ended early.
    #[error("cannot trust {digest}")]
    Verify {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: VerifyError,
    },
    /// A document is too large to be what it is announced as.
    #[error("{digest} has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// Which.
        digest: Digest,
        /// As announced.
        size: u64,
        /// The most there may be.
        limit: u64,
    },
    /// A document is no manifest we can read.
    #[error("cannot read manifest {digest}")]
    Manifest {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// A config is none we can read.
    #[error("cannot read image config {digest}")]
    Config {
        /// Which.
        digest: Digest,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// There is no image for the platform that was asked for.
    #[error("no image for `{wanted}`; there is {}", list(available))]
    Platform {
        /// What was asked for.
        wanted: Platform,
        /// What there is, sorted.
        available: Vec<Platform>,
    },
    /// The index lists no image at all.
    #[error("the index {0} lists no image")]
    Empty(Digest),
    /// Indexes are nested deeper than anybody needs, or list too much.
    #[error("the index {0} leads to too many others")]
    TooDeep(Digest),
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none that says its platform".to_owned();
    }
    let names: Vec<String> = platforms.iter().map(|it| format!("`{it}`")).collect();
    names.join(", ")
}

/// Finds the images that `top` stands for. Each document is read once, within
/// limits, and compared with its digest before it is believed. Layers are not
/// opened.
pub fn resolve(
    blobs: &dyn Blobs,
    top: &Descriptor,
    wish: &PlatformWish,
) -> Result<Vec<Image>, ResolveError> {
    let mut search = Search {
        blobs,
        documents: 0,
        available: Vec::new(),
        found: Vec::new(),
    };
    match search.read(top)? {
        Document::Image { config, layers } => {
            let image = search.image(top, &config, &layers)?;
            if let PlatformWish::Only(wanted) = wish
                && let Some(platform) = &image.facts.platform
                && !platform.satisfies(wanted)
            {
                return Err(ResolveError::Platform {
                    wanted: wanted.clone(),
                    available: vec![platform.clone()],
                });
            }
            Ok(vec![image])
        }
        Document::Index(entries) => search.index(&top.digest, &entries, wish),
    }
}

/// Chooses among descriptors that stand beside each other, as in the index of an
/// image layout whose own digest nobody states.
pub(crate) fn resolve_among(
    blobs: &dyn Blobs,
    index: &Digest,
    entries: &[Descriptor],
    wish: &PlatformWish,
) -> Result<Vec<Image>, ResolveError> {
    let search = Search {
        blobs,
        documents: 0,
        available: Vec::new(),
        found: Vec::new(),
    };
    search.index(index, entries, wish)
}

struct Search<'a> {
    blobs: &'a dyn Blobs,
    documents: usize,
    available: Vec<Platform>,
    found: Vec<Image>,
}

impl Search<'_> {
    fn index(
        mut self,
        index: &Digest,
        entries: &[Descriptor],
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ResolveError> {
        let wanted = match wish {
            PlatformWish::Host(platform) | PlatformWish::Only(platform) => Some(platform),
            PlatformWish::All => None,
        };
        self.gather(index, entries, wanted, 1)?;
        if !self.found.is_empty() {
            return Ok(self.found);
        }
        self.available.sort();
        self.available.dedup();
        match wanted {
            Some(wanted) if entries.iter().any(|it| !it.is_about_an_image) => {
                Err(ResolveError::Platform {
                    wanted: wanted.clone(),
                    available: self.available,
                })
            }
            _ => Err(ResolveError::Empty(index.clone())),
        }
    }

    /// Adds what `entries` hold of the wish. With a wanted platform, one image
    /// is enough.
    fn gather(
        &mut self,
        index: &Digest,
        entries: &[Descriptor],
        wanted: Option<&Platform>,
        depth: usize,
    ) -> Result<(), ResolveError> {
        let mut candidates: Vec<&Descriptor> = entries
            .iter()
            .filter(|entry| !entry.is_about_an_image)
            .collect();
        self.available
            .extend(candidates.iter().filter_map(|it| it.platform.clone()));
        if let Some(wanted) = wanted {
            candidates.retain(|entry| {
                entry
                    .platform
                    .as_ref()
                    .is_none_or(|it| it.satisfies(wanted))
            });
            // The very platform before a relative, and what says nothing last.
            candidates.sort_by_key(|entry| match &entry.platform {
                Some(platform) if platform == wanted => 0,
                Some(_) => 1,
                None => 2,
            });
        }
        for entry in candidates {
            match self.read(entry)? {
                Document::Index(nested) => {
                    if depth == MOST_NESTED {
                        return Err(ResolveError::TooDeep(index.clone()));
                    }
                    self.gather(&entry.digest, &nested, wanted, depth + 1)?;
                }
                Document::Image { config, layers } => {
                    let image = self.image(entry, &config, &layers)?;
                    let said_by_index = entry.platform.is_some();
                    let fits = said_by_index
                        || match (wanted, &image.facts.platform) {
                            (Some(wanted), Some(platform)) => platform.satisfies(wanted),
                            (Some(_), None) => false,
                            (None, _) => true,
                        };
                    self.available.extend(image.facts.platform.clone());
                    let known = |it: &Image| it.facts.manifest == image.facts.manifest;
                    if fits && !self.found.iter().any(known) {
                        self.found.push(image);
                    }
                }
            }
            if wanted.is_some() && !self.found.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn read(&mut self, entry: &Descriptor) -> Result<Document, ResolveError> {
        self.documents += 1;
        if self.documents > MOST_DOCUMENTS {
            return Err(ResolveError::TooDeep(entry.digest.clone()));
        }
        let bytes = read_verified(entry, MANIFEST_BYTES, || self.blobs.open_manifest(entry))?;
        read_manifest(&bytes, Some(&entry.media_type)).map_err(|source| ResolveError::Manifest {
            digest: entry.digest.clone(),
            source,
        })
    }

    fn image(
        &mut self,
        manifest: &Descriptor,
        config: &Descriptor,
        layers: &[Descriptor],
    ) -> Result<Image, ResolveError> {
        let bytes = read_verified(config, CONFIG_BYTES, || {
            self.blobs
                .open(&BlobKey::Digest(config.digest.clone(), config.size))
        })?;
        let read = read_config(&bytes, layers.len()).map_err(|source| ResolveError::Config {
            digest: config.digest.clone(),
            source,
        })?;
        let blobs = layers.iter().map(|layer| LayerPlace {
            digest: Some(layer.digest.clone()),
            key: BlobKey::Digest(layer.digest.clone(), layer.size),
            media_type: layer.media_type.clone(),
            size: layer.size,
        });
        Ok(compose(
            Some(manifest.digest.clone()),
            config.digest.clone(),
            read,
            blobs,
        ))
    }
}

/// Where a layer is, before the config said more of it.
pub(crate) struct LayerPlace {
    pub(crate) digest: Option<Digest>,
    pub(crate) key: BlobKey,
    pub(crate) media_type: Box<str>,
    pub(crate) size: u64,
}

/// An image from its config and the places of as many layers.
pub(crate) fn compose(
    manifest: Option<Digest>,
    config_digest: Digest,
    config: Config,
    places: impl IntoIterator<Item = LayerPlace>,
) -> Image {
    let claims = config.diff_ids.into_iter().zip(config.created_by);
    let layers = places
        .into_iter()
        .zip(claims)
        .map(|(place, (diff_id, created_by))| LayerBlob {
            layer: Layer {
                digest: place.digest,
                diff_id: Some(diff_id),
                created_by,
            },
            key: place.key,
            media_type: place.media_type,
            size: place.size,
        })
        .collect();
    Image {
        facts: ImageFacts {
            manifest,
            config: Some(config_digest),
            platform: config.platform,
            ..ImageFacts::default()
        },
        layers,
    }
}

fn read_verified<'a>(
    entry: &Descriptor,
    limit: u64,
    open: impl FnOnce() -> io::Result<Box<dyn Read + Send + 'a>>,
) -> Result<Vec<u8>, ResolveError> {
    let digest = || entry.digest.clone();
    if entry.size > limit {
        return Err(ResolveError::TooLarge {
            digest: digest(),
            size: entry.size,
            limit,
        });
    }
    let reader = open().map_err(|source| ResolveError::Open {
        digest: digest(),
        source,
    })?;
    let mut reader = Verified::new(reader);
    let mut bytes = Vec::new();
    (&mut reader)
        .take(entry.size)
        .read_to_end(&mut bytes)
        .map_err(VerifyError::Read)
        .and_then(|_| {
            reader.finish(&Expected {
                digest: Some(digest()),
                size: Some(entry.size),
            })
        })
        .map_err(|source| ResolveError::Verify {
            digest: digest(),
            source,
        })?;
    Ok(bytes)
}
