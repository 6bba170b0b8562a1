//! The layout of an edition, version 1. Everything is little endian.
//!
//! ```text
//! header   0  magic "seaworthy.editn\n"          16 bytes
//!         16  SHA-256 of everything from byte 48  32 bytes: the digest
//!         48  format version                      u32
//!         52  number of sections                  u32
//!         56  length of the file                  u64
//! table   64  per section: name [8], offset u64, length u64, reserved u64
//! then the sections, each at a multiple of 8
//! ```
//!
//! | section | entry | what it holds |
//! |---|---|---|
//! | `facts` | once | advisories u64, vulnerabilities u64, flags u64 (bit 0: starter) |
//! | `strings` | heap | each text as LEB128 length and UTF-8 bytes; named by its offset, a u32 |
//! | `hashes` | u64 | the keys' hashes, ascending; a key is a name in an ecosystem |
//! | `keys` | 12 bytes | first row u32, ecosystem u32, name (string); one more entry ends the last key's rows |
//! | `rows` | 16 bytes | tag and record u32, vulnerability or bundle u32, from (string), until (string) |
//! | `bundles` | u32 | lists of vulnerabilities, each after its length |
//! | `records` | 8 bytes | block u32, position in it u32, of the record's details |
//! | `vulns` | 8 bytes | the same for vulnerabilities |
//! | `blocks` | 16 bytes | offset in `details` u64, packed length u32, length u32 |
//! | `details` | zstd frames | documents in postcard encoding, see the module `details` |
//! | `ecos` | 20 bytes | family (string), release (string), feed u32, advisories u64 |
//! | `feeds` | 24 bytes | id (string), kind of date u32, day i32, reserved u32, advisories u64 |
//! | `support` | 12 bytes | os-release id (string), version (string), last day of support i32 |
//!
//! The sections a match needs (`hashes` to `rows`, and `strings`) hold names and
//! versions beside each other in the order of the keys, so that one question
//! touches few pages. Prose lies in blocks of about 4 KiB, in the same order.
//!
//! A row's tag is its top six bits: two for what is said, two for the upper end,
//! two for the fix. A string of [`NONE`] is absent. A vulnerability with the bit
//! [`BUNDLE`] is the position of a list in `bundles`: a notice that fixes fifty
//! vulnerabilities in fifty packages has fifty rows, and the reader sees all 2,500.

use seaworthy_core::{Ecosystem, Fix};

/// The format this program writes and reads.
pub const VERSION: u32 = 1;

pub(crate) const MAGIC: &[u8; 16] = b"seaworthy.editn\n";
pub(crate) const HEADER: usize = 64;
pub(crate) const DIGEST_AT: usize = 16;
pub(crate) const DIGESTED_FROM: usize = 48;
pub(crate) const TABLE_ENTRY: usize = 32;

/// An absent string.
pub(crate) const NONE: u32 = u32::MAX;

/// Marks a row of a record that bundles several vulnerabilities.
pub(crate) const BUNDLE: u32 = 1 << 31;

/// What a details block unpacks to at most; more is a damaged file.
pub(crate) const MAX_BLOCK: usize = 32 << 20;

/// The sections, in the order of the file and of [`SectionName::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionName {
    Facts,
    Feeds,
    Ecosystems,
    Support,
    Hashes,
    Keys,
    Rows,
    Bundles,
    Strings,
    Records,
    Vulnerabilities,
    Blocks,
    Details,
}

impl SectionName {
    pub(crate) const COUNT: usize = 13;
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Facts,
        Self::Feeds,
        Self::Ecosystems,
        Self::Support,
        Self::Hashes,
        Self::Keys,
        Self::Rows,
        Self::Bundles,
        Self::Strings,
        Self::Records,
        Self::Vulnerabilities,
        Self::Blocks,
        Self::Details,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Feeds => "feeds",
            Self::Ecosystems => "ecos",
            Self::Support => "support",
            Self::Hashes => "hashes",
            Self::Keys => "keys",
            Self::Rows => "rows",
            Self::Bundles => "bundles",
            Self::Strings => "strings",
            Self::Records => "records",
            Self::Vulnerabilities => "vulns",
            Self::Blocks => "blocks",
            Self::Details => "details",
        }
    }

    pub(crate) fn tag(self) -> [u8; 8] {
        let mut tag = [0; 8];
        for (slot, byte) in tag.iter_mut().zip(self.name().bytes()) {
            *slot = byte;
        }
        tag
    }
}

/// Sizes of entries in bytes.
pub(crate) mod size {
    pub(crate) const FACTS: usize = 24;
    pub(crate) const HASH: usize = 8;
    pub(crate) const KEY: usize = 12;
    pub(crate) const ROW: usize = 16;
    pub(crate) const WORD: usize = 4;
    pub(crate) const PLACE: usize = 8;
    pub(crate) const BLOCK: usize = 16;
    pub(crate) const ECOSYSTEM: usize = 20;
    pub(crate) const FEED: usize = 24;
    pub(crate) const SUPPORT: usize = 12;
}

/// What a row says, without its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shape {
    Open(Fix),
    Before(Fix),
    Through(Fix),
    Exactly(Fix),
    NotAffected,
    UnderReview,
}

