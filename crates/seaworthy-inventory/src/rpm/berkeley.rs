//! `Packages`, a Berkeley DB hash table: a metadata page, one chain of pages per
//! bucket, and chains of overflow pages for values that do not fit. Used by rpm
//! up to 4.15 and so by everything of the RHEL 8 generation and before.
//!
//! Layout after the headers that Berkeley DB 4 and 5 install (`db_page.h`); rpm
//! writes in the byte order of its machine.

use super::header;
use super::pages::{MAX_HEADER, Pages};
use crate::field::{self, Order};
use crate::record::FileRecord;

const MAGIC: u32 = 0x0006_1561;

/// Kinds of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_META: u8 = 8;
const HASH: u8 = 13;

/// Kinds of items on a hash page.
const KEY_DATA: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Bytes of the header of every page but the first.
const PAGE_HEADER: usize = 26;

/// The byte order of a hash table; `None` where the bytes are not one.
pub(super) fn hash_order(bytes: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big]
        .into_iter()
        .find(|order| field::u32(bytes, 12, *order) == Some(MAGIC))
}

/// Reads the headers of all packages.
pub(super) fn read(bytes: &[u8], order: Order, found: &mut FileRecord) {
    let size = field::u32(bytes, 20, order).unwrap_or(0);
    let is_sane = size.is_power_of_two() && (512..=65536).contains(&size);
    let is_plain = bytes.get(24) == Some(&0) && bytes.get(25) == Some(&HASH_META);
    if !is_sane || !is_plain || bytes.len() < size as usize {
        return found.gap("Berkeley DB rpm database: the metadata page is damaged");
    }
    let mut table = Table {
        pages: Pages::new(bytes, size as usize, 0),
        order,
        size: size as usize,
        blob: Vec::new(),
        found,
    };
    if let Err(why) = table.buckets(bytes) {
        table.trouble(&why);
    }
    let lost = table
        .pages
        .unclaimed()
        .filter(|page| page.get(25) == Some(&OVERFLOW))
        .count();
    if lost > 0 {
        table.trouble(&format!("{lost} pages of data belong to no package"));
    }
}

struct Table<'a, 'f> {
    pages: Pages<'a>,
    order: Order,
    size: usize,
    /// The header being put together; kept to reuse its memory.
    blob: Vec<u8>,
    found: &'f mut FileRecord,
}

impl<'a> Table<'a, '_> {
    fn trouble(&mut self, why: &str) {
        self.found.gap(format!("Berkeley DB rpm database: {why}"));
    }

    fn u16(&self, bytes: &[u8], at: usize) -> usize {
        field::u16(bytes, at, self.order).unwrap_or(0).into()
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        field::u32(bytes, at, self.order).unwrap_or(0)
    }

    fn buckets(&mut self, bytes: &[u8]) -> Result<(), String> {
        let meta = self.pages.claim(0)?;
        let (last_page, last_bucket) = (self.u32(bytes, 32), self.u32(meta, 72));
        let count = self.pages.count();
        if last_page as usize >= count {
            self.trouble(&format!("{count} pages of {last_page} and one are there"));
        }
        if last_bucket as usize >= count {
            return Err(format!("more buckets ({last_bucket}) than pages ({count})"));
        }
        for bucket in 0..=last_bucket {
            // Buckets are laid out in groups that double; `spares` has, for each
            // group, how far its pages are shifted.
            let group = u32::BITS - bucket.leading_zeros();
            let shift = self.u32(meta, 96 + 4 * group as usize);
            if let Err(why) = self.chain(bucket.wrapping_add(shift)) {
                self.trouble(&why);
            }
        }
        Ok(())
    }

    fn chain(&mut self, first: u32) -> Result<(), String> {
        let mut number = first;
        loop {
            let page = self.pages.claim(number)?;
            if !matches!(page.get(25), Some(&(HASH | HASH_UNSORTED))) {
                return Err(format!("page {number} is no hash page"));
            }
            if let Err(why) = self.items(page) {
                self.trouble(&format!("page {number}: {why}"));
            }
            number = self.u32(page, 16);
            if number == 0 {
                return Ok(());
            }
        }
    }

    /// Items stand at the end of a page, the first one last; keys and values
    /// take turns.
    fn items(&mut self, page: &'a [u8]) -> Result<(), String> {
        let entries = self.u16(page, 20);
        let index_end = PAGE_HEADER + 2 * entries;
        let mut end = self.size;
        let mut key = None;
        for entry in 0..entries {
            let start = self.u16(page, PAGE_HEADER + 2 * entry);
            let item = page.get(start..end).filter(|_| start >= index_end);
            let item = item.ok_or("an item outside the page")?;
            end = start;
            match key.take() {
                None => key = Some(item),
                Some(key) => {
                    if let Err(why) = self.pair(key, item) {
                        self.trouble(&why);
                    }
                }
            }
        }
        // On the largest pages an empty one ends at 65536, written as 0.
        if self.u16(page, 22) != end & 0xffff {
            return Err("its items do not fill it".to_owned());
        }
        if key.is_some() {
            return Err("a key without a value".to_owned());
        }
        Ok(())
    }

    fn pair(&mut self, key: &[u8], value: &'a [u8]) -> Result<(), String> {
        let Some((&KEY_DATA, number)) = key.split_first() else {
            return Err("a key of an unknown kind".to_owned());
        };
        if number.len() != 4 {
            return Err(format!("a key of {} bytes", number.len()));
        }
        if number == [0; 4] {
            // Under package number 0 rpm keeps the last number it gave out.
            return Ok(());
        }
        match value.split_first() {
            Some((&KEY_DATA, blob)) => header::read(blob, self.found),
            Some((&OFF_PAGE, _)) => {
                let (first, length) = (self.u32(value, 4), self.u32(value, 8));
                self.overflow(first, length)?;
                header::read(&self.blob, self.found);
            }
            _ => return Err("a package of an unknown kind".to_owned()),
        }
        Ok(())
    }

    fn overflow(&mut self, first: u32, length: u32) -> Result<(), String> {
        let length = length as usize;
        if length > MAX_HEADER {
            return Err(format!("a header of {length} bytes"));
        }
        self.blob.clear();
        let mut number = first;
        while number != 0 {
            let page = self.pages.claim(number)?;
            if page.get(25) != Some(&OVERFLOW) {
                return Err(format!("page {number} is no overflow page"));
            }
            let part = field::slice(page, PAGE_HEADER, self.u16(page, 22));
            self.blob
                .extend_from_slice(part.ok_or("an overflow page with too many bytes")?);
            if self.blob.len() > length {
                break;
            }
            number = self.u32(page, 16);
        }
        if self.blob.len() == length {
            Ok(())
        } else {
            Err("a header of another length than announced".to_owned())
        }
    }
}
