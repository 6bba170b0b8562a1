//! `CycloneDX` 1.6 as JSON: what is in an image and what is known of it.
//!
//! The specification has no word for a verdict, so the document carries none.
//! What it does have a word for is said: an inventory with gaps is declared
//! incomplete.

mod bom;
mod iri;

use std::collections::BTreeMap;

use seaworthy_core::{
    Claim, Distro, Finding, FixState, Package, PackageType, Rating, RatingSystem, Report, Severity,
    package_purl,
};
use sha2::{Digest as _, Sha256};

use crate::{Assessed, words};
use bom::{
    Advisory, Affect, AffectedVersion, Bom, Component, Composition, Evidence, Identity, Metadata,
    Method, Named, Occurrence, Property, Score, SeeAlso, Tools, Vulnerability,
};

/// How the image itself is called inside the document.
const IMAGE: &str = "image";

/// How the operating system is called inside the document.
const DISTRO: &str = "distro";

/// The software bill of materials of one image, with its vulnerabilities,
/// indented and with a line break at the end.
pub fn cyclonedx(image: &Assessed<'_>) -> String {
    let mut bom = bom(image.report);
    // The serial number names these very contents: equal documents have equal
    // numbers, others do not.
    bom.serial_number = Some(serial_number(&print(&bom)));
    let mut text = print(&bom);
    text.push('\n');
    text
}

fn print(bom: &Bom) -> String {
    serde_json::to_string_pretty(bom)
        .expect("texts, numbers and lists of them always have a JSON form")
}

/// A UUID of the kind that RFC 9562 leaves to the maker (version 8), from the
/// hash of `contents`.
fn serial_number(contents: &str) -> String {
    let hash = Sha256::digest(contents.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash) {
        *byte = hashed;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let mut out = String::from("urn:uuid:");
    for (position, digit) in hex.chars().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

fn bom(report: &Report) -> Bom {
    let distro = report.inventory.distro.as_ref();
    let mut components: Vec<Component> = distro.map(operating_system).into_iter().collect();
    components.extend(
        report
            .inventory
            .packages
            .iter()
            .enumerate()
            .map(|(position, package)| component(report, position, package)),
    );
    let incomplete = !report.inventory.gaps.is_empty()
        || (report.inventory.packages.is_empty() && distro.is_none());
    Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: metadata(report),
        components,
        compositions: incomplete
            .then(|| Composition {
                aggregate: "incomplete",
                assemblies: vec![IMAGE],
            })
            .into_iter()
            .collect(),
        vulnerabilities: vulnerabilities(report),
    }
}

fn metadata(report: &Report) -> Metadata {
    let image = &report.image;
    let mut properties = Vec::new();
    let mut note = |name: &'static str, value: Option<String>| {
        properties.extend(value.map(|value| Property { name, value }));
    };
    note(
        "seaworthy:platform",
        image.platform.as_ref().map(ToString::to_string),
    );
    note(
        "seaworthy:config",
        image.config.as_ref().map(ToString::to_string),
    );
    for tag in &image.tags {
        note("seaworthy:tag", Some(tag.to_string()));
    }
    note(
        "seaworthy:edition",
        report
            .edition
            .as_ref()
            .map(|edition| edition.digest.to_string()),
    );
    note(
        "seaworthy:probes",
        Some(report.inventory.probes.as_str().to_owned()),
    );
    for gap in &report.inventory.gaps {
        note("seaworthy:gap", Some(format!("{}: {}", gap.path, gap.why)));
    }
    Metadata {
        tools: Tools {
            components: vec![Component {
                kind: "application",
                name: "seaworthy".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                ..Component::default()
            }],
        },
        component: Component {
            kind: "container",
            bom_ref: Some(IMAGE.to_owned()),
            name: image.target.to_string(),
            version: image.manifest.as_ref().map(ToString::to_string),
            ..Component::default()
        },
        properties,
    }
}

fn operating_system(distro: &Distro) -> Component {
    Component {
        kind: "operating-system",
        bom_ref: Some(DISTRO.to_owned()),
        name: distro.id.to_string(),
        version: distro.version_id.as_ref().map(ToString::to_string),
        description: Some(distro.title()),
        evidence: Some(Evidence {
            identity: Vec::new(),
            occurrences: vec![Occurrence {
                location: distro.path.to_string(),
            }],
        }),
        ..Component::default()
    }
}

