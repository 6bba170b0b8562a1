//! A whole record as it travels.

use seaworthy_core::{
    Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Stance, Statement, Upper,
};
use serde::{Deserialize, Serialize};

use crate::decompile::advisory_of;
use crate::details::{BodyDocument, NamesDocument, RatingDocument, RecordDocument};

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    record: RecordDocument<'a>,
    #[serde(borrow)]
    names: NamesDocument<'a>,
    #[serde(borrow)]
    statements: Vec<StatementDocument<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StatementDocument<'a> {
    family: &'a str,
    release: Option<&'a str>,
    name: &'a str,
    #[serde(borrow)]
    stance: StanceDocument<'a>,
}

#[derive(Serialize, Deserialize)]
enum StanceDocument<'a> {
    Affected {
        fix: FixDocument,
        #[serde(borrow)]
        intervals: Vec<IntervalDocument<'a>>,
        #[serde(borrow)]
        versions: Vec<&'a str>,
    },
    NotAffected,
    UnderReview,
}

#[derive(Serialize, Deserialize)]
enum FixDocument {
    AsRanges,
    WontFix,
    NotYet,
}

#[derive(Serialize, Deserialize)]
struct IntervalDocument<'a> {
    from: Option<&'a str>,
    #[serde(borrow)]
    upper: UpperDocument<'a>,
}

#[derive(Serialize, Deserialize)]
enum UpperDocument<'a> {
    Open,
    Fixed(&'a str),
    LastAffected(&'a str),
}

/// The bytes of a record as an edition gives it back.
pub(super) fn encode(advisory: &Advisory) -> Result<Vec<u8>, postcard::Error> {
    fn texts(boxed: &[Box<str>]) -> Vec<&str> {
        boxed.iter().map(AsRef::as_ref).collect()
    }
    postcard::to_allocvec(&Document {
        record: RecordDocument {
            feed: &advisory.feed,
            id: &advisory.id,
            body: BodyDocument {
                summary: &advisory.summary,
                references: texts(&advisory.references),
                ratings: advisory.ratings.iter().map(RatingDocument::of).collect(),
            },
        },
        names: NamesDocument {
            aliases: texts(&advisory.aliases),
            bundles: texts(&advisory.bundles),
        },
        statements: advisory
            .statements
            .iter()
            .map(|Statement { about, stance }| StatementDocument {
                family: about.ecosystem.family(),
                release: about.ecosystem.release(),
                name: &about.name,
                stance: match stance {
                    Stance::Affected {
                        intervals,
                        versions,
                        fix,
                    } => StanceDocument::Affected {
                        fix: match fix {
                            Fix::AsRanges => FixDocument::AsRanges,
                            Fix::WontFix => FixDocument::WontFix,
                            Fix::NotYet => FixDocument::NotYet,
                        },
                        intervals: intervals.iter().map(interval).collect(),
                        versions: texts(versions),
                    },
                    // An edition does not keep the reason.
                    Stance::NotAffected { why: _ } => StanceDocument::NotAffected,
                    Stance::UnderReview => StanceDocument::UnderReview,
                },
            })
            .collect(),
    })
}

fn interval(interval: &AffectedInterval) -> IntervalDocument<'_> {
    IntervalDocument {
        from: interval.from.as_deref(),
        upper: match &interval.upper {
            Upper::Open => UpperDocument::Open,
            Upper::Fixed(version) => UpperDocument::Fixed(version),
            Upper::LastAffected(version) => UpperDocument::LastAffected(version),
        },
    }
}

/// The record that these bytes are, and nothing but it.
pub(super) fn decode(bytes: &[u8]) -> Option<Advisory> {
    let (document, []) = postcard::take_from_bytes::<Document<'_>>(bytes).ok()? else {
        return None;
    };
    let mut advisory = advisory_of((document.record, document.names))?;
    advisory.statements = document.statements.into_iter().map(statement).collect();
    Some(advisory)
}

fn statement(document: StatementDocument<'_>) -> Statement {
    Statement {
        about: PackageKey {
            ecosystem: match document.release {
                Some(release) => Ecosystem::of_release(document.family, release),
                None => Ecosystem::family_only(document.family),
            },
            name: document.name.into(),
        },
        stance: match document.stance {
            StanceDocument::Affected {
                fix,
                intervals,
                versions,
            } => Stance::Affected {
                intervals: intervals
                    .into_iter()
                    .map(|interval| AffectedInterval {
                        from: interval.from.map(Into::into),
                        upper: match interval.upper {
                            UpperDocument::Open => Upper::Open,
                            UpperDocument::Fixed(version) => Upper::Fixed(version.into()),
                            UpperDocument::LastAffected(version) => {
                                Upper::LastAffected(version.into())
                            }
                        },
                    })
                    .collect(),
                versions: versions.into_iter().map(Into::into).collect(),
                fix: match fix {
                    FixDocument::AsRanges => Fix::AsRanges,
                    FixDocument::WontFix => Fix::WontFix,
                    FixDocument::NotYet => Fix::NotYet,
                },
            },
            StanceDocument::NotAffected => Stance::NotAffected { why: "".into() },
            StanceDocument::UnderReview => Stance::UnderReview,
        },
    }
}
