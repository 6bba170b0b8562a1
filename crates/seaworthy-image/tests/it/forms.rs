//! The same image in every container of images.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use seaworthy_image::{
    Archive, ArchiveError, Blobs, Image, Limits, OciLayout, PlatformWish, StreamError, Verified,
    read_stream, walk,
};
use seaworthy_testkit as testkit;
use tempfile::TempDir;

use crate::record::Record;

pub(crate) fn host() -> PlatformWish {
    PlatformWish::Host("linux/amd64".parse().unwrap())
}

pub(crate) fn sample() -> testkit::Image {
    sample_with(testkit::LayerBuilder::zstd)
}

/// The sample with its second layer compressed by `press`.
pub(crate) fn sample_with(
    press: fn(testkit::LayerBuilder) -> testkit::LayerBuilder,
) -> testkit::Image {
    testkit::image()
        .tag("app:1")
        .layer(|l| {
            l.created_by("ADD rootfs /")
                .dir("/etc")
                .file("/etc/os-release", "ID=alpine\n")
        })
        .layer(|l| press(l).file("/app/package.json", "{}"))
        .layer(|l| l.plain().whiteout("/etc/os-release"))
        .build()
}

/// Everything that the walks of all layers say, bottom first, each layer proved
/// by its digest. This must not depend on how the image travelled.
pub(crate) fn content_of(blobs: &dyn Blobs, image: &Image) -> String {
    let mut text = format!(
        "{} {:?}\n",
        image.facts.platform.as_ref().unwrap(),
        image.facts.tags
    );
    for layer in &image.layers {
        let mut reader = Verified::new(blobs.open(&layer.key).unwrap());
        let mut record = Record::default();
        let tree = walk(&mut reader, &Limits::default(), &mut record).unwrap();
        reader.finish(&layer.expected()).unwrap();
        let created_by = layer.layer.created_by.as_deref().unwrap_or("nobody");
        let tree = crate::record::show(&tree);
        write!(text, "# {created_by}\n{}{tree}", record.text).unwrap();
    }
    text
}

