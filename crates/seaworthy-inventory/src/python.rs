//! Python distributions: the metadata that installers leave.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;

use crate::lines::{Line, Lines};
use crate::probe::{Probe, Scanner};
use crate::record::{FileRecord, PackageRecord};

/// Reads `*.dist-info/METADATA` of wheels, `*.egg-info/PKG-INFO` and
/// `EGG-INFO/PKG-INFO` of eggs, and the single file `*.egg-info` of distutils.
///
/// Of the file only the header counts, up to the first empty line. Copies that
/// a distribution carries inside itself are listed as well: they are installed,
/// though `pip list` does not look there. Eggs may be
/// zipped.
#[derive(Debug)]
pub(crate) struct Python;

/// Larger files than this are read in pieces, and larger zipped eggs are a gap,
/// in bytes. A header is short; what makes some files long is the description
/// below it.
const LIMIT: u64 = 8 << 20;

/// How much of a zipped egg's metadata is inflated, in bytes.
const INFLATED: u64 = 256 << 10;

impl Probe for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        let mut parts = file.path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let folder = parts.next().unwrap_or_default();
        // `~equests-2.0.dist-info` is what pip moves away before it removes it.
        let is_live = |folder: &str| !folder.starts_with('~');
        match name {
            "METADATA" => folder.ends_with(".dist-info") && is_live(folder),
            "PKG-INFO" => {
                (folder.ends_with(".egg-info") || folder == "EGG-INFO") && is_live(folder)
            }
            _ => (name.ends_with(".egg-info") || is_egg(name)) && is_live(name),
        }
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let mut metadata = Box::new(Metadata::default());
        if !is_egg(file.name()) {
            metadata.feed(bytes, found);
        } else if let Err(error) = unzip(bytes, &mut metadata, found) {
            found.gap(format!("it is no zipped egg that can be read: {error}"));
            return;
        }
        metadata.finish(found);
    }

    fn scanner(&self, file: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        // An archive has its list at its end.
        (!is_egg(file.name())).then(|| Box::new(Metadata::default()) as Box<dyn Scanner>)
    }
}

/// Whether a file of this name is a whole distribution in one archive.
fn is_egg(name: &str) -> bool {
    name.strip_suffix(".egg")
        .is_some_and(|stem| !stem.is_empty())
}

/// Feeds the metadata inside a zipped egg.
fn unzip(bytes: &[u8], into: &mut Metadata, found: &mut FileRecord) -> Result<(), ZipError> {
    let mut egg = ZipArchive::new(Cursor::new(bytes))?;
    let mut inflated = Vec::new();
    egg.by_name("EGG-INFO/PKG-INFO")?
        .take(INFLATED)
        .read_to_end(&mut inflated)?;
    into.feed(&inflated, found);
    Ok(())
}

/// A header being read.
#[derive(Debug, Default)]
struct Metadata {
    lines: Lines,
    header: Header,
}

/// What we keep of it.
#[derive(Debug, Default)]
struct Header {
    name: Option<String>,
    version: Option<String>,
    has_ended: bool,
    is_cut: bool,
}

impl Scanner for Metadata {
    fn feed(&mut self, bytes: &[u8], _: &mut FileRecord) {
        let Self { lines, header } = self;
        // Below the header nothing matters, not even where lines end.
        if !header.has_ended {
            lines.feed(bytes, |line| header.line(line));
        }
    }

    fn finish(self: Box<Self>, found: &mut FileRecord) {
        let Self { lines, mut header } = *self;
        lines.finish(|line| header.line(line));
        if header.is_cut {
            found.gap("a line of its header is longer than can be read");
        }
        match (header.name, header.version) {
            (Some(name), Some(version)) => found.package(PackageRecord::recorded(
                &PackageType::PyPi,
                &canonical(&name),
                &version,
            )),
            (Some(name), None) => found.gap(format!("package `{name}` without a version")),
            (None, _) => found.gap("a package without a name"),
        }
    }
}

