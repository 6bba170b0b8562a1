//! Reading all a mirror has: first every part is brought to hand, then every part
//! is read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::PathBuf;

use seaworthy_core::{Advisory, Day, Epss, FeedDate, Kev};

use crate::copies::{Copies, Health};
use crate::eol::{EolError, parse_eol};
use crate::epss::{EpssError, parse_epss};
use crate::kev::{KevError, parse_kev};
use crate::mirror::Spot;
use crate::osv::{ExportError, Limits, read_export};
use crate::source::{Part, Source, told};
use crate::vendor::{self, Intake, VendorError};
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

const ECOSYSTEMS: &str = "ecosystems.txt";
const BUCKET: &str = "https://storage.googleapis.com/osv-vulnerabilities";
const KEV: (&str, &str) = (
    "enrich/kev/known_exploited_vulnerabilities.json",
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
);
const EPSS: (&str, &str) = (
    "enrich/epss/epss_scores-current.csv.gz",
    "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
);
/// Either will do; only the second has a publisher.
const EOL: [(&str, Option<&str>); 2] = [
    ("enrich/eol/endoflife.json", None),
    (
        "enrich/eol/full",
        Some("https://endoflife.date/api/v1/products/full"),
    ),
];

/// What every repository of rpm packages has, and what tells where one is.
const INDEX: &str = "repodata/repomd.xml";
const UPDATES: &str = "repodata/updateinfo.xml.gz";
const MIRROR_LIST: &str = "mirror.list";

/// What a list of names may have, and what the enrichments may have, in bytes.
const LIST_LIMIT: u64 = 1 << 20;
const ENRICHMENT_LIMIT: u64 = 64 << 20;

/// Documents that are fetched one by one because they are newer than their
/// archive. Each is an open file until it is read.
const MAX_CHANGED: usize = 500;

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

/// The parts of one feed.
struct Held {
    id: String,
    kind: Kind,
    parts: Vec<Part>,
    /// The names of the parts, for people and readers.
    names: Vec<String>,
}

