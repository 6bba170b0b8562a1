//! What real tools write and unpack.

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use seaworthy_image::OciLayout;
use seaworthy_testkit::{self as testkit, require};

use crate::forms::{content_of, host, read_archive, sample_with, streamed};
use crate::squashing::{files_of, layer_of, squash_all, stacks};

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Platform and tags are the transport's; the rest is the image's.
fn layers(content: &str) -> String {
    content.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_skopeo_copies_reads_as_before() {
    if !require("skopeo") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // Docker's formats know no zstd.
    sample_with(testkit::LayerBuilder::gzip)
        .write_oci_layout(Path::new(&path("layout")))
        .unwrap();
    let source = format!("oci:{}:1", path("layout"));
    let layout = OciLayout::open(Path::new(&path("layout"))).unwrap();
    let images = layout.images(Some("1"), &host()).unwrap();
    let expected = layers(&content_of(&layout, images.first().unwrap()));

    for (transport, name, tag) in [
        ("docker-archive", "docker.tar", "docker.io/library/app:1"),
        ("oci-archive", "oci.tar", "1"),
    ] {
        let target = format!("{transport}:{}:{tag}", path(name));
        run(
            "skopeo",
            &["--insecure-policy", "copy", "-q", &source, &target],
        );
        let bytes = fs::read(path(name)).unwrap();
        for tag in [None, Some(tag)] {
            let content = read_archive(Path::new(&path(name)), tag).unwrap();
            assert_eq!(layers(&content), expected, "{transport}");
            let content = streamed(&bytes, tag).unwrap();
            assert_eq!(layers(&content), expected, "{transport}, streamed");
        }
    }
    let target = format!("oci:{}:copy", path("copy"));
    run(
        "skopeo",
        &["--insecure-policy", "copy", "-q", &source, &target],
    );
    let layout = OciLayout::open(Path::new(&path("copy"))).unwrap();
    let images = layout.images(Some("copy"), &host()).unwrap();
    assert_eq!(
        layers(&content_of(&layout, images.first().unwrap())),
        expected
    );
}

/// All regular files below `folder`, as paths inside it.
fn files_below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files_below(&entry.path(), &format!("{name}/"), found);
        } else if kind.is_file() {
            found.push(name);
        }
    }
}

#[test]
fn squashing_shows_what_umoci_unpacks() {
    if !require("umoci") {
        return;
    }
    // The same stacks every time; those that umoci refuses are no images.
    let mut runner = TestRunner::deterministic();
    let stacks = stacks();
    let mut compared = 0;
    let mut refused = 0;
    while compared < 60 {
        let stack = stacks.new_tree(&mut runner).unwrap().current();
        // A hard link needs its target, which random ones rarely have.
        let has_links = stack.iter().flat_map(|layer| layer.values().flatten());
        if has_links
            .into_iter()
            .any(|step| matches!(step, crate::squashing::Step::HardLink(_)))
            || stack.iter().all(|layer| files_of(layer).is_empty())
            || crate::squashing::is_ambiguous(&stack)
        {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let layout = folder.path().join("layout");
        let bundle = folder.path().join("bundle");
        let image = stack
            .iter()
            .fold(testkit::image().tag("app:1"), |image, steps| {
                image.layer(|_| layer_of(steps))
            });
        image.build().write_oci_layout(&layout).unwrap();
        let output = Command::new("umoci")
            .args(["unpack", "--rootless", "--image"])
            .arg(format!("{}:1", layout.display()))
            .arg(&bundle)
            .output()
            .unwrap();
        if !output.status.success() {
            refused += 1;
            assert!(refused < 600, "{}", String::from_utf8_lossy(&output.stderr));
            continue;
        }
        let mut unpacked = Vec::new();
        files_below(&bundle.join("rootfs"), "", &mut unpacked);
        unpacked.sort();
        let mut squashed: Vec<String> = squash_all(&stack)
            .into_iter()
            .map(|(_, _, at)| at)
            .collect();
        squashed.sort();
        assert_eq!(squashed, unpacked, "{stack:#?}");
        compared += 1;
    }
}
