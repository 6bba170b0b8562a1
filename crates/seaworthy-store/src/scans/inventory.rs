//! An inventory as it is kept and sent: the document `seaworthy.inventory/1`.
//!
//! It holds all that an inventory is, so that later assessments read no image again.
//! It may come from a client, so it is read as what an image says is: every text and
//! every list has a ceiling, and no text a control character.

use std::borrow::Cow;

use seaworthy_core::{
    Claim, Digest, Distro, Gap, Inventory, Layer, Package, PackageType, ProbeSet, Scheme, Sighting,
    SourcePackage, Version,
};
use serde::{Deserialize, Serialize};

/// What the `schema` field says.
const SCHEMA: &str = "seaworthy.inventory/1";

/// The most packages and the most gaps.
const MOST_ITEMS: usize = 1_000_000;
/// The most layers.
const MOST_LAYERS: usize = 1_000;
/// The most places of one package.
const MOST_PLACES: usize = 100_000;
/// The longest text, in bytes.
const LONGEST: usize = 32 << 10;

/// Why bytes are no inventory.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Not JSON, or not in the shape of the schema.
    #[error("not an inventory of schema `{SCHEMA}`")]
    Shape(#[source] serde_json::Error),
    /// Another schema, perhaps of a newer program.
    #[error("schema is `{0}`, expected `{SCHEMA}`")]
    Schema(Box<str>),
    /// A list or a text beyond its ceiling, or a text that is none.
    #[error("the inventory has {0}")]
    Bounds(&'static str),
    /// A digest that is none.
    #[error("the inventory has an unusable digest")]
    Digest(#[source] seaworthy_core::DigestError),
}

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    schema: Text<'a>,
    #[serde(borrow)]
    probes: Text<'a>,
    #[serde(borrow, default)]
    distro: Option<DistroDocument<'a>>,
    #[serde(borrow, default)]
    content_sets: Vec<Text<'a>>,
    #[serde(borrow)]
    layers: Vec<LayerDocument<'a>>,
    #[serde(borrow)]
    packages: Vec<PackageDocument<'a>>,
    #[serde(borrow)]
    gaps: Vec<GapDocument<'a>>,
}

#[derive(Serialize, Deserialize)]
struct DistroDocument<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow, default)]
    version_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    codename: Option<Text<'a>>,
    #[serde(borrow, default)]
    id_like: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pretty_name: Option<Text<'a>>,
    #[serde(borrow)]
    path: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct LayerDocument<'a> {
    #[serde(borrow, default)]
    digest: Option<Text<'a>>,
    #[serde(borrow, default)]
    diff_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    created_by: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct PackageDocument<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
    /// The order of its versions, where it is another than that of its type.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    scheme: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    architecture: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    source: Option<SourceDocument<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    vendor: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    module: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    guessed: bool,
    #[serde(borrow)]
    seen: Vec<PlaceDocument<'a>>,
}

#[derive(Serialize, Deserialize)]
struct SourceDocument<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    version: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct PlaceDocument<'a> {
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(default)]
    layer: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct GapDocument<'a> {
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    probe: Text<'a>,
    #[serde(borrow)]
    why: Text<'a>,
    #[serde(default)]
    layer: Option<usize>,
}

/// An inventory as the document `seaworthy.inventory/1`.
///
/// # Panics
///
/// Never: the document is made of texts and numbers.
pub fn encode_inventory(inventory: &Inventory) -> Vec<u8> {
    let document = Document {
        schema: SCHEMA.into(),
        probes: inventory.probes.as_str().into(),
        distro: inventory.distro.as_ref().map(|it| DistroDocument {
            id: (&*it.id).into(),
            version_id: it.version_id.as_deref().map(Into::into),
            codename: it.codename.as_deref().map(Into::into),
            id_like: it.id_like.iter().map(|it| (&**it).into()).collect(),
            pretty_name: it.pretty_name.as_deref().map(Into::into),
            path: (&*it.path).into(),
        }),
        content_sets: inventory
            .content_sets
            .iter()
            .map(|it| (&**it).into())
            .collect(),
        layers: inventory.layers.iter().map(layer_document).collect(),
        packages: inventory.packages.iter().map(package_document).collect(),
        gaps: inventory
            .gaps
            .iter()
            .map(|it| GapDocument {
                path: (&*it.path).into(),
                probe: (&*it.probe).into(),
                why: (&*it.why).into(),
                layer: it.layer,
            })
            .collect(),
    };
    serde_json::to_vec(&document).expect("texts and numbers, which JSON can hold")
}

