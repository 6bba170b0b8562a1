//! Definitions of the Open Vulnerability and Assessment Language: Oracle's and
//! Photon's notices of updates, and Azure Linux's vulnerabilities.
//!
//! A definition is a tree of tests. What it says of packages are the tests "is
//! older than", each for the release that is tested beside or above it; tests of
//! keys and architectures do not change what is affected.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use seaworthy_core::{
    Advisory, AffectedInterval, Day, Ecosystem, Fix, PackageKey, Stance, Statement, Upper,
};

use self::document::{Asks, Criteria, Definition, Document, leading_number};
use super::packed::unpacked;
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, links, of_vector, of_word, one_line};

/// Bytes of a document without compression. Oracle's has some 500 MB.
const MAX_BYTES: u64 = 4 << 30;

/// A package that is affected below a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Older<'a> {
    /// The release that is tested with it, where one is.
    release: Option<&'a str>,
    package: &'a str,
    version: &'a str,
    /// Whether the version itself is affected.
    or_equal: bool,
}

/// Makes an advisory of a definition and what it says of packages.
type Tell<'t> =
    dyn Fn(&Definition, &[Older<'_>], &Intake<'_>) -> Result<Advisory, &'static str> + 't;

/// Reads Oracle Linux's notices.
pub(crate) fn read_oracle(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(content, intake, &|definition, found, intake| {
        let own = definition.references.iter().find(|it| {
            ["elsa", "ovmsa"]
                .iter()
                .any(|source| it.source.eq_ignore_ascii_case(source))
        });
        let id = own.map(|it| &*it.id).ok_or("it has no name")?;
        notice(
            definition,
            found,
            intake,
            id,
            "Oracle",
            &|release, version| {
                // A patch of running processes, or a build under certification, is
                // newer than every other build and replaces none.
                let release = match version {
                    _ if version.contains(".ksplice") => format!("ksplice:{release}"),
                    _ if version.contains("_fips") => format!("fips:{release}"),
                    _ => release.to_owned(),
                };
                Ecosystem::of_release("Oracle Linux", &release)
            },
        )
    })
}

/// Reads Photon OS's notices.
pub(crate) fn read_photon(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(content, intake, &|definition, found, intake| {
        let id = photon_id(definition).ok_or("it has no name")?;
        notice(
            definition,
            found,
            intake,
            &id,
            "Photon OS",
            &|release, _| Ecosystem::of_release("Photon OS", &format!("{release}.0")),
        )
    })
}

/// Photon's own name of a notice, `PHSA-2024-5.0-0184`, out of the title
/// `PHSA-2024:00001 …` and the reference `PHSA:00001:5.0:184`.
fn photon_id(definition: &Definition) -> Option<String> {
    let (name, _) = definition.title.split_once([' ', '.'])?;
    let (year, _) = name.strip_prefix("PHSA-")?.split_once([':', '-'])?;
    let parts = definition
        .references
        .iter()
        .find(|it| &*it.source == "PHSA")
        .and_then(|it| it.id.rsplit_once(':'));
    Some(match parts {
        Some((rest, number)) => {
            let (_, release) = rest.rsplit_once(':')?;
            let number: u32 = number.parse().ok()?;
            format!("PHSA-{year}-{release}-{number:04}")
        }
        None => format!("{name}:{}", definition.number),
    })
}

/// Reads the vulnerabilities of Azure Linux, which was CBL-Mariner before. Its
/// packages are source packages.
pub(crate) fn read_azure(
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let release = name
        .rsplit('/')
        .next()
        .and_then(|name| name.strip_suffix("-oval.xml"))
        .and_then(|name| name.rsplit_once('-'))
        .and_then(|(_, release)| leading_number(release))
        .ok_or(VendorError::Missing {
            what: "the release in the name of the document",
        })?
        .to_owned();
    read(content, intake, &|definition, found, intake| {
        let cve = definition
            .references
            .iter()
            .find(|it| &*it.source == "CVE" && is_id(&it.id))
            .ok_or("it has no vulnerability")?;
        let id = format!("AZL-{}", definition.number);
        let mut advisory = described(definition, intake, &id, "Azure Linux");
        advisory.aliases = vec![cve.id.clone()];
        for older in found {
            let stance = match &*definition.patchable {
                "Not Applicable" => Stance::NotAffected {
                    why: "not applicable".into(),
                },
                "false" => affected([Upper::Open], Fix::NotYet),
                _ => affected([upper(older)], Fix::AsRanges),
            };
            advisory.statements.push(Statement {
                about: PackageKey {
                    ecosystem: Ecosystem::of_release("Azure Linux", &release),
                    name: format!("src:{}", older.package).into(),
                },
                stance,
            });
        }
        Ok(advisory)
    })
}

fn read(
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
    tell: &Tell<'_>,
) -> Result<(), VendorError> {
    let document = Document::read(std::io::BufReader::new(
        unpacked(content, intake)?.take(MAX_BYTES),
    ))?;
    if let Ok(day) = document.timestamp.parse() {
        intake.made_on(day);
    }
    for definition in &document.definitions {
        let mut found = BTreeSet::new();
        for criteria in &definition.criteria {
            collect(&document, criteria, None, &mut found);
        }
        let found: Vec<Older<'_>> = found.into_iter().collect();
        let told = if found.is_empty() {
            Err("it names no package")
        } else {
            tell(definition, &found, intake)
        };
        match told {
            Ok(advisory) => intake.take(advisory),
            Err(why) => {
                let name = match definition.title.split_once(' ') {
                    Some((name, _)) => format!("{name} {}", definition.number),
                    None => definition.number.to_string(),
                };
                intake.refuse(&name, why);
            }
        }
    }
    Ok(())
}

/// Finds the tests "is older than", each with the release that must hold too. The
/// reader bounds how deep criteria go.
fn collect<'a>(
    document: &'a Document,
    criteria: &'a Criteria,
    release: Option<&'a str>,
    found: &mut BTreeSet<Older<'a>>,
) {
    match criteria {
        Criteria::Test { reference, comment } => {
            if let Asks::Older {
                package,
                version,
                or_equal,
            } = document.asks(*reference, comment)
            {
                let version = version.strip_prefix("0:").unwrap_or(version).trim();
                if is_word(package) && is_word(version) {
                    found.insert(Older {
                        release,
                        package,
                        version,
                        or_equal,
                    });
                }
            }
        }
        Criteria::Any(list) => {
            for criteria in list {
                collect(document, criteria, release, found);
            }
        }
        Criteria::All(list) => {
            let tested = list.iter().find_map(|criteria| match criteria {
                Criteria::Test { reference, comment } => match document.asks(*reference, comment) {
                    Asks::Release(release) => Some(release),
                    Asks::Older { .. } | Asks::Other => None,
                },
                Criteria::All(_) | Criteria::Any(_) => None,
            });
            for criteria in list {
                collect(document, criteria, tested.or(release), found);
            }
        }
    }
}

