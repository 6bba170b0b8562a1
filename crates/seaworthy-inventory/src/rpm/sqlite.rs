//! `rpmdb.sqlite`: rpm's table `Packages (hnum, blob)` in an sqlite file, read
//! straight from the pages. Used by Fedora, RHEL 9 and later, Azure Linux.
//!
//! Only what that takes is here: the schema on page 1, table b-trees, overflow
//! chains. No SQL, no indexes, no free list, no log. File format:
//! <https://www.sqlite.org/fileformat2.html>.

use super::header;
use super::pages::{MAX_HEADER, Pages};
use crate::field::{self, Order};
use crate::record::FileRecord;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes of the file header, which page 1 starts with.
const FILE_HEADER: usize = 100;

/// Kinds of b-tree pages that tables are made of.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Whether the bytes are an sqlite database.
pub(super) fn is_sqlite(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Whether a write-ahead log holds changes that count.
pub(super) fn has_committed_frames(log: &[u8]) -> bool {
    let word = |bytes: &[u8], at| field::u32(bytes, at, Order::Big);
    let is_log = matches!(word(log, 0), Some(0x377f_0682 | 0x377f_0683));
    let Some((page, salt)) = word(log, 8)
        .zip(field::u64(log, 16, Order::Big))
        .filter(|_| is_log)
    else {
        return false;
    };
    let frames = log.get(32..).unwrap_or_default();
    frames
        .chunks_exact(24 + page as usize)
        // Frames of an earlier run of the log carry another salt.
        .take_while(|frame| field::u64(frame, 8, Order::Big) == Some(salt))
        .any(|frame| word(frame, 4).is_some_and(|size| size != 0))
}

/// Reads the headers of all packages.
pub(super) fn read(bytes: &[u8], found: &mut FileRecord) {
    if let Err(why) = tables(bytes, found) {
        found.gap(format!("sqlite rpm database: {why}"));
    }
}

fn tables(bytes: &[u8], found: &mut FileRecord) -> Result<(), String> {
    let size = match field::u16(bytes, 16, Order::Big).unwrap_or(0) {
        1 => 65536,
        size => usize::from(size),
    };
    let reserved = usize::from(bytes.get(20).copied().unwrap_or(0));
    let is_sane = size.is_power_of_two() && size >= 512 && size - reserved >= 480;
    let is_known = bytes
        .get(18..20)
        .is_some_and(|it| it.iter().all(|it| *it <= 2));
    if !is_sane || !is_known || bytes.len() < size {
        return Err("the first page is damaged".to_owned());
    }
    if field::u32(bytes, 56, Order::Big).is_none_or(|encoding| encoding > 1) {
        return Err("texts that are not UTF-8".to_owned());
    }
    let mut file = File {
        pages: Pages::new(bytes, size, 1),
        usable: size - reserved,
        buffer: Vec::new(),
        found,
    };
    let count = file.pages.count();
    let claimed = field::u32(bytes, 28, Order::Big).unwrap_or(0) as usize;
    if claimed > count {
        file.trouble(&format!("{count} pages of {claimed} are there"));
    }
    let mut root = None;
    file.walk(1, &mut |row, _| {
        let is_text = |index, text: &str| {
            column(row, index).is_some_and(|(_, bytes)| bytes == text.as_bytes())
        };
        if is_text(0, "table") && is_text(1, "Packages") {
            root = column(row, 3).and_then(|(_, bytes)| number(bytes));
        }
    });
    let root = root.ok_or("no table of packages")?;
    file.walk(root, &mut |row, found| match column(row, 1) {
        Some((kind, blob)) if kind >= 12 && kind % 2 == 0 => header::read(blob, found),
        _ => found.gap("sqlite rpm database: a package that is no blob"),
    });
    Ok(())
}

struct File<'a, 'f> {
    pages: Pages<'a>,
    /// Bytes of a page that sqlite uses; the rest is reserved.
    usable: usize,
    /// A row being put together; kept to reuse its memory.
    buffer: Vec<u8>,
    found: &'f mut FileRecord,
}

/// A cell of a leaf: the row, or what of it is on the page.
struct Cell<'a> {
    /// Bytes of the whole row.
    length: usize,
    /// Those on this page.
    local: &'a [u8],
    /// The page that the rest starts on.
    overflow: Option<u32>,
    /// Bytes that the cell takes on its page.
    size: usize,
}

