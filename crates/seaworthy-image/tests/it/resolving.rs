//! Which images a descriptor stands for, and what is refused on the way.

use std::collections::HashMap;
use std::io::{self, Read};

use seaworthy_image::{BlobKey, Blobs, Descriptor, OciLayout, PlatformWish, resolve};
use seaworthy_testkit::{self as testkit, Blob};
use serde_json::{Value, json};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Blobs in memory.
#[derive(Default)]
struct Memory(HashMap<String, Vec<u8>>);

impl Memory {
    fn with(image: &testkit::Image) -> Self {
        let mut memory = Self::default();
        for blob in image.blobs() {
            memory.add(blob);
        }
        memory
    }

    fn add(&mut self, blob: &Blob) {
        self.0.insert(blob.digest.clone(), blob.bytes.clone());
    }
}

impl Blobs for Memory {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let BlobKey::Digest(digest, _) = blob else {
            return Err(io::ErrorKind::NotFound.into());
        };
        match self.0.get(&digest.to_string()) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn only(platform: &str) -> PlatformWish {
    PlatformWish::Only(platform.parse().unwrap())
}

fn host(platform: &str) -> PlatformWish {
    PlatformWish::Host(platform.parse().unwrap())
}

fn point(blob: &Blob) -> Descriptor {
    Descriptor::new(
        &blob.media_type,
        blob.digest.parse().unwrap(),
        blob.bytes.len() as u64,
    )
}

/// Resolves a document that stands alone: the chain of causes, or the platforms.
fn read(memory: &mut Memory, document: &Value, media_type: &str) -> String {
    let blob = Blob::new(document.to_string(), media_type);
    memory.add(&blob);
    said(resolve(memory, &point(&blob), &host("linux/amd64")))
}

fn said<E: std::error::Error>(result: Result<Vec<seaworthy_image::Image>, E>) -> String {
    match result {
        Ok(images) => images
            .iter()
            .map(|image| image.facts.platform.as_ref().unwrap().to_string())
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            // Digests differ with every word of a document.
            let mut words: Vec<&str> = text.split(' ').collect();
            words.retain(|word| !word.starts_with("sha256:"));
            words.join(" ")
        }
    }
}

fn image(platform: &str) -> testkit::Image {
    testkit::image()
        .platform(platform)
        .layer(|l| l.file("/platform", platform))
        .build()
}

#[test]
fn an_index_gives_the_platform_that_is_wanted() {
    let images = [
        "linux/amd64",
        "linux/arm/v6",
        "linux/arm/v7",
        "linux/arm64/v8",
        "windows/amd64",
    ]
    .map(image);
    let attestation = image("unknown/unknown");
    let mut about = attestation.descriptor();
    about["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let folder = tempfile::tempdir().unwrap();
    let more = [(about, attestation.manifest.clone())];
    testkit::index_layout(folder.path(), "app", &images, &more).unwrap();
    let layout = OciLayout::open(folder.path()).unwrap();
    let choose = |wish: &PlatformWish| said(layout.images(Some("app"), wish));
    for (wish, answer) in [
        (host("linux/amd64"), "linux/amd64"),
        (only("linux/amd64"), "linux/amd64"),
        (only("linux/arm/v7"), "linux/arm/v7"),
        (only("linux/arm"), "linux/arm/v6"),
        (only("linux/arm64"), "linux/arm64/v8"),
        (
            PlatformWish::All,
            "linux/amd64 linux/arm/v6 linux/arm/v7 linux/arm64/v8 windows/amd64",
        ),
        (
            only("linux/s390x"),
            "no image for `linux/s390x`; there is `linux/amd64`, `linux/arm/v6`, `linux/arm/v7`, \
             `linux/arm64/v8`, `windows/amd64`",
        ),
    ] {
        assert_eq!(choose(&wish), answer, "{wish:?}");
    }
}

#[test]
fn an_image_alone_is_what_it_is_unless_a_platform_was_asked_for() {
    let image = image("linux/riscv64");
    let memory = Memory::with(&image);
    let choose = |wish| said(resolve(&memory, &point(&image.manifest), &wish));
    assert_eq!(choose(host("linux/amd64")), "linux/riscv64");
    assert_eq!(choose(PlatformWish::All), "linux/riscv64");
    assert_eq!(choose(only("linux/riscv64")), "linux/riscv64");
    assert_eq!(
        choose(only("linux/amd64")),
        "no image for `linux/amd64`; there is `linux/riscv64`"
    );
}

#[test]
fn indexes_nest_but_not_for_ever() {
    let image = image("linux/amd64");
    let mut memory = Memory::with(&image);
    let nest = |memory: &mut Memory, times: usize| {
        let mut descriptor = image.manifest.descriptor();
        for _ in 0..times {
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]});
            let blob = Blob::new(index.to_string(), INDEX);
            memory.add(&blob);
            descriptor = blob.descriptor();
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]});
        read(memory, &index, INDEX)
    };
    assert_eq!(nest(&mut memory, 0), "linux/amd64");
    assert_eq!(nest(&mut memory, 3), "linux/amd64");
    assert_eq!(nest(&mut memory, 4), "the index leads to too many others");
}

