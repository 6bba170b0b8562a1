//! The two archives that samples are made of, written the plainest way.

use crate::tar;

/// Files of a layer, one after the other.
#[derive(Debug, Default)]
pub(super) struct Layer(Vec<(String, Vec<u8>)>);

impl Layer {
    /// Adds a file.
    pub(super) fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.0.push((path.to_owned(), content.to_vec()));
        self
    }

    /// The layer as a tar archive.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut writer = tar::Writer::new(Vec::new());
        for (path, content) in &self.0 {
            writer
                .file(path, content)
                .expect("names of samples are short, and memory takes everything");
        }
        writer.finish().expect("memory takes everything")
    }
}

/// A zip archive of files that are stored as they are: a jar for our purpose.
pub(super) fn jar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let at = length(bytes.len());
        let mut entry = Vec::new();
        entry.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        entry.extend_from_slice(&crc32(content.as_bytes()).to_le_bytes());
        entry.extend_from_slice(&length(content.len()).to_le_bytes());
        entry.extend_from_slice(&length(content.len()).to_le_bytes());
        entry.extend_from_slice(&length(name.len()).to_le_bytes());
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&entry);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(content.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&entry);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let at = length(bytes.len());
    bytes.extend_from_slice(&directory);
    let count = u16::try_from(files.len()).unwrap_or(u16::MAX).to_le_bytes();
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&count);
    bytes.extend_from_slice(&length(directory.len()).to_le_bytes());
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The checksum of zip (ISO 3309, reflected).
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = sum & 1 == 1;
            sum >>= 1;
            if carry {
                sum ^= 0xedb8_8320;
            }
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn real_tools_read_the_archives() {
        if !seaworthy_testkit::require("tar") || !seaworthy_testkit::require("python3") {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let tar = Layer::default()
            .file("a/b.txt", b"hello\n")
            .file("c", &[7; 513])
            .finish();
        std::fs::write(folder.path().join("x.tar"), tar).expect("written");
        let jar = jar(&[("META-INF/x", "one\n"), ("y", "two\n")]);
        std::fs::write(folder.path().join("x.jar"), jar).expect("written");
        let said = |program: &str, arguments: &[&str]| {
            let ended = Command::new(program)
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .expect("it runs");
            let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{errors}");
            String::from_utf8_lossy(&ended.stdout).into_owned()
        };
        assert_eq!(said("tar", &["-tf", "x.tar"]), "a/b.txt\nc\n");
        assert_eq!(said("tar", &["-xOf", "x.tar", "a/b.txt"]), "hello\n");
        let script =
            "import zipfile; z = zipfile.ZipFile('x.jar'); print(z.testzip(), z.read('y'))";
        assert_eq!(said("python3", &["-c", script]), "None b'two\\n'\n");
    }
}
