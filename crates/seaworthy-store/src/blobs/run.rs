//! What is written down about bytes: runs of them, one per appended chunk.
//!
//! A run never changes once it is written down, and nothing is ever written into
//! one that is. So whoever goes on with an upload, on whichever node and however
//! the last attempt ended, cannot spoil what others rely on.

use std::num::NonZeroU64;
use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use super::{Partial, Place};
use crate::trouble::StoreError;

/// Bytes that were written in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// Where they are: a file, or what the keys of its pieces begin with.
    pub(super) name: String,
    /// How many they are.
    pub(super) size: u64,
    /// The size of its pieces, except for the last one. Absent where it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<NonZeroU64>,
}

/// An upload so far.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) upload: String,
    pub(super) runs: Vec<Run>,
    pub(super) hash: Sha256,
}

/// A blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) upload: String,
    pub(super) runs: Vec<Run>,
}

/// A piece of a run, or a part of one, to be read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// The how-manieth run.
    pub(super) run: usize,
    /// The how-manieth piece of it.
    pub(super) piece: u64,
    /// The bytes of that piece.
    pub(super) range: Range<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    upload: String,
    runs: Vec<Run>,
    /// The running SHA-256 of them all.
    sha256: String,
}

impl Run {
    /// How many pieces it is in.
    pub(super) fn pieces(&self) -> u64 {
        self.piece
            .map_or(1, |piece| self.size.div_ceil(piece.get()))
    }
}

impl Draft {
    pub(super) fn new(upload: &str) -> Self {
        Self {
            upload: upload.to_owned(),
            runs: Vec::new(),
            hash: Sha256::default(),
        }
    }

    pub(super) fn received(&self) -> u64 {
        total(&self.runs)
    }

    pub(super) fn read(partial: &Partial) -> Result<Self, StoreError> {
        let unreadable = |why: &str| StoreError::Unreadable(format!("an upload's state: {why}"));
        let state: State =
            serde_json::from_str(&partial.state).map_err(|error| unreadable(&error.to_string()))?;
        trust(&state.upload, &state.runs)?;
        if total(&state.runs) != partial.received {
            return Err(unreadable("its runs are not what it received"));
        }
        let bytes = BASE64URL_NOPAD.decode(state.sha256.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| SerializedState::<Sha256>::try_from(&*bytes).ok());
        let hash = bytes.and_then(|bytes| Sha256::deserialize(&bytes).ok());
        Ok(Self {
            upload: state.upload,
            runs: state.runs,
            hash: hash.ok_or_else(|| unreadable("its running hash is none"))?,
        })
    }

    pub(super) fn write(&self) -> Partial {
        let state = State {
            upload: self.upload.clone(),
            runs: self.runs.clone(),
            sha256: BASE64URL_NOPAD.encode(&self.hash.serialize()),
        };
        Partial {
            received: self.received(),
            state: serde_json::to_string(&state).expect("it is plain data"),
        }
    }
}

impl Kept {
    pub(super) fn read(place: &Place) -> Result<Self, StoreError> {
        let kept: Self = serde_json::from_str(&place.0)
            .map_err(|error| StoreError::Unreadable(format!("a blob's place: {error}")))?;
        trust(&kept.upload, &kept.runs)?;
        Ok(kept)
    }

    pub(super) fn write(&self) -> Place {
        Place(serde_json::to_string(self).expect("it is plain data"))
    }
}

/// How many bytes runs have together.
pub(super) fn total(runs: &[Run]) -> u64 {
    runs.iter().fold(0, |sum, run| sum.saturating_add(run.size))
}

/// Whether a text may be part of a name of ours, in files as in keys.
pub(super) fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 100 && text.bytes().all(plain)
}

/// What tells a run from all others: where it begins in its upload, and chance.
pub(super) fn new_mark(received: u64) -> String {
    format!("{received:x}-{:016x}", rand::random::<u64>())
}

/// Whether a text may be a [mark](new_mark). What has none is not ours to remove.
pub(super) fn is_mark(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = text.split_once('-');
    parts.is_some_and(|(begin, chance)| {
        !begin.is_empty() && chance.len() == 16 && hex(begin) && hex(chance)
    })
}

