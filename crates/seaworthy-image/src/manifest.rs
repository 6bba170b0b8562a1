//! The documents that say what an image is made of: OCI image index and
//! manifest, Docker manifest list and schema 2, and the image config.
//!
//! They decide which bytes are read, so they are read strictly: a document that
//! two readers could understand differently is refused.

use std::collections::HashSet;
use std::fmt;

use seaworthy_core::{Digest, Platform};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

/// The largest index or manifest, in bytes. Registries refuse larger ones.
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// The largest image config, in bytes.
pub(crate) const CONFIG_BYTES: u64 = 8 << 20;
/// The most entries of an index, and the most layers of an image.
const MOST_DESCRIPTORS: usize = 1000;
/// The longest build instruction kept of a layer, in characters.
const CREATED_BY: usize = 4096;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// The media type of an uncompressed layer.
pub(crate) const PLAIN_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Layer types that are a tar, by what follows the common beginning.
const LAYERS: [&str; 11] = [
    PLAIN_LAYER,
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
];

/// Whether blobs of this media type may live elsewhere than in the registry.
pub(crate) fn is_foreign(media_type: &str) -> bool {
    media_type.contains(".nondistributable.") || media_type.contains(".foreign.")
}

/// Points to a blob by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What the blob claims to be.
    pub media_type: Box<str>,
    /// What it is.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// For which platform, where an index says so.
    pub platform: Option<Platform>,
    /// Its name in an image layout (`org.opencontainers.image.ref.name`).
    pub name: Option<Box<str>>,
    /// Whether an index says that it is no image but speaks of one.
    pub is_about_an_image: bool,
}

impl Descriptor {
    /// A descriptor that says nothing but what to read.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            name: None,
            is_about_an_image: false,
        }
    }
}

/// What a manifest document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A list of images, one per platform as a rule.
    Index(Vec<Descriptor>),
    /// One image.
    Image {
        /// The image config.
        config: Descriptor,
        /// Layers, bottom first.
        layers: Vec<Descriptor>,
    },
}

