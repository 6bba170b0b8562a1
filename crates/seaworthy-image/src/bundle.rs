//! Several images in one tar, whichever way the tar is read.
//!
//! Two lists may stand in it: `manifest.json`, which `docker save` has always
//! written, and `index.json`, which makes it an OCI image layout. Newer engines
//! write both. `manifest.json` names images as people do; `index.json` leads to
//! manifests that pin every byte. So the first chooses and the second, where it
//! knows the chosen image, describes it.

use std::io;

use seaworthy_core::{Digest, Platform, Reference};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::choice::{self, ChooseError, SavedError};
use crate::manifest::{
    CONFIG_BYTES, Descriptor, MANIFEST_BYTES, ManifestError, PLAIN_LAYER, read_config, read_index,
    refuse_ambiguous_keys,
};
use crate::path;
use crate::resolve::{
    BlobKey, Blobs, Image, LayerPlace, PlatformWish, ResolveError, compose, resolve_among,
};
use crate::tape::MemberKind;

/// The most entries of an archive. The old form has four per layer.
pub(crate) const MOST_ENTRIES: usize = 100_000;
/// The longest name of an entry, in bytes. The known ones have some 80.
pub(crate) const LONGEST_NAME: usize = 1024;
/// The most images in one `manifest.json`, and the most layers of one.
const MOST_IMAGES: usize = 1000;
/// Where a layout keeps its blobs.
const BLOBS: &str = "blobs/sha256/";

/// The entries of a tar, by clean name.
pub(crate) trait Entries: Blobs {
    /// Up to `limit` bytes of a small entry, if it is there.
    fn document(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>>;

    /// A large entry, if it is there. Links are followed.
    fn layer(&self, name: &str) -> io::Result<Option<LayerEntry>>;
}

/// A large entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerEntry {
    /// The name under which it can be opened.
    pub(crate) name: Box<str>,
    /// Bytes, as they are kept.
    pub(crate) size: u64,
    /// Whether it is not compressed.
    pub(crate) is_plain: bool,
}

/// The lists of a tar.
#[derive(Debug)]
pub(crate) struct Bundle {
    layout: Option<(Vec<Descriptor>, Digest)>,
    saved: Option<Vec<Saved>>,
}

/// Why a tar does not hold images.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It has no list of images.
    #[error("there is neither `manifest.json` nor `index.json`, so this is not an image")]
    NotAnImage,
    /// A list could not be read.
    #[error("cannot read `{name}`")]
    Read {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `index.json` is no index.
    #[error("cannot read `index.json`")]
    Index(#[source] ManifestError),
    /// `manifest.json` is no list of images.
    #[error("cannot read `manifest.json`")]
    List(#[source] serde_json::Error),
    /// A list has more images, or an image more layers, than anybody saves.
    #[error("`manifest.json` lists more than {MOST_IMAGES} images or layers")]
    TooMany,
}

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

/// The entry of a blob in a layout.
pub(crate) fn blob_name(digest: &Digest) -> String {
    format!("{BLOBS}{}", digest.hex())
}

/// The entry that a link stands for, if it is one we follow: old engines save a
/// layer once and link to it by a path beside it.
pub(crate) fn link_place(name: &str, target: &str, kind: MemberKind) -> Option<String> {
    let mut place: Vec<&str> = Vec::new();
    if kind == MemberKind::Symlink && !target.starts_with('/') {
        place.extend(name.split('/'));
        place.pop();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                place.pop()?;
            }
            part => place.push(part),
        }
    }
    let place = place.join("/");
    (place.len() <= LONGEST_NAME).then_some(place)
}

