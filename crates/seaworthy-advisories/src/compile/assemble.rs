//! Drafts to sections, sections to one file.

use std::collections::{BTreeMap, HashMap, HashSet};

use seaworthy_core::{Ecosystem, FeedDate};
use sha2::{Digest as _, Sha256};

use super::pool::Pool;
use super::{Bundles, CompileError, Context, FinalRow, count};
use crate::format::{
    DIGEST_AT, DIGESTED_FROM, HEADER, MAGIC, NONE, SectionName, TABLE_ENTRY, VERSION, hash_of,
    push_text,
};

/// Blocks of details are closed once they pass this many bytes.
const BLOCK: usize = 4 << 10;
/// Beyond this level zstd gains little on blocks this small, and takes long.
const LEVEL: i32 = 7;

pub(super) struct Parts<'a> {
    pub(super) pool: &'a Pool,
    pub(super) ecosystems: &'a HashMap<Ecosystem, u32>,
    pub(super) keys: &'a HashMap<(u32, u32), u32>,
    pub(super) rows: Vec<FinalRow>,
    pub(super) bundles: Bundles,
    /// By record number.
    pub(super) feed_of_record: &'a [u32],
    /// By vulnerability number.
    pub(super) vulnerability_documents: Vec<Vec<u8>>,
    pub(super) context: &'a Context,
}

/// The string heap with each text once, at the place where it is first used.
struct Heap<'a> {
    pool: &'a Pool,
    bytes: Vec<u8>,
    places: Vec<u32>,
}

impl<'a> Heap<'a> {
    fn new(pool: &'a Pool) -> Self {
        Self {
            pool,
            bytes: Vec::new(),
            places: vec![NONE; pool.len()],
        }
    }

    /// The place of a text of the pool.
    fn place(&mut self, number: u32) -> Result<u32, CompileError> {
        if number == NONE {
            return Ok(NONE);
        }
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match self.places.get(index) {
            Some(&place) if place != NONE => Ok(place),
            _ => {
                let place = self.push(self.pool.text(number))?;
                if let Some(slot) = self.places.get_mut(index) {
                    *slot = place;
                }
                Ok(place)
            }
        }
    }

    fn push(&mut self, text: &str) -> Result<u32, CompileError> {
        push_text(&mut self.bytes, text).ok_or(CompileError::TooMany {
            what: "bytes of text",
        })
    }
}

/// Details, packed block by block.
struct Blocks {
    open: Vec<u8>,
    table: Vec<u8>,
    packed: Vec<u8>,
    closed: u32,
    compressor: zstd::bulk::Compressor<'static>,
}

impl Blocks {
    fn new() -> Result<Self, CompileError> {
        Ok(Self {
            open: Vec::new(),
            table: Vec::new(),
            packed: Vec::new(),
            closed: 0,
            compressor: zstd::bulk::Compressor::new(LEVEL).map_err(CompileError::Compress)?,
        })
    }

    /// Where `document` now lies: block and position in it.
    fn push(&mut self, document: &[u8]) -> Result<[u32; 2], CompileError> {
        let place = [self.closed, count(self.open.len(), "bytes of details")?];
        self.open.extend_from_slice(document);
        if self.open.len() >= BLOCK {
            self.close()?;
        }
        Ok(place)
    }

    fn close(&mut self) -> Result<(), CompileError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let packed = self
            .compressor
            .compress(&self.open)
            .map_err(CompileError::Compress)?;
        put_u64(&mut self.table, self.packed.len());
        put(&mut self.table, count(packed.len(), "bytes of details")?);
        put(&mut self.table, count(self.open.len(), "bytes of details")?);
        self.packed.extend_from_slice(&packed);
        self.open.clear();
        self.closed = self.closed.saturating_add(1);
        Ok(())
    }
}

/// A key on its way to its place.
struct Key {
    hash: u64,
    ecosystem: u32,
    name: u32,
    number: u32,
}

