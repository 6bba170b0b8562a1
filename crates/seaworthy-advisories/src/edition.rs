//! An opened edition, and what it answers.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use seaworthy_core::{
    Day, Digest, Ecosystem, EditionFacts, FeedDate, FeedFacts, Fix, Interval, Until,
};
use seaworthy_match::{
    Advisories, RecordDetails, RecordId, Row, RowStance, VulnerabilityDetails, VulnerabilityId,
};
use sha2::{Digest as _, Sha256};

use crate::details::{RatingDocument, RecordDocument, VulnerabilityDocument, epss_of};
use crate::format::{
    BUNDLE, DIGEST_AT, DIGESTED_FROM, HEADER, MAGIC, MAX_BLOCK, NONE, SectionName, Shape,
    TABLE_ENTRY, VERSION, hash_of_parts, size, text_at, u32_at, u64_at,
};
use crate::map::Bytes;

/// An opened edition. Cheap to open, safe to share between threads.
pub struct Edition {
    bytes: Bytes,
    sections: [(usize, usize); SectionName::COUNT],
    digest: Digest,
    facts: EditionFacts,
    unpacked: Mutex<Unpacked>,
}

/// The blocks of details that were unpacked last. Findings of one package lie
/// beside each other, so that most questions find their block here.
#[derive(Default)]
struct Unpacked {
    decompressor: Option<zstd::bulk::Decompressor<'static>>,
    /// Block numbers and bytes, the latest last.
    blocks: Vec<(usize, Vec<u8>)>,
}

/// How many unpacked blocks are kept.
const KEPT_BLOCKS: usize = 8;

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

/// The bytes are not those the edition was compiled to.
#[derive(Debug, thiserror::Error)]
#[error("the edition says its digest is {claimed}, but its bytes have {actual}")]
pub struct VerifyError {
    /// What the header says.
    pub claimed: Digest,
    /// What the bytes have.
    pub actual: Digest,
}

/// Counts for `db status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Advisories with something to say.
    pub advisories: u64,
    /// Distinct vulnerabilities.
    pub vulnerabilities: u64,
    /// Distinct packages, each in its ecosystem and release.
    pub packages: u64,
    /// Stretches, versions and other stances.
    pub rows: u64,
    /// Size of the file in bytes.
    pub size_bytes: u64,
    /// Size in bytes of what a match may touch: all but prose.
    pub match_bytes: u64,
    /// Ecosystems and releases, sorted.
    pub ecosystems: Vec<EcosystemCount>,
}

/// One ecosystem or release in an edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcosystemCount {
    /// Which.
    pub ecosystem: Ecosystem,
    /// The feed that covers it.
    pub feed: FeedFacts,
}

