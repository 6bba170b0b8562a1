//! Zip archives in memory: the directory at the end, and entries that are stored
//! plain or deflated. Checked before anything is read: that entries lie between
//! the start and the directory and do not share bytes.
//!
//! Deliberately absent: encryption, other compressions, archives in several
//! volumes. Layout: section 4.3 of PKWARE's `APPNOTE`.

use std::io::Read;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::field::{self, Order};

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const DIRECTORY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// Bytes of the fixed part of each record.
const END_SIZE: usize = 22;
const END_64_SIZE: usize = 56;
const LOCATOR_64_SIZE: usize = 20;
const DIRECTORY_SIZE: usize = 46;
const LOCAL_SIZE: usize = 30;

/// What stands in a narrow field whose value is in a wide one elsewhere.
const WIDE: u32 = u32::MAX;

/// Why an archive cannot be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenError {
    #[error("not an archive, or one without its end")]
    NoEnd,
    #[error("the directory of the archive is damaged")]
    Directory,
    #[error("more than {0} entries")]
    TooMany(usize),
    #[error("entries of the archive overlap")]
    Overlap,
}

/// Why an entry cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReadError {
    #[error("encrypted")]
    Encrypted,
    #[error("compressed in a way (`{0}`) that archives of Java do not use")]
    Method(u16),
    #[error("inflates to {size} bytes, of which {limit} are allowed")]
    TooLarge { size: u64, limit: usize },
    #[error("damaged compression")]
    Damaged,
    #[error("its checksum does not agree")]
    Checksum,
}

/// An archive in memory.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry<'a>>,
}

/// A line of the directory.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    /// Bytes after inflation, as announced.
    pub(super) size: u64,
    compressed: usize,
    /// Where its bytes start.
    start: usize,
    method: u16,
    is_encrypted: bool,
    checksum: u32,
}

/// The bytes of an entry.
#[derive(Debug)]
pub(super) enum Bytes<'a> {
    /// Where they lie in the archive.
    Stored(&'a [u8]),
    Inflated(Vec<u8>),
}

impl Bytes<'_> {
    /// How much memory they take.
    pub(super) fn inflated(&self) -> usize {
        match self {
            Self::Stored(_) => 0,
            Self::Inflated(bytes) => bytes.len(),
        }
    }
}

impl AsRef<[u8]> for Bytes<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Stored(bytes) => bytes,
            Self::Inflated(bytes) => bytes,
        }
    }
}

fn u16(bytes: &[u8], at: usize) -> Option<u16> {
    field::u16(bytes, at, Order::Little)
}

fn u32(bytes: &[u8], at: usize) -> Option<u32> {
    field::u32(bytes, at, Order::Little)
}

fn u64(bytes: &[u8], at: usize) -> Option<u64> {
    field::u64(bytes, at, Order::Little)
}

impl<'a> Archive<'a> {
    /// Reads the directory, if it has at most `most` entries.
    pub(super) fn open(bytes: &'a [u8], most: usize) -> Result<Self, OpenError> {
        let place = Place::find(bytes).ok_or(OpenError::NoEnd)?;
        let mut rest = bytes
            .get(place.start..place.end)
            .ok_or(OpenError::Directory)?;
        let mut entries = Vec::new();
        // The number of entries that the end announces is not believed: virtual
        // machines go by the size of the directory.
        while !rest.is_empty() {
            if entries.len() == most {
                return Err(OpenError::TooMany(most));
            }
            let (entry, length) = line(bytes, rest, place.base).ok_or(OpenError::Directory)?;
            entries.push(entry);
            rest = rest.get(length..).ok_or(OpenError::Directory)?;
        }
        let mut places: Vec<(usize, usize)> = entries
            .iter()
            .map(|it| (it.start, it.start.saturating_add(it.compressed)))
            .collect();
        places.sort_unstable();
        let ends = places.iter().map(|(_, end)| *end);
        // Every entry has a header before its bytes.
        let starts = places
            .iter()
            .skip(1)
            .map(|(start, _)| start.saturating_sub(LOCAL_SIZE));
        if ends
            .zip(starts.chain([place.start]))
            .any(|(end, next)| end > next)
        {
            return Err(OpenError::Overlap);
        }
        Ok(Self { bytes, entries })
    }

