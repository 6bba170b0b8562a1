//! A sink that writes down what it is given.

use std::fmt::Write as _;
use std::io::{self, Read};

use seaworthy_image::{FileFacts, LayerTree, Limits, Sink, WalkError, walk};

/// Wants everything but what ends in `-skip`.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) text: String,
}

impl Sink for Record {
    fn wants(&self, file: &FileFacts<'_>) -> bool {
        !file.path.ends_with("-skip")
    }

    fn file(&mut self, file: &FileFacts<'_>, content: &mut dyn Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.take(4096).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let FileFacts { path, mode, size } = file;
        writeln!(self.text, "file {path} {mode:o} {size} {text:?}").unwrap();
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) {
        writeln!(self.text, "link {path} = {target}").unwrap();
    }

    fn symlink(&mut self, path: &str, target: &str) {
        writeln!(self.text, "symlink {path} -> {target}").unwrap();
    }
}

/// Walks a layer: what the sink got, and then the tree or the error.
pub(crate) fn read(mut layer: &[u8]) -> String {
    let mut record = Record::default();
    let end = match walk(&mut layer, &Limits::default(), &mut record) {
        Ok(tree) => show(&tree),
        Err(error) => format!("error: {error}\n"),
    };
    record.text + &end
}

/// Walks a layer for its tree alone.
pub(crate) fn tree_of(mut layer: &[u8]) -> Result<LayerTree, WalkError> {
    walk(&mut layer, &Limits::default(), &mut Record::default())
}

/// A tree, line by line.
pub(crate) fn show(tree: &LayerTree) -> String {
    let mut text = String::new();
    let mut cursor = tree.cursor();
    while let Some(entry) = cursor.advance() {
        writeln!(text, "{:?} /{}", entry.kind, entry.path).unwrap();
    }
    for path in tree.refused() {
        writeln!(text, "refused {path}").unwrap();
    }
    text
}
