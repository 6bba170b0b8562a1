//! From one edition to the next.
//!
//! ```text
//! delta    0  magic "seaworthy.delta\n"               16 bytes
//!         16  version of this layout                   u32, little endian
//!         20  format of the edition that comes of it   u32
//!         24  digest of the edition it starts from     32 bytes
//!         56  digest of the edition that comes of it   32 bytes
//!         88  length of the packed plan                u64
//!         96  the plan: one zstd frame
//!             then the records: one zstd frame, to the end
//! ```
//!
//! One more record renumbers many, so that the bytes of two editions have less in
//! common than what they say. A delta is therefore told in records: those that go,
//! those that are replaced and those that come. The plan names the former two by
//! their positions among the records of the first edition, by feed and id, and has
//! what changed beside records. The records, each after its length (u32), are packed
//! with the old wording of those that are replaced at hand, so that of a record with
//! one more release little more than that release travels.
//!
//! Whoever has the first edition takes it apart, changes it and compiles it again.
//! Compiling is a function of what is compiled, so that the digest proves the result.

mod context;
mod position;
mod record;

use std::io::{self, Read, Write};

use data_encoding::HEXLOWER;
use seaworthy_core::{Advisory, Digest};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::context::ContextDocument;
use self::position::{distances, positions};
use crate::compile::{CompileError, Compiler, Context};
use crate::decompile::RecordName;
use crate::edition::Edition;
use crate::format::{DIGEST_AT, DIGESTED_FROM, VERSION, u32_at, u64_at};
use crate::walk::WalkError;

const MAGIC: &[u8; 16] = b"seaworthy.delta\n";
const DELTA_VERSION: u32 = 1;
const HEAD: usize = 96;

/// What is worth sending as a delta is far smaller; the whole edition is the way
/// for the rest.
const MAX_PLAN: usize = 64 << 20;
const MAX_RECORDS: usize = 256 << 20;
const MAX_RECORD: usize = 16 << 20;
/// How much old wording is at hand at most.
const MAX_WORDING: usize = 32 << 20;
/// Deltas are packed once and sent often.
const LEVEL: i32 = 19;
const WINDOW_LOG: u32 = 27;

#[derive(Serialize, Deserialize)]
struct Plan<'a> {
    /// Positions as distances.
    removed: Vec<u32>,
    replaced: Vec<u32>,
    #[serde(borrow)]
    context: ContextDocument<'a>,
}

