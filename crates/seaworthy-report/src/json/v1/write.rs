//! From the nouns of `core` to the document.

use std::fmt::Display;

use seaworthy_core as core;
use seaworthy_core::{Inventory, PackageId, Report, package_purl};

use super::{
    Affected, Blindness, Claim, Comparison, Coverage, Distro, Document, Edition, Epss, Feed,
    FeedDate, Finding, Fix, Gap, Image, KnownExploited, Layer, Outcome, Package, Policy, Rating,
    RatingSystem, Reason, SCHEMA, Severity, Sighting, Source, SourcePackage, Tool, Verdict,
};
use crate::words;
use crate::{Assessed, exit_code, overall};

impl Document {
    /// The document about `images`, in their order.
    pub fn of(images: &[Assessed<'_>]) -> Self {
        let outcome = overall(images);
        Self {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: "seaworthy".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            outcome: outcome.into(),
            exit_code: exit_code(outcome),
            images: images.iter().map(image).collect(),
        }
    }
}

fn image(assessed: &Assessed<'_>) -> Image {
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
    } = inventory;
    Image {
        target: image.target.to_string(),
        manifest: text(image.manifest.as_ref()),
        config: text(image.config.as_ref()),
        platform: text(image.platform.as_ref()),
        tags: texts(&image.tags),
        verdict: verdict(assessed.verdict, packages),
        policy: Policy {
            fail_on: assessed.policy.fail_on.into(),
            ignore_unfixed: assessed.policy.ignore_unfixed,
            max_age_days: assessed.policy.max_age_days,
        },
        edition: edition.as_ref().map(|edition| Edition {
            digest: edition.digest.to_string(),
            starter: edition.starter,
            advisories: edition.advisories,
        }),
        distro: distro.as_ref().map(|distro| Distro {
            id: distro.id.to_string(),
            version_id: text(distro.version_id.as_ref()),
            codename: text(distro.codename.as_ref()),
            id_like: texts(&distro.id_like),
            pretty_name: text(distro.pretty_name.as_ref()),
            path: distro.path.to_string(),
        }),
        coverage: coverage.iter().map(coverage_of).collect(),
        findings: findings.iter().map(finding).collect(),
        packages: packages
            .iter()
            .map(|package| package_of(package, distro.as_ref()))
            .collect(),
        gaps: gaps
            .iter()
            .map(|gap| Gap {
                path: gap.path.to_string(),
                probe: gap.probe.to_string(),
                why: gap.why.to_string(),
                layer: gap.layer,
            })
            .collect(),
        layers: layers
            .iter()
            .map(|layer| Layer {
                digest: text(layer.digest.as_ref()),
                diff_id: text(layer.diff_id.as_ref()),
                created_by: text(layer.created_by.as_ref()),
            })
            .collect(),
        probes: probes.as_str().to_owned(),
    }
}

fn text<T: Display>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

fn texts(values: &[Box<str>]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn verdict(verdict: &core::Verdict, packages: &[core::Package]) -> Verdict {
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
                message: words::because(reason, &name(reason.package)),
                package: reason.package.0,
                vulnerability: reason.vulnerability.to_string(),
                severity: reason.severity.into(),
                fix_available: reason.fix_available,
            })
            .collect(),
        blindness: verdict.blindness.iter().map(blindness).collect(),
    }
}

