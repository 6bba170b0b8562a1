//! Reading the parts of one feed.

use std::collections::BTreeMap;
use std::io::{self, Read};

use seaworthy_core::{Day, Epss, Kev};

use super::buffered::Buffered;
use super::{ReadError, Sink};
use crate::eol::parse_eol;
use crate::epss::parse_epss;
use crate::kev::parse_kev;
use crate::osv::{Limits, read_export};
use crate::source::Part;
use crate::vendor::{self, Intake};
use crate::{MirrorError, Refusal};

/// The parts of one feed.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) parts: Vec<Part>,
    /// The names of the parts, for people and readers.
    pub(super) names: Vec<String>,
}

pub(super) enum Kind {
    Osv(String),
    Vendor(&'static vendor::Feed),
    Kev,
    Epss,
    Eol,
}

/// What was read of one feed beside its advisories.
#[derive(Default)]
pub(super) struct Content {
    pub(super) records: u64,
    pub(super) newest: Option<Day>,
    pub(super) refused: u64,
    pub(super) refusals: Vec<Refusal>,
    pub(super) kev: BTreeMap<Box<str>, Kev>,
    pub(super) epss: BTreeMap<Box<str>, Epss>,
    pub(super) support: BTreeMap<(Box<str>, Box<str>), Day>,
}

impl Held {
    /// A vendor's feed without its parts.
    pub(super) fn of_vendor(feed: &'static vendor::Feed) -> Self {
        Self {
            id: feed.id.to_owned(),
            kind: Kind::Vendor(feed),
            parts: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Reads from the start what was read before.
    pub(super) fn read_again(
        &mut self,
        limits: &Limits,
        sink: &mut dyn Sink,
    ) -> Result<Content, ReadError> {
        use std::io::Seek;
        for (part, name) in self.parts.iter_mut().zip(&self.names) {
            part.file.rewind().map_err(unread(name))?;
        }
        self.read(limits, sink)
    }

    pub(super) fn read(
        &mut self,
        limits: &Limits,
        sink: &mut dyn Sink,
    ) -> Result<Content, ReadError> {
        let mut take = |advisory| sink.take(advisory);
        match &self.kind {
            Kind::Osv(family) => {
                let mut content = Content::default();
                for part in &mut self.parts {
                    let archive = Buffered::from_start(&part.file).map_err(unread(&self.id))?;
                    let exported = read_export(&self.id, family, archive, limits, &mut take)
                        .map_err(|source| ReadError::Export {
                            ecosystem: family.as_str().into(),
                            source,
                        })?;
                    content.records = content.records.saturating_add(exported.records);
                    content.newest = content.newest.max(exported.newest);
                    content.refused = content.refused.saturating_add(exported.refused);
                    content.refusals.extend(exported.refusals);
                }
                Ok(content)
            }
            Kind::Vendor(feed) => {
                let mut intake = Intake::new(feed.id, limits, &mut take);
                for (part, name) in self.parts.iter_mut().zip(&self.names) {
                    let mut content = Buffered::from_start(&part.file).map_err(unread(name))?;
                    (feed.read)(&mut content, name, &mut intake).map_err(|source| {
                        ReadError::Vendor {
                            feed: feed.id.into(),
                            part: name.as_str().into(),
                            source,
                        }
                    })?;
                }
                let taken = intake.finish();
                Ok(Content {
                    records: taken.records,
                    newest: taken.newest,
                    refused: taken.refused,
                    refusals: taken.refusals,
                    ..Content::default()
                })
            }
            Kind::Kev | Kind::Epss | Kind::Eol => self.enrichment(),
        }
    }

    fn enrichment(&mut self) -> Result<Content, ReadError> {
        let (Some(part), Some(name)) = (self.parts.first_mut(), self.names.first()) else {
            return Ok(Content::default());
        };
        Ok(match self.kind {
            Kind::Kev => {
                let catalogue = parse_kev(&bytes_of(part, name)?).map_err(ReadError::Kev)?;
                Content {
                    records: u64::try_from(catalogue.entries.len()).unwrap_or(u64::MAX),
                    newest: catalogue.released,
                    refused: catalogue.refused,
                    refusals: catalogue.refusals,
                    kev: catalogue.entries,
                    ..Content::default()
                }
            }
            Kind::Epss => {
                let predictions = parse_epss(&part.file).map_err(ReadError::Epss)?;
                Content {
                    records: u64::try_from(predictions.entries.len()).unwrap_or(u64::MAX),
                    newest: predictions.made,
                    refused: predictions.refused,
                    refusals: predictions.refusals,
                    epss: predictions.entries,
                    ..Content::default()
                }
            }
            Kind::Eol => {
                let found = parse_eol(&bytes_of(part, name)?).map_err(ReadError::Eol)?;
                Content {
                    records: u64::try_from(found.entries.len()).unwrap_or(u64::MAX),
                    newest: found.dated,
                    support: found.entries,
                    ..Content::default()
                }
            }
            Kind::Osv(_) | Kind::Vendor(_) => Content::default(),
        })
    }
}

pub(super) fn bytes_of(part: &mut Part, name: &str) -> Result<Vec<u8>, MirrorError> {
    let mut bytes = Vec::new();
    part.file
        .read_to_end(&mut bytes)
        .map_err(|source| MirrorError::File {
            path: name.into(),
            source,
        })?;
    Ok(bytes)
}

/// The part `name` that cannot be read.
fn unread(name: &str) -> impl FnOnce(io::Error) -> MirrorError {
    let path = name.into();
    move |source| MirrorError::File { path, source }
}
