//! What paths a layer has, compactly.
//!
//! A layer is remembered with all its paths, because any of them may hide
//! something in a layer below. Paths are kept in the order of a directory walk
//! (a directory right before everything in it), each as the part that differs
//! from the path before it.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// What a layer has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind<'a> {
    /// Whatever the layers below have at this path, and below it, is gone.
    Whiteout,
    /// Whatever the layers below have inside this directory is gone.
    Opaque,
    /// A directory. It keeps what a directory of a lower layer had inside.
    Dir,
    /// A regular file.
    File,
    /// A symbolic link and its target as written.
    Symlink(&'a str),
    /// A second name for a file.
    HardLink,
    /// A device, a pipe or something the format does not name.
    Other,
}

impl EntryKind<'_> {
    /// The kind as a byte.
    fn code(self) -> u8 {
        match self {
            Self::Whiteout => 0,
            Self::Opaque => 1,
            Self::Dir => 2,
            Self::File => 3,
            Self::Symlink(_) => 4,
            Self::HardLink => 5,
            Self::Other => 6,
        }
    }

    /// Whether it says something of lower layers only and is no entry itself.
    pub fn is_mark(self) -> bool {
        matches!(self, Self::Whiteout | Self::Opaque)
    }

    /// Place among the entries of one path: what this layer brings comes before
    /// what it says of lower layers. There is one of each at most.
    fn place(self) -> u8 {
        match self {
            Self::Dir | Self::File | Self::Symlink(_) | Self::HardLink | Self::Other => 0,
            Self::Whiteout => 1,
            Self::Opaque => 2,
        }
    }
}

/// One path of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// A clean path; empty only for the root itself.
    pub path: &'a str,
    /// What is there.
    pub kind: EntryKind<'a>,
}

/// Every path of one layer.
///
/// Invariant: `entries` decodes fully; its paths are clean, and strictly rising
/// by [`walk_order`] and then by kind. [`TreeBuilder`] and
/// [`LayerTree::from_bytes`] are the only ways in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LayerTree {
    entries: Box<[u8]>,
    count: usize,
    /// Whether some path lies in a directory that has no entry of its own.
    implicit: bool,
    refused: Vec<Box<str>>,
    refused_count: u64,
}

/// Why bytes are not a layer's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// They are of another version of the form, or of something else.
    #[error("the bytes are not a layer tree of version {}", FORMAT[3])]
    Format,
    /// They end early.
    #[error("the layer tree ends early")]
    Truncated,
    /// They break a rule of the form.
    #[error("the layer tree is damaged after entry {0}")]
    Damaged(usize),
}

/// The form's mark and version.
const FORMAT: [u8; 4] = *b"SWT\x01";

/// How many refused paths are kept by name.
const REFUSED: usize = 100;

/// Orders paths as a directory walk meets them: by component, so that all that
/// is inside a directory follows it without a stranger in between.
pub(crate) fn walk_order(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    // Neighbours share long beginnings; eight bytes at once make this matter
    // less.
    let (left_words, _) = left.as_chunks::<8>();
    let (right_words, _) = right.as_chunks::<8>();
    let words = left_words.iter().zip(right_words);
    let same = 8 * words.take_while(|(a, b)| a == b).count();
    let (left, right) = (
        left.get(same..).unwrap_or_default(),
        right.get(same..).unwrap_or_default(),
    );
    let differ = left.iter().zip(right).find(|(a, b)| a != b);
    let Some((left_byte, right_byte)) = differ else {
        return left.len().cmp(&right.len());
    };
    // Nothing sorts before a separator: clean paths have no NUL.
    let weight = |byte: u8| if byte == b'/' { 0 } else { byte };
    weight(*left_byte).cmp(&weight(*right_byte))
}

/// Whether `path` is `folder` or inside it. Everything is inside the root.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `path` is relative and free of `.`, `..`, NUL and empty components.
pub(crate) fn is_clean(path: &str) -> bool {
    !path.contains('\0')
        && path
            .split('/')
            .all(|component| !matches!(component, "" | "." | ".."))
}