pub(super) fn assemble(
    parts: Parts<'_>,
    record_document: impl Fn(usize) -> Result<Vec<u8>, CompileError>,
) -> Result<Vec<u8>, CompileError> {
    let Parts {
        pool,
        ecosystems,
        keys,
        mut rows,
        bundles,
        feed_of_record,
        vulnerability_documents,
        context,
    } = parts;

    // Keys in the order of their hashes, ecosystems and feeds in that of names.
    let mut ecosystem_of_number: Vec<(&Ecosystem, u32)> = ecosystems
        .iter()
        .map(|(it, &number)| (it, number))
        .collect();
    ecosystem_of_number.sort_unstable();
    let mut rank_of_ecosystem = vec![0_u32; ecosystems.len()];
    for (rank, (_, number)) in ecosystem_of_number.iter().enumerate() {
        if let Some(slot) = rank_of_ecosystem.get_mut(index(*number)) {
            *slot = count(rank, "ecosystems")?;
        }
    }
    let ecosystem_at = |rank: u32| ecosystem_of_number.get(index(rank)).map(|(it, _)| *it);

    let mut spoken: Vec<bool> = vec![false; keys.len()];
    for row in &rows {
        if let Some(slot) = spoken.get_mut(index(row.key)) {
            *slot = true;
        }
    }
    let mut sorted_keys: Vec<Key> = keys
        .iter()
        .filter(|(_, number)| spoken.get(index(**number)) == Some(&true))
        .map(|(&(ecosystem, name), &number)| {
            let rank = rank_of_ecosystem
                .get(index(ecosystem))
                .copied()
                .unwrap_or(NONE);
            Key {
                hash: ecosystem_at(rank).map_or(0, |it| hash_of(it, pool.text(name))),
                ecosystem: rank,
                name,
                number,
            }
        })
        .collect();
    sorted_keys.sort_unstable_by(|a, b| {
        (a.hash, a.ecosystem, pool.text(a.name)).cmp(&(b.hash, b.ecosystem, pool.text(b.name)))
    });
    let mut rank_of_key = vec![NONE; keys.len()];
    for (rank, key) in sorted_keys.iter().enumerate() {
        if let Some(slot) = rank_of_key.get_mut(index(key.number)) {
            *slot = count(rank, "packages")?;
        }
    }
    for row in &mut rows {
        row.key = rank_of_key.get(index(row.key)).copied().unwrap_or(NONE);
    }
    rows.sort_unstable_by(|a, b| {
        (a.key, a.record, a.about, a.shape)
            .cmp(&(b.key, b.record, b.about, b.shape))
            .then_with(|| pool.text(a.from).cmp(pool.text(b.from)))
            .then_with(|| pool.text(a.until).cmp(pool.text(b.until)))
    });
    rows.dedup_by_key(|row| {
        (
            row.key, row.record, row.about, row.shape, row.from, row.until,
        )
    });
    count(rows.len(), "rows")?;

    let mut heap = Heap::new(pool);
    let mut hashes = Vec::with_capacity(sorted_keys.len() * 8);
    let mut key_bytes = Vec::with_capacity((sorted_keys.len() + 1) * 12);
    let mut row_bytes = Vec::with_capacity(rows.len() * 16);
    let mut blocks = Blocks::new()?;
    let mut record_places = vec![None; feed_of_record.len()];
    let mut vulnerability_places = vec![None; vulnerability_documents.len()];
    // Which records speak of which ecosystem, counted per feed.
    let mut speakers: HashSet<(u32, u32)> = HashSet::new();

    let mut rest = rows.as_slice();
    for (rank, key) in sorted_keys.iter().enumerate() {
        hashes.extend_from_slice(&key.hash.to_le_bytes());
        put(&mut key_bytes, count(rows.len() - rest.len(), "rows")?);
        put(&mut key_bytes, key.ecosystem);
        let name = heap.place(key.name)?;
        put(&mut key_bytes, name);
        let of_key = rest.partition_point(|row| index(row.key) <= rank);
        let (these, after) = rest.split_at(of_key);
        rest = after;
        for row in these {
            speakers.insert((key.ecosystem, row.record));
            put(&mut row_bytes, row.shape.tag() | row.record);
            put(&mut row_bytes, row.about);
            let from = heap.place(row.from)?;
            put(&mut row_bytes, from);
            let until = heap.place(row.until)?;
            put(&mut row_bytes, until);
            let record = index(row.record);
            if let Some(place @ None) = record_places.get_mut(record) {
                *place = Some(blocks.push(&record_document(record)?)?);
            }
            for vulnerability in bundles.of_word(&row.about) {
                let vulnerability = index(*vulnerability);
                if let Some(place @ None) = vulnerability_places.get_mut(vulnerability) {
                    let document = vulnerability_documents.get(vulnerability);
                    *place = Some(blocks.push(document.map_or(&[][..], Vec::as_slice))?);
                }
            }
        }
    }
    put(&mut key_bytes, count(rows.len(), "rows")?);
    put(&mut key_bytes, NONE);
    put(&mut key_bytes, NONE);
    blocks.close()?;
    drop(vulnerability_documents);

    // Feeds: all that were read, even those that had nothing to say.
    let mut feeds: BTreeMap<&str, (FeedDate, u64)> = context
        .feeds
        .iter()
        .map(|(id, date)| (id.as_ref(), (*date, 0)))
        .collect();
    for &feed in feed_of_record {
        let feed = feeds
            .entry(pool.text(feed))
            .or_insert((FeedDate::Unknown, 0));
        feed.1 += 1;
    }
    let feed_rank: HashMap<&str, u32> = feeds
        .keys()
        .enumerate()
        .map(|(rank, id)| Ok((*id, count(rank, "feeds")?)))
        .collect::<Result<_, CompileError>>()?;
    let mut feed_bytes = Vec::new();
    for (id, (date, advisories)) in &feeds {
        let id = heap.push(id)?;
        let (kind, day) = match date {
            FeedDate::Unknown => (0, 0),
            FeedDate::Fetched(day) => (1, day.days()),
            FeedDate::NewestRecord(day) => (2, day.days()),
        };
        put(&mut feed_bytes, id);
        put(&mut feed_bytes, kind);
        feed_bytes.extend_from_slice(&day.to_le_bytes());
        put(&mut feed_bytes, 0);
        feed_bytes.extend_from_slice(&advisories.to_le_bytes());
    }

    // An ecosystem is covered by the feed that says most about it.
    let mut said: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for (ecosystem, record) in speakers {
        let feed = feed_of_record
            .get(index(record))
            .and_then(|&feed| feed_rank.get(pool.text(feed)));
        *said
            .entry((ecosystem, feed.copied().unwrap_or(NONE)))
            .or_default() += 1;
    }
    let mut ecosystem_bytes = Vec::new();
    for (rank, (ecosystem, _)) in ecosystem_of_number.iter().enumerate() {
        let rank = count(rank, "ecosystems")?;
        let (feed, advisories) = said
            .range((rank, 0)..=(rank, NONE))
            .map(|((_, feed), &advisories)| (*feed, advisories))
            .max_by_key(|&(feed, advisories)| (advisories, std::cmp::Reverse(feed)))
            .unwrap_or((NONE, 0));
        let family = heap.push(ecosystem.family())?;
        let release = ecosystem.release().map_or(Ok(NONE), |it| heap.push(it))?;
        put(&mut ecosystem_bytes, family);
        put(&mut ecosystem_bytes, release);
        put(&mut ecosystem_bytes, feed);
        ecosystem_bytes.extend_from_slice(&advisories.to_le_bytes());
    }

    let mut support_bytes = Vec::new();
    for ((distro, version), day) in &context.support {
        let distro = heap.push(distro)?;
        let version = heap.push(version)?;
        put(&mut support_bytes, distro);
        put(&mut support_bytes, version);
        support_bytes.extend_from_slice(&day.days().to_le_bytes());
    }

    let mut facts = Vec::new();
    put_u64(&mut facts, feed_of_record.len());
    put_u64(&mut facts, vulnerability_places.len());
    put_u64(&mut facts, usize::from(context.starter));

    let places = |places: &[Option<[u32; 2]>]| {
        let mut bytes = Vec::with_capacity(places.len() * 8);
        for place in places {
            for word in place.unwrap_or([NONE, NONE]) {
                put(&mut bytes, word);
            }
        }
        bytes
    };
    let sections = SectionName::ALL.map(|name| {
        let bytes = match name {
            SectionName::Facts => std::mem::take(&mut facts),
            SectionName::Feeds => std::mem::take(&mut feed_bytes),
            SectionName::Ecosystems => std::mem::take(&mut ecosystem_bytes),
            SectionName::Support => std::mem::take(&mut support_bytes),
            SectionName::Hashes => std::mem::take(&mut hashes),
            SectionName::Keys => std::mem::take(&mut key_bytes),
            SectionName::Rows => std::mem::take(&mut row_bytes),
            SectionName::Bundles => bundles
                .words
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect(),
            SectionName::Strings => std::mem::take(&mut heap.bytes),
            SectionName::Records => places(&record_places),
            SectionName::Vulnerabilities => places(&vulnerability_places),
            SectionName::Blocks => std::mem::take(&mut blocks.table),
            SectionName::Details => std::mem::take(&mut blocks.packed),
        };
        (name, bytes)
    });
    Ok(file_of(sections))
}

