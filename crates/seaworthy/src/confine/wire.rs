//! What a confined child writes to its standard output: one byte that says how
//! it went, then a body until the end of the stream.

/// The body is an encoded [`seaworthy_inventory::LayerRecords`].
pub(super) const RECORDS: u8 = b'R';

/// The body is a line that says why the layer cannot be read.
pub(super) const REFUSED: u8 = b'E';

/// Longest answer a parent accepts, in bytes.
pub(super) const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// Longest reason a parent prints, in characters.
pub(super) const LONGEST_REASON: usize = 400;
