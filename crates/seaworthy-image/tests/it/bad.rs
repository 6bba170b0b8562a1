//! Layers that nobody should make. Each ends in an error or in a refused path;
//! none in a panic, and none in a tree that hides the trouble.

use std::io::{self, Read};

use insta::assert_snapshot;
use proptest::prelude::*;
use seaworthy_image::{FileFacts, Limits, Sink, WalkError, walk};
use seaworthy_testkit::{LayerBuilder, gzip, zstd};

use crate::record::{Record, read, tree_of};

/// A tar that ends without the two empty blocks inside `bytes`.
fn sample() -> LayerBuilder {
    let mut noise = 1u32;
    let content: Vec<u8> = (0..3000)
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        })
        .collect();
    LayerBuilder::default()
        .dir("/etc")
        .file("/etc/one", &content)
        .pax(&[("path", "etc/two")])
        .file("/two", "two")
}

#[test]
fn a_layer_cut_anywhere_is_truncated() {
    let tar = sample().tar();
    for (name, layer) in [("gzip", gzip(&tar)), ("zstd", zstd(&tar))] {
        for end in 0..layer.len() {
            let error = tree_of(layer.split_at(end).0).unwrap_err();
            let is_right = match end {
                // Too little to tell the compression by.
                1..=3 => matches!(error, WalkError::Truncated | WalkError::Inflate(_)),
                _ => matches!(error, WalkError::Truncated),
            };
            assert!(is_right, "{name} cut at {end}: {error:?}");
        }
    }
    // An uncompressed tar may end between two members; its digest tells.
    let whole = tree_of(&tar).unwrap().len();
    for end in 0..tar.len() {
        match tree_of(tar.split_at(end).0) {
            Ok(tree) => assert!(end % 512 == 0 && tree.len() <= whole, "cut at {end}"),
            Err(error) => assert!(matches!(error, WalkError::Truncated), "{end}: {error:?}"),
        }
    }
}

#[test]
fn a_changed_byte_is_noticed_or_harmless() {
    let tar = sample().tar();
    let layer = gzip(&tar);
    let good = read(&layer);
    for at in 0..layer.len() {
        let mut spoiled = layer.clone();
        *spoiled.get_mut(at).unwrap() ^= 0x10;
        let text = read(&spoiled);
        // Dates in the header and the last bits of a byte may mean nothing.
        assert!(
            text == good || text.contains("error: "),
            "byte {at}: {text}"
        );
    }
}

#[test]
fn what_is_no_layer_says_what_it_is() {
    let html = b"<!DOCTYPE html><html><body>Not found</body></html>".repeat(20);
    let mut second_zero = vec![0; 512];
    second_zero.extend(LayerBuilder::default().file("/a", "").tar());
    for (layer, says) in [
        (vec![], "the layer is truncated"),
        (
            b"BZh91AY&SY".to_vec(),
            "the layer is compressed with bzip2, which is not supported",
        ),
        (
            b"\xfd7zXZ\0\0".to_vec(),
            "the layer is compressed with xz, which is not supported",
        ),
        (html, "the layer is not a tar: it does not start like one"),
        (
            second_zero,
            "the layer is not a tar: one empty block in the middle",
        ),
        (
            b"\x1f\x8b\x07\0\0\0\0\0\0\0".to_vec(),
            "cannot inflate the layer",
        ),
        (
            [&b"\x28\xb5\x2f\xfd"[..], &[0xff; 30]].concat(),
            "cannot inflate the layer",
        ),
    ] {
        assert_eq!(tree_of(&layer).unwrap_err().to_string(), says);
    }
}

