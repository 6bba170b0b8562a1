//! Arch Linux' list of vulnerable groups of packages.
//!
//! Arch has no releases: a group says which version was found affected and which
//! has the fix. Whatever is older than the fix counts as affected, because nobody
//! looks into older versions.

use seaworthy_core::{
    AffectedInterval, Ecosystem, Fix, PackageKey, Scheme, Stance, Statement, Upper,
};
use serde::Deserialize;

use super::element::{Place, each_element};
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, of_word, one_line};

/// Packages and vulnerabilities of one group.
const MAX_NAMES: usize = 5_000;
/// Bytes of a package's name or of a version.
const MAX_WORD: usize = 200;

#[derive(Deserialize)]
struct Group {
    name: String,
    packages: Vec<String>,
    status: String,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    issues: Vec<String>,
    #[serde(default)]
    advisories: Vec<String>,
}

/// Reads `all.json`.
pub(crate) fn read(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_element(content, intake, Place::List, &mut |_, element, intake| {
        let group: Group = match serde_json::from_value(element) {
            Ok(group) => group,
            Err(error) => {
                intake.refuse("a group", error);
                return Ok(());
            }
        };
        if let Err(why) = tell(&group, intake) {
            intake.refuse(&group.name, why);
        }
        Ok(())
    })
}

fn tell(group: &Group, intake: &mut Intake<'_>) -> Result<(), String> {
    if !is_id(&group.name) {
        return Err("not an id".to_owned());
    }
    if group.packages.len() > MAX_NAMES || group.issues.len() > MAX_NAMES {
        return Err("more names than anyone has a use for".to_owned());
    }
    let stance = stance(group)?;
    let mut advisory = intake.advisory(&group.name);
    let names = group.issues.iter().filter(|name| is_id(name));
    advisory.bundles = names.map(|name| name.as_str().into()).collect();
    let kind = group.kind.as_deref().unwrap_or("unknown");
    advisory.summary = one_line(&format!("{}: {kind}", group.packages.join(", ")));
    let pages = std::iter::once(&group.name).chain(&group.advisories);
    advisory.references = pages
        .filter(|name| is_id(name) && !name.contains('/'))
        .take(16)
        .map(|name| format!("https://security.archlinux.org/{name}").into())
        .collect();
    let severity = group.severity.as_deref().unwrap_or_default();
    advisory.ratings.extend(of_word("Arch Linux", severity));
    for package in &group.packages {
        if !is_word(package) {
            intake.refuse(&group.name, "a package without a usable name");
            continue;
        }
        advisory.statements.push(Statement {
            about: PackageKey {
                ecosystem: Ecosystem::family_only("Arch Linux"),
                name: package.as_str().into(),
            },
            stance: stance.clone(),
        });
    }
    intake.take(advisory);
    Ok(())
}

