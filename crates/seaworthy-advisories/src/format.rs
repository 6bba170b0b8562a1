//! The layout of an edition, version 3. Everything is little endian.
//!
//! ```text
//! header   0  magic "seaworthy.editn\n"          16 bytes
//!         16  SHA-256 of everything from byte 48  32 bytes: the digest
//!         48  format version                      u32
//!         52  number of sections                  u32
//!         56  length of the file                  u64
//! table   64  per section: name [8], offset u64, length u64, reserved u64
//! then the sections in this order, each at a multiple of 8
//! ```
//!
//! | section | entry | what it holds |
//! |---|---|---|
//! | `facts` | once | advisories u64, vulnerabilities u64, flags u64 (bit 0: starter), rows u64, first block of silent records u64 |
//! | `strings` | heap | each text as LEB128 length and UTF-8 bytes; named by its offset, a u32 |
//! | `feeds` | 24 bytes | id (string), kind of date u32, day i32, reserved u32, advisories u64 |
//! | `support` | 12 bytes | os-release id (string), version (string), last day of support i32 |
//! | `ecos` | 40 bytes | by ascending hash: hash u64, family (string), release (string), feed u32, first of its starts u32, bits u32, position of the family without a release u32, advisories u64 |
//! | `starts` | u32 | where a bucket of keys starts; each ecosystem has 2^bits and one more that ends the last |
//! | `keys` | 8 bytes | the low half of a name's hash u32, its group u32 in units of 4 bytes |
//! | `groups` | groups | all there is about one name in one ecosystem, see the module `group` |
//! | `bundles` | u32 | lists of vulnerabilities, each after its length |
//! | `records` | 8 bytes | block u32, position in it u32, of the record's details |
//! | `vulns` | 8 bytes | the same for vulnerabilities |
//! | `blocks` | 16 bytes | offset in `details` u64, packed length u32, length u32 |
//! | `details` | zstd frames | documents in postcard encoding, see the module `details` |
//!
//! A name is found in three steps: the ecosystem by its hash; the bucket by the
//! top bits of the name's hash; the key in the bucket, where keys are ordered by
//! the low half of the hash and then by name. Names made to collide therefore
//! cost a few more steps of a binary search, and nothing else.
//!
//! An image asks about few ecosystems. So `starts`, `keys` and `groups` go
//! ecosystem by ecosystem, and groups by name within, which keeps what a scan
//! touches in few stretches of the file. Records and vulnerabilities are numbered
//! in the order in which their details lie, all releases of a distribution
//! together, in blocks of about 4 KiB: the lower number is the earlier block.
//!
//! A record without rows is *silent*: withdrawn, say, or a rating alone. It is kept
//! where it names or rates a vulnerability of the edition, after all others, in
//! blocks of its own that have no numbers. So an edition holds all that made it, and
//! compiling what `Edition::decompile` gives back makes the same bytes.
//!
//! Everything before `details` is mapped. `details` are read where a finding
//! needs them, so that prose never counts as memory.
//!
//! A string of [`NONE`] is absent. A vulnerability with the bit [`BUNDLE`] is the
//! position of a list in `bundles`: a notice that fixes fifty vulnerabilities in
//! fifty packages has fifty rows, and the reader sees all 2,500.

use seaworthy_core::Fix;

use seaworthy_match::Trust;

/// The format this program writes and reads.
pub const VERSION: u32 = 3;

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
    Strings,
    Feeds,
    Support,
    Ecosystems,
    Starts,
    Keys,
    Groups,
    Bundles,
    Records,
    Vulnerabilities,
    Blocks,
    Details,
}

impl SectionName {
    pub(crate) const COUNT: usize = 13;
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Facts,
        Self::Strings,
        Self::Feeds,
        Self::Support,
        Self::Ecosystems,
        Self::Starts,
        Self::Keys,
        Self::Groups,
        Self::Bundles,
        Self::Records,
        Self::Vulnerabilities,
        Self::Blocks,
        Self::Details,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Strings => "strings",
            Self::Feeds => "feeds",
            Self::Support => "support",
            Self::Ecosystems => "ecos",
            Self::Starts => "starts",
            Self::Keys => "keys",
            Self::Groups => "groups",
            Self::Bundles => "bundles",
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
    pub(crate) const FACTS: usize = 40;
    pub(crate) const WORD: usize = 4;
    pub(crate) const KEY: usize = 8;
    pub(crate) const PLACE: usize = 8;
    pub(crate) const BLOCK: usize = 16;
    pub(crate) const ECOSYSTEM: usize = 40;
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
pub(crate) const MAX_RECORDS: u32 = 1 << 25;

/// The first word of a row: what is said, by whom, in which record.
pub(crate) fn row_word(shape: Shape, trust: Trust, record: u32) -> u32 {
    let (kind, fix) = match shape {
        Shape::Open(fix) => (0, fix),
        Shape::Before(fix) => (1, fix),
        Shape::Through(fix) => (2, fix),
        Shape::Exactly(fix) => (3, fix),
        Shape::NotAffected => (4, Fix::AsRanges),
        Shape::UnderReview => (5, Fix::AsRanges),
    };
    let fix = match fix {
        Fix::AsRanges => 0,
        Fix::WontFix => 1,
        Fix::NotYet => 2,
    };
    let trust = match trust {
        Trust::Relayed => 0,
        Trust::Firsthand => 1,
        Trust::Private => 2,
    };
    (kind << 4 | fix << 2 | trust) << 25 | record
}

/// Undoes [`row_word`]. `None` where no compiler wrote it.
pub(crate) fn of_row_word(word: u32) -> Option<(Shape, Trust, u32)> {
    let trust = match word >> 25 & 3 {
        0 => Trust::Relayed,
        1 => Trust::Firsthand,
        2 => Trust::Private,
        _ => return None,
    };
    let fix = match word >> 27 & 3 {
        0 => Fix::AsRanges,
        1 => Fix::WontFix,
        2 => Fix::NotYet,
        _ => return None,
    };
    let shape = match word >> 29 {
        0 => Shape::Open(fix),
        1 => Shape::Before(fix),
        2 => Shape::Through(fix),
        3 => Shape::Exactly(fix),
        4 => Shape::NotAffected,
        5 => Shape::UnderReview,
        _ => return None,
    };
    Some((shape, trust, word & (MAX_RECORDS - 1)))
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
    std::str::from_utf8(bytes_at(heap, at)?).ok()
}

/// The bytes of the text at `at` of a string heap.
pub(crate) fn bytes_at(heap: &[u8], at: u32) -> Option<&[u8]> {
    let mut rest = heap.get(usize::try_from(at).ok()?..)?;
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return rest.get(..length);
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
            for trust in [Trust::Relayed, Trust::Firsthand, Trust::Private] {
                for record in [0, 1, MAX_RECORDS - 1] {
                    let word = row_word(shape, trust, record);
                    assert_eq!(of_row_word(word), Some((shape, trust, record)), "{shape:?}");
                }
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
}
