//! Inventories that somebody else took: `CycloneDX` and SPDX documents.

mod cyclonedx;
mod spdx;
mod stated;

use serde::Deserialize;
use serde::de::IgnoredAny;

use seaworthy_core::{Gap, Inventory, ProbeSet, Sighting};

use crate::gather::Gathered;
use stated::Stated;

/// The largest document read, in bytes.
const MAX_BYTES: usize = 256 << 20;

/// What stands for the path of a document, which is no file of an image.
const PLACE: &str = "sbom";

/// Raised whenever the same document would be read differently.
const VERSION: u32 = 2;

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// It is longer than the limit.
    #[error("the document is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// It is in a format that is not read.
    #[error(
        "the document is {0}; what is read is CycloneDX JSON 1.0 to 1.7 and SPDX JSON 2.0 to 2.3"
    )]
    Format(Box<str>),
    /// It is not the JSON that its format asks for.
    #[error("the document is not proper {format}")]
    Json {
        /// What it claims to be.
        format: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Enough of any document to tell what it is.
#[derive(Debug, Deserialize)]
struct Mark {
    #[serde(rename = "bomFormat")]
    bom_format: Option<String>,
    #[serde(rename = "specVersion")]
    spec_version: Option<String>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<String>,
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    artifacts: Option<IgnoredAny>,
    payload: Option<IgnoredAny>,
}

/// Reads a bill of materials as an inventory without layers.
///
/// A component counts by its package URL. One that names a version or claims to
/// be a library and has no usable package URL becomes a gap: it cannot be
/// matched, and nobody should believe that it was. The distribution is the
/// operating system that the document lists, or else what the qualifiers of its
/// packages say.
pub fn read_sbom(bytes: &[u8]) -> Result<Inventory, SbomError> {
    if bytes.len() > MAX_BYTES {
        return Err(SbomError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let stated = match format_of(bytes)? {
        Format::CycloneDx => cyclonedx::read(bytes),
        Format::Spdx => spdx::read(bytes),
    }?;
    Ok(inventory(&stated))
}

enum Format {
    CycloneDx,
    Spdx,
}

fn format_of(bytes: &[u8]) -> Result<Format, SbomError> {
    let other = |what: &str| Err(SbomError::Format(what.into()));
    let text = bytes.trim_ascii_start();
    if text.is_empty() {
        return other("empty");
    }
    if text.starts_with(b"<") {
        return other("XML");
    }
    if !text.starts_with(b"{") {
        let is_tag_value = memchr::memmem::find(text, b"SPDXVersion:").is_some();
        let is_yaml = memchr::memmem::find(text, b"spdxVersion:").is_some();
        return match (is_tag_value, is_yaml) {
            (true, _) => other("SPDX in tag-value form"),
            (false, true) => other("SPDX in YAML"),
            (false, false) => other("neither JSON nor anything we know"),
        };
    }
    let mark: Mark = from_json(text, "JSON")?;
    let cut = |text: &str| text.chars().take(40).collect::<String>();
    match (mark.bom_format.as_deref(), &mark.spdx_version) {
        (Some(format), _) if format.eq_ignore_ascii_case("CycloneDX") => {
            let version = mark.spec_version.unwrap_or_default();
            match version.strip_prefix("1.").map(str::parse::<u8>) {
                Some(Ok(0..=7)) => Ok(Format::CycloneDx),
                _ => other(&format!("CycloneDX of version `{}`", cut(&version))),
            }
        }
        (Some(format), _) => other(&format!("of the format `{}`", cut(format))),
        (None, Some(version)) => match version.strip_prefix("SPDX-2.").map(str::parse::<u8>) {
            Some(Ok(0..=3)) => Ok(Format::Spdx),
            _ => other(&format!("SPDX of version `{}`", cut(version))),
        },
        (None, None) if mark.context.is_some() => other("JSON-LD, perhaps SPDX 3"),
        (None, None) if mark.artifacts.is_some() => other("in Syft's own format"),
        (None, None) if mark.payload.is_some() => other("an attestation around something else"),
        (None, None) => other("JSON without `bomFormat` or `spdxVersion`"),
    }
}

/// Reads JSON. Depth is bounded by the parser.
fn from_json<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    format: &'static str,
) -> Result<T, SbomError> {
    serde_json::from_slice(bytes).map_err(|source| SbomError::Json { format, source })
}

fn inventory(stated: &Stated) -> Inventory {
    let (distro, doubt) = stated.distro();
    let mut packages = Gathered::default();
    for package in &stated.found.packages {
        let sighting = Sighting {
            path: PLACE.into(),
            layer: None,
        };
        packages.see(package, sighting);
    }
    let reasons = stated.found.gaps.iter().map(String::as_str);
    let mut gaps: Vec<Gap> = reasons
        .chain(doubt.as_deref())
        .map(|why| Gap {
            path: PLACE.into(),
            probe: PLACE.into(),
            why: why.into(),
            layer: None,
        })
        .collect();
    gaps.sort_unstable();
    gaps.dedup();
    Inventory {
        distro,
        content_sets: Vec::new(),
        packages: packages.into_packages(),
        gaps,
        layers: Vec::new(),
        probes: ProbeSet::new(&format!("sbom/{VERSION}")),
    }
}
