//! The security database of Alpine and those who build packages the same way:
//! for every source package, which of its versions fixed what.
//!
//! A database lists fixes and nothing else, so every version before the last fix
//! counts as affected. The version `0` says that no version ever was.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Ecosystem, PackageKey, Scheme, Stance, Statement};
use serde_json::Value;

use super::element::{Place, each_element};
use super::fixes::Fixes;
use super::table::Part;
use super::{Content, Intake, VendorError};
use crate::osv::{is_cve, is_id};

macro_rules! alpine_releases {
    ($($release:literal),+ $(,)?) => {
        &[$(
            Part {
                path: concat!("alpine/secdb/", $release, "/main.json"),
                upstream: concat!("https://secdb.alpinelinux.org/", $release, "/main.json"),
            },
            Part {
                path: concat!("alpine/secdb/", $release, "/community.json"),
                upstream: concat!("https://secdb.alpinelinux.org/", $release, "/community.json"),
            },
        )+]
    };
}

/// The repositories of every release of Alpine, and of releases to come: two a
/// year, so these last until 2034.
pub(super) const ALPINE: &[Part] = alpine_releases![
    "v3.2", "v3.3", "v3.4", "v3.5", "v3.6", "v3.7", "v3.8", "v3.9", "v3.10", "v3.11", "v3.12",
    "v3.13", "v3.14", "v3.15", "v3.16", "v3.17", "v3.18", "v3.19", "v3.20", "v3.21", "v3.22",
    "v3.23", "v3.24", "v3.25", "v3.26", "v3.27", "v3.28", "v3.29", "v3.30", "v3.31", "v3.32",
    "v3.33", "v3.34", "v3.35", "v3.36", "v3.37", "v3.38", "v3.39", "v3.40", "edge",
];

/// Bytes of a package's name or of a version.
const MAX_WORD: usize = 200;

/// Reads one repository of one release of Alpine; both are in its path.
pub(crate) fn alpine(
    content: &mut dyn Content,
    path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let release = path
        .rsplit('/')
        .nth(1)
        .ok_or(VendorError::Missing { what: "a release" })?;
    read(&Ecosystem::of_release("Alpine", release), content, intake)
}

/// Reads the database of Wolfi.
pub(crate) fn wolfi(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(&Ecosystem::family_only("Wolfi"), content, intake)
}

/// Reads the database of Chainguard.
pub(crate) fn chainguard(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(&Ecosystem::family_only("Chainguard"), content, intake)
}

/// Reads the database of `MinimOS`.
pub(crate) fn minimos(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(&Ecosystem::family_only("MinimOS"), content, intake)
}

fn read(
    ecosystem: &Ecosystem,
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_element(
        content,
        intake,
        Place::Field("packages"),
        &mut |_, element, intake| match package(&element) {
            Ok((name, fixes)) => tell(ecosystem, name, fixes, intake),
            Err(why) => {
                intake.refuse(&format!("a package of {ecosystem}"), why);
                Ok(())
            }
        },
    )
}

