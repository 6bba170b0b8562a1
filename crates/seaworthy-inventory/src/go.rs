//! Go: the build information that the linker leaves in executables.
//!
//! It names the toolchain, which becomes the package `stdlib`, and every module
//! that was linked, after replacements. A main module of version `(devel)` was
//! built from a working copy: it has no version that an advisory could speak of
//! and is not listed; neither is a module that was replaced by a folder of that
//! working copy. Where such a folder stands in for a published version, a gap
//! says so.
//!
//! Deliberately absent: Go programs in universal Mach-O files, and lists of
//! modules from source trees (`go.mod`), which are no evidence of what runs.

mod info;
mod modules;
mod search;

use seaworthy_image::FileFacts;

use crate::executable;
use crate::probe::{Probe, Scanner};
use crate::record::FileRecord;

/// The largest executable read whole, in bytes; larger ones are searched as they
/// stream by.
const LIMIT: u64 = 16 << 20;

/// No Go program is smaller, not even a packed one.
const SMALLEST: u64 = 64 << 10;

/// Reads the build information of Go executables.
pub(crate) struct Go;

impl Probe for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        file.is_executable() && file.size >= SMALLEST
    }

    fn wants_head(&self, head: &[u8]) -> bool {
        executable::is_executable(head)
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, _: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        match info::read(bytes) {
            Some(Ok(info)) => modules::list(&info, found),
            Some(Err(why)) => found.gap(why),
            None if executable::is_packed(bytes) => found.gap(PACKED),
            None if info::is_go(bytes) => found.gap(STRIPPED),
            // Not a Go program, as far as anybody can tell.
            None => {}
        }
    }

    fn scanner(&self, _: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        Some(Box::new(search::Search::default()))
    }
}

/// Why nothing of a packed program can be read.
const PACKED: &str = "packed with UPX: what it was built from cannot be read";

