//! Vulnerabilities of Node.js itself, as its security working group lists them.
//!
//! Nobody's package manager installs this interpreter in most images, so the list
//! speaks of the software `node` in an ecosystem of its own.

use seaworthy_core::{Ecosystem, Fix, PackageKey, Scheme, Stance, Statement};
use serde::Deserialize;

use super::element::{Place, each_element};
use super::requirement::Versions;
use super::{Content, Intake, VendorError};
use crate::osv::{is_cve, links, of_word, one_line};

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    cve: Vec<String>,
    vulnerable: String,
    #[serde(default)]
    patched: Option<String>,
    #[serde(default, rename = "ref")]
    page: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    overview: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    publish_date: Option<String>,
    #[serde(default, rename = "affectedEnvironments")]
    environments: Vec<String>,
}

/// Reads `vuln/core/index.json`.
pub(crate) fn read(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_element(
        content,
        intake,
        Place::Map,
        &mut |number, element, intake| {
            let told = serde_json::from_value(element)
                .map_err(|error| error.to_string())
                .and_then(|record| tell(number, &record, intake));
            if let Err(why) = told {
                intake.refuse(number, why);
            }
            Ok(())
        },
    )
}

fn tell(number: &str, record: &Record, intake: &mut Intake<'_>) -> Result<(), String> {
    if number.is_empty() || number.len() > 20 || !number.bytes().all(|it| it.is_ascii_digit()) {
        return Err("not a number of a record".to_owned());
    }
    let mut advisory = intake.advisory(&format!("NODE-CORE-{number}"));
    let mut names: Vec<Box<str>> = Vec::new();
    for name in record.cve.iter().map(|it| it.trim()) {
        if is_cve(name) && !names.iter().any(|it| **it == *name) && names.len() < 1_000 {
            names.push(name.into());
        }
    }
    if names.len() == 1 {
        advisory.aliases = names;
    } else {
        advisory.bundles = names;
    }
    let line = record.description.as_deref().filter(|it| !it.is_empty());
    let overview = record.overview.as_deref().unwrap_or_default();
    let first = overview.split("\n\n").next().unwrap_or_default();
    advisory.summary = one_line(line.unwrap_or(first));
    advisory.references = links(record.page.iter().map(|page| (true, page.as_str())));
    advisory.published = record
        .publish_date
        .as_deref()
        .and_then(|day| day.parse().ok());
    let severity = record.severity.as_deref().unwrap_or_default();
    advisory.ratings.extend(of_word("Node.js", severity));

    // An image runs Linux, whatever it was built on.
    let runs = |it: &String| matches!(it.as_str(), "all" | "linux");
    let elsewhere = !record.environments.is_empty() && !record.environments.iter().any(runs);
    let stance = if elsewhere {
        let systems: String = record.environments.join(", ").chars().take(80).collect();
        Stance::NotAffected {
            why: format!("it concerns Node.js on {systems} only").into(),
        }
    } else {
        let patched = match record.patched.as_deref().map(str::trim) {
            None | Some("") => Versions::none(Scheme::Semver),
            Some(range) => Versions::of_npm_range(range).map_err(|it| it.to_string())?,
        };
        let intervals = Versions::of_npm_range(&record.vulnerable)
            .and_then(|vulnerable| vulnerable.intersection(&patched.complement()?))
            .and_then(|affected| affected.intervals())
            .map_err(|it| it.to_string())?;
        if intervals.is_empty() {
            return Err("every vulnerable version is patched".to_owned());
        }
        Stance::Affected {
            intervals,
            versions: Vec::new(),
            fix: Fix::AsRanges,
        }
    };
    advisory.statements.push(Statement {
        about: PackageKey {
            ecosystem: Ecosystem::family_only("Node.js"),
            name: "node".into(),
        },
        stance,
    });
    intake.take(advisory);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{shared_lines, told, withstands_damage};
    use super::*;

    #[test]
    fn what_is_vulnerable_and_not_patched_is_affected() {
        let text = r#"{
            "1": {"cve": ["CVE-2017-1", "CVE-2017-1"], "vulnerable": "8.x || 4.x", "patched": "^8.1.4", "description": "a", "severity": "high", "ref": "https://a/"},
            "2": {"cve": [], "vulnerable": "<= 10", "overview": "first\nlines\n\nmore", "severity": "unknown"},
            "3": {"cve": ["CVE-2017-1", "CVE-2017-2"], "vulnerable": "8.x", "affectedEnvironments": ["win32"]},
            "4": {"vulnerable": "8.x", "patched": "8.x"},
            "5": {"vulnerable": "whatever"}, "6": {}, "x": {"vulnerable": "8.x"}
        }"#;
        insta::assert_snapshot!(told(read, "nodejs/index.json", text.as_bytes()), @r"
        NODE-CORE-1 a
          aliases: CVE-2017-1
          links: https://a/
          Node.js: high high
          Node.js node: [4.0.0..5.0.0) [8.0.0..8.1.4)
        NODE-CORE-2 first lines
          Node.js node: [..11.0.0)
        NODE-CORE-3 
          bundles: CVE-2017-1 CVE-2017-2
          Node.js node: not affected (it concerns Node.js on win32 only)
        refused 4: every vulnerable version is patched
        refused 5: `whatever` is not a requirement
        refused 6: missing field `vulnerable`
        refused x: not a number of a record
        ");
    }

    #[test]
    fn the_shared_list_is_read() {
        let telling = ["NODE-CORE-1", "NODE-CORE-2", "NODE-CORE-171"];
        let Some(said) = shared_lines("nodejs/core", &telling) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        nodejs/core: 1 parts, 171 records, 171 statements, 0 refused
        NODE-CORE-1 memory overread when parsing invalid NAPTR responses
          aliases: CVE-2017-1000381
          links: https://nodejs.org/en/blog/vulnerability/july-2017-security-releases/
          Node.js: high high
          Node.js node: [4.0.0..4.8.4) [5.0.0..6.11.1) [7.0.0..7.10.1) [8.0.0..8.1.4)
        NODE-CORE-2 DoS possible in V8 object lookup
          Node.js node: [4.0.0..4.8.4) [5.0.0..6.11.1) [7.0.0..7.10.1) [8.0.0..8.1.4)
        NODE-CORE-171 HashDoS in V8
          aliases: CVE-2026-21717
          links: https://nodejs.org/en/blog/vulnerability/march-2026-security-releases
          Node.js: medium medium
          Node.js node: [20.0.0..20.20.2) [22.0.0..22.22.2) [24.0.0..24.14.1) [25.0.0..25.8.2)
        ");
    }

    #[test]
    fn a_damaged_list_is_read_or_refused() {
        let sample =
            br#"{"1": {"cve": ["CVE-2017-1"], "vulnerable": "8.x || 4.x", "patched": "^8.1.4"}}"#;
        withstands_damage(read, "nodejs/index.json", sample);
    }
}