/// The name of a package and its fixes by version.
fn package(element: &Value) -> Result<(&str, &serde_json::Map<String, Value>), String> {
    let package = element.get("pkg").ok_or("it has no `pkg`")?;
    let name = package.get("name").and_then(Value::as_str);
    let name = name
        .filter(|name| is_word(name))
        .ok_or("it has no usable name")?;
    match package.get("secfixes") {
        Some(Value::Object(fixes)) => Ok((name, fixes)),
        _ => Err(format!("`{name}` has no map of fixes")),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a package's history says of one vulnerability.
struct Said {
    fixes: Fixes,
    aliases: BTreeSet<Box<str>>,
}

/// Hands on what one package's fixes say.
fn tell(
    ecosystem: &Ecosystem,
    name: &str,
    fixes: &serde_json::Map<String, Value>,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let mut said: BTreeMap<Box<str>, Said> = BTreeMap::new();
    for (version, entries) in fixes {
        let what = || format!("{ecosystem} {name} {version}");
        if !is_word(version) {
            intake.refuse(&what(), "not a version");
            continue;
        }
        let entries = match entries {
            Value::Array(entries) => entries.as_slice(),
            // Written for a version that fixed nothing after all.
            Value::Null => &[],
            _ => {
                intake.refuse(&what(), "not a list of vulnerabilities");
                continue;
            }
        };
        for entry in entries {
            let names = names(entry.as_str().unwrap_or_default());
            if names.own.is_empty() {
                let shown = entry.to_string();
                intake.refuse(&what(), format!("{shown} names no vulnerability"));
            }
            for own in names.own {
                let said = said.entry(own).or_insert_with(|| Said {
                    fixes: Fixes::ordered_by(Scheme::Apk),
                    aliases: BTreeSet::new(),
                });
                said.aliases.extend(names.aliases.iter().cloned());
                if version != "0" {
                    said.fixes.add(version);
                }
            }
        }
    }
    for (id, said) in said {
        let stance = if said.fixes.is_empty() {
            Stance::NotAffected {
                why: format!("{} lists it as affecting no version", ecosystem.family()).into(),
            }
        } else {
            said.fixes.affected()
        };
        let advisory = intake.gathered(&id)?;
        for alias in said.aliases {
            if !advisory.aliases.contains(&alias) {
                advisory.aliases.push(alias);
            }
        }
        if advisory.references.is_empty() && ecosystem.family() == "Alpine" && is_cve(&id) {
            let page = format!("https://security.alpinelinux.org/vuln/{id}");
            advisory.references.push(page.into());
        }
        advisory.statements.push(Statement {
            about: PackageKey {
                ecosystem: ecosystem.clone(),
                name: name.into(),
            },
            stance,
        });
    }
    Ok(())
}

/// The names in one entry.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    /// The vulnerabilities that it speaks of.
    own: Vec<Box<str>>,
    /// Other names of the only one.
    aliases: Vec<Box<str>>,
}

/// Reads an entry such as `CVE-2026-45078, GHSA-8q93-326v-3m7g`. People write
/// them, so there are also remarks in parentheses, placeholders for numbers that
/// were not assigned yet, and numbers of notices that speak of several
/// vulnerabilities at once, which are no names of any of them.
fn names(entry: &str) -> Names {
    let entry = entry.split_once('(').map_or(entry, |(before, _)| before);
    let words: Vec<&str> = entry
        .split(|it: char| it.is_whitespace() || matches!(it, ',' | '/' | ';'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut cves: Vec<Box<str>> = Vec::new();
    let mut ghsas: Vec<Box<str>> = Vec::new();
    let mut others: Vec<Box<str>> = Vec::new();
    let mut after_bare_cve = false;
    for word in &words {
        let whole = if after_bare_cve {
            format!("CVE-{word}")
        } else {
            (*word).to_owned()
        };
        after_bare_cve = false;
        let upper = whole.to_ascii_uppercase();
        let (list, name): (&mut Vec<Box<str>>, Box<str>) = if let Some(cve) = cve(&upper) {
            (&mut cves, cve)
        } else if upper.starts_with("GHSA-") && upper.len() == 19 {
            let lower = upper.to_ascii_lowercase();
            (&mut ghsas, lower.replacen("ghsa", "GHSA", 1).into())
        } else if upper == "CVE" {
            after_bare_cve = true;
            continue;
        } else if upper.starts_with("CVE") || !is_id(word) {
            continue;
        } else if words.len() == 1
            || (word.bytes().any(|byte| byte.is_ascii_digit())
                && word.bytes().any(|byte| byte.is_ascii_alphabetic()))
        {
            (&mut others, (*word).into())
        } else {
            continue;
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }
    if cves.is_empty() {
        let own = if ghsas.is_empty() { others } else { ghsas };
        return Names {
            own,
            aliases: Vec::new(),
        };
    }
    let aliases = if cves.len() == 1 { ghsas } else { Vec::new() };
    Names { own: cves, aliases }
}

/// The CVE id that `upper` begins with: `CVE_2019-2426` and
/// `CVE-2017-17434-1` were meant as one.
fn cve(upper: &str) -> Option<Box<str>> {
    let rest = upper.strip_prefix("CVE-").or(upper.strip_prefix("CVE_"))?;
    let (year, rest) = rest.split_once(['-', '_'])?;
    let number = rest
        .split_once(|it: char| !it.is_ascii_alphanumeric())
        .map_or(rest, |(number, _)| number);
    let id = format!("CVE-{year}-{number}");
    (is_cve(&id) && id.len() <= 40).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{shared_lines, told, withstands_damage};
    use super::*;

    fn told_of(packages: &str) -> String {
        told(
            alpine,
            "alpine/secdb/v3.20/main.json",
            format!(r#"{{"reponame": "main", "packages": [{packages}]}}"#).as_bytes(),
        )
    }

    #[test]
    fn each_fix_ends_what_came_before_and_zero_says_never() {
        insta::assert_snapshot!(told_of(r#"{"pkg": {"name": "zlib", "secfixes": {
            "0": ["CVE-2023-6992", "CVE-2026-22184"],
            "1.2.11-r4": ["CVE-2018-25032 (twice)"],
            "1.2.12-r2": ["CVE-2022-37434", "CVE-2018-25032"],
            "1.3.2-r0": ["CVE-2026-22184"],
            "1.9.0-r0": null
        }}}"#), @r"
        CVE-2018-25032 
          links: https://security.alpinelinux.org/vuln/CVE-2018-25032
          Alpine:v3.20 zlib: [..1.2.12-r2)
        CVE-2022-37434 
          links: https://security.alpinelinux.org/vuln/CVE-2022-37434
          Alpine:v3.20 zlib: [..1.2.12-r2)
        CVE-2023-6992 
          links: https://security.alpinelinux.org/vuln/CVE-2023-6992
          Alpine:v3.20 zlib: not affected (Alpine lists it as affecting no version)
        CVE-2026-22184 
          links: https://security.alpinelinux.org/vuln/CVE-2026-22184
          Alpine:v3.20 zlib: [..1.3.2-r0)
        ");
    }

    #[test]
    fn versions_that_nobody_can_order_are_all_kept() {
        assert_eq!(
            told_of(
                r#"{"pkg": {"name": "a", "secfixes": {"1.r2": ["CVE-2020-1"], "1-r2": ["CVE-2020-1"]}}}"#
            ),
            "CVE-2020-1 \n  links: https://security.alpinelinux.org/vuln/CVE-2020-1\n  Alpine:v3.20 a: [..1-r2) [..1.r2)"
        );
    }

    #[test]
    fn names_are_found_in_what_people_write() {
        for (entry, expected) in [
            ("CVE-2020-1", "CVE-2020-1"),
            ("CVE-2016-9932 XSA-200", "CVE-2016-9932"),
            (
                "CVE-2020-11740 CVE-2020-11741 XSA-313",
                "CVE-2020-11740 CVE-2020-11741",
            ),
            ("XSA-207", "XSA-207"),
            ("CVE-????-????? XSA-312", "XSA-312"),
            ("CVE-2025-XXXXX VSV00016", "VSV00016"),
            ("CVE N/A ZBX-11023", "ZBX-11023"),
            ("CVE 2025-48379", "CVE-2025-48379"),
            ("CVE_2019-2426", "CVE-2019-2426"),
            ("cve-2019-11474", "CVE-2019-11474"),
            ("CVE-2017-17434-2", "CVE-2017-17434"),
            ("CVE-2021-35940.patch", "CVE-2021-35940"),
            ("CVE-2018-10103 (SMB - partially fixed)", "CVE-2018-10103"),
            (
                "CVE-2026-48785 / GHSA-cr2j-534f-mf3g",
                "CVE-2026-48785 = GHSA-cr2j-534f-mf3g",
            ),
            (
                "ELEMENTSEC-2026-1071, GHSA-FP53-rw9v-hcf9",
                "GHSA-fp53-rw9v-hcf9",
            ),
            ("GNUTLS-SA-2020-03-31 CVE-2020-11501", "CVE-2020-11501"),
            (
                "CVE-2017-5753 CVE-2017-5715 XSA-254 XPTI",
                "CVE-2017-5753 CVE-2017-5715",
            ),
            ("RUSTSEC-2020-0146", "RUSTSEC-2020-0146"),
            ("CGA-abcd-efgh-jkmp", "CGA-abcd-efgh-jkmp"),
            ("CVE-46838", ""),
            ("", ""),
            ("(none)", ""),
        ] {
            let names = names(entry);
            let mut said = names.own.join(" ");
            if !names.aliases.is_empty() {
                said.push_str(" = ");
                said.push_str(&names.aliases.join(" "));
            }
            assert_eq!(said, expected, "{entry}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_read() {
        insta::assert_snapshot!(told_of(r#"
            7, {"pkg": {}}, {"pkg": {"name": "a b", "secfixes": {}}}, {"pkg": {"name": "b"}},
            {"pkg": {"name": "c", "secfixes": {"1-r0": "CVE-2020-1", "": [], "2-r0": [7, "CVE-1", "CVE-2020-2"]}}}
        "#), @r#"
        CVE-2020-2 
          links: https://security.alpinelinux.org/vuln/CVE-2020-2
          Alpine:v3.20 c: [..2-r0)
        refused a package of Alpine:v3.20: it has no `pkg`
        refused a package of Alpine:v3.20: it has no usable name
        refused a package of Alpine:v3.20: it has no usable name
        refused a package of Alpine:v3.20: `b` has no map of fixes
        refused Alpine:v3.20 c : not a version
        refused Alpine:v3.20 c 1-r0: not a list of vulnerabilities
        refused Alpine:v3.20 c 2-r0: 7 names no vulnerability
        refused Alpine:v3.20 c 2-r0: "CVE-1" names no vulnerability
        "#);
        assert_eq!(
            told(alpine, "alpine/secdb/v3.20/main.json", b"{}"),
            "error: packages is missing"
        );
    }

    #[test]
    fn every_database_of_the_shared_mirror_is_read() {
        let mut said = Vec::new();
        for (feed, telling) in [
            ("alpine/secdb", &["CVE-2026-22184", "CVE-2024-34064"][..]),
            ("chainguard/secdb", &["GHSA-mh63-6h87-95cp"]),
            ("minimos/secdb", &["CVE-1999-0289"]),
            ("wolfi/secdb", &["CVE-2024-34064"]),
        ] {
            let Some(lines) = shared_lines(feed, telling) else {
                return;
            };
            said.push(lines);
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        alpine/secdb: 46 parts, 10264 records, 106215 statements, 6 refused
        CVE-2026-22184 
          links: https://security.alpinelinux.org/vuln/CVE-2026-22184
          Alpine:v3.24 zlib: [..1.3.2-r0)
          Alpine:edge zlib: [..1.3.2-r0)
        CVE-2024-34064 
          aliases: GHSA-h75v-3vvj-5mfj
          links: https://security.alpinelinux.org/vuln/CVE-2024-34064
          Alpine:v3.20 py3-jinja2: [..3.1.4-r0)
          Alpine:v3.21 py3-jinja2: [..3.1.4-r0)
          Alpine:v3.22 py3-jinja2: [..3.1.4-r0)
          Alpine:v3.23 py3-jinja2: [..3.1.4-r0)
          Alpine:v3.24 py3-jinja2: [..3.1.4-r0)
          Alpine:edge py3-jinja2: [..3.1.4-r0)
        refused Alpine:v3.20 linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        refused Alpine:v3.21 linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        refused Alpine:v3.22 linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        refused Alpine:v3.23 linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        refused Alpine:v3.24 linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        refused Alpine:edge linux-lts 6.6.13-r1: "CVE-46838" names no vulnerability
        chainguard/secdb: 1 parts, 40 records, 40 statements, 0 refused
        GHSA-mh63-6h87-95cp 
          Chainguard actions-runner-controller-fips: [..0.10.1-r7)
        minimos/secdb: 1 parts, 20 records, 20 statements, 0 refused
        CVE-1999-0289 
          MinimOS apache2: not affected (MinimOS lists it as affecting no version)
        wolfi/secdb: 1 parts, 4049 records, 31931 statements, 0 refused
        CVE-2024-34064 
          Wolfi checkov: [..3.0.34-r1)
          Wolfi confluent-docker-utils: [..0.0.77-r0)
          Wolfi dask-gateway: [..2024.1.0-r4)
          Wolfi kubeflow-jupyter-web-app: [..1.8.0-r7)
          Wolfi kubeflow-pipelines-visualization-server: [..2.4.0-r0)
          Wolfi kubeflow-volumes-web-app: [..1.8.0-r6)
          Wolfi py3-jinja2: [..3.1.4-r1)
          Wolfi reflex: [..0.5.0-r0)
        "#);
    }

    #[test]
    fn a_damaged_database_is_read_or_refused() {
        withstands_damage(
            wolfi,
            "wolfi/os/security.json",
            br#"{"packages": [{"pkg": {"name": "zlib", "secfixes": {
                "0": ["CVE-2023-6992"], "1.2.12-r2": ["CVE-2022-37434 GHSA-cr2j-534f-mf3g", "XSA-1"]}}}]}"#,
        );
    }
}
