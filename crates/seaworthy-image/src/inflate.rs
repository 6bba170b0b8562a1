//! The bytes inside a compressed stream, whatever the compression.

mod gzip;
mod zstd;

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};

/// Bytes read at once from the compressed stream.
const INPUT: usize = 256 * 1024;
/// Bytes inflated at once. Small enough to stay in a core's cache between the
/// decoder that writes them and the tar walk that skips most of them.
const OUTPUT: usize = 128 * 1024;

/// What went through, seen from outside while a decoder owns the stream.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Compressed bytes taken.
    pub(crate) taken: Cell<u64>,
    /// Inflated bytes given, holes of sparse files included.
    pub(crate) given: Cell<u64>,
    /// Whether the compressed stream itself failed.
    pub(crate) failed: Cell<bool>,
    /// Whether the ceiling was reached.
    pub(crate) exceeded: Cell<bool>,
}

/// How much a stream may inflate to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling {
    /// At most this many bytes.
    pub(crate) bytes: u64,
    /// At most this many times the compressed size ...
    pub(crate) ratio: u64,
    /// ... once there are more bytes than this.
    pub(crate) ratio_from: u64,
}

impl Meter {
    /// Counts `count` more bytes given, and refuses to go past the ceiling.
    pub(crate) fn give(&self, count: u64, ceiling: &Ceiling) -> io::Result<()> {
        let given = self.given.get().saturating_add(count);
        self.given.set(given);
        let is_bomb =
            given > ceiling.ratio_from && given > self.taken.get().saturating_mul(ceiling.ratio);
        if given > ceiling.bytes || is_bomb {
            self.exceeded.set(true);
            return Err(io::Error::other("too many bytes"));
        }
        Ok(())
    }
}

/// How a stream is compressed, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all.
    None,
    Gzip,
    Zstd,
    /// A compression that no image builder uses, by name.
    Foreign(&'static str),
}

/// Bytes that tell the compression.
pub(crate) const MAGIC: usize = 6;

/// Recognises a compression by the first bytes of a stream. What is not
/// recognised is taken for uncompressed; the tar reader will know.
pub(crate) fn sniff(head: &[u8]) -> Compression {
    match head {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // A frame, or a frame to skip, as estargz-like formats begin with.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [b'B', b'Z', b'h', ..] => Compression::Foreign("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Foreign("xz"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Compression::Foreign("lz4"),
        _ => Compression::None,
    }
}

/// The compressed stream, counted.
struct Input<'a> {
    inner: &'a mut dyn Read,
    meter: &'a Meter,
}

impl Input<'_> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Ok(count) => {
                    let taken = self.meter.taken.get().saturating_add(count as u64);
                    self.meter.taken.set(taken);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.meter.failed.set(true);
                    return Err(error);
                }
            }
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.read_some(buffer)?;
        // A pipe may give its first bytes one by one; the magic must be whole.
        while count > 0 && self.meter.taken.get() < MAGIC as u64 {
            let more = self.read_some(buffer.get_mut(count..).unwrap_or_default())?;
            if more == 0 {
                break;
            }
            count += more;
        }
        Ok(count)
    }
}

type Source<'a> = BufReader<Input<'a>>;

/// The decoders. Only here and in the modules below are the crates behind them
/// known.
enum Decoder<'a> {
    Plain(Source<'a>),
    Gzip(Box<gzip::Members<Source<'a>>>),
    Zstd(Box<zstd::Frames<Source<'a>>>),
}

/// An inflated stream that ends with an error at its ceiling.
pub(crate) struct Inflated<'a> {
    decoder: Decoder<'a>,
    meter: &'a Meter,
    ceiling: Ceiling,
}

/// Why a stream cannot be inflated at all.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// There is not a single byte.
    Empty,
    /// It is compressed with something else.
    Foreign(&'static str),
    /// Reading or preparing failed.
    Io(io::Error),
}

/// Opens a compressed or plain stream for reading what is inside.
pub(crate) fn inflate<'a>(
    stream: &'a mut dyn Read,
    meter: &'a Meter,
    ceiling: Ceiling,
) -> Result<BufReader<Inflated<'a>>, OpenError> {
    let input = Input {
        inner: stream,
        meter,
    };
    let mut source = BufReader::with_capacity(INPUT, input);
    if source.fill_buf().map_err(OpenError::Io)?.is_empty() {
        return Err(OpenError::Empty);
    }
    let decoder = match sniff(source.buffer()) {
        Compression::None => Decoder::Plain(source),
        Compression::Gzip => Decoder::Gzip(Box::new(gzip::Members::new(source))),
        Compression::Zstd => {
            Decoder::Zstd(Box::new(zstd::Frames::new(source).map_err(OpenError::Io)?))
        }
        Compression::Foreign(name) => return Err(OpenError::Foreign(name)),
    };
    Ok(BufReader::with_capacity(
        OUTPUT,
        Inflated {
            decoder,
            meter,
            ceiling,
        },
    ))
}

impl Inflated<'_> {
    /// Reads whatever follows the compressed data.
    pub(crate) fn drain_rest(&mut self) -> io::Result<()> {
        let rest = match &mut self.decoder {
            Decoder::Plain(source) => source,
            Decoder::Gzip(members) => members.rest(),
            Decoder::Zstd(frames) => frames.rest(),
        };
        loop {
            let count = rest.fill_buf()?.len();
            if count == 0 {
                return Ok(());
            }
            rest.consume(count);
            self.meter.give(count as u64, &self.ceiling)?;
        }
    }
}

impl Read for Inflated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.decoder {
            Decoder::Plain(source) => source.read(buffer)?,
            Decoder::Gzip(members) => members.read(buffer)?,
            Decoder::Zstd(frames) => frames.read(buffer)?,
        };
        self.meter.give(count as u64, &self.ceiling)?;
        Ok(count)
    }
}