impl Edition {
    /// Opens the file at `path`. Reads its header only: what follows is mapped
    /// and read where a question leads. Only open files that were verified when
    /// they arrived and that nobody changes.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::of(Bytes::map(path).map_err(OpenError::Read)?)
    }

    /// An edition in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Self::of(Bytes::Owned(bytes))
    }

    fn of(bytes: Bytes) -> Result<Self, OpenError> {
        if !bytes.starts_with(MAGIC) {
            return Err(OpenError::NotAnEdition);
        }
        let found = u32_at(&bytes, 48).ok_or(OpenError::NotAnEdition)?;
        if found != VERSION {
            return Err(OpenError::Version {
                found,
                readable: VERSION,
            });
        }
        let damaged = |what| OpenError::Damaged { what };
        let length = u64_at(&bytes, 56).and_then(|length| usize::try_from(length).ok());
        if length != Some(bytes.len()) {
            return Err(damaged("it is not as long as it says"));
        }
        if u32_at(&bytes, 52) != u32::try_from(SectionName::COUNT).ok() {
            return Err(damaged("it has another number of sections"));
        }
        let mut sections = [(0, 0); SectionName::COUNT];
        for ((index, slot), name) in sections.iter_mut().enumerate().zip(SectionName::ALL) {
            let entry = HEADER + index * TABLE_ENTRY;
            let place = |at| u64_at(&bytes, at).and_then(|it| usize::try_from(it).ok());
            if bytes.get(entry..entry + 8) != Some(&name.tag()) {
                return Err(damaged("its sections are out of order"));
            }
            let start = place(entry + 8).ok_or(damaged("a section starts outside"))?;
            let end = place(entry + 16)
                .and_then(|length| start.checked_add(length))
                .filter(|&end| start >= HEADER && end <= bytes.len())
                .ok_or(damaged("a section lies outside"))?;
            *slot = (start, end);
        }
        let digest: [u8; 32] = bytes
            .get(DIGEST_AT..DIGESTED_FROM)
            .and_then(|hash| hash.try_into().ok())
            .ok_or(OpenError::NotAnEdition)?;
        let digest = Digest::from_sha256(digest);
        let mut edition = Self {
            bytes,
            sections,
            facts: EditionFacts {
                digest: digest.clone(),
                starter: false,
                advisories: 0,
            },
            digest,
            unpacked: Mutex::default(),
        };
        let facts = edition.section(SectionName::Facts);
        let (Some(advisories), Some(flags), size::FACTS) =
            (u64_at(facts, 0), u64_at(facts, 16), facts.len())
        else {
            return Err(damaged("its facts are cut"));
        };
        edition.facts.advisories = advisories;
        edition.facts.starter = flags & 1 == 1;
        Ok(edition)
    }

    /// Recomputes the digest. Reads the whole file: do it where an edition
    /// arrives, not where it is used.
    pub fn verify(&self) -> Result<(), VerifyError> {
        let rest = self.bytes.get(DIGESTED_FROM..).unwrap_or_default();
        let actual = Digest::from_sha256(Sha256::digest(rest).into());
        if actual == self.digest {
            Ok(())
        } else {
            Err(VerifyError {
                claimed: self.digest.clone(),
                actual,
            })
        }
    }

    /// The edition's name: the digest of its bytes, as its header says.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a report says of this edition.
    pub fn facts(&self) -> EditionFacts {
        self.facts.clone()
    }

    /// Every feed that went in, sorted by id, even one without advisories.
    pub fn feeds(&self) -> Vec<FeedFacts> {
        let count = self.section(SectionName::Feeds).len() / size::FEED;
        (0..count).filter_map(|index| self.feed(index)).collect()
    }

    /// Counts.
    pub fn statistics(&self) -> Statistics {
        let length = |name| self.section(name).len();
        let prose = length(SectionName::Details) + length(SectionName::Blocks);
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let ecosystems = length(SectionName::Ecosystems) / size::ECOSYSTEM;
        Statistics {
            advisories: self.facts.advisories,
            vulnerabilities: u64_at(self.section(SectionName::Facts), 8).unwrap_or(0),
            packages: number(length(SectionName::Hashes) / size::HASH),
            rows: number(length(SectionName::Rows) / size::ROW),
            size_bytes: number(self.bytes.len()),
            match_bytes: number(self.bytes.len().saturating_sub(prose)),
            ecosystems: (0..ecosystems)
                .filter_map(|index| {
                    let (family, release) = self.ecosystem(index)?;
                    Some(EcosystemCount {
                        ecosystem: match release {
                            Some(release) => Ecosystem::of_release(family, release),
                            None => Ecosystem::family_only(family),
                        },
                        feed: self.coverage(index)?,
                    })
                })
                .collect(),
        }
    }

    fn section(&self, name: SectionName) -> &[u8] {
        // Sections are stored in the order of the enum.
        let (start, end) = self.sections[name as usize];
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn text(&self, place: u32) -> Option<&str> {
        text_at(self.section(SectionName::Strings), place)
    }

    fn feed(&self, index: usize) -> Option<FeedFacts> {
        let section = self.section(SectionName::Feeds);
        let at = index.checked_mul(size::FEED)?;
        let day = Day::from_days(u32_at(section, at + 8)?.cast_signed());
        Some(FeedFacts {
            id: self.text(u32_at(section, at)?)?.into(),
            date: match u32_at(section, at + 4)? {
                1 => FeedDate::Fetched(day),
                2 => FeedDate::NewestRecord(day),
                _ => FeedDate::Unknown,
            },
            advisories: u64_at(section, at + 16)?,
        })
    }

    fn ecosystem(&self, index: usize) -> Option<(&str, Option<&str>)> {
        let section = self.section(SectionName::Ecosystems);
        let at = index.checked_mul(size::ECOSYSTEM)?;
        let family = self.text(u32_at(section, at)?)?;
        match u32_at(section, at + 4)? {
            NONE => Some((family, None)),
            release => Some((family, Some(self.text(release)?))),
        }
    }

    /// The feed that covers the ecosystem at `index`, with the number of
    /// advisories about it.
    fn coverage(&self, index: usize) -> Option<FeedFacts> {
        let section = self.section(SectionName::Ecosystems);
        let at = index.checked_mul(size::ECOSYSTEM)?;
        let feed = self.feed(usize::try_from(u32_at(section, at + 8)?).ok()?)?;
        Some(FeedFacts {
            advisories: u64_at(section, at + 12)?,
            ..feed
        })
    }

    /// The rows about `name` in exactly this ecosystem.
    fn rows_of(&self, family: &str, release: Option<&str>, name: &str) -> &[u8] {
        self.find(family, release, name)
            .and_then(|key| {
                let keys = self.section(SectionName::Keys);
                let at = key.checked_mul(size::KEY)?;
                let byte = |at| {
                    let row = usize::try_from(u32_at(keys, at)?).ok()?;
                    row.checked_mul(size::ROW)
                };
                let rows = self.section(SectionName::Rows);
                rows.get(byte(at)?..byte(at + size::KEY)?)
            })
            .unwrap_or_default()
    }

    /// The position of a key. Hashes are spread evenly, so the place to look is
    /// guessed from the hash and found in few steps.
    fn find(&self, family: &str, release: Option<&str>, name: &str) -> Option<usize> {
        let hashes = self.section(SectionName::Hashes);
        let count = hashes.len() / size::HASH;
        let wanted = hash_of_parts(family, release, name);
        let hash_at = |index: usize| u64_at(hashes, index * size::HASH);
        // How many positions a distance between hashes amounts to.
        let positions = |distance: i128| -> Option<i128> {
            Some((distance * i128::try_from(count).ok()?) >> 64)
        };
        let last = i128::try_from(count.checked_sub(1)?).ok()?;
        let mut guess = positions(i128::from(wanted))?;
        // The hash found at the first guess tells how far off it was.
        for _ in 0..2 {
            let found = hash_at(usize::try_from(guess.clamp(0, last)).ok()?)?;
            guess += positions(i128::from(wanted) - i128::from(found))?;
        }
        let guess = usize::try_from(guess.clamp(0, last)).ok()?;

        // Widen around the guess until the wanted hash must lie inside, then
        // halve. `low` is the first position that may hold it.
        let (mut low, mut high) = (guess, guess);
        let mut step = 4;
        while low > 0 && hash_at(low)? >= wanted {
            low = low.saturating_sub(step);
            step *= 2;
        }
        let mut step = 4;
        while high < count && hash_at(high)? < wanted {
            high = high.saturating_add(step).min(count);
            step *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if hash_at(middle)? < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let keys = self.section(SectionName::Keys);
        (low..count)
            .take_while(|&index| hash_at(index) == Some(wanted))
            .find(|&index| {
                let at = index * size::KEY;
                let stored_name = u32_at(keys, at + 8).and_then(|place| self.text(place));
                let ecosystem = u32_at(keys, at + 4)
                    .and_then(|number| usize::try_from(number).ok())
                    .and_then(|number| self.ecosystem(number));
                stored_name == Some(name) && ecosystem == Some((family, release))
            })
    }

    /// Visits one row, once for each vulnerability that it is about.
    fn row(&self, bytes: &[u8], visit: &mut dyn FnMut(Row<'_>)) -> Option<()> {
        let (shape, record) = Shape::of_word(u32_at(bytes, 0)?)?;
        let about = u32_at(bytes, 4)?;
        let from = u32_at(bytes, 8)?;
        let until = u32_at(bytes, 12)?;
        let interval = |until, fix: Fix| {
            let from = match from {
                NONE => None,
                from => Some(self.text(from)?),
            };
            Some(RowStance::Interval(Interval { from, until }, fix))
        };
        let stance = match shape {
            Shape::Open(fix) => interval(Until::Forever, fix)?,
            Shape::Before(fix) => interval(Until::Before(self.text(until)?), fix)?,
            Shape::Through(fix) => interval(Until::Through(self.text(until)?), fix)?,
            Shape::Exactly(fix) => RowStance::Exactly(self.text(from)?, fix),
            Shape::NotAffected => RowStance::NotAffected,
            Shape::UnderReview => RowStance::UnderReview,
        };
        let mut one = |number| {
            visit(Row {
                record: RecordId(record),
                vulnerability: VulnerabilityId(number),
                stance,
            });
        };
        if about & BUNDLE == 0 {
            one(about);
            return Some(());
        }
        let bundles = self.section(SectionName::Bundles);
        let at = usize::try_from(about & !BUNDLE).ok()?;
        let at = at.checked_mul(size::WORD)?;
        let length = usize::try_from(u32_at(bundles, at)?).ok()?;
        let start = at.checked_add(size::WORD)?;
        let end = start.checked_add(length.checked_mul(size::WORD)?)?;
        for word in bundles.get(start..end)?.chunks_exact(size::WORD) {
            one(u32_at(word, 0)?);
        }
        Some(())
    }

    /// Unpacks the block that holds an entry of `places` and hands out the bytes
    /// from there on.
    fn details<T>(
        &self,
        places: SectionName,
        number: u32,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let places = self.section(places);
        let at = usize::try_from(number).ok()?.checked_mul(size::PLACE)?;
        let block = usize::try_from(u32_at(places, at)?).ok()?;
        let position = usize::try_from(u32_at(places, at.checked_add(4)?)?).ok()?;
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = unpacked.block(block, || self.packed_block(block))?;
        read(bytes.get(position..)?)
    }

    /// A block as stored, and its unpacked length.
    fn packed_block(&self, block: usize) -> Option<(&[u8], usize)> {
        let table = self.section(SectionName::Blocks);
        let at = block.checked_mul(size::BLOCK)?;
        let start = usize::try_from(u64_at(table, at)?).ok()?;
        let packed = usize::try_from(u32_at(table, at.checked_add(8)?)?).ok()?;
        let length = usize::try_from(u32_at(table, at.checked_add(12)?)?).ok()?;
        if length > MAX_BLOCK {
            return None;
        }
        let packed = self
            .section(SectionName::Details)
            .get(start..start.checked_add(packed)?)?;
        Some((packed, length))
    }
}

impl Unpacked {
    /// The bytes of a block, unpacked now unless they are still at hand.
    fn block<'a>(
        &mut self,
        block: usize,
        packed: impl FnOnce() -> Option<(&'a [u8], usize)>,
    ) -> Option<&[u8]> {
        if let Some(at) = self.blocks.iter().position(|(number, _)| *number == block) {
            return self.blocks.get(at).map(|(_, bytes)| bytes.as_slice());
        }
        let (packed, length) = packed()?;
        let decompressor = match &mut self.decompressor {
            Some(ready) => ready,
            none => none.insert(zstd::bulk::Decompressor::new().ok()?),
        };
        let bytes = decompressor.decompress(packed, length).ok()?;
        if self.blocks.len() == KEPT_BLOCKS {
            self.blocks.remove(0);
        }
        self.blocks.push((block, bytes));
        self.blocks.last().map(|(_, bytes)| bytes.as_slice())
    }
}

fn boxed(texts: &[&str]) -> Vec<Box<str>> {
    texts.iter().map(|&text| text.into()).collect()
}

impl Advisories for Edition {
    /// Rows about the release come first, then those that speak of the family
    /// without naming a release: in the OSV schema these hold for all releases.
    fn about(&self, ecosystem: &Ecosystem, name: &str, visit: &mut dyn FnMut(Row<'_>)) {
        let of_release = self.rows_of(ecosystem.family(), ecosystem.release(), name);
        let of_family = match ecosystem.release() {
            Some(_) => self.rows_of(ecosystem.family(), None, name),
            None => &[],
        };
        for rows in [of_release, of_family] {
            for row in rows.chunks_exact(size::ROW) {
                // A row that makes no sense was damaged; the others still hold.
                let _ = self.row(row, visit);
            }
        }
    }

    fn covers(&self, ecosystem: &Ecosystem) -> Option<FeedFacts> {
        let count = self.section(SectionName::Ecosystems).len() / size::ECOSYSTEM;
        let wanted = (ecosystem.family(), ecosystem.release());
        let index = (0..count).find(|&index| self.ecosystem(index) == Some(wanted))?;
        self.coverage(index).filter(|feed| feed.advisories > 0)
    }

    fn support_ends(&self, distro: &str, version: &str) -> Option<Day> {
        let section = self.section(SectionName::Support);
        let day_of = |wanted: &str| {
            section.chunks_exact(size::SUPPORT).find_map(|entry| {
                let known = u32_at(entry, 0).and_then(|place| self.text(place));
                let release = u32_at(entry, 4).and_then(|place| self.text(place));
                (known == Some(distro) && release == Some(wanted))
                    .then(|| u32_at(entry, 8))
                    .flatten()
                    .map(|days| Day::from_days(days.cast_signed()))
            })
        };
        // `3.20.3` lives as long as `3.20`, `9.4` as long as `9`.
        let mut wanted = version;
        loop {
            if let Some(day) = day_of(wanted) {
                return Some(day);
            }
            wanted = wanted.rsplit_once('.')?.0;
        }
    }

    fn record(&self, record: RecordId) -> RecordDetails {
        let read = |bytes: &[u8]| {
            let (document, _) = postcard::take_from_bytes::<RecordDocument<'_>>(bytes).ok()?;
            Some(RecordDetails {
                feed: document.feed.into(),
                id: document.id.into(),
                summary: document.body.summary.into(),
                references: boxed(&document.body.references),
                ratings: document
                    .body
                    .ratings
                    .iter()
                    .filter_map(RatingDocument::rating)
                    .collect(),
            })
        };
        self.details(SectionName::Records, record.0, read)
            .unwrap_or_else(|| RecordDetails {
                feed: "unreadable".into(),
                id: format!("unreadable-record-{}", record.0).into(),
                summary: "the edition is damaged here".into(),
                references: Vec::new(),
                ratings: Vec::new(),
            })
    }

    fn vulnerability(&self, vulnerability: VulnerabilityId) -> VulnerabilityDetails {
        let read = |bytes: &[u8]| {
            let (document, _) =
                postcard::take_from_bytes::<VulnerabilityDocument<'_>>(bytes).ok()?;
            Some(VulnerabilityDetails {
                id: document.id.into(),
                aliases: boxed(&document.aliases),
                ratings: document
                    .ratings
                    .iter()
                    .filter_map(RatingDocument::rating)
                    .collect(),
                kev: document.kev.map(crate::details::KevDocument::kev),
                epss: document.epss.map(epss_of),
            })
        };
        self.details(SectionName::Vulnerabilities, vulnerability.0, read)
            .unwrap_or_else(|| VulnerabilityDetails {
                id: format!("unreadable-vulnerability-{}", vulnerability.0).into(),
                aliases: Vec::new(),
                ratings: Vec::new(),
                kev: None,
                epss: None,
            })
    }
}