/// Whether `text` can be a package's name or a version.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A notice of an update that fixes whatever vulnerabilities it names.
fn notice(
    definition: &Definition,
    found: &[Older<'_>],
    intake: &Intake<'_>,
    id: &str,
    source: &str,
    ecosystem: &dyn Fn(&str, &str) -> Ecosystem,
) -> Result<Advisory, &'static str> {
    if !is_id(id) {
        return Err("its name cannot be one");
    }
    let mut advisory = described(definition, intake, id, source);
    let named = definition
        .references
        .iter()
        .filter(|it| &*it.source == "CVE")
        // Photon writes `CVE:00001:CVE-2023-5115`.
        .map(|it| it.id.rsplit(':').next().unwrap_or_default())
        .chain(definition.cves.iter().map(|it| &*it.id));
    let mut seen = BTreeSet::new();
    advisory.bundles = named
        .filter(|name| is_id(name) && seen.insert(*name))
        .map(Box::from)
        .collect();
    // What is said of one of several vulnerabilities is no word on the notice.
    if let [cve] = definition.cves.as_slice() {
        let vectors = cve
            .scores
            .iter()
            .filter_map(|score| Some(score.split_once('/')?.1));
        let ratings = vectors.filter_map(|vector| of_vector(source, vector));
        advisory.ratings.extend(ratings);
    }
    let platforms: Vec<&str> = definition
        .platforms
        .iter()
        .filter_map(|platform| leading_number(platform.rsplit(' ').next()?))
        .collect();
    let mut uppers: BTreeMap<PackageKey, BTreeSet<Upper>> = BTreeMap::new();
    for older in found {
        let releases = older
            .release
            .as_ref()
            .map_or(&*platforms, std::slice::from_ref);
        for release in releases {
            let about = PackageKey {
                ecosystem: ecosystem(release, older.version),
                name: older.package.into(),
            };
            uppers.entry(about).or_default().insert(upper(older));
        }
    }
    if uppers.is_empty() {
        return Err("it names no release");
    }
    advisory.statements = uppers
        .into_iter()
        .map(|(about, uppers)| Statement {
            about,
            stance: affected(uppers, Fix::AsRanges),
        })
        .collect();
    Ok(advisory)
}

