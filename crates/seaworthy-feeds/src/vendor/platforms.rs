//! Which platforms Red Hat's repositories belong to.
//!
//! An image built by Red Hat lists the repositories its packages came from, not
//! the platforms that advisories speak of. This map leads from one to the other.

use std::collections::BTreeMap;

use seaworthy_core::Ecosystem;
use serde::Deserialize;

use crate::red_hat::red_hat_ecosystem;

/// Repositories and platforms in one map; today's has some 9,000 repositories.
const MAX_PLATFORMS: usize = 1_000_000;

/// Why a text is not the map of repositories.
#[derive(Debug, thiserror::Error)]
pub enum RepositoriesError {
    /// It is not JSON of the map's shape.
    #[error("not the map of repositories to platforms")]
    Json(#[source] serde_json::Error),
    /// It has more platforms than anyone has a use for.
    #[error("more than {limit} platforms")]
    TooMany {
        /// The ceiling.
        limit: usize,
    },
}

/// Red Hat's map of repositories to the platforms they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repositories {
    platforms: BTreeMap<Box<str>, Vec<Box<str>>>,
}

#[derive(Deserialize)]
struct Document {
    data: BTreeMap<Box<str>, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    cpes: Vec<Box<str>>,
}

impl Repositories {
    /// The platforms (Common Platform Enumeration 2.2) of the repository called
    /// `name`, such as `rhel-9-for-x86_64-baseos-rpms`.
    pub fn platforms_of(&self, name: &str) -> &[Box<str>] {
        self.platforms.get(name).map_or(&[], Vec::as_slice)
    }

    /// The ecosystems that packages of these repositories live in, sorted, each
    /// once. Names that the map does not have are passed over.
    pub fn ecosystems_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<Ecosystem> {
        let mut found: Vec<Ecosystem> = names
            .into_iter()
            .flat_map(|name| self.platforms_of(name))
            .filter_map(|cpe| red_hat_ecosystem(cpe))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// How many repositories the map has.
    pub fn len(&self) -> usize {
        self.platforms.len()
    }

    /// Whether the map has none.
    pub fn is_empty(&self) -> bool {
        self.platforms.is_empty()
    }
}

/// Parses `repository-to-cpe.json`.
pub fn parse_repositories(bytes: &[u8]) -> Result<Repositories, RepositoriesError> {
    let document: Document = serde_json::from_slice(bytes).map_err(RepositoriesError::Json)?;
    let count: usize = document.data.values().map(|entry| entry.cpes.len()).sum();
    if count > MAX_PLATFORMS {
        return Err(RepositoriesError::TooMany {
            limit: MAX_PLATFORMS,
        });
    }
    Ok(Repositories {
        platforms: document
            .data
            .into_iter()
            .map(|(name, entry)| (name, entry.cpes))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn a_repository_leads_to_its_ecosystems() {
        let text = r#"{"data": {
            "rhel-8-baseos-rpms": {"cpes": ["cpe:/o:redhat:enterprise_linux:8::baseos", "cpe:/o:redhat:rhel_eus:8.6::baseos"], "repo_relative_urls": ["x"]},
            "rhel-8-appstream-rpms": {"cpes": ["cpe:/a:redhat:enterprise_linux:8::appstream"]}, "empty": {}}}"#;
        let map = parse_repositories(text.as_bytes()).unwrap();
        let said: Vec<String> = map
            .ecosystems_of([
                "rhel-8-baseos-rpms",
                "rhel-8-appstream-rpms",
                "unknown",
                "empty",
            ])
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(said, ["Red Hat:8", "Red Hat:eus:8.6"]);
        assert_eq!(map.len(), 3);
        for text in ["", "[]", "{}", r#"{"data": 7}"#] {
            let error = parse_repositories(text.as_bytes()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "not the map of repositories to platforms"
            );
        }
    }

    #[test]
    fn red_hats_map_is_read_whole() {
        let Some(root) = seaworthy_testkit::shared() else {
            return;
        };
        let path = "feeds/vendor/redhat/data/meta/v1/repository-to-cpe.json";
        let map = parse_repositories(&std::fs::read(root.join(path)).unwrap()).unwrap();
        assert_eq!(map.len(), 8_564);
        let said: Vec<String> = map
            .ecosystems_of([
                "rhel-9-for-x86_64-baseos-rpms",
                "rhel-8-for-x86_64-appstream-eus-rpms",
            ])
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(said.join(", "), @"Red Hat:9, Red Hat:eus:8.1, Red Hat:eus:8.2, Red Hat:eus:8.4, Red Hat:eus:8.6, Red Hat:eus:8.8");
    }
}