enum Kind {
    Osv(String),
    Vendor(&'static vendor::Feed),
    Kev,
    Epss,
    Eol,
}

/// What was read of one feed beside its advisories.
#[derive(Default)]
struct Content {
    records: u64,
    newest: Option<Day>,
    refused: u64,
    refusals: Vec<crate::Refusal>,
    kev: BTreeMap<Box<str>, Kev>,
    epss: BTreeMap<Box<str>, Epss>,
    support: BTreeMap<(Box<str>, Box<str>), Day>,
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
    async fn gather_osv(&mut self) -> Result<(), ReadError> {
        let spot = |prefix: &str, name: &str| Spot {
            path: format!("{prefix}{name}"),
            published: Some(format!("{BUCKET}/{}", name.replace(' ', "%20"))),
        };
        let mut prefix = "osv/";
        let mut list = self
            .source
            .open(&spot(prefix, ECOSYSTEMS), LIST_LIMIT)
            .await?;
        if list.is_none() {
            prefix = "";
            list = self
                .source
                .open(&spot(prefix, ECOSYSTEMS), LIST_LIMIT)
                .await?;
        }
        let mut list = list.ok_or(ReadError::NoEcosystems)?;
        let text = String::from_utf8_lossy(&bytes_of(&mut list, ECOSYSTEMS)?).into_owned();
        for family in families(&text)? {
            let name = format!("{family}/all.zip");
            let limit = self.options.limits.archive_bytes;
            let part = self.source.open(&spot(prefix, &name), limit).await;
            let part = match part {
                Ok(Some(part)) => part,
                Ok(None) if self.lenient => {
                    self.left_out(&format!("osv/{family}"), "the mirror lists it and has none");
                    continue;
                }
                Ok(None) => {
                    return Err(ReadError::NoExport {
                        ecosystem: family.into(),
                    });
                }
                Err(error) if self.lenient => {
                    self.left_out(&format!("osv/{family}"), &told(&error));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.feeds.push(Held {
                id: format!("osv/{family}"),
                kind: Kind::Osv(family.to_owned()),
                parts: vec![part],
                names: vec![name],
            });
        }
        Ok(())
    }

    async fn gather_vendor(&mut self, feed: &'static vendor::Feed) -> Result<(), ReadError> {
        let mut held = Held {
            id: feed.id.to_owned(),
            kind: Kind::Vendor(feed),
            parts: Vec::new(),
            names: Vec::new(),
        };
        for part in feed.parts {
            let spot = Spot {
                path: format!("vendor/{}", part.path),
                published: (!part.upstream.is_empty()).then(|| part.upstream.to_owned()),
            };
            let limit = self.options.limits.archive_bytes;
            match self.source.open(&spot, limit).await {
                Ok(Some(opened)) => {
                    held.parts.push(opened);
                    held.names.push(part.path.to_owned());
                }
                Ok(None) => {}
                // Half a feed would look like all of it.
                Err(error) if self.lenient => {
                    self.left_out(feed.id, &told(&error));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !held.parts.is_empty() {
            self.feeds.push(held);
        }
        Ok(())
    }

    /// An archive that a text names, and the documents that changed since it was
    /// made.
    async fn gather_archived(
        &mut self,
        archived: &'static vendor::Archived,
    ) -> Result<(), ReadError> {
        let feed = &archived.feed;
        match self.parts_of_archived(archived).await {
            Ok(held) => self.feeds.extend(held),
            Err(error) if self.lenient => self.left_out(feed.id, &told(&error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn parts_of_archived(
        &mut self,
        archived: &'static vendor::Archived,
    ) -> Result<Option<Held>, ReadError> {
        let feed = &archived.feed;
        let limit = self.options.limits.archive_bytes;
        let beside = |name: &str| Spot {
            path: format!("vendor/{}/{name}", archived.folder.path),
            published: Some(format!("{}/{name}", archived.folder.upstream)),
        };
        let unusable = |part: &str| {
            let part: Box<str> = part.into();
            move |source| ReadError::Vendor {
                feed: feed.id.into(),
                part,
                source,
            }
        };
        let Some(mut latest) = self
            .source
            .open(&beside(archived.latest), LIST_LIMIT)
            .await?
        else {
            return Ok(None);
        };
        let latest = bytes_of(&mut latest, archived.latest)?;
        let name = vendor::file_named(&latest).map_err(unusable(archived.latest))?;
        let mut held = Held {
            id: feed.id.to_owned(),
            kind: Kind::Vendor(feed),
            parts: Vec::new(),
            names: Vec::new(),
        };
        for part in feed.parts {
            let spot = Spot {
                path: format!("vendor/{}", part.path),
                published: Some(part.upstream.to_owned()),
            };
            if let Some(opened) = self.source.open(&spot, ENRICHMENT_LIMIT).await? {
                held.parts.push(opened);
                held.names.push(part.path.to_owned());
            }
        }
        let Some(archive) = self.source.open(&beside(name), limit).await? else {
            return Err(unusable(name)(VendorError::Missing {
                what: "the newest archive",
            }));
        };
        held.parts.push(archive);
        held.names.push(name.to_owned());

        let changes = self
            .source
            .open(&beside(archived.changes), ENRICHMENT_LIMIT)
            .await?;
        let (Some(mut changes), Some(made)) = (changes, vendor::day_in(name)) else {
            return Ok(Some(held));
        };
        let changes = bytes_of(&mut changes, archived.changes)?;
        let changed = vendor::entries(&changes).map_err(unusable(archived.changes))?;
        let changed = changed.iter().filter(|(_, day)| *day >= made);
        let mut untaken = 0_usize;
        for (count, (document, day)) in changed.enumerate() {
            if count >= MAX_CHANGED {
                untaken += 1;
                continue;
            }
            match self.source.open(&beside(document), limit).await? {
                Some(opened) => {
                    held.parts.push(opened);
                    held.names.push(document.as_ref().to_owned());
                }
                // What changed on the day of the archive may well be in it.
                None => untaken += usize::from(*day > made),
            }
        }
        if untaken > 0 {
            let documents = match untaken {
                1 => "1 document changed since the archive was made and is".to_owned(),
                _ => format!("{untaken} documents changed since the archive was made and are"),
            };
            let why = format!("{documents} not read");
            self.left_out(feed.id, &why);
        }
        Ok(Some(held))
    }

    /// Lists of updates under the names that their repositories give them.
    async fn gather_indexed(&mut self, indexed: &'static vendor::Indexed) -> Result<(), ReadError> {
        let feed = &indexed.feed;
        match self.parts_of_indexed(indexed).await {
            Ok(held) if held.parts.is_empty() => {}
            Ok(held) => self.feeds.push(held),
            // Half a feed would look like all of it.
            Err(error) if self.lenient => self.left_out(feed.id, &told(&error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn parts_of_indexed(
        &mut self,
        indexed: &'static vendor::Indexed,
    ) -> Result<Held, ReadError> {
        let feed = &indexed.feed;
        let mut held = Held {
            id: feed.id.to_owned(),
            kind: Kind::Vendor(feed),
            parts: Vec::new(),
            names: Vec::new(),
        };
        for repository in indexed.repositories {
            let unusable = |name: &str| {
                let part: Box<str> = format!("{}/{name}", repository.path).into();
                move |source| ReadError::Vendor {
                    feed: feed.id.into(),
                    part,
                    source,
                }
            };
            let mut address = Some(repository.upstream.to_owned());
            if repository.upstream.ends_with(MIRROR_LIST) {
                let spot = Spot {
                    path: format!("vendor/{}/{MIRROR_LIST}", repository.path),
                    published: address.take(),
                };
                if let Some(mut list) = self.source.open(&spot, LIST_LIMIT).await? {
                    let list = bytes_of(&mut list, MIRROR_LIST)?;
                    let found = vendor::address_in(&list, repository.upstream);
                    address = Some(found.map_err(unusable(MIRROR_LIST))?);
                }
            }
            let within = |name: &str| Spot {
                path: format!("vendor/{}/{name}", repository.path),
                published: address.as_ref().map(|address| format!("{address}/{name}")),
            };
            let index = self.source.open(&within(INDEX), LIST_LIMIT).await?;
            let has_index = index.is_some();
            let name = match index {
                // A mirror may keep the list alone.
                None => Some(UPDATES.to_owned()),
                Some(mut index) => {
                    let index = bytes_of(&mut index, INDEX)?;
                    vendor::list_of_updates(&index).map_err(unusable(INDEX))?
                }
            };
            let Some(name) = name else { continue };
            let limit = self.options.limits.archive_bytes;
            match self.source.open(&within(&name), limit).await? {
                Some(opened) => {
                    held.parts.push(opened);
                    held.names.push(format!("{}/{name}", repository.path));
                }
                None if has_index => {
                    return Err(unusable(&name)(VendorError::Missing {
                        what: "the list of updates",
                    }));
                }
                None => {}
            }
        }
        Ok(held)
    }

    async fn gather_enrichments(&mut self) -> Result<(), ReadError> {
        let first = |(path, published): (&'static str, &'static str)| (path, Some(published));
        let wanted: [(&str, Kind, Vec<(&str, Option<&str>)>, &str); 3] = [
            (
                "kev",
                Kind::Kev,
                vec![first(KEV)],
                "known exploited vulnerabilities (KEV)",
            ),
            (
                "epss",
                Kind::Epss,
                vec![first(EPSS)],
                "predictions of exploitation (EPSS)",
            ),
            (
                "eol",
                Kind::Eol,
                EOL.to_vec(),
                "ends of support (endoflife.date)",
            ),
        ];
        for (id, kind, places, title) in wanted {
            let mut found = None;
            for (path, published) in places {
                let spot = Spot {
                    path: path.to_owned(),
                    published: published.map(str::to_owned),
                };
                match self.source.open(&spot, ENRICHMENT_LIMIT).await {
                    Ok(Some(part)) => {
                        found = Some((path, part));
                        break;
                    }
                    Ok(None) => {}
                    Err(error) if self.lenient => self.left_out(id, &told(&error)),
                    Err(error) => return Err(error.into()),
                }
            }
            match found {
                Some((path, part)) => self.feeds.push(Held {
                    id: id.to_owned(),
                    kind,
                    parts: vec![part],
                    names: vec![path.to_owned()],
                }),
                None => self.missing.push(title.into()),
            }
        }
        Ok(())
    }

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
        match again {
            Some(Ok(content)) => {
                sink.keep();
                let date = dated(None, content.newest, today);
                fed.take(&held.id, content, date, trouble);
            }
            Some(Err(_)) | None => {
                sink.undo();
                let why = trouble.unwrap_or_default();
                fed.missing.push(format!("{}: {why}", held.id).into());
            }
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

impl Held {
    /// Reads from the start what was read before.
    fn read_again(&mut self, limits: &Limits, sink: &mut dyn Sink) -> Result<Content, ReadError> {
        use std::io::Seek;
        for (part, name) in self.parts.iter_mut().zip(&self.names) {
            part.file.rewind().map_err(|source| MirrorError::File {
                path: name.into(),
                source,
            })?;
        }
        self.read(limits, sink)
    }

    fn read(&mut self, limits: &Limits, sink: &mut dyn Sink) -> Result<Content, ReadError> {
        let mut take = |advisory| sink.take(advisory);
        match &self.kind {
            Kind::Osv(family) => {
                let mut content = Content::default();
                for part in &mut self.parts {
                    let archive = BufReader::with_capacity(1 << 16, &part.file);
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
                    let mut content = BufReader::with_capacity(1 << 16, &part.file);
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

fn bytes_of(part: &mut Part, name: &str) -> Result<Vec<u8>, MirrorError> {
    let mut bytes = Vec::new();
    part.file
        .read_to_end(&mut bytes)
        .map_err(|source| MirrorError::File {
            path: name.into(),
            source,
        })?;
    Ok(bytes)
}

/// The families in a list of ecosystems, sorted. A release (`Debian:12`) is in
/// its family's export; `[EMPTY]` stands for records without any ecosystem.
fn families(list: &str) -> Result<BTreeSet<&str>, ReadError> {
    let mut families = BTreeSet::new();
    for line in list.lines() {
        let name = line.trim();
        let family = name.split_once(':').map_or(name, |(family, _)| family);
        if family.is_empty() || family.starts_with('[') {
            continue;
        }
        let plain = family.len() <= 80
            && !family.starts_with('.')
            && family
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, ' ' | '.' | '-' | '_'));
        if !plain {
            return Err(ReadError::Name {
                name: family.chars().take(80).collect::<String>().into(),
            });
        }
        families.insert(family);
    }
    if families.is_empty() {
        return Err(ReadError::NoEcosystems);
    }
    Ok(families)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ecosystems_names_families() {
        let read = |list| match families(list) {
            Ok(families) => families.into_iter().collect::<Vec<_>>().join("|"),
            Err(error) => error.to_string(),
        };
        for (list, expected) in [
            (
                "npm\nDebian\nDebian:12\n[EMPTY]\n\nRocky Linux:9\ncrates.io\n",
                "Debian|Rocky Linux|crates.io|npm",
            ),
            ("", "the mirror has no `osv/ecosystems.txt`"),
            ("../x", "`../x` in the list of ecosystems is not a name"),
            ("a/b", "`a/b` in the list of ecosystems is not a name"),
            ("<html>", "`<html>` in the list of ecosystems is not a name"),
        ] {
            assert_eq!(read(list), expected);
        }
    }

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
