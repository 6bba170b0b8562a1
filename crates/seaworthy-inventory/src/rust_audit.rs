//! Rust: the list of crates that `cargo auditable` leaves in executables, a
//! compressed JSON document in a section of its own.
//!
//! Listed are the crates that ended up in the program and its root package.
//! Crates from a registry are recorded as such. The root, and crates from a git
//! repository, carry the name and version of a registry crate or of nothing at
//! all, so they are marked as guessed. Other crates of the same working copy are
//! part of the root and not listed. Crates that only built the program are no
//! part of it.
//!
//! Deliberately absent: programs built without `cargo auditable`, of which
//! nothing can be said, and the graph of dependencies.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;
use serde::Deserialize;

use crate::executable;
use crate::probe::{Probe, Scanner};
use crate::record::{FileRecord, PackageRecord};

/// The largest executable read whole, in bytes; larger ones are searched as they
/// stream by.
const LIMIT: u64 = 16 << 20;

/// No Rust program with such a list is smaller.
const SMALLEST: u64 = 4096;

/// The section, the same in ELF, PE and Mach-O.
const SECTION: &str = ".dep-v0";

/// The longest list, in bytes of JSON. A crate takes about a hundred.
const MAX_LIST: usize = 8 << 20;

/// What every list starts with.
const LIST_START: &[u8] = b"{\"packages\":[";

/// Reads lists of crates in Rust executables.
pub(crate) struct RustAudit;

impl Probe for RustAudit {
    fn name(&self) -> &'static str {
        "rust"
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
        if let Some((_, section)) = executable::section(bytes, &[SECTION]) {
            let mut stream = Stream::default();
            stream.feed(section);
            stream.finish(found);
        }
    }

    fn scanner(&self, _: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        Some(Box::new(Search::default()))
    }
}

/// The document, as far as it matters here.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    packages: Vec<Crate<'a>>,
}

#[derive(Deserialize)]
struct Crate<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    /// `build` or `runtime`; the latter may be left out.
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    root: bool,
}

fn list(json: &[u8], found: &mut FileRecord) {
    let list: List<'_> = match serde_json::from_slice(json) {
        Ok(list) => list,
        Err(why) => return found.gap(format!("list of Rust crates: {why}")),
    };
    for item in list.packages {
        if item.kind.as_deref() == Some("build") {
            continue;
        }
        let is_registered = matches!(&*item.source, "crates.io" | "registry");
        if item.source == "local" && !item.root {
            continue;
        }
        found.package(PackageRecord {
            guessed: !is_registered,
            ..PackageRecord::recorded(&PackageType::Cargo, &item.name, &item.version)
        });
    }
}

/// A compressed list that is being inflated.
struct Stream {
    inflater: Decompress,
    json: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Whole,
    Damaged,
    TooLong,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            inflater: Decompress::new(true),
            json: Vec::new(),
            state: State::Open,
        }
    }
}

impl Stream {
    fn feed(&mut self, mut bytes: &[u8]) {
        while self.state == State::Open {
            self.json.reserve(32 << 10);
            let before = (self.inflater.total_in(), self.inflater.total_out());
            let status = self
                .inflater
                .decompress_vec(bytes, &mut self.json, FlushDecompress::None);
            let taken = self.inflater.total_in() - before.0;
            bytes = usize::try_from(taken)
                .ok()
                .and_then(|taken| bytes.get(taken..))
                .unwrap_or_default();
            let is_stuck = before == (self.inflater.total_in(), self.inflater.total_out());
            self.state = match status {
                _ if self.json.len() > MAX_LIST => State::TooLong,
                Ok(Status::StreamEnd) => State::Whole,
                Err(_) => State::Damaged,
                Ok(Status::Ok | Status::BufError) if is_stuck => return,
                Ok(Status::Ok | Status::BufError) => State::Open,
            };
        }
    }

    fn finish(&self, found: &mut FileRecord) {
        match self.state {
            State::Whole => list(&self.json, found),
            State::Open => found.gap("list of Rust crates: cut off"),
            State::Damaged => found.gap("list of Rust crates: damaged compression"),
            State::TooLong => found.gap(format!("list of Rust crates: more than {MAX_LIST} bytes")),
        }
    }
}

/// How much is looked at at once, in bytes.
const PIECE: usize = 64 << 10;

/// How much of a stream is inflated to see whether it is a list, in bytes. What
/// comes before the first character of a list is a table of at most 300.
const TRIAL: usize = 512;

/// The most streams tried. What starts like a stream by accident is found about
/// fifty times per megabyte of noise.
const MAX_TRIALS: u32 = 1 << 18;

/// Looks for the list in an executable that streams by. The table that says
/// where its section lies comes last in the file, when the section has passed;
/// so everything that could be a compressed stream is tried, up to a ceiling.
struct Search {
    window: Vec<u8>,
    trials: u32,
    inflater: Decompress,
    output: Vec<u8>,
    stream: Option<Stream>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            window: Vec::new(),
            trials: 0,
            inflater: Decompress::new(true),
            output: Vec::with_capacity(LIST_START.len()),
            stream: None,
        }
    }
}