fn blindness(blindness: &core::Blindness) -> Blindness {
    let message = words::sentence(blindness);
    let remedy = words::remedy(blindness).to_owned();
    match blindness {
        core::Blindness::NoEdition => Blindness::NoEdition { message, remedy },
        core::Blindness::EmptyEdition => Blindness::EmptyEdition { message, remedy },
        core::Blindness::StarterEditionOnly => Blindness::StarterEditionOnly { message, remedy },
        core::Blindness::NoDistro => Blindness::NoDistro { message, remedy },
        core::Blindness::NothingFound => Blindness::NothingFound { message, remedy },
        core::Blindness::NoPackageDatabase { distro } => Blindness::NoPackageDatabase {
            message,
            remedy,
            distro: distro.to_string(),
        },
        core::Blindness::NotCovered {
            ecosystem,
            packages,
        } => Blindness::NotCovered {
            message,
            remedy,
            ecosystem: ecosystem.to_string(),
            packages: *packages,
        },
        core::Blindness::ThinlyCovered {
            ecosystem,
            packages,
            advisories,
        } => Blindness::ThinlyCovered {
            message,
            remedy,
            ecosystem: ecosystem.to_string(),
            packages: *packages,
            advisories: *advisories,
        },
        core::Blindness::EndOfLife { distro, ended } => Blindness::EndOfLife {
            message,
            remedy,
            distro: distro.to_string(),
            ended: ended.to_string(),
        },
        core::Blindness::Stale {
            ecosystem,
            day,
            max_age_days,
        } => Blindness::Stale {
            message,
            remedy,
            ecosystem: ecosystem.to_string(),
            day: text(day.as_ref()),
            max_age_days: *max_age_days,
        },
        core::Blindness::NotCompared { ecosystem, names } => Blindness::NotCompared {
            message,
            remedy,
            ecosystem: ecosystem.to_string(),
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

fn coverage_of(coverage: &core::Coverage) -> Coverage {
    Coverage {
        ecosystem: coverage.ecosystem.to_string(),
        packages: coverage.packages,
        not_compared: texts(&coverage.not_compared),
        feed: coverage.feed.as_ref().map(|feed| Feed {
            id: feed.id.to_string(),
            advisories: feed.advisories,
            date: match feed.date {
                core::FeedDate::Fetched(day) => FeedDate::Fetched {
                    day: day.to_string(),
                },
                core::FeedDate::NewestRecord(day) => FeedDate::NewestRecord {
                    day: day.to_string(),
                },
                core::FeedDate::Unknown => FeedDate::Unknown,
            },
        }),
    }
}

fn finding(finding: &core::Finding) -> Finding {
    Finding {
        package: finding.package.0,
        vulnerability: finding.vulnerability.to_string(),
        aliases: texts(&finding.aliases),
        summary: finding.summary.to_string(),
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
            added: kev.added.to_string(),
            due: text(kev.due.as_ref()),
            ransomware: kev.ransomware,
        }),
        epss: finding.epss.map(|epss| Epss {
            probability: millionths(epss.probability_millionths),
            percentile: millionths(epss.percentile_millionths),
        }),
        references: texts(&finding.references),
    }
}

/// A share from 0 to 1. The nearest double prints with at most six digits.
fn millionths(share: u32) -> f64 {
    f64::from(share) / 1_000_000.0
}

fn rating(rating: &core::Rating) -> Rating {
    Rating {
        source: rating.source.to_string(),
        system: match rating.system {
            core::RatingSystem::CvssV4 => RatingSystem::CvssV4,
            core::RatingSystem::CvssV3 => RatingSystem::CvssV3,
            core::RatingSystem::CvssV2 => RatingSystem::CvssV2,
            core::RatingSystem::Word => RatingSystem::Word,
        },
        text: rating.text.to_string(),
        score: rating.score_tenths.map(|tenths| f64::from(tenths) / 10.0),
        severity: rating.severity.into(),
    }
}

fn source(source: &core::Source) -> Source {
    let core::Comparison {
        name,
        ecosystem,
        installed,
        interval,
    } = &source.comparison;
    Source {
        feed: source.feed.to_string(),
        id: source.id.to_string(),
        comparison: Comparison {
            name: name.to_string(),
            ecosystem: ecosystem.to_string(),
            installed: installed.text().to_owned(),
            scheme: installed.scheme().name().to_owned(),
            affected: interval.as_ref().map(|interval| Affected {
                from: text(interval.from.as_ref()),
                fixed: match &interval.upper {
                    core::Upper::Fixed(version) => Some(version.to_string()),
                    core::Upper::LastAffected(_) | core::Upper::Open => None,
                },
                last_affected: match &interval.upper {
                    core::Upper::LastAffected(version) => Some(version.to_string()),
                    core::Upper::Fixed(_) | core::Upper::Open => None,
                },
            }),
        },
    }
}

fn package_of(package: &core::Package, distro: Option<&core::Distro>) -> Package {
    Package {
        kind: package.kind.purl_type().to_owned(),
        name: package.name.to_string(),
        version: package.version.text().to_owned(),
        purl: package_purl(package, distro),
        architecture: text(package.architecture.as_ref()),
        source: package.source.as_ref().map(|source| SourcePackage {
            name: source.name.to_string(),
            version: source.version.text().to_owned(),
        }),
        vendor: text(package.vendor.as_ref()),
        claim: match package.claim {
            core::Claim::Recorded => Claim::Recorded,
            core::Claim::Guessed => Claim::Guessed,
        },
        seen: package
            .seen
            .iter()
            .map(|sighting| Sighting {
                path: sighting.path.to_string(),
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