impl Bundle {
    /// Reads the lists.
    pub(crate) fn read(entries: &dyn Entries) -> Result<Self, BundleError> {
        let document = |name: &'static str| {
            entries
                .document(name, MANIFEST_BYTES + 1)
                .map_err(|source| BundleError::Read { name, source })
        };
        let saved = match document("manifest.json")? {
            Some(bytes) => Some(read_list(&bytes)?),
            None => None,
        };
        let layout = match document("index.json")? {
            Some(bytes) => Some(read_index(&bytes).map_err(BundleError::Index)?),
            None => None,
        };
        if saved.is_none() && layout.is_none() {
            return Err(BundleError::NotAnImage);
        }
        Ok(Self { layout, saved })
    }

    /// The image called `name`, or the one there is.
    pub(crate) fn images(
        &self,
        entries: &dyn Entries,
        name: Option<&str>,
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ChooseError> {
        let images = match (&self.saved, &self.layout) {
            (Some(saved), _) => self.choose_saved(entries, saved, name, wish)?,
            (None, Some((descriptors, index))) => {
                choice::among(as_blobs(entries), index, descriptors, name, wish)?
            }
            (None, None) => return Err(ChooseError::Empty),
        };
        // In a tar, every layer is found by name.
        Ok(images.into_iter().map(by_entry).collect())
    }

    fn choose_saved(
        &self,
        entries: &dyn Entries,
        saved: &[Saved],
        name: Option<&str>,
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ChooseError> {
        let tags_of = |it: &'_ Saved| it.tags.clone().unwrap_or_default();
        let mut there: Vec<Box<str>> = saved
            .iter()
            .flat_map(|it| tags_of(it).into_iter().map(Into::into))
            .collect();
        there.sort();
        there.dedup();
        let candidates: Vec<&Saved> = saved
            .iter()
            .filter(|it| name.is_none_or(|name| tags_of(it).iter().any(|tag| same(tag, name))))
            .collect();
        let Some(first) = candidates.first() else {
            return Err(match name {
                Some(name) => ChooseError::NoSuchName {
                    name: name.into(),
                    there,
                },
                None => ChooseError::Empty,
            });
        };
        // Under one name there may be one image per platform.
        if candidates.iter().any(|it| tags_of(it) != tags_of(first)) {
            return Err(ChooseError::Several { there });
        }
        let mut images = Vec::new();
        for candidate in &candidates {
            images.push(self.image(entries, candidate)?);
        }
        let wanted = match wish {
            PlatformWish::Host(platform) if images.len() > 1 => platform,
            PlatformWish::Only(platform) => platform,
            PlatformWish::Host(_) | PlatformWish::All => return Ok(images),
        };
        let platform = |image: &Image| image.facts.platform.clone();
        let mut available: Vec<Platform> = images.iter().filter_map(platform).collect();
        let fits = |image: &Image| platform(image).is_some_and(|it| it.satisfies(wanted));
        if let Some(image) = images.into_iter().find(fits) {
            return Ok(vec![image]);
        }
        available.sort();
        available.dedup();
        Err(ChooseError::Resolve(ResolveError::Platform {
            wanted: wanted.clone(),
            available,
        }))
    }

    /// What `manifest.json` says of one image, or better, what a manifest of the
    /// same image says.
    fn image(&self, entries: &dyn Entries, saved: &Saved) -> Result<Image, SavedError> {
        let config_name = clean(&saved.config);
        let missing = || SavedError::Missing(config_name.clone());
        let bytes = entries
            .document(&config_name, CONFIG_BYTES)
            .map_err(|source| SavedError::Read {
                name: config_name.clone(),
                source,
            })?
            .ok_or_else(missing)?;
        let config_digest = Digest::from_sha256(Sha256::digest(&bytes).into());
        if stated_digest(&config_name).is_some_and(|stated| stated != config_digest) {
            return Err(SavedError::Digest {
                name: config_name,
                actual: config_digest,
            });
        }
        let tags: Vec<Box<str>> = saved
            .tags
            .iter()
            .flatten()
            .map(|tag| tag.chars().take(LONGEST_NAME).collect())
            .collect();

        if let Some((descriptors, index)) = &self.layout
            && let Ok(images) =
                resolve_among(as_blobs(entries), index, descriptors, &PlatformWish::All)
            && let Some(mut image) = images
                .into_iter()
                .find(|it| it.facts.config.as_ref() == Some(&config_digest))
        {
            image.facts.tags = tags;
            return Ok(image);
        }

        let layers = saved.layers.as_deref().unwrap_or_default();
        let config = read_config(&bytes, layers.len()).map_err(|source| SavedError::Config {
            name: config_name,
            source,
        })?;
        let mut places = Vec::with_capacity(layers.len());
        for (name, diff_id) in layers.iter().zip(&config.diff_ids) {
            let name = clean(name);
            let layer = entries
                .layer(&name)
                .map_err(|source| SavedError::Read {
                    name: name.clone(),
                    source,
                })?
                .ok_or_else(|| SavedError::Missing(name.clone()))?;
            // An uncompressed layer is its own diff, and the config is what
            // everybody goes by. Of a compressed one only a name by digest says
            // what it should be.
            let digest = if layer.is_plain {
                Some(diff_id.clone())
            } else {
                stated_digest(&name)
            };
            places.push(LayerPlace {
                digest,
                key: BlobKey::Entry(layer.name),
                media_type: PLAIN_LAYER.into(),
                size: layer.size,
            });
        }
        let mut image = compose(None, config_digest, config, places);
        image.facts.tags = tags;
        Ok(image)
    }
}

fn as_blobs(entries: &dyn Entries) -> &dyn Blobs {
    entries
}

fn by_entry(mut image: Image) -> Image {
    for layer in &mut image.layers {
        if let BlobKey::Digest(digest, _) = &layer.key {
            layer.key = BlobKey::Entry(blob_name(digest).into());
        }
    }
    image
}

fn read_list(bytes: &[u8]) -> Result<Vec<Saved>, BundleError> {
    refuse_ambiguous_keys(bytes).map_err(BundleError::List)?;
    let saved: Vec<Saved> = serde_json::from_slice(bytes).map_err(BundleError::List)?;
    let layers = |it: &Saved| it.layers.as_ref().map_or(0, Vec::len);
    if saved.len() > MOST_IMAGES || saved.iter().any(|it| layers(it) > MOST_IMAGES) {
        return Err(BundleError::TooMany);
    }
    Ok(saved)
}

/// An entry's name as it is kept; one that climbs is no entry's name.
fn clean(name: &str) -> Box<str> {
    let mut cleaned = String::new();
    match path::clean(name.as_bytes(), &mut cleaned) {
        Ok(()) => cleaned.into(),
        Err(path::Climbs) => name.chars().take(LONGEST_NAME).collect(),
    }
}

/// The digest in the name of an entry: `<hex>.json`, `<hex>.tar`,
/// `sha256:<hex>` or `blobs/sha256/<hex>`.
fn stated_digest(name: &str) -> Option<Digest> {
    let hex = name.strip_prefix(BLOBS).unwrap_or(name);
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    let hex = hex
        .strip_suffix(".json")
        .or_else(|| hex.strip_suffix(".tar.gz"))
        .or_else(|| hex.strip_suffix(".tar"))
        .unwrap_or(hex);
    format!("sha256:{hex}").parse().ok()
}

/// Whether two names of an image mean the same, as `app` and
/// `docker.io/library/app:latest` do.
fn same(tag: &str, name: &str) -> bool {
    tag == name
        || matches!(
            (tag.parse::<Reference>(), name.parse::<Reference>()),
            (Ok(tag), Ok(name)) if tag == name
        )
}
