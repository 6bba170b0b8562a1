//! One layer in the making.

use std::io::Write;

use super::{Blob, Layer};

/// How a layer is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Compression {
    #[default]
    Gzip,
    Zstd,
    None,
}

/// A layer in the making: entries in the order they are added. Directories are
/// entries like any other and are not added for their content.
#[derive(Clone, Debug, Default)]
pub struct LayerBuilder {
    tar: Vec<u8>,
    compression: Compression,
    created_by: Option<String>,
    /// Replaces everything else, where set.
    blob: Option<Blob>,
}

impl LayerBuilder {
    /// Keeps the layer gzip-compressed, as is the default.
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.compression = Compression::Gzip;
        self
    }

    /// Keeps the layer zstd-compressed.
    #[must_use]
    pub fn zstd(mut self) -> Self {
        self.compression = Compression::Zstd;
        self
    }

    /// Keeps the layer uncompressed.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.compression = Compression::None;
        self
    }

    /// The build instruction in the history.
    #[must_use]
    pub fn created_by(mut self, instruction: &str) -> Self {
        self.created_by = Some(instruction.to_owned());
        self
    }

    /// A regular file that nobody may execute.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, content, 0o644)
    }

    /// A regular file that everybody may execute.
    #[must_use]
    pub fn program(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, content, 0o755)
    }

    /// A regular file.
    #[must_use]
    pub fn file_with_mode(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        self.entry(b'0', path.as_bytes(), b"", mode, content.as_ref())
    }

    /// A directory.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        let path = format!("{}/", path.trim_end_matches('/'));
        self.entry(b'5', path.as_bytes(), b"", 0o755, b"")
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path.as_bytes(), target.as_bytes(), 0o777, b"")
    }

    /// A second name for the file at `target`.
    #[must_use]
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        let target = target.trim_start_matches('/');
        self.entry(b'1', path.as_bytes(), target.as_bytes(), 0o644, b"")
    }

    /// Takes away `path` of the layers below.
    #[must_use]
    pub fn whiteout(self, path: &str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.file(&format!("{folder}/.wh.{name}"), "")
    }

    /// Takes away what the layers below have inside the directory `path`.
    #[must_use]
    pub fn opaque(self, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        self.file(&format!("{path}/.wh..wh..opq"), "")
    }

    /// Any entry, as hostile as it may be: `kind` is the tar type flag, names
    /// are written as they are but for one leading slash.
    #[must_use]
    pub fn entry(mut self, kind: u8, path: &[u8], link: &[u8], mode: u32, content: &[u8]) -> Self {
        let path = path.strip_prefix(b"/").unwrap_or(path);
        for (kind, name) in [(b'L', path), (b'K', link)] {
            if name.len() > 100 {
                let mut name = name.to_vec();
                name.push(0);
                self.member(kind, b"././@LongLink", b"", 0o644, &name);
            }
        }
        self.member(kind, path, link, mode, content);
        self
    }

    /// A pax extended header for the next entry.
    #[must_use]
    pub fn pax(mut self, records: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            // The length counts its own digits.
            let mut length = rest.len() + 1;
            while length != rest.len() + length.to_string().len() {
                length = rest.len() + length.to_string().len();
            }
            body.push_str(&length.to_string());
            body.push_str(&rest);
        }
        self.member(b'x', b"PaxHeaders/entry", b"", 0o644, body.as_bytes());
        self
    }

    /// Bytes put into the tar as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// Keeps this blob in place of what was built.
    #[must_use]
    pub fn blob(mut self, blob: Blob) -> Self {
        self.blob = Some(blob);
        self
    }

    fn member(&mut self, kind: u8, path: &[u8], link: &[u8], mode: u32, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        let copy = |to: &mut [u8], from: &[u8]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        };
        copy(&mut header.as_old_mut().name, path);
        copy(&mut header.as_old_mut().linkname, link);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.tar.extend_from_slice(header.as_bytes());
        self.tar.extend_from_slice(content);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
    }

    /// The tar with its end.
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = self.tar.clone();
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    pub(super) fn build(&self, docker: bool) -> Layer {
        let tar = self.tar();
        let (bytes, suffix) = match self.compression {
            Compression::None => (tar.clone(), ""),
            Compression::Gzip => (gzip(&tar), "gzip"),
            Compression::Zstd => (zstd(&tar), "zstd"),
        };
        let media_type = match (docker, suffix) {
            (true, "") => "application/vnd.docker.image.rootfs.diff.tar".to_owned(),
            (true, suffix) => format!("application/vnd.docker.image.rootfs.diff.tar.{suffix}"),
            (false, "") => "application/vnd.oci.image.layer.v1.tar".to_owned(),
            (false, suffix) => format!("application/vnd.oci.image.layer.v1.tar+{suffix}"),
        };
        Layer {
            blob: self
                .blob
                .clone()
                .unwrap_or_else(|| Blob::new(bytes, &media_type)),
            tar,
            created_by: self.created_by.clone(),
        }
    }
}

/// One gzip member.
///
/// # Panics
///
/// Never: memory takes everything.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory works")
}

/// One zstd frame.
///
/// # Panics
///
/// Never: memory takes everything.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("writing to memory works")
}
