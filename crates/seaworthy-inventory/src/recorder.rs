//! Offers each file of a layer to the probes and keeps what they say.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use seaworthy_image::{FileFacts, LayerTree, Sink};

use crate::budget::Budget;
use crate::layer::LayerRecords;
use crate::probe::{Probe, Scanner};
use crate::probes::PROBES;
use crate::record::FileRecord;

/// How much of a file [`Probe::wants_head`] sees, in bytes.
const HEAD: u64 = 64;

/// How much of a large file is read at once, in bytes.
const PIECE: usize = 64 << 10;

/// The buffer shrinks to this after a larger file, in bytes.
const KEPT: usize = 1 << 20;

/// The most files whose looking through is remembered, for links to them.
const MAX_LOOKED: usize = 1_000_000;

/// Receives the files of one layer, in any order, and remembers what the probes
/// find in them. Holds one file at a time, and of large files only a piece.
pub struct Recorder {
    probes: &'static [&'static dyn Probe],
    /// Records by path.
    files: BTreeMap<String, Vec<FileRecord>>,
    /// Files that probes have looked into, found something or not.
    looked: HashMap<Box<str>, Looked>,
    buffer: Vec<u8>,
    budget: Budget,
}

/// What is remembered of a file that was read.
#[derive(Clone, Copy, Debug)]
struct Looked {
    mode: u32,
    size: u64,
    /// Which probes judged it, as bits in the order of the table.
    by: u64,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::with(PROBES)
    }
}

impl Recorder {
    /// A recorder with all probes.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(probes: &'static [&'static dyn Probe]) -> Self {
        Self {
            probes,
            files: BTreeMap::new(),
            looked: HashMap::new(),
            buffer: Vec::new(),
            budget: Budget::default(),
        }
    }

    /// The layer has ended; `tree` is what its walk answered.
    pub fn finish(self, tree: LayerTree) -> LayerRecords {
        let mut files: Vec<FileRecord> = self.files.into_values().flatten().collect();
        if self.budget.is_overdrawn() {
            let mut rest = FileRecord::of("inventory", "");
            rest.gap("the layer holds more packages than can be kept");
            files.insert(0, rest);
        }
        LayerRecords { tree, files }
    }

    /// Probes that want `file`, with their bits.
    fn wanting(&self, file: &FileFacts<'_>) -> impl Iterator<Item = (u64, &'static dyn Probe)> {
        let file = *file;
        self.probes
            .iter()
            .enumerate()
            .filter(move |(_, probe)| probe.wants(&file))
            .map(|(at, probe)| (1 << at, *probe))
    }

    fn keep(&mut self, path: &str, records: Vec<FileRecord>) {
        let records: Vec<FileRecord> = records
            .into_iter()
            .filter(|record| !record.is_empty())
            .filter_map(|record| self.budget.spend(record))
            .collect();
        if !records.is_empty() {
            self.files.insert(path.to_owned(), records);
        }
    }

    /// A path is written (again): nothing said of it before holds.
    fn forget(&mut self, path: &str) {
        self.looked.remove(path);
        for record in self.files.remove(path).unwrap_or_default() {
            self.budget.refund(&record);
        }
    }

    fn remember(&mut self, path: &str, looked: Looked) {
        if self.looked.len() < MAX_LOOKED {
            self.looked.insert(path.into(), looked);
        }
    }

    fn read(
        &mut self,
        file: &FileFacts<'_>,
        content: &mut dyn Read,
        readers: &mut [Reader],
    ) -> io::Result<u64> {
        if readers.iter().any(|reader| reader.is_whole) {
            // A size is a claim; the buffer grows with what really comes.
            content.take(file.size).read_to_end(&mut self.buffer)?;
            for reader in readers {
                match &mut reader.scanner {
                    Some(scanner) => scanner.feed(&self.buffer, &mut reader.found),
                    None if reader.is_whole => {
                        reader.probe.read(file, &self.buffer, &mut reader.found);
                    }
                    None => {}
                }
            }
            return Ok(self.buffer.len() as u64);
        }
        let mut total = 0;
        loop {
            total += self.buffer.len() as u64;
            for reader in &mut *readers {
                if let Some(scanner) = &mut reader.scanner {
                    scanner.feed(&self.buffer, &mut reader.found);
                }
            }
            self.buffer.clear();
            if content.take(PIECE as u64).read_to_end(&mut self.buffer)? == 0 {
                return Ok(total);
            }
        }
    }
}

