//! The floor: what no scanner can do without, and nothing else.
//!
//! Every blob is hashed once and inflated once: by the libraries the product
//! inflates with (zlib-rs, libzstd), or by zlib-ng, a fixed point that stays
//! where it is when the product changes its decoder. Threads take the largest
//! blob that is left.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use flate2::{Decompress, FlushDecompress, Status};
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

use crate::layout::{Blob, Packing, hex, pieces};
use crate::process::Spent;

/// What a floor inflates gzip with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoder {
    /// zlib-rs, as the product.
    OfTheProduct,
    /// zlib-ng; only there with the feature `reference`.
    Reference,
}

/// Whether this program was built with zlib-ng. In such a program flate2 is
/// zlib-ng; in others it is zlib-rs.
pub(crate) const HAS_REFERENCE: bool = cfg!(feature = "reference");

const INPUT: usize = 256 * 1024;
const OUTPUT: usize = 128 * 1024;

/// Hashes and inflates every blob with `threads` threads, in this process.
pub(crate) fn floor(blobs: &[Blob], decoder: Decoder, threads: usize) -> anyhow::Result<Spent> {
    let mut order: Vec<&Blob> = blobs.iter().collect();
    order.sort_by_key(|blob| std::cmp::Reverse(blob.size));
    let next = AtomicUsize::new(0);
    let trouble = Mutex::new(None);
    let (begun, worked) = (Instant::now(), processor_time());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(blob) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = one(blob, decoder)
                        && let Ok(mut trouble) = trouble.lock()
                    {
                        *trouble = Some(error);
                    }
                }
            });
        }
    });
    let spent = Spent {
        wall: begun.elapsed(),
        processor: processor_time().saturating_sub(worked),
        written: 0,
    };
    match trouble.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(spent),
    }
}

/// Processor time of this process so far.
pub(crate) fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

fn one(blob: &Blob, decoder: Decoder) -> anyhow::Result<()> {
    let mut hash = Sha256::new();
    inflate(blob, decoder, &mut |piece| hash.update(piece))
        .with_context(|| format!("cannot read `{}`", blob.path.display()))?;
    let found = hex(&hash.finalize());
    anyhow::ensure!(
        found == blob.digest,
        "`{}` is damaged: delete it and run again",
        blob.path.display()
    );
    Ok(())
}

/// Inflates a blob, shows its compressed bytes, and counts what comes out.
pub(crate) fn inflate(
    blob: &Blob,
    decoder: Decoder,
    shown: &mut dyn FnMut(&[u8]),
) -> anyhow::Result<u64> {
    let mut file = File::open(&blob.path)?;
    match blob.packing {
        Packing::Gzip => gunzip(&mut file, decoder, shown),
        Packing::Zstd => {
            let mut shown = Shown { file, shown };
            let mut given = 0;
            let mut decoder =
                zstd::Decoder::with_buffer(io::BufReader::with_capacity(INPUT, &mut shown))?;
            pieces(&mut decoder, OUTPUT, &mut |piece| {
                given += piece.len() as u64;
                Ok(())
            })?;
            Ok(given)
        }
    }
}

struct Shown<'a> {
    file: File,
    shown: &'a mut dyn FnMut(&[u8]),
}

impl Read for Shown<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        (self.shown)(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Inflates a gzip stream. Its checksum is left unread, as the digest of the
/// blob covers it.
fn gunzip(
    stream: &mut dyn Read,
    decoder: Decoder,
    shown: &mut dyn FnMut(&[u8]),
) -> anyhow::Result<u64> {
    let mut state = State::of(decoder);
    let mut output = vec![0; OUTPUT];
    let mut sum = 0;
    let mut is_begun = false;
    let mut is_done = false;
    pieces(stream, INPUT, &mut |piece| {
        shown(piece);
        let mut rest = piece;
        if !is_begun {
            is_begun = true;
            rest = after_header(piece)?;
        }
        while !rest.is_empty() && !is_done {
            let step = state.step(rest, &mut output)?;
            anyhow::ensure!(
                step.is_last || step.taken + step.given > 0,
                "the stream leads nowhere"
            );
            rest = rest.get(step.taken..).unwrap_or_default();
            sum += step.given as u64;
            is_done = step.is_last;
        }
        Ok(())
    })?;
    anyhow::ensure!(is_done, "the stream ends too early");
    Ok(sum)
}

/// Either decoder in the middle of a stream.
enum State {
    OfTheProduct(Box<zlib_rs::Inflate>),
    Reference(Decompress),
}

struct Step {
    taken: usize,
    given: usize,
    is_last: bool,
}

impl State {
    fn of(decoder: Decoder) -> Self {
        match decoder {
            Decoder::OfTheProduct => Self::OfTheProduct(Box::new(zlib_rs::Inflate::new(false, 15))),
            Decoder::Reference => Self::Reference(Decompress::new(false)),
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> anyhow::Result<Step> {
        let before = self.totals();
        let is_last = match self {
            Self::OfTheProduct(state) => {
                let status = state
                    .decompress(input, output, zlib_rs::InflateFlush::NoFlush)
                    .map_err(|error| anyhow::anyhow!("{}", error.as_str()))?;
                status == zlib_rs::Status::StreamEnd
            }
            Self::Reference(state) => {
                let status = state.decompress(input, output, FlushDecompress::None)?;
                status == Status::StreamEnd
            }
        };
        let after = self.totals();
        Ok(Step {
            taken: usize::try_from(after.0 - before.0)?,
            given: usize::try_from(after.1 - before.1)?,
            is_last,
        })
    }

    fn totals(&self) -> (u64, u64) {
        match self {
            Self::OfTheProduct(state) => (state.total_in(), state.total_out()),
            Self::Reference(state) => (state.total_in(), state.total_out()),
        }
    }
}

/// What follows the header of a gzip member (RFC 1952).
fn after_header(bytes: &[u8]) -> anyhow::Result<&[u8]> {
    let flags = *bytes.get(3).context("too short for gzip")?;
    let mut rest = bytes.get(10..).unwrap_or_default();
    if flags & 4 != 0 {
        let [low, high, ..] = rest else {
            anyhow::bail!("the header is cut short")
        };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        rest = rest.get(2 + length..).context("the header is cut short")?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|&byte| byte == 0);
            let end = end.context("the header is cut short")?;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..).context("the header is cut short")?;
    }
    Ok(rest)
}
