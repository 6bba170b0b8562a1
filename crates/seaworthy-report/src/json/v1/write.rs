//! From the nouns of `core` to the document.

use std::borrow::Cow;
use std::fmt::Display;

use seaworthy_core as core;
use seaworthy_core::{Inventory, PackageId, Report, package_purl};
use serde::{Serialize, Serializer};

use super::{
    Affected, Blindness, Claim, Comparison, Coverage, Distro, Document, Edition, Epss, Feed,
    FeedDate, Finding, Fix, Gap, Image, KnownExploited, Layer, Outcome, Package, Policy, Rating,
    RatingSystem, Reason, SCHEMA, Severity, Sighting, Source, SourcePackage, Tool, Verdict,
};
use crate::words;
use crate::{Assessed, exit_code, overall};

/// The document about `images`, in their order.
pub(in crate::json) fn document<'a>(images: &'a [Assessed<'a>]) -> impl Serialize + 'a {
    let outcome = overall(images);
    Document {
        schema: SCHEMA.into(),
        tool: Tool {
            name: "seaworthy".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
        outcome: outcome.into(),
        exit_code: exit_code(outcome),
        images: images.iter().map(image).collect(),
    }
}

/// A list whose items are made one by one, while they are written.
struct Each<'a, T, F> {
    of: &'a [T],
    item: F,
}

impl<'a, T, S: Serialize, F: Fn(&'a T) -> S> Serialize for Each<'a, T, F> {
    fn serialize<W: Serializer>(&self, writer: W) -> Result<W::Ok, W::Error> {
        writer.collect_seq(self.of.iter().map(&self.item))
    }
}

fn image<'a>(assessed: &'a Assessed<'a>) -> Image<'a, impl Serialize + 'a, impl Serialize + 'a> {
    let Report {
        image,
        inventory,
        findings,
        coverage,
        edition,
    } = assessed.report;
    let Inventory {
        distro,
        packages,
        gaps,
        layers,
        probes,
        // They decide which advisories count, and say nothing by themselves.
        content_sets: _,
    } = inventory;
    Image {
        target: borrowed(&image.target),
        manifest: shown(image.manifest.as_ref()),
        config: shown(image.config.as_ref()),
        platform: shown(image.platform.as_ref()),
        tags: texts(&image.tags),
        verdict: verdict(assessed.verdict, packages),
        policy: Policy {
            fail_on: assessed.policy.fail_on.into(),
            ignore_unfixed: assessed.policy.ignore_unfixed,
            max_age_days: assessed.policy.max_age_days,
            kernel_runs: assessed.policy.kernel_runs,
        },
        edition: edition.as_ref().map(|edition| Edition {
            digest: edition.digest.to_string().into(),
            starter: edition.starter,
            advisories: edition.advisories,
        }),
        distro: distro.as_ref().map(|distro| Distro {
            id: borrowed(&distro.id),
            version_id: text(distro.version_id.as_deref()),
            codename: text(distro.codename.as_deref()),
            id_like: texts(&distro.id_like),
            pretty_name: text(distro.pretty_name.as_deref()),
            path: borrowed(&distro.path),
        }),
        coverage: coverage.iter().map(coverage_of).collect(),
        findings: Each {
            of: findings,
            item: finding,
        },
        packages: Each {
            of: packages,
            item: move |package| package_of(package, distro.as_ref()),
        },
        gaps: gaps
            .iter()
            .map(|gap| Gap {
                path: borrowed(&gap.path),
                probe: borrowed(&gap.probe),
                why: borrowed(&gap.why),
                layer: gap.layer,
            })
            .collect(),
        layers: layers
            .iter()
            .map(|layer| Layer {
                digest: shown(layer.digest.as_ref()),
                diff_id: shown(layer.diff_id.as_ref()),
                created_by: text(layer.created_by.as_deref()),
            })
            .collect(),
        probes: probes.as_str().into(),
    }
}

fn borrowed(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(value)
}

fn text(value: Option<&str>) -> Option<Cow<'_, str>> {
    value.map(borrowed)
}

fn texts(values: &[Box<str>]) -> Vec<Cow<'_, str>> {
    values.iter().map(|value| borrowed(value)).collect()
}