#[test]
fn entries_without_a_platform_are_asked_themselves() {
    let (arm, amd) = (image("linux/arm64"), image("linux/amd64"));
    let mut memory = Memory::with(&arm);
    for blob in amd.blobs() {
        memory.add(blob);
    }
    let manifests = [arm.manifest.descriptor(), amd.manifest.descriptor()];
    let index = json!({"schemaVersion": 2, "manifests": manifests});
    assert_eq!(read(&mut memory, &index, INDEX), "linux/amd64");
}

#[test]
fn documents_that_two_readers_could_read_differently_are_refused() {
    let image = image("linux/amd64");
    let mut memory = Memory::with(&image);
    let good: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
    assert_eq!(read(&mut memory, &good, MANIFEST), "linux/amd64");
    let mut check = |key: &str, value: Value, media_type: &str| {
        let mut document = good.clone();
        document[key] = value;
        read(&mut memory, &document, media_type)
    };
    let none = json!([]);
    for (key, value, media_type, says) in [
        (
            "manifests",
            none.clone(),
            MANIFEST,
            "cannot read manifest the manifest has both `layers` and `manifests`",
        ),
        (
            "mediaType",
            json!(INDEX),
            MANIFEST,
            "cannot read manifest the manifest says it is \
             `application/vnd.oci.image.index.v1+json` but was announced as \
             `application/vnd.oci.image.manifest.v1+json`",
        ),
        (
            "Layers",
            none.clone(),
            MANIFEST,
            "cannot read manifest the manifest is not well-formed: the key `layers` comes twice at \
             line 1 column",
        ),
        (
            "layer\u{17f}",
            none.clone(),
            MANIFEST,
            "cannot read manifest the manifest is not well-formed: the key `layer\u{17f}` comes \
             twice at line 1 column",
        ),
        (
            "schemaVersion",
            json!(1),
            MANIFEST,
            "cannot read manifest the manifest is Docker schema 1, which is no longer supported",
        ),
        (
            "config",
            Value::Null,
            MANIFEST,
            "cannot read manifest the manifest has no `config`",
        ),
        (
            "artifactType",
            json!("application/spdx+json"),
            MANIFEST,
            "cannot read manifest this is not an image but an SBOM of type `application/spdx+json`",
        ),
        (
            "layers",
            none,
            MANIFEST,
            "cannot read image config the image config speaks of 1 layers, the manifest of 0",
        ),
    ] {
        let text = check(key, value, media_type);
        assert!(
            text.starts_with(says.split_once("manifest ").map_or(says, |it| it.0)),
            "{text}"
        );
        let plain = |text: &str| text.replace(['\n'], "");
        assert!(
            plain(&text).contains(says.trim_start_matches("cannot read manifest ")),
            "{key}: {text}"
        );
    }
}

