//! What probes yield, per file: the form in which layers are remembered and in
//! which a confined reader answers. Version of the form: [`FORMAT`].

use serde::{Deserialize, Deserializer, Serialize};

use seaworthy_core::{Claim, PackageType};

use crate::bounded;

/// Raised whenever the shape of these records changes.
pub const FORMAT: u32 = 2;

/// The most packages that one layer may bring; the rest become a gap.
pub const MAX_PACKAGES: usize = 250_000;

/// The most files of one layer whose records are kept; the rest become a gap.
pub const MAX_FILES: usize = 500_000;

/// The most bytes that names, versions and places of one layer's packages may
/// take together; the rest become a gap.
pub const MAX_TEXT: usize = 48 << 20;

/// The most gaps kept of one file. What comes after them is only said to exist.
pub(crate) const MAX_GAPS: usize = 100;

/// The longest reason of a gap, in characters.
const MAX_REASON: usize = 300;

/// The longest text of a package record, in bytes. Names and versions are words;
/// a place inside an archive may be a long path.
const MAX_WORD: usize = 4096;

/// The most words of `ID_LIKE` that are kept.
const MAX_ALIKE: usize = 64;

/// The most names of repositories that are kept of one file.
pub(crate) const MAX_CONTENT_SETS: usize = 500;

/// What one probe found in one file of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The probe's name.
    pub probe: String,
    /// The file's path in the layer.
    pub path: String,
    /// Installed packages it speaks of.
    #[serde(deserialize_with = "packages")]
    pub packages: Vec<PackageRecord>,
    /// What it says of the distribution.
    pub distro: Option<DistroRecord>,
    /// Names of repositories it says the image was built from.
    #[serde(deserialize_with = "content_sets")]
    pub content_sets: Vec<String>,
    /// What could not be read of it.
    #[serde(deserialize_with = "gaps")]
    pub gaps: Vec<String>,
    /// Where the path is a symbolic link, its target as written.
    pub symlink: Option<String>,
    /// Whether the file is a package manager's database: then its presence
    /// counts, even when it lists nothing.
    pub database: bool,
}

/// A package as a file records it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PackageRecord {
    /// Package URL type.
    pub kind: String,
    /// Canonical name in the ecosystem, as advisories spell it.
    pub name: String,
    /// Version as recorded.
    pub version: String,
    /// Architecture, where recorded.
    pub architecture: Option<String>,
    /// Source package, where recorded.
    pub source: Option<SourceRecord>,
    /// Vendor or origin, where recorded.
    pub vendor: Option<String>,
    /// Stream of the module that built it, as `name:stream`, where recorded.
    pub module: Option<String>,
    /// Whether it was read from a file name or the like.
    pub guessed: bool,
    /// Place inside an archive, such as `WEB-INF/lib/a.jar`; empty outside one.
    /// Nested archives are joined with `!/`.
    pub inside: String,
}

/// A source package as recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A distribution as a file records it; fields as in os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistroRecord {
    /// `ID`.
    pub id: String,
    /// `VERSION_ID`.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `ID_LIKE`, split.
    #[serde(deserialize_with = "alike")]
    pub id_like: Vec<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
}

impl FileRecord {
    /// An empty record of what `probe` found at `path`.
    pub fn of(probe: &str, path: &str) -> Self {
        Self {
            probe: probe.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// Notes a package. One whose texts are no names or versions at all, and
    /// those beyond [`MAX_PACKAGES`], become a gap.
    pub fn package(&mut self, package: PackageRecord) {
        if let Some(why) = package.trouble() {
            self.gap(why);
        } else if self.packages.len() < MAX_PACKAGES {
            self.packages.push(package);
        } else if self.packages.len() == MAX_PACKAGES {
            self.gap(format!("more than {MAX_PACKAGES} packages"));
        }
    }

    /// Notes something that could not be read.
    pub fn gap(&mut self, why: impl Into<String>) {
        // Reasons quote hostile bytes; a reason is a line, not a document, and
        // a file with a million broken records is told about once.
        let why: String = match self.gaps.len() {
            ..MAX_GAPS => why.into(),
            MAX_GAPS => "and more that could not be read".to_owned(),
            _ => return,
        };
        self.gaps.push(
            why.chars()
                .filter(|it| !it.is_control())
                .take(MAX_REASON)
                .collect(),
        );
    }

    /// Whether the record says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.distro.is_none()
            && self.content_sets.is_empty()
            && self.gaps.is_empty()
            && self.symlink.is_none()
            && !self.database
    }
}

impl PackageRecord {
    /// A package recorded by a package manager or build tool.
    pub fn recorded(kind: &PackageType, name: &str, version: &str) -> Self {
        Self {
            kind: kind.purl_type().to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            ..Self::default()
        }
    }

    /// How firmly it speaks.
    pub fn claim(&self) -> Claim {
        if self.guessed {
            Claim::Guessed
        } else {
            Claim::Recorded
        }
    }

    /// The bytes of its texts.
    pub(crate) fn text_length(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    /// Why it is no package, if so: a type, name or version that is missing,
    /// endless, or holds control characters.
    pub(crate) fn trouble(&self) -> Option<String> {
        if self.kind.is_empty() || self.name.is_empty() {
            return Some("a package without a name".to_owned());
        }
        if self.version.is_empty() {
            return Some(format!("package `{}` without a version", self.name));
        }
        let is_wild = |text: &str| text.len() > MAX_WORD || text.chars().any(char::is_control);
        self.texts().any(is_wild).then(|| {
            format!(
                "package `{}` has a text that is too long or holds control characters",
                self.name.chars().take(80).collect::<String>()
            )
        })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let source = self.source.iter();
        [&*self.kind, &self.name, &self.version, &self.inside]
            .into_iter()
            .chain(self.architecture.as_deref())
            .chain(self.vendor.as_deref())
            .chain(self.module.as_deref())
            .chain(source.flat_map(|it| [&*it.name, &*it.version]))
    }
}

impl SourceRecord {
    /// A source package.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }
}

impl DistroRecord {
    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        self.id.is_empty()
    }
}

fn packages<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PackageRecord>, D::Error> {
    bounded::list::<_, _, MAX_PACKAGES>(from)
}

fn gaps<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    bounded::list::<_, _, { MAX_GAPS + 1 }>(from)
}

fn content_sets<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    bounded::list::<_, _, MAX_CONTENT_SETS>(from)
}

fn alike<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    bounded::list::<_, _, MAX_ALIKE>(from)
}
