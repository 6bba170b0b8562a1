//! The samples: what is in them and what they are called.

use bytes::Bytes;
use seaworthy_core::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::archive::{Layer, jar};

/// Something to push.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Such as `shop/checkout`.
    pub(crate) repository: &'static str,
    /// Such as `1.0`.
    pub(crate) tag: &'static str,
    /// In a few words.
    pub(crate) about: &'static str,
    /// Layers and configs, to be pushed first.
    pub(crate) blobs: Vec<Blob>,
    /// Manifests in the order they are pushed; the last one gets the tag.
    pub(crate) manifests: Vec<Manifest>,
}

/// Bytes with their digest.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

/// A manifest with its media type.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: &'static str,
    pub(crate) blob: Blob,
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

impl Blob {
    fn of(bytes: Vec<u8>) -> Self {
        Self {
            digest: Digest::from_sha256(Sha256::digest(&bytes).into()),
            bytes: bytes.into(),
        }
    }

    fn document(document: &serde_json::Value) -> Self {
        Self::of(document.to_string().into_bytes())
    }

    fn descriptor(&self, media_type: &str) -> serde_json::Value {
        json!({
            "mediaType": media_type,
            "digest": self.digest.to_string(),
            "size": self.bytes.len(),
        })
    }
}

/// One layer and the instruction that made it.
struct Step {
    instruction: &'static str,
    blob: Blob,
}

impl Step {
    fn new(instruction: &'static str, files: Layer) -> Self {
        Self {
            instruction,
            blob: Blob::of(files.finish()),
        }
    }
}

/// An image for one architecture.
fn image(architecture: &str, steps: &[&Step]) -> (Vec<Blob>, Manifest) {
    let history: Vec<serde_json::Value> = steps
        .iter()
        .map(|step| json!({"created": CREATED, "created_by": step.instruction}))
        .collect();
    let layers: Vec<String> = steps.iter().map(|it| it.blob.digest.to_string()).collect();
    let config = Blob::document(&json!({
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": {"Labels": {"org.opencontainers.image.vendor": "Seaworthy demo"}},
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": history,
    }));
    let layers: Vec<serde_json::Value> = steps.iter().map(|it| it.blob.descriptor(LAYER)).collect();
    let manifest = Manifest {
        media_type: MANIFEST,
        blob: Blob::document(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(CONFIG),
            "layers": layers,
        })),
    };
    let mut blobs: Vec<Blob> = steps.iter().map(|step| step.blob.clone()).collect();
    blobs.push(config);
    (blobs, manifest)
}

const CREATED: &str = "2026-01-01T00:00:00Z";

fn sample(name: (&'static str, &'static str), about: &'static str, steps: &[&Step]) -> Sample {
    let (blobs, manifest) = image("amd64", steps);
    Sample {
        repository: name.0,
        tag: name.1,
        about,
        blobs,
        manifests: vec![manifest],
    }
}

/// Everything that is pushed, in order.
pub(crate) fn samples() -> Vec<Sample> {
    let debian = Step::new(
        "debian:12",
        debian_layer(&[
            ("libc6", "glibc", "2.36-9+deb12u1"),
            ("curl", "curl", "7.88.1-10+deb12u1"),
            ("openssh-server", "openssh", "1:9.2p1-2+deb12u2"),
        ]),
    );
    let repaired = Step::new(
        "debian:12",
        debian_layer(&[
            ("libc6", "glibc", "2.36-9+deb12u13"),
            ("curl", "curl", "7.88.1-10+deb12u14"),
        ]),
    );
    let checkout = Step::new("COPY target/checkout.jar /app/", log4j("2.14.1"));
    let mended = Step::new("COPY target/checkout.jar /app/", log4j("2.24.3"));
    let alpine = Step::new(
        "alpine:3.20",
        alpine_layer(
            "3.20.0",
            "x86_64",
            &[("musl", "1.2.5-r0"), ("xz", "5.6.1-r0")],
        ),
    );
    let storefront = Step::new(
        "RUN npm ci",
        npm(&[
            ("ws", "7.4.5"),
            ("lodash", "4.17.15"),
            ("axios", "0.21.0"),
            ("express", "4.21.2"),
        ]),
    );
    let reports = Step::new(
        "RUN pip install --requirement requirements.txt",
        python(&[
            ("PyYAML", "5.3"),
            ("Django", "3.2.4"),
            ("requests", "2.32.3"),
        ]),
    );
    vec![
        sample(
            ("shop/checkout", "1.0"),
            "Java, with a logger everybody remembers",
            &[&debian, &checkout],
        ),
        sample(
            ("shop/checkout", "1.1"),
            "the same, repaired",
            &[&repaired, &mended],
        ),
        sample(
            ("shop/storefront", "3.2"),
            "Node.js on Alpine, with a backdoor",
            &[&alpine, &storefront],
        ),
        sample(
            ("data/reports", "2.4"),
            "Python, on the layer of checkout 1.0",
            &[&debian, &reports],
        ),
        gateway(),
    ]
}