impl<'a> File<'a, '_> {
    fn trouble(&mut self, why: &str) {
        self.found.gap(format!("sqlite rpm database: {why}"));
    }

    /// Gives out each row of the table whose b-tree starts on page `root`.
    fn walk(&mut self, root: u32, each: &mut dyn FnMut(&[u8], &mut FileRecord)) {
        // Every page is claimed once, so neither depth nor cycles need a limit.
        let mut pending = vec![root];
        while let Some(number) = pending.pop() {
            let told = self.pages.claim(number).and_then(|page| {
                self.page(page, number == 1, &mut pending, each)
                    .map_err(|why| format!("page {number}: {why}"))
            });
            if let Err(why) = told {
                self.trouble(&why);
            }
        }
    }

    fn page(
        &mut self,
        page: &'a [u8],
        is_first: bool,
        pending: &mut Vec<u32>,
        each: &mut dyn FnMut(&[u8], &mut FileRecord),
    ) -> Result<(), String> {
        let start = if is_first { FILE_HEADER } else { 0 };
        let page = page.get(..self.usable).unwrap_or(page);
        let kind = page.get(start).copied();
        let number = |at: usize| usize::from(field::u16(page, at, Order::Big).unwrap_or(0));
        let cells = number(start + 3);
        let pointers = match kind {
            Some(LEAF) => start + 8,
            Some(INTERIOR) => start + 12,
            _ => return Err("no page of a table".to_owned()),
        };
        let pointers = field::slice(page, pointers, 2 * cells).ok_or("too many cells")?;

        let mut taken = 0_usize;
        let mut children = Vec::new();
        for pointer in pointers.chunks_exact(2) {
            let at = usize::from(field::u16(pointer, 0, Order::Big).unwrap_or(0));
            let bytes = page.get(at..).ok_or("a cell outside the page")?;
            if kind == Some(INTERIOR) {
                children.push(field::u32(bytes, 0, Order::Big).ok_or("a cell that is cut off")?);
                let (_, key) = varint(bytes, 4).ok_or("a cell that is cut off")?;
                taken += 4 + key;
                // Every page is named once; more names are damage or malice.
                if pending.len() + children.len() > self.pages.count() {
                    return Err("more children than there are pages".to_owned());
                }
            } else {
                let cell = cell(bytes, self.usable).ok_or("a cell that is cut off")?;
                taken += cell.size;
                // Cells that share bytes would make the time quadratic.
                if taken > self.usable {
                    return Err("its cells overlap".to_owned());
                }
                if let Err(why) = self.row(&cell, each) {
                    self.trouble(&why);
                }
            }
        }
        if kind == Some(INTERIOR) {
            children.push(field::u32(page, start + 8, Order::Big).unwrap_or(0));
            pending.extend(children.into_iter().rev());
        }

        // Cells, free blocks and fragments fill the page from here to its end:
        // when they do not, a damaged count has hidden rows.
        let content = match number(start + 5) {
            0 => 65536,
            content => content,
        };
        let fragments = usize::from(page.get(start + 7).copied().unwrap_or(0));
        let free = free_blocks(page, number(start + 1))?;
        if content + taken + free + fragments != self.usable {
            return Err("its cells do not fill it".to_owned());
        }
        Ok(())
    }

    fn row(
        &mut self,
        cell: &Cell<'a>,
        each: &mut dyn FnMut(&[u8], &mut FileRecord),
    ) -> Result<(), String> {
        let Some(mut number) = cell.overflow else {
            each(cell.local, self.found);
            return Ok(());
        };
        if cell.length > MAX_HEADER {
            return Err(format!("a row of {} bytes", cell.length));
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(cell.local);
        while self.buffer.len() < cell.length {
            if number == 0 {
                return Err("a row that is cut off".to_owned());
            }
            let page = self.pages.claim(number)?;
            let left = cell.length - self.buffer.len();
            let part = field::slice(page, 4, left.min(self.usable - 4));
            self.buffer.extend_from_slice(part.unwrap_or_default());
            number = field::u32(page, 0, Order::Big).unwrap_or(0);
        }
        if number != 0 {
            return Err("a row that goes on beyond its length".to_owned());
        }
        each(&self.buffer, self.found);
        Ok(())
    }
}

/// The cell of a table leaf that starts with `bytes`, which end with the page.
fn cell(bytes: &[u8], usable: usize) -> Option<Cell<'_>> {
    let (length, first) = varint(bytes, 0)?;
    let (_, second) = varint(bytes, first)?;
    let length = usize::try_from(length).ok()?;
    let start = first + second;
    // How much of a long row stays on the page: section 1.6 of the format.
    let largest = usable - 35;
    let (kept, overflows) = if length <= largest {
        (length, false)
    } else {
        let smallest = (usable - 12) * 32 / 255 - 23;
        let kept = smallest + (length - smallest) % (usable - 4);
        (if kept <= largest { kept } else { smallest }, true)
    };
    let local = field::slice(bytes, start, kept)?;
    let overflow = if overflows {
        Some(field::u32(bytes, start + kept, Order::Big)?)
    } else {
        None
    };
    let size = start + kept + if overflows { 4 } else { 0 };
    Some(Cell {
        length,
        local,
        overflow,
        // A smaller cell could not become a free block later.
        size: size.max(4),
    })
}

/// Bytes in the chain of free blocks that starts at `at`; each lies behind the
/// one before.
fn free_blocks(page: &[u8], mut at: usize) -> Result<usize, String> {
    let mut free = 0;
    while at != 0 {
        let next = field::u16(page, at, Order::Big);
        let size = field::u16(page, at + 2, Order::Big);
        let (next, size) = next.zip(size).ok_or("a free block outside the page")?;
        let next = usize::from(next);
        if next != 0 && next <= at {
            return Err("its free blocks run in a circle".to_owned());
        }
        free += usize::from(size);
        at = next;
    }
    Ok(free)
}

/// A number of one to nine bytes at `at`, and how many.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for length in 1..=9 {
        let byte = *bytes.get(at.checked_add(length - 1)?)?;
        if length == 9 {
            return Some((value << 8 | u64::from(byte), length));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, length));
        }
    }
    None
}

/// Type and bytes of a column of a row.
fn column(row: &[u8], index: usize) -> Option<(u64, &[u8])> {
    let (header, mut at) = varint(row, 0)?;
    let header = usize::try_from(header).ok()?;
    let mut start = header;
    for current in 0..=index {
        let (kind, width) = varint(row.get(..header)?, at)?;
        at += width;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let length = usize::try_from(length).ok()?;
        if current == index {
            return Some((kind, field::slice(row, start, length)?));
        }
        start = start.checked_add(length)?;
    }
    None
}

/// A page number as a column holds it: big-endian, of as many bytes as it needs.
fn number(bytes: &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for byte in bytes {
        number = number.checked_mul(256)?.checked_add((*byte).into())?;
    }
    (number > 0).then_some(number)
}