impl Sink for Recorder {
    fn wants(&self, file: &FileFacts<'_>) -> bool {
        self.wanting(file).next().is_some()
    }

    fn file(&mut self, file: &FileFacts<'_>, content: &mut dyn Read) -> io::Result<()> {
        self.forget(file.path);
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        content.take(HEAD).read_to_end(&mut self.buffer)?;

        let mut looked = Looked {
            mode: file.mode,
            size: file.size,
            by: 0,
        };
        let mut readers = Vec::new();
        for (bit, probe) in self.wanting(file) {
            looked.by |= bit;
            if probe.wants_head(&self.buffer) {
                readers.push(Reader::of(probe, file));
            }
        }
        self.remember(file.path, looked);
        if readers.iter().any(Reader::reads) {
            let came = self.read(file, content, &mut readers)?;
            if came < file.size {
                for reader in &mut readers {
                    let size = file.size;
                    reader
                        .found
                        .gap(format!("only {came} of {size} bytes came"));
                }
            }
        }
        let records = readers.into_iter().map(Reader::finish).collect();
        self.keep(file.path, records);
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) {
        if path == target {
            return;
        }
        self.forget(path);
        let looked = self.looked.get(target).copied();
        // A file that nobody wanted has a mode and a size that nobody wanted,
        // so only its new name can make a difference.
        let (mode, size) = looked.map_or((0o644, 1), |it| (it.mode, it.size));
        let by = looked.map_or(0, |it| it.by);
        let file = FileFacts { path, mode, size };
        let mut records = Vec::new();
        let mut now = 0;
        for (bit, probe) in self.wanting(&file) {
            now |= bit;
            let known = self.files.get(target).into_iter().flatten();
            let mut known = known
                .filter(|record| record.probe == probe.name())
                .peekable();
            if by & bit == 0 && known.peek().is_none() {
                let mut record = FileRecord::of(probe.name(), path);
                record.gap(format!(
                    "it is a second name for `{target}`, which was not read"
                ));
                records.push(record);
            }
            records.extend(known.map(|record| FileRecord {
                path: path.to_owned(),
                ..record.clone()
            }));
        }
        if now != 0 {
            let by = by & now;
            self.remember(path, Looked { mode, size, by });
        }
        self.keep(path, records);
    }

    fn symlink(&mut self, path: &str, target: &str) {
        self.forget(path);
        // Only its place can make it interesting: everybody may execute every
        // symbolic link, and most lead to a program that is met anyway.
        let file = FileFacts {
            path,
            mode: 0o644,
            size: 1,
        };
        let records = self
            .wanting(&file)
            .map(|(_, probe)| FileRecord {
                symlink: Some(target.to_owned()),
                ..FileRecord::of(probe.name(), path)
            })
            .collect();
        self.keep(path, records);
    }
}

/// One probe reading one file.
struct Reader {
    probe: &'static dyn Probe,
    found: FileRecord,
    is_whole: bool,
    scanner: Option<Box<dyn Scanner>>,
}

impl Reader {
    fn of(probe: &'static dyn Probe, file: &FileFacts<'_>) -> Self {
        let mut reader = Self {
            probe,
            found: FileRecord::of(probe.name(), file.path),
            is_whole: file.size <= probe.limit(),
            scanner: None,
        };
        if !reader.is_whole {
            reader.scanner = probe.scanner(file);
            if reader.scanner.is_none() {
                reader.found.gap(format!(
                    "its {} bytes are more than the {} that are read",
                    file.size,
                    probe.limit()
                ));
            }
        }
        reader
    }

