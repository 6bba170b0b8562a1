//! A tar as a stream of members, read as container runtimes read it.
//!
//! The formats: v7, ustar, GNU (long names, old sparse files) and pax (extended
//! headers, GNU's three sparse forms). Where readers differ, this one sides with
//! Go's `archive/tar`, which every common runtime uses: a tar that shows us one
//! tree and the runtime another is how packages would be hidden.
//!
//! What a header can make us keep is bounded: a member's extended headers, its
//! names and its map of holes, and nothing else.

mod pax;
mod sparse;

use std::io::{self, BufRead, BufReader, Read};

use tar::{EntryType, Header};

use self::sparse::Holes;

/// The size of a tar block in bytes.
pub(crate) const BLOCK: usize = 512;

/// The largest extended header, in bytes, as in Go's reader.
const LARGEST_HEADER: u64 = 1 << 20;

/// Where a tar comes from.
pub(crate) trait Source: BufRead {
    /// Moves on by at most `count` bytes, by fewer only at the end or for a
    /// reason of its own; by none only at the end.
    fn jump(&mut self, count: u64) -> io::Result<u64> {
        let available = self.fill_buf()?.len();
        let count = available.min(usize::try_from(count).unwrap_or(usize::MAX));
        self.consume(count);
        Ok(count as u64)
    }
}

impl<R: Read> Source for BufReader<R> {}

/// Why a tar cannot be read on.
#[derive(Debug)]
pub(crate) enum TapeError {
    /// The stream failed, or ended inside a member.
    Io(io::Error),
    /// The bytes are no tar, in a few words.
    Damaged(&'static str),
}

impl From<io::Error> for TapeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberKind {
    File,
    Dir,
    Symlink,
    HardLink,
    /// A device, a pipe, or something without a name.
    Other,
}

/// One member, whose names are with the [`Tape`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) kind: MemberKind,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Bytes of content, holes included; 0 for what has none.
    pub(crate) size: u64,
    /// Whether the content has holes.
    pub(crate) is_sparse: bool,
    /// Where the content starts in the tar, in bytes.
    pub(crate) content_at: u64,
}

/// Reads a tar member by member.
pub(crate) struct Tape<R> {
    source: R,
    /// Bytes read so far.
    position: u64,
    /// Bytes of the current member still in the stream.
    left: u64,
    /// Where the next header starts.
    next_header: u64,
    path: Vec<u8>,
    link: Vec<u8>,
    /// Where the current member's content lies, if it has holes.
    holes: Option<Holes>,
    done: bool,
}

/// The names a member's extended headers gave.
#[derive(Default)]
struct Extended {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Option<pax::Pax>,
}