fn stance(group: &Group) -> Result<Stance, String> {
    let affected = |upper| Stance::Affected {
        intervals: vec![AffectedInterval { from: None, upper }],
        versions: Vec::new(),
        fix: Fix::AsRanges,
    };
    match (group.status.as_str(), group.fixed.as_deref()) {
        ("Not affected", _) => Ok(Stance::NotAffected {
            why: "Arch Linux lists it as not affected".into(),
        }),
        ("Unknown", _) => Ok(Stance::UnderReview),
        // What is in testing is a fix that not everybody gets yet.
        ("Fixed" | "Testing" | "Vulnerable", Some(version)) => {
            if !is_word(version) || Scheme::Alpm.check(version).is_err() {
                return Err("`fixed` is not a version".to_owned());
            }
            Ok(affected(Upper::Fixed(version.into())))
        }
        ("Vulnerable", None) => Ok(affected(Upper::Open)),
        ("Fixed" | "Testing", None) => Err("fixed in no version".to_owned()),
        (other, _) => {
            let other: String = other.chars().take(40).collect();
            Err(format!("the status `{other}` is unknown"))
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{shared_lines, told, withstands_damage};
    use super::*;

    fn group(status: &str, fixed: &str) -> String {
        format!(
            r#"{{"name": "AVG-1", "packages": ["curl"], "status": "{status}", "severity": "High",
            "type": "denial of service", "affected": "1-1", "fixed": {fixed}, "issues": ["CVE-2020-1"]}}"#
        )
    }

    #[test]
    fn each_status_is_a_stance() {
        let read = |status, fixed| {
            let text = format!("[{}]", group(status, fixed));
            let told = told(read, "arch/all.json", text.as_bytes());
            told.lines().last().unwrap_or_default().to_owned()
        };
        for (status, fixed, expected) in [
            ("Fixed", "\"1:2-1\"", "  Arch Linux curl: [..1:2-1)"),
            ("Testing", "\"2-1\"", "  Arch Linux curl: [..2-1)"),
            ("Vulnerable", "null", "  Arch Linux curl: [..)"),
            ("Unknown", "\"2-1\"", "  Arch Linux curl: under review"),
            (
                "Not affected",
                "null",
                "  Arch Linux curl: not affected (Arch Linux lists it as not affected)",
            ),
            ("Fixed", "null", "refused AVG-1: fixed in no version"),
            ("Fixed", "\"\"", "refused AVG-1: `fixed` is not a version"),
            ("Odd", "null", "refused AVG-1: the status `Odd` is unknown"),
        ] {
            assert_eq!(read(status, fixed), expected);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_read() {
        let text = format!(
            r#"[7, {{"name": "a b", "packages": [], "status": "Unknown"}}, {}]"#,
            group("Vulnerable", "null").replace("\"curl\"", "\"curl\", \"x y\"")
        );
        insta::assert_snapshot!(told(read, "arch/all.json", text.as_bytes()), @r"
        AVG-1 curl, x y: denial of service
          bundles: CVE-2020-1
          links: https://security.archlinux.org/AVG-1
          Arch Linux: High high
          Arch Linux curl: [..)
        refused a group: invalid type: integer `7`, expected struct Group
        refused a b: not an id
        refused AVG-1: a package without a usable name
        ");
    }

    #[test]
    fn the_shared_list_is_read() {
        let telling = ["AVG-1", "AVG-1157", "AVG-2780", "AVG-708"];
        let Some(said) = shared_lines("arch/avg", &telling) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        arch/avg: 1 parts, 9 records, 12 statements, 0 refused
        AVG-1 lib32-gdk-pixbuf2: arbitrary code execution
          bundles: CVE-2016-6352
          links: https://security.archlinux.org/AVG-1 https://security.archlinux.org/ASA-201611-12
          Arch Linux: Critical critical
          Arch Linux lib32-gdk-pixbuf2: [..2.36.0+2+ga7c869a-1)
        AVG-1157 openconnect: arbitrary code execution
          bundles: CVE-2020-12823
          links: https://security.archlinux.org/AVG-1157
          Arch Linux: High high
          Arch Linux openconnect: [..)
        AVG-2780 wpewebkit: unknown
          bundles: CVE-2022-26710 CVE-2022-22677 CVE-2022-22662
          links: https://security.archlinux.org/AVG-2780
          Arch Linux wpewebkit: under review
        AVG-708 wireshark-common, wireshark-gtk, wireshark-cli, wireshark-qt: multiple issues
          bundles: CVE-2018-11362 CVE-2018-11361
          links: https://security.archlinux.org/AVG-708 https://security.archlinux.org/ASA-201805-22 https://security.archlinux.org/ASA-201805-23
          Arch Linux: Critical critical
          Arch Linux wireshark-common: [..2.6.1-1)
          Arch Linux wireshark-gtk: [..2.6.1-1)
          Arch Linux wireshark-cli: [..2.6.1-1)
          Arch Linux wireshark-qt: [..2.6.1-1)
        ");
    }

    #[test]
    fn a_damaged_list_is_read_or_refused() {
        let text = format!("[{}]", group("Fixed", "\"1:2-1\""));
        withstands_damage(read, "arch/all.json", text.as_bytes());
    }
}