fn layer_document(layer: &Layer) -> LayerDocument<'_> {
    LayerDocument {
        digest: layer.digest.as_ref().map(|it| it.to_string().into()),
        diff_id: layer.diff_id.as_ref().map(|it| it.to_string().into()),
        created_by: layer.created_by.as_deref().map(Into::into),
    }
}

fn package_document(package: &Package) -> PackageDocument<'_> {
    let scheme = package.version.scheme();
    PackageDocument {
        kind: package.kind.purl_type().into(),
        name: (&*package.name).into(),
        version: package.version.text().into(),
        scheme: (scheme != package.kind.scheme()).then(|| scheme.name().into()),
        architecture: package.architecture.as_deref().map(Into::into),
        source: package.source.as_ref().map(|it| SourceDocument {
            name: (&*it.name).into(),
            version: it.version.text().into(),
        }),
        vendor: package.vendor.as_deref().map(Into::into),
        module: package.module.as_deref().map(Into::into),
        guessed: package.claim == Claim::Guessed,
        seen: package
            .seen
            .iter()
            .map(|it| PlaceDocument {
                path: (&*it.path).into(),
                layer: it.layer,
            })
            .collect(),
    }
}

/// Reads what [`encode_inventory`] wrote, here or elsewhere.
///
/// # Errors
///
/// When it is none, or larger than any inventory.
pub fn decode_inventory(bytes: &[u8]) -> Result<Inventory, InventoryError> {
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(InventoryError::Shape)?;
    if document.schema != SCHEMA {
        let found = document.schema.chars().take(100).collect::<String>();
        return Err(InventoryError::Schema(found.into()));
    }
    if document.layers.len() > MOST_LAYERS {
        return Err(InventoryError::Bounds("too many layers"));
    }
    if document.packages.len() > MOST_ITEMS || document.gaps.len() > MOST_ITEMS {
        return Err(InventoryError::Bounds("too many packages or gaps"));
    }
    let layers = document.layers.len();
    let layer = |layer: Option<usize>| layer.filter(|it| *it < layers);
    Ok(Inventory {
        probes: ProbeSet::new(&text(document.probes)?),
        distro: document.distro.map(distro).transpose()?,
        content_sets: texts(document.content_sets)?,
        packages: document
            .packages
            .into_iter()
            .map(|it| package(it, &layer))
            .collect::<Result<_, _>>()?,
        gaps: document
            .gaps
            .into_iter()
            .map(|it| {
                Ok(Gap {
                    path: lines(it.path)?,
                    probe: lines(it.probe)?,
                    why: lines(it.why)?,
                    layer: layer(it.layer),
                })
            })
            .collect::<Result<_, InventoryError>>()?,
        layers: document
            .layers
            .into_iter()
            .map(|it| {
                Ok(Layer {
                    digest: digest(it.digest)?,
                    diff_id: digest(it.diff_id)?,
                    // A build instruction may have several lines.
                    created_by: it.created_by.map(lines).transpose()?,
                })
            })
            .collect::<Result<_, InventoryError>>()?,
    })
}

fn distro(distro: DistroDocument<'_>) -> Result<Distro, InventoryError> {
    Ok(Distro {
        id: lines(distro.id)?,
        version_id: distro.version_id.map(lines).transpose()?,
        codename: distro.codename.map(lines).transpose()?,
        id_like: distro
            .id_like
            .into_iter()
            .map(lines)
            .collect::<Result<_, _>>()?,
        pretty_name: distro.pretty_name.map(lines).transpose()?,
        path: lines(distro.path)?,
    })
}