/// Header, table and sections, with the digest filled in.
fn file_of(sections: [(SectionName, Vec<u8>); SectionName::COUNT]) -> Vec<u8> {
    let aligned = |length: usize| length.next_multiple_of(8);
    let start = HEADER + TABLE_ENTRY * sections.len();
    let length = start
        + sections
            .iter()
            .map(|(_, bytes)| aligned(bytes.len()))
            .sum::<usize>();
    let mut file = Vec::with_capacity(length);
    file.extend_from_slice(MAGIC);
    file.resize(DIGESTED_FROM, 0);
    put(&mut file, VERSION);
    put(&mut file, u32::try_from(sections.len()).unwrap_or(NONE));
    put_u64(&mut file, length);
    let mut offset = start;
    for (name, bytes) in &sections {
        file.extend_from_slice(&name.tag());
        put_u64(&mut file, offset);
        put_u64(&mut file, bytes.len());
        put_u64(&mut file, 0);
        offset += aligned(bytes.len());
    }
    for (_, bytes) in sections {
        file.extend_from_slice(&bytes);
        file.resize(aligned(file.len()), 0);
    }
    let digest: [u8; 32] = Sha256::digest(file.get(DIGESTED_FROM..).unwrap_or_default()).into();
    if let Some(slot) = file.get_mut(DIGEST_AT..DIGESTED_FROM) {
        slot.copy_from_slice(&digest);
    }
    file
}

fn put(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

fn put_u64(bytes: &mut Vec<u8>, word: usize) {
    bytes.extend_from_slice(&u64::try_from(word).unwrap_or(u64::MAX).to_le_bytes());
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
