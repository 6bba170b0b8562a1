//! Drafts to sections, sections to one file.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use seaworthy_core::{Ecosystem, FeedDate};
use sha2::{Digest as _, Sha256};

use super::bundle::Bundles;
use super::pool::Pool;
use super::{CompileError, Context, FinalRow, count};
use crate::format::{
    BUNDLE, DIGEST_AT, DIGESTED_FROM, HEADER, MAGIC, NONE, SectionName, TABLE_ENTRY, VERSION,
    push_text, row_word,
    size::{KEY, WORD},
};
use crate::group::{ALIGNMENT, Texts};
use crate::hash;
use crate::lookup::{bucket_of, halves};

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
    /// Of records without rows, in the order of their names.
    pub(super) silent_documents: Vec<Vec<u8>>,
    pub(super) context: &'a Context,
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
        put_word(&mut self.table, count(packed.len(), "bytes of details")?);
        put_word(&mut self.table, count(self.open.len(), "bytes of details")?);
        self.packed.extend_from_slice(&packed);
        self.open.clear();
        self.closed = self.closed.saturating_add(1);
        Ok(())
    }
}

/// A key on its way to its place.
struct Key<'a> {
    name: &'a str,
    /// Where its rows lie once they are sorted.
    rows: Range<usize>,
}

/// An ecosystem on its way to its place.
struct Home<'a> {
    ecosystem: &'a Ecosystem,
    /// By name.
    keys: Vec<Key<'a>>,
}

/// The numbers that readers know records and vulnerabilities by, and the places
/// of their details: both in the order in which they were met.
struct Numbers {
    of: Vec<u32>,
    places: Vec<u8>,
    met: u32,
}

impl Numbers {
    fn of(count: usize) -> Self {
        Self {
            of: vec![NONE; count],
            places: Vec::new(),
            met: 0,
        }
    }

    /// Numbers the next, where it is met for the first time, and keeps the place
    /// where `put` puts its details.
    fn meet(
        &mut self,
        old: u32,
        put: impl FnOnce(usize) -> Result<[u32; 2], CompileError>,
    ) -> Result<(), CompileError> {
        let Some(slot @ &mut NONE) = self.of.get_mut(index(old)) else {
            return Ok(());
        };
        *slot = self.met;
        self.met += 1;
        for word in put(index(old))? {
            put_word(&mut self.places, word);
        }
        Ok(())
    }

