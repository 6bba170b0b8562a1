//! What the final tree shows of what the layers hold.
//!
//! The only place that knows whiteouts. The rules are those of a runtime that
//! applies one layer after the other to a directory:
//!
//! - A whiteout takes away what lower layers have at a path and below it, an
//!   opaque mark what they have below it. Neither touches its own layer.
//! - An entry replaces what lower layers have at its path. Only a directory over
//!   a directory keeps what is inside.
//! - An entry below a symbolic link lands where the link leads, unless its own
//!   layer makes a directory there: packages of a merged `/usr` are found
//!   although `lib` is a link.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::tree::{EntryKind, LayerTree, TreeEntry, is_within, walk_order};

/// How many links one path may lead through, as in Linux.
const MOST_LINKS: usize = 40;
/// The longest path that links may lead to, as in Linux.
const LONGEST_PATH: usize = 4096;
/// Bytes of all paths of one layer that links lead elsewhere. A layer with more
/// is left where it is: then too much is shown, never too little.
const MOST_LED_AWAY: usize = 64 << 20;

/// One layer: everything it has, and the paths of interest.
#[derive(Clone, Copy, Debug)]
pub struct LayerPaths<'a> {
    /// Every path of the layer.
    pub tree: &'a LayerTree,
    /// Clean paths in this layer whose fate is asked for. In any order, and a
    /// path may come more than once.
    pub paths: &'a [&'a str],
}

/// A path of interest that the final tree shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visible {
    /// Position of its layer, bottom first.
    pub layer: usize,
    /// Position in [`LayerPaths::paths`].
    pub path: usize,
    /// Where the final tree shows it: the same path, unless a link leads away.
    pub at: Box<str>,
    /// What lower layers showed there, oldest first: each was still there when
    /// the next one, and at last this one, took its place.
    pub before: Vec<Replaced>,
}

/// A path of interest that another one took the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replaced {
    /// Position of its layer, bottom first.
    pub layer: usize,
    /// Position in [`LayerPaths::paths`].
    pub path: usize,
}

/// Says which of the paths of interest the final tree shows, sorted by layer and
/// position. A path that its own layer does not have is not visible.
pub fn squash(layers: &[LayerPaths<'_>]) -> Vec<Visible> {
    // Links matter only if somebody writes through them.
    let through_links = layers
        .iter()
        .any(|layer| layer.tree.has_implicit_directories());
    let mut shown: Vec<Item<'_>> = Vec::new();
    for (position, layer) in layers.iter().enumerate() {
        let mut gone = cover(&mut shown, layer.tree);
        let mut own = own_items(position, layer, through_links);
        if layer.tree.has_implicit_directories() {
            gone.extend(lead(layer.tree, &mut shown, &mut own));
        }
        inherit(&mut own, gone);
        shown.extend(own);
        // Two sorted runs: this merges them.
        shown.sort_by(|left, right| walk_order(&left.at, &right.at));
    }
    let mut visible: Vec<Visible> = shown
        .into_iter()
        .filter_map(|item| match item.what {
            What::Record {
                layer,
                path,
                before,
            } => Some(Visible {
                layer,
                path,
                at: item.at.into(),
                before,
            }),
            What::Link { .. } => None,
        })
        .collect();
    visible.sort();
    visible
}

/// Something that is followed from layer to layer.
struct Item<'a> {
    /// Where the tree shows it, as far as layers were applied.
    at: Cow<'a, str>,
    what: What,
}

impl Item<'_> {
    fn is_link(&self) -> bool {
        matches!(self.what, What::Link { .. })
    }
}

enum What {
    Record {
        layer: usize,
        path: usize,
        before: Vec<Replaced>,
    },
    Link {
        target: Box<str>,
    },
}

/// What a layer brings: its paths of interest and, if asked for, its links.
/// Sorted by place.
fn own_items<'a>(position: usize, layer: &LayerPaths<'a>, with_links: bool) -> Vec<Item<'a>> {
    let mut wanted: Vec<usize> = (0..layer.paths.len()).collect();
    let path_of = |index: &usize| layer.paths.get(*index).copied().unwrap_or_default();
    wanted.sort_by(|left, right| walk_order(path_of(left), path_of(right)));
    let mut wanted = wanted.into_iter().peekable();
    let mut items = Vec::with_capacity(layer.paths.len());
    let mut cursor = layer.tree.cursor();
    while let Some(entry) = cursor.advance() {
        if wanted.peek().is_none() && !with_links {
            break;
        }
        // What comes before the entry is not in the tree: the layer itself took
        // it away again.
        while wanted
            .next_if(|it| walk_order(path_of(it), entry.path) == Ordering::Less)
            .is_some()
        {}
        let has_content = match entry.kind {
            EntryKind::File | EntryKind::HardLink | EntryKind::Symlink(_) => true,
            EntryKind::Dir | EntryKind::Other | EntryKind::Whiteout | EntryKind::Opaque => false,
        };
        if has_content {
            while let Some(path) = wanted.next_if(|it| path_of(it) == entry.path) {
                items.push(Item {
                    at: Cow::Borrowed(path_of(&path)),
                    what: What::Record {
                        layer: position,
                        path,
                        before: Vec::new(),
                    },
                });
            }
        }
        if let EntryKind::Symlink(target) = entry.kind
            && with_links
        {
            items.push(Item {
                at: Cow::Owned(entry.path.to_owned()),
                what: What::Link {
                    target: target.into(),
                },
            });
        }
    }
    items
}

