//! Zstandard (RFC 8878), frame after frame.

use std::io::{self, BufRead, Read};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// The largest window a frame may ask for, as a power of two: 128 MiB, what
/// every client allows.
const WINDOW: u32 = 27;

/// Frames one after the other, skippable ones among them, until something else
/// follows. One state serves all: zstd:chunked has a frame per file.
pub(super) struct Frames<R> {
    source: R,
    decoder: Decoder<'static>,
    place: Place,
}

#[derive(PartialEq)]
enum Place {
    /// Between frames.
    Between,
    /// Inside one.
    Inside,
    /// Behind the last one.
    End,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW))?;
        Ok(Self {
            source,
            decoder,
            place: Place::Between,
        })
    }

    /// What follows the last frame, once reading has ended.
    pub(super) fn rest(&mut self) -> &mut R {
        &mut self.source
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.place != Place::End {
            let input = self.source.fill_buf()?;
            // The first byte of a frame, or of a frame to skip.
            let goes_on = matches!(input.first(), Some(0x28 | 0x50..=0x5f));
            if self.place == Place::Between && !goes_on {
                self.place = Place::End;
                break;
            }
            let at_end = input.is_empty();
            let mut from = InBuffer::around(input);
            let mut to = OutBuffer::around(&mut *buffer);
            let left = self.decoder.run(&mut from, &mut to)?;
            let (taken, given) = (from.pos(), to.pos());
            self.source.consume(taken);
            self.place = if left == 0 {
                Place::Between
            } else {
                Place::Inside
            };
            if given > 0 {
                return Ok(given);
            }
            if at_end {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if taken == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the compressed data do not go on",
                ));
            }
        }
        Ok(0)
    }
}
