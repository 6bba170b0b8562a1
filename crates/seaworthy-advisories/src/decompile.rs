//! An edition back to what made it.

use seaworthy_core::{Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Stance, Statement};
use seaworthy_match::{RecordId, RowStance};

use crate::compile::Context;
use crate::details::{
    BodyDocument, NamesDocument, RatingDocument, RecordDocument, VulnerabilityDocument,
};
use crate::edition::Edition;
use crate::format::{SectionName, size, u32_at};
use crate::prose::Place;
use crate::walk::WalkError;

/// A row on its way to its record.
struct Told<'a> {
    record: u32,
    /// Position in the list of ecosystems by name.
    ecosystem: u32,
    name: &'a str,
    stance: RowStance<'a>,
}

/// The names of a record: its feed, and its id in that feed.
pub(crate) type RecordName = (Box<str>, Box<str>);

impl Edition {
    /// Gives back every advisory that bears on an answer, and the context.
    ///
    /// Compiling them again makes the same bytes. They come in the order of the
    /// file, and as far as the edition tells them apart: statements by package,
    /// each stretch and version once; without the days of publication and change,
    /// without the reasons why something is not affected, and, of records that say
    /// nothing of any package, without prose.
    pub fn decompile(&self, sink: &mut dyn FnMut(Advisory)) -> Result<Context, WalkError> {
        let mut ecosystems = self.ecosystems()?;
        let by_position = ecosystems.clone();
        ecosystems.sort_unstable();
        let mut rows = self.rows_by_record(&by_position, &ecosystems)?.into_iter();
        let mut next = rows.next();
        for number in 0..self.count_of_records() {
            let mut advisory = self
                .document(self.record_place(RecordId(number)), advisory)
                .ok_or(WalkError)?;
            let mut own = Vec::new();
            while let Some(row) = next.take_if(|row| row.record == number) {
                own.push(row);
                next = rows.next();
            }
            for of_package in own.chunk_by(|a, b| (a.ecosystem, a.name) == (b.ecosystem, b.name)) {
                let Some(first) = of_package.first() else {
                    continue;
                };
                let ecosystem = usize::try_from(first.ecosystem).ok();
                let ecosystem = ecosystem.and_then(|place| ecosystems.get(place));
                let about = PackageKey {
                    ecosystem: ecosystem.ok_or(WalkError)?.clone(),
                    name: first.name.into(),
                };
                state(&about, of_package, &mut advisory.statements)?;
            }
            sink(advisory);
        }
        // Rows of a record that is not there.
        if next.is_some() {
            return Err(WalkError);
        }
        self.silent(&mut |document| {
            sink(advisory_of(document)?);
            Some(())
        })?;
        self.context()
    }