/// Why no delta can be made.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// One of the editions cannot be taken apart.
    #[error("cannot read all of the {which} edition")]
    Edition {
        /// The older or the newer.
        which: &'static str,
        /// What is wrong with it.
        #[source]
        source: WalkError,
    },
    /// The editions have too little in common.
    #[error("the editions differ by more than {limit} bytes of {what}: send the whole edition")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much a delta may hold.
        limit: usize,
    },
    /// Something could not be encoded.
    #[error("cannot encode the changes")]
    Encode(#[source] postcard::Error),
    /// Something could not be packed.
    #[error("cannot pack the changes")]
    Pack(#[source] io::Error),
}

/// Why a delta leads to no edition.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It does not begin as one.
    #[error("not a delta between editions")]
    NotADelta,
    /// A program of another age made it.
    #[error(
        "the delta has version {found} for format {format}, and this program reads {readable} for {ours}"
    )]
    Version {
        /// Its version.
        found: u32,
        /// The format of the edition that should come of it.
        format: u32,
        /// The version this program reads.
        readable: u32,
        /// The format this program compiles to.
        ours: u32,
    },
    /// It starts from another edition.
    #[error("the delta starts from the edition {needed}, and this is {found}")]
    Base {
        /// What it starts from.
        needed: Digest,
        /// What is here.
        found: Digest,
    },
    /// It contradicts itself or its bounds.
    #[error("the delta is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// It cannot be unpacked.
    #[error("the delta cannot be unpacked")]
    Unpack(#[source] io::Error),
    /// The edition it starts from cannot be taken apart.
    #[error("cannot read all of the edition that the delta starts from")]
    Edition(#[source] WalkError),
    /// What comes of it cannot be compiled.
    #[error("cannot compile what comes of the delta")]
    Compile(#[source] CompileError),
    /// Something else comes of it than it says.
    #[error("the delta says it leads to the edition {promised}, and it leads to {made}")]
    Other {
        /// What it says.
        promised: Digest,
        /// What came of it.
        made: Digest,
    },
}

/// A record of the older edition.
struct Before {
    name: RecordName,
    hash: [u8; 32],
    fate: Fate,
}

/// What becomes of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    IsReplaced,
}

/// What leads from `old` to `new`.
pub fn delta(old: &Edition, new: &Edition) -> Result<Vec<u8>, DeltaError> {
    let edition = |which| move |source| DeltaError::Edition { which, source };
    let mut before = Vec::new();
    let old_context = each(old, edition("older"), &mut |name, bytes| {
        before.push(Before {
            name,
            hash: Sha256::digest(&bytes).into(),
            fate: Fate::Goes,
        });
    })?;
    before.sort_unstable_by(|a, b| a.name.cmp(&b.name));

    // By name, in two lists: what is replaced, with its position, and what is new.
    let (mut replaced, mut added) = (Vec::new(), Vec::new());
    let new_context = each(new, edition("newer"), &mut |name, bytes| {
        let found = before.binary_search_by(|it| it.name.cmp(&name));
        let Some((position, was)) = found.ok().and_then(|at| Some((at, before.get_mut(at)?)))
        else {
            added.push((name, bytes));
            return;
        };
        if was.hash == <[u8; 32]>::from(Sha256::digest(&bytes)) {
            was.fate = Fate::Stays;
        } else {
            was.fate = Fate::IsReplaced;
            replaced.push((position, bytes));
        }
    })?;
    replaced.sort_unstable_by_key(|(position, _)| *position);
    added.sort_unstable();

    let mut wording = Vec::with_capacity(replaced.len());
    if !replaced.is_empty() {
        each(old, edition("older"), &mut |name, bytes| {
            let found = before.binary_search_by(|it| it.name.cmp(&name));
            if let Ok(position) = found
                && before.get(position).map(|it| it.fate) == Some(Fate::IsReplaced)
            {
                wording.push((position, bytes));
            }
        })?;
    }
    wording.sort_unstable_by_key(|(position, _)| *position);
    let wording = at_hand(wording.iter().map(|(_, bytes)| bytes.as_slice()));

    let gone = before.iter().enumerate();
    let gone = gone.filter(|(_, it)| it.fate == Fate::Goes);
    let plan = postcard::to_allocvec(&Plan {
        removed: distances(gone.map(|(position, _)| position)),
        replaced: distances(replaced.iter().map(|(position, _)| *position)),
        context: ContextDocument::between(&old_context, &new_context),
    })
    .map_err(DeltaError::Encode)?;
    within(plan.len(), MAX_PLAN, "plan")?;
    let replaced = replaced.iter().map(|(_, bytes)| bytes);
    let mut records = Vec::new();
    for bytes in replaced.chain(added.iter().map(|(_, bytes)| bytes)) {
        within(bytes.len(), MAX_RECORD, "one record")?;
        records.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        records.extend_from_slice(bytes);
        within(records.len(), MAX_RECORDS, "records")?;
    }

    let plan = pack(&plan, &[]).map_err(DeltaError::Pack)?;
    let records = pack(&records, &wording).map_err(DeltaError::Pack)?;
    let mut delta = Vec::with_capacity(HEAD + plan.len() + records.len());
    delta.extend_from_slice(MAGIC);
    delta.extend_from_slice(&DELTA_VERSION.to_le_bytes());
    delta.extend_from_slice(&VERSION.to_le_bytes());
    for edition in [old, new] {
        delta.extend_from_slice(&hash_of(edition.digest()));
    }
    let length = u64::try_from(plan.len()).unwrap_or(u64::MAX);
    delta.extend_from_slice(&length.to_le_bytes());
    delta.extend_from_slice(&plan);
    delta.extend_from_slice(&records);
    Ok(delta)
}

/// The bytes of the edition that `delta` leads to from `old`.
///
/// `old` must be whole: what is missing in it would be missing in what comes of it,
/// and is refused by digest.
pub fn apply(old: &Edition, delta: &[u8]) -> Result<Vec<u8>, ApplyError> {
    apply_all(old, &[delta])
}

/// The bytes of the edition that `deltas`, one after the other, lead to from `old`.
///
/// Only the last one is compiled, so that many steps cost hardly more than one.
pub fn apply_all(old: &Edition, deltas: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, ApplyError> {
    let mut records = Records::of(old)?;
    for delta in deltas {
        records.change(delta.as_ref())?;
    }
    let mut compiler = Compiler::new();
    for (_, bytes) in records.by_name {
        let record = record::decode(&bytes).ok_or(UNREADABLE)?;
        compiler.add(&record).map_err(ApplyError::Compile)?;
    }
    let bytes = compiler
        .compile(&records.context)
        .map_err(ApplyError::Compile)?;
    let made = digest_of(&bytes, DIGEST_AT).ok_or(ApplyError::Damaged {
        what: "nothing comes of it",
    })?;
    if made != records.digest {
        return Err(ApplyError::Other {
            promised: records.digest,
            made,
        });
    }
    Ok(bytes)
}

const UNREADABLE: ApplyError = ApplyError::Damaged {
    what: "one of its records cannot be read",
};

/// What an edition is made of, on its way to another.
struct Records {
    /// Encoded.
    by_name: Vec<(RecordName, Vec<u8>)>,
    context: Context,
    /// The edition that comes of it.
    digest: Digest,
}

impl Records {
    fn of(edition: &Edition) -> Result<Self, ApplyError> {
        let mut by_name = Vec::new();
        let mut refused = None;
        let context = edition
            .decompile(&mut |advisory| match record::encode(&advisory) {
                Ok(bytes) => by_name.push(((advisory.feed, advisory.id), bytes)),
                Err(_) => refused = Some(UNREADABLE),
            })
            .map_err(ApplyError::Edition)?;
        by_name.sort_unstable();
        let records = Self {
            by_name,
            context,
            digest: edition.digest().clone(),
        };
        refused.map_or(Ok(records), Err)
    }

    fn change(&mut self, delta: &[u8]) -> Result<(), ApplyError> {
        let damaged = |what| ApplyError::Damaged { what };
        let (head, packed) = Head::read(delta)?;
        if head.from != self.digest {
            return Err(ApplyError::Base {
                needed: head.from,
                found: self.digest.clone(),
            });
        }
        let length = usize::try_from(head.plan).ok();
        let (plan, records) = length
            .and_then(|length| packed.split_at_checked(length))
            .ok_or(damaged("its plan is cut"))?;
        let plan = unpack(plan, &[], MAX_PLAN)?;
        let Ok((plan, [])) = postcard::take_from_bytes::<Plan<'_>>(&plan) else {
            return Err(damaged("its plan cannot be read"));
        };
        let those = |distances: &[u32]| {
            positions(distances, self.by_name.len())
                .ok_or(damaged("it changes records that are not there"))
        };
        let (removed, replaced) = (those(&plan.removed)?, those(&plan.replaced)?);
        let wording = replaced.iter().filter_map(|&at| self.by_name.get(at));
        let wording = at_hand(wording.map(|(_, bytes)| bytes.as_slice()));
        let records = unpack(records, &wording, MAX_RECORDS)?;

        let mut gone = vec![false; self.by_name.len()];
        for position in removed.into_iter().chain(replaced) {
            if let Some(gone) = gone.get_mut(position) {
                *gone = true;
            }
        }
        let mut gone = gone.into_iter();
        self.by_name.retain(|_| gone.next() != Some(true));
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let (name, bytes, after) = next_record(rest).ok_or(UNREADABLE)?;
            self.by_name.push((name, bytes.to_vec()));
            rest = after;
        }
        self.by_name.sort_unstable();
        self.context = plan
            .context
            .apply(std::mem::take(&mut self.context))
            .ok_or(damaged("it changes names that are not there"))?;
        self.digest = head.to;
        Ok(())
    }
}