impl LayerTree {
    /// Roughly the memory it takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        let refused: usize = self.refused.iter().map(|path| path.len()).sum();
        self.entries.len().saturating_add(refused)
    }

    /// How many entries there are, marks for lower layers included.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the layer has no entry at all.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Paths that were not read because they climb out of the root, are longer
    /// or deeper than the limits, or make no sense: the first hundred, in the
    /// layer's own order, as written.
    pub fn refused(&self) -> impl Iterator<Item = &str> {
        self.refused.iter().map(|path| &**path)
    }

    /// How many paths were refused in all.
    pub fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Goes through all entries in the order of a directory walk.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor {
            rest: &self.entries,
            path: String::new(),
        }
    }

    /// Whether some path lies in a directory without an entry of its own. Only
    /// then may a symbolic link of a lower layer stand for that directory.
    pub(crate) fn has_implicit_directories(&self) -> bool {
        self.implicit
    }

    /// The tree as bytes for [`LayerTree::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() + 64);
        bytes.extend_from_slice(&FORMAT);
        put_number(&mut bytes, self.refused_count);
        put_number(&mut bytes, self.refused.len() as u64);
        for path in &self.refused {
            put_text(&mut bytes, path);
        }
        put_number(&mut bytes, self.count as u64);
        bytes.extend_from_slice(&self.entries);
        bytes
    }

    /// Reads what [`LayerTree::to_bytes`] wrote. The bytes may come from a file
    /// that anybody could write, or from a process that read a hostile image:
    /// every length is checked, and nothing is reserved on their word.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TreeError> {
        let mut rest = bytes.strip_prefix(&FORMAT).ok_or(TreeError::Format)?;
        let refused_count = take_number(&mut rest).ok_or(TreeError::Truncated)?;
        let named = take_number(&mut rest).ok_or(TreeError::Truncated)?;
        if named > REFUSED as u64 || named > refused_count {
            return Err(TreeError::Damaged(0));
        }
        let mut refused = Vec::new();
        for _ in 0..named {
            refused.push(take_text(&mut rest).ok_or(TreeError::Truncated)?.into());
        }
        let count = take_number(&mut rest).ok_or(TreeError::Truncated)?;
        let entries = rest;

        let mut path = String::new();
        let mut before = None;
        let mut parents = Parents::default();
        let mut seen = 0;
        while !rest.is_empty() {
            let damaged = TreeError::Damaged(seen);
            let written = Written::take(&mut rest).ok_or(damaged)?;
            let place = written.kind.place();
            let replaced = path.get(written.shared..).ok_or(damaged)?;
            // Up to there the two paths are one, so the rest decides.
            let order = walk_order(replaced, written.suffix);
            let is_in_order = before
                .is_none_or(|before: u8| order.then_with(|| before.cmp(&place)) == Ordering::Less);
            written.apply(&mut path).ok_or(damaged)?;
            // Components that are all shared were found clean before.
            let shared = path.get(..written.shared).unwrap_or_default();
            let changed = shared.rfind('/').map_or(0, |slash| slash + 1);
            let is_root = path.is_empty() && written.kind == EntryKind::Opaque;
            let is_clean = is_root || path.get(changed..).is_some_and(is_clean);
            if !is_in_order || !is_clean {
                return Err(damaged);
            }
            parents.meet(&path, written.kind);
            before = Some(place);
            seen += 1;
        }
        if seen as u64 != count {
            return Err(TreeError::Truncated);
        }
        Ok(Self {
            entries: entries.into(),
            count: seen,
            implicit: parents.implicit,
            refused,
            refused_count,
        })
    }
}

impl fmt::Debug for LayerTree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_list();
        let mut cursor = self.cursor();
        while let Some(entry) = cursor.advance() {
            list.entry(&format_args!("{:?} {}", entry.kind, entry.path));
        }
        list.finish()
    }
}

impl Serialize for LayerTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for LayerTree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = LayerTree;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the bytes of a layer tree")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<LayerTree, E> {
                LayerTree::from_bytes(bytes).map_err(E::custom)
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Goes through the entries of a [`LayerTree`] without allocating for each.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    path: String,
}

impl Cursor<'_> {
    /// The next entry; its path is valid until the next call.
    pub fn advance(&mut self) -> Option<TreeEntry<'_>> {
        if self.rest.is_empty() {
            return None;
        }
        let written = Written::take(&mut self.rest)?;
        written.apply(&mut self.path)?;
        Some(TreeEntry {
            path: &self.path,
            kind: written.kind,
        })
    }
}

/// Notices directories without an entry of their own, path by path.
#[derive(Default)]
struct Parents {
    /// Path lengths of the directories that lead to the current place.
    open: Vec<usize>,
    before: String,
    implicit: bool,
}

impl Parents {
    fn meet(&mut self, path: &str, kind: EntryKind<'_>) {
        if self.implicit {
            return;
        }
        // An opaque mark is written inside its directory.
        let parent = match kind {
            EntryKind::Opaque => path,
            _ => path.rsplit_once('/').map_or("", |(parent, _)| parent),
        };
        while let Some(length) = self.open.last() {
            let folder = self.before.get(..*length).unwrap_or("");
            if is_within(parent, folder) {
                break;
            }
            self.open.pop();
        }
        if parent.len() != self.open.last().copied().unwrap_or(0) {
            self.implicit = true;
        }
        if kind == EntryKind::Dir {
            self.open.push(path.len());
            path.clone_into(&mut self.before);
        }
    }
}

/// One entry as it is written.
struct Written<'a> {
    kind: EntryKind<'a>,
    /// Bytes that its path shares with the path before it.
    shared: usize,
    /// The rest of its path.
    suffix: &'a str,
}

