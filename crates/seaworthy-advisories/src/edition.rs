//! An opened edition, and what it answers.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

use seaworthy_core::{Day, Digest, Ecosystem, EditionFacts, FeedDate, FeedFacts};
use seaworthy_match::{
    Advisories, Details, RecordDetails, RecordId, Row, RowStance, Trust, VulnerabilityDetails,
    VulnerabilityId,
};
use sha2::{Digest as _, Sha256};

use crate::details;
use crate::format::{BUNDLE, DIGESTED_FROM, NONE, SectionName, size, text_at, u32_at, u64_at};
use crate::group::StoredRow;
use crate::hash;
use crate::layout::{Layout, OpenError};
use crate::lookup::{Damaged, Index};
use crate::prose::{Blocks, Place, Prose};
use crate::source::Source;

/// An opened edition. Cheap to open, safe to share between threads.
pub struct Edition {
    source: Source,
    layout: Layout,
    facts: EditionFacts,
    prose: Prose,
}

/// Why an edition is not known to be whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It could not be read to its end.
    #[error("cannot read the edition")]
    Read(#[source] io::Error),
    /// The bytes are not those the edition was compiled to.
    #[error("the edition says its digest is {claimed}, but its bytes have {actual}")]
    Digest {
        /// What the header says.
        claimed: Digest,
        /// What the bytes have.
        actual: Digest,
    },
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
    /// Size in bytes of what a question about a package may touch: all but details and
    /// where they lie, which only findings need.
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
    /// or read where a question leads. Only open files that were verified when
    /// they arrived and that nobody changes.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = File::open(path).map_err(OpenError::Read)?;
        Self::of(Source::of_file(file)?)
    }

    /// An edition in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, OpenError> {
        Self::of(Source::of_bytes(bytes)?)
    }

    /// The bytes of an edition in memory; of a file that was opened, none.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.source.into_bytes()
    }

    fn of((source, layout): (Source, Layout)) -> Result<Self, OpenError> {
        let mut edition = Self {
            source,
            facts: EditionFacts {
                digest: layout.digest.clone(),
                starter: false,
                advisories: 0,
            },
            layout,
            prose: Prose::default(),
        };
        let facts = edition.section(SectionName::Facts);
        let (Some(advisories), Some(flags), size::FACTS) =
            (u64_at(facts, 0), u64_at(facts, 16), facts.len())
        else {
            return Err(OpenError::Damaged {
                what: "its facts are cut",
            });
        };
        edition.facts.advisories = advisories;
        edition.facts.starter = flags & 1 == 1;
        Ok(edition)
    }

    /// Recomputes the digest. Reads the whole file: do it where an edition
    /// arrives, not where it is used.
    pub fn verify(&self) -> Result<(), VerifyError> {
        let mut hasher = Sha256::new();
        let from = u64::try_from(DIGESTED_FROM).unwrap_or(u64::MAX);
        self.source
            .pieces(from, &mut |piece| {
                hasher.update(piece);
                Ok(())
            })
            .map_err(VerifyError::Read)?;
        let actual = Digest::from_sha256(hasher.finalize().into());
        if actual == self.layout.digest {
            Ok(())
        } else {
            Err(VerifyError::Digest {
                claimed: self.layout.digest.clone(),
                actual,
            })
        }
    }

    /// The edition's name: the digest of its bytes, as its header says.
    pub fn digest(&self) -> &Digest {
        &self.layout.digest
    }

    /// Visits all bytes in order, a piece at a time.
    pub(crate) fn pieces(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.source.pieces(0, take)
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
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let length = |name| {
            let (start, end) = self.layout.section(name);
            end.saturating_sub(start)
        };
        let fact = |at| u64_at(self.section(SectionName::Facts), at).unwrap_or(0);
        let prose: usize = [
            SectionName::Records,
            SectionName::Vulnerabilities,
            SectionName::Blocks,
            SectionName::Details,
        ]
        .into_iter()
        .map(length)
        .sum();
        let size_bytes = self.source.length();
        let positions = 0..length(SectionName::Ecosystems) / size::ECOSYSTEM;
        let mut ecosystems: Vec<_> = positions
            .filter_map(|position| {
                let (family, release) = self.ecosystem(position)?;
                Some(EcosystemCount {
                    ecosystem: match release {
                        Some(release) => Ecosystem::of_release(family, release),
                        None => Ecosystem::family_only(family),
                    },
                    feed: self.coverage(position)?,
                })
            })
            .collect();
        ecosystems.sort_unstable_by(|one, other| one.ecosystem.cmp(&other.ecosystem));
        Statistics {
            advisories: self.facts.advisories,
            vulnerabilities: fact(8),
            packages: number(length(SectionName::Keys) / size::KEY),
            rows: fact(24),
            size_bytes,
            match_bytes: size_bytes.saturating_sub(number(prose)),
            ecosystems,
        }
    }

    pub(crate) fn section(&self, name: SectionName) -> &[u8] {
        let (start, end) = self.layout.section(name);
        self.source.front().get(start..end).unwrap_or_default()
    }

    pub(crate) fn text(&self, place: u32) -> Option<&str> {
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

    pub(crate) fn ecosystem(&self, index: usize) -> Option<(&str, Option<&str>)> {
        let section = self.section(SectionName::Ecosystems);
        let at = index.checked_mul(size::ECOSYSTEM)?;
        let family = self.text(u32_at(section, at + 8)?)?;
        match u32_at(section, at + 12)? {
            NONE => Some((family, None)),
            release => Some((family, Some(self.text(release)?))),
        }
    }

    /// The feed that covers the ecosystem at `index`, with the number of
    /// advisories about it.
    fn coverage(&self, index: usize) -> Option<FeedFacts> {
        let section = self.section(SectionName::Ecosystems);
        let at = index.checked_mul(size::ECOSYSTEM)?;
        let feed = self.feed(usize::try_from(u32_at(section, at + 16)?).ok()?)?;
        Some(FeedFacts {
            advisories: u64_at(section, at + 32)?,
            ..feed
        })
    }

    /// What [`Advisories::about`] visits, as far as the edition is whole.
    fn visit(
        &self,
        (family, release): (&str, Option<&str>),
        name: &str,
        visit: &mut dyn FnMut(Row<'_>),
    ) -> Result<(), Damaged> {
        let index = self.index();
        let own = index.ecosystem(family, release)?;
        let of_family = match (own, release) {
            (Some(own), Some(_)) => index.family(own)?,
            (None, Some(_)) => index.ecosystem(family, None)?,
            (_, None) => None,
        };
        let hash = hash::of_name(name);
        let mut result = Ok(());
        for position in [own, of_family].into_iter().flatten() {
            let Some(group) = index.group(position, hash, name)? else {
                continue;
            };
            group.visit(|row| {
                if row.and_then(|row| self.row(row, visit)).is_none() {
                    result = Err(Damaged);
                }
            });
        }
        result
    }

    /// Visits one row, once for each vulnerability that it is about.
    pub(crate) fn row(&self, row: StoredRow<'_>, visit: &mut dyn FnMut(Row<'_>)) -> Option<()> {
        let mut one = |number| {
            visit(Row {
                record: RecordId(row.record),
                trust: row.trust,
                vulnerability: VulnerabilityId(number),
                stance: row.stance,
            });
        };
        if row.about & BUNDLE == 0 {
            one(row.about);
            return Some(());
        }
        let bundles = self.section(SectionName::Bundles);
        let at = usize::try_from(row.about & !BUNDLE).ok()?;
        let at = at.checked_mul(size::WORD)?;
        let length = usize::try_from(u32_at(bundles, at)?).ok()?;
        let start = at.checked_add(size::WORD)?;
        let end = start.checked_add(length.checked_mul(size::WORD)?)?;
        for word in bundles.get(start..end)?.chunks_exact(size::WORD) {
            one(u32_at(word, 0)?);
        }
        Some(())
    }

    pub(crate) fn count_of_records(&self) -> u32 {
        let count = self.section(SectionName::Records).len() / size::PLACE;
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub(crate) fn count_of_vulnerabilities(&self) -> u32 {
        let count = self.section(SectionName::Vulnerabilities).len() / size::PLACE;
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    pub(crate) fn record_place(&self, record: RecordId) -> Option<Place> {
        Place::of(self.section(SectionName::Records), record.0)
    }

    pub(crate) fn vulnerability_place(&self, vulnerability: VulnerabilityId) -> Option<Place> {
        Place::of(self.section(SectionName::Vulnerabilities), vulnerability.0)
    }

    fn record_at(&self, record: RecordId, place: Option<Place>) -> RecordDetails {
        self.document(place, details::record)
            .unwrap_or_else(|| details::unreadable_record(record.0))
    }

    fn vulnerability_at(
        &self,
        vulnerability: VulnerabilityId,
        place: Option<Place>,
    ) -> VulnerabilityDetails {
        self.document(place, details::vulnerability)
            .unwrap_or_else(|| details::unreadable_vulnerability(vulnerability.0))
    }

    /// What `read` makes of the details at `place`. `None` where it cannot.
    pub(crate) fn document<T>(
        &self,
        place: Option<Place>,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        self.prose.document(self.blocks(), place?, read)
    }

    /// The blocks that hold records without rows. `None` where the edition
    /// contradicts itself.
    pub(crate) fn silent_blocks(&self) -> Option<std::ops::Range<u32>> {
        let first = u64_at(self.section(SectionName::Facts), 32)?;
        let blocks = self.section(SectionName::Blocks).len() / size::BLOCK;
        let (first, end) = (u32::try_from(first).ok()?, u32::try_from(blocks).ok()?);
        (first <= end).then_some(first..end)
    }

    fn blocks(&self) -> Blocks<'_> {
        Blocks {
            source: &self.source,
            table: self.section(SectionName::Blocks),
            details: self.layout.section(SectionName::Details),
        }
    }

    pub(crate) fn index(&self) -> Index<'_> {
        Index {
            strings: self.section(SectionName::Strings),
            ecosystems: self.section(SectionName::Ecosystems),
            starts: self.section(SectionName::Starts),
            keys: self.section(SectionName::Keys),
            groups: self.section(SectionName::Groups),
        }
    }
}

