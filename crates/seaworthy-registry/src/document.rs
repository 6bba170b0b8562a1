//! What a manifest says, checked before it is believed.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use seaworthy_store::{Address, Algorithm, ManifestKind, NewManifest, Part, PartRole};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256, Sha512};

use crate::strict;

/// How many things one manifest may name.
const MOST_PARTS: usize = 4096;

/// How long a media type may be.
const LONGEST_TYPE: usize = 255;

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_OLD: &str = "application/vnd.docker.distribution.manifest.v1+";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const OCI_FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.";
const DOCKER_FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.";

/// Why content is not a manifest that we take.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("the manifest is no JSON document of its kind: {0}")]
    Json(#[source] serde_json::Error),
    #[error("neither `Content-Type` nor `mediaType` says what the manifest is")]
    NoType,
    #[error("`{0}` is no media type")]
    Type(String),
    #[error("the manifest says it is `{field}` and was sent as `{header}`")]
    OtherType { field: String, header: String },
    #[error("manifests of schema 1 are not taken; push with a newer client")]
    Schema1,
    #[error("`schemaVersion` is not 2")]
    Version,
    #[error("a manifest has layers or manifests, not both")]
    Both,
    #[error("the manifest has no `{0}`")]
    Without(&'static str),
    #[error("the manifest names `{0}`, which is no digest we know")]
    Digest(String),
    #[error("the manifest names something without a media type")]
    PartType,
    #[error("the manifest says `{0}` has a size that nothing has")]
    PartSize(Address),
    #[error("the data in the manifest is not that of `{0}`")]
    Data(Address),
    #[error("a manifest may name up to {MOST_PARTS} things")]
    TooMany,
    #[error("a manifest is named by digest or tag; `{0}` is neither")]
    Reference(String),
}

/// The address of `content`.
pub(crate) fn address_of(content: &[u8], algorithm: Algorithm) -> Address {
    match algorithm {
        Algorithm::Sha256 => Address::of_sha256(Sha256::digest(content).into()),
        Algorithm::Sha512 => Address::of_sha512(Sha512::digest(content).into()),
    }
}

/// A field of which it matters whether it is there at all.
#[derive(Debug, Default)]
enum Field<T> {
    #[default]
    Absent,
    Null,
    There(T),
}

impl<T> Field<T> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// What is in it, where there is something.
    fn take(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Self::There(content) => Some(content),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        let content = Option::deserialize(field)?;
        Ok(content.map_or(Self::Null, Self::There))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<i64>,
    artifact_type: Option<String>,
    #[serde(default)]
    config: Field<Descriptor>,
    #[serde(default)]
    layers: Field<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Field<Vec<Descriptor>>,
    #[serde(default)]
    blobs: Field<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    size: u64,
    platform: Option<Platform>,
    data: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

/// What of a document is read even where the rest is of a kind we do not know.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    schema_version: serde_json::Value,
    media_type: Option<String>,
    #[serde(default)]
    fs_layers: Field<serde::de::IgnoredAny>,
}

/// Reads a manifest that was sent as `content_type` and has the address `address`.
pub(crate) fn read(
    content: Bytes,
    content_type: Option<&str>,
    address: Address,
) -> Result<NewManifest, DocumentError> {
    strict::check(&content).map_err(DocumentError::Json)?;
    let outline: Outline = serde_json::from_slice(&content).map_err(DocumentError::Json)?;
    if !outline.fs_layers.is_absent() || outline.schema_version == 1 {
        return Err(DocumentError::Schema1);
    }
    let media_type = type_of(&outline, content_type)?;
    let read = serde_json::from_slice(&content).map_err(DocumentError::Json);
    let (kind, parts, document) = match media_type.as_str() {
        OCI_IMAGE | DOCKER_IMAGE => image(read?)?,
        OCI_INDEX | DOCKER_LIST => index(read?)?,
        // Of another kind: what looks like ours is kept with it.
        _ => artifact(read.unwrap_or_default())?,
    };
    let of_config = || {
        let config = parts.iter().find(|part| part.role == PartRole::Config)?;
        Some(config.media_type.clone())
    };
    let stated = document.artifact_type.filter(|it| !it.is_empty());
    let artifact_type = stated.map(String::into_boxed_str).or_else(of_config);
    let subject = document.subject.as_ref().map(named).transpose()?;
    Ok(NewManifest {
        address,
        media_type: media_type.into(),
        artifact_type,
        kind,
        content,
        subject,
        annotations: document.annotations.unwrap_or_default(),
        parts,
    })
}

fn type_of(outline: &Outline, content_type: Option<&str>) -> Result<String, DocumentError> {
    // Parameters, such as a charset, say nothing about the type.
    let header = content_type.and_then(|it| it.split(';').next());
    let header = header.map(str::trim).filter(|it| !it.is_empty());
    let field = outline.media_type.as_deref().filter(|it| !it.is_empty());
    let media_type = match (field, header) {
        (Some(field), Some(header)) if field != header => {
            return Err(DocumentError::OtherType {
                field: bounded(field),
                header: bounded(header),
            });
        }
        (Some(either), _) | (None, Some(either)) => either,
        (None, None) => return Err(DocumentError::NoType),
    };
    if media_type.starts_with(DOCKER_OLD) {
        return Err(DocumentError::Schema1);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(allowed);
    match media_type.split_once('/') {
        Some((kind, name))
            if media_type.len() <= LONGEST_TYPE && is_word(kind) && is_word(name) =>
        {
            Ok(media_type.to_owned())
        }
        _ => Err(DocumentError::Type(bounded(media_type))),
    }
}

type Read = (ManifestKind, Vec<Part>, Document);

fn image(mut document: Document) -> Result<Read, DocumentError> {
    if document.schema_version != Some(2) {
        return Err(DocumentError::Version);
    }
    if !document.manifests.is_absent() {
        return Err(DocumentError::Both);
    }
    let Some(config) = document.config.take() else {
        return Err(DocumentError::Without("config"));
    };
    if document.layers.is_absent() {
        return Err(DocumentError::Without("layers"));
    }
    let layers = document.layers.take().unwrap_or_default();
    let mut parts = vec![part(PartRole::Config, config)?];
    add_layers(&mut parts, layers)?;
    let kind = if is_image(&document, &parts) {
        ManifestKind::Image
    } else {
        ManifestKind::Artifact
    };
    Ok((kind, parts, document))
}

fn index(mut document: Document) -> Result<Read, DocumentError> {
    if document.schema_version != Some(2) {
        return Err(DocumentError::Version);
    }
    if !document.layers.is_absent() || !document.config.is_absent() {
        return Err(DocumentError::Both);
    }
    if document.manifests.is_absent() {
        return Err(DocumentError::Without("manifests"));
    }
    let mut parts = Vec::new();
    add_manifests(&mut parts, document.manifests.take().unwrap_or_default())?;
    Ok((ManifestKind::Index, parts, document))
}

fn artifact(mut document: Document) -> Result<Read, DocumentError> {
    if !document.layers.is_absent() && !document.manifests.is_absent() {
        return Err(DocumentError::Both);
    }
    let mut parts = Vec::new();
    if let Some(config) = document.config.take() {
        parts.push(part(PartRole::Config, config)?);
    }
    for layers in [document.layers.take(), document.blobs.take()] {
        add_layers(&mut parts, layers.unwrap_or_default())?;
    }
    add_manifests(&mut parts, document.manifests.take().unwrap_or_default())?;
    Ok((ManifestKind::Artifact, parts, document))
}

fn add_layers(parts: &mut Vec<Part>, layers: Vec<Descriptor>) -> Result<(), DocumentError> {
    for layer in layers {
        let media_type = layer.media_type.as_deref().unwrap_or_default();
        let is_foreign = [OCI_FOREIGN, DOCKER_FOREIGN]
            .iter()
            .any(|foreign| media_type.starts_with(foreign));
        let role = if is_foreign {
            PartRole::ForeignLayer
        } else {
            PartRole::Layer
        };
        add(parts, part(role, layer)?)?;
    }
    Ok(())
}

fn add_manifests(parts: &mut Vec<Part>, manifests: Vec<Descriptor>) -> Result<(), DocumentError> {
    for manifest in manifests {
        let media_type = manifest.media_type.as_deref().unwrap_or_default();
        // Build caches are indexes that name layers.
        let is_blob = [OCI_LAYER, DOCKER_LAYER]
            .iter()
            .any(|it| media_type.starts_with(it))
            || media_type.contains("config");
        let role = if is_blob {
            PartRole::Layer
        } else {
            PartRole::Manifest
        };
        add(parts, part(role, manifest)?)?;
    }
    Ok(())
}

fn add(parts: &mut Vec<Part>, part: Part) -> Result<(), DocumentError> {
    if parts.len() >= MOST_PARTS {
        return Err(DocumentError::TooMany);
    }
    parts.push(part);
    Ok(())
}

/// Whether it can be run, so that it is an image to be scanned.
fn is_image(document: &Document, parts: &[Part]) -> bool {
    let has_type = document
        .artifact_type
        .as_deref()
        .is_some_and(|it| !it.is_empty());
    let is_config = |part: &Part| match part.role {
        PartRole::Config => [OCI_CONFIG, DOCKER_CONFIG].contains(&&*part.media_type),
        PartRole::Layer | PartRole::ForeignLayer | PartRole::Manifest => false,
    };
    let is_layer = |part: &Part| {
        [OCI_LAYER, DOCKER_LAYER]
            .iter()
            .any(|it| part.media_type.starts_with(it))
    };
    // What builders attest has an image's config and no layer of files.
    let layers = parts.iter().filter(|part| part.role != PartRole::Config);
    let has_files = layers.clone().next().is_none() || layers.clone().any(is_layer);
    !has_type && parts.iter().any(is_config) && has_files
}

fn named(descriptor: &Descriptor) -> Result<Address, DocumentError> {
    let digest = descriptor.digest.parse();
    digest.map_err(|_| DocumentError::Digest(bounded(&descriptor.digest)))
}

fn part(role: PartRole, descriptor: Descriptor) -> Result<Part, DocumentError> {
    let address = named(&descriptor)?;
    if i64::try_from(descriptor.size).is_err() {
        return Err(DocumentError::PartSize(address));
    }
    if let Some(data) = &descriptor.data {
        let same = |data: &[u8]| {
            data.len() as u64 == descriptor.size && address_of(data, address.algorithm()) == address
        };
        if !BASE64.decode(data.as_bytes()).is_ok_and(|data| same(&data)) {
            return Err(DocumentError::Data(address));
        }
    }
    let media_type = descriptor.media_type.unwrap_or_default();
    if media_type.is_empty() || media_type.len() > LONGEST_TYPE {
        return Err(DocumentError::PartType);
    }
    Ok(Part {
        role,
        address,
        media_type: media_type.into(),
        size: descriptor.size,
        platform: descriptor.platform.and_then(platform),
    })
}

fn platform(platform: Platform) -> Option<Box<str>> {
    let some = |word: Option<String>| word.filter(|it| !it.is_empty() && it.len() <= 64);
    let (os, architecture) = (some(platform.os)?, some(platform.architecture)?);
    let text = match some(platform.variant) {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    };
    Some(text.into())
}

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST_TYPE).collect()
}