fn package(
    package: PackageDocument<'_>,
    layer: &dyn Fn(Option<usize>) -> Option<usize>,
) -> Result<Package, InventoryError> {
    if package.seen.len() > MOST_PLACES {
        return Err(InventoryError::Bounds("a package at too many places"));
    }
    if package.name.is_empty() || package.kind.is_empty() {
        return Err(InventoryError::Bounds("a package without a name"));
    }
    let kind = PackageType::from_purl_type(&text(package.kind)?);
    let scheme = match &package.scheme {
        Some(name) => {
            Scheme::from_name(name).ok_or(InventoryError::Bounds("versions of an unknown order"))?
        }
        None => kind.scheme(),
    };
    Ok(Package {
        name: text(package.name)?,
        version: Version::of(scheme, text(package.version)?),
        architecture: package.architecture.map(text).transpose()?,
        source: package
            .source
            .map(|it| {
                Ok::<_, InventoryError>(SourcePackage {
                    name: text(it.name)?,
                    version: Version::of(scheme, text(it.version)?),
                })
            })
            .transpose()?,
        vendor: package.vendor.map(text).transpose()?,
        module: package.module.map(text).transpose()?,
        claim: if package.guessed {
            Claim::Guessed
        } else {
            Claim::Recorded
        },
        seen: package
            .seen
            .into_iter()
            .map(|it| {
                Ok(Sighting {
                    path: lines(it.path)?,
                    layer: layer(it.layer),
                })
            })
            .collect::<Result<_, InventoryError>>()?,
        kind,
    })
}

/// A text of one line.
fn text(text: Cow<'_, str>) -> Result<Box<str>, InventoryError> {
    if text.chars().any(char::is_control) {
        return Err(InventoryError::Bounds("a text with control characters"));
    }
    lines(text)
}

/// Any text. Paths and build instructions are kept as found.
fn lines(text: Cow<'_, str>) -> Result<Box<str>, InventoryError> {
    if text.len() > LONGEST {
        return Err(InventoryError::Bounds("a text that is too long"));
    }
    Ok(text.into_owned().into())
}

fn texts(list: Vec<Cow<'_, str>>) -> Result<Vec<Box<str>>, InventoryError> {
    list.into_iter().map(lines).collect()
}

fn digest(digest: Option<Cow<'_, str>>) -> Result<Option<Digest>, InventoryError> {
    digest
        .map(|it| it.parse().map_err(InventoryError::Digest))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Inventory {
        let digest: Digest = format!("sha256:{}", "0a".repeat(32))
            .parse()
            .expect("a digest");
        Inventory {
            distro: Some(Distro {
                id: "debian".into(),
                version_id: Some("12".into()),
                id_like: vec!["x".into()],
                path: "etc/os-release".into(),
                ..Distro::default()
            }),
            content_sets: vec!["rhel-9".into()],
            packages: vec![Package {
                kind: PackageType::Deb,
                name: "zlib1g".into(),
                version: Version::of(Scheme::Dpkg, "1:1.3"),
                architecture: Some("amd64".into()),
                source: Some(SourcePackage {
                    name: "zlib".into(),
                    version: Version::of(Scheme::Dpkg, "1:1.3-1"),
                }),
                vendor: Some("Debian".into()),
                module: None,
                claim: Claim::Guessed,
                seen: vec![Sighting {
                    path: "var/lib/dpkg/status".into(),
                    layer: Some(0),
                }],
            }],
            gaps: vec![Gap {
                path: "x\n".into(),
                probe: "rpm".into(),
                why: "broken".into(),
                layer: None,
            }],
            layers: vec![Layer {
                digest: Some(digest),
                diff_id: None,
                created_by: Some("RUN a\nb".into()),
            }],
            probes: ProbeSet::new("dpkg/1"),
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let sample = sample();
        assert_eq!(
            decode_inventory(&encode_inventory(&sample)).ok(),
            Some(sample)
        );
    }

    #[test]
    fn hostile_documents_are_refused() {
        let mut wild = sample();
        wild.packages[0].name = "a\u{1b}[31m".into();
        let mut long = sample();
        long.packages[0].name = "a".repeat(LONGEST + 1).into();
        for bad in [&wild, &long] {
            assert!(decode_inventory(&encode_inventory(bad)).is_err());
        }
        let mut beyond = sample();
        beyond.packages[0].seen[0].layer = Some(7);
        let read = decode_inventory(&encode_inventory(&beyond)).expect("an inventory");
        assert_eq!(read.packages[0].seen[0].layer, None);
        for bad in ["", "[]", "{\"schema\":\"seaworthy.inventory/2\"}"] {
            assert!(decode_inventory(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
