//! `Packages.db`, rpm's own small database: a table of slots and, behind it, one
//! blob per package in blocks of 16 bytes. Used by SUSE. Numbers are
//! little-endian; every blob carries an Adler-32 of itself.

use super::header;
use crate::field::{self, Order};
use crate::record::FileRecord;

const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOCK: usize = 16;

/// Bytes before and behind the header in its blob.
const BLOB_HEAD: usize = 16;
const BLOB_TAIL: usize = 12;

/// Whether the bytes are such a database.
pub(super) fn is_ndb(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RpmP")
}

fn u32(bytes: &[u8], at: usize) -> u32 {
    field::u32(bytes, at, Order::Little).unwrap_or(0)
}

/// Reads the headers of all packages.
pub(super) fn read(bytes: &[u8], found: &mut FileRecord) {
    let trouble = |why: &str| format!("ndb rpm database: {why}");
    if u32(bytes, 4) != 0 {
        return found.gap(trouble("a version that is not known"));
    }
    let slots = (u32(bytes, 12) as usize)
        .checked_mul(PAGE)
        .filter(|length| *length > 0)
        .and_then(|length| bytes.get(..length));
    let Some(slots) = slots else {
        return found.gap(trouble("shorter than its table of slots"));
    };
    // Honest blobs do not overlap. Without this ceiling a million slots could
    // name one blob.
    let mut left = bytes.len() - slots.len();
    let before = (found.packages.len(), found.gaps.len());
    let mut used = 0_usize;
    // The first two slots are the header of the file.
    for slot in slots.chunks_exact(SLOT).skip(2) {
        let (number, block, blocks) = (u32(slot, 4), u32(slot, 8), u32(slot, 12));
        if !slot.starts_with(b"Slot") || (number == 0 && (block, blocks) != (0, 0)) {
            found.gap(trouble("a damaged slot"));
            continue;
        }
        if number == 0 {
            continue;
        }
        used += 1;
        let length = (blocks as usize).saturating_mul(BLOCK);
        if length > left {
            found.gap(trouble("packages overlap or lie outside the file"));
            return;
        }
        left -= length;
        match blob(bytes, number, block, length) {
            Ok(blob) => header::read(blob, found),
            Err(why) => found.gap(trouble(&format!("package number {number}: {why}"))),
        }
    }
    let is_silent = before == (found.packages.len(), found.gaps.len());
    if is_silent && used == 0 && memchr::memmem::find(bytes, b"BlbS").is_some() {
        found.gap(trouble("packages that no slot refers to"));
    }
}

fn blob(bytes: &[u8], number: u32, block: u32, length: usize) -> Result<&[u8], &'static str> {
    let whole = (block as usize)
        .checked_mul(BLOCK)
        .and_then(|start| field::slice(bytes, start, length))
        .ok_or("outside the file")?;
    let (summed, tail) = length
        .checked_sub(BLOB_TAIL)
        .and_then(|at| whole.split_at_checked(at))
        .ok_or("shorter than its frame")?;
    let size = u32(whole, 12);
    let is_framed = whole.starts_with(b"BlbS")
        && tail.ends_with(b"BlbE")
        && u32(whole, 4) == number
        && u32(tail, 4) == size;
    if !is_framed {
        return Err("its frame is damaged");
    }
    if u32(tail, 0) != adler32(summed) {
        return Err("its checksum does not agree");
    }
    field::slice(summed, BLOB_HEAD, size as usize).ok_or("longer than its frame")
}

/// The checksum of RFC 1950, section 8.2.
fn adler32(bytes: &[u8]) -> u32 {
    /// The largest prime below 2^16.
    const MODULUS: u32 = 65521;
    /// As many bytes as may be added before the sums leave 32 bits.
    const STRIDE: usize = 5552;
    let (mut low, mut high) = (1_u32, 0_u32);
    for part in bytes.chunks(STRIDE) {
        for byte in part {
            low += u32::from(*byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zlib() {
        // Values from the RFC's own reference.
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        let long: Vec<u8> = vec![0xff; 1 << 20];
        let mut hash = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut hash, &long).expect("memory takes any bytes");
        let stream = hash.finish().expect("memory takes any bytes");
        let sum = field::u32(&stream, stream.len() - 4, Order::Big);
        assert_eq!(Some(adler32(&long)), sum);
    }
}
