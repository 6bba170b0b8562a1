//! Documents of the Common Security Advisory Framework that say, for one
//! vulnerability, what every product's packages are: fixed, affected, not
//! affected, or not looked at yet.
//!
//! A statement is about a *package in a product*; products that ship the same
//! packages are one ecosystem. Where a document says several things of one name
//! there, a fix says most, and "not affected" least.
//!
//! A source package is a name of its own, `src:openssl`: an rpm's binaries have
//! names that a source of the same name need not build.
//!
//! What is said of a module's stream is said of `nodejs:18/nodejs` (a source's of
//! `src:nodejs:18/nodejs`), because other streams of the module are not meant. Where
//! a document does not tell the stream of a build, it is said of its major version,
//! `18/nodejs`. A fix in a module is said of `nodejs` as well: who does not know the
//! stream of what is installed can still tell by the version that it is a module's.

mod branches;
mod document;
mod redhat;
mod suse;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::SeekFrom;
use std::path::Path;

use seaworthy_core::rpm::{is_modular, upstream_major};
use seaworthy_core::{
    Advisory, AffectedInterval, Day, Ecosystem, Fix, PackageKey, Rating, Stance, Statement, Upper,
};

use self::branches::Fixed;
use self::document::{Document, Front, Item, Products, Text, Vulnerability};
use super::listing::{day_in, entries};
use super::packed::{bytes_of, each_file_within};
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, links, of_vector, of_word, one_line};

/// Bytes of one document. The largest have some 50 MB: a flaw in a library of every
/// product, each package in every architecture.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Bytes of a list of documents.
const MAX_LIST: u64 = 64 << 20;

/// How one vendor names things.
struct Dialect {
    /// The vendor, as its ratings are signed.
    source: &'static str,
    ecosystem_of: fn(Item<'_>) -> Option<Ecosystem>,
    /// The package an item is, given the product it is in and whether the item is
    /// a version with a fix.
    package_of: fn(Item<'_>, Item<'_>, bool) -> Option<Package>,
}

const RED_HAT: Dialect = Dialect {
    source: "Red Hat",
    ecosystem_of: redhat::ecosystem_of,
    package_of: redhat::package_of,
};

const SUSE: Dialect = Dialect {
    source: "SUSE",
    ecosystem_of: suse::ecosystem_of,
    package_of: suse::package_of,
};

/// A package that an item of a document names.
struct Package {
    name: Box<str>,
    version: Option<Box<str>>,
    /// `name:stream`.
    module: Option<Box<str>>,
    is_source: bool,
}

/// Reads Red Hat's documents: an archive, or one by itself. The list of deleted
/// documents comes before; the archive may still have what was deleted since.
pub(crate) fn read_red_hat(
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    if name.ends_with("deletions.csv") {
        let list = bytes_of(content, MAX_LIST, intake)?;
        for (name, day) in entries(&list)? {
            intake.leave_out(name, day);
        }
        return Ok(());
    }
    if let Some(day) = day_in(name) {
        intake.archived_on(day);
    }
    read(&RED_HAT, content, name, intake)
}

/// Reads SUSE's documents: an archive, or one by itself.
pub(crate) fn read_suse(
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(&SUSE, content, name, intake)
}

fn read(
    dialect: &Dialect,
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let is_document = matches!(content.fill_buf()?.first(), Some(b'{'));
    content.seek(SeekFrom::Start(0))?;
    if is_document {
        let bytes = bytes_of(content, MAX_DOCUMENT, intake)?;
        return read_document(dialect, &bytes, intake).or_else(|error| {
            intake.refuse(name, error);
            Ok(())
        });
    }
    each_file_within(MAX_DOCUMENT, content, intake, &mut |name, bytes, intake| {
        // Lists, checksums and signatures lie beside the documents.
        if is_json(name) {
            read_document(dialect, bytes, intake)?;
        }
        Ok(())
    })
}

fn read_document(
    dialect: &Dialect,
    bytes: &[u8],
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let document: Document<'_> = serde_json::from_slice(bytes)?;
    let category = document.front.category.as_str();
    if category != "csaf_vex" {
        return Err(VendorError::Missing {
            what: "the category `csaf_vex`",
        });
    }
    let products = Products::of(&document.product_tree);
    if document.vulnerabilities.is_empty() {
        // The vendor has rated it and ships nothing that it concerns.
        intake.take(advisory(dialect, &document, None, intake)?);
    }
    for vulnerability in &document.vulnerabilities {
        let mut advisory = advisory(dialect, &document, Some(vulnerability), intake)?;
        advisory.statements = statements(dialect, &products, vulnerability);
        intake.take(advisory);
    }
    Ok(())
}

/// Whether a name or an address ends as documents do.
fn is_json(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("json"))
}

