//! Documents of other tools.

use std::error::Error;
use std::fs;

use seaworthy_core::Package;
use seaworthy_inventory::{SbomError, read_sbom};
use seaworthy_testkit::shared;

use crate::folder;

fn line(package: &Package) -> String {
    let mut words = vec![
        package.kind.purl_type().to_owned(),
        package.name.to_string(),
        package.version.to_string(),
    ];
    words.extend(package.architecture.as_deref().map(str::to_owned));
    let source = package.source.as_ref();
    words.extend(source.map(|it| format!("(from {} {})", it.name, it.version)));
    words.join(" ")
}

fn told(text: &str) -> String {
    let inventory = match read_sbom(text.as_bytes()) {
        Ok(inventory) => inventory,
        Err(error) => return explained(&error),
    };
    let mut lines: Vec<String> = inventory
        .distro
        .iter()
        .map(|it| {
            let version = it.version_id.as_deref().unwrap_or("-");
            format!(
                "{} {version} {}",
                it.id,
                it.codename.as_deref().unwrap_or("-")
            )
        })
        .collect();
    lines.extend(inventory.packages.iter().map(line));
    lines.extend(inventory.gaps.iter().map(|gap| format!("gap: {}", gap.why)));
    lines.join("\n")
}

fn explained(error: &SbomError) -> String {
    match error.source() {
        Some(cause) => format!("error: {error}: {cause}"),
        None => format!("error: {error}"),
    }
}

fn cyclonedx(components: &str) -> String {
    format!(r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{components}]}}"#)
}