/// What is written down is ours; a name that leads elsewhere never is.
fn trust(upload: &str, runs: &[Run]) -> Result<(), StoreError> {
    let sound = |name: &str| {
        name.split(['/', '.']).all(|part| part.len() <= 200) && name.split(['/', '.']).all(plain)
    };
    let plain_upload = is_plain(upload);
    match runs.iter().find(|run| !sound(&run.name)) {
        None if plain_upload => Ok(()),
        found => {
            let name = found.map_or(upload, |run| &run.name);
            let why = format!("`{name}` is no name of a blob store's");
            Err(StoreError::Unreadable(why))
        }
    }
}

fn plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !part.is_empty() && part.bytes().all(plain)
}

/// What has to be read for `range` of `runs`, in order, in sections of at most
/// `most` bytes.
pub(super) fn sections(
    runs: &[Run],
    range: &Range<u64>,
    most: NonZeroU64,
) -> impl Iterator<Item = Section> + Send + use<> {
    let mut start = 0;
    let mut wanted = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let end = start + run.size;
        let from = range.start.clamp(start, end) - start;
        let to = range.end.clamp(start, end) - start;
        if from < to {
            let piece = run.piece.map_or(u64::MAX, NonZeroU64::get);
            wanted.push((index, piece, from..to));
        }
        start = end;
    }
    wanted.into_iter().flat_map(move |(run, size, range)| {
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (piece, from) = (at / size, at % size);
            let length = most.get().min(size - from).min(range.end - at);
            at += length;
            Some(Section {
                run,
                piece,
                range: from..from + length,
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::Digest as _;

    use super::*;

    fn run(name: &str, size: u64, piece: u64) -> Run {
        Run {
            name: name.to_owned(),
            size,
            piece: NonZeroU64::new(piece),
        }
    }

    #[test]
    fn an_upload_goes_on_from_what_was_written_down() {
        let mut draft = Draft::new("u-1");
        draft.runs.push(run("uploads/a.u-1", 3, 0));
        draft.hash.update(b"abc");
        let mut again = Draft::read(&draft.write()).expect("it was just written");
        again.hash.update(b"def");
        assert_eq!(again.runs, draft.runs);
        assert_eq!(again.hash.finalize(), Sha256::digest(b"abcdef"));
    }

    #[test]
    fn marks_are_known_from_other_names() {
        assert!(is_mark(&new_mark(0)) && is_mark(&new_mark(u64::MAX)));
        for other in [
            "",
            "-",
            "0-",
            "0-12",
            "-0123456789abcdef",
            "x-0123456789abcdef",
            "2024",
        ] {
            assert!(!is_mark(other), "{other}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_not_read() {
        let draft = Draft::new("u-1");
        let good = draft.write();
        let bad = [
            (1, good.state.clone()),
            (0, String::new()),
            (0, good.state.replace("\"sha256\":\"", "\"sha256\":\"A")),
            (0, good.state.replace("u-1", "../1")),
        ];
        for (received, state) in bad {
            let partial = Partial { received, state };
            assert!(Draft::read(&partial).is_err(), "{partial:?}");
        }
        for name in ["/etc/x", "../x", "a//b", "a/..", ""] {
            let kept = Kept {
                upload: "u".to_owned(),
                runs: vec![run(name, 1, 0)],
            };
            assert!(Kept::read(&kept.write()).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn sections_are_exactly_the_range(
            sizes in prop::collection::vec((0_u64..40, 0_u64..9), 0..5),
            start in 0_u64..200,
            length in 0_u64..200,
            most in 1_u64..12,
        ) {
            let runs: Vec<Run> = sizes.iter().map(|&(size, piece)| run("r", size, piece)).collect();
            let most = NonZeroU64::new(most).expect("at least one");
            let mut found = Vec::new();
            for section in sections(&runs, &(start..start + length), most) {
                prop_assert!(section.range.end - section.range.start <= most.get());
                let piece = runs[section.run].piece.map_or(0, NonZeroU64::get);
                let before = total(&runs[..section.run]) + section.piece * piece;
                if piece > 0 {
                    prop_assert!(section.range.end <= piece);
                }
                found.extend(section.range.map(|at| before + at));
            }
            let end = (start + length).min(total(&runs));
            let wanted: Vec<u64> = (start.min(end)..end).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