/// The advisory without its statements.
fn advisory(
    dialect: &Dialect,
    document: &Document<'_>,
    vulnerability: Option<&Vulnerability<'_>>,
    intake: &Intake<'_>,
) -> Result<Advisory, VendorError> {
    let front = &document.front;
    let id = vulnerability
        .and_then(|it| it.cve.as_ref())
        .unwrap_or(&front.tracking.id)
        .as_str();
    if !is_id(id) {
        return Err(VendorError::Missing {
            what: "an id of the vulnerability",
        });
    }
    let mut advisory = intake.advisory(id);
    advisory.summary = summary(id, front, vulnerability);
    let day = |text: Option<&Text<'_>>| text.and_then(|it| it.as_str().parse::<Day>().ok());
    advisory.published = day(vulnerability
        .and_then(|it| it.release_date.as_ref())
        .or(front.tracking.initial_release_date.as_ref()));
    advisory.modified = day(front.tracking.current_release_date.as_ref());
    advisory.references = links(
        front
            .references
            .iter()
            .chain(vulnerability.iter().flat_map(|it| &it.references))
            .map(|reference| {
                let own = reference
                    .category
                    .as_ref()
                    .is_some_and(|it| it.as_str() == "self");
                // A document's own address leads to JSON.
                (
                    own && !is_json(reference.url.as_str()),
                    reference.url.as_str(),
                )
            }),
    );
    advisory.ratings = ratings(dialect, document, vulnerability);
    Ok(advisory)
}

/// The title, or where that only repeats the id what a note says.
fn summary(id: &str, front: &Front<'_>, vulnerability: Option<&Vulnerability<'_>>) -> Box<str> {
    let title = vulnerability
        .and_then(|it| it.title.as_ref())
        .or(front.title.as_ref())
        .map_or("", Text::as_str);
    let note = vulnerability
        .map_or(&front.notes, |it| &it.notes)
        .iter()
        .find(|note| matches!(note.category.as_str(), "description" | "general"))
        .map(|note| note.text.as_str())
        .filter(|_| title.is_empty() || title.ends_with(id));
    one_line(note.unwrap_or(title))
}

fn ratings(
    dialect: &Dialect,
    document: &Document<'_>,
    vulnerability: Option<&Vulnerability<'_>>,
) -> Vec<Rating> {
    let mut found: BTreeSet<Rating> = BTreeSet::new();
    if let Some(vulnerability) = vulnerability {
        for score in &vulnerability.scores {
            for vector in [&score.v2, &score.v3, &score.v4] {
                let text = vector.as_ref().and_then(|it| it.vector.as_ref());
                found.extend(text.and_then(|it| of_vector(dialect.source, it.as_str())));
            }
        }
    }
    let impacts = vulnerability
        .iter()
        .flat_map(|it| &it.threats)
        .filter(|threat| threat.category.as_str() == "impact")
        .filter_map(|threat| of_word(dialect.source, threat.details.as_str()));
    let mut words: BTreeSet<Rating> = impacts.collect();
    if words.is_empty() {
        let level = document.front.aggregate_severity.as_ref();
        words.extend(level.and_then(|it| of_word(dialect.source, it.text.as_str())));
    }
    found.extend(words);
    found.into_iter().collect()
}

