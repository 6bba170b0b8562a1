//! What a server answers: its report, turned back into the nouns that are printed.

use seaworthy_core::{
    AffectedInterval, Blindness, Comparison, Coverage, Day, EditionFacts, Epss, FeedDate,
    FeedFacts, Finding, FixState, ImageFacts, Inventory, Kev, PackageId, Policy, Rating,
    RatingSystem, Reason, Report, Severity, Source, Upper, Verdict, Version,
};
use seaworthy_report::{read_v1, v1};

/// An image as the server judged it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) report: Report,
    pub(crate) verdict: Verdict,
    pub(crate) policy: Policy,
}

/// Why an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// It is no report.
    #[error("the answer is no report")]
    Report(#[from] seaworthy_report::ReadError),
    /// It speaks of something else than was sent.
    #[error("the answer speaks of another image")]
    Other,
    /// A part of it is not what it should be.
    #[error("the answer has an unusable {0}")]
    Part(&'static str),
}

/// Reads the answer about an image that was sent.
pub(crate) fn read(
    bytes: &[u8],
    facts: ImageFacts,
    inventory: Inventory,
) -> Result<Judged, AnswerError> {
    let document = read_v1(bytes)?;
    let [image] = document.images.as_slice() else {
        return Err(AnswerError::Other);
    };
    // Findings speak of positions, so both lists must be the same.
    let is_same = image.packages.len() == inventory.packages.len()
        && image
            .packages
            .iter()
            .zip(&inventory.packages)
            .all(|(theirs, ours)| {
                theirs.name == *ours.name && theirs.version == *ours.version.text()
            });
    if !is_same {
        return Err(AnswerError::Other);
    }
    let findings = image
        .findings
        .iter()
        .map(|it| finding(it, &inventory))
        .collect::<Result<_, _>>()?;
    let coverage = image
        .coverage
        .iter()
        .map(coverage)
        .collect::<Result<_, _>>()?;
    let verdict = Verdict {
        reasons: image
            .verdict
            .reasons
            .iter()
            .map(|it| reason(it, &inventory))
            .collect::<Result<_, _>>()?,
        blindness: image
            .verdict
            .blindness
            .iter()
            .map(blindness)
            .collect::<Result<_, _>>()?,
    };
    let is_of_its_reasons = matches!(
        (verdict.outcome(), image.verdict.outcome),
        (seaworthy_core::Outcome::Pass, v1::Outcome::Pass)
            | (seaworthy_core::Outcome::Fail, v1::Outcome::Fail)
            | (seaworthy_core::Outcome::Unknown, v1::Outcome::Unknown)
    );
    if !is_of_its_reasons {
        return Err(AnswerError::Part("verdict"));
    }
    Ok(Judged {
        report: Report {
            image: facts,
            inventory,
            findings,
            coverage,
            edition: image.edition.as_ref().map(edition).transpose()?,
        },
        verdict,
        policy: Policy {
            fail_on: severity(image.policy.fail_on),
            ignore_unfixed: image.policy.ignore_unfixed,
            max_age_days: image.policy.max_age_days,
            kernel_runs: image.policy.kernel_runs,
        },
    })
}

fn package(at: usize, inventory: &Inventory) -> Result<PackageId, AnswerError> {
    if at < inventory.packages.len() {
        Ok(PackageId(at))
    } else {
        Err(AnswerError::Part("package"))
    }
}

fn finding(finding: &v1::Finding<'_>, inventory: &Inventory) -> Result<Finding, AnswerError> {
    let id = package(finding.package, inventory)?;
    let scheme = inventory
        .packages
        .get(finding.package)
        .ok_or(AnswerError::Part("package"))?
        .version
        .scheme();
    let sources = finding
        .sources
        .iter()
        .map(|source| Source {
            feed: boxed(&source.feed),
            id: boxed(&source.id),
            comparison: Comparison {
                name: boxed(&source.comparison.name),
                ecosystem: boxed(&source.comparison.ecosystem),
                installed: Version::of(scheme, boxed(&source.comparison.installed)),
                interval: source.comparison.affected.as_ref().map(interval),
            },
        })
        .collect();
    Ok(Finding {
        package: id,
        vulnerability: boxed(&finding.vulnerability),
        aliases: finding.aliases.iter().map(|it| boxed(it)).collect(),
        summary: boxed(&finding.summary),
        severity: finding.severity.map(severity),
        ratings: finding.ratings.iter().map(rating).collect(),
        fix: fix(&finding.fix),
        sources,
        kev: finding.known_exploited.as_ref().map(kev).transpose()?,
        epss: finding.epss.as_ref().map(epss),
        references: finding.references.iter().map(|it| boxed(it)).collect(),
        kernel: finding.kernel,
    })
}

fn boxed(text: &str) -> Box<str> {
    text.into()
}

fn severity(severity: v1::Severity) -> Severity {
    match severity {
        v1::Severity::Negligible => Severity::Negligible,
        v1::Severity::Low => Severity::Low,
        v1::Severity::Medium => Severity::Medium,
        v1::Severity::High => Severity::High,
        v1::Severity::Critical => Severity::Critical,
    }
}

fn interval(affected: &v1::Affected<'_>) -> AffectedInterval {
    AffectedInterval {
        from: affected.from.as_deref().map(boxed),
        upper: match (&affected.fixed, &affected.last_affected) {
            (Some(version), _) => Upper::Fixed(boxed(version)),
            (None, Some(version)) => Upper::LastAffected(boxed(version)),
            (None, None) => Upper::Open,
        },
    }
}

fn rating(rating: &v1::Rating<'_>) -> Rating {
    Rating {
        source: boxed(&rating.source),
        system: match rating.system {
            v1::RatingSystem::CvssV4 => RatingSystem::CvssV4,
            v1::RatingSystem::CvssV3 => RatingSystem::CvssV3,
            v1::RatingSystem::CvssV2 => RatingSystem::CvssV2,
            v1::RatingSystem::Word => RatingSystem::Word,
        },
        text: boxed(&rating.text),
        score_tenths: rating.score.map(tenths),
        severity: severity(rating.severity),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number was brought between the bounds before"
)]
fn tenths(score: f64) -> u8 {
    (score.clamp(0.0, 10.0) * 10.0).round() as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number was brought between the bounds before"
)]
fn millionths(share: f64) -> u32 {
    (share.clamp(0.0, 1.0) * 1e6).round() as u32
}

