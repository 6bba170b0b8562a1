//! The one pass over a layer.

use std::io::{self, BufRead, Read};

use crate::inflate::{Ceiling, Meter, OpenError, inflate};
use crate::path;
use crate::sink::{FileFacts, Sink};
use crate::tape::{Member, MemberKind, Source, Tape, TapeError};
use crate::tree::{EntryKind, LayerTree, TreeBuilder};

/// The permission bits a symbolic link is shown with: not its own, which are
/// always all of them and would make it look like a program.
pub(crate) const LINK_MODE: u32 = 0o644;

/// How much a layer may hold. The defaults let every layer through that a
/// runtime can use and end every bomb in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of one layer. The largest layers we know have some 300,000.
    pub entries: u64,
    /// Bytes of one path, as in Linux.
    pub path_bytes: usize,
    /// Components of one path.
    pub depth: usize,
    /// Bytes of all paths and link targets of one layer: what the tree costs in
    /// memory.
    pub text_bytes: usize,
    /// Bytes of one layer, inflated. Nothing is kept of them, so this bounds
    /// time only.
    pub inflated_bytes: u64,
    /// How many times its compressed size a layer may inflate to, ...
    pub ratio: u64,
    /// ... once it has inflated to more than this many bytes. Files full of
    /// zeros are real; gigabytes of nothing else are not.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            path_bytes: 4096,
            depth: 256,
            text_bytes: 128 << 20,
            inflated_bytes: 64 << 30,
            ratio: 200,
            ratio_from: 4 << 30,
        }
    }
}

