//! Which records the final tree still shows, and since when.

use std::collections::BTreeMap;

use seaworthy_image::{LayerPaths, squash};

use crate::layer::LayerRecords;
use crate::record::{FileRecord, PackageRecord};

/// The records of all layers of one image.
pub(super) struct History<'a> {
    layers: Vec<Recorded<'a>>,
    /// What the final tree shows, by path.
    visible: BTreeMap<Box<str>, Shown>,
}

/// What the final tree shows at a path.
struct Shown {
    place: Place,
    /// What it showed there before, in an unbroken run, oldest first.
    before: Vec<Place>,
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
        let offered: Vec<LayerPaths<'_>> = layers.iter().map(Recorded::offered).collect();
        let place = |layer, path| Place { layer, path };
        let visible = squash(&offered).into_iter().map(|seen| {
            let before = seen.before.iter().map(|it| place(it.layer, it.path));
            let shown = Shown {
                place: place(seen.layer, seen.path),
                before: before.collect(),
            };
            (seen.at, shown)
        });
        let visible = visible.collect();
        Self { layers, visible }
    }

    /// What the final tree shows, by path.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&str, Place)> {
        self.visible.iter().map(|(at, shown)| (&**at, shown.place))
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
        let shown = self.visible.get(path);
        shown.into_iter().flat_map(|shown| self.files(shown.place))
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
        let before = self.visible.get(at).map(|shown| &*shown.before);
        for earlier in before.unwrap_or_default().iter().rev() {
            // A database keeps its order, and sorting what is in order is cheap.
            let mut known: Vec<_> = self
                .files(*earlier)
                .flat_map(|file| &file.packages)
                .map(thing)
                .collect();
            known.sort_unstable();
            open.retain(|one| {
                let Some((_, package, layer)) = all.get_mut(*one) else {
                    return false;
                };
                let is_known = known.binary_search(&thing(package)).is_ok();
                if is_known {
                    *layer = earlier.layer;
                }
                is_known
            });
            if open.is_empty() {
                break;
            }
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

    fn offered(&self) -> LayerPaths<'_> {
        LayerPaths {
            tree: &self.layer.tree,
            paths: &self.paths,
        }
    }
}
