//! The front of a file, mapped. The only unsafe code of the workspace lives
//! here.

use std::fs::File;
use std::io;

/// Maps the first `length` bytes of `file`, which must have them. Nothing is
/// read yet.
pub(crate) fn front(file: &File, length: usize) -> io::Result<memmap2::Mmap> {
    // SAFETY: a mapping is sound as long as nobody changes or shortens the file
    // beneath it. Editions are written under another name, renamed into place
    // once complete, and only ever unlinked after that, which leaves the mapped
    // bytes alone. They lie in the user's own data folder: who can write there
    // can replace the program as well.
    #[expect(unsafe_code, reason = "mapping a file is unsafe by nature; see above")]
    unsafe {
        memmap2::MmapOptions::new().len(length).map(file)
    }
}