fn reference(position: usize) -> String {
    format!("package-{position}")
}

fn component(report: &Report, position: usize, package: &Package) -> Component {
    let (group, name) = match &package.kind {
        PackageType::Maven => parted(package.name.split_once(':'), &package.name),
        PackageType::Npm | PackageType::Composer => {
            parted(package.name.rsplit_once('/'), &package.name)
        }
        _ => (None, package.name.to_string()),
    };
    let (technique, confidence) = match package.claim {
        Claim::Recorded => ("manifest-analysis", 1.0),
        Claim::Guessed => ("filename", 0.5),
    };
    let mut properties = vec![Property {
        name: "seaworthy:type",
        value: package.kind.purl_type().to_owned(),
    }];
    if let Some(source) = &package.source {
        properties.push(Property {
            name: "seaworthy:source",
            value: format!("{} {}", source.name, source.version),
        });
    }
    for sighting in &package.seen {
        properties.push(Property {
            name: "seaworthy:path",
            value: sighting.path.to_string(),
        });
        if let Some(layer) = sighting.layer {
            let digest = report
                .inventory
                .layers
                .get(layer)
                .and_then(|layer| layer.digest.as_ref().or(layer.diff_id.as_ref()));
            properties.push(Property {
                name: "seaworthy:layer",
                value: digest.map_or_else(|| layer.to_string(), ToString::to_string),
            });
        }
    }
    Component {
        kind: "library",
        bom_ref: Some(reference(position)),
        group,
        name,
        version: Some(package.version.text().to_owned()),
        publisher: package.vendor.as_ref().map(ToString::to_string),
        purl: Some(package_purl(package, report.inventory.distro.as_ref())),
        evidence: Some(Evidence {
            identity: vec![Identity {
                field: "purl",
                confidence,
                methods: vec![Method {
                    technique,
                    confidence,
                    value: package.seen.first().map(|seen| seen.path.to_string()),
                }],
            }],
            occurrences: package
                .seen
                .iter()
                .map(|seen| Occurrence {
                    location: seen.path.to_string(),
                })
                .collect(),
        }),
        properties,
        ..Component::default()
    }
}

fn parted(parts: Option<(&str, &str)>, whole: &str) -> (Option<String>, String) {
    match parts {
        Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
        None => (None, whole.to_owned()),
    }
}

/// One entry for all packages of which the same is said.
fn vulnerabilities(report: &Report) -> Vec<Vulnerability> {
    let mut alike: BTreeMap<&str, Vec<Vec<&Finding>>> = BTreeMap::new();
    for finding in &report.findings {
        let groups = alike.entry(&finding.vulnerability).or_default();
        match groups.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|first| says_the_same(first, finding))
        }) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    alike
        .into_values()
        .flatten()
        .enumerate()
        .filter_map(|(position, group)| vulnerability(report, position, &group))
        .collect()
}

fn says_the_same(a: &Finding, b: &Finding) -> bool {
    a.severity == b.severity
        && a.fix == b.fix
        && a.ratings == b.ratings
        && a.summary == b.summary
        && a.sources.len() == b.sources.len()
        && a.sources.iter().zip(&b.sources).all(|(one, other)| {
            one.feed == other.feed
                && one.id == other.id
                && one.comparison.name == other.comparison.name
        })
}