/// Why a document is not a manifest we can trust.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is larger than any registry takes.
    #[error("the manifest is larger than {MANIFEST_BYTES} bytes")]
    TooLarge,
    /// It is not the JSON it should be, or says something twice.
    #[error("the manifest is not well-formed")]
    Json(#[source] serde_json::Error),
    /// It was announced as one thing and says it is another.
    #[error("the manifest says it is `{says}` but was announced as `{announced}`")]
    MediaType {
        /// As announced by descriptor or header.
        announced: Box<str>,
        /// As written inside.
        says: Box<str>,
    },
    /// The media type is none of a manifest.
    #[error("`{0}` is not a manifest of an image")]
    NotAManifest(Box<str>),
    /// The retired Docker schema 1, which nothing verifies any more.
    #[error("the manifest is Docker schema 1, which is no longer supported")]
    SchemaOne,
    /// It lists layers and manifests, so two readers could see two images.
    #[error("the manifest has both `layers` and `manifests`")]
    Ambiguous,
    /// Neither layers nor manifests.
    #[error("the manifest has no `{0}`")]
    Missing(&'static str),
    /// It lists more than any image has.
    #[error("the manifest lists {0} entries; the limit is {MOST_DESCRIPTORS}")]
    TooMany(usize),
    /// Its parts have digests nobody can verify.
    #[error("the manifest has an unusable digest")]
    Digest(#[source] seaworthy_core::DigestError),
    /// An artifact that is kept in a registry but is no image.
    #[error("this is not an image but {0}")]
    Artifact(Box<str>),
    /// A layer that is not a tar, or is encrypted.
    #[error("layer {digest} has the media type `{media_type}`, which is not a readable layer")]
    Layer {
        /// Which.
        digest: Digest,
        /// What it says it is.
        media_type: Box<str>,
    },
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    config: Option<WrittenDescriptor>,
    layers: Option<Vec<WrittenDescriptor>>,
    #[serde(rename = "fsLayers")]
    schema_one_layers: Option<serde::de::IgnoredAny>,
    manifests: Option<Vec<WrittenDescriptor>>,
}

#[derive(Deserialize)]
struct WrittenDescriptor {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<WrittenPlatform>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    annotations: Option<WrittenAnnotations>,
}

/// The two annotations we know.
#[derive(Deserialize)]
struct WrittenAnnotations {
    #[serde(rename = "org.opencontainers.image.ref.name")]
    name: Option<String>,
    #[serde(rename = "vnd.docker.reference.type")]
    reference_type: Option<String>,
}

#[derive(Deserialize)]
struct WrittenPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl WrittenPlatform {
    fn read(&self) -> Option<Platform> {
        platform(&self.os, &self.architecture, &self.variant)
    }
}

/// The platform, if the words make one. Build tools leave the variant empty.
fn platform(os: &str, architecture: &str, variant: &str) -> Option<Platform> {
    let text = if variant.is_empty() {
        format!("{os}/{architecture}")
    } else {
        format!("{os}/{architecture}/{variant}")
    };
    text.parse().ok()
}

impl WrittenDescriptor {
    fn read(self) -> Result<Descriptor, ManifestError> {
        let unknown = self
            .platform
            .as_ref()
            .is_some_and(|it| it.os == "unknown" && it.architecture == "unknown");
        let artifact = self
            .artifact_type
            .as_deref()
            .is_some_and(|it| !it.is_empty() && !is_image_config(it));
        let (name, reference_type) = self
            .annotations
            .map_or((None, None), |it| (it.name, it.reference_type));
        Ok(Descriptor {
            digest: self.digest.parse().map_err(ManifestError::Digest)?,
            media_type: bounded(&self.media_type),
            size: self.size,
            platform: self.platform.as_ref().and_then(WrittenPlatform::read),
            name: name.map(|name| bounded(&name)),
            is_about_an_image: unknown || artifact || reference_type.is_some(),
        })
    }
}

fn bounded(text: &str) -> Box<str> {
    text.chars().take(255).collect()
}

fn is_image_config(media_type: &str) -> bool {
    matches!(media_type, OCI_CONFIG | DOCKER_CONFIG)
}

/// What an artifact is, in the words of those who push it.
fn name_artifact(kind: &str) -> Box<str> {
    let said = match kind {
        it if it.contains("cosign") || it.contains("sigstore") || it.contains("simplesigning") => {
            "a signature (cosign)"
        }
        it if it.contains("cncf.helm") => "a Helm chart",
        it if it.contains("in-toto") => "an attestation (in-toto)",
        it if it.contains("spdx") || it.contains("cyclonedx") => "an SBOM",
        it if it.contains("notary") => "a signature (notation)",
        it if it.contains("wasm") => "a WebAssembly module",
        _ => "an artifact",
    };
    format!("{said} of type `{}`", bounded(kind)).into()
}

/// Reads an index or manifest. `announced` is the media type that the
/// descriptor or the registry gave; the vague ones are ignored.
pub fn read_manifest(bytes: &[u8], announced: Option<&str>) -> Result<Document, ManifestError> {
    if bytes.len() as u64 > MANIFEST_BYTES {
        return Err(ManifestError::TooLarge);
    }
    refuse_ambiguous_keys(bytes).map_err(ManifestError::Json)?;
    let written: Written = serde_json::from_slice(bytes).map_err(ManifestError::Json)?;

    // Parameters as in `…+json; charset=utf-8` say nothing.
    let announced = announced
        .and_then(|it| it.split(';').next())
        .map(str::trim)
        .filter(|it| {
            !matches!(
                *it,
                "" | "application/json" | "application/octet-stream" | "text/plain"
            )
        });
    let says = written.media_type.as_deref().filter(|it| !it.is_empty());
    if let (Some(announced), Some(says)) = (announced, says)
        && announced != says
    {
        return Err(ManifestError::MediaType {
            announced: bounded(announced),
            says: bounded(says),
        });
    }
    let schema_one = |it: &str| it.starts_with("application/vnd.docker.distribution.manifest.v1+");
    if says.or(announced).is_some_and(schema_one)
        || written.schema_version == Some(1)
        || written.schema_one_layers.is_some()
    {
        return Err(ManifestError::SchemaOne);
    }
    if written.layers.is_some() && written.manifests.is_some()
        || written.config.is_some() && written.manifests.is_some()
    {
        return Err(ManifestError::Ambiguous);
    }
    let is_index = match says.or(announced) {
        Some(OCI_INDEX | DOCKER_LIST) => true,
        Some(OCI_MANIFEST | DOCKER_MANIFEST) => false,
        Some("application/vnd.oci.artifact.manifest.v1+json") => {
            let kind = written.artifact_type.as_deref().unwrap_or("unknown");
            return Err(ManifestError::Artifact(name_artifact(kind)));
        }
        Some(other) => return Err(ManifestError::NotAManifest(bounded(other))),
        None => written.manifests.is_some(),
    };

    if is_index {
        let manifests = written
            .manifests
            .ok_or(ManifestError::Missing("manifests"))?;
        return Ok(Document::Index(read_all(manifests)?));
    }
    let config = written.config.ok_or(ManifestError::Missing("config"))?;
    // Whatever the config is, an artifact type says that this is no image.
    let artifact_type = written.artifact_type.filter(|it| !it.is_empty());
    if !is_image_config(&config.media_type) || artifact_type.is_some() {
        let kind = artifact_type.unwrap_or(config.media_type);
        return Err(ManifestError::Artifact(name_artifact(&kind)));
    }
    let layers = read_all(written.layers.ok_or(ManifestError::Missing("layers"))?)?;
    for layer in &layers {
        let kind = &*layer.media_type;
        if LAYERS.contains(&kind) {
            continue;
        }
        let about_an_image = ["in-toto", "cosign", "simplesigning", "sigstore"];
        if about_an_image.iter().any(|word| kind.contains(word)) {
            return Err(ManifestError::Artifact(name_artifact(kind)));
        }
        return Err(ManifestError::Layer {
            digest: layer.digest.clone(),
            media_type: layer.media_type.clone(),
        });
    }
    Ok(Document::Image {
        config: config.read()?,
        layers,
    })
}

fn read_all(written: Vec<WrittenDescriptor>) -> Result<Vec<Descriptor>, ManifestError> {
    if written.len() > MOST_DESCRIPTORS {
        return Err(ManifestError::TooMany(written.len()));
    }
    written.into_iter().map(WrittenDescriptor::read).collect()
}

/// What the index of an image layout lists, and its own digest.
pub(crate) fn read_index(bytes: &[u8]) -> Result<(Vec<Descriptor>, Digest), ManifestError> {
    match read_manifest(bytes, None)? {
        Document::Index(entries) => {
            let hash = Sha256::digest(bytes);
            Ok((entries, Digest::from_sha256(hash.into())))
        }
        Document::Image { .. } => Err(ManifestError::Missing("manifests")),
    }
}

/// What an image config says of its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// For what it was built.
    pub(crate) platform: Option<Platform>,
    /// Digests of the uncompressed layers, bottom first.
    pub(crate) diff_ids: Vec<Digest>,
    /// The build instruction of each layer, where the history has as many.
    pub(crate) created_by: Vec<Option<Box<str>>>,
}

/// Why a blob is not an image config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not the JSON it should be, or says something twice.
    #[error("the image config is not well-formed")]
    Json(#[source] serde_json::Error),
    /// A layer's digest is none.
    #[error("the image config has an unusable digest")]
    Digest(#[source] seaworthy_core::DigestError),
    /// Manifest and config disagree on the number of layers.
    #[error("the image config speaks of {config} layers, the manifest of {manifest}")]
    Layers {
        /// As the config says.
        config: usize,
        /// As the manifest says.
        manifest: usize,
    },
}

#[derive(Deserialize)]
struct WrittenConfig {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
    rootfs: WrittenRoot,
    history: Option<Vec<WrittenHistory>>,
}

#[derive(Deserialize)]
struct WrittenRoot {
    diff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WrittenHistory {
    created_by: Option<String>,
    empty_layer: Option<bool>,
}

/// Reads the config of an image with `layers` layers.
pub(crate) fn read_config(bytes: &[u8], layers: usize) -> Result<Config, ConfigError> {
    refuse_ambiguous_keys(bytes).map_err(ConfigError::Json)?;
    let written: WrittenConfig = serde_json::from_slice(bytes).map_err(ConfigError::Json)?;
    let written_ids = written.rootfs.diff_ids.unwrap_or_default();
    if written_ids.len() != layers {
        return Err(ConfigError::Layers {
            config: written_ids.len(),
            manifest: layers,
        });
    }
    let mut diff_ids = Vec::with_capacity(layers);
    for id in &written_ids {
        diff_ids.push(id.parse().map_err(ConfigError::Digest)?);
    }
    let made_layers: Vec<_> = written
        .history
        .unwrap_or_default()
        .into_iter()
        .filter(|step| step.empty_layer != Some(true))
        .map(|step| step.created_by)
        .collect();
    let created_by = if made_layers.len() == layers {
        made_layers
            .into_iter()
            .map(|it| it.map(|it| it.chars().take(CREATED_BY).collect()))
            .collect()
    } else {
        // Squashed or imported images: nobody knows which step made which layer.
        vec![None; layers]
    };
    Ok(Config {
        platform: platform(
            &written.os,
            &written.architecture,
            written.variant.as_deref().unwrap_or(""),
        ),
        diff_ids,
        created_by,
    })
}

/// Refuses a document in which an object has a key twice, or, outside of maps
/// that people fill, twice but for upper and lower case: some readers take the
/// first, some the last, and Go's takes either case.
pub(crate) fn refuse_ambiguous_keys(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Keys { free: false }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Walks any JSON value and looks at keys only.
#[derive(Clone, Copy)]
struct Keys {
    /// Whether this value is a map with keys of people's choice.
    free: bool,
}

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let free = matches!(
                &*key,
                "annotations" | "Labels" | "labels" | "Annotations" | "ExposedPorts" | "Volumes"
            );
            let known = if self.free { key.clone() } else { folded(&key) };
            if !seen.insert(known) {
                let key = bounded(&key);
                return Err(A::Error::custom(format_args!(
                    "the key `{key}` comes twice"
                )));
            }
            map.next_value_seed(Keys { free })?;
        }
        Ok(())
    }
}

/// The key as a reader that ignores case sees it.
fn folded(key: &str) -> String {
    key.chars()
        .map(|it| match it {
            // Long s and the Kelvin sign fold to plain letters.
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            it => it.to_ascii_lowercase(),
        })
        .collect()
}
