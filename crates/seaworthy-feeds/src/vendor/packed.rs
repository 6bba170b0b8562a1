//! Parts that come compressed, and archives of many documents.
//!
//! What a part is packed with is told by its first bytes, never by its name:
//! servers rename, and a proxy may unpack on the way.

use std::io::{self, BufRead, BufReader, Read, SeekFrom};

use zip::ZipArchive;

use super::{Content, Intake, VendorError};

/// Memory that undoing xz or zstd may take for its window.
const WINDOW_LOG: u32 = 27;
const XZ_MEMORY_KIB: u32 = 160 << 10;

/// `content` without its compression, cut with an error at the ceiling for
/// unpacked bytes.
pub(crate) fn unpacked<'a>(
    content: &'a mut dyn Content,
    intake: &Intake<'_>,
) -> Result<Box<dyn BufRead + 'a>, VendorError> {
    let mut magic = [0_u8; 6];
    let mut length = 0;
    while let Some(rest) = magic.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match content.read(rest)? {
            0 => break,
            read => length += read,
        }
    }
    content.seek(SeekFrom::Start(0))?;
    let bound = |reader: Box<dyn Read + 'a>| -> Box<dyn BufRead + 'a> {
        Box::new(BufReader::with_capacity(
            1 << 16,
            Bounded {
                reader,
                left: intake.limits().total_bytes,
            },
        ))
    };
    Ok(match magic {
        [0x1f, 0x8b, ..] => bound(Box::new(flate2::bufread::MultiGzDecoder::new(content))),
        [b'B', b'Z', b'h', ..] => bound(Box::new(bzip2::bufread::MultiBzDecoder::new(content))),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => bound(Box::new(lzma_rust2::XzReader::new_mem_limit(
            content,
            true,
            XZ_MEMORY_KIB,
        ))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(content)?;
            decoder.window_log_max(WINDOW_LOG)?;
            bound(Box::new(decoder))
        }
        _ => bound(Box::new(content)),
    })
}

/// All bytes of `content` without its compression, at most `limit`.
pub(crate) fn bytes_of(
    content: &mut dyn Content,
    limit: u64,
    intake: &Intake<'_>,
) -> Result<Vec<u8>, VendorError> {
    let mut bytes = Vec::new();
    unpacked(content, intake)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(VendorError::TooLarge {
            what: "bytes",
            limit,
        });
    }
    Ok(bytes)
}

/// Takes one file of an archive: its name, its bytes, and where its records go.
pub(crate) type Each<'e> = dyn FnMut(&str, &[u8], &mut Intake<'_>) -> Result<(), VendorError> + 'e;

/// Hands every file of a tar archive (of any compression) or a zip archive to
/// `each`, whole, in the archive's order. A file larger than the ceiling for one
/// record is refused; so is what `each` answers with an error.
pub(crate) fn each_file(
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
    each: &mut Each<'_>,
) -> Result<(), VendorError> {
    each_file_within(intake.limits().record_bytes, content, intake, each)
}

/// Like [`each_file`], for feeds whose records may have up to `limit` bytes.
/// Documents that [`Intake::leave_out`] named are passed over.
pub(crate) fn each_file_within(
    limit: u64,
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
    each: &mut Each<'_>,
) -> Result<(), VendorError> {
    let mut magic = [0_u8; 4];
    let is_zip = content.read_exact(&mut magic).is_ok() && magic == *b"PK\x03\x04";
    content.seek(SeekFrom::Start(0))?;
    if is_zip {
        return each_of_zip(limit, content, intake, each);
    }
    let limits = *intake.limits();
    let mut archive = tar::Archive::new(unpacked(content, intake)?);
    for (count, entry) in archive.entries()?.enumerate() {
        ceiling(count, limits.entries)?;
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = shortened(&String::from_utf8_lossy(&entry.path_bytes()));
        one(&name, limit, &mut entry, intake, each)?;
    }
    Ok(())
}

fn each_of_zip(
    limit: u64,
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
    each: &mut Each<'_>,
) -> Result<(), VendorError> {
    let mut archive = ZipArchive::new(content)?;
    ceiling(archive.len(), intake.limits().entries)?;
    let mut left = intake.limits().total_bytes;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let name = match entry.name() {
            Ok(name) => shortened(&name),
            Err(_) => format!("entry {index}"),
        };
        let mut counted = Bounded {
            reader: Box::new(&mut entry),
            left,
        };
        one(&name, limit, &mut counted, intake, each)?;
        left = counted.left;
    }
    Ok(())
}

fn one(
    name: &str,
    limit: u64,
    reader: &mut dyn Read,
    intake: &mut Intake<'_>,
    each: &mut Each<'_>,
) -> Result<(), VendorError> {
    if intake.leaves_out(name) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        intake.refuse(name, format!("larger than {limit} bytes"));
        return Ok(());
    }
    if let Err(error) = each(name, &bytes, intake) {
        let cause = std::error::Error::source(&error)
            .map_or_else(String::new, |source| format!(": {source}"));
        intake.refuse(name, format!("{error}{cause}"));
    }
    Ok(())
}

fn ceiling(count: usize, limit: usize) -> Result<(), VendorError> {
    if count > limit {
        return Err(VendorError::TooLarge {
            what: "entries",
            limit: u64::try_from(limit).unwrap_or(u64::MAX),
        });
    }
    Ok(())
}

fn shortened(name: &str) -> String {
    name.chars().take(200).collect()
}

/// A reader that fails where more comes than may.
struct Bounded<'a> {
    reader: Box<dyn Read + 'a>,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(read).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::other("more bytes than a feed may have"))?;
        Ok(read)
    }
}
