//! An unpacked root directory, as if it were one layer.
//!
//! Whoever may open files is not whoever reads them: the directory is turned
//! into a tar of nothing but the wanted files, which a confined reader takes
//! like any other layer.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::path;
use crate::sink::FileFacts;
use crate::walk::{LINK_MODE, Limits};

/// Directories of the root in which the kernel or the boot mounts what is no
/// part of an image: processes, devices, sockets. They are skipped where they
/// are mounts of their own; in a root that nobody runs they are plain, mostly
/// empty directories, and read like all others.
const PSEUDO: [&[u8]; 4] = [b"proc", b"sys", b"dev", b"run"];

/// Something in the root that could not be read. It becomes a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Path inside the root, as in [`FileFacts::path`].
    pub path: Box<str>,
    /// Why, in a few words.
    pub why: Box<str>,
}

/// Why a root directory could not be turned into a layer.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It cannot be opened.
    #[error("cannot open the root directory `{path}`")]
    Open {
        /// As given.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no directory.
    #[error("`{0}` is not a directory")]
    NotADirectory(PathBuf),
    /// The tar could not be written.
    #[error("cannot pass the files on")]
    Write(#[source] io::Error),
}

/// Writes the files of the directory `root` that `wants` wants to `out`, as an
/// uncompressed tar in a fixed order, and answers with what could not be read.
///
/// `root` itself may be a symbolic link; no other is followed. Links at wanted
/// paths are passed on as links. Other file systems mounted inside are read, but
/// for `/proc`, `/sys`, `/dev` and `/run`.
pub fn write_root(
    root: &Path,
    limits: &Limits,
    wants: &dyn Fn(&FileFacts<'_>) -> bool,
    out: &mut dyn Write,
) -> Result<Vec<Unreadable>, RootError> {
    let open = |source| RootError::Open {
        path: root.to_owned(),
        source,
    };
    let facts = fs::metadata(root).map_err(open)?;
    if !facts.is_dir() {
        return Err(RootError::NotADirectory(root.to_owned()));
    }
    let root = fs::canonicalize(root).map_err(open)?;
    let mut tour = Tour {
        device: facts.dev(),
        limits,
        wants,
        tar: tar::Builder::new(out),
        unreadable: Vec::new(),
    };
    tour.folder(root)?;
    tour.tar.into_inner().map_err(RootError::Write)?;
    Ok(tour.unreadable)
}

struct Tour<'a, W: Write> {
    device: u64,
    limits: &'a Limits,
    wants: &'a dyn Fn(&FileFacts<'_>) -> bool,
    tar: tar::Builder<W>,
    unreadable: Vec<Unreadable>,
}

/// A directory that is being listed.
struct Folder {
    /// What is left of it, last name first.
    names: Vec<OsString>,
    /// Lengths of the two paths without the directory itself.
    outside: usize,
    inside: usize,
}