impl<'a> Written<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let shared = usize::try_from(take_number(rest)?).ok()?;
        let (code, after) = rest.split_first()?;
        *rest = after;
        let suffix = take_text(rest)?;
        let kind = match code {
            0 => EntryKind::Whiteout,
            1 => EntryKind::Opaque,
            2 => EntryKind::Dir,
            3 => EntryKind::File,
            4 => EntryKind::Symlink(take_text(rest)?),
            5 => EntryKind::HardLink,
            6 => EntryKind::Other,
            _ => return None,
        };
        Some(Self {
            kind,
            shared,
            suffix,
        })
    }

    /// Makes of the path before it its own.
    fn apply(&self, path: &mut String) -> Option<()> {
        path.get(self.shared..)?;
        path.truncate(self.shared);
        path.push_str(self.suffix);
        Some(())
    }
}

/// Seven bits a byte, low ones first.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low & 0x7f);
        }
        bytes.push(low | 0x80);
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        // Only the lowest bit of the tenth byte still fits.
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

/// Gathers the entries of one layer in the order of its tar.
#[derive(Default)]
pub(crate) struct TreeBuilder {
    /// All paths and link targets, one after the other.
    text: String,
    met: Vec<Met>,
    refused: Vec<Box<str>>,
    refused_count: u64,
}

/// One entry as it came. Its path is in [`TreeBuilder::text`], and its target
/// behind it.
#[derive(Clone, Copy)]
struct Met {
    path_at: usize,
    path_len: usize,
    target_len: usize,
    /// Position in the tar.
    position: usize,
    code: u8,
    place: u8,
}

impl TreeBuilder {
    /// Adds an entry. `path` is clean.
    pub(crate) fn add(&mut self, path: &str, kind: EntryKind<'_>) {
        debug_assert!(is_clean(path) || path.is_empty(), "{path}");
        let path_at = self.text.len();
        self.text.push_str(path);
        let target_len = match kind {
            EntryKind::Symlink(target) => {
                self.text.push_str(target);
                target.len()
            }
            _ => 0,
        };
        self.met.push(Met {
            path_at,
            path_len: path.len(),
            target_len,
            position: self.met.len(),
            code: kind.code(),
            place: kind.place(),
        });
    }

    /// Notes a path that is not part of the tree.
    pub(crate) fn refuse(&mut self, path: &str) {
        self.refused_count += 1;
        if self.refused.len() < REFUSED {
            self.refused.push(path.chars().take(300).collect());
        }
    }

    /// Bytes of paths and targets so far.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The tree as it is after the last entry of the tar: of two entries at one
    /// path the later counts, and what is not a directory takes away whatever
    /// was inside the directory it replaces.
    pub(crate) fn finish(mut self) -> LayerTree {
        let text = std::mem::take(&mut self.text);
        let path_of = |met: &Met| {
            text.get(met.path_at..met.path_at + met.path_len)
                .expect("the builder wrote this range")
        };
        let target_of = |met: &Met| {
            let start = met.path_at + met.path_len;
            text.get(start..start + met.target_len)
                .expect("the builder wrote this range")
        };
        // Tars written by a directory walk are in this order already.
        self.met.sort_by(|left, right| {
            walk_order(path_of(left), path_of(right))
                .then_with(|| left.place.cmp(&right.place))
                .then_with(|| left.position.cmp(&right.position))
        });

        let mut entries = Vec::with_capacity(self.met.len() * 16);
        let mut count = 0;
        let mut parents = Parents::default();
        let mut before = "";
        // Paths that stopped being directories, and when: whatever came inside
        // them before that is gone.
        let mut replaced: Vec<(&str, usize)> = Vec::new();
        for (at, met) in self.met.iter().enumerate() {
            let path = path_of(met);
            while replaced
                .last()
                .is_some_and(|(folder, _)| !is_within(path, folder))
            {
                replaced.pop();
            }
            let is_mark = met.place != 0;
            if !is_mark && met.code != EntryKind::Dir.code() {
                replaced.push((path, met.position));
            }
            let again = self
                .met
                .get(at + 1)
                .is_some_and(|next| next.place == met.place && path_of(next) == path);
            let gone = !is_mark
                && replaced
                    .iter()
                    .any(|(folder, when)| *folder != path && *when > met.position);
            if again || gone {
                continue;
            }
            let kind = match met.code {
                0 => EntryKind::Whiteout,
                1 => EntryKind::Opaque,
                2 => EntryKind::Dir,
                3 => EntryKind::File,
                4 => EntryKind::Symlink(target_of(met)),
                5 => EntryKind::HardLink,
                _ => EntryKind::Other,
            };
            let same = before
                .bytes()
                .zip(path.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let shared = (0..=same)
                .rev()
                .find(|at| path.is_char_boundary(*at))
                .unwrap_or(0);
            put_number(&mut entries, shared as u64);
            entries.push(met.code);
            put_text(&mut entries, path.get(shared..).unwrap_or(""));
            if let EntryKind::Symlink(target) = kind {
                put_text(&mut entries, target);
            }
            parents.meet(path, kind);
            count += 1;
            before = path;
        }
        LayerTree {
            entries: entries.into(),
            count,
            implicit: parents.implicit,
            refused: self.refused,
            refused_count: self.refused_count,
        }
    }
}