fn vulnerability(report: &Report, position: usize, group: &[&Finding]) -> Option<Vulnerability> {
    let finding = group.first()?;
    let (links, others): (Vec<&str>, Vec<&str>) = finding
        .references
        .iter()
        .map(|link| &**link)
        .partition(|link| iri::is_web_address(link));
    let mut properties = facts(finding);
    properties.extend(others.into_iter().map(|other| Property {
        name: "seaworthy:reference",
        value: other.to_owned(),
    }));
    let mut ratings: Vec<Score> = finding.ratings.iter().map(score).collect();
    if ratings.is_empty() {
        ratings.push(Score {
            severity: finding.severity.map_or("unknown", severity_name),
            method: "other",
            ..Score::default()
        });
    }
    Some(Vulnerability {
        bom_ref: format!("vulnerability-{position}"),
        id: finding.vulnerability.to_string(),
        source: finding.sources.first().map(|source| Named {
            name: source.feed.to_string(),
        }),
        references: finding
            .aliases
            .iter()
            .map(|alias| SeeAlso {
                id: alias.to_string(),
                source: Named {
                    name: naming_authority(alias).to_owned(),
                },
            })
            .collect(),
        ratings,
        description: Some(finding.summary.to_string()).filter(|summary| !summary.is_empty()),
        recommendation: recommendation(finding),
        advisories: links
            .into_iter()
            .map(|url| Advisory {
                url: url.to_owned(),
            })
            .collect(),
        affects: group
            .iter()
            .filter_map(|finding| {
                let package = report.inventory.packages.get(finding.package.0)?;
                Some(Affect {
                    reference: reference(finding.package.0),
                    versions: vec![AffectedVersion {
                        version: package.version.text().to_owned(),
                        status: "affected",
                    }],
                })
            })
            .collect(),
        properties,
    })
}

/// What the specification has no field for.
fn facts(finding: &Finding) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut note = |name: &'static str, value: String| properties.push(Property { name, value });
    note(
        "seaworthy:severity",
        finding
            .severity
            .map_or("unrated", Severity::name)
            .to_owned(),
    );
    match &finding.fix {
        FixState::In(versions) => {
            for version in versions {
                note("seaworthy:fixed-in", version.to_string());
            }
        }
        FixState::Subscription(versions) => {
            for version in versions {
                note("seaworthy:fixed-for-subscribers-in", version.to_string());
            }
        }
        FixState::WontFix | FixState::NotYet | FixState::UnderReview | FixState::Unknown => {
            note("seaworthy:fix", words::fix(&finding.fix).to_owned());
        }
    }
    if let Some(kev) = &finding.kev {
        note("seaworthy:kev:added", kev.added.to_string());
        if let Some(due) = kev.due {
            note("seaworthy:kev:due", due.to_string());
        }
        note("seaworthy:kev:ransomware", kev.ransomware.to_string());
    }
    if let Some(epss) = finding.epss {
        let share =
            |millionths: u32| format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        note(
            "seaworthy:epss:probability",
            share(epss.probability_millionths),
        );
        note(
            "seaworthy:epss:percentile",
            share(epss.percentile_millionths),
        );
    }
    for source in &finding.sources {
        note("seaworthy:record", format!("{} {}", source.feed, source.id));
    }
    properties
}

fn recommendation(finding: &Finding) -> Option<String> {
    let version = match &finding.fix {
        FixState::In(versions) => versions.first()?,
        FixState::Subscription(_)
        | FixState::WontFix
        | FixState::NotYet
        | FixState::UnderReview
        | FixState::Unknown => return None,
    };
    let name = &finding.sources.first()?.comparison.name;
    Some(format!("Upgrade {name} to {version} or later."))
}

/// Who gives out ids of this form, as far as their form tells.
fn naming_authority(id: &str) -> &str {
    match id.split_once('-') {
        Some(("CVE", _)) => "NVD",
        Some(("GHSA", _)) => "GitHub Advisory Database",
        Some((prefix, _)) if !prefix.is_empty() => prefix,
        _ => "unknown",
    }
}

fn score(rating: &Rating) -> Score {
    let method = match rating.system {
        RatingSystem::CvssV4 => "CVSSv4",
        RatingSystem::CvssV3 if rating.text.starts_with("CVSS:3.1") => "CVSSv31",
        RatingSystem::CvssV3 => "CVSSv3",
        RatingSystem::CvssV2 => "CVSSv2",
        RatingSystem::Word => "other",
    };
    Score {
        source: Some(Named {
            name: rating.source.to_string(),
        }),
        base: rating.score_tenths.map(|tenths| f64::from(tenths) / 10.0),
        severity: severity_name(rating.severity),
        method,
        vector: (rating.system != RatingSystem::Word).then(|| rating.text.to_string()),
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Negligible => "info",
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => severity.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_a_uuid_of_the_contents() {
        let number = serial_number("a");
        assert_eq!(number, "urn:uuid:ca978112-ca1b-8dca-bac2-31b39a23dc4d");
        assert_ne!(number, serial_number("b"));
    }
}