    fn get(&self, old: u32) -> u32 {
        self.of.get(index(old)).copied().unwrap_or(NONE)
    }
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
        mut bundles,
        feed_of_record,
        vulnerability_documents,
        silent_documents,
        context,
    } = parts;
    sort(&mut rows, pool);
    count(rows.len(), "rows")?;
    let homes = homes(pool, ecosystems, keys, &rows);

    // Details lie as readers will want them: those of a name together, for all
    // releases of a distribution.
    let mut in_families: Vec<(&str, &str, usize, &Key<'_>)> = homes
        .iter()
        .enumerate()
        .flat_map(|(rank, home)| {
            let family = home.ecosystem.family();
            let keys = home.keys.iter();
            keys.map(move |key| (family, key.name, rank, key))
        })
        .collect();
    in_families.sort_unstable_by_key(|&(family, name, rank, _)| (family, name, rank));
    let mut blocks = Blocks::new()?;
    let mut records = Numbers::of(feed_of_record.len());
    let mut vulnerabilities = Numbers::of(vulnerability_documents.len());
    for (.., key) in in_families {
        for row in rows.get(key.rows.clone()).unwrap_or_default() {
            records.meet(row.record, |old| blocks.push(&record_document(old)?))?;
            for &vulnerability in bundles.of_word(&row.about) {
                vulnerabilities.meet(vulnerability, |old| {
                    let document = vulnerability_documents.get(old);
                    blocks.push(document.map_or(&[][..], Vec::as_slice))
                })?;
            }
        }
    }
    blocks.close()?;
    let first_silent = blocks.closed;
    for document in silent_documents {
        blocks.push(&document)?;
    }
    blocks.close()?;
    drop(vulnerability_documents);
    bundles.renumber(|old| vulnerabilities.get(old));

    let mut starts = Vec::new();
    let mut key_bytes = Vec::new();
    let mut groups = Vec::new();
    // Where the starts of each ecosystem begin, and how many bits number them.
    let mut buckets = Vec::with_capacity(homes.len());
    // Which records speak of which ecosystem, counted per feed.
    let mut speakers: HashSet<(u32, u32)> = HashSet::new();
    for (rank, home) in homes.iter().enumerate() {
        let mut places = Vec::with_capacity(home.keys.len());
        for key in &home.keys {
            let rows = rows.get(key.rows.clone()).unwrap_or_default();
            let rank = count(rank, "ecosystems")?;
            speakers.extend(rows.iter().map(|row| (rank, row.record)));
            let place = count(groups.len() / ALIGNMENT, "packages")?;
            places.push((hash::of_name(key.name), key.name, place));
            group(key.name, rows, pool, &mut groups, |row| {
                let about = if row.about & BUNDLE == 0 {
                    vulnerabilities.get(row.about)
                } else {
                    row.about
                };
                let record = records.get(row.record);
                [row_word(row.shape, row.trust, record), about]
            })?;
        }
        let first_start = count(starts.len() / WORD, "packages")?;
        let bits = put_keys(places, &mut starts, &mut key_bytes)?;
        buckets.push((first_start, bits));
    }

    let mut strings = Vec::new();
    let mut text = |text: &str| {
        push_text(&mut strings, text).ok_or(CompileError::TooMany {
            what: "bytes of text",
        })
    };
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
        let id = text(id)?;
        let (kind, day) = match date {
            FeedDate::Unknown => (0, 0),
            FeedDate::Fetched(day) => (1, day.days()),
            FeedDate::NewestRecord(day) => (2, day.days()),
        };
        put_word(&mut feed_bytes, id);
        put_word(&mut feed_bytes, kind);
        feed_bytes.extend_from_slice(&day.to_le_bytes());
        put_word(&mut feed_bytes, 0);
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
    let mut in_hash_order: Vec<_> = homes
        .iter()
        .zip(buckets)
        .enumerate()
        .map(|(rank, (home, buckets))| {
            let (family, release) = (home.ecosystem.family(), home.ecosystem.release());
            let hash = hash::of_ecosystem(family, release);
            Ok((hash, family, release, count(rank, "ecosystems")?, buckets))
        })
        .collect::<Result<_, CompileError>>()?;
    in_hash_order.sort_unstable();
    let mut without_release = HashMap::new();
    for (position, &(_, family, release, ..)) in in_hash_order.iter().enumerate() {
        if release.is_none() {
            without_release.insert(family, count(position, "ecosystems")?);
        }
    }
    let mut ecosystem_bytes = Vec::new();
    for (hash, family, release, rank, (first_start, bits)) in in_hash_order {
        let of_family = without_release.get(family).copied().unwrap_or(NONE);
        let (feed, advisories) = said
            .range((rank, 0)..=(rank, NONE))
            .map(|((_, feed), &advisories)| (*feed, advisories))
            .max_by_key(|&(feed, advisories)| (advisories, std::cmp::Reverse(feed)))
            .unwrap_or((NONE, 0));
        let family = text(family)?;
        let release = release.map_or(Ok(NONE), &mut text)?;
        ecosystem_bytes.extend_from_slice(&hash.to_le_bytes());
        for word in [family, release, feed, first_start, bits, of_family] {
            put_word(&mut ecosystem_bytes, word);
        }
        ecosystem_bytes.extend_from_slice(&advisories.to_le_bytes());
    }

    let mut support_bytes = Vec::new();
    for ((distro, version), day) in &context.support {
        let distro = text(distro)?;
        let version = text(version)?;
        put_word(&mut support_bytes, distro);
        put_word(&mut support_bytes, version);
        support_bytes.extend_from_slice(&day.days().to_le_bytes());
    }

    let mut facts = Vec::new();
    put_u64(&mut facts, feed_of_record.len());
    put_u64(&mut facts, vulnerabilities.of.len());
    put_u64(&mut facts, usize::from(context.starter));
    put_u64(&mut facts, rows.len());
    put_u64(&mut facts, index(first_silent));

    let mut bundle_bytes = Vec::with_capacity(bundles.words.len() * WORD);
    for word in bundles.words {
        put_word(&mut bundle_bytes, word);
    }
    Ok(file_of([
        (SectionName::Facts, facts),
        (SectionName::Strings, strings),
        (SectionName::Feeds, feed_bytes),
        (SectionName::Support, support_bytes),
        (SectionName::Ecosystems, ecosystem_bytes),
        (SectionName::Starts, starts),
        (SectionName::Keys, key_bytes),
        (SectionName::Groups, groups),
        (SectionName::Bundles, bundle_bytes),
        (SectionName::Records, records.places),
        (SectionName::Vulnerabilities, vulnerabilities.places),
        (SectionName::Blocks, blocks.table),
        (SectionName::Details, blocks.packed),
    ]))
}