#[test]
fn package_urls_become_the_names_that_advisories_use() {
    let purls = [
        "pkg:npm/%40babel/core@7.0.0",
        "pkg:npm/@babel/traverse@7.0.0",
        "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
        "pkg:golang/github.com/BurntSushi/toml@v1.0.0",
        "pkg:golang/stdlib@1.21.0",
        "pkg:pypi/Zope.Interface@5.0",
        "pkg:cargo/time@0.1.0",
        "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&upstream=zlib&distro=debian-12",
        "pkg:deb/debian/bash@5.2-1%2Bb1?arch=amd64&upstream=bash%405.2-1&distro=debian-12",
        "pkg:deb/debian/tar@1.34",
        "pkg:rpm/redhat/bind-libs@9.16.23-1.el9?arch=x86_64&epoch=32&upstream=bind-9.16.23-1.el9.src.rpm&distro=debian-12",
        "pkg:composer/guzzlehttp/promises@2.0.2",
        "pkg:swift/github.com/apple/swift-nio@2.0.0",
    ];
    let components: Vec<String> = purls
        .iter()
        .map(|purl| format!(r#"{{"type": "library", "name": "x", "purl": "{purl}"}}"#))
        .collect();
    insta::assert_snapshot!(told(&cyclonedx(&components.join(","))), @r"
    debian - -
    deb bash 5.2-1+b1 amd64 (from bash 5.2-1)
    deb tar 1.34 (from tar 1.34)
    deb zlib1g 1:1.2.13 amd64 (from zlib 1:1.2.13)
    rpm bind-libs 32:9.16.23-1.el9 x86_64 (from bind 32:9.16.23-1.el9)
    cargo time 0.1.0
    composer guzzlehttp/promises 2.0.2
    golang github.com/BurntSushi/toml v1.0.0
    golang stdlib 1.21.0
    maven org.apache.logging.log4j:log4j-core 2.14.1
    npm @babel/core 7.0.0
    npm @babel/traverse 7.0.0
    pypi zope-interface 5.0
    swift github.com/apple/swift-nio 2.0.0
    gap: it speaks of 2 operating systems; the first counts
    ");
}

#[test]
fn an_rpm_names_its_module_and_its_maker() {
    let component = |purl: &str| {
        format!(r#"{{"type": "library", "name": "x", "publisher": "Docker", "purl": "{purl}"}}"#)
    };
    let document = cyclonedx(
        &[
            "pkg:rpm/redhat/a@1-1?rpmmod=nodejs:18:8070020230418:bd1311ed",
            "pkg:rpm/redhat/b@1-1?modularitylabel=nodejs%3A18%3A8070020230418%3Abd1311ed",
            "pkg:rpm/redhat/c@1-1?rpmmod=nonsense",
            // What publishes these are maintainers.
            "pkg:deb/debian/d@1-1",
        ]
        .map(component)
        .join(","),
    );
    let inventory = read_sbom(document.as_bytes()).unwrap();
    let said: Vec<(Option<&str>, Option<&str>)> = inventory
        .packages
        .iter()
        .map(|it| (it.module.as_deref(), it.vendor.as_deref()))
        .collect();
    assert_eq!(
        said,
        [
            (None, None),
            (Some("nodejs:18"), Some("Docker")),
            (Some("nodejs:18"), Some("Docker")),
            (None, Some("Docker")),
        ]
    );
}

#[test]
fn what_cannot_be_matched_is_a_gap() {
    insta::assert_snapshot!(told(&cyclonedx(
        r#"{"type": "library", "name": "no purl"},
           {"type": "library", "group": "g", "name": "bad purl", "version": "1", "purl": "pkg:npm"},
           {"type": "library", "name": "no version", "purl": "pkg:npm/a"},
           {"type": "library", "name": "version beside", "version": "1", "purl": "pkg:npm/b"},
           {"type": "application", "name": "group of others", "components": [
               {"type": "application", "name": "tool", "version": "2", "components": [
                   {"type": "library", "name": "deep", "purl": "pkg:npm/deep@1"}]}]},
           {"type": "file", "name": "a file"},
           {"type": "container", "name": "another image", "purl": "pkg:oci/debian@sha256:0"},
           {"name": "of no type"}"#
    )), @r"
    npm b 1
    npm deep 1
    gap: `another image` is an image of its own, which was not read
    gap: `g/bad purl` has no usable package URL: the package URL has no name
    gap: `no purl` has no package URL and cannot be matched
    gap: `no version` has no version
    gap: `of no type` has no package URL and cannot be matched
    gap: `tool` has no package URL and cannot be matched
    ");
    insta::assert_snapshot!(told(
        r#"{"spdxVersion": "SPDX-2.3", "documentDescribes": ["SPDXRef-image"], "packages": [
           {"SPDXID": "SPDXRef-image", "name": "image", "versionInfo": "1"},
           {"name": "named", "versionInfo": "1"},
           {"name": "group of others"},
           {"name": "source", "versionInfo": "1", "primaryPackagePurpose": "SOURCE"},
           {"name": "Wolfi", "versionInfo": "20230201", "primaryPackagePurpose": "OPERATING-SYSTEM"},
           {"name": "musl", "sourceInfo": "built package from: musl-src 1.2.3-r1", "externalRefs": [
               {"referenceType": "purl", "referenceLocator": "pkg:apk/wolfi/musl@1.2.3-r0?arch=x86_64"}]}]}"#
    ), @r"
    wolfi 20230201 -
    apk musl 1.2.3-r0 x86_64 (from musl-src 1.2.3-r1)
    gap: `named` has no package URL and cannot be matched
    ");
}

#[test]
fn packages_say_which_system_they_belong_to_when_nothing_else_does() {
    let of = |purls: &[&str]| {
        let components: Vec<String> = purls
            .iter()
            .map(|purl| format!(r#"{{"type": "library", "name": "x", "purl": "{purl}"}}"#))
            .collect();
        told(&cyclonedx(&components.join(",")))
    };
    let all = [
        of(&["pkg:deb/debian/a@1?distro=debian-12"]),
        of(&["pkg:deb/debian/a@1?distro=bookworm"]),
        of(&["pkg:apk/alpine/a@1?distro=3.16.0"]),
        of(&["pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5"]),
        of(&["pkg:rpm/redhat/a@1"]),
        of(&[
            "pkg:deb/debian/a@1?distro=debian-12",
            "pkg:deb/ubuntu/b@1?distro=ubuntu-22.04",
        ]),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @r"
    debian 12 -
    deb a 1 (from a 1)

    debian - bookworm
    deb a 1 (from a 1)

    alpine 3.16.0 -
    apk a 1 (from a 1)

    opensuse-leap 15.5 -
    rpm a 1

    rhel - -
    rpm a 1

    debian 12 -
    deb a 1 (from a 1)
    deb b 1 (from b 1)
    gap: it speaks of 2 operating systems; the first counts
    ");
}

#[test]
fn other_formats_are_refused_by_name() {
    let deep = format!(
        "{}{}",
        cyclonedx("").trim_end_matches("]}"),
        r#"{"components": ["#.repeat(9999)
    );
    let all: Vec<String> = [
        "",
        "<?xml version=\"1.0\"?><bom/>",
        "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n",
        "spdxVersion: \"SPDX-2.3\"\n",
        "hello",
        "{}",
        "{",
        r#"{"bomFormat": "CycloneDX", "specVersion": "2.0"}"#,
        r#"{"bomFormat": "other"}"#,
        r#"{"spdxVersion": "SPDX-3.0"}"#,
        r#"{"@context": "https://spdx.example/3.0.1/context.jsonld"}"#,
        r#"{"artifacts": [], "schema": {}}"#,
        r#"{"payloadType": "x", "payload": ""}"#,
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": {}}"#,
        &deep,
    ]
    .iter()
    .map(|text| told(text))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    error: the document is empty; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is SPDX in tag-value form; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is SPDX in YAML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is JSON without `bomFormat` or `spdxVersion`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is not proper JSON: EOF while parsing an object at line 1 column 1
    error: the document is CycloneDX of version `2.0`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is of the format `other`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is SPDX of version `SPDX-3.0`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is JSON-LD, perhaps SPDX 3; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is in Syft's own format; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is an attestation around something else; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    error: the document is not proper CycloneDX: invalid type: map, expected a sequence at line 1 column 63
    error: the document is not proper JSON: EOF while parsing a list at line 1 column 160048
    ");
}

#[test]
fn documents_of_other_tools_are_read() {
    let Some(root) = shared() else { return };
    let folder = root.join("fixtures/sbom");
    let mut lines = Vec::new();
    for path in folder::files(&folder) {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        if name == "PROVENANCE.md" {
            continue;
        }
        let said = match read_sbom(&fs::read(&path).unwrap()) {
            Ok(inventory) => {
                let distro = inventory.distro.as_ref().map_or("-".to_owned(), |it| {
                    format!("{} {}", it.id, it.version_id.as_deref().unwrap_or("-"))
                });
                let os = inventory
                    .packages
                    .iter()
                    .filter(|it| it.kind.is_os())
                    .count();
                let others = inventory.packages.len() - os;
                let gaps = inventory.gaps.len();
                format!("{distro}, {os} of the system, {others} others, {gaps} gaps")
            }
            Err(error) => explained(&error),
        };
        lines.push(format!("{name}: {said}"));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    bom-examples/cern-lhc-vdm-editor-e564943/bom.json: -, 0 of the system, 44 others, 0 gaps
    bom-examples/dropwizard-1.3.15/bom.json: -, 0 of the system, 168 others, 0 gaps
    bom-examples/laravel-7.12.0/bom.1.1.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    bom-examples/laravel-7.12.0/bom.1.2.json: -, 0 of the system, 63 others, 0 gaps
    bom-examples/laravel-7.12.0/bom.1.3.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    bom-examples/laravel-7.12.0/bom.1.4.json: -, 0 of the system, 63 others, 0 gaps
    bom-examples/proton-bridge/proton-bridge-v1.8.0.bom.json: -, 0 of the system, 202 others, 0 gaps
    claircore-spdx/distroless-static-debian12.ir.json: error: the document is JSON without `bomFormat` or `spdxVersion`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    claircore-spdx/distroless-static-debian12.spdx.json: debian 12, 0 of the system, 0 others, 3 gaps
    claircore-spdx/simple.ir.json: error: the document is JSON without `bomFormat` or `spdxVersion`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    claircore-spdx/simple.spdx.json: rhel 7, 1 of the system, 0 others, 1 gaps
    claircore-spdx/ubi8-micro.ir.json: error: the document is JSON without `bomFormat` or `spdxVersion`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    claircore-spdx/ubi8-micro.spdx.json: rhel 8, 0 of the system, 0 others, 20 gaps
    dependency-track/valid-bom-1.0.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.1.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.2.json: -, 0 of the system, 1 others, 1 gaps
    dependency-track/valid-bom-1.2.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.3.json: -, 0 of the system, 1 others, 1 gaps
    dependency-track/valid-bom-1.3.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.4.json: -, 0 of the system, 1 others, 1 gaps
    dependency-track/valid-bom-1.4.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.5.json: -, 0 of the system, 1 others, 1 gaps
    dependency-track/valid-bom-1.5.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.6.json: -, 0 of the system, 1 others, 1 gaps
    dependency-track/valid-bom-1.6.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    dependency-track/valid-bom-1.7.json: -, 0 of the system, 3 others, 0 gaps
    dependency-track/valid-bom-1.7.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    guac-data/syft-cyclonedx-docker.io-library-alpine.latest.json: alpine 3.16.2, 14 of the system, 0 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-busybox.latest.json: busybox 1.34.1, 0 of the system, 0 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-caddy.latest.json: alpine 3.16.2, 16 of the system, 115 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-debian.latest.json: debian 11, 96 of the system, 0 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-haproxy.latest.json: debian 11, 97 of the system, 0 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-redis.latest.json: debian 11, 96 of the system, 3 others, 0 gaps
    guac-data/syft-cyclonedx-docker.io-library-ubuntu.latest.json: ubuntu 22.04, 101 of the system, 0 others, 0 gaps
    osv-scanner/alpine-zlib-16.cdx.json: alpine 3.22.0, 1 of the system, 0 others, 0 gaps
    osv-scanner/alpine.cdx.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    osv-scanner/bad-purls.cdx.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    osv-scanner/only-unimportant.spdx.json: ubuntu -, 1 of the system, 0 others, 0 gaps
    osv-scanner/postgres-stretch.cdx.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/cdx/testdata/invalid_sbom.cdxjson: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/cdx/testdata/minimal.cdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/cdx/testdata/random_file.ext: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/cdx/testdata/sbom-with-locations.cdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/cdx/testdata/sbom-with-nested-comps.cdx.json: -, 0 of the system, 2 others, 1 gaps
    scalibr/sbom/cdx/testdata/sbom.bom.json: -, 0 of the system, 1 others, 1 gaps
    scalibr/sbom/cdx/testdata/sbom.bom.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/cdx/testdata/sbom.cdx.json: -, 0 of the system, 1 others, 1 gaps
    scalibr/sbom/cdx/testdata/sbom.cdx.json.foo.ext: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/cdx/testdata/sbom.cdx.xml: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/ancestor_of.spdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/descendant_of.spdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/dhi/.spdx.dhi-pkg-python.json: -, 0 of the system, 0 others, 1 gaps
    scalibr/sbom/spdx/testdata/dhi/.spdx.dhi-python.json: -, 0 of the system, 0 others, 1 gaps
    scalibr/sbom/spdx/testdata/dhi/.spdx.python.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/external_refs.spdx.json: -, 0 of the system, 1 others, 1 gaps
    scalibr/sbom/spdx/testdata/independent_packages_descendant.spdx.json: -, 0 of the system, 2 others, 0 gaps
    scalibr/sbom/spdx/testdata/invalid_sbom.spdx: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/minimal.spdx.json: -, 0 of the system, 0 others, 0 gaps
    scalibr/sbom/spdx/testdata/multi_descendant.spdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/overlapping_refs.spdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/purl_and_cpe.spdx.json: -, 0 of the system, 2 others, 0 gaps
    scalibr/sbom/spdx/testdata/random_file.ext: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/sbom.spdx: error: the document is SPDX in tag-value form; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/sbom.spdx.foo.ext: error: the document is neither JSON nor anything we know; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/sbom.spdx.json: -, 0 of the system, 1 others, 0 gaps
    scalibr/sbom/spdx/testdata/sbom.spdx.rdf: error: the document is XML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    scalibr/sbom/spdx/testdata/sbom.spdx.yml: error: the document is SPDX in YAML; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    syft/alpine/syft-json/sbom.syft.json: error: the document is in Syft's own format; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    trivy/artifact/bom-missing-refs.json: alpine 3.16.0, 1 of the system, 1 others, 0 gaps
    trivy/artifact/bom.json: alpine 3.16.0, 1 of the system, 5 others, 0 gaps
    trivy/artifact/os-only-bom.json: alpine 3.16.0, 0 of the system, 0 others, 0 gaps
    trivy/artifact/sbom.cdx.intoto.jsonl: error: the document is an attestation around something else; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    trivy/cyclonedx/happy/bom.json: alpine 3.16.0, 1 of the system, 6 others, 0 gaps
    trivy/cyclonedx/happy/empty-bom.json: -, 0 of the system, 0 others, 0 gaps
    trivy/cyclonedx/happy/empty-metadata-component-bom.json: -, 0 of the system, 0 others, 0 gaps
    trivy/cyclonedx/happy/group-in-name.json: -, 0 of the system, 1 others, 0 gaps
    trivy/cyclonedx/happy/independent-library-bom.json: -, 0 of the system, 3 others, 0 gaps
    trivy/cyclonedx/happy/infinite-loop-bom.json: ubuntu 22.04, 2 of the system, 0 others, 0 gaps
    trivy/cyclonedx/happy/invalid-purl.json: -, 0 of the system, 1 others, 1 gaps
    trivy/cyclonedx/happy/kbom.json: ubuntu 22.04.2, 0 of the system, 7 others, 7 gaps
    trivy/cyclonedx/happy/nested-packages-bom.json: -, 0 of the system, 4 others, 1 gaps
    trivy/cyclonedx/happy/os-only-bom.json: alpine 3.16.0, 0 of the system, 0 others, 0 gaps
    trivy/cyclonedx/happy/package-hashes.json: -, 0 of the system, 1 others, 0 gaps
    trivy/cyclonedx/happy/third-party-bom-no-os.json: alpine 3.16.0, 1 of the system, 1 others, 0 gaps
    trivy/cyclonedx/happy/third-party-bom.json: alpine 3.16.0, 1 of the system, 2 others, 0 gaps
    trivy/cyclonedx/happy/third-party-scan-file-component.json: -, 0 of the system, 1 others, 0 gaps
    trivy/cyclonedx/happy/unrelated-bom.json: -, 0 of the system, 2 others, 0 gaps
    trivy/cyclonedx/sad/invalid-serial.json: -, 0 of the system, 0 others, 0 gaps
    trivy/spdx/happy/bom.json: alpine 3.16.0, 1 of the system, 5 others, 0 gaps
    trivy/spdx/happy/empty-bom.json: -, 0 of the system, 0 others, 0 gaps
    trivy/spdx/happy/no-relationship.json: -, 0 of the system, 2 others, 0 gaps
    trivy/spdx/happy/os-only-bom.json: alpine 3.16.0, 0 of the system, 0 others, 0 gaps
    trivy/spdx/happy/package-hashes.json: -, 0 of the system, 1 others, 0 gaps
    trivy/spdx/happy/unrelated-bom.json: -, 0 of the system, 2 others, 0 gaps
    trivy/spdx/happy/with-file-as-relationship-parent.json: -, 0 of the system, 0 others, 0 gaps
    trivy/spdx/happy/with-files-in-relationships-bom.json: -, 0 of the system, 1 others, 0 gaps
    trivy/spdx/happy/with-hasfiles-bom.json: -, 0 of the system, 1 others, 0 gaps
    trivy/spdx/sad/invalid-purl.json: alpine 3.16.0, 0 of the system, 0 others, 1 gaps
    trivy-analyzer/sbom/ca-certificates.spdx.json: debian 12.9, 1 of the system, 0 others, 0 gaps
    trivy-analyzer/sbom/cdx.json: -, 0 of the system, 2 others, 0 gaps
    trivy-analyzer/sbom/elasticsearch.spdx.json: -, 0 of the system, 5 others, 0 gaps
    trivy-analyzer/sbom/invalid_spdx.json: error: the document is JSON without `bomFormat` or `spdxVersion`; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3
    trivy-analyzer/sbom/postgresql.spdx.json: -, 0 of the system, 4 others, 0 gaps
    trivy-analyzer/sbom/sbom-without-app-component.spdx.json: -, 0 of the system, 2 others, 0 gaps
    ");
}

#[test]
fn a_package_url_of_ours_is_read_as_the_package_it_came_from() {
    let Some(root) = shared() else { return };
    let folder = root.join("fixtures/sbom/guac-data");
    let mut packages = 0;
    for path in folder::files(&folder) {
        let inventory = read_sbom(&fs::read(&path).unwrap()).unwrap();
        for package in &inventory.packages {
            let purl = seaworthy_core::package_purl(package, inventory.distro.as_ref());
            let component = format!(r#"{{"type": "library", "name": "x", "purl": "{purl}"}}"#);
            let again = read_sbom(cyclonedx(&component).as_bytes()).unwrap();
            let again = again.packages.first().unwrap();
            assert_eq!(line(again), line(package), "{purl}");
            packages += 1;
        }
    }
    assert!(packages > 400, "only {packages} packages");
}
