//! One file through the whole table of probes, as a layer would bring it.

use std::path::{Path, PathBuf};
use std::process::Command;

use seaworthy_image::{FileFacts, LayerTree, Sink};
use seaworthy_inventory::{FileRecord, PackageRecord, Recorder};

/// What the probe of this name says of a file that holds `bytes`; an empty
/// record where it has nothing to say.
pub(crate) fn look(probe: &str, path: &str, bytes: &[u8]) -> FileRecord {
    let file = FileFacts {
        path,
        mode: 0o755,
        size: bytes.len() as u64,
    };
    let mut recorder = Recorder::new();
    assert!(recorder.wants(&file), "`{path}` is not wanted");
    recorder
        .file(&file, &mut &*bytes)
        .expect("memory reads without errors");
    let records = recorder.finish(LayerTree::default());
    records
        .files
        .into_iter()
        .find(|record| record.probe == probe)
        .unwrap_or_default()
}

/// One line per package and gap, in the order found.
pub(crate) fn lines(record: &FileRecord) -> Vec<String> {
    let package = |it: &PackageRecord| {
        let guess = if it.guessed { " guessed" } else { "" };
        let inside = if it.inside.is_empty() {
            String::new()
        } else {
            format!(" in {}", it.inside)
        };
        format!("{} {}{guess}{inside}", it.name, it.version)
    };
    let gaps = record.gaps.iter().map(|gap| format!("gap: {gap}"));
    record.packages.iter().map(package).chain(gaps).collect()
}

/// What a program prints; it must succeed.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder that outlives the run, for what is expensive to make or fetch.
pub(crate) fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the target folder takes files");
    folder
}