    /// The lines of the directory.
    pub(super) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The bytes of an entry, if they are at most `limit`.
    pub(super) fn read(&self, entry: &Entry<'_>, limit: usize) -> Result<Bytes<'a>, ReadError> {
        if entry.is_encrypted {
            return Err(ReadError::Encrypted);
        }
        let raw = field::slice(self.bytes, entry.start, entry.compressed);
        let raw = raw.ok_or(ReadError::Damaged)?;
        let bytes = match entry.method {
            0 => Bytes::Stored(raw),
            8 => {
                let size = usize::try_from(entry.size).ok().filter(|it| *it <= limit);
                let size = size.ok_or(ReadError::TooLarge {
                    size: entry.size,
                    limit,
                })?;
                Bytes::Inflated(inflate(raw, size)?)
            }
            method => return Err(ReadError::Method(method)),
        };
        let mut crc = Crc::new();
        crc.update(bytes.as_ref());
        if crc.sum() != entry.checksum {
            return Err(ReadError::Checksum);
        }
        Ok(bytes)
    }
}

/// Inflates to exactly `size` bytes.
fn inflate(raw: &[u8], size: usize) -> Result<Vec<u8>, ReadError> {
    // Deflate makes at most 1032 bytes of one; who announces more is lying.
    if size / 1032 > raw.len() {
        return Err(ReadError::Damaged);
    }
    // One byte more would show that there is more than was announced.
    let mut bytes = Vec::with_capacity(size.saturating_add(1));
    DeflateDecoder::new(raw)
        .take(size as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| ReadError::Damaged)?;
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err(ReadError::Damaged)
    }
}

/// Where the directory lies.
struct Place {
    start: usize,
    end: usize,
    /// What to add to places in the directory: the size of whatever was put
    /// before the archive, such as a script that starts it.
    base: usize,
}

impl Place {
    fn find(bytes: &[u8]) -> Option<Self> {
        let last = bytes.len().checked_sub(END_SIZE)?;
        // A comment of up to 65535 bytes may follow.
        let first = last.saturating_sub(usize::from(u16::MAX));
        let tail = bytes.get(first..last + END.len())?;
        memchr::memmem::rfind_iter(tail, END).find_map(|at| Self::at(bytes, first + at))
    }

    fn at(bytes: &[u8], end: usize) -> Option<Self> {
        let record = bytes.get(end..)?;
        let comment = usize::from(u16(record, 20)?);
        if end + END_SIZE + comment > bytes.len() {
            return None;
        }
        let (size, offset) = (u32(record, 12)?, u32(record, 16)?);
        let is_wide = size == WIDE || offset == WIDE || u16(record, 10)? == u16::MAX;
        if let Some(place) = Self::wide(bytes, end).filter(|_| is_wide) {
            return Some(place);
        }
        Self::of(bytes, end, size.into(), offset.into())
    }

    /// The same from the wide records, which come before the end.
    fn wide(bytes: &[u8], end: usize) -> Option<Self> {
        let at = end.checked_sub(LOCATOR_64_SIZE)?;
        if !bytes.get(at..)?.starts_with(LOCATOR_64) {
            return None;
        }
        let at = at.checked_sub(END_64_SIZE)?;
        let record = bytes.get(at..).filter(|it| it.starts_with(END_64))?;
        Self::of(bytes, at, u64(record, 40)?, u64(record, 48)?)
    }