    /// All rows, by record, ecosystem and package, otherwise in their order.
    fn rows_by_record(
        &self,
        by_position: &[Ecosystem],
        by_name: &[Ecosystem],
    ) -> Result<Vec<Told<'_>>, WalkError> {
        let mut rows = Vec::new();
        for (position, ecosystem) in by_position.iter().enumerate() {
            let rank = by_name.binary_search(ecosystem).map_err(|_| WalkError)?;
            let rank = u32::try_from(rank).map_err(|_| WalkError)?;
            self.groups(position, &mut |name, group| {
                let mut whole = true;
                group.visit(|row| match row {
                    Some(row) => rows.push(Told {
                        record: row.record,
                        ecosystem: rank,
                        name,
                        stance: row.stance,
                    }),
                    None => whole = false,
                });
                whole.then_some(()).ok_or(WalkError)
            })?;
        }
        rows.sort_by_key(|row| (row.record, row.ecosystem, row.name));
        Ok(rows)
    }

    /// Visits what is kept of every record without rows. `take` tells with `None`
    /// that it cannot read one.
    fn silent(
        &self,
        take: &mut dyn FnMut((RecordDocument<'_>, NamesDocument<'_>)) -> Option<()>,
    ) -> Result<(), WalkError> {
        for block in self.silent_blocks().ok_or(WalkError)? {
            self.document(Some(Place::first_of(block)), |mut bytes| {
                while !bytes.is_empty() {
                    let (document, rest) = postcard::take_from_bytes(bytes).ok()?;
                    take(document)?;
                    bytes = rest;
                }
                Some(())
            })
            .ok_or(WalkError)?;
        }
        Ok(())
    }

    fn context(&self) -> Result<Context, WalkError> {
        let mut context = Context {
            starter: self.facts().starter,
            ..Context::default()
        };
        let feeds = self.feeds();
        if feeds.len() != self.section(SectionName::Feeds).len() / size::FEED {
            return Err(WalkError);
        }
        for feed in feeds {
            context.feeds.insert(feed.id, feed.date);
        }
        for entry in self
            .section(SectionName::Support)
            .chunks_exact(size::SUPPORT)
        {
            let text = |at| u32_at(entry, at).and_then(|place| self.text(place));
            let day =
                u32_at(entry, 8).map(|days| seaworthy_core::Day::from_days(days.cast_signed()));
            let (Some(distro), Some(version), Some(day)) = (text(0), text(4), day) else {
                return Err(WalkError);
            };
            context.support.insert((distro.into(), version.into()), day);
        }
        for vulnerability in self.all_vulnerabilities() {
            self.document(self.vulnerability_place(vulnerability), |bytes| {
                let (document, _) =
                    postcard::take_from_bytes::<VulnerabilityDocument<'_>>(bytes).ok()?;
                if let Some(kev) = document.kev {
                    context.kev.insert(document.id.into(), kev.kev());
                }
                if let Some(epss) = document.epss {
                    let epss = crate::details::epss_of(epss);
                    context.epss.insert(document.id.into(), epss);
                }
                Some(())
            })
            .ok_or(WalkError)?;
        }
        Ok(context)
    }
}

/// A record without statements, read from the start of `bytes`.
fn advisory(bytes: &[u8]) -> Option<Advisory> {
    let (document, _) = postcard::take_from_bytes(bytes).ok()?;
    advisory_of(document)
}

/// A record without statements. `None` for a rating of no kind we know.
pub(crate) fn advisory_of(
    (record, names): (RecordDocument<'_>, NamesDocument<'_>),
) -> Option<Advisory> {
    let boxed = |texts: Vec<&str>| texts.into_iter().map(Into::into).collect();
    let BodyDocument {
        summary,
        references,
        ratings,
    } = record.body;
    let mut advisory = Advisory::new(record.feed, record.id);
    advisory.aliases = boxed(names.aliases);
    advisory.bundles = boxed(names.bundles);
    advisory.summary = summary.into();
    advisory.references = boxed(references);
    advisory.ratings = ratings
        .iter()
        .map(RatingDocument::rating)
        .collect::<Option<_>>()?;
    Some(advisory)
}

/// Appends what `rows` say about one package.
fn state(
    about: &PackageKey,
    rows: &[Told<'_>],
    statements: &mut Vec<Statement>,
) -> Result<(), WalkError> {
    let mut push = |stance| {
        statements.push(Statement {
            about: about.clone(),
            stance,
        });
    };
    for wanted in [Fix::AsRanges, Fix::WontFix, Fix::NotYet] {
        let (mut intervals, mut versions) = (Vec::new(), Vec::new());
        for row in rows {
            match row.stance {
                RowStance::Interval(interval, fix) if fix == wanted => {
                    intervals.push(AffectedInterval::from(interval));
                }
                RowStance::Exactly(version, fix) if fix == wanted => versions.push(version.into()),
                RowStance::Unreadable => return Err(WalkError),
                RowStance::Interval(..)
                | RowStance::Exactly(..)
                | RowStance::NotAffected
                | RowStance::UnderReview => {}
            }
        }
        if !(intervals.is_empty() && versions.is_empty()) {
            push(Stance::Affected {
                intervals,
                versions,
                fix: wanted,
            });
        }
    }
    for row in rows {
        match row.stance {
            RowStance::NotAffected => push(Stance::NotAffected { why: "".into() }),
            RowStance::UnderReview => push(Stance::UnderReview),
            RowStance::Interval(..) | RowStance::Exactly(..) | RowStance::Unreadable => {}
        }
    }
    Ok(())
}
