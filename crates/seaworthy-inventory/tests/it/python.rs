//! Python distributions, against `pip list`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use seaworthy_testkit::{require, shared};

use crate::folder;
use crate::look::{kept, look, output};

/// Wheels old and new, with dashes, dots and capitals in their names, and one
/// that carries copies of others.
const WISHES: [&str; 7] = [
    "requests==2.19.0",
    "flask==0.12",
    "django==2.2.0",
    "PyYAML",
    "zope.interface",
    "ruamel.yaml.clib",
    "setuptools==75.1.0",
];

#[test]
fn installed_distributions_are_those_pip_lists() {
    if !require("python3") {
        return;
    }
    let folder = kept("pip");
    let target = folder.join("site-packages");
    if !target.join("requests").is_dir() {
        output(
            Command::new("python3")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .arg("--target")
                .arg(&target)
                .args(WISHES),
        );
    }
    let list = output(
        Command::new("python3")
            .args(["-m", "pip", "list", "--disable-pip-version-check"])
            .args(["--format", "json", "--path"])
            .arg(&target),
    );
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let listed: BTreeSet<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let name = it["name"].as_str().unwrap().to_lowercase();
            let version = it["version"].as_str().unwrap();
            format!("{} {version}", name.replace(['_', '.'], "-"))
        })
        .collect();

    let mut ours = BTreeSet::new();
    let mut carried = BTreeSet::new();
    for record in folder::read(&target) {
        assert_eq!(record.gaps, [""; 0], "{}", record.path);
        let depth = Path::new(&record.path).components().count();
        let found = if depth == 2 { &mut ours } else { &mut carried };
        for package in record.packages.iter().filter(|it| it.kind == "pypi") {
            found.insert(format!("{} {}", package.name, package.version));
        }
    }
    assert!(listed.len() >= 12, "{listed:?}");
    assert_eq!(ours, listed);
    // Copies inside setuptools, which pip does not list.
    assert!(
        carried.iter().any(|it| it.starts_with("jaraco-context ")),
        "{carried:?}"
    );
}

#[test]
fn metadata_of_all_kinds_is_read() {
    let Some(root) = shared() else { return };
    let folder = root.join("fixtures/python");
    let mut lines = Vec::new();
    for path in folder::files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let bytes = fs::read(&path).unwrap();
        let is_header = bytes.starts_with(b"Metadata-Version");
        let is_named = name.ends_with("METADATA")
            || name.ends_with("PKG-INFO")
            || name.ends_with("egg-info")
            || name.contains("wheelegg/");
        if !is_header && !is_named {
            continue;
        }
        let record = look("python", "x.dist-info/METADATA", &bytes);
        let said: Vec<String> = record
            .packages
            .iter()
            .map(|it| format!("{} {}", it.name, it.version))
            .chain(record.gaps)
            .collect();
        lines.push(format!("{name}: {}", said.join(" ")));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    scalibr/python/wheelegg/testdata/distinfo_meta: pip 22.2.2
    scalibr/python/wheelegg/testdata/egginfo: pycups 2.0.1
    scalibr/python/wheelegg/testdata/egginfo_pkginfo: setuptools 57.4.0
    scalibr/python/wheelegg/testdata/empty: a package without a name
    scalibr/python/wheelegg/testdata/malformed_pkginfo: passlib 1.7.4
    scalibr/python/wheelegg/testdata/mixed_case: httplib2 1.0
    scalibr/python/wheelegg/testdata/pkginfo: httplib2 0.20.4
    scalibr/python/wheelegg/testdata/pyopenssl-26.0.0.dist-info: pyopenssl 26.0.0
    scalibr/python/wheelegg/testdata/repeated_pkginfo: root 1.0.0
    scalibr/python/wheelegg/testdata/special_chars: backports-ssl-match-hostname 3.5.0.1
    syft/Python-2.7.egg-info: python 2.7.13
    syft/empty-1.0.0-py3.8.egg-info: a package without a name
    syft/site-packages/license/with-license-file-declared.dist-info/METADATA: pygments 2.6.1
    syft/site-packages/license/without-license-file-declared.dist-info/METADATA: pygments 2.6.1
    syft/site-packages/malformed-record/dist-info/METADATA: pygments 2.6.1
    syft/site-packages/nested/dist-name/dist-info/METADATA: pygments 2.6.1
    syft/site-packages/nested/egg-name/egg-info/PKG-INFO: requests 2.22.0
    syft/site-packages/nested/egg-name/egg-info/PKG-INFO-INVALID: mxnet 1.8.0
    syft/site-packages/no-version/no-version-py3.8.egg-info: package `no-version` without a version
    syft/site-packages/partial.dist-info/METADATA: pygments 2.6.1
    syft/site-packages/test/test.egg-info: requests 2.22.0
    syft/site-packages/uppercase/dist-name/DIST-INFO/METADATA: pygments 2.6.1
    syft/site-packages/uppercase/egg-name/EGG-INFO/PKG-INFO: requests 2.22.0
    syft/site-packages/uppercase/egg-name/EGG-INFO/PKG-INFO-INVALID: mxnet 1.8.0
    trivy-analyzer/packaging/classifier-license-dist/setuptools-51.3.3.dist-info/METADATA: setuptools 51.3.3
    trivy-analyzer/packaging/classifier-license-egg/setuptools-51.3.3.egg-info/PKG-INFO: setuptools 51.3.3
    trivy-analyzer/packaging/happy-dist/distlib-0.3.1.dist-info/METADATA: distlib 0.3.1
    trivy-analyzer/packaging/happy-egg/distlib-0.3.1.egg-info/PKG-INFO: distlib 0.3.1
    trivy-analyzer/packaging/license-file-dist/typing_extensions-4.4.0.dist-info/METADATA: typing-extensions 4.4.0
    trivy-parser/packaging/asyncssh-2.14.2.METADATA: asyncssh 2.14.2
    trivy-parser/packaging/distlib-0.3.1-py3.9.egg-info: distlib 0.3.1
    trivy-parser/packaging/distlib-0.3.1.METADATA: distlib 0.3.1
    trivy-parser/packaging/iniconfig-2.0.0.METADATA: iniconfig 2.0.0
    trivy-parser/packaging/networkx-3.0.METADATA: networkx 3.0
    trivy-parser/packaging/pyphen-0.14.0.METADATA: pyphen 0.14.0
    trivy-parser/packaging/setuptools-51.3.3-py3.8.egg-info.PKG-INFO: setuptools 51.3.3
    trivy-parser/packaging/simple-0.1.0.METADATA: simple 0.1.0
    trivy-parser/packaging/unidecode-egg-info.PKG-INFO: unidecode 0.4.1
    trivy-parser/packaging/zipp-3.12.1.METADATA: zipp 3.12.1
    ");
}