    fn of(bytes: &[u8], end: usize, size: u64, offset: u64) -> Option<Self> {
        let start = end.checked_sub(usize::try_from(size).ok()?)?;
        let base = start.checked_sub(usize::try_from(offset).ok()?)?;
        let is_directory = start == end || bytes.get(start..)?.starts_with(DIRECTORY);
        is_directory.then_some(Self { start, end, base })
    }
}

/// The line that `rest` starts with, and its length.
fn line<'a>(bytes: &'a [u8], rest: &'a [u8], base: usize) -> Option<(Entry<'a>, usize)> {
    if !rest.starts_with(DIRECTORY) {
        return None;
    }
    let length = |at| u16(rest, at).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let mut compressed = u64::from(u32(rest, 20)?);
    let mut size = u64::from(u32(rest, 24)?);
    let mut offset = u64::from(u32(rest, 42)?);
    let extras = field::slice(rest, DIRECTORY_SIZE + name, extra)?;
    // Wide values come in this order, each only where the narrow field is full.
    let mut wide = wide_values(extras);
    for value in [&mut size, &mut compressed, &mut offset] {
        if *value == u64::from(WIDE) {
            *value = wide.next()?;
        }
    }
    let local = base.checked_add(usize::try_from(offset).ok()?)?;
    let header = bytes.get(local..).filter(|it| it.starts_with(LOCAL))?;
    let entry = Entry {
        name: field::slice(rest, DIRECTORY_SIZE, name)?,
        size,
        compressed: usize::try_from(compressed).ok()?,
        start: local + LOCAL_SIZE + usize::from(u16(header, 26)?) + usize::from(u16(header, 28)?),
        method: u16(rest, 10)?,
        is_encrypted: u16(rest, 8)? & 1 != 0,
        checksum: u32(rest, 16)?,
    };
    Some((entry, DIRECTORY_SIZE + name + extra + comment))
}

