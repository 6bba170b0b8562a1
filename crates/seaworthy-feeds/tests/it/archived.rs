//! A feed whose archive is named by a text and followed by single documents.

use std::fs;
use std::path::Path;

use seaworthy_feeds::Mirror;

use crate::mirror::gather;

fn document(cve: &str, title: &str) -> String {
    format!(
        r#"{{"document": {{"category": "csaf_vex", "title": "{title}", "tracking": {{"id": "{cve}"}}}}}}"#
    )
}

/// A mirror with one archive of two documents, made on 2026-03-25.
fn lay_out(root: &Path) {
    let folder = root.join("vendor/redhat/csaf/v2/vex");
    fs::create_dir_all(folder.join("2026")).expect("a test may write");
    fs::create_dir_all(root.join("osv/npm")).expect("a test may write");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(root.join(name), bytes).expect("a test may write");
    };
    write("osv/ecosystems.txt", b"npm\n");
    // The end of a zip archive without entries is an empty one.
    let mut empty = b"PK\x05\x06".to_vec();
    empty.extend([0; 18]);
    write("osv/npm/all.zip", &empty);

    let mut archive = tar::Builder::new(Vec::new());
    for number in [1, 2] {
        let text = document(&format!("CVE-2026-{number}"), "archived");
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive
            .append_data(
                &mut header,
                format!("2026/cve-2026-{number}.json"),
                text.as_bytes(),
            )
            .expect("an archive in memory");
    }
    let archive = archive.into_inner().expect("an archive in memory");
    let vex = "vendor/redhat/csaf/v2/vex";
    write(
        &format!("{vex}/archive_latest.txt"),
        b"csaf_vex_2026-03-25.tar.zst\n",
    );
    write(&format!("{vex}/csaf_vex_2026-03-25.tar.zst"), &archive);
    write(
        &format!("{vex}/changes.csv"),
        b"\"2026/cve-2026-3.json\",\"2026-03-26T00:00:00Z\"\n\"2026/cve-2026-1.json\",\"2026-03-25T10:00:00Z\"\n\"2026/cve-2026-0.json\",\"2026-03-01T00:00:00Z\"\n",
    );
    write(
        &format!("{vex}/deletions.csv"),
        b"\"2026/cve-2026-2.json\",\"2026-03-26T00:00:00Z\"\n",
    );
    let changed = document("CVE-2026-3", "changed since");
    write(&format!("{vex}/2026/cve-2026-3.json"), changed.as_bytes());
}

#[test]
fn an_archive_is_read_with_what_changed_and_without_what_was_deleted_since() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    lay_out(folder.path());
    let (fed, advisories) = gather(&Mirror::Folder(folder.path().to_owned()));
    let said: Vec<String> = advisories
        .iter()
        .map(|it| format!("{} {}: {}", it.feed, it.id, it.summary))
        .collect();
    assert_eq!(
        said,
        [
            "redhat/vex CVE-2026-1: archived",
            "redhat/vex CVE-2026-3: changed since"
        ]
    );
    let fed = fed.expect("the mirror is whole");
    assert!(
        fed.missing.iter().all(|it| !it.starts_with("redhat")),
        "{:?}",
        fed.missing
    );

    // A document that changed and is not there is named.
    let changed = "vendor/redhat/csaf/v2/vex/2026/cve-2026-3.json";
    fs::remove_file(folder.path().join(changed)).expect("it was written");
    let (fed, _) = gather(&Mirror::Folder(folder.path().to_owned()));
    let fed = fed.expect("the mirror is whole");
    let said = "redhat/vex: 1 document changed since the archive was made and is not read";
    assert!(
        fed.missing.iter().any(|it| &**it == said),
        "{:?}",
        fed.missing
    );
}

#[test]
fn a_text_that_names_no_archive_is_an_error() {
    for (text, expected) in [
        (
            "../../secret",
            "cannot use `archive_latest.txt` of the feed `redhat/vex`",
        ),
        (
            "gone.tar.zst",
            "cannot use `gone.tar.zst` of the feed `redhat/vex`",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
        lay_out(folder.path());
        let latest = "vendor/redhat/csaf/v2/vex/archive_latest.txt";
        fs::write(folder.path().join(latest), text).expect("a test may write");
        let (fed, _) = gather(&Mirror::Folder(folder.path().to_owned()));
        let error = fed.expect_err("nothing can be read").to_string();
        assert_eq!(error, expected);
    }
}