fn upper(older: &Older<'_>) -> Upper {
    if older.or_equal {
        Upper::LastAffected(older.version.into())
    } else {
        Upper::Fixed(older.version.into())
    }
}

fn affected(uppers: impl IntoIterator<Item = Upper>, fix: Fix) -> Stance {
    Stance::Affected {
        intervals: uppers
            .into_iter()
            .map(|upper| AffectedInterval { from: None, upper })
            .collect(),
        versions: Vec::new(),
        fix,
    }
}

/// What a definition says beside its criteria.
fn described(definition: &Definition, intake: &Intake<'_>, id: &str, source: &str) -> Advisory {
    let mut advisory = intake.advisory(id);
    let title = definition.title.trim();
    let title = title
        .strip_prefix(id)
        .map_or(title, |rest| rest.trim_start_matches([':', ' ']));
    advisory.summary = one_line(title);
    advisory.references = links(
        definition
            .references
            .iter()
            .map(|it| (&*it.source != "CVE", &*it.url)),
    );
    let day = |text: &str| text.parse::<Day>().ok();
    advisory.published = day(&definition.issued);
    advisory.modified = day(&definition.updated).or(advisory.published);
    advisory
        .ratings
        .extend(of_word(source, &definition.severity));
    advisory
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use std::fs;
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::intake::Taken;
    use super::super::intake::tests::read_with;
    use super::*;
    use crate::osv::Limits;

    fn show(advisory: &Advisory) -> String {
        let mut lines = vec![format!(
            "{} {} {}",
            advisory.id,
            advisory.published.map_or("-".into(), |day| day.to_string()),
            advisory.summary
        )];
        for (label, names) in [
            ("aliases", &advisory.aliases),
            ("bundles", &advisory.bundles),
        ] {
            if !names.is_empty() {
                lines.push(format!("{label}: {}", names.join(" ")));
            }
        }
        for rating in &advisory.ratings {
            lines.push(format!(
                "{} {} {}",
                rating.source, rating.text, rating.severity
            ));
        }
        for statement in &advisory.statements {
            let about = &statement.about;
            let said = match &statement.stance {
                Stance::Affected { intervals, fix, .. } => {
                    let uppers: Vec<_> = intervals.iter().map(|it| &it.upper).collect();
                    format!("{uppers:?} {fix:?}")
                }
                other => format!("{other:?}"),
            };
            lines.push(format!("{} {}: {said}", about.ecosystem, about.name));
        }
        lines.join("\n")
    }

    fn sample(path: &str) -> Option<Vec<u8>> {
        let root = seaworthy_testkit::shared()?;
        Some(fs::read(root.join("feeds/vendor").join(path)).unwrap())
    }

    fn counted(taken: &Taken) -> String {
        let refused: Vec<String> = taken
            .refusals
            .iter()
            .map(|it| format!("{}: {}", it.what, it.why))
            .collect();
        format!(
            "{} records, {} refused {}",
            taken.records,
            taken.refused,
            refused.join(", ")
        )
    }

    fn one<'a>(advisories: &'a [Advisory], id: &str) -> &'a Advisory {
        advisories.iter().find(|it| &*it.id == id).unwrap()
    }

    #[test]
    fn oracles_notices_are_read() {
        let Some(bytes) = sample("oracle/security/oval/com.oracle.elsa-all.xml.bz2") else {
            return;
        };
        let (advisories, taken) = read_with(read_oracle, "x", &bytes);
        insta::assert_snapshot!(counted(&taken), @"14 records, 0 refused");
        insta::assert_snapshot!(show(one(&advisories, "ELSA-2007-0057")), @r#"
        ELSA-2007-0057 2007-06-26 Moderate: bind security update  (MODERATE)
        bundles: CVE-2007-0493 CVE-2007-0494
        Oracle MODERATE medium
        Oracle Linux:5 bind: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-chroot: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-devel: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-libbind-devel: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-libs: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-sdb: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 bind-utils: [Fixed("30:9.3.3-8.el5")] AsRanges
        Oracle Linux:5 caching-nameserver: [Fixed("30:9.3.3-8.el5")] AsRanges
        "#);
        let bytes = sample("oracle/security/oval/sample-2/com.oracle.elsa-all.xml.bz2").unwrap();
        let (advisories, taken) = read_with(read_oracle, "x", &bytes);
        insta::assert_snapshot!(counted(&taken), @"2 records, 0 refused");
        insta::assert_snapshot!(show(advisories.last().unwrap()), @r#"
        ELSA-2023-12342 2023-05-15 virt:kvm_utils security update (IMPORTANT)
        bundles: CVE-2023-0664 CVE-2022-4144
        Oracle IMPORTANT high
        Oracle Linux:8 hivex: [Fixed("1.3.18-21.module+el8.7.0+21037+8ee66348")] AsRanges
        "#);
        let bytes = sample("oracle/security/oval/com.oracle.ovmsa-20250001.xml").unwrap();
        let (advisories, _) = read_with(read_oracle, "x", &bytes);
        insta::assert_snapshot!(show(advisories.last().unwrap()), @r#"
        OVMSA-2025-0001 2025-01-10 Unbreakable Enterprise kernel security update (IMPORTANT)
        bundles: CVE-2024-26840
        Oracle IMPORTANT high
        Oracle CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N medium
        Oracle Linux:6 kernel-uek: [Fixed("4.1.12-124.93.1.el6uek")] AsRanges
        Oracle Linux:6 kernel-uek-firmware: [Fixed("4.1.12-124.93.1.el6uek")] AsRanges
        "#);
    }

    #[test]
    fn azure_linux_is_read() {
        let Some(bytes) = sample("azurelinux/azurelinux-3.0-oval.xml") else {
            return;
        };
        let (advisories, taken) =
            read_with(read_azure, "azurelinux/azurelinux-3.0-oval.xml", &bytes);
        insta::assert_snapshot!(counted(&taken), @"1222 records, 0 refused");
        insta::assert_snapshot!(show(one(&advisories, "AZL-50124")), @r#"
        AZL-50124 2024-07-23 CVE-2024-47191 affecting package oath-toolkit for versions less than 2.6.7-3
        aliases: CVE-2024-47191
        Azure Linux High high
        Azure Linux:3 src:oath-toolkit: [Fixed("2.6.7-3.azl3")] AsRanges
        "#);
        insta::assert_snapshot!(show(one(&advisories, "AZL-34597")), @r#"
        AZL-34597 - CVE-2023-45853 affecting package cloud-hypervisor for versions less than 32.0-2
        aliases: CVE-2023-45853
        Azure Linux Critical critical
        Azure Linux:3 src:cloud-hypervisor: NotAffected { why: "not applicable" }
        "#);
        let bytes = sample("azurelinux/cbl-mariner-2.0-oval.xml").unwrap();
        let (advisories, taken) = read_with(read_azure, "cbl-mariner-2.0-oval.xml", &bytes);
        insta::assert_snapshot!(counted(&taken), @"1454 records, 0 refused");
        insta::assert_snapshot!(show(one(&advisories, "AZL-9774")), @r#"
        AZL-9774 - CVE-2007-1397 affecting package fish 3.1.2-4
        aliases: CVE-2007-1397
        Azure Linux Critical critical
        Azure Linux:2 src:fish: NotAffected { why: "not applicable" }
        "#);
        let open = advisories
            .iter()
            .filter(|it| show(it).contains("[Open] NotYet"))
            .count();
        insta::assert_snapshot!(open, @"269");
    }

    #[test]
    fn photons_notices_are_read() {
        let Some(bytes) = sample("photon/photon_oval_definitions/com.vmware.phsa-photon3.xml.gz")
        else {
            return;
        };
        let (advisories, taken) = read_with(read_photon, "x", &bytes);
        insta::assert_snapshot!(counted(&taken), @"222 records, 0 refused");
        insta::assert_snapshot!(show(one(&advisories, "PHSA-2020:00092:2020300092")), @r#"
        PHSA-2020:00092:2020300092 - PHSA-2020:00092 haproxy Security Update. (Important)
        bundles: CVE-2018-20615
        Photon OS Important high
        Photon OS:3.0 haproxy: [Fixed("1.8.14-3.ph3")] AsRanges
        Photon OS:3.0 haproxy-doc: [Fixed("1.8.14-3.ph3")] AsRanges
        "#);
        let bytes =
            sample("photon/photon_oval_definitions/com.vmware.phsa-photon5.xml.gz").unwrap();
        let (advisories, _) = read_with(read_photon, "x", &bytes);
        insta::assert_snapshot!(show(advisories.last().unwrap()), @r#"
        PHSA-2024-5.0-0184 2024-01-04 PHSA-2024:00001 ansible Security Update. (Important)
        bundles: CVE-2023-5115 CVE-2023-5764
        Photon OS Important high
        Photon OS:5.0 ansible: [Fixed("2.14.12-1.ph5")] AsRanges
        Photon OS:5.0 ansible-devel: [Fixed("2.14.12-1.ph5")] AsRanges
        "#);
        let ids: BTreeSet<_> = advisories.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), advisories.len());
    }

    const SMALL: &str = r#"<oval_definitions><generator><timestamp>2024-01-31T04:19:30</timestamp></generator><definitions>
        <definition id="oval:x:def:1" class="patch"><metadata><title>ELSA-2024-1: openssl update (IMPORTANT)</title>
        <affected family="unix"><platform>Oracle Linux 8</platform><platform>Oracle Linux 9</platform></affected>
        <reference source="elsa" ref_id="ELSA-2024-1" ref_url="https://a/1"/><reference source="CVE" ref_id="CVE-2024-1" ref_url="https://a/2"/>
        <advisory><severity>IMPORTANT</severity><issued date="2024-02-03"/><cve cvss3="7.5/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H">CVE-2024-1</cve></advisory></metadata>
        <criteria operator="OR">
          <criteria operator="AND"><criterion test_ref="oval:x:tst:1" comment="wrong"/><criteria operator="OR">
            <criterion test_ref="oval:x:tst:2" comment="wrong"/><criterion test_ref="oval:x:tst:3" comment="openssl is earlier than 0:1-2.ksplice1.el8"/>
            <criterion negate="true" test_ref="oval:x:tst:4" comment="no is earlier than 1"/></criteria></criteria>
          <criteria operator="AND"><criterion test_ref="oval:x:tst:9" comment="Oracle Linux 9 is installed"/><criterion test_ref="oval:x:tst:10" comment="openssl is earlier than 10:3.0_fips-1.el9"/></criteria>
          <criterion test_ref="oval:x:tst:11" comment="both is earlier than 5"/>
        </criteria></definition>
        <definition id="oval:x:def:2"><metadata><title>ELSA-2024-2: nothing</title><reference source="elsa" ref_id="ELSA-2024-2"/></metadata></definition></definitions>
        <tests><rpminfo_test id="oval:x:tst:1"><object object_ref="oval:x:obj:1"/><state state_ref="oval:x:ste:1"/></rpminfo_test>
        <rpminfo_test id="oval:x:tst:2"><object object_ref="oval:x:obj:2"/><state state_ref="oval:x:ste:2"/></rpminfo_test></tests>
        <objects><rpminfo_object id="oval:x:obj:1"><name>oraclelinux-release</name></rpminfo_object><rpminfo_object id="oval:x:obj:2"><name>openssl</name></rpminfo_object></objects>
        <states><rpminfo_state id="oval:x:ste:1"><version operation="pattern match">^8</version></rpminfo_state>
        <rpminfo_state id="oval:x:ste:2"><evr operation="less than">1:1.1.1k-9.el8_7</evr></rpminfo_state></states></oval_definitions>"#;

    #[test]
    fn a_fix_counts_for_the_release_it_is_tested_with() {
        let (advisories, taken) = read_with(read_oracle, "x", SMALL.as_bytes());
        insta::assert_snapshot!(counted(&taken), @"1 records, 1 refused ELSA-2024-2: 2: it names no package");
        insta::assert_snapshot!(show(advisories.first().unwrap()), @r#"
        ELSA-2024-1 2024-02-03 openssl update (IMPORTANT)
        bundles: CVE-2024-1
        Oracle IMPORTANT high
        Oracle CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H high
        Oracle Linux:8 both: [Fixed("5")] AsRanges
        Oracle Linux:8 openssl: [Fixed("1:1.1.1k-9.el8_7")] AsRanges
        Oracle Linux:9 both: [Fixed("5")] AsRanges
        Oracle Linux:fips:9 openssl: [Fixed("10:3.0_fips-1.el9")] AsRanges
        Oracle Linux:ksplice:8 openssl: [Fixed("1-2.ksplice1.el8")] AsRanges
        "#);
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        let limits = Limits::default();
        for (text, name, expected) in [
            (
                "<html></html>",
                "x",
                "the element `oval_definitions` is missing",
            ),
            ("", "x", "the element `oval_definitions` is missing"),
            (
                "<oval_definitions>",
                "x",
                "the end of the document is missing",
            ),
            ("{}", "x", "the element `oval_definitions` is missing"),
            (
                "<!DOCTYPE a><a/>",
                "x",
                "an entity or a document type, which no feed needs",
            ),
        ] {
            let mut sink = |_| {};
            let mut intake = Intake::new("test", &limits, &mut sink);
            let error = read_oracle(&mut Cursor::new(text), name, &mut intake).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_document_is_read_or_refused(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
            cuts in any::<bool>(),
        ) {
            let mut bytes = SMALL.as_bytes().to_vec();
            for (position, byte) in damage {
                let position = position.index(bytes.len());
                bytes[position] = byte;
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            let limits = Limits::default();
            let mut sink = |_| {};
            for read in [read_oracle, read_photon, read_azure] {
                let mut intake = Intake::new("test", &limits, &mut sink);
                let _ = read(&mut Cursor::new(&bytes), "a-3.0-oval.xml", &mut intake);
            }
        }
    }
}