/// What the first bytes of a delta say.
struct Head {
    from: Digest,
    to: Digest,
    /// Length of the packed plan.
    plan: u64,
}

impl Head {
    /// The head of a delta, and what follows it.
    fn read(delta: &[u8]) -> Result<(Self, &[u8]), ApplyError> {
        if !delta.starts_with(MAGIC) {
            return Err(ApplyError::NotADelta);
        }
        let word = |at| u32_at(delta, at).ok_or(ApplyError::NotADelta);
        let (found, format) = (word(16)?, word(20)?);
        if (found, format) != (DELTA_VERSION, VERSION) {
            return Err(ApplyError::Version {
                found,
                format,
                readable: DELTA_VERSION,
                ours: VERSION,
            });
        }
        let head = || {
            let head = Self {
                from: digest_of(delta, 24)?,
                to: digest_of(delta, 56)?,
                plan: u64_at(delta, 88)?,
            };
            Some((head, delta.get(HEAD..)?))
        };
        head().ok_or(ApplyError::Damaged {
            what: "its head is cut",
        })
    }
}

/// Visits the encoded records of an edition and returns its context.
fn each(
    edition: &Edition,
    unreadable: impl Fn(WalkError) -> DeltaError,
    visit: &mut dyn FnMut(RecordName, Vec<u8>),
) -> Result<Context, DeltaError> {
    let mut refused = None;
    let context = edition
        .decompile(&mut |advisory: Advisory| match record::encode(&advisory) {
            Ok(bytes) => visit((advisory.feed, advisory.id), bytes),
            Err(error) => refused = Some(DeltaError::Encode(error)),
        })
        .map_err(unreadable)?;
    refused.map_or(Ok(context), Err)
}

