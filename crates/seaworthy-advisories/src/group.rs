//! All there is about one name in one ecosystem, in one piece.
//!
//! ```text
//!  0  number of rows u32; the top bit tells that rows are wide
//!  4  length of the texts u32
//!  8  the texts: each its length and its UTF-8 bytes; the first is the name
//!     then the rows: tag and record u32, vulnerability or bundle u32,
//!     from (text), until (text)
//! ```
//!
//! A text is named by its offset in the texts: a u16, or a u32 in wide rows,
//! where there is too much text for a u16; all ones where there is none. Its
//! length is one byte below 0x7f, or 0x7f and four bytes of seven bits, lowest
//! first. All these bytes are ASCII, so that the texts are UTF-8 as a whole or
//! not at all, and one check is enough for all of them.
//!
//! A row's tag is its top seven bits: three for what is said, two for the fix, two
//! for how much the record's feed is trusted.

use seaworthy_core::{Interval, Until};
use seaworthy_match::{RowStance, Trust};

use crate::format::{NONE, Shape, of_row_word, u32_at};

const HEAD: usize = 8;
const WIDE: u32 = 1 << 31;
const LONG: u8 = 0x7f;
/// Groups start at multiples of this.
pub(crate) const ALIGNMENT: usize = 4;

/// A row as it lies in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredRow<'a> {
    pub(crate) record: u32,
    pub(crate) trust: Trust,
    /// A vulnerability, or a bundle of them.
    pub(crate) about: u32,
    pub(crate) stance: RowStance<'a>,
}

/// A group that was found, not yet read.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    rows: usize,
    is_wide: bool,
    texts: &'a [u8],
    /// Everything from the rows on.
    rest: &'a [u8],
}

impl<'a> Group<'a> {
    /// The group at the start of `bytes`. `None` where it is cut.
    pub(crate) fn at(bytes: &'a [u8]) -> Option<Self> {
        let rows = u32_at(bytes, 0)?;
        let length = usize::try_from(u32_at(bytes, 4)?).ok()?;
        let (texts, rest) = bytes.get(HEAD..)?.split_at_checked(length)?;
        Some(Self {
            rows: usize::try_from(rows & !WIDE).ok()?,
            is_wide: rows & WIDE != 0,
            texts,
            rest,
        })
    }

    /// The name that the group is about, as bytes that may be damaged.
    pub(crate) fn name(&self) -> Option<&'a [u8]> {
        let (start, end) = extent(self.texts, 0)?;
        self.texts.get(start..end)
    }

    /// Visits the rows in their order; `None` in place of one that is damaged.
    pub(crate) fn visit(&self, mut visit: impl FnMut(Option<StoredRow<'a>>)) {
        let Ok(texts) = std::str::from_utf8(self.texts) else {
            return visit(None);
        };
        let size = if self.is_wide { 16 } else { 12 };
        let rows = self
            .rows
            .checked_mul(size)
            .and_then(|length| self.rest.get(..length));
        let Some(rows) = rows else {
            return visit(None);
        };
        if self.is_wide {
            for row in rows.as_chunks::<16>().0 {
                visit(wide(row, texts));
            }
        } else {
            for row in rows.as_chunks::<12>().0 {
                visit(narrow(row, texts));
            }
        }
    }
}

fn narrow<'a>(row: &[u8; 12], texts: &'a str) -> Option<StoredRow<'a>> {
    let offset = |at: usize| {
        let bytes = row.get(at..)?.first_chunk()?;
        Some(match u16::from_le_bytes(*bytes) {
            u16::MAX => NONE,
            offset => u32::from(offset),
        })
    };
    let words = [u32_at(row, 0)?, u32_at(row, 4)?, offset(8)?, offset(10)?];
    row_of(words, texts)
}

fn wide<'a>(row: &[u8; 16], texts: &'a str) -> Option<StoredRow<'a>> {
    let words = [
        u32_at(row, 0)?,
        u32_at(row, 4)?,
        u32_at(row, 8)?,
        u32_at(row, 12)?,
    ];
    row_of(words, texts)
}

fn row_of([word, about, from, until]: [u32; 4], texts: &str) -> Option<StoredRow<'_>> {
    let (shape, trust, record) = of_row_word(word)?;
    let interval = |until| {
        let from = match from {
            NONE => None,
            from => Some(text(texts, from)?),
        };
        Some(Interval { from, until })
    };
    let stance = match shape {
        Shape::Open(fix) => RowStance::Interval(interval(Until::Forever)?, fix),
        Shape::Before(fix) => {
            RowStance::Interval(interval(Until::Before(text(texts, until)?))?, fix)
        }
        Shape::Through(fix) => {
            RowStance::Interval(interval(Until::Through(text(texts, until)?))?, fix)
        }
        Shape::Exactly(fix) => RowStance::Exactly(text(texts, from)?, fix),
        Shape::NotAffected => RowStance::NotAffected,
        Shape::UnderReview => RowStance::UnderReview,
    };
    Some(StoredRow {
        record,
        trust,
        about,
        stance,
    })
}

fn text(texts: &str, offset: u32) -> Option<&str> {
    let (start, end) = extent(texts.as_bytes(), usize::try_from(offset).ok()?)?;
    texts.get(start..end)
}

/// Where the text whose length stands at `offset` starts and ends.
fn extent(texts: &[u8], offset: usize) -> Option<(usize, usize)> {
    let length = *texts.get(offset)?;
    if length < LONG {
        let start = offset + 1;
        return Some((start, start + usize::from(length)));
    }
    let bytes = texts.get(offset.checked_add(1)?..)?.first_chunk::<4>()?;
    let length = bytes
        .iter()
        .rev()
        .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    let start = offset + 5;
    Some((start, start + length))
}