    fn reads(&self) -> bool {
        self.is_whole || self.scanner.is_some()
    }

    fn finish(mut self) -> FileRecord {
        if let Some(scanner) = self.scanner {
            scanner.finish(&mut self.found);
        }
        self.found
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

    use std::fmt::Write;

    use insta::assert_snapshot;
    use seaworthy_core::PackageType;

    use super::*;
    use crate::record::{MAX_PACKAGES, PackageRecord};

    /// Wants `*list` and executables, reads up to 100 bytes, and finds a
    /// package for each word.
    struct Words;

    impl Probe for Words {
        fn name(&self) -> &'static str {
            "words"
        }
        fn version(&self) -> u32 {
            1
        }
        fn wants(&self, file: &FileFacts<'_>) -> bool {
            file.path.ends_with("list") || file.is_executable()
        }
        fn wants_head(&self, head: &[u8]) -> bool {
            assert!(head.len() <= 64);
            !head.starts_with(b"#")
        }
        fn limit(&self) -> u64 {
            100
        }
        fn read(&self, _: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
            for word in String::from_utf8_lossy(bytes).split_whitespace() {
                found.package(PackageRecord::recorded(&PackageType::Deb, word, "1"));
            }
        }
    }

    /// Counts the bytes of any `*list`, in pieces.
    struct Bytes;

    impl Probe for Bytes {
        fn name(&self) -> &'static str {
            "bytes"
        }
        fn version(&self) -> u32 {
            1
        }
        fn wants(&self, file: &FileFacts<'_>) -> bool {
            file.path.ends_with("list")
        }
        fn limit(&self) -> u64 {
            0
        }
        fn read(&self, _: &FileFacts<'_>, _: &[u8], _: &mut FileRecord) {}
        fn scanner(&self, _: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
            Some(Box::new(Count(0)))
        }
    }

    struct Count(usize);

    impl Scanner for Count {
        fn feed(&mut self, bytes: &[u8], _: &mut FileRecord) {
            self.0 += bytes.len();
        }
        fn finish(self: Box<Self>, found: &mut FileRecord) {
            let version = self.0.to_string();
            found.package(PackageRecord::recorded(
                &PackageType::Rpm,
                "bytes",
                &version,
            ));
        }
    }

    static TRIAL: &[&dyn Probe] = &[&Words, &Bytes];

    fn offer(recorder: &mut Recorder, path: &str, mode: u32, content: &[u8]) {
        let file = FileFacts {
            path,
            mode,
            size: content.len() as u64,
        };
        if recorder.wants(&file) {
            let content: &mut dyn Read = &mut &*content;
            recorder.file(&file, content).unwrap();
        }
    }