/// Old wording as both sides have it at hand: as many whole records as there is
/// room for.
fn at_hand<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut wording = Vec::new();
    for record in records {
        if wording.len().saturating_add(record.len()) > MAX_WORDING {
            break;
        }
        wording.extend_from_slice(record);
    }
    wording
}

fn next_record(bytes: &[u8]) -> Option<(RecordName, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let (record, rest) = bytes.get(4..)?.split_at_checked(length)?;
    if length > MAX_RECORD {
        return None;
    }
    let advisory = record::decode(record)?;
    Some(((advisory.feed, advisory.id), record, rest))
}

fn pack(bytes: &[u8], wording: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, wording)?;
    // The window must reach from the end of the bytes to the start of the wording.
    let reach = bytes.len().saturating_add(wording.len()).max(1);
    let reach = reach.next_power_of_two().ilog2();
    encoder.window_log(reach.clamp(10, WINDOW_LOG))?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn unpack(packed: &[u8], wording: &[u8], limit: usize) -> Result<Vec<u8>, ApplyError> {
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(packed, wording)
        .map_err(ApplyError::Unpack)?
        .single_frame();
    decoder
        .window_log_max(WINDOW_LOG)
        .map_err(ApplyError::Unpack)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bounded = decoder.take(most);
    bounded
        .read_to_end(&mut bytes)
        .map_err(ApplyError::Unpack)?;
    let rest = bounded.into_inner().finish();
    if bytes.len() > limit {
        let what = "it unpacks to too much";
        return Err(ApplyError::Damaged { what });
    }
    if !rest.is_empty() {
        let what = "something follows its end";
        return Err(ApplyError::Damaged { what });
    }
    Ok(bytes)
}

fn within(length: usize, limit: usize, what: &'static str) -> Result<(), DeltaError> {
    if length > limit {
        return Err(DeltaError::TooLarge { what, limit });
    }
    Ok(())
}

fn hash_of(digest: &Digest) -> Vec<u8> {
    let hash = HEXLOWER.decode(digest.hex().as_bytes());
    hash.expect("a digest has 64 hex digits")
}

fn digest_of(bytes: &[u8], at: usize) -> Option<Digest> {
    let end = at.checked_add(DIGESTED_FROM - DIGEST_AT)?;
    let hash: [u8; 32] = bytes.get(at..end)?.try_into().ok()?;
    Some(Digest::from_sha256(hash))
}
