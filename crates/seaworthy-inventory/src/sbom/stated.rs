//! What a document states, whatever its format.

use std::collections::BTreeSet;

use seaworthy_core::{Distro, PackageType, Purl};

use crate::record::{FileRecord, PackageRecord, SourceRecord};
use crate::{distro, python, rpm};

use super::PLACE;

/// What was read of a document so far.
#[derive(Debug)]
pub(super) struct Stated {
    /// Packages and gaps.
    pub(super) found: FileRecord,
    /// Operating systems that are listed as such.
    pub(super) systems: Vec<Distro>,
    /// What packages of an operating system say in their qualifiers: `ID`, and
    /// a version or a codename.
    hinted: BTreeSet<(String, String)>,
}

/// One package or component of a document.
#[derive(Debug, Default)]
pub(super) struct Component<'a> {
    /// How people call it, for gaps.
    pub(super) name: &'a str,
    /// Its version beside the package URL, which need not repeat it.
    pub(super) version: Option<&'a str>,
    /// Its source package, where the document says so in a way of its own.
    pub(super) source: Option<SourceRecord>,
    /// Who built it, where the document says so of an rpm.
    pub(super) vendor: Option<&'a str>,
}

/// What tools call a system, and the `ID` that its os-release has. Longer and
/// more human titles are told by their beginnings.
const SYSTEMS: [(&str, &str); 9] = [
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("cbl-mariner", "mariner"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse-leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("opensuse-tumbleweed", "opensuse-tumbleweed"),
    ("oracle", "ol"),
    ("redhat", "rhel"),
];

/// The `ID` of the operating system that a tool calls `name`.
pub(super) fn system_id(name: &str) -> String {
    let lower = name.to_lowercase();
    if let Some((_, id)) = SYSTEMS.iter().find(|(known, _)| *known == lower) {
        return (*id).to_owned();
    }
    // One word is an `ID` already.
    let is_title = lower.contains(' ');
    let title = distro::id_of(&lower).filter(|_| is_title);
    title.map_or(lower, str::to_owned)
}

impl Stated {
    pub(super) fn nothing() -> Self {
        Self {
            found: FileRecord::of(PLACE, PLACE),
            systems: Vec::new(),
            hinted: BTreeSet::new(),
        }
    }

    /// A component that cannot be matched, because it has no package URL.
    pub(super) fn without_purl(&mut self, component: &Component<'_>) {
        let name = component.name;
        self.found
            .gap(format!("`{name}` has no package URL and cannot be matched"));
    }

    /// A component with a package URL.
    pub(super) fn with_purl(&mut self, component: &Component<'_>, purl: &str) {
        let name = component.name;
        let purl: Purl = match purl.parse() {
            Ok(purl) => purl,
            Err(error) => {
                let why = format!("`{name}` has no usable package URL: {error}");
                return self.found.gap(why);
            }
        };
        if matches!(purl.kind(), "oci" | "docker") {
            let why = format!("`{name}` is an image of its own, which was not read");
            return self.found.gap(why);
        }
        let kind = match purl.kind() {
            // What Syft wrote until 2022.
            "alpine" => PackageType::Apk,
            kind => PackageType::from_purl_type(kind),
        };
        let Some(version) = version_of(&kind, &purl, component.version) else {
            return self.found.gap(format!("`{name}` has no version"));
        };
        if kind.is_os() {
            self.hinted.extend(hint(&purl));
        }
        let canonical = canonical(&kind, &purl);
        let source = component
            .source
            .clone()
            .or_else(|| source_of(&kind, &purl, &version))
            // Where nothing is said, a package of these was built from a source
            // of its own name.
            .or_else(|| {
                let is_own = matches!(kind, PackageType::Apk | PackageType::Deb);
                is_own.then(|| SourceRecord::new(&canonical, &version))
            });
        self.found.package(PackageRecord {
            architecture: purl.qualifier("arch").map(str::to_owned),
            source,
            vendor: component
                .vendor
                .filter(|it| kind == PackageType::Rpm && !it.is_empty())
                .map(str::to_owned),
            // As Red Hat and Syft call it, and as Trivy does.
            module: purl
                .qualifier("rpmmod")
                .or_else(|| purl.qualifier("modularitylabel"))
                .filter(|_| kind == PackageType::Rpm)
                .and_then(rpm::module)
                .map(str::to_owned),
            ..PackageRecord::recorded(&kind, &canonical, &version)
        });
    }

    /// The operating system, and why there is doubt about it.
    pub(super) fn distro(&self) -> (Option<Distro>, Option<String>) {
        let doubt = |count| {
            (count > 1).then(|| format!("it speaks of {count} operating systems; the first counts"))
        };
        if let Some(first) = self.systems.first() {
            let others = self.systems.iter().filter(|it| it.id != first.id).count();
            return (Some(first.clone()), doubt(others + 1));
        }
        let first = self.hinted.first().map(|(id, release)| {
            let is_version = release.starts_with(|first: char| first.is_ascii_digit());
            let text = Some(release.as_str()).filter(|text| !text.is_empty());
            Distro {
                id: id.as_str().into(),
                version_id: text.filter(|_| is_version).map(Into::into),
                codename: text.filter(|_| !is_version).map(Into::into),
                path: PLACE.into(),
                ..Distro::default()
            }
        });
        (first, doubt(self.hinted.len()))
    }
}

/// The name that advisories use, of the parts of a package URL.
fn canonical(kind: &PackageType, purl: &Purl) -> String {
    let name = purl.name();
    match (kind, purl.namespace()) {
        (PackageType::PyPi, _) => python::canonical(name),
        // As advisories spell it: NuGet names have no case.
        (PackageType::NuGet, _) => name.to_lowercase(),
        (PackageType::Apk | PackageType::Deb | PackageType::Rpm, _) | (_, None) => name.to_owned(),
        (PackageType::Maven, Some(group)) => format!("{group}:{name}"),
        (_, Some(namespace)) => format!("{namespace}/{name}"),
    }
}

/// The version as the package manager itself writes it.
fn version_of(kind: &PackageType, purl: &Purl, beside: Option<&str>) -> Option<String> {
    let version = purl
        .version()
        .or(beside)
        .map(str::trim)
        .filter(|it| !it.is_empty())?;
    match purl.qualifier("epoch") {
        Some(epoch)
            if matches!(kind, PackageType::Rpm | PackageType::Deb)
                && !version.contains(':')
                && epoch != "0" =>
        {
            Some(format!("{epoch}:{version}"))
        }
        _ => Some(version.to_owned()),
    }
}

/// Reads the qualifier `upstream`, or `source`: `name`, `name@version`, or the
/// file name of a source rpm.
fn source_of(kind: &PackageType, purl: &Purl, version: &str) -> Option<SourceRecord> {
    let text = purl
        .qualifier("upstream")
        .or_else(|| purl.qualifier("source"))?;
    let file = text
        .strip_suffix(".src.rpm")
        .or_else(|| text.strip_suffix(".nosrc.rpm"));
    if let Some(file) = file {
        let (rest, release) = file.rsplit_once('-')?;
        let (name, number) = rest.rsplit_once('-')?;
        // A source has the epoch of what is built from it.
        let own = match version.split_once(':') {
            Some((epoch, _)) if *kind == PackageType::Rpm => format!("{epoch}:{number}-{release}"),
            _ => format!("{number}-{release}"),
        };
        return Some(SourceRecord::new(name, &own));
    }
    match text.split_once('@') {
        Some((name, own)) if !name.is_empty() && !own.is_empty() => {
            Some(SourceRecord::new(name, own))
        }
        _ => Some(SourceRecord::new(text, version)),
    }
}

/// What the qualifier `distro` says: `debian-12`, `rhel-8.4`, or for some tools
/// only `3.16.0`, which the namespace completes.
fn hint(purl: &Purl) -> Option<(String, String)> {
    let vendor = &system_id(purl.namespace()?);
    let Some(distro) = purl.qualifier("distro") else {
        return Some((vendor.clone(), String::new()));
    };
    if distro.starts_with(|first: char| first.is_ascii_digit()) {
        return Some((vendor.clone(), distro.to_owned()));
    }
    // Ids hold dashes themselves: `opensuse-leap-15.5`.
    Some(match distro.rsplit_once('-') {
        Some((id, release)) if !id.is_empty() => (system_id(id), release.to_owned()),
        // A codename alone, as in the specification's `distro=jessie`.
        _ if system_id(distro) == *vendor => (vendor.clone(), String::new()),
        _ => (vendor.clone(), distro.to_owned()),
    })
}