impl Header {
    fn line(&mut self, line: Line<'_>) {
        if self.has_ended {
            return;
        }
        let bytes = line.bytes.strip_suffix(b"\r").unwrap_or(line.bytes);
        if bytes.is_empty() {
            self.has_ended = true;
            return;
        }
        self.is_cut |= line.is_cut;
        let Some(colon) = memchr::memchr(b':', bytes) else {
            return;
        };
        let (name, value) = bytes.split_at(colon);
        let field = if name.eq_ignore_ascii_case(b"Name") {
            &mut self.name
        } else if name.eq_ignore_ascii_case(b"Version") {
            &mut self.version
        } else {
            return;
        };
        // Of two, the first counts, as it does for Python.
        if field.is_none() {
            let value: Cow<'_, str> = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
            *field = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
    }
}

/// The name as PEP 503 compares it: lower case, with a single `-` for each run
/// of `-`, `_` and `.`.
pub(crate) fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for letter in name.chars() {
        if !matches!(letter, '-' | '_' | '.') {
            canonical.extend(letter.to_lowercase());
        } else if !canonical.ends_with('-') {
            canonical.push('-');
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use insta::assert_snapshot;

    use super::*;
    use crate::trial::read;

    const METADATA: &str = "usr/lib/python3/dist-packages/x.dist-info/METADATA";

    #[test]
    fn only_the_header_counts() {
        assert_snapshot!(read(&Python, METADATA,
            "Metadata-Version: 2.1\nName: Zope.Interface__x\nSummary: a\n  Version: 0\nversion: 5.4.0\r\nName: other\n\r\nName: body\nVersion: 9\n"
        ), @"zope-interface-x 5.4.0");
        let long = format!("Name: a\nVersion: 1\n\n{}", "x".repeat(3 << 20));
        assert_snapshot!(read(&Python, METADATA, &long), @"a 1");
    }

    #[test]
    fn a_header_without_name_or_version_is_a_gap() {
        assert_snapshot!(read(&Python, METADATA, "Name: a\n\nVersion: 1\n"), @"gap: package `a` without a version");
        assert_snapshot!(read(&Python, METADATA, ""), @"gap: a package without a name");
        let long = format!("Name: {}", "x".repeat(3 << 20));
        assert_snapshot!(read(&Python, METADATA, &long), @r"
        gap: a line of its header is longer than can be read
        gap: package `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        ");
    }

    #[test]
    fn an_egg_may_be_zipped() {
        let egg = |name: &str, text: &str| {
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .and_then(|()| Ok(zip.write_all(text.as_bytes())?))
                .expect("memory takes every byte");
            zip.finish().expect("memory takes every byte").into_inner()
        };
        let path = "site-packages/a-1.0-py3.8.egg";
        let find = |bytes: &[u8]| read(&Python, path, bytes);
        let good = egg("EGG-INFO/PKG-INFO", "Name: a\nVersion: 1.0\n");
        assert_snapshot!(find(&good), @"a 1.0");
        assert_snapshot!(find(&egg("EGG-INFO/PKG-INFO", "")), @"gap: a package without a name");
        assert_snapshot!(find(&egg("other", "")), @"gap: it is no zipped egg that can be read: specified file not found in archive");
        assert_snapshot!(find(b"Name: a\nVersion: 1\n"), @"gap: it is no zipped egg that can be read: invalid Zip archive: Could not find EOCD");
    }

    #[test]
    fn metadata_is_known_by_its_place() {
        let wants = |path| {
            Python.wants(&FileFacts {
                path,
                mode: 0o644,
                size: 1,
            })
        };
        for path in [
            METADATA,
            "a/b.egg-info/PKG-INFO",
            "a/b-1.0-py3.egg/EGG-INFO/PKG-INFO",
            "a/Python-2.7.egg-info",
        ] {
            assert!(wants(path), "{path}");
        }
        for path in [
            "METADATA",
            "PKG-INFO",
            "src/PKG-INFO",
            "a/~.dist-info/METADATA",
            "a/b.dist-info/RECORD",
            "a/b.egg-info/SOURCES.txt",
        ] {
            assert!(!wants(path), "{path}");
        }
    }
}
