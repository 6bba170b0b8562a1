//! The catalogue of known exploited vulnerabilities that CISA publishes.

use std::collections::BTreeMap;

use seaworthy_core::{Day, Kev};
use serde::Deserialize;

use crate::Refusal;
use crate::fed::Refusals;

/// A parsed catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Entries by CVE id.
    pub entries: BTreeMap<Box<str>, Kev>,
    /// The day of its release.
    pub released: Option<Day>,
    /// How many entries were refused.
    pub refused: u64,
    /// The first of the refused entries.
    pub refusals: Vec<Refusal>,
}

/// The text is not a catalogue.
#[derive(Debug, thiserror::Error)]
#[error("this is not a catalogue of known exploited vulnerabilities")]
pub struct KevError(#[source] serde_json::Error);

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "dateReleased", default)]
    released: Option<String>,
    vulnerabilities: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "cveID")]
    id: String,
    #[serde(rename = "dateAdded")]
    added: String,
    #[serde(rename = "dueDate", default)]
    due: Option<String>,
    #[serde(rename = "knownRansomwareCampaignUse", default)]
    ransomware: Option<String>,
}

/// Parses the catalogue's JSON. An entry that makes no sense is refused and
/// counted.
pub fn parse_kev(bytes: &[u8]) -> Result<Catalogue, KevError> {
    let document: Document = serde_json::from_slice(bytes).map_err(KevError)?;
    let mut refusals = Refusals::default();
    let mut entries = BTreeMap::new();
    for value in document.vulnerabilities {
        let name = value
            .get("cveID")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("an entry without an id")
            .to_owned();
        let entry: Entry = match serde_json::from_value(value) {
            Ok(entry) => entry,
            Err(error) => {
                refusals.push(&name, error);
                continue;
            }
        };
        let added = match entry.added.parse::<Day>() {
            Ok(added) => added,
            Err(error) => {
                refusals.push(&name, error);
                continue;
            }
        };
        entries.insert(
            entry.id.trim().into(),
            Kev {
                added,
                due: entry.due.and_then(|day| day.parse().ok()),
                ransomware: entry
                    .ransomware
                    .is_some_and(|word| word.eq_ignore_ascii_case("known")),
            },
        );
    }
    Ok(Catalogue {
        entries,
        released: document.released.and_then(|day| day.parse().ok()),
        refused: refusals.count,
        refusals: refusals.kept,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn an_entry_has_its_days_and_its_ransomware_flag() {
        let catalogue = parse_kev(
            br#"{"dateReleased": "2025-08-25T17:04:19.9796Z", "vulnerabilities": [
            {"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10", "dueDate": "2021-12-24",
             "knownRansomwareCampaignUse": "Known"},
            {"cveID": "CVE-2025-48384", "dateAdded": "2025-08-25", "knownRansomwareCampaignUse": "Unknown"},
            {"cveID": "CVE-1", "dateAdded": "soon"},
            7
        ]}"#,
        )
        .unwrap();
        insta::assert_debug_snapshot!(catalogue.entries, @r#"
        {
            "CVE-2021-44228": Kev {
                added: Day(
                    18971,
                ),
                due: Some(
                    Day(
                        18985,
                    ),
                ),
                ransomware: true,
            },
            "CVE-2025-48384": Kev {
                added: Day(
                    20325,
                ),
                due: None,
                ransomware: false,
            },
        }
        "#);
        assert_eq!(catalogue.refused, 2);
        assert_eq!(catalogue.released, "2025-08-25".parse().ok());
        assert!(parse_kev(b"{}").is_err());
    }
}
