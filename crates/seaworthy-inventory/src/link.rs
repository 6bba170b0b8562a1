//! From what single files say, layer by layer, to what is in the image.

mod history;

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Distro, Gap, Inventory, Layer, Sighting};
use seaworthy_image::FileFacts;

use crate::distro;
use crate::gather::Gathered;
use crate::layer::LayerRecords;
use crate::probes::{PROBES, probe_set};
use crate::record::{DistroRecord, FileRecord};

use history::{History, Place};

/// Which package database a distribution keeps: its `ID`, or one of `ID_LIKE`;
/// the probe that reads the database; and where it lies.
const DATABASES: [(&str, &str, &str); 24] = [
    ("debian", "dpkg", "var/lib/dpkg/status"),
    ("ubuntu", "dpkg", "var/lib/dpkg/status"),
    ("alpine", "apk", "lib/apk/db/installed"),
    ("chainguard", "apk", "lib/apk/db/installed"),
    ("minimos", "apk", "lib/apk/db/installed"),
    ("wolfi", "apk", "lib/apk/db/installed"),
    ("almalinux", "rpm", "var/lib/rpm"),
    ("amzn", "rpm", "var/lib/rpm"),
    ("azurelinux", "rpm", "var/lib/rpm"),
    ("centos", "rpm", "var/lib/rpm"),
    ("fedora", "rpm", "var/lib/rpm"),
    ("mariner", "rpm", "var/lib/rpm"),
    ("ol", "rpm", "var/lib/rpm"),
    ("openeuler", "rpm", "var/lib/rpm"),
    ("opensuse", "rpm", "var/lib/rpm"),
    ("photon", "rpm", "var/lib/rpm"),
    ("redhat", "rpm", "var/lib/rpm"),
    ("rhel", "rpm", "var/lib/rpm"),
    ("rocky", "rpm", "var/lib/rpm"),
    ("scientific", "rpm", "var/lib/rpm"),
    ("sle-micro", "rpm", "var/lib/rpm"),
    ("sled", "rpm", "var/lib/rpm"),
    ("sles", "rpm", "var/lib/rpm"),
    ("suse", "rpm", "var/lib/rpm"),
];

/// How many symbolic links are followed from one release file to the next.
const HOPS: usize = 8;

/// Joins the records of an image's layers, bottom first, into its inventory.
///
/// What a layer hides does not count. A package that several places speak of is
/// one package with several sightings, as long as they agree on type, name,
/// version, architecture, source, vendor, module and claim. Packages are sorted by
/// those and then by their sightings, gaps by path, probe and reason.
///
/// A sighting names the layer that first brought the package to its place: a
/// database that ten layers rewrote tells ten times of most packages, and the
/// layer to look at is the first of those without a break.
pub fn link(layers: Vec<(Layer, LayerRecords)>) -> Inventory {
    let (layers, records): (Vec<Layer>, Vec<LayerRecords>) = layers.into_iter().unzip();
    let history = History::of(&records);
    let distro = choose_distro(&history);

    let mut gaps = notes(&records);
    let mut packages = Gathered::default();
    let mut content_sets: BTreeSet<Box<str>> = BTreeSet::new();
    for (at, place) in history.visible() {
        for record in history.files(place) {
            gaps.extend(record.gaps.iter().map(|why| gap(at, record, why, place)));
            if let Some(why) = dangling(record) {
                gaps.push(gap(at, record, &why, place));
            }
            content_sets.extend(record.content_sets.iter().map(|it| it.as_str().into()));
        }
        for (record, package, layer) in history.packages(at, place) {
            if let Some(why) = package.trouble() {
                gaps.push(gap(at, record, &why, place));
                continue;
            }
            let path = match &*package.inside {
                "" => at.into(),
                inside => format!("{at}!/{inside}").into(),
            };
            let layer = Some(layer);
            packages.see(package, Sighting { path, layer });
        }
    }
    gaps.extend(missing_database(distro.as_ref(), &history));
    gaps.sort_unstable();
    gaps.dedup();
    gather_unread(&mut gaps);

    Inventory {
        distro,
        content_sets: content_sets.into_iter().collect(),
        packages: packages.into_packages(),
        gaps,
        layers,
        probes: probe_set(),
    }
}

fn gap(at: &str, record: &FileRecord, why: &str, place: Place) -> Gap {
    Gap {
        path: at.into(),
        probe: (*record.probe).into(),
        why: why.into(),
        layer: Some(place.layer),
    }
}

/// Of an ecosystem that nobody reads, one gap says as much as a hundred. `gaps`
/// are sorted, so the first path stands for the others.
fn gather_unread(gaps: &mut Vec<Gap>) {
    let mut counts: BTreeMap<Box<str>, usize> = BTreeMap::new();
    gaps.retain(|gap| {
        if &*gap.probe != crate::unread::NAME {
            return true;
        }
        let count = counts.entry(gap.why.clone()).or_default();
        *count += 1;
        *count == 1
    });
    for gap in gaps
        .iter_mut()
        .filter(|gap| &*gap.probe == crate::unread::NAME)
    {
        if let Some(more) = counts
            .get(&gap.why)
            .map(|count| count - 1)
            .filter(|more| *more > 0)
        {
            gap.why = format!("{} (and {more} more such files)", gap.why).into();
        }
    }
}

