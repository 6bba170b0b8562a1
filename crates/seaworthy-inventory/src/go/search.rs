//! Build information in an executable that streams by. Kept: the headers of the
//! file, the end of the last piece, and the texts once they are met.
//!
//! The texts of programs built before Go 1.18 lie behind pointers into bytes that
//! have already passed. Their list of modules is known by its frame; which
//! toolchain it was remains a gap.

use super::info::{self, HEADER, Info, Inline, MAX_MODULES};
use super::{PACKED, STRIPPED, modules};
use crate::executable;
use crate::probe::Scanner;
use crate::record::FileRecord;

/// How much is looked at at once, in bytes.
const PIECE: usize = 64 << 10;

/// What may be cut in two by the end of a piece, in bytes.
const OVERLAP: usize = 64;

/// The frame of a list of modules and what a list starts with. The frame alone
/// would be met in programs that look for it.
const LIST_STARTS: [&[u8]; 2] = [b"path\t", b"mod\t"];

#[derive(Default)]
pub(super) struct Search {
    prefix: Vec<u8>,
    /// Places of writable data in the file; `None` until the prefix is full.
    data: Option<Vec<Data>>,
    /// The last bytes seen, and where in the file they start.
    window: Vec<u8>,
    window_start: u64,
    /// A header and what follows it.
    header: Option<Vec<u8>>,
    list: List,
    has_build_id: bool,
    is_packed: bool,
    answer: Option<Result<Info, ()>>,
}

/// A list of modules in its frame.
#[derive(Default)]
enum List {
    #[default]
    Unseen,
    /// Its start and what followed.
    Open(Vec<u8>),
    Whole(Vec<u8>),
    Endless,
}

/// A stretch of writable data.
#[derive(Clone, Copy)]
struct Data {
    start: u64,
    end: u64,
    /// What to add to a place in the file to get its address.
    shift: u64,
}

impl Scanner for Search {
    fn feed(&mut self, bytes: &[u8], _: &mut FileRecord) {
        for piece in bytes.chunks(PIECE) {
            if self.data.is_none() {
                self.prefix.extend_from_slice(piece);
                if self.prefix.len() >= info::PREFIX {
                    self.begin();
                }
            } else {
                self.piece(piece);
            }
        }
    }

    fn finish(mut self: Box<Self>, found: &mut FileRecord) {
        if self.data.is_none() {
            self.begin();
        }
        match (self.answer.take(), std::mem::take(&mut self.list)) {
            (Some(Ok(info)), _) => modules::list(&info, found),
            (None, List::Whole(list)) => {
                let modules = String::from_utf8_lossy(&list).into_owned();
                let toolchain = None;
                modules::list(&Info { toolchain, modules }, found);
            }
            (Some(Err(())), _) | (None, List::Endless) => {
                found.gap("Go build information that is damaged");
            }
            (None, _) if self.header.is_some() => {
                found.gap("Go build information that is cut off");
            }
            (None, _) if self.is_packed => found.gap(PACKED),
            (None, _) if self.has_build_id => found.gap(STRIPPED),
            (None, _) => {}
        }
    }
}

impl Search {
    fn begin(&mut self) {
        let segments = executable::segments(&self.prefix);
        let data = segments.iter().filter(|it| it.is_data).map(|it| Data {
            start: it.offset,
            end: it.offset.saturating_add(it.size),
            shift: it.address.wrapping_sub(it.offset),
        });
        self.data = Some(data.collect());
        let prefix = std::mem::take(&mut self.prefix);
        self.has_build_id = info::has_build_id(&prefix);
        self.is_packed = executable::is_packed(&prefix);
        self.piece(&prefix);
    }

    fn piece(&mut self, piece: &[u8]) {
        if self.answer.is_some() {
            return;
        }
        if let Some(header) = &mut self.header {
            header.extend_from_slice(piece);
        }
        self.list = match std::mem::take(&mut self.list) {
            List::Open(mut list) => {
                let seen = list.len().saturating_sub(OVERLAP);
                list.extend_from_slice(piece);
                close(list, seen)
            }
            other => other,
        };
        self.window.extend_from_slice(piece);
        self.look();
        let passed = self.window.len().saturating_sub(OVERLAP);
        self.window.drain(..passed);
        self.window_start += passed as u64;
    }

    fn look(&mut self) {
        if self.header.is_none()
            && let Some(at) = self.header_place()
        {
            let header = self.window.get(at..).unwrap_or_default();
            // One with pointers leads nowhere here; the list has to do.
            if info::is_inline(header) {
                self.header = Some(header.to_vec());
            }
        }
        if let Some(header) = &self.header {
            match info::inline(header) {
                Inline::Done(info) => self.answer = Some(Ok(info)),
                Inline::Damaged => self.answer = Some(Err(())),
                Inline::Cut if header.len() > 2 * MAX_MODULES => self.answer = Some(Err(())),
                Inline::Cut => {}
            }
        }
        if matches!(self.list, List::Unseen) {
            let is_list = |at: &usize| {
                let rest = self
                    .window
                    .get(at + info::START.len()..)
                    .unwrap_or_default();
                LIST_STARTS.iter().any(|start| rest.starts_with(start))
            };
            let place = memchr::memmem::find_iter(&self.window, info::START).find(is_list);
            if let Some(at) = place {
                let rest = self.window.get(at + info::START.len()..);
                self.list = close(rest.unwrap_or_default().to_vec(), 0);
            }
        }
    }

    /// Where a header starts in the window, whole and in writable data.
    fn header_place(&self) -> Option<usize> {
        let data = self.data.as_deref().unwrap_or_default();
        memchr::memmem::find_iter(&self.window, info::MAGIC).find(|at| {
            let place = self.window_start + *at as u64;
            let is_whole = self.window.len() - at >= HEADER;
            is_whole
                && data.iter().any(|it| {
                    (it.start..it.end).contains(&place)
                        && place.wrapping_add(it.shift).is_multiple_of(info::ALIGNMENT)
                })
        })
    }
}

/// Cuts a list where its frame ends, looking from `seen` on.
fn close(mut list: Vec<u8>, seen: usize) -> List {
    let tail = list.get(seen..).unwrap_or_default();
    if let Some(at) = memchr::memmem::find(tail, info::END) {
        list.truncate(seen + at);
        List::Whole(list)
    } else if list.len() > MAX_MODULES {
        List::Endless
    } else {
        List::Open(list)
    }
}
