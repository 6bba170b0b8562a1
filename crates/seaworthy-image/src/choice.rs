//! Which of the images in one container is meant.

use std::io;

use seaworthy_core::Digest;

use crate::manifest::{ConfigError, Descriptor};
use crate::resolve::{Blobs, Image, PlatformWish, ResolveError, resolve, resolve_among};

/// Why no image was chosen from a layout or an archive.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// No image has that name.
    #[error("no image is called `{name}`; there is {}", listed(there))]
    NoSuchName {
        /// As asked for.
        name: Box<str>,
        /// The names there are.
        there: Vec<Box<str>>,
    },
    /// There are several, and none was named.
    #[error("there are several images, name one of {}", listed(there))]
    Several {
        /// The names there are.
        there: Vec<Box<str>>,
    },
    /// There is none at all.
    #[error("there is no image")]
    Empty,
    /// The one that was meant cannot be read.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// What the archive lists cannot be an image.
    #[error(transparent)]
    Saved(#[from] SavedError),
}

/// Why an image that `docker save` wrote cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// Something that the list names is not in the archive.
    #[error("`{0}` is listed but not in the archive")]
    Missing(Box<str>),
    /// It could not be read.
    #[error("cannot read `{name}`")]
    Read {
        /// Which entry.
        name: Box<str>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The config's name says that it is another one.
    #[error("`{name}` has the digest {actual}")]
    Digest {
        /// Which entry.
        name: Box<str>,
        /// As read.
        actual: Digest,
    },
    /// The config is none.
    #[error("cannot read the image config `{name}`")]
    Config {
        /// Which entry.
        name: Box<str>,
        /// Why.
        #[source]
        source: ConfigError,
    },
}

fn listed(names: &[Box<str>]) -> String {
    if names.is_empty() {
        return "none with a name".to_owned();
    }
    let mut text: Vec<String> = names.iter().take(20).map(|it| format!("`{it}`")).collect();
    if names.len() > text.len() {
        text.push(format!("{} more", names.len() - text.len()));
    }
    text.join(", ")
}

/// Chooses among the entries of a layout's index.
pub(crate) fn among(
    blobs: &dyn Blobs,
    index: &Digest,
    entries: &[Descriptor],
    name: Option<&str>,
    wish: &PlatformWish,
) -> Result<Vec<Image>, ChooseError> {
    let mut there: Vec<Box<str>> = entries.iter().filter_map(|it| it.name.clone()).collect();
    there.sort();
    there.dedup();
    if let Some(name) = name {
        let mut named = entries.iter().filter(|it| it.name.as_deref() == Some(name));
        let Some(first) = named.next() else {
            return Err(ChooseError::NoSuchName {
                name: name.into(),
                there,
            });
        };
        let images = if named.any(|other| other.digest != first.digest) {
            // Some tools put one entry per platform under one name.
            let named: Vec<Descriptor> = entries
                .iter()
                .filter(|it| it.name.as_deref() == Some(name))
                .cloned()
                .collect();
            resolve_among(blobs, index, &named, wish)?
        } else {
            resolve(blobs, first, wish)?
        };
        return Ok(images);
    }
    let images: Vec<&Descriptor> = entries.iter().filter(|it| !it.is_about_an_image).collect();
    let Some(first) = images.first() else {
        return Err(ChooseError::Empty);
    };
    if images.iter().all(|it| it.digest == first.digest) {
        return Ok(resolve(blobs, first, wish)?);
    }
    if there.len() <= 1 && images.iter().all(|it| it.platform.is_some()) {
        return Ok(resolve_among(blobs, index, entries, wish)?);
    }
    Err(ChooseError::Several { there })
}