/// What is said of layers as a whole: paths that were refused, and notes of the
/// recorder, which belong to no path.
fn notes(records: &[LayerRecords]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (layer, records) in records.iter().enumerate() {
        let place = Place { layer, path: 0 };
        for record in records.files.iter().filter(|it| it.path.is_empty()) {
            gaps.extend(record.gaps.iter().map(|why| gap("", record, why, place)));
        }
        let walk = FileRecord::of("layer", "");
        let mut listed = 0;
        for path in records.tree.refused() {
            gaps.push(gap(path, &walk, "a layer may not hold such a path", place));
            listed += 1;
        }
        let rest = records.tree.refused_count().saturating_sub(listed);
        if rest > 0 {
            let why = format!("{rest} more paths that a layer may not hold");
            gaps.push(gap("", &walk, &why, place));
        }
    }
    gaps
}

/// Why a symbolic link leaves us without the file that a probe wanted: it leads
/// to a place where no probe looks. A link to a place where the same probe
/// looks is no loss: what is there speaks for itself.
fn dangling(record: &FileRecord) -> Option<String> {
    let target = record.symlink.as_deref()?;
    let is_read = resolve(&record.path, target).is_some_and(|path| {
        let file = FileFacts {
            path: &path,
            mode: 0o644,
            size: 1,
        };
        PROBES
            .iter()
            .any(|probe| probe.name() == record.probe && probe.wants(&file))
    });
    (!is_read).then(|| format!("it is a symbolic link to `{target}`, which was not read"))
}

/// Where a symbolic link at `path` leads, itself a clean path.
fn resolve(path: &str, target: &str) -> Option<String> {
    let folder = match path.rsplit_once('/') {
        Some((folder, _)) if !target.starts_with('/') => folder,
        _ => "",
    };
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            // The root is its own parent.
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The first of the release files that says something. What it leaves out of
/// version and codename, an older relative may add: the os-release of Debian's
/// testing names no version, and that of some images without a shell neither.
fn choose_distro(history: &History<'_>) -> Option<Distro> {
    let mut said = distro::PATHS
        .iter()
        .filter_map(|path| release_file(history, path));
    let (path, first) = said.next()?;
    let (mut version_id, mut codename) = (first.version_id.as_deref(), first.codename.as_deref());
    for (_, older) in said.filter(|(_, older)| older.id == first.id) {
        version_id = version_id.or(older.version_id.as_deref());
        codename = codename.or(older.codename.as_deref());
    }
    Some(Distro {
        id: (*first.id).into(),
        version_id: version_id.map(Into::into),
        codename: codename.map(Into::into),
        id_like: first.id_like.iter().map(|it| (**it).into()).collect(),
        pretty_name: first.pretty_name.as_deref().map(Into::into),
        path: path.into(),
    })
}

/// What the release file at `path` says, through symbolic links.
fn release_file<'a>(history: &'a History<'_>, path: &str) -> Option<(String, &'a DistroRecord)> {
    let mut path = path.to_owned();
    for _ in 0..HOPS {
        let record = history
            .at(&path)
            .find(|record| record.distro.is_some() || record.symlink.is_some())?;
        if let Some(distro) = record.distro.as_ref().filter(|distro| !distro.is_empty()) {
            return Some((path, distro));
        }
        path = resolve(&path, record.symlink.as_deref()?)?;
    }
    None
}

/// A gap where a distribution must keep a package database and none was met:
/// it may have been removed, or moved to where a symbolic link leads.
fn missing_database(distro: Option<&Distro>, history: &History<'_>) -> Option<Gap> {
    let distro = distro?;
    let known = |id: &str| DATABASES.iter().find(|(known, _, _)| *known == id);
    let (_, probe, path) = std::iter::once(&distro.id)
        .chain(&distro.id_like)
        .find_map(|id| known(id))?;
    let is_there = history
        .visible()
        .flat_map(|(_, place)| history.files(place))
        .any(|record| record.probe == *probe);
    (!is_there).then(|| Gap {
        path: (*path).into(),
        probe: (*probe).into(),
        why: format!(
            "`{}` keeps a package database, and none was found",
            distro.id
        )
        .into(),
        layer: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_inside_the_root_only() {
        for (path, target, want) in [
            (
                "etc/os-release",
                "../usr/lib/os-release",
                Some("usr/lib/os-release"),
            ),
            (
                "etc/os-release",
                "/usr/lib/./os-release",
                Some("usr/lib/os-release"),
            ),
            ("etc/os-release", "../../../../x", Some("x")),
            ("etc/os-release", "mine//release", Some("etc/mine/release")),
            ("os-release", "x", Some("x")),
            ("etc/os-release", "..", None),
            ("etc/os-release", "/", None),
        ] {
            assert_eq!(resolve(path, target).as_deref(), want, "{path} -> {target}");
        }
    }
}
