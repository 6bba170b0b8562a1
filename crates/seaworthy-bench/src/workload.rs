//! What is measured, made once and kept in `target/bench`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;

use crate::content::Author;
use crate::layout::{Draft, Packing};
use crate::shape::{self, Shape};
use crate::{building, sqlite, world};

/// Changes whenever the same names stand for other bytes.
const GENERATION: u32 = 1;

/// A folder that keeps what was made.
pub(crate) struct Cellar {
    folder: PathBuf,
}

impl Cellar {
    /// The cellar in `folder`; a fresh one forgets what it held.
    pub(crate) fn open(folder: &Path, fresh: bool) -> anyhow::Result<Self> {
        let folder = folder.join(format!("generation-{GENERATION}"));
        if fresh && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create `{}`", folder.display()))?;
        Ok(Self { folder })
    }

    /// An image of this shape.
    pub(crate) fn image(&self, shape: &Shape, packing: Packing) -> anyhow::Result<PathBuf> {
        let suffix = match packing {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        };
        self.keep(&format!("{}-{suffix}", shape.name), &|folder| {
            let author = Author::new();
            let mut draft = Draft::create(folder, packing)?;
            for number in 0..shape.layers.len() {
                draft.layer(|out| shape::write_layer(&author, shape, number, out))?;
            }
            draft.finish()
        })
    }

    /// A compiled edition of one package in `share`.
    pub(crate) fn edition(&self, share: usize) -> anyhow::Result<PathBuf> {
        let format = seaworthy_advisories::FORMAT_VERSION;
        self.keep(&format!("world-{share}.format-{format}.edition"), &|path| {
            world::compile(share, path)
        })
    }

    /// The world in SQLite.
    pub(crate) fn sqlite(&self) -> anyhow::Result<PathBuf> {
        self.keep("world.sqlite", &sqlite::build)
    }

    /// The world as feeds.
    pub(crate) fn mirror(&self) -> anyhow::Result<PathBuf> {
        self.keep("world-feeds", &building::write_mirror)
    }

    /// An empty folder for one run.
    pub(crate) fn table(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join("runs").join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// What is called `name`, made under another name first so that a run cut
    /// short leaves nothing behind that looks whole.
    fn keep(
        &self,
        name: &str,
        make: &dyn Fn(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(path);
        }
        let draft = self.folder.join(format!("draft-{name}"));
        if draft.is_dir() {
            fs::remove_dir_all(&draft)?;
        } else if draft.exists() {
            fs::remove_file(&draft)?;
        }
        let begun = Instant::now();
        make(&draft).with_context(|| format!("cannot make `{name}`"))?;
        fs::rename(&draft, &path)?;
        eprintln!("made {name} in {:.1} s", begun.elapsed().as_secs_f64());
        Ok(path)
    }
}