/// What has its own way to be shown.
fn shown<T: Display>(value: Option<&T>) -> Option<Cow<'static, str>> {
    value.map(|value| value.to_string().into())
}

fn verdict<'a>(verdict: &'a core::Verdict, packages: &[core::Package]) -> Verdict<'a> {
    let name = |PackageId(position): PackageId| match packages.get(position) {
        Some(package) => format!("{} {}", package.name, package.version),
        None => "a package".to_owned(),
    };
    Verdict {
        outcome: verdict.outcome().into(),
        reasons: verdict
            .reasons
            .iter()
            .map(|reason| Reason {
                message: words::because(reason, &name(reason.package)).into(),
                package: reason.package.0,
                vulnerability: borrowed(&reason.vulnerability),
                severity: reason.severity.into(),
                fix_available: reason.fix_available,
            })
            .collect(),
        blindness: verdict.blindness.iter().map(blindness).collect(),
    }
}

fn blindness(blindness: &core::Blindness) -> Blindness<'_> {
    let message = words::sentence(blindness).into();
    let remedy = words::remedy(blindness).into();
    match blindness {
        core::Blindness::NoEdition => Blindness::NoEdition { message, remedy },
        core::Blindness::EmptyEdition => Blindness::EmptyEdition { message, remedy },
        core::Blindness::StarterEditionOnly => Blindness::StarterEditionOnly { message, remedy },
        core::Blindness::NoDistro => Blindness::NoDistro { message, remedy },
        core::Blindness::NothingFound => Blindness::NothingFound { message, remedy },
        core::Blindness::NoPackageDatabase { distro } => Blindness::NoPackageDatabase {
            message,
            remedy,
            distro: borrowed(distro),
        },
        core::Blindness::NotCovered {
            ecosystem,
            packages,
        } => Blindness::NotCovered {
            message,
            remedy,
            ecosystem: borrowed(ecosystem),
            packages: *packages,
        },
        core::Blindness::ThinlyCovered {
            ecosystem,
            packages,
            advisories,
        } => Blindness::ThinlyCovered {
            message,
            remedy,
            ecosystem: borrowed(ecosystem),
            packages: *packages,
            advisories: *advisories,
        },
        core::Blindness::EndOfLife { distro, ended } => Blindness::EndOfLife {
            message,
            remedy,
            distro: borrowed(distro),
            ended: ended.to_string().into(),
        },
        core::Blindness::Stale {
            ecosystem,
            day,
            max_age_days,
        } => Blindness::Stale {
            message,
            remedy,
            ecosystem: borrowed(ecosystem),
            day: shown(day.as_ref()),
            max_age_days: *max_age_days,
        },
        core::Blindness::NotCompared { ecosystem, names } => Blindness::NotCompared {
            message,
            remedy,
            ecosystem: borrowed(ecosystem),
            names: texts(names),
        },
        core::Blindness::UnderReview { findings } => Blindness::UnderReview {
            message,
            remedy,
            findings: *findings,
        },
        core::Blindness::Unrated { findings } => Blindness::Unrated {
            message,
            remedy,
            findings: *findings,
        },
        core::Blindness::Gaps { count } => Blindness::Gaps {
            message,
            remedy,
            count: *count,
        },
    }
}

fn coverage_of(coverage: &core::Coverage) -> Coverage<'_> {
    Coverage {
        ecosystem: borrowed(&coverage.ecosystem),
        packages: coverage.packages,
        not_compared: texts(&coverage.not_compared),
        feed: coverage.feed.as_ref().map(|feed| Feed {
            id: borrowed(&feed.id),
            advisories: feed.advisories,
            date: match feed.date {
                core::FeedDate::Fetched(day) => FeedDate::Fetched {
                    day: day.to_string().into(),
                },
                core::FeedDate::NewestRecord(day) => FeedDate::NewestRecord {
                    day: day.to_string().into(),
                },
                core::FeedDate::Unknown => FeedDate::Unknown,
            },
        }),
    }
}

