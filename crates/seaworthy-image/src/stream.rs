//! An image in a tar that comes through a pipe, as in `docker save app | …`.
//!
//! Nothing can be sought, and the lists that say which entries are layers come
//! last as often as first. So each entry that can be a layer is handed out as it
//! passes; small documents are kept, and tell at the end which layers counted.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use crate::bundle::{
    Bundle, BundleError, Entries, LONGEST_NAME, LayerEntry, MOST_ENTRIES, blob_name, link_place,
};
use crate::choice::ChooseError;
use crate::inflate::{Ceiling, Compression, Meter, OpenError, inflate, sniff};
use crate::manifest::CONFIG_BYTES;
use crate::path;
use crate::resolve::{BlobKey, Blobs, Image, PlatformWish};
use crate::tape::{BLOCK, MemberKind, Tape, TapeError, starts_a_tar};

/// Bytes of all documents that are kept.
const DOCUMENTS: u64 = 64 << 20;

/// How much a whole stream may hold: more than any registry has.
const CEILING: Ceiling = Ceiling {
    bytes: 4 << 40,
    ratio: 1000,
    ratio_from: 16 << 30,
};

/// What is left of a stream that went by: its documents, and which layers there
/// were.
#[derive(Debug)]
pub struct Streamed {
    passed: Passed,
    bundle: Bundle,
}

/// Why a stream is not an archive of images.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It could not be read.
    #[error("cannot read the stream")]
    Read(#[source] io::Error),
    /// It ended early, or was empty.
    #[error("the stream is truncated")]
    Truncated,
    /// Its compressed data are damaged.
    #[error("cannot inflate the stream")]
    Inflate(#[source] io::Error),
    /// It is compressed with something else than gzip or zstd.
    #[error("the stream is compressed with {0}, which is not supported")]
    Compression(&'static str),
    /// It is no tar.
    #[error("the stream is not a tar: {0}")]
    Tar(&'static str),
    /// It has more entries, or larger documents, than any image needs.
    #[error("the stream has more than {0}")]
    TooMany(&'static str),
    /// An entry comes twice, and what the first yielded cannot be taken back.
    #[error("the entry `{0}` comes twice")]
    Twice(Box<str>),
    /// Its list of images cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Reads a whole archive of images from `stream`. Each entry that may be a layer
/// is given to `on_layer` as it passes, with its name and its size in bytes;
/// what is left unread is skipped. `on_layer` passes on errors of the reader it
/// was given, and keeps its own.
///
/// [`LayerBlob::key`](crate::LayerBlob::key) then holds the name of an entry
/// that was given to `on_layer`.
pub fn read_stream(
    stream: &mut dyn Read,
    on_layer: &mut dyn FnMut(&str, u64, &mut dyn Read) -> io::Result<()>,
) -> Result<Streamed, StreamError> {
    let meter = Meter::default();
    let explain = |error: TapeError| explain(error, &meter);
    let inflated = inflate(stream, &meter, CEILING).map_err(|error| match error {
        OpenError::Empty => StreamError::Truncated,
        OpenError::Foreign(name) => StreamError::Compression(name),
        OpenError::Io(error) => explain(TapeError::Io(error)),
    })?;
    let mut tape = Tape::new(inflated);
    let mut passed = Passed::default();
    let mut count = 0;
    let mut kept = 0;
    let mut name = String::new();
    let mut target = String::new();
    while let Some(member) = tape.advance().map_err(explain)? {
        count += 1;
        if count > MOST_ENTRIES {
            return Err(StreamError::TooMany("100,000 entries"));
        }
        let is_clean = path::clean(tape.path(), &mut name).is_ok();
        if !is_clean || name.is_empty() || name.len() > LONGEST_NAME {
            continue;
        }
        match member.kind {
            MemberKind::Symlink | MemberKind::HardLink => {
                target.clear();
                path::decode(tape.link(), &mut target);
                if let Some(place) = link_place(&name, &target, member.kind) {
                    passed.links.insert((&*name).into(), place.into());
                }
                continue;
            }
            MemberKind::Dir | MemberKind::Other => continue,
            MemberKind::File => {}
        }
        if passed.documents.contains_key(&*name) || passed.layers.contains_key(&*name) {
            return Err(StreamError::Twice((&*name).into()));
        }
        let mut content = tape.content();
        let mut head = Vec::with_capacity(BLOCK);
        let io_error = |error| explain(TapeError::Io(error));
        (&mut content)
            .take(BLOCK as u64)
            .read_to_end(&mut head)
            .map_err(io_error)?;
        let compression = sniff(&head);
        if compression != Compression::None || starts_a_tar(&head) {
            let layer = LayerEntry {
                name: (&*name).into(),
                size: member.size,
                is_plain: compression == Compression::None,
            };
            passed.layers.insert((&*name).into(), layer);
            on_layer(&name, member.size, &mut head.as_slice().chain(content)).map_err(io_error)?;
        } else if matches!(
            head.first(),
            Some(b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t')
        ) {
            kept += member.size;
            if member.size > CONFIG_BYTES || kept > DOCUMENTS {
                return Err(StreamError::TooMany("64 MiB of documents, or 8 MiB in one"));
            }
            content.read_to_end(&mut head).map_err(io_error)?;
            passed.documents.insert((&*name).into(), head);
        }
    }
    let mut rest = tape.into_source();
    let io_error = |error| explain(TapeError::Io(error));
    loop {
        let count = rest.fill_buf().map_err(io_error)?.len();
        if count == 0 {
            break;
        }
        rest.consume(count);
    }
    rest.get_mut().drain_rest().map_err(io_error)?;
    let bundle = Bundle::read(&passed)?;
    Ok(Streamed { passed, bundle })
}

fn explain(error: TapeError, meter: &Meter) -> StreamError {
    match error {
        TapeError::Io(source) if meter.failed.get() => StreamError::Read(source),
        TapeError::Io(_) if meter.exceeded.get() => StreamError::TooMany("4 TiB"),
        TapeError::Io(source) if source.kind() == io::ErrorKind::UnexpectedEof => {
            StreamError::Truncated
        }
        TapeError::Io(source) => StreamError::Inflate(source),
        TapeError::Damaged(why) => StreamError::Tar(why),
    }
}

impl Streamed {
    /// The image called `name`; without a name the one image there is. Of
    /// several platforms as `wish` says.
    pub fn images(
        &self,
        name: Option<&str>,
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ChooseError> {
        self.bundle.images(&self.passed, name, wish)
    }
}

#[derive(Debug, Default)]
struct Passed {
    documents: HashMap<Box<str>, Vec<u8>>,
    layers: HashMap<Box<str>, LayerEntry>,
    links: HashMap<Box<str>, Box<str>>,
}

impl Blobs for Passed {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let document = match blob {
            BlobKey::Digest(digest, _) => self.documents.get(&*blob_name(digest)),
            BlobKey::Entry(name) => self.documents.get(name),
        };
        match document {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Entries for Passed {
    fn document(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self
            .documents
            .get(name)
            .map(|bytes| bytes.get(..limit).unwrap_or(bytes).to_vec()))
    }

    fn layer(&self, name: &str) -> io::Result<Option<LayerEntry>> {
        let linked = || self.layers.get(self.links.get(name)?);
        Ok(self.layers.get(name).or_else(linked).cloned())
    }
}
