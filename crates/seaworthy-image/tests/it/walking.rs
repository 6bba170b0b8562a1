//! What one walk sees of a good layer.

use insta::assert_snapshot;
use seaworthy_image::{LayerTree, Limits, walk};
use seaworthy_testkit::{LayerBuilder, gzip, zstd};

use crate::record::{Record, read, tree_of};

#[test]
fn every_kind_of_entry_reaches_sink_and_tree() {
    let layer = LayerBuilder::default()
        .dir("/etc")
        .file("/etc/os-release", "ID=alpine\n")
        .file("/etc/big-skip", "not asked for")
        .program("/bin/run", "ELF")
        .symlink("/bin/sh", "run")
        .hardlink("/bin/again", "/bin/run")
        .whiteout("/etc/passwd")
        .opaque("/var/cache")
        .entry(b'3', b"/dev/null", b"", 0o666, b"");
    assert_snapshot!(read(&layer.tar()), @r#"
    file etc/os-release 644 10 "ID=alpine\n"
    file bin/run 755 3 "ELF"
    symlink bin/sh -> run
    link bin/again = bin/run
    HardLink /bin/again
    File /bin/run
    Symlink("run") /bin/sh
    Other /dev/null
    Dir /etc
    File /etc/big-skip
    File /etc/os-release
    Whiteout /etc/passwd
    Opaque /var/cache
    "#);
}

#[test]
fn compression_is_seen_and_never_believed() {
    let tar = LayerBuilder::default().file("/a", "alpha").tar();
    let plain = read(&tar);
    let (first, second) = tar.split_at(700);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"toc"].concat();
    for (name, layer) in [
        ("gzip", gzip(&tar)),
        ("two gzip members", [gzip(first), gzip(second)].concat()),
        ("gzip and padding", [gzip(&tar), vec![0; 3000]].concat()),
        (
            "gzip and garbage",
            [gzip(&tar), b"garbage".to_vec()].concat(),
        ),
        ("zstd", zstd(&tar)),
        ("two zstd frames", [zstd(first), zstd(second)].concat()),
        (
            "zstd:chunked",
            [
                skippable.clone(),
                zstd(first),
                skippable.clone(),
                zstd(second),
                skippable,
            ]
            .concat(),
        ),
        (
            "zstd and garbage",
            [zstd(&tar), b"garbage".to_vec()].concat(),
        ),
        ("plain and padding", [tar.clone(), vec![0; 10_240]].concat()),
        (
            "plain and garbage",
            [tar.clone(), b"garbage".to_vec()].concat(),
        ),
        (
            "without the two empty blocks",
            tar.split_at(1024).0.to_vec(),
        ),
    ] {
        assert_eq!(read(&layer), plain, "{name}");
    }
}

#[test]
fn a_reader_that_gives_byte_by_byte_is_read_alike() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let mut one = self.0.split_at(self.0.len().min(1)).0;
            let count = one.read(buffer)?;
            self.0 = self.0.split_at(count).1;
            Ok(count)
        }
    }
    let tar = LayerBuilder::default().file("/a", "alpha").tar();
    for layer in [tar.clone(), gzip(&tar), zstd(&tar)] {
        let mut record = Record::default();
        walk(&mut Slow(&layer), &Limits::default(), &mut record).unwrap();
        assert_eq!(record.text, "file a 644 5 \"alpha\"\n");
    }
}

#[test]
fn the_whole_blob_passes_through_even_behind_the_end() {
    use seaworthy_image::{Expected, Verified};
    let tar = LayerBuilder::default().file("/a", "alpha").tar();
    for tail in [vec![], vec![0; 100_000], b"garbage".repeat(50_000)] {
        let layer = [gzip(&tar), tail].concat();
        let mut verified = Verified::new(layer.as_slice());
        walk(&mut verified, &Limits::default(), &mut Record::default()).unwrap();
        assert_eq!(verified.size(), layer.len() as u64);
        let digest = verified.finish(&Expected::default()).unwrap();
        assert_eq!(digest.to_string(), seaworthy_testkit::digest_of(&layer));
    }
}

