//! What one layer may bring, in all.

use crate::record::{FileRecord, MAX_FILES, MAX_PACKAGES, MAX_TEXT, PackageRecord};

/// What a layer may still bring.
#[derive(Debug)]
pub(crate) struct Budget {
    files: usize,
    packages: usize,
    text: usize,
    is_overdrawn: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            files: MAX_FILES,
            packages: MAX_PACKAGES,
            text: MAX_TEXT,
            is_overdrawn: false,
        }
    }
}

impl Budget {
    /// Whether something did not fit.
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.is_overdrawn
    }

    /// The record, or as much of it as the layer may still bring.
    pub(crate) fn spend(&mut self, mut record: FileRecord) -> Option<FileRecord> {
        let own = own_text(&record);
        if self.files == 0 || own > self.text {
            self.is_overdrawn = true;
            return None;
        }
        self.files -= 1;
        self.text -= own;
        let mut kept = 0;
        for package in &record.packages {
            let text = package.text_length();
            if kept == self.packages || text > self.text {
                self.is_overdrawn = true;
                break;
            }
            self.text -= text;
            kept += 1;
        }
        record.packages.truncate(kept);
        self.packages -= kept;
        Some(record)
    }

    /// Gives back what a record took that no longer counts.
    pub(crate) fn refund(&mut self, record: &FileRecord) {
        self.files += 1;
        self.packages += record.packages.len();
        let texts = record.packages.iter().map(PackageRecord::text_length);
        self.text += own_text(record) + texts.sum::<usize>();
    }
}

/// The bytes of a record's own texts, without its packages.
fn own_text(record: &FileRecord) -> usize {
    let distro = record.distro.iter().flat_map(|it| {
        let optional = [&it.version_id, &it.codename, &it.pretty_name];
        let optional = optional.into_iter().flatten();
        std::iter::once(&it.id).chain(optional).chain(&it.id_like)
    });
    [&record.probe, &record.path]
        .into_iter()
        .chain(&record.gaps)
        .chain(&record.symlink)
        .chain(&record.content_sets)
        .chain(distro)
        .map(String::len)
        .sum()
}
