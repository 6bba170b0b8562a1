//! Reading all a mirror has: first every part is brought to hand, then every part
//! is read.

mod buffered;
mod collect;
mod held;

use std::collections::BTreeSet;
use std::path::PathBuf;

use seaworthy_core::{Advisory, Day, FeedDate};

use self::held::{Content, Held};
use crate::copies::{Copies, Health};
use crate::eol::EolError;
use crate::epss::EpssError;
use crate::kev::KevError;
use crate::osv::{ExportError, Limits};
use crate::source::{Source, told};
use crate::vendor::{self, VendorError};
use crate::{Fed, Mirror, MirrorError, Reading};

/// How to read a mirror.
#[derive(Clone, Debug)]
pub struct Options {
    /// What day it is. No feed is taken to be from the future.
    pub today: Day,
    /// An existing folder for what is being downloaded.
    pub scratch: PathBuf,
    /// Ceilings for bulk exports.
    pub limits: Limits,
    /// Feeds that may have lost most of their records since the last time.
    pub may_shrink: BTreeSet<String>,
}

/// Takes what feeds say.
pub trait Sink {
    /// Takes one advisory of the feed that is being read.
    fn take(&mut self, advisory: Advisory);
    /// Everything taken so far stays.
    fn keep(&mut self);
    /// Everything taken since the last [`keep`](Self::keep) was wrong.
    fn undo(&mut self);
}

/// Why a mirror could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A part could not be had.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// There is no list of ecosystems.
    #[error("the mirror has no `osv/ecosystems.txt`")]
    NoEcosystems,
    /// A listed ecosystem has no bulk export.
    #[error("the mirror lists the ecosystem `{ecosystem}` and has no export of it")]
    NoExport {
        /// The ecosystem.
        ecosystem: Box<str>,
    },
    /// A list names what cannot be an ecosystem.
    #[error("`{name}` in the list of ecosystems is not a name")]
    Name {
        /// The start of the name.
        name: Box<str>,
    },
    /// A bulk export is damaged.
    #[error("cannot use the export of `{ecosystem}`")]
    Export {
        /// The ecosystem.
        ecosystem: Box<str>,
        /// What is wrong.
        #[source]
        source: ExportError,
    },
    /// A part of a vendor's own feed is damaged.
    #[error("cannot use `{part}` of the feed `{feed}`")]
    Vendor {
        /// The feed.
        feed: Box<str>,
        /// Which part of it.
        part: Box<str>,
        /// What is wrong.
        #[source]
        source: VendorError,
    },
    /// The catalogue of known exploitation is damaged.
    #[error("cannot use the catalogue of known exploited vulnerabilities")]
    Kev(#[source] KevError),
    /// The predictions are damaged.
    #[error("cannot use the predictions of exploitation")]
    Epss(#[source] EpssError),
    /// The ends of support are damaged.
    #[error("cannot use the ends of support")]
    Eol(#[source] EolError),
}

impl ReadError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Mirror(error) => error.hint(),
            Self::NoEcosystems | Self::NoExport { .. } | Self::Name { .. } => {
                "a mirror has the layout of the OSV bulk export below `osv`"
            }
            Self::Export { .. }
            | Self::Vendor { .. }
            | Self::Kev(_)
            | Self::Epss(_)
            | Self::Eol(_) => "fetch this part of the mirror again",
        }
    }
}

/// A feed with fewer records than this may lose most of them for good reasons.
const WORTH_WATCHING: u64 = 100;

/// Everything a mirror has, at hand and unread.
pub struct Gathered<'a> {
    source: Source<'a>,
    feeds: Vec<Held>,
    missing: Vec<Box<str>>,
    options: &'a Options,
    /// Whether a feed that fails is left out or read from a copy, rather than
    /// ending it all.
    lenient: bool,
}

/// Reads every feed of `mirror` once and hands each advisory to `sink`: [`gather`]
/// without copies, and [`Gathered::read`].
pub async fn read(
    mirror: &Mirror,
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Fed, ReadError> {
    gather(mirror, options, None).await?.read(sink)
}

/// Brings every part of `mirror` to hand.
///
/// Without `copies`, a listed ecosystem whose export is missing or damaged is an
/// error. With them, a feed that fails is read from its copy or left out, and its
/// [`Reading`] says so: coverage tells later what is not covered. Enrichments are
/// optional; those that are missing are named.
pub async fn gather<'a>(
    mirror: &'a Mirror,
    options: &'a Options,
    copies: Option<&'a mut Copies>,
) -> Result<Gathered<'a>, ReadError> {
    let lenient = copies.is_some();
    let source = Source::of(mirror, &options.scratch, options.today, copies)?;
    let mut gathered = Gathered {
        source,
        feeds: Vec::new(),
        missing: Vec::new(),
        options,
        lenient,
    };
    gathered.gather_osv().await?;
    for feed in vendor::FEEDS {
        gathered.gather_vendor(feed).await?;
    }
    for archived in vendor::ARCHIVED {
        gathered.gather_archived(archived).await?;
    }
    for indexed in vendor::INDEXED {
        gathered.gather_indexed(indexed).await?;
    }
    gathered.gather_enrichments().await?;
    Ok(gathered)
}

