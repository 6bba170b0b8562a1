//! apk databases of every Alpine release, against a second reading.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use seaworthy_testkit::shared;

use crate::folder;
use crate::look::look;

const INSTALLED: &str = "lib/apk/db/installed";

#[test]
fn every_release_of_alpine_is_read_in_full() {
    let Some(root) = shared() else { return };
    let mut databases = 0;
    for path in folder::files(&root.join("fixtures/alpine")) {
        if !path.ends_with(INSTALLED) {
            continue;
        }
        databases += 1;
        let bytes = fs::read(&path).unwrap();
        let record = look("apk", INSTALLED, &bytes);
        let ours: BTreeSet<String> = record
            .packages
            .iter()
            .map(|it| {
                let source = it.source.as_ref().unwrap();
                assert_eq!(source.version, it.version);
                let architecture = it.architecture.as_deref().unwrap();
                format!("{} {} {architecture} {}", it.name, it.version, source.name)
            })
            .collect();
        // Each field on its own, in the order of the file, which is that of its
        // paragraphs.
        let text = String::from_utf8(bytes).unwrap();
        let all = |field: &str| -> Vec<&str> {
            text.lines()
                .filter_map(|line| line.strip_prefix(field))
                .collect()
        };
        let (names, versions, machines, origins) = (all("P:"), all("V:"), all("A:"), all("o:"));
        let theirs: BTreeSet<String> = (0..names.len())
            .map(|at| {
                format!(
                    "{} {} {} {}",
                    names[at], versions[at], machines[at], origins[at]
                )
            })
            .collect();
        let name = path.display();
        assert_eq!(record.gaps, [""; 0], "{name}");
        assert!(
            record.database && ours.len() >= 10,
            "{name}: {}",
            ours.len()
        );
        assert_eq!(ours, theirs, "{name}");
    }
    assert!(databases >= 15, "only {databases} databases");
}

#[test]
fn broken_databases_are_read_as_far_as_they_go() {
    let Some(root) = shared() else { return };
    let mut said = String::new();
    for path in folder::files(&root.join("fixtures/apk")) {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name.ends_with("README.txt") {
            continue;
        }
        let record = look("apk", INSTALLED, &fs::read(&path).unwrap());
        let (packages, gaps) = (record.packages.len(), &record.gaps);
        writeln!(said, "{name}: {packages} {gaps:?}").unwrap();
    }
    insta::assert_snapshot!(said, @r#"
    fixtures/apk/PROVENANCE.md: 0 ["a package without a name: a line is no field", "a package without a name", "a package without a name: a line is no field", "a package without a name", "a package without a name: a line is no field", "a package without a name", "a package without a name: a line is no field", "a package without a name"]
    fixtures/apk/scalibr/apk/different-arch: 1 []
    fixtures/apk/scalibr/apk/empty: 0 []
    fixtures/apk/scalibr/apk/installed: 15 []
    fixtures/apk/scalibr/apk/invalid: 0 ["a package without a name: a line is no field", "a package without a name", "a package without a name: a line is no field", "a package without a name"]
    fixtures/apk/scalibr/apk/no-origin: 1 []
    fixtures/apk/scalibr/apk/single: 1 []
    fixtures/apk/stackrox/installed: 11 ["package `invalidPackageWithoutAVersion` without a version"]
    fixtures/apk/syft/base: 1 []
    fixtures/apk/syft/corrupt/lib/apk/db/installed: 1 ["a package without a name: a line is no field", "a package without a name"]
    fixtures/apk/syft/empty-deps-and-provides: 1 []
    fixtures/apk/syft/extra-file-attributes: 1 []
    fixtures/apk/syft/multiple-1/lib/apk/db/installed: 4 []
    fixtures/apk/syft/multiple-2/lib/apk/db/installed: 14 []
    fixtures/apk/syft/single: 1 []
    fixtures/apk/trivy-analyzer/apk/apk: 15 ["package `invalidPackageWithoutAVersion` without a version"]
    "#);
}
