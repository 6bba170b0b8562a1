//! Gzip (RFC 1952), member after member.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// The first byte of a member.
const FIRST: u8 = 0x1f;

/// The most bytes of a member's name or comment that are read over.
const LONGEST_NAME: usize = 64 * 1024;

/// Gzip members one after the other, until something else follows. One inflate
/// state serves all of them: formats that can be sought have a member per file.
pub(super) struct Members<R> {
    source: R,
    inflate: Decompress,
    crc: Crc,
    place: Place,
}

enum Place {
    /// Before a member; the first must be there.
    Header { first: bool },
    /// Inside the deflated data.
    Data,
    /// Behind the last member.
    End,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            place: Place::Header { first: true },
        }
    }

    /// What follows the last member, once reading has ended.
    pub(super) fn rest(&mut self) -> &mut R {
        &mut self.source
    }

    fn header(&mut self) -> io::Result<()> {
        let [id1, id2, method, flags, ..]: [u8; 10] = self.take()?;
        if (id1, id2, method) != (FIRST, 0x8b, 8) || flags & 0xe0 != 0 {
            return Err(damaged("not a gzip header"));
        }
        let [_, has_crc, has_extra, has_name, has_comment] =
            [0, 1, 2, 3, 4].map(|bit| flags >> bit & 1 == 1);
        if has_extra {
            let length = u16::from_le_bytes(self.take()?);
            for _ in 0..length {
                let [_] = self.take::<1>()?;
            }
        }
        for _ in 0..u8::from(has_name) + u8::from(has_comment) {
            let mut length = 0;
            while self.take::<1>()? != [0] {
                length += 1;
                if length > LONGEST_NAME {
                    return Err(damaged("a gzip header that does not end"));
                }
            }
        }
        if has_crc {
            self.take::<2>()?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        Ok(())
    }

    fn trailer(&mut self) -> io::Result<()> {
        let crc = u32::from_le_bytes(self.take()?);
        let size = u32::from_le_bytes(self.take()?);
        if (crc, size) != (self.crc.sum(), self.crc.amount()) {
            return Err(damaged("the gzip checksum does not match"));
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.place {
                Place::End => return Ok(0),
                Place::Header { first } => {
                    // Behind a member there may be padding instead of another.
                    if !first && self.source.fill_buf()?.first() != Some(&FIRST) {
                        self.place = Place::End;
                        continue;
                    }
                    self.header()?;
                    self.place = Place::Data;
                }
                Place::Data => {
                    let input = self.source.fill_buf()?;
                    let at_end = input.is_empty();
                    let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
                    let status = self
                        .inflate
                        .decompress(input, buffer, FlushDecompress::None)
                        .map_err(|_| damaged("the deflated data are damaged"))?;
                    let within = |before: u64, now: u64| {
                        usize::try_from(now - before).expect("at most the length of a slice")
                    };
                    let taken = within(taken, self.inflate.total_in());
                    let given = within(given, self.inflate.total_out());
                    self.source.consume(taken);
                    self.crc.update(buffer.get(..given).unwrap_or_default());
                    if status == Status::StreamEnd {
                        self.trailer()?;
                        self.place = Place::Header { first: false };
                    } else if given == 0 && at_end {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    } else if given == 0 && taken == 0 {
                        return Err(damaged("the deflated data do not go on"));
                    }
                    if given > 0 {
                        return Ok(given);
                    }
                }
            }
        }
    }
}