/// Everything a document says of one name.
#[derive(Default)]
struct Said {
    fixes: BTreeSet<Fixed>,
    open: Option<Fix>,
    is_under_review: bool,
    why_not: Option<Box<str>>,
}

fn statements(
    dialect: &Dialect,
    products: &Products<'_>,
    vulnerability: &Vulnerability<'_>,
) -> Vec<Statement> {
    let mut said: BTreeMap<PackageKey, Said> = BTreeMap::new();
    let mut about = |id: &Text<'_>, fixed: bool, say: &mut dyn FnMut(&mut Said, &Package)| {
        let Some((item, product)) = products.package_in_product(id.as_str()) else {
            return;
        };
        let Some(ecosystem) = (dialect.ecosystem_of)(product) else {
            return;
        };
        let Some(package) = (dialect.package_of)(item, product, fixed) else {
            return;
        };
        let key = |stream: Option<&str>| {
            let mark = if package.is_source { "src:" } else { "" };
            let stream = stream.map_or(String::new(), |stream| format!("{stream}/"));
            PackageKey {
                ecosystem: ecosystem.clone(),
                name: format!("{mark}{stream}{}", package.name).into(),
            }
        };
        let stream = match (&package.module, package.version.as_deref()) {
            (Some(module), _) => Some(&**module),
            (None, Some(version)) if fixed && is_modular(version) => Some(upstream_major(version)),
            (None, _) => None,
        };
        if stream.is_none() || fixed {
            say(said.entry(key(None)).or_default(), &package);
        }
        if stream.is_some() {
            say(said.entry(key(stream)).or_default(), &package);
        }
    };

    let status = &vulnerability.product_status;
    for id in [&status.fixed, &status.first_fixed, &status.recommended]
        .into_iter()
        .flatten()
    {
        about(id, true, &mut |said, package| {
            said.fixes
                .extend(package.version.as_ref().map(|version| Fixed {
                    module: package.module.clone(),
                    version: version.clone(),
                }));
        });
    }
    let mut plans: HashMap<&str, Fix> = HashMap::new();
    for remediation in &vulnerability.remediations {
        let fix = match remediation.category.as_str() {
            "no_fix_planned" => Fix::WontFix,
            "none_available" => Fix::NotYet,
            _ => continue,
        };
        plans.extend(remediation.product_ids.iter().map(|id| (id.as_str(), fix)));
    }
    for id in &status.known_affected {
        let fix = plans.get(id.as_str()).copied().unwrap_or_default();
        about(id, false, &mut |said, _| {
            // Of several products, the one that still means to fix it speaks.
            said.open = Some(match said.open {
                None => fix,
                Some(before) if before == fix => fix,
                Some(_) => Fix::NotYet,
            });
        });
    }
    for id in &status.under_investigation {
        about(id, false, &mut |said, _| said.is_under_review = true);
    }
    let mut reasons: HashMap<&str, &str> = HashMap::new();
    for flag in &vulnerability.flags {
        let label = flag.label.as_str();
        reasons.extend(flag.product_ids.iter().map(|id| (id.as_str(), label)));
    }
    for id in &status.known_not_affected {
        let reason = reasons
            .get(id.as_str())
            .copied()
            .unwrap_or("no_reason_given");
        about(id, false, &mut |said, package| {
            // One build of one stream does not speak for the others.
            let is_of_a_stream =
                package.version.as_deref().is_some_and(is_modular) && package.module.is_none();
            if !is_of_a_stream {
                said.why_not
                    .get_or_insert_with(|| one_line(&reason.replace('_', " ")));
            }
        });
    }
    settled(said)
}

