//! `CycloneDX`, as JSON.

use serde::Deserialize;

use seaworthy_core::Distro;

use crate::record::SourceRecord;

use super::stated::{Component, Stated, system_id};
use super::{PLACE, SbomError, from_json};

#[derive(Debug, Deserialize)]
struct Document {
    metadata: Option<Metadata>,
    components: Option<Vec<Part>>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    component: Option<Part>,
}

/// A component; every field may be missing from a document in the wild.
#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: Option<String>,
    group: Option<String>,
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    description: Option<String>,
    publisher: Option<String>,
    properties: Option<Vec<Property>>,
    components: Option<Vec<Part>>,
}

#[derive(Debug, Deserialize)]
struct Property {
    name: Option<String>,
    value: Option<String>,
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Stated, SbomError> {
    let document: Document = from_json(bytes, "CycloneDX")?;
    let mut stated = Stated::nothing();
    if let Some(subject) = document.metadata.and_then(|it| it.component) {
        // What the document is about: it says so much of itself, and may be an
        // image or a folder.
        let is_package = subject
            .purl
            .as_deref()
            .is_some_and(|purl| !purl.starts_with("pkg:oci/") && !purl.starts_with("pkg:docker/"));
        if is_package {
            take(&subject, &mut stated);
        }
        rest(subject.components, &mut stated);
    }
    rest(document.components, &mut stated);
    Ok(stated)
}

/// Goes through components and those inside of them, in document order.
fn rest(parts: Option<Vec<Part>>, stated: &mut Stated) {
    let mut open: Vec<Part> = parts.unwrap_or_default();
    open.reverse();
    while let Some(mut part) = open.pop() {
        open.extend(part.components.take().into_iter().flatten().rev());
        take(&part, stated);
    }
}

fn take(part: &Part, stated: &mut Stated) {
    let kind = part.kind.as_deref().unwrap_or_default();
    let name = part.name.as_deref().unwrap_or_default();
    let version = part.version.as_deref().filter(|it| !it.is_empty());
    let full_name = match part.group.as_deref() {
        Some(group) if !group.is_empty() => format!("{group}/{name}"),
        _ => name.to_owned(),
    };
    let component = Component {
        name: &full_name,
        version,
        source: source(part),
        vendor: part.publisher.as_deref(),
    };
    match (kind, part.purl.as_deref().filter(|it| !it.is_empty())) {
        (_, Some(purl)) => stated.with_purl(&component, purl),
        ("operating-system", None) => stated.systems.extend(system(part)),
        // These are no packages.
        (
            "container"
            | "file"
            | "data"
            | "device"
            | "cryptographic-asset"
            | "machine-learning-model",
            None,
        ) => {}
        // Without a version these group others, such as the packages of one lock file.
        ("application" | "platform" | "firmware" | "device-driver", None) if version.is_none() => {}
        (_, None) => stated.without_purl(&component),
    }
}

fn property<'a>(part: &'a Part, name: &str) -> Option<&'a str> {
    part.properties
        .iter()
        .flatten()
        .find(|it| it.name.as_deref() == Some(name))
        .and_then(|it| it.value.as_deref())
        .filter(|value| !value.is_empty())
}

/// Trivy names the source in properties of its own.
fn source(part: &Part) -> Option<SourceRecord> {
    let name = property(part, "aquasecurity:trivy:SrcName")?;
    let number = property(part, "aquasecurity:trivy:SrcVersion")?;
    let mut version = number.to_owned();
    if let Some(release) = property(part, "aquasecurity:trivy:SrcRelease") {
        version = format!("{version}-{release}");
    }
    if let Some(epoch) = property(part, "aquasecurity:trivy:SrcEpoch").filter(|it| *it != "0") {
        version = format!("{epoch}:{version}");
    }
    Some(SourceRecord::new(name, &version))
}

/// An operating system; Syft tells more in properties of its own.
fn system(part: &Part) -> Option<Distro> {
    let name = part.name.as_deref().filter(|it| !it.is_empty())?;
    let version = part.version.as_deref().filter(|it| !it.is_empty());
    let boxed = |text: &str| text.to_owned().into_boxed_str();
    Some(Distro {
        id: property(part, "syft:distro:id")
            .map_or_else(|| system_id(name), str::to_lowercase)
            .into(),
        version_id: property(part, "syft:distro:versionID")
            .or(version)
            .map(boxed),
        codename: property(part, "syft:distro:versionCodename").map(boxed),
        id_like: property(part, "syft:distro:idLike:0")
            .into_iter()
            .map(boxed)
            .collect(),
        pretty_name: property(part, "syft:distro:prettyName")
            .or(part.description.as_deref())
            .map(boxed),
        path: PLACE.into(),
    })
}