impl Scanner for Search {
    fn feed(&mut self, bytes: &[u8], _: &mut FileRecord) {
        for piece in bytes.chunks(PIECE) {
            if let Some(stream) = &mut self.stream {
                stream.feed(piece);
                continue;
            }
            self.window.extend_from_slice(piece);
            let end = self.window.len().saturating_sub(TRIAL);
            self.look(end);
            self.window.drain(..end);
        }
    }

    fn finish(mut self: Box<Self>, found: &mut FileRecord) {
        if self.stream.is_none() {
            self.look(self.window.len());
        }
        match &self.stream {
            Some(stream) => stream.finish(found),
            None if self.trials >= MAX_TRIALS => {
                found.gap("list of Rust crates: too much of the file looks like one");
            }
            None => {}
        }
    }
}

impl Search {
    /// Tries every stream that starts before `end`.
    fn look(&mut self, end: usize) {
        let starts = memchr::memchr_iter(0x78, self.window.get(..end).unwrap_or_default());
        for at in starts {
            let stream = self.window.get(at..).unwrap_or_default();
            // The second byte has flags, and makes the two divisible by 31.
            if !matches!(stream, [_, 0x01 | 0x5e | 0x9c | 0xda, ..]) || self.trials >= MAX_TRIALS {
                continue;
            }
            self.trials += 1;
            self.inflater.reset(true);
            self.output.clear();
            let trial = stream.get(..TRIAL).unwrap_or(stream);
            // Noise that is not even deflate is an error here, and no list.
            let _ = self
                .inflater
                .decompress_vec(trial, &mut self.output, FlushDecompress::None);
            if self.output == LIST_START {
                let mut list = Stream::default();
                list.feed(stream);
                self.stream = Some(list);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn compressed(json: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(7));
        encoder
            .write_all(json.as_bytes())
            .expect("memory takes any bytes");
        encoder.finish().expect("memory takes any bytes")
    }

    fn lines(found: &FileRecord) -> String {
        let packages = found.packages.iter().map(|it| {
            let guess = if it.guessed { " guessed" } else { "" };
            format!("{} {}{guess}", it.name, it.version)
        });
        let gaps = found.gaps.iter().map(|it| format!("gap: {it}"));
        packages.chain(gaps).collect::<Vec<_>>().join("\n")
    }

    fn stream(bytes: &[u8]) -> String {
        let mut found = FileRecord::default();
        let mut stream = Stream::default();
        stream.feed(bytes);
        stream.finish(&mut found);
        lines(&found)
    }

    fn search(bytes: &[u8], piece: usize) -> String {
        let mut found = FileRecord::default();
        let mut search = Box::new(Search::default());
        for piece in bytes.chunks(piece) {
            search.feed(piece, &mut found);
        }
        search.finish(&mut found);
        lines(&found)
    }

    const LIST: &str = r#"{"packages":[
        {"name":"serde","version":"1.0.217","source":"crates.io","dependencies":[1,2]},
        {"name":"syn","version":"2.0.95","source":"crates.io","kind":"build"},
        {"name":"forked","version":"0.3.0","source":"git"},
        {"name":"inner","version":"0.1.0","source":"local"},
        {"name":"mirror","version":"1.0.0","source":"registry","kind":"runtime"},
        {"name":"tool","version":"0.1.0","source":"local","root":true,"later":{"a":[1]}}
    ],"format":8}"#;

    #[test]
    fn crates_in_the_program_are_listed() {
        assert_snapshot!(stream(&compressed(LIST)), @"
        serde 1.0.217
        forked 0.3.0 guessed
        mirror 1.0.0
        tool 0.1.0 guessed
        ");
    }

    #[test]
    fn what_is_no_list_is_a_gap() {
        assert_snapshot!(stream(b""), @"gap: list of Rust crates: cut off");
        assert_snapshot!(stream(b"noise"), @"gap: list of Rust crates: damaged compression");
        assert_snapshot!(stream(&compressed("{}")), @"gap: list of Rust crates: missing field `packages` at line 1 column 2");
        let bomb = compressed(&" ".repeat(MAX_LIST + 1));
        assert_snapshot!(stream(&bomb), @"gap: list of Rust crates: more than 8388608 bytes");
    }

    #[test]
    fn a_list_is_found_wherever_pieces_are_cut() {
        let list = LIST.replace("\n        ", "").replace("\n    ", "");
        let mut bytes = [&[0x78, 0x9c][..], &compressed("other"), &[0x78; 700]].concat();
        bytes.extend(compressed(&list));
        let expected = stream(&compressed(LIST));
        for piece in [1, 7, 100, 513, 10_000] {
            assert_eq!(search(&bytes, piece), expected);
            let padded = [&bytes[..], &[0; 2000]].concat();
            assert_eq!(search(&padded, piece), expected);
        }
        assert_eq!(search(b"nothing", 3), "");
        assert_snapshot!(search(&bytes[..bytes.len() - 9], 100), @"gap: list of Rust crates: cut off");
    }

    #[test]
    fn a_file_full_of_beginnings_is_a_gap() {
        let bytes = [0x78, 0x9c].repeat(MAX_TRIALS as usize + 1000);
        assert_snapshot!(search(&bytes, 1 << 20), @"gap: list of Rust crates: too much of the file looks like one");
    }

    proptest! {
        #[test]
        fn damage_never_panics(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut bytes = compressed(LIST);
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            prop_assert!(!stream(&bytes).is_empty());
            search(&bytes, 50);
        }
    }
}