/// Why nothing is known of a program that is surely Go.
const STRIPPED: &str = "a Go program without its build information";

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::trial::read;

    /// Where the one segment of a made executable is loaded.
    const ADDRESS: u64 = 0x40_0000;

    /// A 64-bit little-endian ELF file whose one segment, from its first byte
    /// on, is writable data.
    fn elf(data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        for word in [0_u64, 64, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([1, 0, 0, 0, 6, 0, 0, 0]);
        let size = (HEADERS + data.len()) as u64;
        for word in [0, ADDRESS, ADDRESS, size, size, 16] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.resize(HEADERS, 0);
        bytes.extend(data);
        bytes.resize(bytes.len().max(70_000), 0);
        bytes
    }

    const HEADERS: usize = 128;

    fn framed(modules: &str) -> Vec<u8> {
        [info::START, modules.as_bytes(), info::END].concat()
    }

    fn short(text: &[u8]) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("a short text");
        assert!(length < 128);
        [&[length], text].concat()
    }

    fn inline(toolchain: &str, modules: &str) -> Vec<u8> {
        let mut data = [info::MAGIC, &[8, 2]].concat();
        data.resize(info::HEADER, 0);
        data.extend(short(toolchain.as_bytes()));
        data.extend(short(&framed(modules)));
        data
    }

    /// The form of before Go 1.18, with pointers of this width and order.
    fn pointers(width: u8, is_big: bool, toolchain: &str, modules: &str) -> Vec<u8> {
        let pointer = |value: usize| {
            let value = value as u64;
            let mut bytes = value.to_le_bytes().to_vec();
            bytes.truncate(width.into());
            if is_big {
                bytes.reverse();
            }
            bytes
        };
        let base = usize::try_from(ADDRESS).expect("a small address") + HEADERS;
        let framed = framed(modules);
        let (strings, texts) = (64, 128);
        let mut data = [info::MAGIC, &[width, u8::from(is_big)]].concat();
        data.extend(pointer(base + strings));
        data.extend(pointer(base + strings + 2 * usize::from(width)));
        data.resize(strings, 0);
        data.extend(pointer(base + texts));
        data.extend(pointer(toolchain.len()));
        data.extend(pointer(base + texts + toolchain.len()));
        data.extend(pointer(framed.len()));
        data.resize(texts, 0);
        data.extend(toolchain.as_bytes());
        data.extend(framed);
        data
    }

    const MODULES: &str = "path\tx\nmod\tx\t(devel)\t\ndep\ta.b/c\tv1.2.3\th1:x=\n";

    fn whole(bytes: &[u8]) -> FileRecord {
        let mut found = FileRecord::of("go", "bin/tool");
        let file = FileFacts {
            path: "bin/tool",
            mode: 0o755,
            size: bytes.len() as u64,
        };
        Go.read(&file, bytes, &mut found);
        found
    }

    #[test]
    fn texts_that_follow_their_header_are_read_whole_and_in_pieces() {
        let bytes = elf(&inline("go1.22.3", MODULES));
        assert_snapshot!(read(&Go, "bin/tool", bytes), @"
        stdlib 1.22.3
        a.b/c v1.2.3
        ");
        let empty = elf(&inline("go1.22.3", ""));
        assert_snapshot!(read(&Go, "bin/tool", empty), @"
        stdlib 1.22.3
        gap: a Go program built without modules: what is in it is not recorded
        ");
    }

    #[test]
    fn pointers_of_old_programs_are_followed() {
        for (width, is_big) in [(8, false), (4, false), (8, true), (4, true)] {
            let bytes = elf(&pointers(width, is_big, "go1.15.2", MODULES));
            let found = whole(&bytes);
            let names: Vec<&str> = found.packages.iter().map(|it| &*it.version).collect();
            assert_eq!(names, ["1.15.2", "v1.2.3"]);
            assert_eq!(found.gaps, [""; 0]);
        }
        let mut nowhere = pointers(8, false, "go1.15.2", MODULES);
        nowhere[16..24].fill(0xff);
        assert_eq!(
            whole(&elf(&nowhere)).gaps,
            ["Go build information that is damaged"]
        );
    }

    #[test]
    fn an_old_program_in_pieces_has_its_modules_and_a_gap() {
        let bytes = elf(&pointers(8, false, "go1.15.2", MODULES));
        let file = FileFacts {
            path: "bin/tool",
            mode: 0o755,
            size: bytes.len() as u64,
        };
        let mut found = FileRecord::of("go", "bin/tool");
        let mut scanner = Go.scanner(&file).expect("a scanner");
        for piece in bytes.chunks(11) {
            scanner.feed(piece, &mut found);
        }
        scanner.finish(&mut found);
        assert_eq!(found.packages.len(), 1);
        assert_eq!(
            found.gaps,
            ["Go build information: which toolchain built it could not be found"]
        );
    }

    #[test]
    fn a_header_outside_of_data_or_askew_is_none() {
        let mut askew = vec![0; 8];
        askew.extend(inline("go1.22.3", ""));
        assert_eq!(read(&Go, "bin/tool", elf(&askew)), "");
        let mut code = elf(&inline("go1.22.3", ""));
        code[68] = 5;
        assert_eq!(read(&Go, "bin/tool", code), "");
        assert_eq!(read(&Go, "bin/tool", elf(b"nothing of Go")), "");
    }

    #[test]
    fn a_program_that_only_shows_its_build_id_is_a_gap() {
        let gap = "gap: a Go program without its build information\n";
        let note = b"\x04\0\0\0\x20\0\0\0\x04\0\0\0Go\0\0abc";
        let text = b"\xff Go build ID: \"abc\"";
        let windows = |bytes: &[u8]| [b"MZ", bytes, &vec![0; 70_000]].concat();
        assert_eq!(read(&Go, "bin/tool", elf(note)), gap);
        assert_eq!(read(&Go, "bin/tool", windows(text)), gap);
        // Programs that look for it have the text too.
        assert_eq!(read(&Go, "bin/tool", elf(text)), "");
        let far = [&vec![0; 70_000][..], note].concat();
        assert_eq!(read(&Go, "bin/tool", elf(&far)), "");
    }

    #[test]
    fn a_packed_program_is_a_gap() {
        assert_snapshot!(read(&Go, "bin/tool", elf(b"UPX!")), @"gap: packed with UPX: what it was built from cannot be read");
    }

    #[test]
    fn only_executables_of_some_size_are_wanted() {
        let wants = |mode, size| {
            Go.wants(&FileFacts {
                path: "bin/tool",
                mode,
                size,
            })
        };
        assert!(wants(0o755, 1 << 30));
        assert!(!wants(0o644, 1 << 30));
        assert!(!wants(0o755, 4096));
        assert!(Go.wants_head(b"\x7fELF\x02") && Go.wants_head(b"MZ\x90"));
        assert!(Go.wants_head(b"\xcf\xfa\xed\xfe"));
        assert!(!Go.wants_head(b"#!/bin/sh\n") && !Go.wants_head(b""));
    }

    proptest! {
        #[test]
        fn damage_never_panics(
            damage in proptest::collection::vec((0_usize..600, any::<u8>()), 0..12),
            is_old: bool,
        ) {
            let data = if is_old {
                pointers(8, false, "go1.15.2", MODULES)
            } else {
                inline("go1.22.3", MODULES)
            };
            let mut bytes = elf(&data);
            for (at, value) in damage {
                bytes[at] = value;
            }
            whole(&bytes);
            let mut found = FileRecord::default();
            let mut scanner = Box::new(search::Search::default());
            scanner.feed(&bytes, &mut found);
            scanner.finish(&mut found);
        }

        #[test]
        fn any_bytes_behind_a_magic_never_panic(
            magic in 0_usize..5,
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            let magics: [&[u8]; 5] = [b"\x7fELF\x01\x01\x01", b"\x7fELF\x02\x02\x01", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce"];
            whole(&[magics[magic], &bytes].concat());
        }
    }
}
