//! Which records the final tree still shows, and since when.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use seaworthy_image::{LayerPaths, squash};

use crate::layer::LayerRecords;
use crate::record::{FileRecord, PackageRecord};

/// The records of all layers of one image.
pub(super) struct History<'a> {
    layers: Vec<Recorded<'a>>,
    /// What the final tree shows, by path.
    visible: BTreeMap<Box<str>, Place>,
    /// What the tree showed at a path just before a layer wrote it again.
    before: HashMap<(usize, Box<str>), Place>,
}

/// Records of one layer, grouped by path.
struct Recorded<'a> {
    layer: &'a LayerRecords,
    paths: Vec<&'a str>,
    files: Vec<Vec<&'a FileRecord>>,
}

/// A path of a layer that has records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Position of the layer.
    pub(super) layer: usize,
    /// Position of the path among the layer's.
    pub(super) path: usize,
}

impl<'a> History<'a> {
    pub(super) fn of(records: &'a [LayerRecords]) -> Self {
        let layers: Vec<Recorded<'a>> = records.iter().map(Recorded::of).collect();
        let every = |_: &'a str| true;
        let visible: BTreeMap<Box<str>, Place> = shown(&layers, every).collect();

        // Two paths are one place where a link leads from one to the other.
        let mut places: HashMap<&str, &str> = HashMap::new();
        for (at, place) in &visible {
            let layer = layers.get(place.layer);
            let path = layer.and_then(|layer| layer.paths.get(place.path));
            places.extend(
                path.filter(|path| ***path != **at)
                    .map(|path| (*path, &**at)),
            );
        }
        let place_of = |path: &'a str| places.get(path).copied().unwrap_or(path);
        // Only what was written more than once has a past.
        let mut written: HashMap<&str, usize> = HashMap::new();
        for path in layers.iter().flat_map(|layer| &layer.paths) {
            *written.entry(place_of(path)).or_default() += 1;
        }
        let again = |path: &'a str| written.get(place_of(path)).is_some_and(|it| *it > 1);
        let mut before = HashMap::new();
        let mut met = BTreeSet::new();
        for (at, layer) in layers.iter().enumerate() {
            let paths = layer.paths.iter().filter(|path| again(path));
            let (old, new): (Vec<&str>, Vec<&str>) = paths
                .map(|path| place_of(path))
                .partition(|place| met.contains(place));
            if !old.is_empty() {
                let below = layers.get(..at).unwrap_or_default();
                let past = shown(below, again).map(|(path, place)| ((at, path), place));
                before.extend(past);
            }
            met.extend(new);
        }
        Self {
            layers,
            visible,
            before,
        }
    }

    /// What the final tree shows, by path.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&str, Place)> {
        self.visible.iter().map(|(at, place)| (&**at, *place))
    }

    /// The records of a place, one per probe.
    pub(super) fn files(&self, place: Place) -> impl Iterator<Item = &'a FileRecord> {
        let files = self
            .layers
            .get(place.layer)
            .and_then(|layer| layer.files.get(place.path));
        files.into_iter().flatten().copied()
    }

    /// The visible records at a path.
    pub(super) fn at(&self, path: &str) -> impl Iterator<Item = &'a FileRecord> {
        let place = self.visible.get(path).copied();
        place.into_iter().flat_map(|place| self.files(place))
    }

    /// The packages of the visible place `at`, each with the layer that first
    /// brought it there in an unbroken run.
    pub(super) fn packages(
        &self,
        at: &str,
        place: Place,
    ) -> Vec<(&'a FileRecord, &'a PackageRecord, usize)> {
        let mut all: Vec<_> = self
            .files(place)
            .flat_map(|file| file.packages.iter().map(move |package| (file, package)))
            .map(|(file, package)| (file, package, place.layer))
            .collect();
        let mut open: Vec<usize> = (0..all.len()).collect();
        let mut place = place;
        while let Some(earlier) = self.before.get(&(place.layer, at.into())) {
            let known: HashSet<_> = self
                .files(*earlier)
                .flat_map(|file| &file.packages)
                .map(thing)
                .collect();
            open.retain(|one| {
                let Some((_, package, layer)) = all.get_mut(*one) else {
                    return false;
                };
                let is_known = known.contains(&thing(package));
                if is_known {
                    *layer = earlier.layer;
                }
                is_known
            });
            if open.is_empty() {
                break;
            }
            place = *earlier;
        }
        all
    }
}

/// What a package is, apart from who says so.
fn thing(package: &PackageRecord) -> (&str, &str, &str, Option<&str>, &str) {
    (
        &package.kind,
        &package.name,
        &package.version,
        package.architecture.as_deref(),
        &package.inside,
    )
}

impl<'a> Recorded<'a> {
    fn of(layer: &'a LayerRecords) -> Self {
        let mut by_path: BTreeMap<&str, Vec<&FileRecord>> = BTreeMap::new();
        // A record without a path speaks of the layer.
        for file in layer.files.iter().filter(|file| !file.path.is_empty()) {
            by_path.entry(&file.path).or_default().push(file);
        }
        let (paths, files) = by_path.into_iter().unzip();
        Self {
            layer,
            paths,
            files,
        }
    }
}

/// What `layers` on top of each other show of the paths that are asked for.
fn shown<'a>(
    layers: &[Recorded<'a>],
    asked: impl Fn(&'a str) -> bool,
) -> impl Iterator<Item = (Box<str>, Place)> {
    // Of each layer, the positions in its whole list that are asked for.
    let (positions, paths): (Vec<Vec<usize>>, Vec<Vec<&str>>) = layers
        .iter()
        .map(|layer| {
            let all = layer.paths.iter().copied().enumerate();
            all.filter(|(_, path)| asked(path)).unzip()
        })
        .unzip();
    let offered: Vec<LayerPaths<'_>> = layers
        .iter()
        .zip(&paths)
        .map(|(layer, paths)| LayerPaths {
            tree: &layer.layer.tree,
            paths,
        })
        .collect();
    squash(&offered).into_iter().filter_map(move |seen| {
        let path = *positions.get(seen.layer)?.get(seen.path)?;
        let layer = seen.layer;
        Some((seen.at, Place { layer, path }))
    })
}