#[test]
fn what_is_no_image_is_called_by_its_name() {
    let image = image("linux/amd64");
    let mut memory = Memory::with(&image);
    let with = |config: &str, layer: &str| {
        let blob = |media_type: &str| Blob::new("{}", media_type).descriptor();
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blob(config), "layers": [blob(layer)],
        })
    };
    for (document, says) in [
        (
            with(
                "application/vnd.cncf.helm.config.v1+json",
                "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            ),
            "this is not an image but a Helm chart of type `application/vnd.cncf.helm.config.v1+json`",
        ),
        (
            with(CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json"),
            "this is not an image but a signature (cosign) of type `application/vnd.dev.cosign.simplesigning.v1+json`",
        ),
        (
            with(CONFIG, "application/vnd.in-toto+json"),
            "this is not an image but an attestation (in-toto) of type `application/vnd.in-toto+json`",
        ),
        (
            with("application/vnd.oci.empty.v1+json", "text/plain"),
            "this is not an image but an artifact of type `application/vnd.oci.empty.v1+json`",
        ),
        (
            with(
                CONFIG,
                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
            ),
            "has the media type `application/vnd.oci.image.layer.v1.tar+gzip+encrypted`, which is not a readable layer",
        ),
    ] {
        let text = read(&mut memory, &document, MANIFEST);
        assert!(text.ends_with(says), "{text}");
    }
    let html = "text/html; charset=utf-8";
    let text = read(&mut memory, &json!({}), html);
    assert!(
        text.ends_with("`text/html` is not a manifest of an image"),
        "{text}"
    );
    let one = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let text = read(&mut memory, &json!({"fsLayers": []}), one);
    assert!(
        text.ends_with("Docker schema 1, which is no longer supported"),
        "{text}"
    );
}

#[test]
fn nothing_is_believed_that_its_digest_does_not_prove() {
    let image = image("linux/amd64");
    let check = |spoil: &dyn Fn(&mut Memory, &mut Descriptor)| {
        let mut memory = Memory::with(&image);
        let mut top = point(&image.manifest);
        spoil(&mut memory, &mut top);
        said(resolve(&memory, &top, &PlatformWish::All))
    };
    let manifest = &image.manifest.digest;
    let config = &image.config.digest;
    let spoiled = |digest: &str, by: &dyn Fn(&mut Vec<u8>)| {
        check(&|memory, _| by(memory.0.get_mut(digest).unwrap()))
    };
    for digest in [manifest, config] {
        let other = spoiled(digest, &|bytes| *bytes.last_mut().unwrap() = b' ');
        assert_eq!(other, "cannot trust expected got");
        assert!(spoiled(digest, &|bytes| bytes.push(b' ')).contains("bytes, got"));
        assert!(spoiled(digest, &|bytes| bytes.truncate(bytes.len() - 1)).contains("bytes, got"));
        assert!(check(&|memory, _| drop(memory.0.remove(digest))).starts_with("cannot open"));
    }
    assert!(check(&|_, top| top.size += 1).contains("bytes, got"));
    assert!(check(&|_, top| top.size = 1 << 40).ends_with("the limit is 4194304"));
    // A digest that is a path never becomes one.
    for digest in ["sha256:../../etc/passwd", "sha512:00", "sha256:AB", ""] {
        let mut memory = Memory::with(&image);
        let mut document: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        document["config"]["digest"] = json!(digest);
        let text = read(&mut memory, &document, MANIFEST);
        assert!(
            text.contains("the manifest has an unusable digest"),
            "{text}"
        );
    }
}

#[test]
fn lists_and_nesting_have_ceilings() {
    let image = image("linux/amd64");
    let mut memory = Memory::with(&image);
    let many = vec![image.manifest.descriptor(); 1001];
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": many});
    assert!(read(&mut memory, &index, INDEX).ends_with("lists 1001 entries; the limit is 1000"));
    let deep = Blob::new("[".repeat(100_000) + &"]".repeat(100_000), INDEX);
    memory.add(&deep);
    let text = said(resolve(&memory, &point(&deep), &PlatformWish::All));
    assert!(text.contains("recursion limit exceeded"), "{text}");
}

#[test]
fn both_dialects_and_foreign_layers_are_images() {
    let docker = testkit::image()
        .docker()
        .layer(|l| l.file("/a", ""))
        .build();
    let memory = Memory::with(&docker);
    let images = resolve(&memory, &point(&docker.manifest), &PlatformWish::All).unwrap();
    assert!(!images.first().unwrap().layers.first().unwrap().is_foreign());

    let oci = image("windows/amd64");
    let mut memory = Memory::with(&oci);
    let mut document: Value = serde_json::from_slice(&oci.manifest.bytes).unwrap();
    document["layers"][0]["mediaType"] =
        json!("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip");
    let blob = Blob::new(document.to_string(), MANIFEST);
    memory.add(&blob);
    let images = resolve(&memory, &point(&blob), &PlatformWish::All).unwrap();
    assert!(images.first().unwrap().layers.first().unwrap().is_foreign());
}

#[test]
fn history_is_told_only_where_it_fits_the_layers() {
    let image = image("linux/amd64");
    let check = |history: Value| {
        let mut memory = Memory::with(&image);
        let mut config: Value = serde_json::from_slice(&image.config.bytes).unwrap();
        config["history"] = history;
        let config = Blob::new(config.to_string(), CONFIG);
        memory.add(&config);
        let mut manifest: Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        manifest["config"] = config.descriptor();
        let manifest = Blob::new(manifest.to_string(), MANIFEST);
        memory.add(&manifest);
        let images = resolve(&memory, &point(&manifest), &PlatformWish::All).unwrap();
        let layer = images.first().unwrap().layers.first().unwrap();
        layer.layer.created_by.as_deref().map(str::to_owned)
    };
    let env = json!({"created_by": "ENV A=b", "empty_layer": true});
    let add = json!({"created_by": "ADD rootfs"});
    assert_eq!(check(json!([env, add])).as_deref(), Some("ADD rootfs"));
    assert_eq!(check(json!([add, add])), None);
    assert_eq!(check(Value::Null), None);
}
