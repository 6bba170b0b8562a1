//! What is in an image and what is known of that: packages, findings, the SBOM.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use seaworthy_core::{ImageFacts, Policy, Report, Severity, Verdict};
use seaworthy_report::{cyclonedx, v1};
use seaworthy_store::ImageRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::report::image;
use crate::form::{Asked, OfImage};
use crate::kept::Kept;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// Something installed.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub(crate) struct PackageDocument {
    /// The package URL type.
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
    /// Its package URL.
    purl: String,
    /// The machine architecture, where recorded.
    architecture: Option<String>,
    /// Name and version of the source package, where recorded.
    source: Option<SourceDocument>,
    /// The files that say so.
    paths: Vec<String>,
}

/// The source package a binary package was built from.
#[derive(Serialize, ToSchema)]
#[schema(as = SourcePackage)]
pub(crate) struct SourceDocument {
    name: String,
    version: String,
}

/// A package with a vulnerability. The evidence is in the report.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct FindingDocument {
    /// A CVE id where there is one.
    vulnerability: String,
    /// Other names of it.
    aliases: Vec<String>,
    /// One line for people.
    summary: String,
    /// The level that the policy looks at; absent where nobody rated it.
    severity: Option<SeverityWord>,
    /// What can be done.
    fix: FixWord,
    /// Versions that fix it, lowest sufficient first.
    fixed_in: Vec<String>,
    /// Whether it is in the catalogue of exploited vulnerabilities.
    known_exploited: bool,
    /// How likely it is exploited within 30 days, from 0 to 1.
    epss: Option<f64>,
    /// Whether it is of a kernel, which no container runs.
    kernel: bool,
    /// The package.
    package: PackageDocument,
    /// Links.
    references: Vec<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Severity)]
