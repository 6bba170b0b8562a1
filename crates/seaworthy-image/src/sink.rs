//! Who receives the files of a layer.

use std::io::{self, Read};

/// What a layer says of one regular file, before its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts<'a> {
    /// Path inside the layer: relative, without `.`, `..` or empty components.
    /// Bytes that are not UTF-8 stand as private characters (U+10FE00 and up),
    /// so that two names never become one.
    pub path: &'a str,
    /// Permission bits.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
}

impl FileFacts<'_> {
    /// The last component of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Whether anybody may execute it.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// Receives each regular file of a layer once, in the layer's own order.
///
/// A path may come twice in one layer; the later one replaces the earlier.
pub trait Sink {
    /// Whether the bytes of this file matter, judged by its facts alone. Asked
    /// for every file, so it must be cheap; bytes of other files are skipped.
    fn wants(&self, file: &FileFacts<'_>) -> bool;

    /// Receives a wanted file. `content` yields at most `file.size` bytes and is
    /// valid during the call only; what is left unread is skipped.
    ///
    /// # Errors
    ///
    /// Only errors that `content` itself gave: they end the walk. What is wrong
    /// with the bytes is the receiver's to remember.
    fn file(&mut self, file: &FileFacts<'_>, content: &mut dyn Read) -> io::Result<()>;

    /// A second name for a file: from now on `path` has the content that `target`
    /// had. Both are clean paths as in [`FileFacts::path`]. A hostile layer may
    /// name a target that it does not have, or that was not wanted.
    fn link(&mut self, path: &str, target: &str);

    /// A symbolic link at a path that [`Sink::wants`] would want as a file.
    /// `target` is as written in the layer.
    fn symlink(&mut self, path: &str, target: &str);
}