/// One name for two platforms, of which one was forgotten.
fn gateway() -> Sample {
    let packages = |curl| {
        [
            ("musl", "1.2.5-r0"),
            ("curl", curl),
            ("sudo", "1.9.15_p5-r0"),
        ]
    };
    let platforms = [
        ("amd64", "x86_64", "8.9.1-r1"),
        ("arm64", "aarch64", "8.3.0-r0"),
    ];
    let mut blobs = Vec::new();
    let mut manifests = Vec::new();
    let mut listed = Vec::new();
    for (architecture, machine, curl) in platforms {
        let step = Step::new(
            "alpine:3.20",
            alpine_layer("3.20.0", machine, &packages(curl)),
        );
        let (parts, manifest) = image(architecture, &[&step]);
        blobs.extend(parts);
        let mut entry = manifest.blob.descriptor(MANIFEST);
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        listed.push(entry);
        manifests.push(manifest);
    }
    manifests.push(Manifest {
        media_type: INDEX,
        blob: Blob::document(&json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": listed,
        })),
    });
    Sample {
        repository: "edge/gateway",
        tag: "5.0",
        about: "two platforms, one of them forgotten",
        blobs,
        manifests,
    }
}

/// Debian's own records: package, source, version.
fn debian_layer(packages: &[(&str, &str, &str)]) -> Layer {
    let status: Vec<String> = packages
        .iter()
        .map(|(name, source, version)| {
            format!(
                "Package: {name}\nStatus: install ok installed\nPriority: optional\n\
                 Section: misc\nArchitecture: amd64\nSource: {source}\nVersion: {version}\n\
                 Maintainer: demo <demo@example.org>\nDescription: demo\n\n"
            )
        })
        .collect();
    Layer::default()
        .file(
            "etc/os-release",
            b"ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n\
              PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        )
        .file("var/lib/dpkg/status", status.concat().as_bytes())
}

/// Alpine's own records: package and version; each is its own source.
fn alpine_layer(release: &str, machine: &str, packages: &[(&str, &str)]) -> Layer {
    let installed: Vec<String> = packages
        .iter()
        .map(|(name, version)| {
            format!(
                "P:{name}\nV:{version}\nA:{machine}\nS:1\nI:1\nT:demo\nU:https://example.org\n\
                 L:MIT\no:{name}\n\n"
            )
        })
        .collect();
    let os_release =
        format!("ID=alpine\nVERSION_ID={release}\nPRETTY_NAME=\"Alpine Linux v3.20\"\n");
    Layer::default()
        .file("etc/os-release", os_release.as_bytes())
        .file("lib/apk/db/installed", installed.concat().as_bytes())
}

/// A program in Java that brings log4j along, as build tools pack it.
fn log4j(version: &str) -> Layer {
    let properties =
        format!("groupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion={version}\n");
    let manifest = "Manifest-Version: 1.0\nImplementation-Title: Apache Log4j Core\n";
    let bytes = jar(&[
        ("META-INF/MANIFEST.MF", manifest),
        (
            "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties",
            &properties,
        ),
    ]);
    Layer::default().file(&format!("app/lib/log4j-core-{version}.jar"), &bytes)
}

/// Packages of npm as `npm ci` leaves them.
fn npm(packages: &[(&str, &str)]) -> Layer {
    packages
        .iter()
        .fold(Layer::default(), |layer, (name, version)| {
            let document = json!({"name": name, "version": version, "license": "MIT"});
            let path = format!("srv/app/node_modules/{name}/package.json");
            layer.file(&path, document.to_string().as_bytes())
        })
}

/// Packages of Python as pip leaves them.
fn python(packages: &[(&str, &str)]) -> Layer {
    packages
        .iter()
        .fold(Layer::default(), |layer, (name, version)| {
            let path = format!("usr/lib/python3/dist-packages/{name}-{version}.dist-info/METADATA");
            let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
            layer.file(&path, metadata.as_bytes())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_the_same_every_time_and_name_what_they_have() {
        let (one, two) = (samples(), samples());
        for (one, two) in one.iter().zip(&two) {
            let last = |it: &Sample| it.manifests.last().map(|it| it.blob.digest.clone());
            assert_eq!(last(one), last(two));
            let manifest = one.manifests.first().expect("a sample has a manifest");
            let document: serde_json::Value =
                serde_json::from_slice(&manifest.blob.bytes).expect("JSON");
            let config = document["config"]["digest"].as_str();
            assert!(
                one.blobs
                    .iter()
                    .any(|it| Some(&*it.digest.to_string()) == config)
            );
        }
    }
}
