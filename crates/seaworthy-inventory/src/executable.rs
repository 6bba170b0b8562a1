//! Executables, as far as finding things in them takes: which bytes of the file
//! are loaded where, and where a section of a given name lies. ELF, PE and
//! Mach-O of both word sizes and byte orders; no symbols, no relocations.
//!
//! Everything works on the first bytes of a file too, as far as its tables are
//! among them.

use std::ops::ControlFlow;

use object::endian::{Endianness, LittleEndian};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::macho::{LoadCommandVariant, MachHeader, Section as _};
use object::read::pe::ImageNtHeaders;
use object::{elf, macho, pe};

use crate::field;

/// The permission bits of a Mach-O segment that may be read and written.
const READ_WRITE: u32 = macho::VM_PROT_READ.0 | macho::VM_PROT_WRITE.0;

/// The most segments that are looked at. Linkers make a dozen; a search through
/// each of very many would take time without end.
const MAX_SEGMENTS: usize = 64;

/// A stretch of the file that is loaded into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where it is loaded.
    pub(crate) address: u64,
    /// Where it lies in the file.
    pub(crate) offset: u64,
    /// Its bytes in the file.
    pub(crate) size: u64,
    /// Whether it is writable and not code.
    pub(crate) is_data: bool,
}

/// Whether a file that starts like this is an executable we can look into.
pub(crate) fn is_executable(head: &[u8]) -> bool {
    head.starts_with(b"MZ")
        || matches!(
            head.first_chunk(),
            Some(
                b"\x7fELF"
                    | b"\xfe\xed\xfa\xce"
                    | b"\xfe\xed\xfa\xcf"
                    | b"\xce\xfa\xed\xfe"
                    | b"\xcf\xfa\xed\xfe"
            )
        )
}

/// Whether it was packed by UPX: then nothing of it can be read as it lies.
pub(crate) fn is_packed(start: &[u8]) -> bool {
    let start = start.get(..4096).unwrap_or(start);
    memchr::memmem::find(start, b"UPX!").is_some()
}

/// What is loaded from the file; empty where its headers are damaged.
pub(crate) fn segments(bytes: &[u8]) -> Vec<Segment> {
    let mut segments = Vec::new();
    // Damage ends the walk; what came before it still counts.
    let _ = visit(bytes, &mut |place| {
        if let Place::Segment(segment) = place {
            segments.push(segment);
        }
        match segments.len() {
            ..MAX_SEGMENTS => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    });
    segments
}

/// The bytes of the first section that has one of these names, and its address.
pub(crate) fn section<'a>(bytes: &'a [u8], names: &[&str]) -> Option<(u64, &'a [u8])> {
    let mut found = None;
    let _ = visit(bytes, &mut |place| match place {
        Place::Section(section) if names.iter().any(|name| section.is_named(name)) => {
            found = Some((section.address, section.offset, section.size));
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    let (address, offset, size) = found?;
    Some((address, field::slice64(bytes, offset, size)?))
}

enum Place<'a> {
    Segment(Segment),
    Section(Section<'a>),
}

struct Section<'a> {
    /// The name, and what may follow it after a zero byte.
    name: &'a [u8],
    address: u64,
    offset: u64,
    size: u64,
}

impl Section<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.name
            .strip_prefix(name.as_bytes())
            .is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
    }
}

type Visitor<'v, 'a> = &'v mut dyn FnMut(Place<'a>) -> ControlFlow<()>;

/// Visits segments and sections in the order of the file's tables. `None` where
/// the tables are damaged or not all there, or the visitor has had enough.
fn visit<'a>(bytes: &'a [u8], visitor: Visitor<'_, 'a>) -> Option<()> {
    match bytes.first_chunk()? {
        b"\x7fELF" => match bytes.get(4)? {
            1 => elf_file(
                elf::FileHeader32::<Endianness>::parse(bytes).ok()?,
                bytes,
                visitor,
            ),
            _ => elf_file(
                elf::FileHeader64::<Endianness>::parse(bytes).ok()?,
                bytes,
                visitor,
            ),
        },
        [b'M', b'Z', _, _] => pe_file(bytes, visitor),
        b"\xfe\xed\xfa\xce" | b"\xce\xfa\xed\xfe" => macho_file(
            macho::MachHeader32::<Endianness>::parse(bytes, 0).ok()?,
            bytes,
            visitor,
        ),
        b"\xfe\xed\xfa\xcf" | b"\xcf\xfa\xed\xfe" => macho_file(
            macho::MachHeader64::<Endianness>::parse(bytes, 0).ok()?,
            bytes,
            visitor,
        ),
        _ => None,
    }
}

