//! Tar archives of plain files (POSIX ustar), for what we write ourselves and read
//! back: backups, support bundles, the layers of samples. What images bring is read
//! elsewhere, by those who expect the worst.

use std::io::{self, Read, Write};

/// Size of a header and of the steps in which content is padded, in bytes.
const BLOCK: usize = 512;

/// The largest size that the field of octal digits can hold.
const LARGEST_OCTAL: u64 = 0o777_7777_7777;

/// Longest name of a file.
const LONGEST_NAME: usize = 100;

/// Writes files one after the other.
pub(crate) struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// A file of which all is at hand.
    pub(crate) fn file(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.begin(name, content.len() as u64)?;
        self.out.write_all(content)?;
        self.end(content.len() as u64)
    }

    /// Begins a file of exactly so many bytes, which the caller then
    /// [writes](Writer::write) and [ends](Writer::end).
    pub(crate) fn begin(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        self.out.write_all(&header(name, bytes)?)
    }

    /// Some of its bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Ends a file of so many bytes.
    pub(crate) fn end(&mut self, bytes: u64) -> io::Result<()> {
        self.out.write_all(&[0; BLOCK][..padding(bytes)])
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

/// How many bytes follow content of so many.
fn padding(bytes: u64) -> usize {
    let over = usize::try_from(bytes % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}

fn header(name: &str, bytes: u64) -> io::Result<[u8; BLOCK]> {
    if name.len() > LONGEST_NAME {
        return Err(io::Error::other("a name in the archive is too long"));
    }
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8]| {
        for (place, byte) in header.iter_mut().skip(at).zip(text) {
            *place = *byte;
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if bytes <= LARGEST_OCTAL {
        put(124, format!("{bytes:011o}\0").as_bytes());
    } else {
        // As GNU tar writes what is too large for digits.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &bytes.to_be_bytes());
    }
    put(136, b"00000000000\0");
    // The checksum counts itself as spaces.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\0");
    put(263, b"00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (place, byte) in header
        .iter_mut()
        .skip(148)
        .zip(format!("{sum:06o}\0 ").bytes())
    {
        *place = byte;
    }
    Ok(header)
}

/// Reads files one after the other.
pub(crate) struct Reader<R> {
    input: R,
    /// Bytes of the current file that were not read, and its padding.
    rest: u64,
    padding: usize,
}

/// A file in an archive; what follows from the reader is its content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            rest: 0,
            padding: 0,
        }
    }

    /// The next file, after what is left of the current one; `None` at the end.
    ///
    /// # Errors
    ///
    /// When what follows is not written as we write it.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let left = self.rest + self.padding as u64;
        let skipped = io::copy(&mut (&mut self.input).take(left), &mut io::sink())?;
        if skipped < left {
            return Err(torn());
        }
        let mut block = [0_u8; BLOCK];
        self.input.read_exact(&mut block).map_err(|_| torn())?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        let name: Vec<u8> = block
            .iter()
            .copied()
            .take(LONGEST_NAME)
            .take_while(|it| *it != 0)
            .collect();
        let name = String::from_utf8(name).map_err(|_| torn())?;
        let bytes = size(&block).ok_or_else(torn)?;
        // A header is right when it is the one we would write.
        if header(&name, bytes)? != block {
            return Err(torn());
        }
        self.rest = bytes;
        self.padding = padding(bytes);
        Ok(Some(Entry { name, bytes }))
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest == 0 {
            return Ok(0);
        }
        let count = (&mut self.input).take(self.rest).read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            return Err(torn());
        }
        self.rest -= count as u64;
        Ok(count)
    }
}

fn size(block: &[u8; BLOCK]) -> Option<u64> {
    let field = block.get(124..136)?;
    if let Some(binary) = field.strip_prefix(&[0x80, 0, 0, 0]) {
        return Some(u64::from_be_bytes(binary.try_into().ok()?));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_end_matches('\0');
    u64::from_str_radix(digits, 8).ok()
}

fn torn() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the archive is torn or was not written by this program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        writer.file("a/b", b"hello").expect("memory");
        writer.file("empty", b"").expect("memory");
        writer.file("c", &[7; 513]).expect("memory");
        writer.finish().expect("memory")
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = archive();
        let mut reader = Reader::new(&*bytes);
        let mut found = Vec::new();
        while let Some(entry) = reader.next().expect("an archive") {
            let mut content = Vec::new();
            // Only the last one is read whole: the others are skipped.
            if entry.name == "c" {
                reader.read_to_end(&mut content).expect("content");
            }
            found.push((entry.name, entry.bytes, content.len()));
        }
        let expected = [("a/b", 5, 0), ("empty", 0, 0), ("c", 513, 513)];
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, bytes, read)| ((*name).to_owned(), *bytes, *read))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_torn_or_changed_archive_is_refused_and_never_read_as_a_shorter_one() {
        let whole = archive();
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            while reader.next()?.is_some() {
                io::copy(&mut reader, &mut io::sink())?;
            }
            io::Result::Ok(())
        };
        assert!(read(&whole).is_ok());
        for length in 0..whole.len() - BLOCK {
            let cut = whole.get(..length).unwrap_or_default();
            assert!(read(cut).is_err(), "cut at {length}");
        }
        for at in 0..BLOCK {
            let mut changed = whole.clone();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
            }
            assert!(read(&changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn sizes_beyond_eight_gibibytes_are_written_and_read() {
        let bytes = LARGEST_OCTAL + 1;
        let header = header("x", bytes).expect("a header");
        assert_eq!(size(&header), Some(bytes));
    }
}
