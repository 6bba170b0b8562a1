//! Where the sections of an edition lie, as its header says.

use std::io;

use seaworthy_core::Digest;

use crate::format::{
    DIGEST_AT, DIGESTED_FROM, HEADER, MAGIC, SectionName, TABLE_ENTRY, VERSION, u32_at, u64_at,
};

/// How many bytes of a file tell its layout.
pub(crate) const HEAD: usize = HEADER + TABLE_ENTRY * SectionName::COUNT;

/// Why bytes are not an edition this program can read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read.
    #[error("cannot read the edition")]
    Read(#[source] io::Error),
    /// The bytes start like no edition.
    #[error("this is not an edition")]
    NotAnEdition,
    /// A program of another age wrote it.
    #[error("the edition has format {found}, and this program reads format {readable}")]
    Version {
        /// The edition's format.
        found: u32,
        /// The format this program reads.
        readable: u32,
    },
    /// Lengths or places contradict each other.
    #[error("the edition is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
}

impl OpenError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "check that the file exists and may be read",
            Self::Version { found, readable } if found > readable => {
                "update seaworthy, or build the edition again with this version"
            }
            Self::NotAnEdition | Self::Version { .. } | Self::Damaged { .. } => {
                "build or fetch the edition again"
            }
        }
    }
}

/// Where the sections lie, and what the edition is called.
pub(crate) struct Layout {
    sections: [(usize, usize); SectionName::COUNT],
    pub(crate) digest: Digest,
}

impl Layout {
    /// The layout that `head` tells: the first [`HEAD`] bytes or more, unless the
    /// whole is shorter. `length` is that of the whole. Sections follow each
    /// other, and all lie inside.
    pub(crate) fn read(head: &[u8], length: u64) -> Result<Self, OpenError> {
        if !head.starts_with(MAGIC) {
            return Err(OpenError::NotAnEdition);
        }
        let found = u32_at(head, 48).ok_or(OpenError::NotAnEdition)?;
        if found != VERSION {
            return Err(OpenError::Version {
                found,
                readable: VERSION,
            });
        }
        let damaged = |what| OpenError::Damaged { what };
        let claimed = u64_at(head, 56).ok_or(OpenError::NotAnEdition)?;
        let end_of_file = usize::try_from(claimed)
            .ok()
            .filter(|_| claimed == length)
            .ok_or(damaged("it is not as long as it says"))?;
        if u32_at(head, 52) != u32::try_from(SectionName::COUNT).ok() {
            return Err(damaged("it has another number of sections"));
        }
        let mut sections = [(0, 0); SectionName::COUNT];
        let mut end_of_last = HEAD;
        for ((index, slot), name) in sections.iter_mut().enumerate().zip(SectionName::ALL) {
            let entry = HEADER + index * TABLE_ENTRY;
            let place = |at| u64_at(head, at).and_then(|it| usize::try_from(it).ok());
            if head.get(entry..entry + 8) != Some(&name.tag()) {
                return Err(damaged("its sections are out of order"));
            }
            let start = place(entry + 8)
                .filter(|&start| start >= end_of_last)
                .ok_or(damaged("a section starts outside"))?;
            let end = place(entry + 16)
                .and_then(|length| start.checked_add(length))
                .filter(|&end| end <= end_of_file)
                .ok_or(damaged("a section lies outside"))?;
            *slot = (start, end);
            end_of_last = end;
        }
        let digest: [u8; 32] = head
            .get(DIGEST_AT..DIGESTED_FROM)
            .and_then(|hash| hash.try_into().ok())
            .ok_or(OpenError::NotAnEdition)?;
        Ok(Self {
            sections,
            digest: Digest::from_sha256(digest),
        })
    }

    /// Start and end of a section.
    pub(crate) fn section(&self, name: SectionName) -> (usize, usize) {
        // Sections are stored in the order of the enum.
        self.sections[name as usize]
    }

    /// Where the details start, which are the last section: all before them is
    /// at hand while an edition is open.
    pub(crate) fn front(&self) -> usize {
        self.section(SectionName::Details).0
    }
}