impl Gathered<'_> {
    /// A feed that could not be had at all.
    fn left_out(&mut self, id: &str, why: &str) {
        if let Some(copies) = self.source.copies() {
            copies.complain(id, why);
        }
        self.missing.push(format!("{id}: {why}").into());
    }

    /// The copies, where there are any.
    pub fn copies(&mut self) -> Option<&mut Copies> {
        self.source.copies()
    }

    /// Whether any part is not what it was the last time.
    pub fn has_changed(&self) -> bool {
        self.feeds
            .iter()
            .flat_map(|held| &held.parts)
            .any(|part| part.changed)
    }

    /// Reads everything and hands each advisory to `sink`.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<Fed, ReadError> {
        let mut fed = Fed {
            missing: std::mem::take(&mut self.missing),
            ..Fed::default()
        };
        for held in std::mem::take(&mut self.feeds) {
            self.read_feed(held, sink, &mut fed)?;
        }
        if let Some(copies) = self.source.copies() {
            copies.finish().map_err(MirrorError::Copies)?;
        }
        Ok(fed)
    }

    fn read_feed(
        &mut self,
        mut held: Held,
        sink: &mut dyn Sink,
        fed: &mut Fed,
    ) -> Result<(), ReadError> {
        let today = self.options.today;
        let modified = held.parts.iter().filter_map(|part| part.modified).max();
        let confirmed = held.parts.iter().map(|part| part.confirmed).min().flatten();
        let mut trouble = held.parts.iter().find_map(|part| part.trouble.clone());
        let date = |newest| match confirmed {
            Some(day) if day <= today => FeedDate::Fetched(day),
            _ => dated(modified, newest, today),
        };
        let readable = match held.read(&self.options.limits, sink) {
            Ok(content) if !self.shrank(&held.id, content.records) => {
                let date = date(content.newest);
                if let Some(copies) = self.source.copies() {
                    let addresses: Vec<String> = held
                        .parts
                        .iter()
                        .filter_map(|it| it.address.clone())
                        .collect();
                    let health = Health {
                        records: content.records,
                        refused: content.refused,
                        well: trouble.is_none().then(|| today.to_string()),
                        trouble: trouble.as_deref().map(str::to_owned),
                    };
                    copies.approve(&held.id, health, &addresses);
                }
                sink.keep();
                fed.take(&held.id, content, date, trouble);
                return Ok(());
            }
            Ok(content) => {
                let before = self.before(&held.id);
                let why = format!("it has {} records and had {before}", content.records);
                trouble = Some(why.into());
                true
            }
            Err(error) if self.lenient => {
                trouble = Some(told(&error).into());
                false
            }
            Err(error) => return Err(error),
        };
        if let (Some(copies), Some(trouble)) = (self.source.copies(), &trouble) {
            copies.complain(&held.id, trouble);
        }
        // Something is wrong with what came: what was read well before is better.
        sink.undo();
        let mut older = false;
        for part in &mut held.parts {
            if let Some(file) = part.good.as_ref().and_then(|good| self.source.reopen(good)) {
                part.file = file;
                older = true;
            }
        }
        let again = (older || readable).then(|| held.read_again(&self.options.limits, sink));
        if let Some(Ok(content)) = again {
            sink.keep();
            let date = dated(None, content.newest, today);
            fed.take(&held.id, content, date, trouble);
        } else {
            sink.undo();
            let why = trouble.unwrap_or_default();
            fed.missing.push(format!("{}: {why}", held.id).into());
        }
        Ok(())
    }

    fn before(&mut self, feed: &str) -> u64 {
        self.source
            .copies()
            .and_then(|copies| copies.records_of(feed))
            .unwrap_or(0)
    }

    /// Whether a feed lost more of its records than anyone withdraws.
    fn shrank(&mut self, feed: &str, records: u64) -> bool {
        let before = self.before(feed);
        before >= WORTH_WATCHING && records < before / 2 && !self.options.may_shrink.contains(feed)
    }
}

impl Fed {
    fn take(&mut self, id: &str, content: Content, date: FeedDate, trouble: Option<Box<str>>) {
        tracing::debug!(records = content.records, "read `{id}`");
        self.feeds.push(Reading {
            id: id.into(),
            date,
            records: content.records,
            refused: content.refused,
            refusals: content.refusals,
            trouble,
        });
        self.kev.extend(content.kev);
        self.epss.extend(content.epss);
        self.support.extend(content.support);
    }
}

/// How current a part is: a server's word for its last change counts as the day
/// it was fetched from its source, else the newest record speaks. Nothing is
/// newer than today, whatever it says.
fn dated(modified: Option<Day>, newest: Option<Day>, today: Day) -> FeedDate {
    match (modified, newest) {
        // A day that has not come says nothing about an age.
        (Some(day), _) if day <= today => FeedDate::Fetched(day),
        (_, Some(day)) if day <= today => FeedDate::NewestRecord(day),
        _ => FeedDate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_from_the_future() {
        let day = Day::from_days;
        let today = day(100);
        for (modified, newest, expected) in [
            (Some(day(90)), Some(day(80)), FeedDate::Fetched(day(90))),
            (Some(day(900)), None, FeedDate::Unknown),
            (
                Some(day(900)),
                Some(day(80)),
                FeedDate::NewestRecord(day(80)),
            ),
            (None, Some(day(80)), FeedDate::NewestRecord(day(80))),
            (None, Some(day(800)), FeedDate::Unknown),
            (None, None, FeedDate::Unknown),
        ] {
            assert_eq!(dated(modified, newest, today), expected);
        }
    }
}
