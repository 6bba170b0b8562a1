//! A root directory, unpacked on disk.

use std::io;
use std::path::Path;
use std::thread;

use seaworthy_core::{Gap, Inventory, Layer};
use seaworthy_image::{Limits, RootError, Sink, write_root};
use seaworthy_inventory::{Recorder, link};

use crate::reader::ReadLayerError;
use crate::take::{Counted, Rig};

/// Why a directory yielded no inventory.
#[derive(Debug, thiserror::Error)]
pub enum TakeRootError {
    /// It cannot be walked.
    #[error(transparent)]
    Root(#[from] RootError),
    /// What it holds cannot be read.
    #[error("cannot read the files of the directory")]
    Read(#[source] ReadLayerError),
    /// The pipe between walking and reading cannot be made.
    #[error("cannot make a pipe")]
    Pipe(#[source] io::Error),
}

/// Reads the directory `root` as if it were an image of one layer. Files that no
/// probe wants are not opened; files that cannot be opened are gaps.
pub fn take_root(root: &Path, rig: &Rig<'_>) -> Result<Inventory, TakeRootError> {
    let (output, mut input) = io::pipe().map_err(TakeRootError::Pipe)?;
    rig.progress.begin(1, 0);
    let (written, read) = thread::scope(|scope| {
        let writer = scope.spawn(move || {
            let recorder = Recorder::new();
            write_root(
                root,
                &Limits::default(),
                &|file| recorder.wants(file),
                &mut input,
            )
        });
        let mut output = Counted {
            inner: output,
            progress: rig.progress,
        };
        let read = rig.reader.read_layer(&mut output);
        // A writer whose reader is gone would wait for ever.
        drop(output);
        let written = match writer.join() {
            Ok(written) => written,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (written, read)
    });
    let (unreadable, records) = match (written, read) {
        (Ok(unreadable), Ok(records)) => (unreadable, records),
        // The reader's trouble is why the writer could not go on.
        (Err(RootError::Write(_)) | Ok(_), Err(error)) => return Err(TakeRootError::Read(error)),
        (Err(error), _) => return Err(error.into()),
    };
    let layer = Layer {
        digest: None,
        diff_id: None,
        created_by: None,
    };
    let mut inventory = link(vec![(layer, records)]);
    inventory.gaps.extend(unreadable.into_iter().map(|it| Gap {
        path: it.path,
        probe: "root".into(),
        why: it.why,
        layer: None,
    }));
    without_layers(&mut inventory);
    inventory.gaps.sort();
    rig.progress.layer_done(false);
    Ok(inventory)
}

/// A directory has no layers, so nothing in it was brought by one.
fn without_layers(inventory: &mut Inventory) {
    inventory.layers.clear();
    for package in &mut inventory.packages {
        for sighting in &mut package.seen {
            sighting.layer = None;
        }
    }
    for gap in &mut inventory.gaps {
        gap.layer = None;
    }
}
