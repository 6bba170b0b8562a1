//! Images that nobody has seen before, though their files are the same.
//!
//! A comment in the head of a gzip member (RFC 1952) changes the digest of a
//! layer and nothing else: it inflates to the same bytes, at the same cost.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::layout::{self, hex};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image in memory, whose layers are gzip.
pub(crate) struct Template {
    config: Value,
    /// Each without its head.
    layers: Vec<Vec<u8>>,
}

/// The head of a gzip member as our layouts have it: no name, no comment.
const HEAD: usize = 10;
/// The flag that says a comment follows the head.
const COMMENT: u8 = 16;

impl Template {
    /// Reads the layout in `folder`.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let layers = layout::layers(folder)?.into_iter().map(|blob| {
            let mut bytes = fs::read(&blob.path)?;
            anyhow::ensure!(
                bytes.starts_with(&[0x1f, 0x8b, 8, 0]),
                "`{}` is not gzip as the bench writes it",
                blob.path.display()
            );
            Ok(bytes.split_off(HEAD))
        });
        Ok(Self {
            layers: layers.collect::<anyhow::Result<_>>()?,
            config: layout::config(folder)?,
        })
    }

    /// Number of layers.
    pub(crate) fn len(&self) -> usize {
        self.layers.len()
    }

    /// Bytes of all layers.
    pub(crate) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.len() as u64).sum()
    }

    /// An image whose layers from `first` on are new to the world; those below are
    /// the same as in every image of this template and `base`.
    pub(crate) fn salted(&self, salt: &str, base: &str, first: usize) -> Salted<'_> {
        let mut config = self.config.clone();
        config["config"] = json!({ "Labels": { "salt": salt } });
        let config = Blob::of(config.to_string().into_bytes(), &[]);
        let layers = self.layers.iter().enumerate().map(|(number, body)| {
            let salt = if number < first { base } else { salt };
            let mut head = vec![0x1f, 0x8b, 8, COMMENT, 0, 0, 0, 0, 0, 255];
            head.extend_from_slice(salt.as_bytes());
            head.push(0);
            Blob::of(head, body)
        });
        let layers: Vec<Blob<'_>> = layers.collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(CONFIG),
            "layers": layers.iter().map(|layer| layer.descriptor(LAYER)).collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        let digest = format!("sha256:{}", hex(&Sha256::digest(&manifest)));
        let mut blobs = layers;
        blobs.push(config);
        Salted {
            blobs,
            manifest,
            digest,
        }
    }
}

/// An image ready to be pushed.
pub(crate) struct Salted<'a> {
    /// Layers, bottom first, and the config.
    pub(crate) blobs: Vec<Blob<'a>>,
    pub(crate) manifest: Vec<u8>,
    /// The manifest's.
    pub(crate) digest: String,
}

impl Salted<'_> {
    /// What a manifest like this says it is.
    pub(crate) const MEDIA_TYPE: &'static str = MANIFEST;
}

/// A blob in two parts, of which the second is shared.
pub(crate) struct Blob<'a> {
    head: Vec<u8>,
    body: &'a [u8],
    pub(crate) digest: String,
}

impl<'a> Blob<'a> {
    fn of(head: Vec<u8>, body: &'a [u8]) -> Self {
        let digest = Sha256::new().chain_update(&head).chain_update(body);
        Self {
            digest: format!("sha256:{}", hex(&digest.finalize())),
            head,
            body,
        }
    }

    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        [&self.head, self.body]
    }

    pub(crate) fn size(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest, "size": self.size() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::Compression;
    use flate2::bufread::GzDecoder;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn salt_changes_the_digest_and_not_the_files() {
        use std::io::Write as _;
        let pack = |text: &str| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::new(6));
            packer.write_all(text.as_bytes()).expect("memory is enough");
            packer.finish().expect("memory is enough").split_off(HEAD)
        };
        let template = Template {
            config: json!({}),
            layers: vec![pack("below"), pack("above")],
        };
        let (one, two) = (
            template.salted("1", "base", 1),
            template.salted("2", "base", 1),
        );
        let digests = |image: &Salted<'_>| -> Vec<String> {
            image.blobs.iter().map(|blob| blob.digest.clone()).collect()
        };
        let (first, second) = (digests(&one), digests(&two));
        assert_eq!(first.first(), second.first(), "the base is shared");
        assert_ne!(first.get(1), second.get(1));
        assert_ne!(first.get(2), second.get(2), "the config is new, too");
        assert_ne!(one.digest, two.digest);
        let layer = two.blobs.get(1).expect("there are three");
        let bytes = layer.parts().concat();
        assert_eq!(bytes.len() as u64, layer.size());
        let mut text = String::new();
        GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .expect("it is gzip");
        assert_eq!(text, "above");
    }
}
