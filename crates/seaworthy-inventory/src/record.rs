//! What probes yield, per file: the form in which layers are remembered and in
//! which a confined reader answers. Version of the form: [`FORMAT`].

use serde::{Deserialize, Serialize};

/// Raised whenever the shape of these records changes.
pub const FORMAT: u32 = 1;

/// What one probe found in one file of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The probe's name.
    pub probe: String,
    /// The file's path in the layer.
    pub path: String,
    /// Installed packages it speaks of.
    pub packages: Vec<PackageRecord>,
    /// What it says of the distribution.
    pub distro: Option<DistroRecord>,
    /// What could not be read of it.
    pub gaps: Vec<String>,
    /// Where the path is a symbolic link, its target as written.
    pub symlink: Option<String>,
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
    pub id_like: Vec<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
}