/// One stance for each name.
fn settled(said: BTreeMap<PackageKey, Said>) -> Vec<Statement> {
    // Fixed binaries say all there is to say of their source.
    let with_binaries: BTreeSet<Ecosystem> = said
        .iter()
        .filter(|(about, said)| !said.fixes.is_empty() && !about.name.starts_with("src:"))
        .map(|(about, _)| about.ecosystem.clone())
        .collect();
    let fixed_streams: BTreeSet<PackageKey> = said
        .iter()
        .filter(|(_, said)| !said.fixes.is_empty())
        .map(|(about, _)| PackageKey {
            ecosystem: about.ecosystem.clone(),
            name: bare(&about.name).into(),
        })
        .filter(|about| about.name.contains('/'))
        .collect();
    let mut statements = Vec::new();
    for (about, said) in said {
        // So does the fix in a module's stream, even if the document still has the
        // stream among the affected.
        if said.fixes.is_empty() && is_fixed_stream(&about, &fixed_streams) {
            continue;
        }
        let stance = if !said.fixes.is_empty() {
            if about.name.starts_with("src:") && with_binaries.contains(&about.ecosystem) {
                continue;
            }
            Stance::Affected {
                intervals: branches::intervals(&said.fixes),
                versions: Vec::new(),
                fix: Fix::AsRanges,
            }
        } else if let Some(fix) = said.open {
            Stance::Affected {
                intervals: vec![AffectedInterval {
                    from: None,
                    upper: Upper::Open,
                }],
                versions: Vec::new(),
                fix,
            }
        } else if said.is_under_review {
            Stance::UnderReview
        } else if let Some(why) = said.why_not {
            Stance::NotAffected { why }
        } else {
            continue;
        };
        statements.push(Statement { about, stance });
    }
    statements
}

/// A name without the mark of sources.
fn bare(name: &str) -> &str {
    name.strip_prefix("src:").unwrap_or(name)
}

/// Whether `about` is a package of a module's stream that has a fix. Where the fix
/// does not tell its stream, its major version does.
fn is_fixed_stream(about: &PackageKey, fixed: &BTreeSet<PackageKey>) -> bool {
    let Some((module, package)) = bare(&about.name).split_once('/') else {
        return false;
    };
    let stream = module.split_once(':').map_or(module, |(_, stream)| stream);
    [module, stream].into_iter().any(|stream| {
        fixed.contains(&PackageKey {
            ecosystem: about.ecosystem.clone(),
            name: format!("{stream}/{package}").into(),
        })
    })
}

/// Whether `text` can be a package's name, a version or a part of either.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b'"' | b'\\'))
}