/// Record numbers must stay below this, to leave room for the tag.
pub(crate) const MAX_RECORDS: u32 = 1 << 26;

impl Shape {
    pub(crate) fn tag(self) -> u32 {
        let (said, upper, fix) = match self {
            Self::Open(fix) => (0, 0, fix),
            Self::Before(fix) => (0, 1, fix),
            Self::Through(fix) => (0, 2, fix),
            Self::Exactly(fix) => (1, 0, fix),
            Self::NotAffected => (2, 0, Fix::AsRanges),
            Self::UnderReview => (3, 0, Fix::AsRanges),
        };
        let fix = match fix {
            Fix::AsRanges => 0,
            Fix::WontFix => 1,
            Fix::NotYet => 2,
        };
        (said << 4 | upper << 2 | fix) << 26
    }

    /// The shape and record number of a row's first word. `None` where no
    /// compiler wrote it.
    pub(crate) fn of_word(word: u32) -> Option<(Self, u32)> {
        let record = word & (MAX_RECORDS - 1);
        let fix = match word >> 26 & 3 {
            0 => Fix::AsRanges,
            1 => Fix::WontFix,
            2 => Fix::NotYet,
            _ => return None,
        };
        let shape = match (word >> 30 & 3, word >> 28 & 3) {
            (0, 0) => Self::Open(fix),
            (0, 1) => Self::Before(fix),
            (0, 2) => Self::Through(fix),
            (1, _) => Self::Exactly(fix),
            (2, _) => Self::NotAffected,
            (3, _) => Self::UnderReview,
            _ => return None,
        };
        Some((shape, record))
    }
}

/// The hash of a key. FNV-1a spread by the finalizer of `SplitMix64`, because the
/// lookup guesses a position from the top bits.
pub(crate) fn hash_of(ecosystem: &Ecosystem, name: &str) -> u64 {
    hash_of_parts(ecosystem.family(), ecosystem.release(), name)
}

/// [`hash_of`] of an ecosystem in parts.
pub(crate) fn hash_of_parts(family: &str, release: Option<&str>, name: &str) -> u64 {
    // 0xff is in no UTF-8 text, so parts cannot flow into each other.
    let bytes = family
        .bytes()
        .chain([0xff])
        .chain(release.into_iter().flat_map(str::bytes))
        .chain([0xff, u8::from(release.is_some())])
        .chain(name.bytes());
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// The u32 at `at`, if all of it is there.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

/// The u64 at `at`, if all of it is there.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let end = at.checked_add(8)?;
    Some(u64::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

/// The text at `at` of a string heap.
pub(crate) fn text_at(heap: &[u8], at: u32) -> Option<&str> {
    let mut rest = heap.get(usize::try_from(at).ok()?..)?;
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return std::str::from_utf8(rest.get(..length)?).ok();
        }
    }
    None
}

/// Appends `text` to a string heap. `None` when the heap or the text is too long
/// for the format.
pub(crate) fn push_text(heap: &mut Vec<u8>, text: &str) -> Option<u32> {
    let at = u32::try_from(heap.len()).ok().filter(|&at| at != NONE)?;
    let mut length = u32::try_from(text.len())
        .ok()
        .filter(|&length| length < 1 << 28)?;
    loop {
        let low = u8::try_from(length & 0x7f).ok()?;
        length >>= 7;
        if length == 0 {
            heap.push(low);
            break;
        }
        heap.push(low | 0x80);
    }
    heap.extend_from_slice(text.as_bytes());
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_reads_back_with_its_record() {
        let fixes = [Fix::AsRanges, Fix::WontFix, Fix::NotYet];
        let shapes = fixes
            .into_iter()
            .flat_map(|fix| {
                [
                    Shape::Open(fix),
                    Shape::Before(fix),
                    Shape::Through(fix),
                    Shape::Exactly(fix),
                ]
            })
            .chain([Shape::NotAffected, Shape::UnderReview]);
        for shape in shapes {
            for record in [0, 1, MAX_RECORDS - 1] {
                assert_eq!(
                    Shape::of_word(shape.tag() | record),
                    Some((shape, record)),
                    "{shape:?}"
                );
            }
        }
    }

    #[test]
    fn a_text_reads_back_from_the_heap_and_a_cut_heap_has_none() {
        let mut heap = Vec::new();
        let long = "x".repeat(20_000);
        let places: Vec<_> = ["", "a", "zürich", &long]
            .into_iter()
            .map(|text| (push_text(&mut heap, text), text))
            .collect();
        for (at, text) in places {
            let at = at.unwrap_or(NONE);
            assert_eq!(text_at(&heap, at), Some(text));
        }
        heap.pop();
        assert_eq!(text_at(&heap, 10), None);
        assert_eq!(text_at(&heap, NONE), None);
    }

    #[test]
    fn the_parts_of_a_key_do_not_flow_into_each_other() {
        let keys = [
            hash_of_parts("Debian", Some("12"), "x"),
            hash_of_parts("Debian", None, "12x"),
            hash_of_parts("Debian", Some(""), "12x"),
            hash_of_parts("Debian12", None, "x"),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key));
        }
    }
}
