//! Versions that real packages and advisories carry, read from the shared feeds.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use seaworthy_version::Scheme;
use serde_json::Value;
use zip::ZipArchive;

/// How many versions are enough for one scheme.
const ENOUGH: usize = 200_000;

/// The ecosystems whose versions are written under `scheme`.
fn ecosystems(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Dpkg => &["Debian", "Ubuntu", "Echo"],
        Scheme::Rpm => &[
            "AlmaLinux",
            "Rocky Linux",
            "Red Hat",
            "SUSE",
            "openEuler",
            "Mageia",
        ],
        Scheme::Apk => &["Alpine", "Wolfi", "Chainguard", "Alpaquita", "MinimOS"],
        Scheme::Semver => &["npm", "crates.io"],
        Scheme::Pep440 => &["PyPI"],
        Scheme::Maven => &["Maven"],
        Scheme::Go => &["Go"],
        Scheme::Gem => &["RubyGems"],
        Scheme::Composer => &["Packagist"],
        Scheme::NuGet => &["NuGet"],
        // Hex has few records, and crates are written under the same rules.
        Scheme::Hex => &["Hex", "crates.io"],
        Scheme::Pub => &["Pub"],
        // No export names Arch; its versions look like these.
        Scheme::Alpm => &["Alpine", "AlmaLinux", "Debian"],
        Scheme::Bitnami => &["Bitnami"],
        Scheme::Cargo => &["crates.io"],
        Scheme::Cran => &["CRAN"],
        Scheme::Hackage => &["Hackage", "GHC"],
        Scheme::Verbatim => &[],
    }
}

/// The versions named by the OSV records of `scheme`'s ecosystems, in the order
/// they are met, so that neighbours are often of one package.
pub(crate) fn versions(shared: &Path, scheme: Scheme) -> Vec<String> {
    let mut found = Vec::new();
    for ecosystem in ecosystems(scheme) {
        let path = shared.join("feeds/osv").join(ecosystem).join("all.zip");
        let Ok(file) = File::open(&path) else {
            continue;
        };
        let mut archive = ZipArchive::new(BufReader::new(file)).unwrap();
        for index in 0..archive.len() {
            if found.len() >= ENOUGH {
                return found;
            }
            let mut text = Vec::new();
            archive
                .by_index(index)
                .unwrap()
                .read_to_end(&mut text)
                .unwrap();
            collect(&serde_json::from_slice(&text).unwrap(), &mut found);
        }
    }
    assert!(!found.is_empty(), "the feeds name no {scheme} version");
    found
}

fn collect(record: &Value, found: &mut Vec<String>) {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    for affected in list(record, "affected") {
        let listed = list(&affected, "versions");
        let events = list(&affected, "ranges")
            .into_iter()
            .filter(|range| range["type"] != "GIT")
            .flat_map(|range| list(&range, "events"))
            .collect::<Vec<_>>();
        let bounds = events
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|event| event.values());
        let texts = listed.iter().chain(bounds).filter_map(Value::as_str);
        // The tools are fed by lines and tabs.
        let texts = texts.filter(|text| !text.contains(char::is_control));
        found.extend(texts.map(str::to_owned));
    }
}