fn epss(epss: &v1::Epss) -> Epss {
    Epss {
        probability_millionths: millionths(epss.probability),
        percentile_millionths: millionths(epss.percentile),
    }
}

fn kev(kev: &v1::KnownExploited<'_>) -> Result<Kev, AnswerError> {
    Ok(Kev {
        added: day(&kev.added)?,
        due: kev.due.as_deref().map(day).transpose()?,
        ransomware: kev.ransomware,
    })
}

fn day(text: &str) -> Result<Day, AnswerError> {
    text.parse().map_err(|_| AnswerError::Part("day"))
}

fn fix(fix: &v1::Fix<'_>) -> FixState {
    let versions =
        |versions: &[std::borrow::Cow<'_, str>]| versions.iter().map(|it| boxed(it)).collect();
    match fix {
        v1::Fix::Fixed { versions: of } => FixState::In(versions(of)),
        v1::Fix::Subscription { versions: of } => FixState::Subscription(versions(of)),
        v1::Fix::WontFix => FixState::WontFix,
        v1::Fix::NotYet => FixState::NotYet,
        v1::Fix::UnderReview => FixState::UnderReview,
        v1::Fix::Unknown => FixState::Unknown,
    }
}

fn coverage(coverage: &v1::Coverage<'_>) -> Result<Coverage, AnswerError> {
    let feed = |feed: &v1::Feed<'_>| -> Result<FeedFacts, AnswerError> {
        Ok(FeedFacts {
            id: boxed(&feed.id),
            advisories: feed.advisories,
            date: match &feed.date {
                v1::FeedDate::Fetched { day: of } => FeedDate::Fetched(day(of)?),
                v1::FeedDate::NewestRecord { day: of } => FeedDate::NewestRecord(day(of)?),
                v1::FeedDate::Unknown => FeedDate::Unknown,
            },
        })
    };
    Ok(Coverage {
        ecosystem: boxed(&coverage.ecosystem),
        packages: coverage.packages,
        not_compared: coverage.not_compared.iter().map(|it| boxed(it)).collect(),
        feed: coverage.feed.as_ref().map(feed).transpose()?,
    })
}

fn edition(edition: &v1::Edition<'_>) -> Result<EditionFacts, AnswerError> {
    Ok(EditionFacts {
        digest: edition
            .digest
            .parse()
            .map_err(|_| AnswerError::Part("digest"))?,
        starter: edition.starter,
        advisories: edition.advisories,
    })
}

fn reason(reason: &v1::Reason<'_>, inventory: &Inventory) -> Result<Reason, AnswerError> {
    Ok(Reason {
        package: package(reason.package, inventory)?,
        vulnerability: boxed(&reason.vulnerability),
        severity: severity(reason.severity),
        fix_available: reason.fix_available,
    })
}

fn blindness(blindness: &v1::Blindness<'_>) -> Result<Blindness, AnswerError> {
    Ok(match blindness {
        v1::Blindness::NoEdition { .. } => Blindness::NoEdition,
        v1::Blindness::EmptyEdition { .. } => Blindness::EmptyEdition,
        v1::Blindness::StarterEditionOnly { .. } => Blindness::StarterEditionOnly,
        v1::Blindness::NoDistro { .. } => Blindness::NoDistro,
        v1::Blindness::NothingFound { .. } => Blindness::NothingFound,
        v1::Blindness::NoPackageDatabase { distro, .. } => Blindness::NoPackageDatabase {
            distro: boxed(distro),
        },
        v1::Blindness::NotCovered {
            ecosystem,
            packages,
            ..
        } => Blindness::NotCovered {
            ecosystem: boxed(ecosystem),
            packages: *packages,
        },
        v1::Blindness::ThinlyCovered {
            ecosystem,
            packages,
            advisories,
            ..
        } => Blindness::ThinlyCovered {
            ecosystem: boxed(ecosystem),
            packages: *packages,
            advisories: *advisories,
        },
        v1::Blindness::EndOfLife { distro, ended, .. } => Blindness::EndOfLife {
            distro: boxed(distro),
            ended: day(ended)?,
        },
        v1::Blindness::Stale {
            ecosystem,
            day: of,
            max_age_days,
            ..
        } => Blindness::Stale {
            ecosystem: boxed(ecosystem),
            day: of.as_deref().map(day).transpose()?,
            max_age_days: *max_age_days,
        },
        v1::Blindness::NotCompared {
            ecosystem, names, ..
        } => Blindness::NotCompared {
            ecosystem: boxed(ecosystem),
            names: names.iter().map(|it| boxed(it)).collect(),
        },
        v1::Blindness::UnderReview { findings, .. } => Blindness::UnderReview {
            findings: *findings,
        },
        v1::Blindness::Unrated { findings, .. } => Blindness::Unrated {
            findings: *findings,
        },
        v1::Blindness::Gaps { count, .. } => Blindness::Gaps { count: *count },
    })
}