#[test]
fn entries_that_climb_out_are_refused_and_named() {
    let layer = LayerBuilder::default()
        .entry(b'0', b"../../etc/passwd", b"", 0o644, b"x")
        .entry(b'0', b"a/../../b", b"", 0o644, b"x")
        .entry(b'0', b"//absolute", b"", 0o644, b"x")
        .entry(b'0', b"./././dots", b"", 0o644, b"x")
        .entry(b'1', b"hard", b"../../etc/shadow", 0o644, b"")
        .entry(b'2', b"soft", b"../../../etc/shadow", 0o777, b"")
        .entry(b'0', b".wh...", b"", 0o644, b"")
        .entry(b'0', b"x/.wh..", b"", 0o644, b"")
        .entry(b'0', b"x/.wh.", b"", 0o644, b"")
        .entry(b'0', b"../.wh.up", b"", 0o644, b"")
        .entry(b'0', b".wh..wh.aufs", b"", 0o644, b"")
        .entry(b'0', b"/", b"", 0o644, b"the root as a file")
        .entry(b'5', b"./", b"", 0o755, b"")
        .file("/good", "still read");
    assert_snapshot!(read(&layer.tar()), @r#"
    file absolute 644 1 "x"
    file dots 644 1 "x"
    symlink soft -> ../../../etc/shadow
    file good 644 10 "still read"
    File /absolute
    File /dots
    File /good
    Symlink("../../../etc/shadow") /soft
    refused ../../etc/passwd
    refused a/../../b
    refused hard
    refused .wh...
    refused x/.wh..
    refused x/.wh.
    refused ../.wh.up
    refused /
    "#);
}

#[test]
fn names_beyond_the_limits_are_refused() {
    let long = "n".repeat(5000);
    let deep = "d/".repeat(300) + "end";
    let layer = LayerBuilder::default()
        .file(&long, "")
        .file(&deep, "")
        .symlink("/link", &long)
        .file("/good", "");
    let tree = tree_of(&layer.tar()).unwrap();
    assert_eq!((tree.len(), tree.refused_count()), (1, 3));
    assert!(tree.refused().all(|path| path.len() <= 300));
}

#[test]
fn headers_are_bounded() {
    let huge = vec![b'x'; (1 << 20) + 1];
    for kind in [b'L', b'K', b'x'] {
        let layer = LayerBuilder::default()
            .entry(kind, b"header", b"", 0o644, &huge)
            .file("/a", "");
        assert_eq!(
            tree_of(&gzip(&layer.tar())).unwrap_err().to_string(),
            "the layer is not a tar: an extended header of more than 1 MiB"
        );
    }
    let pieces = "0,0,".repeat(100_000) + "0,0";
    let layer = LayerBuilder::default()
        .pax(&[("GNU.sparse.map", &pieces), ("GNU.sparse.size", "0")])
        .file("/a", "");
    assert!(matches!(tree_of(&layer.tar()), Err(WalkError::Tar(_))));
    for records in [
        "5 a=b\n",
        "99 a=b\n",
        "x a=b\n",
        "6 a=b",
        "\n\n",
        "30 path=/x\0y\n",
    ] {
        let layer = LayerBuilder::default()
            .entry(b'x', b"header", b"", 0o644, records.as_bytes())
            .file("/a", "");
        assert!(
            matches!(tree_of(&layer.tar()), Err(WalkError::Tar(_))),
            "{records:?}"
        );
    }
    // A header for nobody.
    let mut tar = LayerBuilder::default().pax(&[("path", "lost")]).tar();
    tar.truncate(1024);
    assert!(matches!(tree_of(&tar), Err(WalkError::Truncated)));
}

#[test]
fn counts_and_sizes_have_ceilings() {
    let many = (0..50).fold(LayerBuilder::default(), |layer, at| {
        layer.file(&format!("/file-{at}"), "")
    });
    let zeros = gzip(
        &LayerBuilder::default()
            .file("/zeros", vec![0; 8 << 20])
            .tar(),
    );
    let check = |layer: &[u8], limits: Limits| {
        let mut layer = layer;
        walk(&mut layer, &limits, &mut Record::default())
            .unwrap_err()
            .to_string()
    };
    let limits = Limits::default();
    assert_eq!(
        check(
            &many.tar(),
            Limits {
                entries: 49,
                ..limits
            }
        ),
        "the layer has more than 49 entries"
    );
    assert_eq!(
        check(
            &many.tar(),
            Limits {
                text_bytes: 100,
                ..limits
            }
        ),
        "the names in the layer take more than 100 bytes"
    );
    for limits in [
        Limits {
            inflated_bytes: 1 << 20,
            ..limits
        },
        Limits {
            ratio_from: 1 << 20,
            ..limits
        },
    ] {
        let error = check(&zeros, limits);
        assert!(
            error.starts_with("the layer inflates to more than 1"),
            "{error}"
        );
    }
    // Zeros beside something else are fine.
    let few = Limits {
        ratio_from: 1 << 20,
        ratio: 2000,
        ..limits
    };
    assert!(walk(&mut zeros.as_slice(), &few, &mut Record::default()).is_ok());
}

#[test]
fn holes_count_as_bytes_only_when_read() {
    struct Swallow;
    impl Sink for Swallow {
        fn wants(&self, file: &FileFacts<'_>) -> bool {
            file.path == "wanted"
        }
        fn file(&mut self, _: &FileFacts<'_>, content: &mut dyn Read) -> io::Result<()> {
            io::copy(content, &mut io::sink()).map(drop)
        }
        fn link(&mut self, _: &str, _: &str) {}
        fn symlink(&mut self, _: &str, _: &str) {}
    }
    let sparse = |name| {
        LayerBuilder::default()
            .pax(&[
                ("GNU.sparse.map", "0,1"),
                ("GNU.sparse.size", "9000000000000000000"),
            ])
            .file(name, "x")
            .tar()
    };
    let limits = Limits {
        inflated_bytes: 1 << 24,
        ..Limits::default()
    };
    let check = |tar: Vec<u8>| walk(&mut tar.as_slice(), &limits, &mut Swallow);
    assert!(check(sparse("/skipped")).is_ok());
    assert!(matches!(
        check(sparse("/wanted")),
        Err(WalkError::TooLarge { .. })
    ));
}

#[test]
fn a_failing_stream_is_told_from_a_damaged_one() {
    struct Fails<'a>(&'a [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "connection closed",
                )),
                count => Ok(count),
            }
        }
    }
    let tar = sample().tar();
    for layer in [gzip(&tar), zstd(&tar), tar] {
        let half = layer.split_at(layer.len() / 2).0;
        let mut record = Record::default();
        let error = walk(&mut Fails(half), &Limits::default(), &mut record).unwrap_err();
        assert!(matches!(error, WalkError::Read(_)), "{error:?}");
    }
}

