//! OCI image layouts: written for measuring, read to know what was measured.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How layers are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// gzip, level 6.
    Gzip,
    /// zstd, level 3.
    Zstd,
}

/// One layer of an image on disk.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) path: PathBuf,
    /// Lowercase hex of its SHA-256.
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) packing: Packing,
}

/// An image layout being written.
pub(crate) struct Draft {
    folder: PathBuf,
    packing: Packing,
    layers: Vec<Value>,
    diff_ids: Vec<String>,
}

impl Draft {
    pub(crate) fn create(folder: &Path, packing: Packing) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("blobs/sha256"))
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            packing,
            layers: Vec::new(),
            diff_ids: Vec::new(),
        })
    }

    /// Adds a layer; `fill` writes its tar.
    pub(crate) fn layer(
        &mut self,
        fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let draft = self.folder.join("draft");
        let blob = Hashed::over(BufWriter::new(File::create(&draft)?));
        let (mut blob, diff_id) = match self.packing {
            Packing::Gzip => {
                let packer = flate2::write::GzEncoder::new(blob, flate2::Compression::new(6));
                let mut tar = Hashed::over(packer);
                fill(&mut tar)?;
                let (packer, diff_id, _) = tar.finish();
                (packer.finish()?, diff_id)
            }
            Packing::Zstd => {
                let mut tar = Hashed::over(zstd::Encoder::new(blob, 3)?);
                fill(&mut tar)?;
                let (packer, diff_id, _) = tar.finish();
                (packer.finish()?, diff_id)
            }
        };
        blob.flush()?;
        let (_, digest, size) = blob.finish();
        fs::rename(&draft, self.folder.join("blobs/sha256").join(&digest))?;
        let suffix = match self.packing {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        };
        self.layers.push(json!({
            "mediaType": format!("application/vnd.oci.image.layer.v1.tar+{suffix}"),
            "digest": format!("sha256:{digest}"),
            "size": size,
        }));
        self.diff_ids.push(format!("sha256:{diff_id}"));
        Ok(())
    }

    /// Writes config, manifest and index.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let config = self.document(
            "application/vnd.oci.image.config.v1+json",
            &json!({
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": { "type": "layers", "diff_ids": self.diff_ids },
            }),
        )?;
        let manifest = self.document(
            "application/vnd.oci.image.manifest.v1+json",
            &json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config,
                "layers": self.layers,
            }),
        )?;
        let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
        fs::write(self.folder.join("index.json"), index.to_string())?;
        // Written last: a layout that was cut short is no layout.
        let version = json!({ "imageLayoutVersion": "1.0.0" });
        fs::write(self.folder.join("oci-layout"), version.to_string())?;
        Ok(())
    }

    fn document(&self, media_type: &str, document: &Value) -> anyhow::Result<Value> {
        let bytes = document.to_string();
        let digest = hex(&Sha256::digest(&bytes));
        fs::write(self.folder.join("blobs/sha256").join(&digest), &bytes)?;
        Ok(json!({
            "mediaType": media_type,
            "digest": format!("sha256:{digest}"),
            "size": bytes.len(),
        }))
    }
}

/// The layers of the only image of a layout, bottom first.
pub(crate) fn layers(folder: &Path) -> anyhow::Result<Vec<Blob>> {
    let manifest = manifest(folder)?;
    let layers = manifest["layers"].as_array().map(Vec::as_slice);
    layers
        .unwrap_or_default()
        .iter()
        .map(|layer| described(folder, layer))
        .collect()
}

/// The config of the only image of a layout.
pub(crate) fn config(folder: &Path) -> anyhow::Result<Value> {
    read(&blob(folder, &manifest(folder)?["config"])?.0)
}

fn manifest(folder: &Path) -> anyhow::Result<Value> {
    let mut document = read(&folder.join("index.json"))?;
    for _ in 0..3 {
        if document["layers"].is_array() {
            return Ok(document);
        }
        document = read(&blob(folder, pick(&document["manifests"])?)?.0)?;
    }
    bail!("`{}` holds no image", folder.display())
}

fn pick(manifests: &Value) -> anyhow::Result<&Value> {
    let manifests = manifests.as_array().map(Vec::as_slice).unwrap_or_default();
    let [one] = manifests else {
        bail!(
            "a layout with {} images cannot be measured",
            manifests.len()
        )
    };
    Ok(one)
}

fn described(folder: &Path, layer: &Value) -> anyhow::Result<Blob> {
    let media_type = layer["mediaType"].as_str().unwrap_or_default();
    let packing = if media_type.ends_with("gzip") {
        Packing::Gzip
    } else if media_type.ends_with("zstd") {
        Packing::Zstd
    } else {
        bail!("the floor is about gzip and zstd, not about `{media_type}`")
    };
    let (path, digest) = blob(folder, layer)?;
    let size = fs::metadata(&path)?.len();
    Ok(Blob {
        path,
        digest,
        size,
        packing,
    })
}

fn blob(folder: &Path, descriptor: &Value) -> anyhow::Result<(PathBuf, String)> {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    anyhow::ensure!(
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "`{digest}` is no digest"
    );
    Ok((folder.join("blobs/sha256").join(hex), hex.to_owned()))
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("`{}` is no JSON", path.display()))
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hashes and counts what is written through it.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    length: u64,
}

impl<W: Write> Hashed<W> {
    fn over(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            length: 0,
        }
    }

    fn finish(self) -> (W, String, u64) {
        (self.inner, hex(&self.hash.finalize()), self.length)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..taken).unwrap_or_default());
        self.length += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads a stream in pieces of `size` bytes until its end.
pub(crate) fn pieces(
    stream: &mut dyn Read,
    size: usize,
    take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; size];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => take(buffer.get(..count).unwrap_or_default())?,
        }
    }
}