impl<W: Write> Tour<'_, W> {
    fn folder(&mut self, root: PathBuf) -> Result<(), RootError> {
        // Two paths grow and shrink together: the one to open, and the one in
        // the image, which is bytes.
        let mut outside = root.into_os_string().into_vec();
        let mut inside: Vec<u8> = Vec::new();
        let mut open: Vec<Folder> = Vec::new();
        match self.list(&outside, &inside) {
            Some(names) => open.push(Folder {
                names,
                outside: outside.len(),
                inside: 0,
            }),
            None => return Ok(()),
        }
        while let Some(folder) = open.last_mut() {
            outside.truncate(folder.outside);
            inside.truncate(folder.inside);
            let Some(name) = folder.names.pop() else {
                open.pop();
                continue;
            };
            if outside.last() != Some(&b'/') {
                outside.push(b'/');
            }
            outside.extend_from_slice(name.as_bytes());
            if !inside.is_empty() {
                inside.push(b'/');
            }
            inside.extend_from_slice(name.as_bytes());
            if inside.len() > self.limits.path_bytes || open.len() > self.limits.depth {
                self.miss(&inside, "the path is longer or deeper than the limits");
                continue;
            }
            let place = as_path(&outside);
            let facts = match fs::symlink_metadata(place) {
                Ok(facts) => facts,
                Err(error) => {
                    self.fail(&inside, &error);
                    continue;
                }
            };
            if facts.is_dir() {
                let is_mount = facts.dev() != self.device;
                if is_mount && PSEUDO.contains(&&*inside) {
                    continue;
                }
                if let Some(names) = self.list(&outside, &inside) {
                    open.push(Folder {
                        names,
                        outside: outside.len(),
                        inside: inside.len(),
                    });
                }
            } else if facts.is_symlink() {
                self.link(place, &inside, facts.len())?;
            } else if facts.is_file() {
                self.file(place, &inside, &facts)?;
            }
        }
        Ok(())
    }

    /// The names in a directory, last first.
    fn list(&mut self, outside: &[u8], inside: &[u8]) -> Option<Vec<OsString>> {
        let listed = fs::read_dir(as_path(outside)).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<io::Result<Vec<_>>>()
        });
        match listed {
            Ok(mut names) => {
                names.sort_unstable_by(|left, right| right.cmp(left));
                Some(names)
            }
            Err(error) => {
                self.fail(inside, &error);
                None
            }
        }
    }

    fn link(&mut self, place: &Path, inside: &[u8], size: u64) -> Result<(), RootError> {
        let name = decoded(inside);
        let facts = FileFacts {
            path: &name,
            mode: LINK_MODE,
            size,
        };
        if !(self.wants)(&facts) {
            return Ok(());
        }
        match fs::read_link(place) {
            Ok(target) => {
                let mut header = header(tar::EntryType::Symlink, 0o777, 0);
                self.tar
                    .append_link(&mut header, as_path(inside), target)
                    .map_err(RootError::Write)
            }
            Err(error) => {
                self.fail(inside, &error);
                Ok(())
            }
        }
    }

    fn file(&mut self, place: &Path, inside: &[u8], listed: &Metadata) -> Result<(), RootError> {
        let name = decoded(inside);
        let facts = FileFacts {
            path: &name,
            mode: listed.mode() & 0o7777,
            size: listed.len(),
        };
        if !(self.wants)(&facts) {
            return Ok(());
        }
        let opened = File::open(place).and_then(|file| {
            let facts = file.metadata()?;
            // Whoever can write here may have put a link in its place.
            if (facts.dev(), facts.ino()) != (listed.dev(), listed.ino()) {
                return Err(io::Error::other("it was replaced while it was read"));
            }
            Ok((file, facts.len()))
        });
        let (file, size) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.fail(inside, &error);
                return Ok(());
            }
        };
        let mut content = Exactly {
            file,
            left: size,
            trouble: None,
        };
        let mut header = header(tar::EntryType::Regular, listed.mode() & 0o7777, size);
        self.tar
            .append_data(&mut header, as_path(inside), &mut content)
            .map_err(RootError::Write)?;
        if let Some(trouble) = content.trouble {
            self.miss(inside, &trouble);
        }
        Ok(())
    }

    /// What was listed and is gone was deleted meanwhile: it is no longer part of
    /// the root, so nothing is missed.
    fn fail(&mut self, inside: &[u8], error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.miss(inside, &error.to_string());
        }
    }

    fn miss(&mut self, inside: &[u8], why: &str) {
        self.unreadable.push(Unreadable {
            path: decoded(inside).into(),
            why: why.into(),
        });
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn decoded(inside: &[u8]) -> String {
    let mut name = String::new();
    path::decode(inside, &mut name);
    name
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// A file as long as its header says: cut where it grew, filled with zeros and
/// remembered where it shrank or failed.
struct Exactly {
    file: File,
    left: u64,
    trouble: Option<String>,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = if self.trouble.is_some() {
            0
        } else {
            match self.file.read(buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    self.trouble = Some(error.to_string());
                    0
                }
            }
        };
        let count = if count == 0 {
            self.trouble
                .get_or_insert_with(|| "it shrank while it was read".to_owned());
            buffer.fill(0);
            wanted
        } else {
            count
        };
        self.left -= count as u64;
        Ok(count)
    }
}
