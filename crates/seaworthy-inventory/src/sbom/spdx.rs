//! SPDX, as JSON.

use std::collections::HashSet;

use serde::Deserialize;

use seaworthy_core::Distro;

use crate::record::SourceRecord;

use super::stated::{Component, Stated, system_id};
use super::{PLACE, SbomError, from_json};

#[derive(Debug, Deserialize)]
struct Document {
    #[serde(rename = "documentDescribes")]
    describes: Option<Vec<String>>,
    packages: Option<Vec<Part>>,
    relationships: Option<Vec<Relationship>>,
}

/// A package; every field may be missing from a document in the wild.
#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "SPDXID")]
    id: Option<String>,
    name: Option<String>,
    #[serde(rename = "versionInfo")]
    version: Option<String>,
    #[serde(rename = "sourceInfo")]
    source_info: Option<String>,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: Option<String>,
    #[serde(rename = "externalRefs")]
    references: Option<Vec<Reference>>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(rename = "referenceType")]
    kind: Option<String>,
    #[serde(rename = "referenceLocator")]
    locator: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Relationship {
    #[serde(rename = "relationshipType")]
    kind: Option<String>,
    #[serde(rename = "relatedSpdxElement")]
    related: Option<String>,
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Stated, SbomError> {
    let document: Document = from_json(bytes, "SPDX")?;
    let described: HashSet<&str> = document
        .relationships
        .iter()
        .flatten()
        .filter(|it| matches!(it.kind.as_deref(), Some("DESCRIBES" | "DESCRIBE")))
        .filter_map(|it| it.related.as_deref())
        .chain(document.describes.iter().flatten().map(String::as_str))
        .collect();
    let mut stated = Stated::nothing();
    for part in document.packages.iter().flatten() {
        let is_subject = part.id.as_deref().is_some_and(|id| described.contains(id));
        take(part, is_subject, &mut stated);
    }
    Ok(stated)
}

fn take(part: &Part, is_subject: bool, stated: &mut Stated) {
    let name = part.name.as_deref().unwrap_or_default();
    let version = part
        .version
        .as_deref()
        .filter(|it| !matches!(*it, "" | "NOASSERTION" | "NONE"));
    let component = Component {
        name,
        version,
        vendor: None,
        source: part.source_info.as_deref().and_then(source),
    };
    let purls = part
        .references
        .iter()
        .flatten()
        .filter(|it| it.kind.as_deref() == Some("purl"))
        .filter_map(|it| it.locator.as_deref());
    let mut has_purl = false;
    for purl in purls {
        has_purl = true;
        let is_image = purl.starts_with("pkg:oci/") || purl.starts_with("pkg:docker/");
        if !(is_subject && is_image) {
            stated.with_purl(&component, purl);
        }
    }
    if has_purl {
        return;
    }
    // Trivy says it in the identifier where the version of SPDX has no purposes.
    let id = part.id.as_deref().unwrap_or_default();
    let purpose = match part.purpose.as_deref() {
        None if id.starts_with("SPDXRef-OperatingSystem") => "OPERATING-SYSTEM",
        purpose => purpose.unwrap_or_default(),
    };
    match purpose {
        "OPERATING-SYSTEM" | "OPERATING_SYSTEM" if !name.is_empty() => {
            // Some write `12 (bookworm)`.
            let number = version.and_then(|it| it.split_whitespace().next());
            stated.systems.push(Distro {
                id: system_id(name).into(),
                version_id: number.map(Into::into),
                path: PLACE.into(),
                ..Distro::default()
            });
        }
        // These are no installed packages.
        "CONTAINER" | "FILE" | "SOURCE" | "DEVICE" | "ARCHIVE" => {}
        // What the document is about may be an image or a folder.
        _ if is_subject => {}
        // Without a version these group others, such as the packages of one lock file.
        purpose if version.is_none() && purpose != "LIBRARY" => {}
        _ => stated.without_purl(&component),
    }
}

/// Reads `built package from: zlib 1.2.12-r1`, as Trivy writes it.
fn source(info: &str) -> Option<SourceRecord> {
    let (name, version) = info
        .strip_prefix("built package from: ")?
        .trim()
        .split_once(' ')?;
    Some(SourceRecord::new(name, version.trim()))
}
