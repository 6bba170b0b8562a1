//! The National Vulnerability Database: what others scored, and which versions of
//! software are affected that no package manager installed.
//!
//! Software is named `vendor:product` in the ecosystem `cpe`, as in the platform
//! names of the database. Its versions have no order of their own: they are
//! compared as rpm compares, with what comes before a release (`rc1`) behind a
//! tilde.

mod products;

use std::collections::BTreeMap;

use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Rating, Scheme, Stance, Statement,
    Upper,
};
use serde::Deserialize;
use serde_json::Value;

use super::element::{Place, each_element};
use super::table::Part;
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, links, of_vector, one_line};

/// Platform names in one record; the longest known has some ten thousand.
const MAX_PLATFORMS: usize = 40_000;
/// Links kept beside the record's own page, which has all.
const MAX_LINKS: usize = 4;

macro_rules! years {
    ($($year:literal),+ $(,)?) => {
        &[$(Part {
            path: concat!("nvd/feeds/json/cve/2.0/nvdcve-2.0-", $year, ".json.gz"),
            upstream: concat!("https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-", $year, ".json.gz"),
        }),+]
    };
}

/// A file for each year, and for years to come.
pub(crate) const PARTS: &[Part] = years![
    "1999", "2000", "2001", "2002", "2003", "2004", "2005", "2006", "2007", "2008", "2009", "2010",
    "2011", "2012", "2013", "2014", "2015", "2016", "2017", "2018", "2019", "2020", "2021", "2022",
    "2023", "2024", "2025", "2026", "2027", "2028", "2029", "2030", "2031", "2032", "2033", "2034",
    "2035",
];

