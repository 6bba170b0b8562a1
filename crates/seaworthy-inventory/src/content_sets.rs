//! Which repositories an image of Red Hat was built from: the manifests of contents
//! that its build leaves behind.

use std::collections::BTreeSet;

use seaworthy_image::FileFacts;
use serde::Deserialize;

use crate::probe::Probe;
use crate::record::{FileRecord, MAX_CONTENT_SETS};

/// Reads `root/buildinfo/content_manifests/*.json` and what took its place,
/// `usr/share/buildinfo/content-sets.json`. Each layer that was built adds a file
/// of its own; other documents in these folders name no repositories.
#[derive(Debug)]
pub(crate) struct ContentSets;

/// Folders of manifests, one for each image that was built.
const FOLDERS: [&str; 2] = [
    "root/buildinfo/content_manifests/",
    "usr/share/buildinfo/content_manifests/",
];

/// The only manifest of newer images.
const FILES: [&str; 2] = [
    "usr/share/buildinfo/content-sets.json",
    "root/buildinfo/content-sets.json",
];

/// A manifest may list every module of a program beside its repositories, in bytes.
const LIMIT: u64 = 8 << 20;

/// The longest name of a repository, in bytes.
const MAX_NAME: usize = 200;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    content_sets: Vec<String>,
}

impl Probe for ContentSets {
    fn name(&self) -> &'static str {
        "content-sets"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        let in_folder = |folder: &str| {
            file.path
                .strip_prefix(folder)
                .and_then(|name| name.strip_suffix(".json"))
                .is_some_and(|stem| !stem.contains('/'))
        };
        FILES.contains(&file.path) || FOLDERS.iter().any(|folder| in_folder(folder))
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, _: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else {
            return found.gap("not a manifest of contents");
        };
        let is_name = |text: &String| {
            !text.is_empty()
                && text.len() <= MAX_NAME
                && text.bytes().all(|it| it.is_ascii_graphic())
        };
        let names: BTreeSet<String> = manifest.content_sets.into_iter().filter(is_name).collect();
        if names.len() > MAX_CONTENT_SETS {
            found.gap(format!("more than {MAX_CONTENT_SETS} repositories"));
        }
        found.content_sets = names.into_iter().take(MAX_CONTENT_SETS).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> FileRecord {
        let path = "usr/share/buildinfo/content-sets.json";
        let mut found = FileRecord::of("content-sets", path);
        let file = FileFacts {
            path,
            mode: 0o644,
            size: text.len() as u64,
        };
        assert!(ContentSets.wants(&file));
        ContentSets.read(&file, text.as_bytes(), &mut found);
        found
    }

    #[test]
    fn manifests_are_wanted_where_builds_leave_them() {
        for (path, is_wanted) in [
            (
                "root/buildinfo/content_manifests/ubi8-container-8.4-1.json",
                true,
            ),
            ("root/buildinfo/content-sets.json", true),
            ("root/buildinfo/content_manifests/a/b.json", false),
            ("root/buildinfo/content_manifests/x.txt", false),
            ("root/buildinfo/labels.json", false),
            ("content-sets.json", false),
        ] {
            let file = FileFacts {
                path,
                mode: 0o644,
                size: 1,
            };
            assert_eq!(ContentSets.wants(&file), is_wanted, "{path}");
        }
    }

    #[test]
    fn names_are_kept_once_and_what_is_no_manifest_is_a_gap() {
        let found = read(r#"{"metadata": {}, "content_sets": ["b", "a", "b", "", "c d"]}"#);
        assert_eq!(found.content_sets, ["a", "b"]);
        assert_eq!(found.gaps, [""; 0]);
        assert!(read(r#"{"image_contents": {"dependencies": []}}"#).is_empty());
        assert_eq!(read("broken").gaps, ["not a manifest of contents"]);
    }

    #[test]
    fn a_manifest_without_an_end_is_cut_and_says_so() {
        let names: Vec<String> = (0..600).map(|it| format!("\"r{it}\"")).collect();
        let found = read(&format!(r#"{{"content_sets": [{}]}}"#, names.join(",")));
        assert_eq!(found.content_sets.len(), MAX_CONTENT_SETS);
        assert_eq!(found.gaps, ["more than 500 repositories"]);
    }
}