fn finding(finding: &core::Finding) -> Finding<'_> {
    Finding {
        package: finding.package.0,
        vulnerability: borrowed(&finding.vulnerability),
        aliases: texts(&finding.aliases),
        summary: borrowed(&finding.summary),
        severity: finding.severity.map(Into::into),
        ratings: finding.ratings.iter().map(rating).collect(),
        fix: match &finding.fix {
            core::FixState::In(versions) => Fix::Fixed {
                versions: texts(versions),
            },
            core::FixState::Subscription(versions) => Fix::Subscription {
                versions: texts(versions),
            },
            core::FixState::WontFix => Fix::WontFix,
            core::FixState::NotYet => Fix::NotYet,
            core::FixState::UnderReview => Fix::UnderReview,
            core::FixState::Unknown => Fix::Unknown,
        },
        sources: finding.sources.iter().map(source).collect(),
        known_exploited: finding.kev.as_ref().map(|kev| KnownExploited {
            added: kev.added.to_string().into(),
            due: shown(kev.due.as_ref()),
            ransomware: kev.ransomware,
        }),
        epss: finding.epss.map(|epss| Epss {
            probability: millionths(epss.probability_millionths),
            percentile: millionths(epss.percentile_millionths),
        }),
        references: texts(&finding.references),
        kernel: finding.kernel,
    }
}

/// A share from 0 to 1. The nearest double prints with at most six digits.
fn millionths(share: u32) -> f64 {
    f64::from(share) / 1_000_000.0
}

fn rating(rating: &core::Rating) -> Rating<'_> {
    Rating {
        source: borrowed(&rating.source),
        system: match rating.system {
            core::RatingSystem::CvssV4 => RatingSystem::CvssV4,
            core::RatingSystem::CvssV3 => RatingSystem::CvssV3,
            core::RatingSystem::CvssV2 => RatingSystem::CvssV2,
            core::RatingSystem::Word => RatingSystem::Word,
        },
        text: borrowed(&rating.text),
        score: rating.score_tenths.map(|tenths| f64::from(tenths) / 10.0),
        severity: rating.severity.into(),
    }
}

fn source(source: &core::Source) -> Source<'_> {
    let core::Comparison {
        name,
        ecosystem,
        installed,
        interval,
    } = &source.comparison;
    Source {
        feed: borrowed(&source.feed),
        id: borrowed(&source.id),
        comparison: Comparison {
            name: borrowed(name),
            ecosystem: borrowed(ecosystem),
            installed: installed.text().into(),
            scheme: installed.scheme().name().into(),
            affected: interval.as_ref().map(|interval| Affected {
                from: text(interval.from.as_deref()),
                fixed: match &interval.upper {
                    core::Upper::Fixed(version) => Some(borrowed(version)),
                    core::Upper::LastAffected(_) | core::Upper::Open => None,
                },
                last_affected: match &interval.upper {
                    core::Upper::LastAffected(version) => Some(borrowed(version)),
                    core::Upper::Fixed(_) | core::Upper::Open => None,
                },
            }),
        },
    }
}

fn package_of<'a>(package: &'a core::Package, distro: Option<&core::Distro>) -> Package<'a> {
    Package {
        kind: package.kind.purl_type().into(),
        name: borrowed(&package.name),
        version: package.version.text().into(),
        purl: package_purl(package, distro).into(),
        architecture: text(package.architecture.as_deref()),
        source: package.source.as_ref().map(|source| SourcePackage {
            name: borrowed(&source.name),
            version: source.version.text().into(),
        }),
        vendor: text(package.vendor.as_deref()),
        claim: match package.claim {
            core::Claim::Recorded => Claim::Recorded,
            core::Claim::Guessed => Claim::Guessed,
        },
        seen: package
            .seen
            .iter()
            .map(|sighting| Sighting {
                path: borrowed(&sighting.path),
                layer: sighting.layer,
            })
            .collect(),
    }
}

impl From<core::Outcome> for Outcome {
    fn from(outcome: core::Outcome) -> Self {
        match outcome {
            core::Outcome::Pass => Self::Pass,
            core::Outcome::Fail => Self::Fail,
            core::Outcome::Unknown => Self::Unknown,
        }
    }
}

impl From<core::Severity> for Severity {
    fn from(severity: core::Severity) -> Self {
        match severity {
            core::Severity::Negligible => Self::Negligible,
            core::Severity::Low => Self::Low,
            core::Severity::Medium => Self::Medium,
            core::Severity::High => Self::High,
            core::Severity::Critical => Self::Critical,
        }
    }
}