pub(crate) enum SeverityWord {
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

/// What can be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Fix)]
pub(crate) enum FixWord {
    Fixed,
    Subscription,
    WontFix,
    NotYet,
    UnderReview,
    Unknown,
}

impl From<v1::Severity> for SeverityWord {
    fn from(severity: v1::Severity) -> Self {
        match severity {
            v1::Severity::Negligible => Self::Negligible,
            v1::Severity::Low => Self::Low,
            v1::Severity::Medium => Self::Medium,
            v1::Severity::High => Self::High,
            v1::Severity::Critical => Self::Critical,
        }
    }
}

impl From<Severity> for SeverityWord {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Negligible => Self::Negligible,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

fn fix_of(fix: &v1::Fix<'_>) -> (FixWord, Vec<String>) {
    let texts =
        |versions: &[std::borrow::Cow<'_, str>]| versions.iter().map(ToString::to_string).collect();
    match fix {
        v1::Fix::Fixed { versions } => (FixWord::Fixed, texts(versions)),
        v1::Fix::Subscription { versions } => (FixWord::Subscription, texts(versions)),
        v1::Fix::WontFix => (FixWord::WontFix, Vec::new()),
        v1::Fix::NotYet => (FixWord::NotYet, Vec::new()),
        v1::Fix::UnderReview => (FixWord::UnderReview, Vec::new()),
        v1::Fix::Unknown => (FixWord::Unknown, Vec::new()),
    }
}

fn package(package: &v1::Package<'_>) -> PackageDocument {
    let text = |it: &std::borrow::Cow<'_, str>| it.to_string();
    PackageDocument {
        kind: text(&package.kind),
        name: text(&package.name),
        version: text(&package.version),
        purl: text(&package.purl),
        architecture: package.architecture.as_ref().map(text),
        source: package.source.as_ref().map(|source| SourceDocument {
            name: text(&source.name),
            version: text(&source.version),
        }),
        paths: package.seen.iter().map(|seen| text(&seen.path)).collect(),
    }
}

fn finding(report: &v1::Image<'_>, found: &v1::Finding<'_>) -> Option<FindingDocument> {
    let (fix, fixed_in) = fix_of(&found.fix);
    Some(FindingDocument {
        vulnerability: found.vulnerability.to_string(),
        aliases: found.aliases.iter().map(ToString::to_string).collect(),
        summary: found.summary.to_string(),
        severity: found.severity.map(SeverityWord::from),
        fix,
        fixed_in,
        known_exploited: found.known_exploited.is_some(),
        epss: found.epss.as_ref().map(|epss| epss.probability),
        kernel: found.kernel,
        package: package(report.packages.get(found.package)?),
        references: found.references.iter().map(ToString::to_string).collect(),
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListPackages {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those of this package URL type, such as `deb`.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// Only those with this name.
    name: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListFindings {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those of exactly this severity.
    #[param(inline)]
    severity: Option<SeverityWord>,
    /// Only those of this severity or worse. Findings that nobody rated are not among
    /// them.
    #[param(inline)]
    min_severity: Option<SeverityWord>,
    /// Only those about which this can be done.
    #[param(inline)]
    fix: Option<FixWord>,
    /// Only those of packages with this name.
    package: Option<String>,
    /// Only this vulnerability, by any of its names.
    vulnerability: Option<String>,
}

/// The report that is walked and the position to go on at. A walk stays with the report
/// that it began with, so that it is not disturbed by a newer one.
async fn walked(
    shared: &Shared,
    row: &ImageRow,
    window: &Window,
) -> Result<(i64, Kept, usize), Problem> {
    let ended = || Problem::malformed("`cursor` has ended: begin again");
    let (report, from) = match &window.after {
        None => (row.report.ok_or_else(Problem::absent)?, 0),
        Some(key) => {
            let (report, at) = key.split_once(':').ok_or_else(ended)?;
            let at: usize = at.parse().map_err(|_| ended())?;
            let report = report.parse().map_err(|_| ended())?;
            (report, at.checked_add(1).ok_or_else(ended)?)
        }
    };
    let kept = shared.documents.read(&shared.scans, row.id, report).await?;
    match kept {
        Some(kept) => Ok((report, kept, from)),
        None if window.after.is_some() => Err(ended()),
        None => Err(Problem::absent()),
    }
}

/// A page of those of `items` that `pick` makes something of.
fn pick<T, U>(
    items: &[T],
    report: i64,
    from: usize,
    limit: usize,
    pick: impl Fn(&T) -> Option<U>,
) -> Listed<U> {
    let mut picked = Vec::new();
    let mut last = None;
    let mut more = false;
    for (at, item) in items.iter().enumerate().skip(from) {
        let Some(item) = pick(item) else { continue };
        if picked.len() == limit {
            more = true;
            break;
        }
        picked.push(item);
        last = Some(format!("{report}:{at}"));
    }
    Listed::of(picked, last, more)
}

/// List the packages of an image
///
/// By type, name and version.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/packages",
    operation_id = "list_packages",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image."),
        ListPackages
    ),
    responses((status = 200, description = "A page of packages.", body = Listed<PackageDocument>))
)]
pub(crate) async fn packages(
    State(shared): State<Shared>,
    named: OfImage,
    Asked(asked): Asked<ListPackages>,
) -> Result<Listed<PackageDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let row = image(&shared, &named).await?;
    let (report, kept, from) = walked(&shared, &row, &window).await?;
    Ok(pick(&kept.packages, report, from, window.limit, |it| {
        let wanted = asked.kind.as_ref().is_none_or(|kind| it.kind == *kind)
            && asked.name.as_ref().is_none_or(|name| it.name == *name);
        wanted.then(|| package(it))
    }))
}

/// List the findings of an image
///
/// Of its newest report, by package, then vulnerability.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/findings",
    operation_id = "list_findings",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image."),
        ListFindings
    ),
    responses((status = 200, description = "A page of findings.", body = Listed<FindingDocument>))
)]
pub(crate) async fn findings(
    State(shared): State<Shared>,
    named: OfImage,
    Asked(asked): Asked<ListFindings>,
) -> Result<Listed<FindingDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let row = image(&shared, &named).await?;
    let (report, kept, from) = walked(&shared, &row, &window).await?;
    Ok(pick(&kept.findings, report, from, window.limit, |it| {
        let severity = it.severity.map(SeverityWord::from);
        let name = kept.packages.get(it.package).map(|package| &package.name);
        let is_called = |wanted: &String| {
            it.vulnerability == *wanted || it.aliases.iter().any(|alias| alias == wanted)
        };
        let wanted = asked.severity.is_none_or(|wanted| severity == Some(wanted))
            && asked
                .min_severity
                .is_none_or(|least| severity.is_some_and(|it| it >= least))
            && asked.fix.is_none_or(|fix| fix_of(&it.fix).0 == fix)
            && asked
                .package
                .as_ref()
                .is_none_or(|wanted| name.is_some_and(|name| name == wanted))
            && asked.vulnerability.as_ref().is_none_or(is_called);
        wanted.then(|| finding(&kept, it)).flatten()
    }))
}

/// Export the bill of materials of an image
///
/// `CycloneDX` 1.6, made of the inventory that is kept. It says what is in the image, and
/// nothing of vulnerabilities: those are in the report.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}/sbom",
    operation_id = "export_sbom",
    tag = "reports",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image.")
    ),
    responses((
        status = 200,
        description = "A CycloneDX document.",
        body = Object,
        content_type = "application/vnd.cyclonedx+json; version=1.6"
    ))
)]
pub(crate) async fn sbom(
    State(shared): State<Shared>,
    named: OfImage,
) -> Result<Response, Problem> {
    let row = image(&shared, &named).await?;
    let kept = shared.scans.inventory(row.id).await?;
    let kept = kept.ok_or_else(Problem::absent)?;
    let text = tokio::task::spawn_blocking(move || -> Result<String, Problem> {
        let target = row.target.clone();
        let report = Report {
            image: ImageFacts {
                target: target.unwrap_or_else(|| row.repository.as_str().into()),
                manifest: row.address.as_digest(),
                platform: row.platform.as_deref().and_then(|it| it.parse().ok()),
                ..ImageFacts::default()
            },
            inventory: kept.open()?,
            findings: Vec::new(),
            coverage: Vec::new(),
            edition: None,
        };
        // The document carries no verdict.
        let verdict = Verdict::default();
        Ok(cyclonedx(&seaworthy_report::Assessed {
            report: &report,
            verdict: &verdict,
            policy: &Policy::default(),
        }))
    })
    .await
    .map_err(|_| Problem::internal())??;
    let headers = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.cyclonedx+json; version=1.6"),
    )];
    Ok((headers, text).into_response())
}
