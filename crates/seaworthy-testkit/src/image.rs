//! Images built in memory, the same bytes every time.
//!
//! ```text
//! let image = image().tag("app:1").layer(|l| l.file("/etc/os-release", "ID=alpine\n"));
//! let archive = image.build().docker_archive();
//! ```

mod layer;
mod transport;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use layer::{LayerBuilder, gzip, zstd};
pub use transport::{docker_archive_of, index_archive, index_layout};

/// A blob and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// `sha256:<hex>` of them.
    pub digest: String,
    /// What a manifest calls them.
    pub media_type: String,
}

impl Blob {
    /// A blob of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>, media_type: &str) -> Self {
        let bytes = bytes.into();
        Self {
            digest: digest_of(&bytes),
            bytes,
            media_type: media_type.to_owned(),
        }
    }

    /// The hex digits of the address.
    pub fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").unwrap_or(&self.digest)
    }

    /// The descriptor that points to it.
    pub fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.bytes.len(),
        })
    }
}

/// `sha256:<hex>` of some bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash))
}

/// A layer as it is kept, and what it is inflated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The blob.
    pub blob: Blob,
    /// The tar inside.
    pub tar: Vec<u8>,
    /// The build instruction that claims to have made it.
    pub created_by: Option<String>,
}

impl Layer {
    /// `sha256:<hex>` of the tar.
    pub fn diff_id(&self) -> String {
        digest_of(&self.tar)
    }
}

/// Starts an image for `linux/amd64` without layers.
pub fn image() -> ImageBuilder {
    ImageBuilder {
        platform: "linux/amd64".to_owned(),
        tags: Vec::new(),
        layers: Vec::new(),
        dialect: Dialect::Oci,
    }
}

/// Whose media types the manifest uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Oci,
    Docker,
}

/// An image in the making.
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    platform: String,
    tags: Vec<String>,
    layers: Vec<LayerBuilder>,
    dialect: Dialect,
}

impl ImageBuilder {
    /// Adds a layer on top.
    #[must_use]
    pub fn layer(mut self, fill: impl FnOnce(LayerBuilder) -> LayerBuilder) -> Self {
        self.layers.push(fill(LayerBuilder::default()));
        self
    }

    /// `os/architecture[/variant]`.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        platform.clone_into(&mut self.platform);
        self
    }

    /// Names the image, as in `app:1`. The first name is the one in layouts.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Uses Docker's media types (schema 2) instead of OCI's.
    #[must_use]
    pub fn docker(mut self) -> Self {
        self.dialect = Dialect::Docker;
        self
    }

    /// Builds all blobs.
    pub fn build(self) -> Image {
        let docker = self.dialect == Dialect::Docker;
        let layers: Vec<Layer> = self.layers.iter().map(|it| it.build(docker)).collect();
        let mut parts = self.platform.split('/');
        let mut config = json!({
            "os": parts.next().unwrap_or_default(),
            "architecture": parts.next().unwrap_or_default(),
            "config": {},
            "rootfs": {
                "type": "layers",
                "diff_ids": layers.iter().map(Layer::diff_id).collect::<Vec<_>>(),
            },
            "history": layers
                .iter()
                .map(|layer| json!({
                    "created": "1970-01-01T00:00:00Z",
                    "created_by": layer.created_by.as_deref().unwrap_or("testkit"),
                }))
                .collect::<Vec<_>>(),
        });
        if let Some(variant) = parts.next() {
            config["variant"] = json!(variant);
        }
        let config = Blob::new(
            config.to_string(),
            if docker {
                "application/vnd.docker.container.image.v1+json"
            } else {
                "application/vnd.oci.image.config.v1+json"
            },
        );
        let media_type = if docker {
            "application/vnd.docker.distribution.manifest.v2+json"
        } else {
            "application/vnd.oci.image.manifest.v1+json"
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": config.descriptor(),
            "layers": layers.iter().map(|it| it.blob.descriptor()).collect::<Vec<_>>(),
        });
        Image {
            platform: self.platform,
            tags: self.tags,
            manifest: Blob::new(manifest.to_string(), media_type),
            config,
            layers,
        }
    }
}

/// A finished image. All parts are public, so that a test may spoil one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// Names, first one first.
    pub tags: Vec<String>,
    /// The manifest.
    pub manifest: Blob,
    /// The config.
    pub config: Blob,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// All blobs: manifest, config, layers.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        [&self.manifest, &self.config]
            .into_iter()
            .chain(self.layers.iter().map(|it| &it.blob))
    }

    /// The blob with this digest.
    pub fn blob(&self, digest: &str) -> Option<&Blob> {
        self.blobs().find(|it| it.digest == digest)
    }
}
