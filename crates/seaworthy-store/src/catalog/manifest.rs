//! Manifests as they are pushed, kept and found.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Catalog, Page, beyond};
use crate::address::Address;
use crate::name::{RepositoryName, Tag};
use crate::sql::args;
use crate::trouble::StoreError;

/// What a manifest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// An image for one platform.
    Image,
    /// A list of other manifests.
    Index,
    /// Anything else that is kept in registries: signatures, SBOMs, charts. It is no
    /// image: nobody scans it and it gets no row among the images.
    Artifact,
}

impl ManifestKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Index => "index",
            Self::Artifact => "artifact",
        }
    }
}

/// What a manifest names another thing as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartRole {
    /// The config blob.
    Config,
    /// A layer blob.
    Layer,
    /// A layer blob that may lie elsewhere and need not be here.
    ForeignLayer,
    /// Another manifest of the same repository.
    Manifest,
}

impl PartRole {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Layer => "layer",
            Self::ForeignLayer => "foreign",
            Self::Manifest => "manifest",
        }
    }
}

/// Something a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As what.
    pub role: PartRole,
    /// Its content.
    pub address: Address,
    /// Its media type.
    pub media_type: Box<str>,
    /// Its size in bytes, as stated.
    pub size: u64,
    /// Such as `linux/amd64`.
    pub platform: Option<Box<str>>,
}

/// A manifest as the registry read it, to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewManifest {
    /// Proved by the registry.
    pub address: Address,
    /// Of the manifest itself.
    pub media_type: Box<str>,
    /// As the referrers list tells it: `artifactType`, else the config's media type.
    pub artifact_type: Option<Box<str>>,
    /// What it is.
    pub kind: ManifestKind,
    /// As pushed, byte for byte.
    pub content: Bytes,
    /// What it refers to.
    pub subject: Option<Address>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it names, in order.
    pub parts: Vec<Part>,
}

/// A manifest as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its content address.
    pub address: Address,
    /// Its media type.
    pub media_type: Box<str>,
    /// As pushed, byte for byte.
    pub content: Bytes,
}

/// One line of a referrers list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its content address.
    pub address: Address,
    /// Of the manifest.
    pub media_type: Box<str>,
    /// What it is.
    pub artifact_type: Option<Box<str>>,
    /// In bytes.
    pub size: u64,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest by tag or by digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ManifestName {
    /// What a tag points to.
    Tag(Tag),
    /// This content.
    Address(Address),
}

impl ManifestName {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag.as_str(),
            Self::Address(address) => address.as_str(),
        }
    }
}

impl Catalog {
    /// What refers to `subject`, oldest first, after the serial number `after`.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Address,
        artifact_type: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Page<(i64, Referrer)>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT m.id, m.address, m.media_type, m.artifact_type, m.size, m.annotations
                 FROM repository r JOIN manifest m ON m.repository_id = r.id
                 WHERE r.name = $1 AND m.subject = $2 AND m.id > $4
                     AND (CAST($3 AS TEXT) IS NULL OR m.artifact_type = $3)
                 ORDER BY m.id LIMIT $5",
                args![
                    repository.as_str(),
                    subject.as_str(),
                    artifact_type,
                    after,
                    beyond(limit)
                ],
            )
            .await?;
        Page::of(rows, limit, |row| {
            let annotations = serde_json::from_str(&row.text(5)?)
                .map_err(|error| StoreError::Unreadable(error.to_string()))?;
            let referrer = Referrer {
                address: row.parsed(1)?,
                media_type: row.text(2)?.into(),
                artifact_type: row.optional_text(3)?.map(Into::into),
                size: row.size(4)?,
                annotations,
            };
            Ok((row.int(0)?, referrer))
        })
    }
}