#[derive(Deserialize)]
struct Entry {
    cve: Record,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: String,
    #[serde(default)]
    vuln_status: String,
    #[serde(default)]
    published: String,
    #[serde(default)]
    last_modified: String,
    #[serde(default)]
    descriptions: Vec<Description>,
    /// Lists of metrics by kind. Not all kinds are CVSS.
    #[serde(default)]
    metrics: BTreeMap<String, Value>,
    #[serde(default)]
    configurations: Vec<Configuration>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Description {
    lang: String,
    value: String,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

#[derive(Deserialize)]
struct Configuration {
    #[serde(default)]
    operator: Option<String>,
    #[serde(default)]
    negate: Option<bool>,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    negate: Option<bool>,
    #[serde(rename = "cpeMatch", default)]
    platforms: Vec<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Platform {
    vulnerable: bool,
    criteria: String,
    #[serde(default)]
    version_start_including: Option<String>,
    #[serde(default)]
    version_start_excluding: Option<String>,
    #[serde(default)]
    version_end_including: Option<String>,
    #[serde(default)]
    version_end_excluding: Option<String>,
}

/// Reads the file of one year.
pub(crate) fn read(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let place = Place::Field("vulnerabilities");
    each_element(content, intake, place, &mut |_, value, intake| {
        let id = value.pointer("/cve/id").and_then(Value::as_str);
        let id: Box<str> = id.unwrap_or("an entry without an id").into();
        match serde_json::from_value::<Entry>(value) {
            Ok(entry) => match advisory(&entry.cve, intake) {
                Ok(Some(advisory)) => intake.take(advisory),
                Ok(None) => {}
                Err(why) => intake.refuse(&id, why),
            },
            Err(error) => intake.refuse(&id, error),
        }
        Ok(())
    })
}

/// What a record says; nothing where it was rejected.
fn advisory(record: &Record, intake: &Intake<'_>) -> Result<Option<Advisory>, String> {
    if !is_id(&record.id) {
        return Err("not an id".to_owned());
    }
    if record.vuln_status == "Rejected" {
        return Ok(None);
    }
    let platforms: usize = record
        .configurations
        .iter()
        .flat_map(|configuration| &configuration.nodes)
        .map(|node| node.platforms.len())
        .sum();
    if platforms > MAX_PLATFORMS {
        return Err(format!("more than {MAX_PLATFORMS} platform names"));
    }
    let mut advisory = intake.advisory(&record.id);
    advisory.published = record.published.parse().ok();
    advisory.modified = record.last_modified.parse().ok();
    advisory.ratings = ratings(&record.metrics);
    advisory.statements = statements(&record.configurations);
    // Whoever speaks of a package has a text and links of its own.
    if !advisory.statements.is_empty() {
        let english = record.descriptions.iter().find(|it| it.lang == "en");
        advisory.summary = english.map(|it| one_line(&it.value)).unwrap_or_default();
        let page = format!("https://nvd.nist.gov/vuln/detail/{}", record.id);
        let urls = record.references.iter().take(MAX_LINKS);
        let urls = urls.map(|it| (false, it.url.as_str()));
        advisory.references = links([(true, page.as_str())].into_iter().chain(urls));
    }
    Ok(Some(advisory))
}

fn ratings(metrics: &BTreeMap<String, Value>) -> Vec<Rating> {
    let mut found: Vec<Rating> = metrics
        .values()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(|metric| {
            let vector = metric.pointer("/cvssData/vectorString")?.as_str()?;
            of_vector(judge(metric.get("source")?.as_str()?), vector)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Who judged. The database names others by an address or a number.
fn judge(source: &str) -> &str {
    match source {
        "nvd@nist.gov" => "NVD",
        "134c704f-9b21-4f2e-91b3-4a467353bcc0" => "CISA",
        _ => {
            let is_address = source.len() <= 80
                && source.contains('@')
                && source.bytes().all(|byte| byte.is_ascii_graphic());
            if is_address { source } else { "CNA" }
        }
    }
}

/// What the configurations say of software that images may have, one statement for
/// each product.
fn statements(configurations: &[Configuration]) -> Vec<Statement> {
    let mut found: BTreeMap<String, (Vec<AffectedInterval>, Vec<Box<str>>)> = BTreeMap::new();
    for configuration in configurations {
        let together = configuration.operator.as_deref() == Some("AND");
        let elsewhere = together && configuration.nodes.iter().any(is_another_system);
        if configuration.negate == Some(true) || elsewhere {
            continue;
        }
        for node in &configuration.nodes {
            if node.negate == Some(true) {
                continue;
            }
            for platform in node.platforms.iter().filter(|it| it.vulnerable) {
                let Some(name) = Name::parse(&platform.criteria).filter(Name::is_software) else {
                    continue;
                };
                let product = format!("{}:{}", name.vendor(), name.product());
                if !products::is_read(&product) {
                    continue;
                }
                let (intervals, versions) = found.entry(product).or_default();
                match platform.affected(&name) {
                    Some(Affected::Stretch(interval)) if !intervals.contains(&interval) => {
                        intervals.push(interval);
                    }
                    Some(Affected::Version(version)) if !versions.contains(&version) => {
                        versions.push(version);
                    }
                    _ => {}
                }
            }
        }
    }
    found
        .into_iter()
        .filter(|(_, (intervals, versions))| !(intervals.is_empty() && versions.is_empty()))
        .map(|(name, (intervals, mut versions))| {
            versions.retain(|version| {
                !intervals
                    .iter()
                    .any(|it| it.as_interval().contains(Scheme::Rpm, version) == Some(true))
            });
            Statement {
                about: PackageKey {
                    ecosystem: Ecosystem::family_only("cpe"),
                    name: name.into(),
                },
                stance: Stance::Affected {
                    intervals,
                    versions,
                    fix: Fix::AsRanges,
                },
            }
        })
        .collect()
}

/// Whether a part of a configuration that must hold together with others asks for
/// hardware or an operating system that no container runs.
fn is_another_system(node: &Node) -> bool {
    !node.platforms.is_empty()
        && node.platforms.iter().all(|platform| {
            let name = Name::parse(&platform.criteria);
            !platform.vulnerable
                && name.is_some_and(|name| {
                    matches!(name.part(), "o" | "h") && !name.product().contains("linux")
                })
        })
}

enum Affected {
    Stretch(AffectedInterval),
    Version(Box<str>),
}

impl Platform {
    /// The versions that are meant; `None` where the record does not say.
    fn affected(&self, name: &Name) -> Option<Affected> {
        let is_version =
            |version: &&str| version.len() <= 100 && Scheme::Rpm.check(version).is_ok();
        // What follows a version immediately, for a stretch that begins behind it.
        let behind = self.version_start_excluding.as_deref();
        let behind = behind.filter(is_version).map(|it| format!("{it}^").into());
        let from = self.version_start_including.as_deref();
        let from = from.filter(is_version).map(Box::from).or(behind);
        let end = self.version_end_excluding.as_deref().filter(is_version);
        let last = self.version_end_including.as_deref().filter(is_version);
        let upper = match (end, last) {
            (Some(end), _) => Upper::Fixed(end.into()),
            (None, Some(last)) => Upper::LastAffected(last.into()),
            (None, None) => Upper::Open,
        };
        if from.is_some() || upper != Upper::Open {
            return Some(Affected::Stretch(AffectedInterval { from, upper }));
        }
        match name.version() {
            "*" => Some(Affected::Stretch(AffectedInterval { from, upper })),
            "-" | "" => None,
            version => {
                let version = with_update(version, name.update());
                Some(version)
                    .filter(|it| is_version(&&**it))
                    .map(|it| Affected::Version(it.into()))
            }
        }
    }
}

/// `1.0` and `rc1` are `1.0~rc1`, which is before `1.0`; `7.4` and `p1` are `7.4p1`.
fn with_update(version: &str, update: &str) -> String {
    let is_before = ["alpha", "beta", "dev", "milestone", "pre", "rc", "snapshot"]
        .iter()
        .any(|start| update.starts_with(start));
    match update {
        "*" | "-" | "" => version.to_owned(),
        _ if is_before => format!("{version}~{update}"),
        _ => format!("{version}{update}"),
    }
}

/// A platform name of CPE 2.3, `cpe:2.3:part:vendor:product:version:update:…`.
struct Name(Vec<String>);

impl Name {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > 1_000 {
            return None;
        }
        let mut parts = vec![String::new()];
        let mut characters = text.strip_prefix("cpe:2.3:")?.chars();
        while let Some(character) = characters.next() {
            match character {
                ':' => parts.push(String::new()),
                // A backslash takes the meaning from what follows.
                '\\' => parts.last_mut()?.extend(characters.next()),
                _ => parts.last_mut()?.push(character),
            }
        }
        (parts.len() == 11).then_some(Self(parts))
    }

    fn at(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }

    fn part(&self) -> &str {
        self.at(0)
    }

    fn vendor(&self) -> &str {
        self.at(1)
    }

    fn product(&self) -> &str {
        self.at(2)
    }

    fn version(&self) -> &str {
        self.at(3)
    }

    fn update(&self) -> &str {
        self.at(4)
    }

    /// Whether this names a piece of software that may be in a Linux container.
    fn is_software(&self) -> bool {
        const OTHERS: [&str; 9] = [
            "android",
            "ipados",
            "ipad_os",
            "iphone_os",
            "mac_os",
            "mac_os_x",
            "macos",
            "windows",
            "windows_phone",
        ];
        let plain = |text: &str| {
            !matches!(text, "" | "*" | "-") && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        self.part() == "a"
            && plain(self.vendor())
            && plain(self.product())
            && !OTHERS.contains(&self.at(8))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use crate::vendor::intake::tests::{read_with, shown, told, withstands_damage};

    fn document(entries: &str) -> String {
        let document = format!(r#"{{"format": "NVD_CVE", "vulnerabilities": [{entries}]}}"#);
        told(read, "nvdcve-2.0-2024.json.gz", document.as_bytes())
    }

    /// What one platform says of versions.
    fn platform(criteria: &str, more: &str) -> String {
        let said = document(&format!(
            r#"{{"cve": {{"id": "CVE-2024-1", "configurations": [{{"nodes": [{{"cpeMatch": [
            {{"vulnerable": true, "criteria": "cpe:2.3:{criteria}"{more}}}]}}]}}]}}}}"#
        ));
        let statement = said.lines().find(|line| line.starts_with("  cpe "));
        statement.map_or("nothing", str::trim).to_owned()
    }

    #[test]
    fn a_platform_name_is_a_stretch_or_a_version() {
        for (criteria, more, expected) in [
            (
                "a:f5:nginx:*:*:*:*:*:*:*:*",
                r#", "versionStartIncluding": "1.0", "versionEndExcluding": "1.2""#,
                "cpe f5:nginx: [1.0..1.2)",
            ),
            (
                "a:f5:nginx:*:*:*:*:*:*:*:*",
                r#", "versionStartExcluding": "1.0", "versionEndIncluding": "1.2""#,
                "cpe f5:nginx: [1.0^..1.2]",
            ),
            ("a:f5:nginx:*:*:*:*:*:*:*:*", "", "cpe f5:nginx: [..)"),
            ("a:f5:nginx:-:*:*:*:*:*:*:*", "", "nothing"),
            ("a:f5:nginx:1.2:*:*:*:*:*:*:*", "", "cpe f5:nginx: =1.2"),
            (
                "a:f5:nginx:1.2:rc1:*:*:*:*:*:*",
                "",
                "cpe f5:nginx: =1.2~rc1",
            ),
            (
                "a:openbsd:openssh:7.4:p1:*:*:*:*:*:*",
                "",
                "cpe openbsd:openssh: =7.4p1",
            ),
            (
                r"a:erlang:erlang\\/otp:26:*:*:*:*:*:*:*",
                "",
                "cpe erlang:erlang/otp: =26",
            ),
            ("a:cisco:finesse:1:*:*:*:*:*:*:*", "", "nothing"),
            ("a:f5:nginx:1.2:*:*:*:*:windows:*:*", "", "nothing"),
            ("o:linux:linux_kernel:5.1:*:*:*:*:*:*:*", "", "nothing"),
            ("a:f5:nginx", "", "nothing"),
        ] {
            assert_eq!(platform(criteria, more), expected, "{criteria}");
        }
    }

    #[test]
    fn what_needs_another_system_is_left_out() {
        let together = |other: &str| {
            document(&format!(
                r#"{{"cve": {{"id": "CVE-2024-1", "configurations": [{{"operator": "AND", "nodes": [
                {{"cpeMatch": [{{"vulnerable": true, "criteria": "cpe:2.3:a:f5:nginx:1:*:*:*:*:*:*:*"}}]}},
                {{"cpeMatch": [{{"vulnerable": false, "criteria": "cpe:2.3:{other}:*:*:*:*:*:*:*:*"}}]}}]}}]}}}}"#
            ))
            .contains("cpe f5:nginx")
        };
        assert!(!together("o:microsoft:windows"));
        assert!(!together("h:dell:server"));
        assert!(together("o:debian:debian_linux"));
        assert!(together("a:oracle:jdk"));
    }

    #[test]
    fn everyones_scores_are_kept_with_who_judged() {
        insta::assert_snapshot!(document(r#"{"cve": {"id": "CVE-2024-1", "published": "2024-01-02T03:04:05.000", "descriptions": [{"lang": "en", "value": "not told"}], "metrics": {
            "cvssMetricV31": [
                {"source": "nvd@nist.gov", "type": "Primary", "cvssData": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}},
                {"source": "security-advisories@github.com", "cvssData": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}},
                {"source": "7168b535-132a-4efe-a076-338f829b2eb9", "cvssData": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}},
                {"source": "x@y", "cvssData": {"vectorString": "broken"}}, 7],
            "cvssMetricV2": [{"source": "nvd@nist.gov", "cvssData": {"vectorString": "AV:N/AC:L/Au:N/C:P/I:P/A:P"}}],
            "ssvcV203": [{"source": "134c704f-9b21-4f2e-91b3-4a467353bcc0", "ssvcData": {}}]}}}"#), @r"
        CVE-2024-1 
          days: 2024-01-02 -
          CNA: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L medium
          NVD: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H high
          NVD: AV:N/AC:L/Au:N/C:P/I:P/A:P high
          security-advisories@github.com: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L medium
        ");
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_the_rejected_are_silent() {
        insta::assert_snapshot!(document(r#"7, {}, {"cve": {"id": "not an id"}}, {"cve": {"id": "CVE-2024-1", "metrics": 7}},
            {"cve": {"id": "CVE-2024-2", "vulnStatus": "Rejected", "configurations": []}}, {"cve": {"id": "CVE-2024-3"}}"#), @r"
        CVE-2024-3 
        refused an entry without an id: invalid type: integer `7`, expected struct Entry
        refused an entry without an id: missing field `cve`
        refused not an id: not an id
        refused CVE-2024-1: invalid type: integer `7`, expected a map
        ");
        for (text, expected) in [
            ("", "EOF while parsing"),
            ("{}", "vulnerabilities is missing"),
            ("{\"vulnerabilities\": [", "EOF while parsing"),
        ] {
            let said = told(read, "nvdcve-2.0-2024.json.gz", text.as_bytes());
            assert!(
                said.starts_with("error: ") && said.contains(expected),
                "{said}"
            );
        }
    }

    #[test]
    fn the_shared_samples_are_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let folder = shared.join("feeds/vendor/nvd");
        let page = std::fs::read(folder.join("rest/json/cves/2.0")).unwrap();
        let (whole, taken) = read_with(read, "2.0", &page);
        assert_eq!((taken.records, taken.refused), (87, 0));
        let mut yearly = Vec::new();
        for part in PARTS {
            let (_, path) = part.path.split_once('/').unwrap();
            let Ok(bytes) = std::fs::read(folder.join(path)) else {
                continue;
            };
            yearly.extend(read_with(read, path, &bytes).0);
        }
        assert_eq!(yearly.len(), whole.len());
        let told: Vec<String> = whole
            .iter()
            .filter(|it| ["CVE-2022-32746", "CVE-2024-3094", "CVE-2021-44228"].contains(&&*it.id))
            .map(shown)
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        CVE-2021-44228 
          days: 2021-12-10 2026-06-17
          CISA: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H critical
          NVD: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H critical
          NVD: AV:N/AC:M/Au:N/C:C/I:C/A:C critical
        CVE-2022-32746 A flaw was found in the Samba AD LDAP server. The AD DC database audit logging module can access LDAP message values freed by a preceding database module, resulting in a use-after-free issue. This issue is only possible when modifying certa…
          links: https://nvd.nist.gov/vuln/detail/CVE-2022-32746 https://security.gentoo.org/glsa/202309-06 https://www.samba.org/samba/security/CVE-2022-32746.html
          days: 2022-08-25 2023-09-17
          NVD: CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:L medium
          cpe samba:samba: [4.3.0..4.14.14) [4.15.0..4.15.9) [4.16.0..4.16.4)
        CVE-2024-3094 Malicious code was discovered in the upstream tarballs of xz, starting with version 5.6.0.   Through a series of complex obfuscations, the liblzma build process extracts a prebuilt object file from a disguised test file existing in the sour…
          links: https://nvd.nist.gov/vuln/detail/CVE-2024-3094 https://access.redhat.com/security/cve/CVE-2024-3094 https://bugzilla.redhat.com/show_bug.cgi?id=2272210 https://www.openwall.com/lists/oss-security/2024/03/29/4 https://www.redhat.com/en/blog/urgent-security-alert-fedora-41-and-rawhide-users
          days: 2024-03-29 2026-06-17
          NVD: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H critical
          secalert@redhat.com: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H critical
          cpe tukaani:xz: =5.6.0 =5.6.1
        "#);
        let sample = std::fs::read(folder.join("feeds/json/cve/2.0/nvdcve-2.0-2021.json.gz"));
        withstands_damage(read, "nvdcve-2.0-2021.json.gz", &sample.unwrap());
    }
}
