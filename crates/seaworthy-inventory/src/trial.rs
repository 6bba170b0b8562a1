//! How tests of probes read: one file in, one line per answer out.

use std::fmt::Write;

use seaworthy_image::FileFacts;

use crate::probe::Probe;
use crate::record::{FileRecord, PackageRecord};

/// What `probe` finds in a file, one line each. Where the probe can also
/// read in pieces, both ways must agree.
pub(crate) fn read(probe: &dyn Probe, path: &str, bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let file = FileFacts {
        path,
        mode: 0o755,
        size: bytes.len() as u64,
    };
    assert!(probe.wants(&file), "`{path}` is not wanted");
    let mut found = FileRecord::of(probe.name(), path);
    probe.read(&file, bytes, &mut found);
    if let Some(mut scanner) = probe.scanner(&file) {
        let mut again = FileRecord::of(probe.name(), path);
        for piece in bytes.chunks(bytes.len() / 61 + 7) {
            scanner.feed(piece, &mut again);
        }
        scanner.finish(&mut again);
        assert_eq!(again, found, "read whole and in pieces");
    }
    let mut text = String::new();
    for package in &found.packages {
        text.push_str(&line(package));
    }
    if let Some(distro) = &found.distro {
        writeln!(text, "{distro:?}").expect("a string takes any text");
    }
    for gap in &found.gaps {
        writeln!(text, "gap: {gap}").expect("a string takes any text");
    }
    text
}

fn line(package: &PackageRecord) -> String {
    let mut words = vec![package.name.clone(), package.version.clone()];
    words.extend(package.architecture.clone());
    if let Some(source) = &package.source
        && (&source.name, &source.version) != (&package.name, &package.version)
    {
        words.push(format!("(from {} {})", source.name, source.version));
    }
    words.extend(package.vendor.as_ref().map(|it| format!("by {it}")));
    if package.guessed {
        words.push("guessed".to_owned());
    }
    if !package.inside.is_empty() {
        words.push(format!("in {}", package.inside));
    }
    words.join(" ") + "\n"
}