/// Whether a package only helps to debug another.
fn is_debugging(name: &str) -> bool {
    name.contains("-debuginfo") || name.ends_with("-debugsource")
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
        let mut lines = vec![format!("{} {}", advisory.id, advisory.summary)];
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
                    let mut said: Vec<String> = intervals
                        .iter()
                        .map(|it| format!("[{}..{:?}]", it.from.as_deref().unwrap_or(""), it.upper))
                        .collect();
                    if *fix != Fix::AsRanges {
                        said.push(format!("{fix:?}"));
                    }
                    said.join(" ")
                }
                Stance::NotAffected { why } => format!("not affected: {why}"),
                Stance::UnderReview => "under review".to_owned(),
            };
            lines.push(format!("{} {}: {said}", about.ecosystem, about.name));
        }
        lines.join("\n")
    }

    const SMALL: &str = r#"{
        "document": {"category": "csaf_vex", "title": "a flaw", "aggregate_severity": {"text": "Important"},
            "references": [{"category": "external", "url": "https://b/2"}, {"category": "self", "url": "https://a/cve/1"},
                {"category": "self", "url": "https://a/cve-1.json"}],
            "tracking": {"id": "CVE-2024-1", "current_release_date": "2024-05-06T00:00:00Z"}},
        "product_tree": {"branches": [{"category": "vendor", "name": "Red Hat", "branches": [
            {"category": "product_name", "name": "8", "product": {"product_id": "red_hat_enterprise_linux_8", "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:8"}}},
            {"category": "product_name", "name": "8.10", "product": {"product_id": "BaseOS-8.10", "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:8::baseos"}}},
            {"category": "product_name", "name": "8.6", "product": {"product_id": "BaseOS-8.6.EUS", "product_identification_helper": {"cpe": "cpe:/o:redhat:rhel_eus:8.6::baseos"}}},
            {"category": "product_version", "name": "a", "product": {"product_id": "a-0:1-1.el8_6.x86_64", "product_identification_helper": {"purl": "pkg:rpm/redhat/a@1-1.el8_6?arch=x86_64"}}},
            {"category": "product_version", "name": "a", "product": {"product_id": "a-0:1-1.el8_6.src", "product_identification_helper": {"purl": "pkg:rpm/redhat/a@1-1.el8_6?arch=src"}}},
            {"category": "product_version", "name": "b", "product": {"product_id": "b", "product_identification_helper": {"purl": "pkg:rpm/redhat/b?arch=src"}}},
            {"category": "product_version", "name": "c", "product": {"product_id": "c::m:1", "product_identification_helper": {"purl": "pkg:rpm/redhat/c?rpmmod=m:1"}}}]}],
          "relationships": [
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "BaseOS-8.6.EUS:a-0:1-1.el8_6.x86_64"}, "product_reference": "a-0:1-1.el8_6.x86_64", "relates_to_product_reference": "BaseOS-8.6.EUS"},
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "BaseOS-8.6.EUS:a-0:1-1.el8_6.src"}, "product_reference": "a-0:1-1.el8_6.src", "relates_to_product_reference": "BaseOS-8.6.EUS"},
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "red_hat_enterprise_linux_8:a"}, "product_reference": "a", "relates_to_product_reference": "red_hat_enterprise_linux_8"},
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "red_hat_enterprise_linux_8:b"}, "product_reference": "b", "relates_to_product_reference": "red_hat_enterprise_linux_8"},
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "red_hat_enterprise_linux_8:c::m:1"}, "product_reference": "c::m:1", "relates_to_product_reference": "red_hat_enterprise_linux_8"},
            {"category": "default_component_of", "full_product_name": {"name": "x", "product_id": "red_hat_enterprise_linux_8:d"}, "product_reference": "d", "relates_to_product_reference": "red_hat_enterprise_linux_8"}]},
        "vulnerabilities": [{"cve": "CVE-2024-1", "title": "a: it breaks",
            "product_status": {"fixed": ["BaseOS-8.6.EUS:a-0:1-1.el8_6.x86_64", "BaseOS-8.6.EUS:a-0:1-1.el8_6.src"],
                "known_affected": ["red_hat_enterprise_linux_8:a", "red_hat_enterprise_linux_8:c::m:1"],
                "known_not_affected": ["red_hat_enterprise_linux_8:b", "nobody:knows"],
                "under_investigation": ["red_hat_enterprise_linux_8:d"]},
            "flags": [{"label": "vulnerable_code_not_present", "product_ids": ["red_hat_enterprise_linux_8:b"]}],
            "remediations": [{"category": "no_fix_planned", "details": "Will not fix", "product_ids": ["red_hat_enterprise_linux_8:a"]},
                {"category": "none_available", "details": "Fix deferred", "product_ids": ["red_hat_enterprise_linux_8:c::m:1"]}],
            "scores": [{"cvss_v3": {"vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}, "products": []}],
            "threats": [{"category": "impact", "details": "Moderate"}, {"category": "exploit_status", "details": "none"}]}]}"#;

    #[test]
    fn a_document_says_every_stance_and_a_minor_streams_fix_is_its_own() {
        let (advisories, _) = read_with(read_red_hat, "x.json", SMALL.as_bytes());
        insta::assert_snapshot!(show(advisories.first().unwrap()), @r#"
        CVE-2024-1 a: it breaks
        Red Hat CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H high
        Red Hat Moderate medium
        Red Hat:8 m:1/c: [..Open] NotYet
        Red Hat:8 src:a: [..Open] WontFix
        Red Hat:8 src:b: not affected: vulnerable code not present
        Red Hat:8 src:d: under review
        Red Hat:eus:8.6 a: [..Fixed("1-1.el8_6")]
        "#);
        assert_eq!(
            advisories.first().unwrap().references.join(" "),
            "https://a/cve/1 https://b/2 https://a/cve-1.json"
        );
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for (text, expected) in [
            ("{", "x.json: not the JSON it should be"),
            ("{\"document\": 7}", "x.json: not the JSON it should be"),
            (
                r#"{"document": {"category": "csaf_security_advisory", "tracking": {"id": "RHSA-1"}}}"#,
                "x.json: the category `csaf_vex` is missing",
            ),
            (
                r#"{"document": {"category": "csaf_vex", "tracking": {"id": "a b"}}}"#,
                "x.json: an id of the vulnerability is missing",
            ),
        ] {
            let (advisories, taken) = read_with(read_red_hat, "x.json", text.as_bytes());
            assert!(advisories.is_empty());
            assert_eq!(refusals(&taken), expected);
        }
    }

    fn refusals(taken: &Taken) -> String {
        let lines: Vec<String> = taken
            .refusals
            .iter()
            .map(|it| format!("{}: {}", it.what, it.why))
            .collect();
        lines.join("\n")
    }

    fn sample(path: &str) -> Option<Vec<u8>> {
        let root = seaworthy_testkit::shared()?;
        Some(fs::read(root.join("feeds/vendor").join(path)).unwrap())
    }

    fn counted(advisories: &[Advisory], taken: &Taken) -> String {
        let mut stances: BTreeMap<&str, usize> = BTreeMap::new();
        for statement in advisories.iter().flat_map(|it| &it.statements) {
            let stance = match &statement.stance {
                Stance::Affected {
                    fix: Fix::AsRanges, ..
                } => "affected",
                Stance::Affected {
                    fix: Fix::WontFix, ..
                } => "will not be fixed",
                Stance::Affected {
                    fix: Fix::NotYet, ..
                } => "not fixed yet",
                Stance::NotAffected { .. } => "not affected",
                Stance::UnderReview => "under review",
            };
            *stances.entry(stance).or_default() += 1;
        }
        format!(
            "{} records, {} refused, {stances:?}",
            taken.records, taken.refused
        )
    }

    /// The statements of one advisory about some packages.
    fn about(advisories: &[Advisory], id: &str, names: &[&str]) -> String {
        let mut advisory = advisories.iter().find(|it| &*it.id == id).unwrap().clone();
        advisory
            .statements
            .retain(|it| names.contains(&&*it.about.name));
        show(&advisory)
    }

    #[test]
    fn red_hats_archive_is_read_whole() {
        let Some(bytes) = sample("redhat/csaf/v2/vex/csaf_vex_2026-03-25.tar.zst") else {
            return;
        };
        let (advisories, taken) = read_with(read_red_hat, "csaf_vex_2026-03-25.tar.zst", &bytes);
        insta::assert_snapshot!(counted(&advisories, &taken), @r#"52 records, 0 refused, {"affected": 3799, "not affected": 4487, "not fixed yet": 275, "will not be fixed": 84}"#);
        insta::assert_snapshot!(about(&advisories, "CVE-2023-38545", &["curl", "src:curl"]), @r#"
        CVE-2023-38545 curl: heap based buffer overflow in the SOCKS5 proxy handshake
        Red Hat CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H high
        Red Hat Important high
        Red Hat:6 curl: not affected: vulnerable code not present
        Red Hat:6 src:curl: not affected: vulnerable code not present
        Red Hat:7 curl: not affected: vulnerable code not present
        Red Hat:7 src:curl: not affected: vulnerable code not present
        Red Hat:8 curl: not affected: vulnerable code not present
        Red Hat:8 src:curl: not affected: vulnerable code not present
        Red Hat:9 curl: [..Fixed("7.76.1-23.el9_2.4")] [7.76.1-24..Fixed("7.76.1-26.el9_3.2")]
        Red Hat:eus:9.0 curl: [..Fixed("7.76.1-14.el9_0.9")]
        "#);
        insta::assert_snapshot!(about(&advisories, "CVE-2023-2454", &["postgresql", "src:postgresql", "src:postgresql:15/postgresql", "postgresql:15/postgresql"]), @r#"
        CVE-2023-2454 postgresql: schema_element defeats protective search_path changes
        Red Hat CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H high
        Red Hat Moderate medium
        Red Hat:6 src:postgresql: [..Open] WontFix
        Red Hat:7 src:postgresql: [..Open] WontFix
        Red Hat:8 postgresql: [..Fixed("10.23-2.module+el8.8.0+19493+5804baf6")] [..Fixed("12.15-1.module+el8.8.0+19427+d1071523")] [..Fixed("13.11-1.module+el8.8.0+19081+0a277c66")] [..Fixed("15.3-1.module+el8.8.0+19565+1b0ddae0")]
        Red Hat:9 postgresql: [..Fixed("13.11-1.el9_2")] [..Fixed("15.3-1.module+el9.2.0.z+19113+6f5d9d63")]
        "#);
        insta::assert_snapshot!(about(&advisories, "CVE-2023-2454", &["13/postgresql", "15/postgresql", "src:15/postgresql"]), @r#"
        CVE-2023-2454 postgresql: schema_element defeats protective search_path changes
        Red Hat CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H high
        Red Hat Moderate medium
        Red Hat:8 13/postgresql: [..Fixed("13.11-1.module+el8.8.0+19081+0a277c66")]
        Red Hat:8 15/postgresql: [..Fixed("15.3-1.module+el8.8.0+19565+1b0ddae0")]
        Red Hat:9 15/postgresql: [..Fixed("15.3-1.module+el9.2.0.z+19113+6f5d9d63")]
        "#);
        insta::assert_snapshot!(about(&advisories, "CVE-2025-40907", &["0/perl-FCGI", "src:perl-FCGI:0.78/perl-FCGI", "perl-FCGI:0.78/perl-FCGI"]), @r#"
        CVE-2025-40907 perl-fcgi: FCGI versions 0.44 through 0.82, for Perl, include a vulnerable version of the FastCGI fcgi2 (aka fcgi) library
        Red Hat CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H high
        Red Hat Important high
        Red Hat:8 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-12.module+el8.10.0+23147+df114ff4")]
        Red Hat:aus:8.2 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.2.0+23234+edafdda3.1")]
        Red Hat:aus:8.4 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.4.0+23209+97efe810.1")]
        Red Hat:aus:8.6 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.6.0+23193+c3786137.1")]
        Red Hat:e4s:8.6 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.6.0+23193+c3786137.1")]
        Red Hat:e4s:8.8 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.8.0+23188+d1e34d64.1")]
        Red Hat:tus:8.6 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.6.0+23193+c3786137.1")]
        Red Hat:tus:8.8 perl-FCGI:0.78/perl-FCGI: [..Fixed("1:0.78-11.module+el8.8.0+23188+d1e34d64.1")]
        "#);
        insta::assert_snapshot!(about(&advisories, "CVE-2026-27142", &["go-toolset:rhel8/golang", "src:go-toolset:rhel8/golang", "golang", "src:golang"]), @r"
        CVE-2026-27142 html/template: URLs in meta content attribute actions are not escaped in html/template
        Red Hat CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N medium
        Red Hat Moderate medium
        Red Hat:10 golang: [..Open] NotYet
        Red Hat:10 src:golang: [..Open] NotYet
        Red Hat:8 go-toolset:rhel8/golang: [..Open] NotYet
        Red Hat:8 src:go-toolset:rhel8/golang: [..Open] NotYet
        Red Hat:9 golang: [..Open] NotYet
        Red Hat:9 src:golang: [..Open] NotYet
        Red Hat:enterprise_linux_ai:3 src:golang: [..Open] NotYet
        ");
        insta::assert_snapshot!(about(&advisories, "CVE-2026-0968", &["libssh", "src:libssh", "libssh2"]), @r"
        CVE-2026-0968 libssh: libssh: Denial of Service due to malformed SFTP message
        Red Hat CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:N/A:L low
        Red Hat Low low
        Red Hat:10 libssh: [..Open] NotYet
        Red Hat:10 src:libssh: [..Open] NotYet
        Red Hat:6 libssh2: not affected: vulnerable code not present
        Red Hat:7 libssh2: not affected: vulnerable code not present
        Red Hat:8 libssh: [..Open] NotYet
        Red Hat:8 src:libssh: [..Open] NotYet
        Red Hat:9 libssh: [..Open] NotYet
        Red Hat:9 src:libssh: [..Open] NotYet
        ");
    }

    #[test]
    fn suses_archive_is_read_whole() {
        let Some(bytes) = sample("suse/projects/security/csaf-vex.tar.bz2") else {
            return;
        };
        let (advisories, taken) = read_with(read_suse, "csaf-vex.tar.bz2", &bytes);
        insta::assert_snapshot!(counted(&advisories, &taken), @r#"2 records, 0 refused, {"affected": 32, "not affected": 677}"#);
        insta::assert_snapshot!(about(&advisories, "CVE-2023-5568", &["samba-client-libs"]), @r#"
        CVE-2023-5568 A heap-based Buffer Overflow flaw was discovered in Samba. It could allow a remote, authenticated attacker to exploit this vulnerability to cause a denial of service.
        SUSE CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H medium
        SUSE moderate medium
        SUSE:12.5 samba-client-libs: not affected: no reason given
        SUSE:15.3 samba-client-libs: not affected: no reason given
        SUSE:15.4 samba-client-libs: not affected: no reason given
        SUSE:15.5 samba-client-libs: not affected: no reason given
        SUSE:Enterprise Storage 7.1 samba-client-libs: not affected: no reason given
        SUSE:Manager Proxy 4.2 samba-client-libs: not affected: no reason given
        SUSE:Manager Retail Branch Server 4.2 samba-client-libs: not affected: no reason given
        SUSE:Manager Server 4.2 samba-client-libs: not affected: no reason given
        SUSE:Micro 5.2 samba-client-libs: not affected: no reason given
        SUSE:Micro 5.3 samba-client-libs: not affected: no reason given
        SUSE:Micro 5.4 samba-client-libs: not affected: no reason given
        SUSE:Micro 5.5 samba-client-libs: not affected: no reason given
        SUSE:Micro 6.0 samba-client-libs: [..Fixed("4.19.4+git.339.acf1ccaa02-1.22")]
        openSUSE:Tumbleweed samba-client-libs: [..Fixed("4.19.2+git.322.7e9201cef5-1.1")]
        "#);
        insta::assert_snapshot!(about(&advisories, "CVE-1999-0003", &[]), @r"
        CVE-1999-0003 Execute commands as root via buffer overflow in Tooltalk database server (rpc.ttdbserverd).
        SUSE critical critical
        ");
    }

    #[test]
    fn what_was_deleted_since_the_archive_is_left_out() {
        let mut archive = tar::Builder::new(Vec::new());
        for name in ["2024/cve-2024-1.json", "2024/cve-2024-1.json.asc"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(SMALL.len()).unwrap());
            archive
                .append_data(&mut header, name, SMALL.as_bytes())
                .unwrap();
        }
        let archive = archive.into_inner().unwrap();
        let limits = Limits::default();
        for (day, expected) in [("2026-03-24", 1), ("2026-03-26", 0)] {
            let mut count = 0;
            let mut sink = |_| count += 1;
            let mut intake = Intake::new("test", &limits, &mut sink);
            let list = format!("\"2024/cve-2024-1.json\",\"{day}T00:00:00Z\"\n");
            read_red_hat(&mut Cursor::new(list), "x/deletions.csv", &mut intake).unwrap();
            let name = "csaf_vex_2026-03-25.tar.zst";
            read_red_hat(&mut Cursor::new(&archive), name, &mut intake).unwrap();
            assert_eq!(count, expected);
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
            for read in [read_red_hat, read_suse] {
                let mut intake = Intake::new("test", &limits, &mut sink);
                let _ = read(&mut Cursor::new(&bytes), "x.json", &mut intake);
            }
        }
    }
}
