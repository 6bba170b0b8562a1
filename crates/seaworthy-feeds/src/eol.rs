//! When releases of operating systems lose support, after endoflife.date.
//!
//! The day that counts is the last on which the vendor publishes security fixes
//! for everyone: `eol` as endoflife.date has it. Paid extensions do not count
//! (Ubuntu Pro, LTSS, ELS), since the repositories of an image do not have them.
//! Debian is the exception: after `eol` the LTS team carries on in the same public
//! archive and the same advisories until `eoes`, so that day counts.

use std::collections::BTreeMap;

use seaworthy_core::Day;
use serde::Deserialize;
use serde_json::Value;

/// The last day of security support, by `ID` and `VERSION_ID` of os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupportEnds {
    /// The days.
    pub entries: BTreeMap<(Box<str>, Box<str>), Day>,
    /// The day the data is of.
    pub dated: Option<Day>,
}

/// The text is neither layout of the data.
#[derive(Debug, thiserror::Error)]
pub enum EolError {
    /// It is not JSON, or not of the right shape.
    #[error("this is not a list of product releases")]
    Json(#[source] serde_json::Error),
    /// It has neither `result` nor `products`.
    #[error("the list of product releases has neither `result` nor `products`")]
    Layout,
}

/// Products of endoflife.date and the `ID` their images say.
const DISTROS: [(&str, &str); 17] = [
    ("almalinux", "almalinux"),
    ("alpine", "alpine"),
    ("alpine-linux", "alpine"),
    ("amazon-linux", "amzn"),
    ("azure-linux", "azurelinux"),
    ("centos", "centos"),
    ("centos-stream", "centos"),
    ("debian", "debian"),
    ("devuan", "devuan"),
    ("fedora", "fedora"),
    ("opensuse", "opensuse-leap"),
    ("oracle-linux", "ol"),
    ("photon", "photon"),
    ("rhel", "rhel"),
    ("rocky-linux", "rocky"),
    ("sles", "sles"),
    ("ubuntu", "ubuntu"),
];

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    generated_at: Option<String>,
    #[serde(default)]
    result: Option<Vec<Product>>,
    #[serde(default)]
    products: Option<BTreeMap<String, FrontMatter>>,
}

/// A product as the API of endoflife.date answers.
#[derive(Deserialize)]
struct Product {
    name: String,
    #[serde(default)]
    releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    name: String,
    #[serde(default, rename = "releaseDate")]
    released: Option<String>,
    #[serde(default)]
    eol_from: Option<String>,
    #[serde(default)]
    eoes_from: Option<String>,
    #[serde(default)]
    is_eol: Option<bool>,
}

/// A product as its page at endoflife.date is written.
#[derive(Deserialize)]
struct FrontMatter {
    #[serde(default)]
    releases: Vec<Cycle>,
}

#[derive(Deserialize)]
struct Cycle {
    #[serde(rename = "releaseCycle")]
    name: Value,
    #[serde(default, rename = "releaseDate")]
    released: Value,
    #[serde(default)]
    eol: Value,
    #[serde(default)]
    eoes: Value,
}

/// Parses the answer of endoflife.date's API for all products, or the front
/// matter of its pages. Products that are no operating system of ours are left
/// out, and so is a release without an end.
pub fn parse_eol(bytes: &[u8]) -> Result<SupportEnds, EolError> {
    let document: Document = serde_json::from_slice(bytes).map_err(EolError::Json)?;
    if document.result.is_none() && document.products.is_none() {
        return Err(EolError::Layout);
    }
    let mut found = SupportEnds {
        dated: [document.date, document.generated_at]
            .into_iter()
            .flatten()
            .find_map(|text| text.parse().ok()),
        ..SupportEnds::default()
    };
    let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Day>().ok());
    for product in document.result.into_iter().flatten() {
        for release in &product.releases {
            let ends = Ends {
                eol: day(&release.eol_from),
                eoes: day(&release.eoes_from),
                over: release.is_eol == Some(true),
                released: day(&release.released),
            };
            found.note(&product.name, &release.name, &ends);
        }
    }
    let value_day = |value: &Value| value.as_str().and_then(|text| text.parse::<Day>().ok());
    for (name, product) in document.products.into_iter().flatten() {
        for cycle in &product.releases {
            let version = match &cycle.name {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            let ends = Ends {
                eol: value_day(&cycle.eol),
                eoes: value_day(&cycle.eoes),
                over: cycle.eol == Value::Bool(true),
                released: value_day(&cycle.released),
            };
            found.note(&name, &version, &ends);
        }
    }
    Ok(found)
}