impl<R: Source> Tape<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            position: 0,
            left: 0,
            next_header: 0,
            path: Vec::new(),
            link: Vec::new(),
            holes: None,
            done: false,
        }
    }

    /// The current member's path as written.
    pub(crate) fn path(&self) -> &[u8] {
        &self.path
    }

    /// What the current member links to, as written.
    pub(crate) fn link(&self) -> &[u8] {
        &self.link
    }

    /// The stream, after the end of the tar.
    pub(crate) fn into_source(self) -> R {
        self.source
    }

    /// Goes to the next member; whatever is unread of the current one is
    /// skipped.
    pub(crate) fn advance(&mut self) -> Result<Option<Member>, TapeError> {
        let mut extended = Extended::default();
        while !self.done {
            self.skip_to(self.next_header)?;
            let Some(header) = self.header()? else {
                self.done = true;
                break;
            };
            let kind = header.entry_type();
            let size = header
                .entry_size()
                .ok()
                .filter(|size| i64::try_from(*size).is_ok())
                .ok_or(TapeError::Damaged("a size that is no number"))?;
            match kind {
                // `X` is what Solaris wrote before there was a standard.
                _ if matches!(kind.as_byte(), b'x' | b'X') => {
                    extended.pax = Some(pax::Pax::read(&self.extended(size)?)?);
                }
                EntryType::XGlobalHeader => {
                    // Runtimes ignore these; they also end what came before.
                    self.begin(size)?;
                    extended = Extended::default();
                }
                EntryType::GNULongName => {
                    extended.long_name = Some(until_nul(self.extended(size)?));
                }
                EntryType::GNULongLink => {
                    extended.long_link = Some(until_nul(self.extended(size)?));
                }
                _ => return self.member(&header, size, extended).map(Some),
            }
        }
        if extended.pax.is_some() || extended.long_name.is_some() || extended.long_link.is_some() {
            return Err(TapeError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(None)
    }

    /// The content of the current member.
    pub(crate) fn content(&mut self) -> Content<'_, R> {
        Content { tape: self }
    }

    fn member(
        &mut self,
        header: &Header,
        size: u64,
        extended: Extended,
    ) -> Result<Member, TapeError> {
        let pax = extended.pax.unwrap_or_default();
        let mut size = pax.size.unwrap_or(size);
        self.path.clear();
        match (&extended.long_name, &pax.path) {
            (Some(name), _) | (None, Some(name)) => self.path.extend_from_slice(name),
            (None, None) => self.path.extend_from_slice(&header.path_bytes()),
        }
        self.link.clear();
        match (&extended.long_link, &pax.link) {
            (Some(name), _) | (None, Some(name)) => self.link.extend_from_slice(name),
            (None, None) => {
                let name = header.link_name_bytes().unwrap_or_default();
                self.link.extend_from_slice(&name);
            }
        }
        let kind = match header.entry_type().as_byte() {
            // Before there were types, a directory was a name with a slash.
            0 if self.path.ends_with(b"/") => MemberKind::Dir,
            0 | b'0' | b'7' | b'S' => MemberKind::File,
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::Symlink,
            b'5' => MemberKind::Dir,
            _ => MemberKind::Other,
        };
        // Links, devices, directories and pipes have no content, whatever size
        // the header states.
        if matches!(header.entry_type().as_byte(), b'1'..=b'6') {
            size = 0;
        }
        self.begin(size)?;
        self.holes = if header.entry_type() == EntryType::GNUSparse {
            Some(self.old_holes(header)?)
        } else if kind == MemberKind::File {
            self.pax_holes(&pax)?
        } else {
            None
        };
        if let Some(name) = pax.sparse_name {
            self.path = name;
        }
        Ok(Member {
            kind,
            mode: header.mode().unwrap_or(0o755),
            size: self.holes.as_ref().map_or(size, Holes::size),
            is_sparse: self.holes.is_some(),
            content_at: self.position,
        })
    }

    /// The next header, or `None` at the end of the tar: two empty blocks, or
    /// the end of the stream in place of either.
    fn header(&mut self) -> Result<Option<Header>, TapeError> {
        let mut header = Header::new_old();
        if !self.read_block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            let mut second = [0; BLOCK];
            if self.read_block(&mut second)? && second.iter().any(|byte| *byte != 0) {
                return Err(TapeError::Damaged("one empty block in the middle"));
            }
            return Ok(None);
        }
        if !has_right_sum(&header) {
            let is_first = self.position == BLOCK as u64;
            return Err(TapeError::Damaged(if is_first {
                "it does not start like one"
            } else {
                "a header with a wrong checksum"
            }));
        }
        self.next_header = self.position;
        Ok(Some(header))
    }

    /// Makes the next `size` bytes the current member's.
    fn begin(&mut self, size: u64) -> Result<(), TapeError> {
        self.holes = None;
        self.left = size;
        self.next_header = size
            .checked_next_multiple_of(BLOCK as u64)
            .and_then(|size| self.position.checked_add(size))
            .ok_or(TapeError::Damaged("a size beyond any tar"))?;
        Ok(())
    }

    /// The whole content of an extended header.
    fn extended(&mut self, size: u64) -> Result<Vec<u8>, TapeError> {
        if size > LARGEST_HEADER {
            return Err(TapeError::Damaged("an extended header of more than 1 MiB"));
        }
        self.begin(size)?;
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills a block; `false` if the stream ended before it.
    fn read_block(&mut self, block: &mut [u8]) -> Result<bool, TapeError> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        self.source.read_exact(block)?;
        self.position += block.len() as u64;
        Ok(true)
    }

    fn skip_to(&mut self, target: u64) -> Result<(), TapeError> {
        while self.position < target {
            let count = self.source.jump(target - self.position)?;
            if count == 0 {
                return Err(TapeError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            self.position += count;
        }
        self.left = 0;
        Ok(())
    }

    /// Reads bytes that the current member has in the stream.
    fn read_stored(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let count = self
            .source
            .read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

/// The content of one member; ends with it, and is an error where the stream
/// ends before.
pub(crate) struct Content<'a, R> {
    tape: &'a mut Tape<R>,
}

impl<R: Source> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut holes) = self.tape.holes.take() else {
            return self.tape.read_stored(buffer);
        };
        let count = holes.read(buffer, |buffer| self.tape.read_stored(buffer));
        self.tape.holes = Some(holes);
        count
    }
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// Whether a block is a tar header, or empty as at the end of a tar.
pub(crate) fn starts_a_tar(block: &[u8]) -> bool {
    let Ok(block) = <&[u8; BLOCK]>::try_from(block) else {
        return false;
    };
    block.iter().all(|byte| *byte == 0) || has_right_sum(Header::from_byte_slice(block))
}

fn has_right_sum(header: &Header) -> bool {
    // Old tars summed signed characters.
    let (mut unsigned, mut signed) = (0u32, 0i64);
    for (at, byte) in header.as_bytes().iter().enumerate() {
        // The sum itself counts as blanks.
        let byte = if (148..156).contains(&at) {
            b' '
        } else {
            *byte
        };
        unsigned += u32::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    header
        .cksum()
        .is_ok_and(|stated| stated == unsigned || i64::from(stated) == signed)
}