/// Why a layer could not be read to its end. What the sink got until then does
/// not count.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The stream itself failed.
    #[error("cannot read the layer")]
    Read(#[source] io::Error),
    /// The stream ended before the layer did, or had not a single byte.
    #[error("the layer is truncated")]
    Truncated,
    /// The compressed data are damaged.
    #[error("cannot inflate the layer")]
    Inflate(#[source] io::Error),
    /// It is compressed with something that image builders do not use.
    #[error("the layer is compressed with {0}, which is not supported")]
    Compression(&'static str),
    /// The inflated bytes are no tar.
    #[error("the layer is not a tar: {0}")]
    Tar(&'static str),
    /// There are more entries than [`Limits::entries`].
    #[error("the layer has more than {0} entries")]
    TooManyEntries(u64),
    /// Its names take more than [`Limits::text_bytes`].
    #[error("the names in the layer take more than {0} bytes")]
    TooManyNames(usize),
    /// It inflates to more than the limits allow.
    #[error("the layer inflates to more than {inflated} bytes from {compressed}")]
    TooLarge {
        /// Bytes inflated when it was given up.
        inflated: u64,
        /// Compressed bytes read until then.
        compressed: u64,
    },
}

/// Raised whenever the walk would offer other files, or other bytes, of the same
/// layer; remembered layers are then read again.
pub const WALK: u32 = 1;

/// Reads a layer once, from its first byte to its last: inflates what is
/// compressed, goes through the tar, and offers each regular file that `sink`
/// wants. Nothing is written anywhere.
///
/// Compression is told by the first bytes, never by a media type. Whatever
/// follows the end of the tar is read as well, so that a digest taken of
/// `layer` covers the whole blob.
pub fn walk(
    layer: &mut dyn Read,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<LayerTree, WalkError> {
    let meter = Meter::default();
    let ceiling = Ceiling {
        bytes: limits.inflated_bytes,
        ratio: limits.ratio,
        ratio_from: limits.ratio_from,
    };
    let explain = |error: TapeError| explain(error, &meter);
    let inflated = inflate(layer, &meter, ceiling).map_err(|error| match error {
        OpenError::Empty => WalkError::Truncated,
        OpenError::Foreign(name) => WalkError::Compression(name),
        OpenError::Io(error) => explain(TapeError::Io(error)),
    })?;

    let mut walk = Walk {
        limits,
        sink,
        tree: TreeBuilder::default(),
        path: String::new(),
        target: String::new(),
    };
    let mut tape = Tape::new(inflated);
    let mut entries = 0;
    while let Some(member) = tape.advance().map_err(explain)? {
        entries += 1;
        if entries > limits.entries {
            return Err(WalkError::TooManyEntries(limits.entries));
        }
        if walk.tree.text_bytes() > limits.text_bytes {
            return Err(WalkError::TooManyNames(limits.text_bytes));
        }
        walk.meet(&mut tape, member, |count| meter.give(count, &ceiling))
            .map_err(|error| explain(TapeError::Io(error)))?;
    }

    let mut rest = tape.into_source();
    loop {
        let count = rest
            .fill_buf()
            .map_err(|error| explain(TapeError::Io(error)))?
            .len();
        if count == 0 {
            break;
        }
        rest.consume(count);
    }
    rest.get_mut()
        .drain_rest()
        .map_err(|error| explain(TapeError::Io(error)))?;
    Ok(walk.tree.finish())
}

fn explain(error: TapeError, meter: &Meter) -> WalkError {
    match error {
        TapeError::Io(source) if meter.failed.get() => WalkError::Read(source),
        TapeError::Io(_) if meter.exceeded.get() => WalkError::TooLarge {
            inflated: meter.given.get(),
            compressed: meter.taken.get(),
        },
        TapeError::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            WalkError::Truncated
        }
        TapeError::Io(source) => WalkError::Inflate(source),
        TapeError::Damaged(why) => WalkError::Tar(why),
    }
}

struct Walk<'a> {
    limits: &'a Limits,
    sink: &'a mut dyn Sink,
    tree: TreeBuilder,
    /// The current path, clean. Kept to be used again.
    path: String,
    target: String,
}

impl Walk<'_> {
    fn meet<R: Source>(
        &mut self,
        tape: &mut Tape<R>,
        member: Member,
        count_hole: impl Fn(u64) -> io::Result<()>,
    ) -> io::Result<()> {
        if path::clean(tape.path(), &mut self.path).is_err() {
            self.path.clear();
            path::decode(tape.path(), &mut self.path);
            self.tree.refuse(&self.path);
            return Ok(());
        }
        if self.path.len() > self.limits.path_bytes
            || self.path.split('/').count() > self.limits.depth
        {
            self.tree.refuse(&self.path);
            return Ok(());
        }
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        if let Some(hidden) = name.strip_prefix(".wh.") {
            match hidden {
                ".wh..opq" => self.tree.add(folder, EntryKind::Opaque),
                // The union filesystem that invented whiteouts kept its own
                // files under such names.
                hidden if hidden.starts_with(".wh.") => {}
                "" | "." | ".." => self.tree.refuse(&self.path),
                hidden => {
                    self.target.clear();
                    self.target.push_str(folder);
                    if !folder.is_empty() {
                        self.target.push('/');
                    }
                    self.target.push_str(hidden);
                    self.tree.add(&self.target, EntryKind::Whiteout);
                }
            }
            return Ok(());
        }
        if self.path.is_empty() {
            // The root itself. Anything else there replaces nothing.
            if member.kind != MemberKind::Dir {
                self.tree.refuse("/");
            }
            return Ok(());
        }
        match member.kind {
            MemberKind::Dir => self.tree.add(&self.path, EntryKind::Dir),
            MemberKind::Other => self.tree.add(&self.path, EntryKind::Other),
            MemberKind::File => {
                self.tree.add(&self.path, EntryKind::File);
                let facts = FileFacts {
                    path: &self.path,
                    mode: member.mode & 0o7777,
                    size: member.size,
                };
                if self.sink.wants(&facts) {
                    let mut content = tape.content();
                    if member.is_sparse {
                        let mut counted = Counted {
                            inner: content,
                            count: count_hole,
                        };
                        self.sink.file(&facts, &mut counted)?;
                    } else {
                        self.sink.file(&facts, &mut content)?;
                    }
                }
            }
            MemberKind::Symlink => {
                self.target.clear();
                path::decode(tape.link(), &mut self.target);
                if self.target.is_empty() || self.target.len() > self.limits.path_bytes {
                    self.tree.refuse(&self.path);
                    return Ok(());
                }
                self.tree.add(&self.path, EntryKind::Symlink(&self.target));
                let facts = FileFacts {
                    path: &self.path,
                    mode: LINK_MODE,
                    size: self.target.len() as u64,
                };
                if self.sink.wants(&facts) {
                    self.sink.symlink(&self.path, &self.target);
                }
            }
            MemberKind::HardLink => {
                if path::clean(tape.link(), &mut self.target).is_err() || self.target.is_empty() {
                    self.tree.refuse(&self.path);
                    return Ok(());
                }
                self.tree.add(&self.path, EntryKind::HardLink);
                // Some tools name a file once more as a link to itself.
                if self.path != self.target {
                    self.sink.link(&self.path, &self.target);
                }
            }
        }
        Ok(())
    }
}

/// Counts what a sparse file gives: its holes cost nothing in the stream.
struct Counted<R, F> {
    inner: R,
    count: F,
}

impl<R: Read, F: Fn(u64) -> io::Result<()>> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.count)(count as u64)?;
        Ok(count)
    }
}