#[test]
fn names_of_every_form_are_read() {
    let long = format!("{}/end", "directory/".repeat(30));
    let layer = LayerBuilder::default()
        .file(&long, "gnu")
        .symlink("/link", &long)
        .pax(&[("path", "from/pax"), ("mtime", "1.5")])
        .file("/decoy", "pax")
        .pax(&[
            ("SCHILY.xattr.user.x", "a\n17 path=smuggled\n"),
            ("path", "true"),
        ])
        .file("/decoy", "a value may look like a record")
        .pax(&[("comment", "\n\n"), ("size", "3")])
        .entry(b'0', b"./sized", b"", 0o600, b"abc");
    assert_snapshot!(read(&layer.tar()), @r#"
    file directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/end 644 3 "gnu"
    symlink link -> directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory//end
    file from/pax 644 3 "pax"
    file true 644 30 "a value may look like a record"
    file sized 600 3 "abc"
    File /directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/end
    File /from/pax
    Symlink("directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory/directory//end") /link
    File /sized
    File /true
    "#);
}

#[test]
fn names_that_are_not_utf_8_stay_apart() {
    let layer = LayerBuilder::default()
        .entry(b'0', b"\xfe/x", b"", 0o644, b"")
        .entry(b'0', b"\xff/x", b"", 0o644, b"")
        .entry(b'0', "\u{10fefe}/x".as_bytes(), b"", 0o644, b"");
    assert_eq!(tree_of(&layer.tar()).unwrap().len(), 3);
}

#[test]
fn global_headers_are_ignored_as_by_runtimes() {
    let layer = LayerBuilder::default()
        .entry(
            b'g',
            b"pax_global_header",
            b"",
            0o644,
            b"20 path=everywhere\n",
        )
        .file("/a", "alpha");
    assert_snapshot!(read(&layer.tar()), @r#"
    file a 644 5 "alpha"
    File /a
    "#);
}

#[test]
fn links_have_no_content_whatever_they_state() {
    // A reader that skipped the stated bytes would lose the next entry.
    let mut link = LayerBuilder::default()
        .entry(b'1', b"b", b"a", 0o644, &[b'x'; 512])
        .tar();
    link.truncate(512);
    let layer = LayerBuilder::default()
        .file("/a", "alpha")
        .raw(&link)
        .file("/c", "gamma");
    assert_snapshot!(read(&layer.tar()), @r#"
    file a 644 5 "alpha"
    link b = a
    file c 644 5 "gamma"
    File /a
    HardLink /b
    File /c
    "#);
}

#[test]
fn sparse_files_have_their_holes() {
    let data = "AAAA";
    let map = "1\n6\n4\n";
    let in_content = format!("{map:\0<512}{data}");
    let layer = LayerBuilder::default()
        .pax(&[
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "real/one"),
            ("GNU.sparse.realsize", "12"),
        ])
        .file("/GNUSparseFile.0/one", &in_content)
        .pax(&[("GNU.sparse.map", "2,2,8,2"), ("GNU.sparse.size", "11")])
        .file("/two", data)
        .pax(&[
            ("GNU.sparse.offset", "1"),
            ("GNU.sparse.numbytes", "4"),
            ("GNU.sparse.size", "6"),
        ])
        .file("/three", data)
        .file("/four", "behind");
    assert_snapshot!(read(&layer.tar()), @r#"
    file real/one 644 12 "\0\0\0\0\0\0AAAA\0\0"
    file two 644 11 "\0\0AA\0\0\0\0AA\0"
    file three 644 6 "\0AAAA\0"
    file four 644 6 "behind"
    File /four
    File /real/one
    File /three
    File /two
    "#);
}

#[test]
fn the_last_of_several_entries_at_a_path_counts() {
    let layer = LayerBuilder::default()
        .dir("/a")
        .file("/a/gone", "")
        .file("/a", "now a file")
        .file("/b", "first")
        .file("/b", "second")
        .file("/c", "")
        .dir("/c")
        .file("/c/in", "")
        .dir("/d")
        .file("/d/gone", "")
        .symlink("/d", "c")
        .file("/d/through", "");
    let text = read(&layer.tar());
    let tree: Vec<&str> = text.lines().filter(|line| line.contains(" /")).collect();
    assert_eq!(
        tree,
        [
            "File /a",
            "File /b",
            "Dir /c",
            "File /c/in",
            "Symlink(\"c\") /d",
            "File /d/through"
        ]
    );
}

#[test]
fn a_tree_survives_its_bytes() {
    let layer = LayerBuilder::default()
        .opaque("/")
        .dir("/usr")
        .dir("/usr/lib")
        .file("/usr/lib/a-b", "")
        .dir("/usr/lib/a")
        .file("/usr/lib/a/b", "")
        .file("/usr/lib/ä/ö", "")
        .symlink("/lib", "usr/lib")
        .whiteout("/opt")
        .entry(b'0', b"../climbs", b"", 0o644, b"");
    let tree = tree_of(&layer.tar()).unwrap();
    let bytes = tree.to_bytes();
    assert_eq!(LayerTree::from_bytes(&bytes).unwrap(), tree);
    // Whatever is missing or changed is an error or another sound tree.
    for end in 0..bytes.len() {
        assert!(
            LayerTree::from_bytes(bytes.split_at(end).0).is_err(),
            "{end}"
        );
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut spoiled = bytes.clone();
            *spoiled.get_mut(at).unwrap() ^= 1 << bit;
            if let Ok(tree) = LayerTree::from_bytes(&spoiled) {
                assert_eq!(LayerTree::from_bytes(&tree.to_bytes()).unwrap(), tree);
            }
        }
    }
}

#[test]
fn a_real_tree_is_compact() {
    let mut layer = LayerBuilder::default().plain();
    let mut text = 0;
    for folder in 0..240 {
        let folder = format!("/usr/lib/python3/dist-packages/package_{folder}");
        layer = layer.dir(&folder);
        for file in 0..100 {
            let file = format!("{folder}/module_{file}.py");
            text += file.len();
            layer = layer.file(&file, "");
        }
    }
    let tree = tree_of(&layer.tar()).unwrap();
    assert_eq!(tree.len(), 24_240);
    let bytes = tree.to_bytes().len();
    assert!(bytes < 400_000, "{bytes} bytes for {text} bytes of paths");
}
