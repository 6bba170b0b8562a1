//! Files with holes: the old GNU form and the three pax forms.

use std::io::{self, Read};

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::pax::{Pax, SparseForm, number};
use super::{BLOCK, LARGEST_HEADER, Source, Tape, TapeError};

/// The most pieces of a sparse file.
const MOST_PIECES: usize = 64 * 1024;

/// Where the stored bytes of a file belong; the rest is zero.
pub(super) struct Holes {
    /// Offset and length of each piece, rising.
    pieces: Vec<(u64, u64)>,
    size: u64,
    /// The piece at or behind `at`.
    piece: usize,
    at: u64,
}

const DAMAGED: TapeError = TapeError::Damaged("a damaged map of a sparse file");

impl Holes {
    /// Bytes of the file, holes included.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    fn new(pieces: Vec<(u64, u64)>, size: u64, stored: u64) -> Result<Self, TapeError> {
        let mut end = 0u64;
        let mut sum = 0u64;
        for (offset, length) in &pieces {
            if *offset < end {
                return Err(DAMAGED);
            }
            end = offset.checked_add(*length).ok_or(DAMAGED)?;
            sum += length;
        }
        if end > size || sum > stored || size > i64::MAX as u64 {
            return Err(DAMAGED);
        }
        Ok(Self {
            pieces,
            size,
            piece: 0,
            at: 0,
        })
    }

    /// Reads on, holes from nowhere and pieces by `stored`.
    pub(super) fn read(
        &mut self,
        buffer: &mut [u8],
        stored: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        while self
            .pieces
            .get(self.piece)
            .is_some_and(|(offset, length)| offset + length <= self.at)
        {
            self.piece += 1;
        }
        let (offset, length) = self
            .pieces
            .get(self.piece)
            .copied()
            .unwrap_or((self.size, 0));
        let in_hole = self.at < offset;
        let end = if in_hole { offset } else { offset + length };
        let wanted = usize::try_from(end - self.at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let count = if in_hole {
            buffer.fill(0);
            wanted
        } else {
            stored(buffer)?
        };
        if count == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl<R: Source> Tape<R> {
    /// The map in an old GNU header and the blocks that continue it, which come
    /// before the content and are not counted in its size.
    pub(super) fn old_holes(&mut self, header: &Header) -> Result<Holes, TapeError> {
        let gnu = header.as_gnu().ok_or(DAMAGED)?;
        let size = gnu.real_size().map_err(|_| DAMAGED)?;
        let stored = self.left;
        let mut pieces = Vec::new();
        // The content starts behind the blocks that follow.
        let mut more = gnu.is_extended();
        add_pieces(&mut pieces, &gnu.sparse)?;
        while more {
            let mut block = GnuExtSparseHeader::new();
            if !self.read_block(block.as_mut_bytes())? {
                return Err(TapeError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            add_pieces(&mut pieces, &block.sparse)?;
            more = block.is_extended();
            if more && pieces.len() > MOST_PIECES {
                return Err(DAMAGED);
            }
        }
        self.begin(stored)?;
        Holes::new(pieces, size, stored)
    }

    /// The map that an extended header gives or announces, if it does.
    pub(super) fn pax_holes(&mut self, pax: &Pax) -> Result<Option<Holes>, TapeError> {
        let Some(form) = pax.sparse_form else {
            return Ok(None);
        };
        let pieces = match form {
            SparseForm::InHeader => pairs(&pax.sparse_map)?,
            SparseForm::InContent => self.map_in_content()?,
        };
        let size = pax.sparse_size.unwrap_or(self.left);
        Holes::new(pieces, size, self.left).map(Some)
    }

    /// Form 1.0: decimal numbers, one a line, padded to whole blocks. The first
    /// says how many pieces there are.
    fn map_in_content(&mut self) -> Result<Vec<(u64, u64)>, TapeError> {
        let mut numbers = Vec::new();
        let mut wanted = None;
        let mut line = Vec::new();
        let mut read = 0;
        while wanted.is_none_or(|wanted| numbers.len() < wanted) {
            let mut block = [0; BLOCK];
            self.content().read_exact(&mut block)?;
            read += BLOCK as u64;
            if read > 2 * LARGEST_HEADER {
                return Err(DAMAGED);
            }
            for byte in block {
                if wanted.is_some_and(|wanted| numbers.len() >= wanted) {
                    break;
                }
                if byte != b'\n' {
                    line.push(byte);
                    continue;
                }
                let figure = number(&line).ok_or(DAMAGED)?;
                line.clear();
                if wanted.is_some() {
                    numbers.push(figure);
                } else {
                    let pieces = usize::try_from(figure).ok();
                    let pieces = pieces.filter(|pieces| *pieces <= MOST_PIECES);
                    wanted = Some(pieces.ok_or(DAMAGED)? * 2);
                }
            }
            if line.len() > BLOCK {
                return Err(DAMAGED);
            }
        }
        pairs(&numbers)
    }
}

fn pairs(numbers: &[u64]) -> Result<Vec<(u64, u64)>, TapeError> {
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > MOST_PIECES {
        return Err(DAMAGED);
    }
    Ok(pairs
        .iter()
        .map(|[offset, length]| (*offset, *length))
        .collect())
}

fn add_pieces(pieces: &mut Vec<(u64, u64)>, headers: &[GnuSparseHeader]) -> Result<(), TapeError> {
    for header in headers.iter().take_while(|it| !it.is_empty()) {
        let offset = header.offset().map_err(|_| DAMAGED)?;
        let length = header.length().map_err(|_| DAMAGED)?;
        pieces.push((offset, length));
    }
    Ok(())
}