/// As [`content_of`], of an archive that comes through a pipe.
pub(crate) fn streamed(mut archive: &[u8], name: Option<&str>) -> Result<String, String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let streamed = read_stream(&mut archive, &mut |name, size, layer| {
        let mut reader = Verified::new(layer);
        let mut record = Record::default();
        let text = match walk(&mut reader, &Limits::default(), &mut record) {
            Ok(tree) => record.text + &crate::record::show(&tree),
            Err(error) => format!("error: {error}\n"),
        };
        let digest = reader.finish(&seaworthy_image::Expected {
            digest: None,
            size: Some(size),
        });
        let digest = digest.map_or_else(|error| error.to_string(), |it| it.to_string());
        seen.insert(name.to_owned(), format!("{digest}{text}"));
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    let images = streamed
        .images(name, &host())
        .map_err(|error| error.to_string())?;
    let image = images.first().unwrap();
    let mut text = format!(
        "{} {:?}\n",
        image.facts.platform.as_ref().unwrap(),
        image.facts.tags
    );
    for layer in &image.layers {
        let seaworthy_image::BlobKey::Entry(entry) = &layer.key else {
            panic!("a streamed layer is found by name");
        };
        let seen = seen.get(&**entry).unwrap();
        let digest = layer.layer.digest.as_ref().unwrap().to_string();
        let created_by = layer.layer.created_by.as_deref().unwrap_or("nobody");
        let seen = seen.strip_prefix(&digest).unwrap();
        write!(text, "# {created_by}\n{seen}").unwrap();
    }
    Ok(text)
}

pub(crate) fn archive_of(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("archive.tar");
    fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn read_archive(path: &Path, name: Option<&str>) -> Result<String, String> {
    let archive = Archive::open(path).map_err(|error| error.to_string())?;
    let images = archive
        .images(name, &host())
        .map_err(|error| error.to_string())?;
    Ok(content_of(&archive, images.first().unwrap()))
}

#[test]
fn an_image_reads_alike_in_every_form() {
    let image = sample();
    let folder = tempfile::tempdir().unwrap();
    image.write_oci_layout(folder.path()).unwrap();
    let layout = OciLayout::open(folder.path()).unwrap();
    let images = layout.images(Some("1"), &host()).unwrap();
    let content = content_of(&layout, images.first().unwrap());
    assert_snapshot!(content, @r#"
    linux/amd64 []
    # ADD rootfs /
    file etc/os-release 644 10 "ID=alpine\n"
    Dir /etc
    File /etc/os-release
    # testkit
    file app/package.json 644 2 "{}"
    File /app/package.json
    # testkit
    Whiteout /etc/os-release
    "#);
    let tagged = content.replace("[]", r#"["app:1"]"#);
    for (form, bytes, expected) in [
        ("oci", image.oci_archive(), &content),
        ("docker", image.docker_archive(), &tagged),
        ("legacy docker", image.legacy_docker_archive(), &tagged),
    ] {
        let path = archive_of(&folder, &bytes);
        assert_eq!(read_archive(&path, None).as_ref(), Ok(expected), "{form}");
        assert_eq!(
            streamed(&bytes, None).as_ref(),
            Ok(expected),
            "{form}, streamed"
        );
        for pressed in [testkit::gzip(&bytes), testkit::zstd(&bytes)] {
            assert_eq!(
                streamed(&pressed, None).as_ref(),
                Ok(expected),
                "{form}, compressed"
            );
            let path = archive_of(&folder, &pressed);
            let error = Archive::open(&path).unwrap_err();
            assert!(error.is_worth_streaming());
        }
    }
}

#[test]
fn newer_docker_archives_lead_to_the_manifest() {
    let image = sample();
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&archive_of(&folder, &image.docker_archive())).unwrap();
    let images = archive.images(None, &host()).unwrap();
    let manifest = images.first().unwrap().facts.manifest.as_ref().unwrap();
    assert_eq!(manifest.to_string(), image.manifest.digest);
}

#[test]
fn several_images_are_told_apart_by_name() {
    let image = |tag: &str| {
        testkit::image()
            .tag(tag)
            .layer(|l| l.file("/name", tag))
            .build()
    };
    let bytes = testkit::docker_archive_of(&[image("one:1"), image("two:2")]);
    let folder = tempfile::tempdir().unwrap();
    let path = archive_of(&folder, &bytes);
    for read in [&|name| read_archive(&path, name), &|name| {
        streamed(&bytes, name)
    }] as [&dyn Fn(Option<&str>) -> Result<String, String>; 2]
    {
        assert!(read(Some("two:2")).unwrap().contains(r#""two:2""#));
        assert!(
            read(Some("docker.io/library/one:1"))
                .unwrap()
                .contains(r#""one:1""#)
        );
        assert_eq!(
            read(None).unwrap_err(),
            "there are several images, name one of `one:1`, `two:2`"
        );
        assert_eq!(
            read(Some("three")).unwrap_err(),
            "no image is called `three`; there is `one:1`, `two:2`"
        );
    }
}

#[test]
fn old_archives_link_to_a_layer_they_have() {
    let image = testkit::image()
        .layer(|l| l.plain().file("/a", "alpha"))
        .build();
    let layer = image.layers.first().unwrap();
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id(), layer.diff_id()]},
    })
    .to_string();
    let manifest =
        r#"[{"Config":"config.json","RepoTags":null,"Layers":["1/layer.tar","2/layer.tar"]}]"#;
    let bytes = testkit::LayerBuilder::default()
        .file("1/layer.tar", &layer.tar)
        .symlink("2/layer.tar", "../1/layer.tar")
        .symlink("3/layer.tar", "../../../etc/passwd")
        .file("config.json", config)
        .file("manifest.json", manifest)
        .tar();
    let folder = tempfile::tempdir().unwrap();
    let content = read_archive(&archive_of(&folder, &bytes), None).unwrap();
    assert_eq!(content.matches("file a 644").count(), 2);
    assert_eq!(streamed(&bytes, None).unwrap(), content);
}

#[test]
fn a_spoiled_archive_says_what_is_wrong() {
    let image = sample();
    let folder = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8]| {
        let archive = read_archive(&archive_of(&folder, bytes), None).unwrap_err();
        (archive, streamed(bytes, None).unwrap_err())
    };
    let both = |text: &str| (text.to_owned(), text.to_owned());
    let tar = || testkit::LayerBuilder::default();
    assert_eq!(
        check(&[]),
        (
            "the archive is truncated".to_owned(),
            "the stream is truncated".to_owned()
        )
    );
    assert_eq!(
        check(&tar().file("hello", "world").tar()),
        both("there is neither `manifest.json` nor `index.json`, so this is not an image")
    );
    assert_eq!(
        check(&tar().file("manifest.json", "[{}]").tar()),
        both("cannot read `manifest.json`")
    );
    assert_eq!(
        check(&tar().file("manifest.json", "[]").tar()),
        both("there is no image")
    );
    assert_eq!(
        check(&tar().file("manifest.json", r#"[{"Config":"../x"}]"#).tar()),
        both("`../x` is listed but not in the archive")
    );
    let name = format!("{}.json", "0".repeat(64));
    let manifest = format!(r#"[{{"Config":"{name}","Layers":[]}}]"#);
    let spoiled = tar()
        .file(&name, r#"{"rootfs":{"diff_ids":[]}}"#)
        .file("manifest.json", manifest)
        .tar();
    assert!(check(&spoiled).0.contains("has the digest sha256:"));

    let whole = image.docker_archive();
    for end in (0..whole.len() - 1024).step_by(97) {
        let cut = whole.split_at(end).0;
        let path = archive_of(&folder, cut);
        assert!(read_archive(&path, None).is_err(), "cut at {end}");
        assert!(streamed(cut, None).is_err(), "cut at {end}");
    }
}

#[test]
fn a_stream_cannot_say_two_things_of_one_name() {
    let layer = testkit::LayerBuilder::default().file("/a", "").tar();
    let bytes = testkit::LayerBuilder::default()
        .file("1/layer.tar", &layer)
        .file("./1/layer.tar", &layer)
        .tar();
    let error = read_stream(&mut bytes.as_slice(), &mut |_, _, _| Ok(())).unwrap_err();
    assert!(matches!(error, StreamError::Twice(name) if &*name == "1/layer.tar"));
}

#[test]
fn documents_in_a_stream_are_bounded() {
    let bytes = testkit::LayerBuilder::default()
        .file("large.json", "[".repeat(9 << 20))
        .tar();
    let error = read_stream(&mut bytes.as_slice(), &mut |_, _, _| Ok(())).unwrap_err();
    assert!(matches!(error, StreamError::TooMany(_)));
}

#[test]
fn a_layout_is_one_only_with_an_index_and_reads_only_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let error = OciLayout::open(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("is not an OCI image layout: it has no `index.json`"),
        "{error}"
    );
    let image = sample();
    image.write_oci_layout(folder.path()).unwrap();
    let layer = &image.layers.first().unwrap().blob;
    // A pipe in place of a blob would block for ever.
    let path = folder.path().join("blobs/sha256").join(layer.hex());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let layout = OciLayout::open(folder.path()).unwrap();
    let images = layout.images(None, &host()).unwrap();
    let key = &images.first().unwrap().layers.first().unwrap().key;
    assert!(layout.open(key).is_err());
}

#[test]
fn archives_are_read_at_several_places_at_once() {
    let image = sample();
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&archive_of(&folder, &image.oci_archive())).unwrap();
    let images = archive.images(None, &host()).unwrap();
    let image = images.first().unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| {
                scope.spawn(|| {
                    let mut bytes = Vec::new();
                    archive
                        .open(&layer.key)
                        .unwrap()
                        .read_to_end(&mut bytes)
                        .unwrap();
                    testkit::digest_of(&bytes)
                })
            })
            .collect();
        for (reader, layer) in readers.into_iter().zip(&image.layers) {
            let digest = layer.layer.digest.as_ref().unwrap();
            assert_eq!(reader.join().unwrap(), digest.to_string());
        }
    });
}

#[test]
fn an_archive_is_not_a_layer() {
    let folder = tempfile::tempdir().unwrap();
    let path = archive_of(
        &folder,
        b"not a tar at all, but long enough to look at"
            .repeat(30)
            .as_slice(),
    );
    assert!(matches!(Archive::open(&path), Err(ArchiveError::Tar(_))));
}