/// The texts of a group that is being written.
pub(crate) struct Texts {
    bytes: Vec<u8>,
}

impl Texts {
    /// Texts that start with the name of the group. `None` where the name is too
    /// long for the format.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let mut texts = Self { bytes: Vec::new() };
        texts.push(name)?;
        Some(texts)
    }

    /// Adds a text and tells its offset. `None` where there is too much text for
    /// the format.
    pub(crate) fn push(&mut self, text: &str) -> Option<u32> {
        let offset = u32::try_from(self.bytes.len()).ok()?;
        let length = u32::try_from(text.len()).ok().filter(|it| it >> 28 == 0)?;
        match u8::try_from(length) {
            Ok(length) if length < LONG => self.bytes.push(length),
            _ => {
                self.bytes.push(LONG);
                for shift in [0, 7, 14, 21] {
                    self.bytes.push(u8::try_from(length >> shift & 0x7f).ok()?);
                }
            }
        }
        self.bytes.extend_from_slice(text.as_bytes());
        // The offset of what may come next must not be taken for no text at all.
        (u32::try_from(self.bytes.len()).ok()? < NONE).then_some(offset)
    }

    /// Appends the group with these rows to `groups`: words as stored, with
    /// offsets in these texts. `None` where there are too many rows.
    pub(crate) fn write(&self, rows: &[[u32; 4]], groups: &mut Vec<u8>) -> Option<()> {
        let is_narrow = u16::try_from(self.bytes.len()).is_ok();
        let count = u32::try_from(rows.len()).ok().filter(|it| it & WIDE == 0)?;
        let length = u32::try_from(self.bytes.len()).ok()?;
        let head = if is_narrow { count } else { count | WIDE };
        groups.extend_from_slice(&head.to_le_bytes());
        groups.extend_from_slice(&length.to_le_bytes());
        groups.extend_from_slice(&self.bytes);
        for [word, about, from, until] in rows {
            groups.extend_from_slice(&word.to_le_bytes());
            groups.extend_from_slice(&about.to_le_bytes());
            for offset in [from, until] {
                if is_narrow {
                    // No offset reaches as far as the last u16: it is no text.
                    let offset = u16::try_from(*offset).unwrap_or(u16::MAX);
                    groups.extend_from_slice(&offset.to_le_bytes());
                } else {
                    groups.extend_from_slice(&offset.to_le_bytes());
                }
            }
        }
        groups.resize(groups.len().next_multiple_of(ALIGNMENT), 0);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use seaworthy_core::Fix;

    use super::*;
    use crate::format::row_word;

    /// A group with a text of `length` between the name and a version.
    fn group(length: usize) -> Vec<u8> {
        let mut texts = Texts::of("zürich").expect("it is short");
        let long = texts.push(&"x".repeat(length)).expect("it is short enough");
        let version = texts.push("1.2-3").expect("it is short");
        let rows = [
            [
                row_word(Shape::Before(Fix::WontFix), Trust::Private, 7),
                8,
                NONE,
                version,
            ],
            [
                row_word(Shape::Exactly(Fix::AsRanges), Trust::Relayed, 9),
                10,
                long,
                NONE,
            ],
        ];
        let mut groups = Vec::new();
        texts.write(&rows, &mut groups).expect("there are two rows");
        groups
    }

    fn rows(group: &Group<'_>) -> Vec<String> {
        let mut rows = Vec::new();
        group.visit(|row| {
            rows.push(row.map_or("damaged".to_owned(), |row| {
                let (record, trust) = (row.record, row.trust);
                format!("{record} {trust:?} {} {:?}", row.about, row.stance)
            }));
        });
        rows
    }

    #[test]
    fn rows_read_back_whether_texts_are_short_or_long() {
        for length in [
            0, 1, 126, 127, 128, 40_000, 65_516, 65_517, 65_535, 70_000, 2_100_000,
        ] {
            let bytes = group(length);
            let group = Group::at(&bytes).expect("it was just written");
            assert_eq!(group.name(), Some("zürich".as_bytes()));
            let long = "x".repeat(length);
            let expected = [
                r#"7 Private 8 Interval(Interval { from: None, until: Before("1.2-3") }, WontFix)"#
                    .to_owned(),
                format!("9 Relayed 10 Exactly({long:?}, AsRanges)"),
            ];
            assert!(rows(&group) == expected, "{length}");
            assert_eq!(bytes.len() % ALIGNMENT, 0);
        }
    }

    #[test]
    fn a_cut_group_is_damaged_and_never_empty() {
        let bytes = group(200);
        for length in 0..bytes.len() - ALIGNMENT {
            let cut = &bytes[..length];
            let said = Group::at(cut).map(|group| rows(&group));
            assert!(said.is_none_or(|rows| rows == ["damaged"]), "{length}");
        }
    }

    #[test]
    fn one_damaged_row_leaves_the_others() {
        let mut bytes = group(3);
        let texts = u32_at(&bytes, 4).expect("its head is whole");
        let first_row = HEAD + usize::try_from(texts).expect("it is short");
        // No such fix.
        bytes[first_row + 3] |= 0x18;
        let group = Group::at(&bytes).expect("its head is whole");
        let rows = rows(&group);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], "damaged");
        assert!(rows[1].contains("Exactly"));
    }
}