/// Hands the past of items that are gone to those of the layer that took their
/// places.
fn inherit(own: &mut [Item<'_>], gone: Vec<Item<'_>>) {
    if own.is_empty() || gone.is_empty() {
        return;
    }
    let mut pasts: HashMap<Cow<'_, str>, Vec<Replaced>> = HashMap::new();
    for item in gone {
        if let What::Record {
            layer,
            path,
            mut before,
        } = item.what
        {
            // Where links made two paths one, the upper one is what was shown.
            let replaced = Replaced { layer, path };
            before.push(replaced);
            let past = pasts.entry(item.at).or_default();
            if past.last() < Some(&replaced) {
                *past = before;
            }
        }
    }
    for item in own.iter_mut().rev() {
        if let What::Record { before, .. } = &mut item.what
            && let Some(past) = pasts.remove(&item.at)
        {
            *before = past;
        }
    }
}

/// Takes away what the entries of `tree` hide, and answers what it was.
fn cover<'a>(shown: &mut Vec<Item<'a>>, tree: &LayerTree) -> Vec<Item<'a>> {
    if shown.is_empty() {
        return Vec::new();
    }
    let mut covering = Covering::of(shown);
    let mut cursor = tree.cursor();
    while let Some(entry) = cursor.advance() {
        covering.meet(entry);
    }
    let covered = covering.covered;
    take_covered(shown, &covered)
}

/// One pass over the items and the entries of an upper layer side by side.
struct Covering<'i, 'a> {
    items: &'i [Item<'a>],
    covered: Vec<bool>,
    /// The first item that is not before the current entry.
    start: usize,
    /// All items before this, from the last range on, are covered.
    covered_to: usize,
}

impl<'i, 'a> Covering<'i, 'a> {
    fn of(items: &'i [Item<'a>]) -> Self {
        Self {
            items,
            covered: vec![false; items.len()],
            start: 0,
            covered_to: 0,
        }
    }

    fn at(&self, index: usize) -> Option<&'i str> {
        self.items.get(index).map(|item| &*item.at)
    }

    fn mark(&mut self, index: usize) {
        if let Some(covered) = self.covered.get_mut(index) {
            *covered = true;
        }
    }

    /// Applies an entry. Entries come in walk order, so what one covers is a
    /// range, and ranges are nested or apart.
    fn meet(&mut self, entry: TreeEntry<'_>) {
        while self
            .at(self.start)
            .is_some_and(|at| walk_order(at, entry.path) == Ordering::Less)
        {
            self.start += 1;
        }
        let mut index = self.start;
        while self.at(index) == Some(entry.path) {
            if entry.kind != EntryKind::Opaque {
                self.mark(index);
            }
            index += 1;
        }
        if entry.kind == EntryKind::Dir {
            return;
        }
        index = index.max(self.covered_to);
        while self.at(index).is_some_and(|at| is_within(at, entry.path)) {
            self.mark(index);
            index += 1;
        }
        self.covered_to = self.covered_to.max(index);
    }
}

/// Takes out the items that are covered.
fn take_covered<'a>(shown: &mut Vec<Item<'a>>, covered: &[bool]) -> Vec<Item<'a>> {
    let mut covered = covered.iter();
    shown
        .extract_if(.., |_| covered.next() == Some(&true))
        .collect()
}