    fn said(recorder: Recorder) -> String {
        let mut text = String::new();
        for file in recorder.finish(LayerTree::default()).files {
            write!(text, "{} {}:", file.path, file.probe).unwrap();
            for package in &file.packages {
                write!(text, " {} {}", package.name, package.version).unwrap();
            }
            for why in file.gaps.iter().chain(&file.symlink) {
                write!(text, " [{why}]").unwrap();
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn every_probe_that_wants_a_file_sees_all_of_it() {
        let mut recorder = Recorder::with(TRIAL);
        offer(&mut recorder, "b.list", 0o644, b"one two");
        offer(&mut recorder, "bin/tool", 0o755, b"three");
        offer(&mut recorder, "bin/script", 0o755, b"# four");
        offer(&mut recorder, "empty.list", 0o644, b"");
        offer(&mut recorder, "long.list", 0o644, &vec![b'x'; 200_000]);
        offer(&mut recorder, "other", 0o644, b"five");
        assert_snapshot!(said(recorder), @r"
        b.list words: one 1 two 1
        b.list bytes: bytes 7
        bin/tool words: three 1
        long.list words: [its 200000 bytes are more than the 100 that are read]
        long.list bytes: bytes 200000
        ");
    }

    #[test]
    fn the_later_of_two_files_at_one_path_counts() {
        let mut recorder = Recorder::with(TRIAL);
        offer(&mut recorder, "a.list", 0o644, b"old");
        offer(&mut recorder, "a.list", 0o644, b"new");
        offer(&mut recorder, "b.list", 0o644, b"old");
        recorder.symlink("b.list", "a.list");
        offer(&mut recorder, "c.list", 0o644, b"old");
        recorder.link("c.list", "a.list");
        assert_snapshot!(said(recorder), @r"
        a.list words: new 1
        a.list bytes: bytes 3
        b.list words: [a.list]
        b.list bytes: [a.list]
        c.list words: new 1
        c.list bytes: bytes 3
        ");
    }

    #[test]
    fn a_second_name_for_a_file_nobody_read_is_a_gap() {
        let mut recorder = Recorder::with(TRIAL);
        offer(&mut recorder, "bin/tool", 0o755, b"three");
        offer(&mut recorder, "bin/script", 0o755, b"# four");
        offer(&mut recorder, "data", 0o644, b"five");
        // Read under any name, whether something was found or not.
        recorder.link("bin/tool-1", "bin/tool");
        recorder.link("bin/script-1", "bin/script");
        recorder.link("bin/script-2", "bin/script-1");
        // Nobody wants it under its new name either.
        recorder.link("data-1", "data");
        // Wanted by its new name only.
        recorder.link("data.list", "data");
        recorder.link("tool.list", "bin/tool");
        assert_snapshot!(said(recorder), @r"
        bin/tool words: three 1
        bin/tool-1 words: three 1
        data.list words: [it is a second name for `data`, which was not read]
        data.list bytes: [it is a second name for `data`, which was not read]
        tool.list words: three 1
        tool.list bytes: [it is a second name for `bin/tool`, which was not read]
        ");
    }

    #[test]
    fn a_file_that_ends_early_is_a_gap() {
        let mut recorder = Recorder::with(TRIAL);
        let file = FileFacts {
            path: "a.list",
            mode: 0o644,
            size: 20,
        };
        recorder.file(&file, &mut &b"one two"[..]).unwrap();
        assert_snapshot!(said(recorder), @r"
        a.list words: one 1 two 1 [only 7 of 20 bytes came]
        a.list bytes: bytes 7 [only 7 of 20 bytes came]
        ");
    }

    #[test]
    fn a_layer_brings_a_bounded_number_of_packages() {
        /// Finds as many packages as one file may bring.
        struct Many;
        impl Probe for Many {
            fn name(&self) -> &'static str {
                "many"
            }
            fn version(&self) -> u32 {
                1
            }
            fn wants(&self, _: &FileFacts<'_>) -> bool {
                true
            }
            fn limit(&self) -> u64 {
                100
            }
            fn read(&self, _: &FileFacts<'_>, _: &[u8], found: &mut FileRecord) {
                for _ in 0..=MAX_PACKAGES {
                    found.package(PackageRecord::recorded(&PackageType::Deb, "a", "1"));
                }
            }
        }
        static MANY: &[&dyn Probe] = &[&Many];
        let mut recorder = Recorder::with(MANY);
        offer(&mut recorder, "a", 0o644, b"");
        // Replacing gives back what the first one took.
        offer(&mut recorder, "a", 0o644, b"");
        offer(&mut recorder, "b", 0o644, b"");
        let records = recorder.finish(LayerTree::default());
        let counts: Vec<_> = records
            .files
            .iter()
            .map(|file| (&*file.path, file.packages.len(), file.gaps.len()))
            .collect();
        assert_eq!(counts, [("", 0, 1), ("a", MAX_PACKAGES, 1), ("b", 0, 1)]);
        let again = LayerRecords::decode(&records.encode()).unwrap();
        assert_eq!(again, records);
    }
}
