//! Build information in an executable that is held whole: a header of 32 bytes
//! at a multiple of 16 in the data, then the texts (since Go 1.18), or pointers
//! to them (before).

use crate::executable::{self, Segment};
use crate::field::{self, Order};

pub(super) const MAGIC: &[u8] = b"\xff Go buildinf:";

/// Bytes of the header, which starts with [`MAGIC`].
pub(super) const HEADER: usize = 32;

/// Headers stand at multiples of this address.
pub(super) const ALIGNMENT: u64 = 16;

/// The longest list of modules, in bytes. The longest honest ones, of programs
/// with a thousand modules, have a tenth of it.
pub(super) const MAX_MODULES: usize = 1 << 20;

/// The longest toolchain version, in bytes.
const MAX_VERSION: usize = 256;

/// How much of a file has all of its headers, in bytes. Tables of segments, and
/// notes, follow the first header in all files that linkers make.
pub(super) const PREFIX: usize = 64 << 10;

/// What goes around a list of modules, 16 bytes on each side.
pub(super) const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
pub(super) const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

/// What the build information says, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Info {
    /// The toolchain, such as `go1.22.3`; `None` where it could not be found.
    pub(super) toolchain: Option<String>,
    /// The list of modules, one per line; empty for a program built without.
    pub(super) modules: String,
}

/// What came of decoding inline texts.
pub(super) enum Inline {
    Done(Info),
    /// The bytes end before the texts do.
    Cut,
    Damaged,
}

/// Why a header leads nowhere.
const DAMAGED: &str = "Go build information that is damaged";

/// The build information of an executable, `None` where it has no header.
pub(super) fn read(bytes: &[u8]) -> Option<Result<Info, &'static str>> {
    let segments = executable::segments(bytes);
    // The linker gives it a section where the format has room for its name.
    let section = executable::section(bytes, &[".go.buildinfo", "__go_buildinfo"]);
    let parts = section.into_iter().chain(
        segments
            .iter()
            .filter(|it| it.is_data)
            .filter_map(|it| Some((it.address, field::slice64(bytes, it.offset, it.size)?))),
    );
    for (address, part) in parts {
        if let Some(at) = find(part, address) {
            let header = part.get(at..).unwrap_or_default();
            return Some(decode(header, bytes, &segments).ok_or(DAMAGED));
        }
    }
    None
}

/// The place of the first header in bytes that are loaded at `address`.
pub(super) fn find(part: &[u8], address: u64) -> Option<usize> {
    memchr::memmem::find_iter(part, MAGIC)
        .find(|at| address.wrapping_add(*at as u64).is_multiple_of(ALIGNMENT))
}

/// Whether the header is of the form whose texts follow it.
pub(super) fn is_inline(header: &[u8]) -> bool {
    header.get(15).is_some_and(|flags| flags & 2 != 0)
}

/// Decodes texts that follow their header.
pub(super) fn inline(header: &[u8]) -> Inline {
    let Some(texts) = header.get(HEADER..) else {
        return Inline::Cut;
    };
    let (version, rest) = match text(texts, MAX_VERSION) {
        Text::Whole(text, rest) => (text, rest),
        Text::Cut => return Inline::Cut,
        Text::TooLong => return Inline::Damaged,
    };
    match text(rest, MAX_MODULES) {
        Text::Whole(modules, _) => info(version, modules).map_or(Inline::Damaged, Inline::Done),
        Text::Cut => Inline::Cut,
        Text::TooLong => Inline::Damaged,
    }
}

enum Text<'a> {
    /// The text, and what follows it.
    Whole(&'a [u8], &'a [u8]),
    /// The bytes end before it does.
    Cut,
    TooLong,
}

/// Reads a text behind its length, which is written in groups of seven bits.
fn text(bytes: &[u8], longest: usize) -> Text<'_> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            if length > longest {
                return Text::TooLong;
            }
            let rest = bytes.get(at + 1..).unwrap_or_default();
            return match rest.split_at_checked(length) {
                Some((text, rest)) => Text::Whole(text, rest),
                None => Text::Cut,
            };
        }
    }
    if bytes.len() < 4 {
        Text::Cut
    } else {
        Text::TooLong
    }
}

fn info(version: &[u8], modules: &[u8]) -> Option<Info> {
    let version = String::from_utf8_lossy(version);
    Some(Info {
        toolchain: Some(version.into_owned())
            .filter(|it| !it.is_empty())?
            .into(),
        modules: unframed(modules),
    })
}

/// A list without its frame; none where there is no frame, as toolchains do it.
fn unframed(modules: &[u8]) -> String {
    let list = modules
        .split_at_checked(START.len())
        .and_then(|(_, rest)| rest.split_at_checked(rest.len().checked_sub(END.len())?))
        .map_or(&[][..], |(list, _)| list);
    if list.ends_with(b"\n") {
        String::from_utf8_lossy(list).into_owned()
    } else {
        String::new()
    }
}

fn decode(header: &[u8], bytes: &[u8], segments: &[Segment]) -> Option<Info> {
    if is_inline(header) {
        return match inline(header) {
            Inline::Done(info) => Some(info),
            Inline::Cut | Inline::Damaged => None,
        };
    }
    let order = match header.get(15)? & 1 {
        0 => Order::Little,
        _ => Order::Big,
    };
    let width = usize::from(*header.get(14)?);
    let pointer = |bytes: &[u8], at| match width {
        4 => field::u32(bytes, at, order).map(u64::from),
        8 => field::u64(bytes, at, order),
        _ => None,
    };
    let memory = |address: u64, length: u64| {
        segments.iter().find_map(|it| {
            let at = address.checked_sub(it.address)?;
            let ends_inside = at.checked_add(length)? <= it.size;
            let at = it.offset.checked_add(at).filter(|_| ends_inside)?;
            field::slice64(bytes, at, length)
        })
    };
    let text = |field: usize, longest: usize| {
        // The header points to a Go string: a pointer and a length.
        let string = memory(pointer(header, 16 + field * width)?, 2 * width as u64)?;
        let length = pointer(string, width)?;
        if length > longest as u64 {
            return None;
        }
        memory(pointer(string, 0)?, length)
    };
    let version = text(0, MAX_VERSION)?;
    // Programs that were built without modules have a null here.
    info(version, text(1, MAX_MODULES).unwrap_or_default())
}

/// Whether something other than build information shows that Go made it.
pub(super) fn is_go(bytes: &[u8]) -> bool {
    let names = [".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab"];
    has_build_id(bytes.get(..PREFIX).unwrap_or(bytes))
        || executable::section(bytes, &names).is_some()
}

/// Whether the start of a file has the id that Go gives to every build: in a
/// note of an ELF file, or else as the first bytes of the code. That text alone
/// would also be met in programs that look for it, such as this one.
pub(super) fn has_build_id(start: &[u8]) -> bool {
    let is_note = |at: usize| {
        let head = at.checked_sub(12);
        let number = |at, order| head.and_then(|head| field::u32(start, head + at, order));
        // The length of the name, and the kind of note.
        [Order::Little, Order::Big]
            .into_iter()
            .any(|order| (number(0, order), number(8, order)) == (Some(4), Some(4)))
    };
    if start.starts_with(b"\x7fELF") {
        memchr::memmem::find_iter(start, b"Go\0\0").any(is_note)
    } else {
        memchr::memmem::find(start, b"\xff Go build ID: \"").is_some()
    }
}
