//! What a probe is.

use seaworthy_image::FileFacts;

use crate::record::FileRecord;

/// Knows one kind of package record. A probe sees one file at a time and knows
/// nothing of layers, other files, networks or advisories.
pub trait Probe: Sync {
    /// A short name: the ecosystem's own (`dpkg`, `rpm`, `jar`).
    fn name(&self) -> &'static str;

    /// Raised whenever the probe would answer differently for the same bytes;
    /// remembered layers are then read again.
    fn version(&self) -> u32;

    /// Whether it wants a file, judged by path, mode and size alone. Asked for
    /// every file of every image: no allocation here.
    fn wants(&self, file: &FileFacts<'_>) -> bool;

    /// Whether it still wants it after seeing the first bytes (up to 64).
    fn wants_head(&self, head: &[u8]) -> bool {
        let _ = head;
        true
    }

    /// The largest file it reads whole, in bytes. Larger ones go to
    /// [`Probe::scanner`], and become a gap where there is none.
    fn limit(&self) -> u64;

    /// Reads a whole file. Trouble goes into `found` as a gap; it cannot fail.
    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord);

    /// A reader for files above [`Probe::limit`] that keeps only a bounded part.
    fn scanner(&self, file: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        let _ = file;
        None
    }
}

/// Reads a file piece by piece, and so a file of any size.
pub trait Scanner {
    /// The next bytes, in order.
    fn feed(&mut self, bytes: &[u8], found: &mut FileRecord);

    /// The file has ended.
    fn finish(self: Box<Self>, found: &mut FileRecord);
}
