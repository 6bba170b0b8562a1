//! What a tag of a registry offers: an edition, and deltas that lead to it.
//!
//! An *offer* is an OCI image manifest (image specification 1.1) of the artifact
//! type `application/vnd.seaworthy.edition.v1` with an empty config. Its first
//! layer is the parcel with the whole edition, each further layer a parcel with a
//! delta. Annotations say which edition a layer leads to and where it starts:
//!
//! ```text
//! dev.seaworthy.edition       digest of the edition it leads to
//! dev.seaworthy.edition.from  digest of the edition it starts from; deltas only
//! ```
//!
//! Nobody signs an offer, so nothing here is believed: it serves to choose what to
//! fetch. What counts is the seal inside each parcel.

use std::collections::BTreeMap;

use seaworthy_core::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::parcel::{MAX_DELTA, MAX_EDITION, MAX_SEAL};
use crate::seal::Sealed;

/// The media type of an offer.
pub const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The empty config, which has to be in the registry, too.
pub const NOTHING: &[u8] = b"{}";

const ARTIFACT_TYPE: &str = "application/vnd.seaworthy.edition.v1";
const CONFIG_TYPE: &str = "application/vnd.oci.empty.v1+json";
const PARCEL_TYPE: &str = "application/vnd.seaworthy.edition.parcel.v1";
const EDITION: &str = "dev.seaworthy.edition";
const FROM: &str = "dev.seaworthy.edition.from";
/// Most bytes of an offer.
const MAX_BYTES: usize = 1 << 20;
/// Most deltas of an offer.
const MAX_DELTAS: usize = 256;

/// An edition on offer, and the deltas that are said to lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The parcel with the whole edition.
    pub whole: Offered,
    /// Parcels with deltas, the last step first.
    pub deltas: Vec<Offered>,
}

/// A parcel on offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The parcel.
    pub parcel: Digest,
    /// Its length in bytes.
    pub bytes: u64,
    /// The edition it is said to lead to.
    pub edition: Digest,
    /// The edition it is said to start from, where it holds a delta.
    pub from: Option<Digest>,
}

/// Why a manifest is not an offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is no manifest of an artifact of ours.
    #[error("not an edition, but something else that registries hold")]
    NotAnOffer,
    /// A part of it makes no sense.
    #[error("{what} of the offer cannot be used")]
    Part {
        /// Which part.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    media_type: String,
    artifact_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Offer {
    /// Reads a manifest. Deltas that make no sense are passed over: they only save
    /// time.
    pub fn read(manifest: &[u8]) -> Result<Self, OfferError> {
        if manifest.len() > MAX_BYTES {
            return Err(OfferError::NotAnOffer);
        }
        let document: Document =
            serde_json::from_slice(manifest).map_err(|_| OfferError::NotAnOffer)?;
        if document.schema_version != 2 || document.media_type != MEDIA_TYPE {
            return Err(OfferError::NotAnOffer);
        }
        let mut layers = document.layers.iter();
        // A registry may drop a field it does not know. What the layers are is
        // said by each of them.
        let whole = layers
            .next()
            .filter(|layer| layer.media_type == PARCEL_TYPE)
            .ok_or(OfferError::NotAnOffer)?;
        let whole = Offered::of(whole)
            .filter(|whole| whole.from.is_none())
            .ok_or(OfferError::Part {
                what: "the whole edition",
            })?;
        let deltas = layers
            .filter_map(Offered::of)
            .filter(|delta| delta.from.is_some())
            .take(MAX_DELTAS)
            .collect();
        Ok(Self { whole, deltas })
    }

    /// The manifest. The same offer always has the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OfferError> {
        let parcels = std::iter::once(&self.whole).chain(&self.deltas);
        serde_json::to_vec(&Document {
            schema_version: 2,
            media_type: MEDIA_TYPE.to_owned(),
            artifact_type: Some(ARTIFACT_TYPE.to_owned()),
            config: Descriptor {
                media_type: CONFIG_TYPE.to_owned(),
                digest: Self::config().to_string(),
                size: NOTHING.len() as u64,
                annotations: BTreeMap::new(),
            },
            layers: parcels.map(Offered::descriptor).collect(),
        })
        .map_err(|_| OfferError::Part { what: "a part" })
    }

    /// The digest of [`NOTHING`].
    pub fn config() -> Digest {
        Digest::from_sha256(Sha256::digest(NOTHING).into())
    }

    /// The deltas that lead from `edition` to the one on offer, in the order in
    /// which they are applied; at most `most`, and together smaller than the whole.
    pub fn way_from(&self, edition: &Digest, most: usize) -> Option<Vec<&Offered>> {
        let mut way = Vec::new();
        let mut bytes = 0_u64;
        let mut at = &self.whole.edition;
        while at != edition {
            // No way uses a delta twice.
            if way.len() == most.min(self.deltas.len()) {
                return None;
            }
            let step = self.step_to(at)?;
            bytes = bytes.saturating_add(step.bytes);
            at = step.from.as_ref()?;
            way.push(step);
        }
        way.reverse();
        (!way.is_empty() && bytes < self.whole.bytes).then_some(way)
    }

    /// The steps that lead to the edition on offer, the last one first, at most
    /// `most`.
    pub fn steps(&self, most: usize) -> Vec<Offered> {
        let mut steps: Vec<Offered> = Vec::new();
        let mut at = &self.whole.edition;
        while steps.len() < most
            && let Some(step) = self.step_to(at)
            && let Some(from) = &step.from
        {
            // A circle leads nowhere.
            if from == at || steps.iter().any(|it| it.edition == *from) {
                break;
            }
            steps.push(step.clone());
            at = from;
        }
        steps
    }

    fn step_to(&self, edition: &Digest) -> Option<&Offered> {
        self.deltas.iter().find(|delta| delta.edition == *edition)
    }
}