/// The values of the extra field with number 1.
fn wide_values(mut extras: &[u8]) -> impl Iterator<Item = u64> {
    let mut values: &[u8] = &[];
    while let (Some(kind), Some(length)) = (u16(extras, 0), u16(extras, 2)) {
        let length = usize::from(length);
        if kind == 1 {
            values = field::slice(extras, 4, length).unwrap_or_default();
            break;
        }
        extras = extras.get(4 + length..).unwrap_or_default();
    }
    values.chunks_exact(8).filter_map(|it| u64(it, 0))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Cursor, Write};

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    /// An archive with these files, deflated, but for those that are called
    /// `.jar`, which are stored as they are.
    pub(in crate::java) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let method = match name.rsplit_once('.') {
                Some((_, "jar")) => CompressionMethod::Stored,
                _ => CompressionMethod::Deflated,
            };
            let options = SimpleFileOptions::default().compression_method(method);
            writer
                .start_file(*name, options)
                .expect("memory takes files");
            writer.write_all(bytes).expect("memory takes any bytes");
        }
        writer.finish().expect("memory takes files").into_inner()
    }

    /// Names and contents, or why not.
    fn contents(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
        let archive = Archive::open(bytes, 100).map_err(|why| why.to_string())?;
        archive
            .entries()
            .iter()
            .map(|entry| {
                let bytes = archive
                    .read(entry, 1 << 20)
                    .map_err(|why| why.to_string())?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Ok((text(entry.name), text(bytes.as_ref())))
            })
            .collect()
    }

    fn sample() -> Vec<u8> {
        zip(&[
            ("a.txt", b"aaaaaaaaaaaaaaaaaaaaaaaa"),
            ("b.jar", b"bbb"),
            ("c", b""),
        ])
    }

    fn expected() -> Vec<(String, String)> {
        [
            ("a.txt", "aaaaaaaaaaaaaaaaaaaaaaaa"),
            ("b.jar", "bbb"),
            ("c", ""),
        ]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .to_vec()
    }

    /// Where the nth line of the directory is.
    fn line(bytes: &[u8], n: usize) -> usize {
        let mut places = memchr::memmem::find_iter(bytes, DIRECTORY);
        places.nth(n).expect("the line is there")
    }

    #[test]
    fn plain_and_deflated_entries_are_read() {
        assert_eq!(contents(&sample()), Ok(expected()));
        assert_eq!(contents(&zip(&[])), Ok(vec![]));
    }

    #[test]
    fn bytes_before_and_a_comment_behind_do_no_harm() {
        let mut bytes = [b"#!/bin/sh\nexec java -jar $0\n", &sample()[..]].concat();
        assert_eq!(contents(&bytes), Ok(expected()));
        let length = bytes.len();
        bytes[length - 2] = 9;
        bytes.extend(b"PK\x05\x06 word");
        assert_eq!(contents(&bytes), Ok(expected()));
    }

    #[test]
    fn wide_sizes_are_read() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().large_file(true);
        writer
            .start_file("wide", options)
            .expect("memory takes files");
        writer
            .write_all(b"wide text")
            .expect("memory takes any bytes");
        let mut bytes = writer.finish().expect("memory takes files").into_inner();
        let wide = vec![("wide".to_owned(), "wide text".to_owned())];
        assert_eq!(contents(&bytes), Ok(wide.clone()));

        // The same with the directory found through the wide records.
        let record = bytes.split_off(bytes.len() - END_SIZE);
        let mut wide_end = END_64.to_vec();
        wide_end.resize(40, 0);
        for at in [12, 16] {
            let value = u32(&record, at).expect("a field");
            wide_end.extend(u64::from(value).to_le_bytes());
        }
        bytes.extend(wide_end);
        bytes.extend(LOCATOR_64);
        bytes.extend([0; 16]);
        bytes.extend(&record[..8]);
        bytes.extend([0xff; 12]);
        bytes.extend([0, 0]);
        assert_eq!(contents(&bytes), Ok(wide));
    }

    fn changed(change: &dyn Fn(&mut Vec<u8>)) -> String {
        let mut bytes = sample();
        change(&mut bytes);
        contents(&bytes).expect_err("a damaged archive")
    }

    #[test]
    fn lies_are_told_apart() {
        assert_eq!(
            changed(&|it| it.truncate(40)),
            "not an archive, or one without its end"
        );
        assert_eq!(
            changed(&|it| {
                let at = line(it, 1);
                it[at] = 0;
            }),
            "the directory of the archive is damaged"
        );
        assert_eq!(
            changed(&|it| {
                let (first, second) = (line(it, 0) + 42, line(it, 1) + 42);
                it.copy_within(first..first + 4, second);
            }),
            "entries of the archive overlap"
        );
        assert_eq!(
            Archive::open(&sample(), 2).map(|_| ()),
            Err(OpenError::TooMany(2))
        );
    }

    #[test]
    fn an_entry_that_lies_is_not_read() {
        for (at, value, why) in [
            (8, 1, "encrypted"),
            (
                10,
                12,
                "compressed in a way (`12`) that archives of Java do not use",
            ),
            (16, 0xff, "its checksum does not agree"),
            // Announced smaller than it is, larger, far larger, and endless.
            (24, 3, "damaged compression"),
            (24, 25, "damaged compression"),
            (26, 0x0f, "damaged compression"),
            (
                27,
                0x7f,
                "inflates to 2130706456 bytes, of which 1048576 are allowed",
            ),
        ] {
            let error = changed(&|it| {
                let line = line(it, 0);
                it[line + at] = value;
            });
            assert_eq!(error, why, "{at} {value}");
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = sample();
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let _ = contents(&bytes);
        }

        #[test]
        fn a_cut_archive_is_an_error(at in any::<prop::sample::Index>()) {
            let bytes = sample();
            let at = at.index(bytes.len());
            prop_assert!(contents(&bytes[..at]).is_err());
        }
    }
}