/// Moves what lies below links to where the links lead: the layer's own items,
/// and what its entries cover. Answers what was covered.
///
/// The tree does not remember the order of its tar, so this goes by walk order.
/// That is the order of every tool; it matters only where a layer writes through
/// a link that it makes or takes away itself, as no tool does.
fn lead<'a>(tree: &LayerTree, shown: &mut Vec<Item<'a>>, own: &mut Vec<Item<'a>>) -> Vec<Item<'a>> {
    let mut links = Links::new();
    for item in shown.iter().chain(own.iter()) {
        if let What::Link { target } = &item.what {
            links.insert(item.at.as_ref().to_owned(), target.clone());
        }
    }
    if links.is_empty() {
        return Vec::new();
    }

    let mut led: Vec<(String, Mark)> = Vec::new();
    let mut led_bytes = 0;
    let mut own_items = own.iter_mut().peekable();
    let mut folders = Folders::default();
    let mut cursor = tree.cursor();
    while let Some(entry) = cursor.advance() {
        let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", entry.path));
        let place = if entry.kind == EntryKind::Opaque {
            // Such a mark is written inside its directory, so that the last
            // component leads on as well.
            folders.enter(entry.path, &links).map(str::to_owned)
        } else {
            let folder = folders.enter(folder, &links);
            folder.map(|folder| join(folder, name))
        };
        if entry.kind == EntryKind::Dir {
            folders.open(entry.path, place.clone());
        }
        let Some(place) = place else { continue };
        led_bytes += place.len();
        if led_bytes > MOST_LED_AWAY {
            shown.retain(|item| !item.is_link());
            own.retain(|item| !item.is_link());
            return Vec::new();
        }
        if !entry.kind.is_mark() {
            links.remove(&place);
            while own_items
                .next_if(|item| walk_order(&item.at, entry.path) == Ordering::Less)
                .is_some()
            {}
            while let Some(item) = own_items.next_if(|item| item.at == entry.path) {
                if let What::Link { target } = &item.what {
                    links.insert(place.clone(), target.clone());
                }
                item.at = Cow::Owned(place.clone());
            }
        }
        led.push((place, Mark::of(entry.kind)));
    }

    led.sort_by(|left, right| walk_order(&left.0, &right.0));
    let mut covering = Covering::of(shown);
    for (path, mark) in &led {
        covering.meet(TreeEntry {
            path,
            kind: mark.kind(),
        });
    }
    let covered = covering.covered;
    take_covered(shown, &covered)
}

/// Targets of links by place.
type Links = HashMap<String, Box<str>>;

/// What an entry does to lower layers.
#[derive(Clone, Copy)]
enum Mark {
    Replaces,
    Empties,
    Joins,
}

impl Mark {
    fn of(kind: EntryKind<'_>) -> Self {
        match kind {
            EntryKind::Opaque => Self::Empties,
            EntryKind::Dir => Self::Joins,
            EntryKind::Whiteout
            | EntryKind::File
            | EntryKind::Symlink(_)
            | EntryKind::HardLink
            | EntryKind::Other => Self::Replaces,
        }
    }

    fn kind(self) -> EntryKind<'static> {
        match self {
            Self::Replaces => EntryKind::Whiteout,
            Self::Empties => EntryKind::Opaque,
            Self::Joins => EntryKind::Dir,
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The directories that lead to the current entry, and where each really is.
#[derive(Default)]
struct Folders {
    /// Path as written, and where links lead it, if elsewhere.
    open: Vec<(String, Option<String>)>,
}

impl Folders {
    /// Notes a directory that the layer makes itself: no link stands for it.
    fn open(&mut self, path: &str, place: Option<String>) {
        self.open.push((path.to_owned(), place));
    }

    /// Goes to a directory, whose entries are met in walk order. Answers where
    /// links lead it, if elsewhere.
    fn enter(&mut self, path: &str, links: &Links) -> Option<&str> {
        while self
            .open
            .last()
            .is_some_and(|(folder, _)| !is_within(path, folder))
        {
            self.open.pop();
        }
        let known = self.open.last().map_or(0, |(folder, _)| folder.len());
        let missing = path.get(known..).unwrap_or_default();
        for name in missing.split('/').filter(|name| !name.is_empty()) {
            let (folder, place) = self
                .open
                .last()
                .map_or(("", None), |(folder, place)| (&**folder, place.as_deref()));
            let written = join(folder, name);
            let plain = join(place.unwrap_or(folder), name);
            let place = follow(plain, links).filter(|place| *place != written);
            self.open.push((written, place));
        }
        self.open.last().and_then(|(_, place)| place.as_deref())
    }
}

/// Where a path leads whose folder is already free of links. `None` if it leads
/// round in circles, or too far.
fn follow(path: String, links: &Links) -> Option<String> {
    if !links.contains_key(&path) {
        return Some(path);
    }
    let mut place = String::new();
    let mut todo: Vec<&str> = path.rsplit('/').collect();
    let mut followed = 0;
    while let Some(name) = todo.pop() {
        match name {
            "" | "." => continue,
            // Above the root there is only the root.
            ".." => {
                place.truncate(place.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let parent = place.len();
        if !place.is_empty() {
            place.push('/');
        }
        place.push_str(name);
        if place.len() > LONGEST_PATH {
            return None;
        }
        let Some(target) = links.get(&place) else {
            continue;
        };
        followed += 1;
        if followed > MOST_LINKS || target.len() > LONGEST_PATH {
            return None;
        }
        place.truncate(if target.starts_with('/') { 0 } else { parent });
        todo.extend(target.rsplit('/'));
    }
    Some(place)
}
