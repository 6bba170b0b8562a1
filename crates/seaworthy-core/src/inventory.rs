//! What is in an image.

use crate::{Distro, Gap, Layer, Package};

/// Which probes read an image, as one text that changes whenever any of them
/// would answer differently: names and versions, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeSet(Box<str>);

impl ProbeSet {
    /// The set with this spelling.
    pub fn new(spelling: &str) -> Self {
        Self(spelling.into())
    }

    /// The spelling, such as `apk/1 dpkg/1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Packages, distro and gaps of one image: a function of the image and the
/// probe set, and of nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What the image says it is. `None` when nothing said so.
    pub distro: Option<Distro>,
    /// Names of the repositories that Red Hat says the image was built from, such as
    /// `rhel-9-for-x86_64-baseos-eus-rpms`; sorted, each once. Empty where nothing
    /// said so.
    pub content_sets: Vec<Box<str>>,
    /// Sorted by type, name, version and place; [`crate::PackageId`] is the
    /// position in this list.
    pub packages: Vec<Package>,
    /// Sorted by path, probe and reason.
    pub gaps: Vec<Gap>,
    /// Bottom layer first.
    pub layers: Vec<Layer>,
    /// Which probes looked.
    pub probes: ProbeSet,
}
