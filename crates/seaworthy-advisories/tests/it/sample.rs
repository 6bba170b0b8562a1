//! Small advisories, and an edition as text.

use std::fmt::Write as _;

use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Rating, RatingSystem, Severity, Stance,
    Statement, Upper,
};
use seaworthy_match::{Advisories, Row};

/// An advisory in one line: `feed id =alias +bundled / ecosystem name from..until`.
///
/// A stretch ends with `)` before its end or `]` with it; `@1.0` is one version,
/// `!` says not affected, `?` under review.
pub(crate) fn advisory(line: &str) -> Advisory {
    let mut parts = line.split(" / ");
    let mut words = parts.next().unwrap_or_default().split(' ');
    let mut made = Advisory {
        feed: words.next().unwrap_or_default().into(),
        id: words.next().unwrap_or_default().into(),
        aliases: Vec::new(),
        bundles: Vec::new(),
        summary: format!("about {line}").into(),
        references: vec!["https://example.org/".into()],
        published: None,
        modified: None,
        ratings: Vec::new(),
        statements: Vec::new(),
    };
    for word in words {
        if let Some(alias) = word.strip_prefix('=') {
            made.aliases.push(alias.into());
        } else if let Some(bundled) = word.strip_prefix('+') {
            made.bundles.push(bundled.into());
        } else if let Some(level) = word.strip_prefix('~') {
            made.ratings.push(Rating {
                source: made.feed.clone(),
                system: RatingSystem::Word,
                text: level.into(),
                score_tenths: None,
                severity: level.parse().unwrap_or(Severity::Negligible),
            });
        } else {
            made.modified = word.parse().ok();
        }
    }
    made.statements = parts.map(statement).collect();
    made
}

fn statement(text: &str) -> Statement {
    let mut words = text.split(' ');
    let ecosystem = words.next().unwrap_or_default().replace('_', " ");
    let about = PackageKey {
        ecosystem: Ecosystem::parse(&ecosystem),
        name: words.next().unwrap_or_default().into(),
    };
    let (mut intervals, mut versions, mut fix) = (Vec::new(), Vec::new(), Fix::AsRanges);
    for word in words {
        match word {
            "!" => {
                let why = "not built in".into();
                return Statement {
                    about,
                    stance: Stance::NotAffected { why },
                };
            }
            "?" => {
                return Statement {
                    about,
                    stance: Stance::UnderReview,
                };
            }
            "wontfix" => fix = Fix::WontFix,
            "notyet" => fix = Fix::NotYet,
            _ => {
                if let Some(version) = word.strip_prefix('@') {
                    versions.push(version.into());
                } else if let Some((from, until)) = word.split_once("..") {
                    intervals.push(AffectedInterval {
                        from: (!from.is_empty()).then(|| from.into()),
                        upper: if let Some(end) = until.strip_suffix(']') {
                            Upper::LastAffected(end.into())
                        } else if let Some(end) = until.strip_suffix(')') {
                            Upper::Fixed(end.into())
                        } else {
                            Upper::Open
                        },
                    });
                }
            }
        }
    }
    Statement {
        about,
        stance: Stance::Affected {
            intervals,
            versions,
            fix,
        },
    }
}

pub(crate) fn bytes_of(advisories: &[Advisory], context: &Context) -> Vec<u8> {
    let mut compiler = Compiler::new();
    for advisory in advisories {
        compiler.add(advisory).expect("a sample is small");
    }
    compiler.compile(context).expect("a sample is small")
}

pub(crate) fn edition_of(lines: &[&str], context: &Context) -> Edition {
    let advisories: Vec<Advisory> = lines.iter().map(|line| advisory(line)).collect();
    Edition::from_bytes(bytes_of(&advisories, context)).expect("it was just compiled")
}

/// What an edition says about a package: record, vulnerability, stance.
pub(crate) fn about(edition: &Edition, ecosystem: &str, name: &str) -> String {
    let mut said = String::new();
    edition.about(&Ecosystem::parse(ecosystem), name, &mut |row: Row<'_>| {
        let record = edition.record(row.record);
        let vulnerability = edition.vulnerability(row.vulnerability);
        let _ = writeln!(said, "{} {}: {:?}", record.id, vulnerability.id, row.stance);
    });
    said
}
