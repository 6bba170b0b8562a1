//! A real folder, offered to the probes file by file.

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use seaworthy_image::{FileFacts, LayerTree, Sink};
use seaworthy_inventory::{FileRecord, Recorder};

/// What the probes say of all files below `folder`, sorted by path.
pub(crate) fn read(folder: &Path) -> Vec<FileRecord> {
    let mut recorder = Recorder::new();
    for path in files(folder) {
        let facts = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(folder).unwrap().to_string_lossy();
        let file = FileFacts {
            path: &name,
            mode: facts.permissions().mode() & 0o7777,
            size: facts.len(),
        };
        if facts.is_symlink() {
            let file = FileFacts {
                mode: 0o644,
                ..file
            };
            if recorder.wants(&file) {
                let target = fs::read_link(&path).unwrap();
                recorder.symlink(&name, &target.to_string_lossy());
            }
        } else if recorder.wants(&file) {
            let mut content = BufReader::new(File::open(&path).unwrap());
            recorder.file(&file, &mut content).unwrap();
        }
    }
    recorder.finish(LayerTree::default()).files
}

/// Every file and symbolic link below `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() || kind.is_symlink() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files
}
