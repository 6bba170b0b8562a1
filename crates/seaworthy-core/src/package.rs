//! Installed packages, and where we saw them.

use crate::{Scheme, Version};

/// A package type of the package URL specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageType {
    /// Alpine packages (`apk`).
    Apk,
    /// Debian packages (`deb`).
    Deb,
    /// RPM packages (`rpm`).
    Rpm,
    /// Rust crates (`cargo`).
    Cargo,
    /// PHP packages (`composer`).
    Composer,
    /// Ruby gems (`gem`).
    Gem,
    /// Go modules (`golang`).
    Golang,
    /// Hex packages (`hex`).
    Hex,
    /// Maven artifacts (`maven`).
    Maven,
    /// npm packages (`npm`).
    Npm,
    /// .NET packages (`nuget`).
    NuGet,
    /// Dart packages (`pub`).
    Pub,
    /// Python distributions (`pypi`).
    PyPi,
    /// Any other type, by its purl spelling. Such packages are listed and
    /// reported as not matched.
    Other(Box<str>),
}

impl PackageType {
    /// The spelling of the package URL specification.
    pub fn purl_type(&self) -> &str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Gem => "gem",
            Self::Golang => "golang",
            Self::Hex => "hex",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::NuGet => "nuget",
            Self::Pub => "pub",
            Self::PyPi => "pypi",
            Self::Other(spelling) => spelling,
        }
    }

    /// The type spelled `spelling` in a package URL, in any case.
    pub fn from_purl_type(spelling: &str) -> Self {
        match spelling.to_ascii_lowercase().as_str() {
            "apk" => Self::Apk,
            "deb" => Self::Deb,
            "rpm" => Self::Rpm,
            "cargo" => Self::Cargo,
            "composer" => Self::Composer,
            "gem" => Self::Gem,
            "golang" => Self::Golang,
            "hex" => Self::Hex,
            "maven" => Self::Maven,
            "npm" => Self::Npm,
            "nuget" => Self::NuGet,
            "pub" => Self::Pub,
            "pypi" => Self::PyPi,
            other => Self::Other(other.into()),
        }
    }

    /// How versions of this type are ordered. A type we do not know answers
    /// [`Scheme::Verbatim`], and what needs an order is then reported as not
    /// matched.
    pub fn scheme(&self) -> Scheme {
        match self {
            Self::Apk => Scheme::Apk,
            Self::Deb => Scheme::Dpkg,
            Self::Rpm => Scheme::Rpm,
            Self::Cargo => Scheme::Cargo,
            Self::Composer => Scheme::Composer,
            Self::Gem => Scheme::Gem,
            Self::Golang => Scheme::Go,
            Self::Hex => Scheme::Hex,
            Self::Maven => Scheme::Maven,
            Self::Npm => Scheme::Semver,
            Self::NuGet => Scheme::NuGet,
            Self::Pub => Scheme::Pub,
            Self::PyPi => Scheme::Pep440,
            Self::Other(spelling) => match &**spelling {
                "alpm" => Scheme::Alpm,
                "bitnami" => Scheme::Bitnami,
                "cran" => Scheme::Cran,
                "hackage" => Scheme::Hackage,
                "opam" => Scheme::Dpkg,
                _ => Scheme::Verbatim,
            },
        }
    }

    /// Whether an operating system's own package manager installs this type.
    pub fn is_os(&self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm)
    }
}

/// The source package a binary package was built from. Distributions speak of
/// sources in their advisories.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourcePackage {
    /// Its name.
    pub name: Box<str>,
    /// Its version, which differs from the binary's after a binary-only rebuild.
    pub version: Version,
}

/// A place where a package was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// The file that says so, as a path without a leading slash; parts inside
    /// an archive follow after `!/`.
    pub path: Box<str>,
    /// Index into [`crate::Inventory::layers`] of the layer that first brought
    /// this package to this place.
    pub layer: Option<usize>,
}

/// How firmly the evidence speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A package manager's or build tool's own record.
    Recorded,
    /// Read from a file name or the like: a last resort that may err.
    Guessed,
}

/// The position of a package in [`crate::Inventory::packages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub usize);

/// Something installed, and where we saw it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Package {
    /// The package URL type.
    pub kind: PackageType,
    /// The name advisories use, in the ecosystem's canonical spelling:
    /// `requests`, `@babel/core`, `org.apache.logging.log4j:log4j-core`,
    /// `golang.org/x/net`, `openssl`.
    pub name: Box<str>,
    /// The installed version as recorded.
    pub version: Version,
    /// The machine architecture, where the record names one.
    pub architecture: Option<Box<str>>,
    /// The source package, where the ecosystem has such.
    pub source: Option<SourcePackage>,
    /// Who built or distributes it, where the record names someone (`Vendor` of
    /// an rpm, `Origin` of a deb).
    pub vendor: Option<Box<str>>,
    /// The module's stream that built it, as `name:stream` (`nodejs:18`), where the
    /// record says so: distributions ship several streams of one package, each with
    /// fixes of its own.
    pub module: Option<Box<str>>,
    /// How firmly the evidence speaks.
    pub claim: Claim,
    /// Where it was seen; never empty, sorted.
    pub seen: Vec<Sighting>,
}