/// Sorts rows by key, each once. The rows of a key keep the order of the names
/// of their records.
fn sort(rows: &mut Vec<FinalRow>, pool: &Pool) {
    rows.sort_unstable_by(|a, b| {
        (a.key, a.record, a.about, a.shape)
            .cmp(&(b.key, b.record, b.about, b.shape))
            // An empty version is not the same as none.
            .then_with(|| (a.from != NONE).cmp(&(b.from != NONE)))
            .then_with(|| pool.text(a.from).cmp(pool.text(b.from)))
            .then_with(|| pool.text(a.until).cmp(pool.text(b.until)))
    });
    rows.dedup_by_key(|row| {
        (
            row.key, row.record, row.about, row.shape, row.from, row.until,
        )
    });
}

/// Ecosystems that some row is about, by name, each with its keys.
fn homes<'a>(
    pool: &'a Pool,
    ecosystems: &'a HashMap<Ecosystem, u32>,
    keys: &HashMap<(u32, u32), u32>,
    rows: &[FinalRow],
) -> Vec<Home<'a>> {
    let mut keys_of: HashMap<u32, Vec<Key<'a>>> = HashMap::new();
    for (&(ecosystem, name), &number) in keys {
        let start = rows.partition_point(|row| row.key < number);
        let end = rows.partition_point(|row| row.key <= number);
        if start < end {
            keys_of.entry(ecosystem).or_default().push(Key {
                name: pool.text(name),
                rows: start..end,
            });
        }
    }
    let mut homes: Vec<Home<'a>> = ecosystems
        .iter()
        .filter_map(|(ecosystem, number)| {
            let keys = keys_of.remove(number)?;
            Some(Home { ecosystem, keys })
        })
        .collect();
    homes.sort_unstable_by_key(|home| home.ecosystem);
    for home in &mut homes {
        home.keys.sort_unstable_by_key(|key| key.name);
    }
    homes
}

/// Appends the group of one name. `numbers` tells the first two words of a row.
fn group(
    name: &str,
    rows: &[FinalRow],
    pool: &Pool,
    groups: &mut Vec<u8>,
    numbers: impl Fn(&FinalRow) -> [u32; 2],
) -> Result<(), CompileError> {
    let too_much = || CompileError::TooMany {
        what: "bytes about one package",
    };
    let mut texts = Texts::of(name).ok_or_else(too_much)?;
    let mut offsets: HashMap<u32, u32> = HashMap::new();
    let mut offset = |text: u32| {
        if text == NONE {
            return Ok(NONE);
        }
        Ok(match offsets.entry(text) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(texts.push(pool.text(text)).ok_or_else(too_much)?),
        })
    };
    let words = rows
        .iter()
        .map(|row| {
            let [record, about] = numbers(row);
            Ok([record, about, offset(row.from)?, offset(row.until)?])
        })
        .collect::<Result<Vec<_>, CompileError>>()?;
    texts.write(&words, groups).ok_or_else(too_much)
}

/// How many keys a bucket has, about. Fewer need more starts, more need longer
/// searches.
const KEYS_IN_BUCKET: usize = 4;

/// Appends the keys of one ecosystem, given as hash, name and group, and where
/// their buckets start. Tells how many bits number the buckets.
fn put_keys(
    mut keys: Vec<(u64, &str, u32)>,
    starts: &mut Vec<u8>,
    key_bytes: &mut Vec<u8>,
) -> Result<u32, CompileError> {
    let bits = (keys.len() / KEYS_IN_BUCKET)
        .checked_ilog2()
        .map_or(0, |bits| bits.min(31));
    // Of the high half of a hash only the bucket counts.
    let place = |hash| (bucket_of(hash, bits).unwrap_or(0), halves(hash)[0]);
    keys.sort_unstable_by_key(|&(hash, name, _)| (place(hash), name));
    let before = key_bytes.len() / KEY;
    for bucket in 0..=1_u32 << bits {
        let start = keys.partition_point(|&(hash, ..)| place(hash).0 < bucket);
        put_word(starts, count(before + start, "packages")?);
    }
    for (hash, _, group) in keys {
        put_word(key_bytes, halves(hash)[0]);
        put_word(key_bytes, group);
    }
    Ok(bits)
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
    put_word(&mut file, VERSION);
    put_word(&mut file, u32::try_from(sections.len()).unwrap_or(NONE));
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

fn put_word(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

fn put_u64(bytes: &mut Vec<u8>, word: usize) {
    bytes.extend_from_slice(&u64::try_from(word).unwrap_or(u64::MAX).to_le_bytes());
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
