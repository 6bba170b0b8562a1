//! Documents of the Common Security Advisory Framework that say, for one
//! vulnerability, what every product's packages are: fixed, affected, not
//! affected, or not looked at yet.
//!
//! A statement is about a *package in a product*; products that ship the same
//! packages are one ecosystem. Where a document says several things of one name
//! there, a fix says most, and "not affected" least.
//!
//! A source package is a name of its own, `src:openssl`: an rpm's binaries have
//! names that a source of the same name need not build. What is said of a module's
//! stream and names no version is said of `nodejs:18/nodejs` (a source's of
//! `src:nodejs:18/nodejs`), because other streams of the module are not meant.

mod branches;
mod document;
mod redhat;
mod suse;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::SeekFrom;

use seaworthy_core::{
    Advisory, AffectedInterval, Day, Ecosystem, Fix, PackageKey, Rating, Stance, Statement, Upper,
};

use self::branches::Fixed;
use self::document::{Document, Item, Products, Text, Vulnerability};
pub use self::redhat::red_hat_ecosystem;
use super::packed::{bytes_of, each_file_within};
use super::{Content, Intake, VendorError};
use crate::osv::{is_id, links, of_vector, of_word, one_line};

/// Bytes of one document. The largest have some 50 MB: a flaw in a library of every
/// product, each package in every architecture.
const MAX_DOCUMENT: u64 = 256 << 20;

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

/// Reads Red Hat's documents: an archive, or one by itself.
pub(crate) fn read_red_hat(
    content: &mut dyn Content,
    name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
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
        return read_document(dialect, &bytes, intake)
            .or_else(|error| {
                intake.refuse(name, error);
                Ok(())
            });
    }
    each_file_within(MAX_DOCUMENT, content, intake, &mut |name, bytes, intake| {
        // Lists, checksums and signatures lie beside the documents.
        if name.ends_with(".json") {
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
    let category = document.document.category.as_str();
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

/// The advisory without its statements.
fn advisory(
    dialect: &Dialect,
    document: &Document<'_>,
    vulnerability: Option<&Vulnerability<'_>>,
    intake: &Intake<'_>,
) -> Result<Advisory, VendorError> {
    let front = &document.document;
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
    advisory.summary = vulnerability
        .and_then(|it| it.title.as_ref())
        .or(front.title.as_ref())
        .map(|title| one_line(title.as_str()))
        .unwrap_or_default();
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
                let own = reference.category.as_ref().is_some_and(|it| it.as_str() == "self");
                // A document's own address leads to JSON.
                (own && !reference.url.as_str().ends_with(".json"), reference.url.as_str())
            }),
    );
    advisory.ratings = ratings(dialect, document, vulnerability);
    Ok(advisory)
}

fn ratings(
    dialect: &Dialect,
    document: &Document<'_>,
    vulnerability: Option<&Vulnerability<'_>>,
) -> Vec<Rating> {
    let mut found: BTreeSet<Rating> = BTreeSet::new();
    if let Some(vulnerability) = vulnerability {
        for score in &vulnerability.scores {
            for vector in [&score.cvss_v2, &score.cvss_v3, &score.cvss_v4] {
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
        let level = document.document.aggregate_severity.as_ref();
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
    let mut about = |id: &Text<'_>, fixed: bool, say: &mut dyn FnMut(&mut Said, Package)| {
        let Some((item, product)) = products.package_in_product(id.as_str()) else {
            return;
        };
        let Some(ecosystem) = (dialect.ecosystem_of)(product) else {
            return;
        };
        let Some(package) = (dialect.package_of)(item, product, fixed) else {
            return;
        };
        let mut name = String::new();
        if package.is_source {
            name.push_str("src:");
        }
        if let Some(module) = package.module.as_deref().filter(|_| !fixed) {
            name.push_str(module);
            name.push('/');
        }
        name.push_str(&package.name);
        let key = PackageKey {
            ecosystem,
            name: name.into(),
        };
        say(said.entry(key).or_default(), package);
    };

    let status = &vulnerability.product_status;
    for id in [&status.fixed, &status.first_fixed, &status.recommended]
        .into_iter()
        .flatten()
    {
        about(id, true, &mut |said, package| {
            said.fixes.extend(package.version.map(|version| Fixed {
                module: package.module,
                version,
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
        let reason = reasons.get(id.as_str()).copied().unwrap_or("no_reason_given");
        about(id, false, &mut |said, package| {
            // One build of one stream does not speak for the others.
            let is_of_a_stream = package.version.as_deref().is_some_and(branches::is_modular)
                && package.module.is_none();
            if !is_of_a_stream {
                said.why_not.get_or_insert_with(|| one_line(&reason.replace('_', " ")));
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
    let mut statements = Vec::new();
    for (about, said) in said {
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