#[test]
fn a_window_beyond_128_mib_is_refused() {
    // A frame header that asks for a window of 2 GiB.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    assert!(matches!(tree_of(&frame), Err(WalkError::Inflate(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_walk_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..4096),
        magic in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd"]),
    ) {
        for (to, from) in bytes.iter_mut().zip(magic) {
            *to = *from;
        }
        let _ = tree_of(&bytes);
    }

    #[test]
    fn no_spoiled_tar_makes_the_walk_panic(
        changes in prop::collection::vec((0usize..6000, any::<u8>()), 1..20),
    ) {
        let mut tar = sample().tar();
        for (at, byte) in changes {
            if let Some(place) = tar.get_mut(at) {
                *place = byte;
            }
        }
        // With checksums made right again, so that fields are really read.
        for start in (0..tar.len().saturating_sub(512)).step_by(512) {
            let block = tar.get_mut(start..start + 512).unwrap();
            if block.get(257..262) == Some(b"ustar") {
                block.get_mut(148..156).unwrap().fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block.get_mut(148..156).unwrap().copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        if let Ok(tree) = tree_of(&tar) {
            let again = seaworthy_image::LayerTree::from_bytes(&tree.to_bytes()).unwrap();
            prop_assert_eq!(again, tree);
        }
    }
}
