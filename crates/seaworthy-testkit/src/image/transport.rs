//! The forms in which images travel.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::{Blob, Image, LayerBuilder};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Image {
    /// Writes an OCI image layout into the directory `path`, which is made.
    pub fn write_oci_layout(&self, path: &Path) -> io::Result<()> {
        write_layout(path, &self.layout_files())
    }

    /// An OCI image layout as one tar.
    pub fn oci_archive(&self) -> Vec<u8> {
        tar_of(&self.layout_files())
    }

    /// What `docker save` writes since version 25: blobs by digest, with an
    /// index and a `manifest.json`.
    pub fn docker_archive(&self) -> Vec<u8> {
        docker_archive_of(std::slice::from_ref(self))
    }

    /// What `docker save` wrote before: a directory per layer with a plain
    /// `layer.tar`, layers first and `manifest.json` last.
    pub fn legacy_docker_archive(&self) -> Vec<u8> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut layers = Vec::new();
        for layer in &self.layers {
            let folder = layer.blob.hex();
            let name = format!("{folder}/layer.tar");
            // The same layer twice was saved once.
            if !files.iter().any(|(known, _)| *known == name) {
                files.push((format!("{folder}/VERSION"), b"1.0".to_vec()));
                files.push((format!("{folder}/json"), b"{}".to_vec()));
                files.push((name.clone(), layer.tar.clone()));
            }
            layers.push(name);
        }
        let config = format!("{}.json", self.config.hex());
        files.push((config.clone(), self.config.bytes.clone()));
        let manifest = json!([{"Config": config, "RepoTags": self.tags, "Layers": layers}]);
        files.push(("manifest.json".to_owned(), manifest.to_string().into()));
        files.push(("repositories".to_owned(), b"{}".to_vec()));
        tar_of(&files)
    }

    /// The descriptor of the manifest, with its platform.
    pub fn descriptor(&self) -> Value {
        let mut parts = self.platform.split('/');
        let mut descriptor = self.manifest.descriptor();
        descriptor["platform"] = json!({
            "os": parts.next().unwrap_or_default(),
            "architecture": parts.next().unwrap_or_default(),
        });
        if let Some(variant) = parts.next() {
            descriptor["platform"]["variant"] = json!(variant);
        }
        descriptor
    }

    fn layout_files(&self) -> Vec<(String, Vec<u8>)> {
        let mut descriptors = Vec::new();
        for tag in &self.tags {
            let name = tag.rsplit_once(':').map_or(&**tag, |(_, tag)| tag);
            let mut descriptor = self.manifest.descriptor();
            descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
            descriptors.push(descriptor);
        }
        if descriptors.is_empty() {
            descriptors.push(self.manifest.descriptor());
        }
        layout_files(&descriptors, self.blobs())
    }
}

/// Writes a layout whose one entry `tag` is an index of `images`. `more` are
/// further entries of that index, such as attestations, with their blobs.
pub fn index_layout(
    path: &Path,
    tag: &str,
    images: &[Image],
    more: &[(Value, Blob)],
) -> io::Result<()> {
    write_layout(path, &index_files(tag, images, more))
}

/// As [`index_layout`], as one tar.
pub fn index_archive(tag: &str, images: &[Image], more: &[(Value, Blob)]) -> Vec<u8> {
    tar_of(&index_files(tag, images, more))
}

/// Several images as `docker save` writes them since version 25.
pub fn docker_archive_of(images: &[Image]) -> Vec<u8> {
    let mut descriptors = Vec::new();
    let mut manifest = Vec::new();
    for image in images {
        let mut descriptor = image.manifest.descriptor();
        if let Some(tag) = image.tags.first() {
            descriptor["annotations"] = json!({ "io.containerd.image.name": tag });
        }
        descriptors.push(descriptor);
        let name = |blob: &Blob| format!("blobs/sha256/{}", blob.hex());
        manifest.push(json!({
            "Config": name(&image.config),
            "RepoTags": image.tags,
            "Layers": image.layers.iter().map(|it| name(&it.blob)).collect::<Vec<_>>(),
        }));
    }
    let mut files = layout_files(&descriptors, images.iter().flat_map(Image::blobs));
    files.push((
        "manifest.json".to_owned(),
        Value::Array(manifest).to_string().into(),
    ));
    tar_of(&files)
}

fn index_files(tag: &str, images: &[Image], more: &[(Value, Blob)]) -> Vec<(String, Vec<u8>)> {
    let mut manifests: Vec<Value> = images.iter().map(Image::descriptor).collect();
    manifests.extend(more.iter().map(|(descriptor, _)| descriptor.clone()));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let index = Blob::new(index.to_string(), INDEX);
    let mut descriptor = index.descriptor();
    descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
    let blobs = images
        .iter()
        .flat_map(Image::blobs)
        .chain(more.iter().map(|(_, blob)| blob))
        .chain([&index]);
    layout_files(&[descriptor], blobs)
}

fn layout_files<'a>(
    manifests: &[Value],
    blobs: impl Iterator<Item = &'a Blob>,
) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for blob in blobs {
        let name = format!("blobs/sha256/{}", blob.hex());
        if !files.iter().any(|(known, _)| *known == name) {
            files.push((name, blob.bytes.clone()));
        }
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    files.push(("index.json".to_owned(), index.to_string().into()));
    let version = json!({"imageLayoutVersion": "1.0.0"});
    files.push(("oci-layout".to_owned(), version.to_string().into()));
    files
}

fn write_layout(path: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (name, bytes) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap_or(path))?;
        fs::write(file, bytes)?;
    }
    Ok(())
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = LayerBuilder::default();
    for (name, bytes) in files {
        archive = archive.file(name, bytes);
    }
    archive.tar()
}
