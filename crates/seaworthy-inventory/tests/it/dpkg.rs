//! dpkg databases, against `dpkg-query`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use seaworthy_testkit::{require, shared};

use crate::folder;
use crate::look::look;

/// Name, version, architecture, source and its version.
type Row = [String; 5];

const STATUS: &str = "var/lib/dpkg/status";

/// What `dpkg-query` lists of packages that may have files, or `None` where it
/// refuses the database.
fn listed(folder: &Path) -> Option<BTreeSet<Row>> {
    let format = "${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\t${db:Status-Abbrev}\\n";
    let output = Command::new("dpkg-query")
        .arg(format!("--admindir={}", folder.display()))
        .args(["-W", &format!("-f={format}")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter_map(|line| {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [name, version, architecture, source, built, state] = fields.try_into().ok()?;
        let state = state.chars().nth(1).unwrap();
        // Not installed, or only its configuration is left.
        (!matches!(state, 'n' | 'c')).then_some([name, version, architecture, source, built])
    });
    let refused = String::from_utf8_lossy(&output.stderr).contains("error");
    (!refused).then(|| rows.collect())
}

fn ours(bytes: &[u8]) -> (BTreeSet<Row>, Vec<String>) {
    let record = look("dpkg", STATUS, bytes);
    let rows = record.packages.into_iter().map(|it| {
        let source = it.source.unwrap();
        let architecture = it.architecture.unwrap_or_default();
        [
            it.name,
            it.version,
            architecture,
            source.name,
            source.version,
        ]
    });
    (rows.collect(), record.gaps)
}

#[test]
fn the_packages_of_this_machine_are_those_dpkg_lists() {
    if !require("dpkg-query") {
        return;
    }
    let folder = Path::new("/var/lib/dpkg");
    let (ours, gaps) = ours(&fs::read(folder.join("status")).unwrap());
    let listed = listed(folder).unwrap();
    assert_eq!(gaps, [""; 0]);
    assert!(listed.len() > 50, "{}", listed.len());
    assert_eq!(ours, listed);
}

/// Every status database in the fixtures, with its name.
fn databases(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut databases = Vec::new();
    for path in folder::files(&root.join("fixtures/dpkg")) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let bytes = fs::read(&path).unwrap();
        // opkg writes something close to, but not quite, what dpkg reads.
        if name.contains("opkg") {
            continue;
        }
        let is_database = name.ends_with("status")
            || name.contains("/scalibr/dpkg/dpkg/") && !name.contains("md5sums")
            || name.contains("status.d/") && !name.contains("md5sums");
        if is_database {
            databases.push((name, bytes));
        } else if path.extension().is_some_and(|it| it == "txtar") {
            let text = String::from_utf8_lossy(&bytes);
            for part in text.split("\n-- ").skip(1) {
                let (path, content) = part.split_once(" --\n").unwrap();
                if path.ends_with("dpkg/status") {
                    databases.push((format!("{name}:{path}"), content.as_bytes().to_owned()));
                }
            }
        }
    }
    databases
}

#[test]
fn the_packages_of_other_machines_are_those_dpkg_lists() {
    let Some(root) = shared() else { return };
    if !require("dpkg-query") {
        return;
    }
    let mut read = Vec::new();
    let mut packages = 0;
    for (name, bytes) in databases(&root) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("status"), &bytes).unwrap();
        let (ours, gaps) = ours(&bytes);
        let Some(mut listed) = listed(folder.path()) else {
            // What dpkg itself cannot read, we do not pass over in silence.
            assert!(!gaps.is_empty(), "{name} is read without a gap");
            continue;
        };
        // dpkg lists packages that have no version, we say that it is missing.
        listed.retain(|[_, version, ..]| !version.is_empty());
        assert_eq!(ours, listed, "{name}");
        packages += ours.len();
        read.push(name);
    }
    assert!(read.len() > 20, "dpkg could read only {read:#?}");
    assert!(packages > 400, "only {packages} packages");
}

#[test]
fn packages_of_images_without_dpkg_lie_in_a_folder() {
    let Some(root) = shared() else { return };
    let image = root.join("fixtures/dpkg/syft/image-distroless-deb");
    let records = folder::read(&image);
    let names: Vec<String> = records
        .iter()
        .flat_map(|record| &record.packages)
        .map(|it| format!("{} {}", it.name, it.version))
        .collect();
    insta::assert_debug_snapshot!(names, @r#"
    [
        "libsqlite3-0 3.34.1-3",
    ]
    "#);
}

#[test]
fn one_endless_line_is_a_gap_and_takes_no_memory() {
    use seaworthy_image::{FileFacts, LayerTree, Sink};
    use std::io::{Read, repeat};

    let size: u64 = 512 << 20;
    let file = FileFacts {
        path: STATUS,
        mode: 0o644,
        size,
    };
    let mut recorder = seaworthy_inventory::Recorder::new();
    let head =
        &b"Package: bash\nStatus: install ok installed\nVersion: 1\n\nPackage: x\nVersion: "[..];
    let mut content = head.chain(repeat(b'9')).take(size);
    recorder.file(&file, &mut content).unwrap();
    let records = recorder.finish(LayerTree::default());
    let record = records.files.first().unwrap();
    assert_eq!(record.packages.len(), 1);
    insta::assert_debug_snapshot!(record.gaps, @r#"
    [
        "package `x`: a line is longer than can be read",
        "package `x` has no state",
    ]
    "#);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim();
    let kilobytes: u64 = peak.trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < size >> 10, "{peak}");
}