impl Offered {
    /// How a parcel of these bytes is offered, whose seal says `sealed`.
    pub fn parcel(parcel: &[u8], sealed: &Sealed) -> Self {
        Self {
            parcel: Digest::from_sha256(Sha256::digest(parcel).into()),
            bytes: parcel.len() as u64,
            edition: sealed.edition.clone(),
            from: sealed.from.clone(),
        }
    }

    fn of(layer: &Descriptor) -> Option<Self> {
        let digest = |name| layer.annotations.get(name)?.parse().ok();
        let from = match layer.annotations.get(FROM) {
            Some(from) => Some(from.parse().ok()?),
            None => None,
        };
        let most = if from.is_some() {
            MAX_DELTA
        } else {
            MAX_EDITION
        };
        let fits = layer.size <= most.saturating_add(u64::from(MAX_SEAL) + 20);
        (layer.media_type == PARCEL_TYPE && fits).then_some(Self {
            parcel: layer.digest.parse().ok()?,
            bytes: layer.size,
            edition: digest(EDITION)?,
            from,
        })
    }

    fn descriptor(&self) -> Descriptor {
        let mut annotations = BTreeMap::from([(EDITION.to_owned(), self.edition.to_string())]);
        if let Some(from) = &self.from {
            annotations.insert(FROM.to_owned(), from.to_string());
        }
        Descriptor {
            media_type: PARCEL_TYPE.to_owned(),
            digest: self.parcel.to_string(),
            size: self.bytes,
            annotations,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::from_sha256([number; 32])
    }

    fn parcel(edition: u8, from: Option<u8>, bytes: u64) -> Offered {
        Offered {
            parcel: digest(100 + edition),
            bytes,
            edition: digest(edition),
            from: from.map(digest),
        }
    }

    fn offer() -> Offer {
        Offer {
            whole: parcel(4, None, 1_000),
            deltas: vec![
                parcel(4, Some(3), 10),
                parcel(3, Some(2), 600),
                parcel(2, Some(1), 600),
            ],
        }
    }

    #[test]
    fn an_offer_reads_back_from_its_manifest() {
        let bytes = offer().to_bytes().unwrap();
        assert_eq!(Offer::read(&bytes).unwrap(), offer());
        let text = String::from_utf8(bytes).unwrap();
        let start = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
             \"artifactType\":\"application/vnd.seaworthy.edition.v1\",\"config\":{\"mediaType\":\
             \"application/vnd.oci.empty.v1+json\",\"digest\":\
             \"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2}";
        assert!(text.starts_with(start), "{text}");
    }

    #[test]
    fn the_way_is_short_and_smaller_than_the_whole() {
        let way = |from, most| {
            let offer = offer();
            let way = offer.way_from(&digest(from), most)?;
            Some(way.iter().map(|step| step.bytes).collect::<Vec<_>>())
        };
        assert_eq!(way(3, 2), Some(vec![10]));
        assert_eq!(way(2, 2), Some(vec![600, 10]));
        assert_eq!(way(2, 1), None);
        assert_eq!(way(1, 3), None, "too much together");
        assert_eq!(way(4, 2), None, "nothing to do");
        assert_eq!(way(9, 9), None);
    }

    #[test]
    fn a_circle_of_deltas_ends() {
        let mut offer = offer();
        offer.deltas.push(parcel(1, Some(4), 1));
        assert_eq!(offer.steps(100).len(), 3);
        assert_eq!(offer.way_from(&digest(9), 100), None);
        assert_eq!(offer.steps(1), [parcel(4, Some(3), 10)]);
        offer.deltas = vec![parcel(4, Some(4), 1)];
        assert_eq!(offer.steps(100), []);
        assert_eq!(offer.way_from(&digest(9), usize::MAX), None);
    }

    #[test]
    fn what_is_no_offer_is_refused() {
        let text = String::from_utf8(offer().to_bytes().unwrap()).unwrap();
        let told = |text: &str| Offer::read(text.as_bytes()).map_err(|error| error.to_string());
        let other = "not an edition, but something else that registries hold";
        for wrong in [
            "",
            "{}",
            "[]",
            &text.replace(PARCEL_TYPE, "application/x-tar"),
        ] {
            assert_eq!(told(wrong).unwrap_err(), other, "{wrong}");
        }
        let huge = text.replacen("\"size\":1000", "\"size\":18446744073709551615", 1);
        assert_eq!(
            told(&huge).unwrap_err(),
            "the whole edition of the offer cannot be used"
        );
        // A delta without sense is passed over.
        let first = text.replacen("\"size\":10,", "\"size\":18446744073709551615,", 1);
        assert_eq!(told(&first).unwrap().deltas.len(), 2);
    }
}