impl Advisories for Edition {
    /// Rows about the release come first, then those that speak of the family
    /// without naming a release: in the OSV schema these hold for all releases.
    ///
    /// What cannot be read stays unknown: where the edition is damaged, one row
    /// more says so.
    fn about(&self, ecosystem: &Ecosystem, name: &str, visit: &mut dyn FnMut(Row<'_>)) {
        let ecosystem = (ecosystem.family(), ecosystem.release());
        if self.visit(ecosystem, name, visit).is_err() {
            visit(Row {
                record: RecordId(NONE),
                trust: Trust::Relayed,
                vulnerability: VulnerabilityId(NONE),
                stance: RowStance::Unreadable,
            });
        }
    }

    fn covers(&self, ecosystem: &Ecosystem) -> Option<FeedFacts> {
        let index = self.index();
        let position = index.ecosystem(ecosystem.family(), ecosystem.release());
        self.coverage(position.ok().flatten()?)
            .filter(|feed| feed.advisories > 0)
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
        self.record_at(record, self.record_place(record))
    }

    fn vulnerability(&self, vulnerability: VulnerabilityId) -> VulnerabilityDetails {
        self.vulnerability_at(vulnerability, self.vulnerability_place(vulnerability))
    }

    /// Block after block, so that each is read and unpacked once.
    fn details(
        &self,
        records: &BTreeSet<RecordId>,
        vulnerabilities: &BTreeSet<VulnerabilityId>,
    ) -> Details {
        enum Wanted {
            Record(RecordId),
            Vulnerability(VulnerabilityId),
        }
        let of_records = records
            .iter()
            .map(|&it| (self.record_place(it), Wanted::Record(it)));
        let of_vulnerabilities = vulnerabilities
            .iter()
            .map(|&it| (self.vulnerability_place(it), Wanted::Vulnerability(it)));
        let mut wanted: Vec<_> = of_records.chain(of_vulnerabilities).collect();
        wanted.sort_by_key(|(place, _)| *place);
        let mut details = Details::default();
        for (place, it) in wanted {
            match it {
                Wanted::Record(record) => {
                    let read = self.record_at(record, place);
                    details.records.insert(record, read);
                }
                Wanted::Vulnerability(vulnerability) => {
                    let read = self.vulnerability_at(vulnerability, place);
                    details.vulnerabilities.insert(vulnerability, read);
                }
            }
        }
        details
    }
}