fn elf_file<'a, H: FileHeader<Endian = Endianness>>(
    header: &H,
    bytes: &'a [u8],
    visitor: Visitor<'_, 'a>,
) -> Option<()> {
    let endian = header.endian().ok()?;
    for segment in header.program_headers(endian, bytes).ok()? {
        if segment.p_type(endian) != elf::PT_LOAD {
            continue;
        }
        let (offset, size) = segment.file_range(endian);
        let flags = segment.p_flags(endian).0;
        let segment = Segment {
            address: segment.p_vaddr(endian).into(),
            offset,
            size,
            is_data: flags & (elf::PF_W | elf::PF_X).0 == elf::PF_W.0,
        };
        go_on(visitor(Place::Segment(segment)))?;
    }
    let sections = header.section_headers(endian, bytes).ok()?;
    let names = header.shstrndx(endian, bytes).ok()? as usize;
    let (names_offset, names_size) = sections.get(names)?.file_range(endian)?;
    let names = field::slice64(bytes, names_offset, names_size)?;
    for section in sections {
        let name = section.sh_name(endian) as usize;
        // Without content in the file, as `.bss`.
        let Some((offset, size)) = section.file_range(endian) else {
            continue;
        };
        let section = Section {
            name: names.get(name..).unwrap_or_default(),
            address: section.sh_addr(endian).into(),
            offset,
            size,
        };
        go_on(visitor(Place::Section(section)))?;
    }
    Some(())
}

fn pe_file<'a>(bytes: &'a [u8], visitor: Visitor<'_, 'a>) -> Option<()> {
    let dos = pe::ImageDosHeader::parse(bytes).ok()?;
    let start = u64::from(dos.nt_headers_offset());
    let (mut at64, mut at32) = (start, start);
    let sections = match pe::ImageNtHeaders64::parse(bytes, &mut at64) {
        Ok((header, _)) => header.sections(bytes, at64),
        Err(_) => pe::ImageNtHeaders32::parse(bytes, &mut at32)
            .ok()?
            .0
            .sections(bytes, at32),
    }
    .ok()?;
    let data =
        (pe::IMAGE_SCN_CNT_INITIALIZED_DATA | pe::IMAGE_SCN_MEM_READ | pe::IMAGE_SCN_MEM_WRITE).0;
    for section in sections.iter() {
        let number = |field: object::U32<LittleEndian>| u64::from(field.get(LittleEndian));
        let (address, offset) = (
            number(section.virtual_address),
            number(section.pointer_to_raw_data),
        );
        // The file has whole blocks; what is meant of them may be less.
        let size = number(section.size_of_raw_data);
        let meant = match number(section.virtual_size) {
            0 => size,
            meant => size.min(meant),
        };
        let flags = section.characteristics.get(LittleEndian).0;
        let segment = Segment {
            address,
            offset,
            size,
            is_data: flags & (data | pe::IMAGE_SCN_MEM_EXECUTE.0) == data,
        };
        go_on(visitor(Place::Segment(segment)))?;
        let section = Section {
            name: &section.name,
            address,
            offset,
            size: meant,
        };
        go_on(visitor(Place::Section(section)))?;
    }
    Some(())
}

fn macho_file<'a, H: MachHeader<Endian = Endianness>>(
    header: &'a H,
    bytes: &'a [u8],
    visitor: Visitor<'_, 'a>,
) -> Option<()> {
    let endian = header.endian().ok()?;
    let mut commands = header.load_commands(endian, bytes, 0).ok()?;
    while let Some(command) = commands.next().ok()? {
        match command.variant().ok()? {
            LoadCommandVariant::Segment32(segment, sections) => {
                macho_segment(segment, endian, sections, visitor)?;
            }
            LoadCommandVariant::Segment64(segment, sections) => {
                macho_segment(segment, endian, sections, visitor)?;
            }
            _ => {}
        }
    }
    Some(())
}

fn macho_segment<'a, S: object::read::macho::Segment<Endian = Endianness>>(
    segment: &S,
    endian: Endianness,
    sections: &'a [u8],
    visitor: Visitor<'_, 'a>,
) -> Option<()> {
    let (offset, size) = segment.file_range(endian);
    let place = Segment {
        address: segment.vmaddr(endian).into(),
        offset,
        size,
        is_data: segment.initprot(endian).0 == READ_WRITE,
    };
    go_on(visitor(Place::Segment(place)))?;
    for section in segment.sections(endian, sections).ok()? {
        // Without content in the file.
        let Some((offset, size)) = section.file_range(endian, section.offset(endian).into()) else {
            continue;
        };
        let section = Section {
            name: section.sectname(),
            address: section.addr(endian).into(),
            offset,
            size,
        };
        go_on(visitor(Place::Section(section)))?;
    }
    Some(())
}

fn go_on(flow: ControlFlow<()>) -> Option<()> {
    match flow {
        ControlFlow::Continue(()) => Some(()),
        ControlFlow::Break(()) => None,
    }
}
