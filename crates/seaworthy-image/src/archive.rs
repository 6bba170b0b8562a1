//! An image in one tar that can be sought: what `docker save`, `podman save`
//! and `skopeo` write, and OCI layouts packed up.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::bundle::{
    Bundle, BundleError, Entries, LONGEST_NAME, LayerEntry, MOST_ENTRIES, link_place,
};
use crate::choice::ChooseError;
use crate::inflate::{Compression, MAGIC, sniff};
use crate::path;
use crate::resolve::{BlobKey, Blobs, Image, PlatformWish};
use crate::tape::{MemberKind, Source, Tape, TapeError};

/// A tar with images, open for reading at several places at once.
#[derive(Debug)]
pub struct Archive {
    places: Places,
    bundle: Bundle,
}

/// Why a file is not an archive of images.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It could not be read.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// It ends early.
    #[error("the archive is truncated")]
    Truncated,
    /// It is compressed as a whole, so that nothing in it can be sought.
    #[error("the archive is compressed as a whole")]
    Compressed,
    /// It is no tar.
    #[error("the archive is not a tar: {0}")]
    Tar(&'static str),
    /// It has more entries than any image needs.
    #[error("the archive has more than {MOST_ENTRIES} entries")]
    TooManyEntries,
    /// Its list of images cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl ArchiveError {
    /// Whether reading it as a stream, from its beginning, could work.
    pub fn is_worth_streaming(&self) -> bool {
        matches!(self, Self::Compressed)
    }
}

impl Archive {
    /// Opens the archive at `path` and notes where its entries are.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        Self::of(File::open(path).map_err(ArchiveError::Read)?)
    }

    /// As [`Archive::open`], of an open file that can be read at any place.
    pub fn of(file: File) -> Result<Self, ArchiveError> {
        let places = Places::note(file)?;
        let bundle = Bundle::read(&places)?;
        Ok(Self { places, bundle })
    }

    /// The image called `name`; without a name the one image there is. Of
    /// several platforms as `wish` says.
    pub fn images(
        &self,
        name: Option<&str>,
        wish: &PlatformWish,
    ) -> Result<Vec<Image>, ChooseError> {
        self.bundle.images(&self.places, name, wish)
    }
}

impl Blobs for Archive {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        Blobs::open(&self.places, blob)
    }
}

/// The file, and where in it each entry is.
#[derive(Debug)]
struct Places {
    file: File,
    /// Offset and size of each regular entry.
    entries: HashMap<Box<str>, (u64, u64)>,
}

impl Places {
    fn note(file: File) -> Result<Self, ArchiveError> {
        let size = file.metadata().map_err(ArchiveError::Read)?.len();
        let mut entries: HashMap<Box<str>, (u64, u64)> = HashMap::new();
        let mut links: Vec<(String, String)> = Vec::new();
        let whole = Piece {
            file: &file,
            at: 0,
            left: size,
        };
        match whole.sniff().map_err(ArchiveError::Read)? {
            None => return Err(ArchiveError::Truncated),
            Some(Compression::None) => {}
            Some(_) => return Err(ArchiveError::Compressed),
        }
        let mut tape = Tape::new(Skipping::new(whole));
        let mut name = String::new();
        let mut target = String::new();
        let mut count = 0;
        while let Some(member) = tape.advance().map_err(explain)? {
            count += 1;
            if count > MOST_ENTRIES {
                return Err(ArchiveError::TooManyEntries);
            }
            let is_clean = path::clean(tape.path(), &mut name).is_ok();
            if !is_clean || name.is_empty() || name.len() > LONGEST_NAME {
                continue;
            }
            match member.kind {
                // No tool writes blobs with holes.
                MemberKind::File if !member.is_sparse => {
                    let end = member.content_at.checked_add(member.size);
                    if end.is_none_or(|end| end > size) {
                        return Err(ArchiveError::Truncated);
                    }
                    entries.insert((&*name).into(), (member.content_at, member.size));
                }
                MemberKind::Symlink | MemberKind::HardLink => {
                    target.clear();
                    path::decode(tape.link(), &mut target);
                    if let Some(place) = link_place(&name, &target, member.kind) {
                        links.push((name.clone(), place));
                    }
                }
                MemberKind::File | MemberKind::Dir | MemberKind::Other => {}
            }
        }
        // Older engines save a layer once and link to it.
        for (name, place) in links {
            if let Some(found) = entries.get(&*place).copied() {
                entries.entry(name.into()).or_insert(found);
            }
        }
        Ok(Self { file, entries })
    }

    fn piece(&self, name: &str) -> Option<Piece<'_>> {
        let (at, left) = self.entries.get(name).copied()?;
        Some(Piece {
            file: &self.file,
            at,
            left,
        })
    }
}

impl Blobs for Places {
    fn open(&self, blob: &BlobKey) -> io::Result<Box<dyn Read + Send + '_>> {
        let piece = match blob {
            BlobKey::Digest(digest, _) => self.piece(&crate::bundle::blob_name(digest)),
            BlobKey::Entry(name) => self.piece(name),
        };
        match piece {
            Some(piece) => Ok(Box::new(piece)),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Entries for Places {
    fn document(&self, name: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(piece) = self.piece(name) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        piece.take(limit).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn layer(&self, name: &str) -> io::Result<Option<LayerEntry>> {
        let Some(piece) = self.piece(name) else {
            return Ok(None);
        };
        Ok(Some(LayerEntry {
            name: name.into(),
            size: piece.left,
            is_plain: piece.sniff()? == Some(Compression::None),
        }))
    }
}

fn explain(error: TapeError) -> ArchiveError {
    match error {
        TapeError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            ArchiveError::Truncated
        }
        TapeError::Io(error) => ArchiveError::Read(error),
        TapeError::Damaged(why) => ArchiveError::Tar(why),
    }
}

/// A part of a file, read without moving the file's own place.
struct Piece<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Piece<'_> {
    /// How it is compressed; `None` if it is empty.
    fn sniff(&self) -> io::Result<Option<Compression>> {
        let mut head = Vec::new();
        Piece { ..*self }
            .take(MAGIC as u64)
            .read_to_end(&mut head)?;
        Ok((!head.is_empty()).then(|| sniff(&head)))
    }
}

impl Read for Piece<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// A piece whose large members cost nothing to skip: what is not looked at is
/// not read.
struct Skipping<'a> {
    piece: Piece<'a>,
    buffer: Vec<u8>,
    filled: usize,
    used: usize,
}

impl<'a> Skipping<'a> {
    fn new(piece: Piece<'a>) -> Self {
        Self {
            piece,
            buffer: vec![0; 8 * 1024],
            filled: 0,
            used: 0,
        }
    }
}

impl Read for Skipping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Skipping<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.filled {
            self.filled = self.piece.read(&mut self.buffer)?;
            self.used = 0;
        }
        Ok(self.buffer.get(self.used..self.filled).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.filled);
    }
}

impl Source for Skipping<'_> {
    fn jump(&mut self, count: u64) -> io::Result<u64> {
        let buffered = self.filled - self.used;
        if buffered > 0 {
            let count = buffered.min(usize::try_from(count).unwrap_or(usize::MAX));
            self.consume(count);
            return Ok(count as u64);
        }
        let count = count.min(self.piece.left);
        self.piece.at += count;
        self.piece.left -= count;
        Ok(count)
    }
}