/// What a source says of one release's end.
struct Ends {
    eol: Option<Day>,
    eoes: Option<Day>,
    /// It is over, though no day may be known.
    over: bool,
    released: Option<Day>,
}

impl SupportEnds {
    fn note(&mut self, product: &str, version: &str, ends: &Ends) {
        let Some((_, id)) = DISTROS.iter().find(|(name, _)| *name == product) else {
            return;
        };
        let day = match (ends.eol, ends.eoes) {
            (Some(eol), Some(eoes)) if *id == "debian" => eol.max(eoes),
            (Some(eol), _) => eol,
            // Over, but nobody wrote down since when: the day of its release
            // is certainly not later.
            (None, _) if ends.over => match ends.released {
                Some(released) => released,
                None => return,
            },
            (None, _) => return,
        };
        // CentOS and CentOS Stream call themselves the same: the later counts.
        let entry = self
            .entries
            .entry(((*id).into(), version.into()))
            .or_insert(day);
        *entry = day.max(*entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        match parse_eol(text.as_bytes()) {
            Err(error) => vec![error.to_string()],
            Ok(found) => found
                .entries
                .iter()
                .map(|((id, version), day)| format!("{id} {version} {day}"))
                .collect(),
        }
    }

    #[test]
    fn debian_lives_as_long_as_its_lts_and_others_until_free_support_ends() {
        assert_eq!(
            read(
                r#"{"date": "2026-08-22T08:52:34Z", "products": {
                "debian": {"releases": [{"releaseCycle": "12", "eol": "2026-07-11", "eoes": "2028-06-30"}]},
                "ubuntu": {"releases": [{"releaseCycle": "24.04", "eol": "2029-05-31", "eoes": "2036-05-31"}]},
                "rocky-linux": {"releases": [{"releaseCycle": 9, "eol": "2032-05-31"}]},
                "oracle-linux": {"releases": [{"releaseCycle": "10", "eol": false}]},
                "centos": {"releases": [{"releaseCycle": "8", "eol": "2021-12-31"}]},
                "centos-stream": {"releases": [{"releaseCycle": "8", "eol": "2024-05-31"}]},
                "fedora": {"releases": [{"releaseCycle": "1", "eol": true, "releaseDate": "2003-11-06"}]},
                "redis": {"releases": [{"releaseCycle": "7", "eol": "2030-01-01"}]}
            }}"#
            ),
            [
                "centos 8 2024-05-31",
                "debian 12 2028-06-30",
                "fedora 1 2003-11-06",
                "rocky 9 2032-05-31",
                "ubuntu 24.04 2029-05-31",
            ]
        );
    }

    #[test]
    fn the_answer_of_the_api_is_read_as_well() {
        assert_eq!(
            read(
                r#"{"schema_version": "1.2.0", "result": [{"name": "ubuntu", "releases": [
                {"name": "25.04", "isEol": false, "eolFrom": "2026-01-17", "eoesFrom": null}]}]}"#
            ),
            ["ubuntu 25.04 2026-01-17"]
        );
        assert_eq!(
            read("{}"),
            ["the list of product releases has neither `result` nor `products`"]
        );
        assert_eq!(read("7"), ["this is not a list of product releases"]);
    }
}
