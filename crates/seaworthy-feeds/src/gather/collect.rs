//! Bringing the parts of each feed to hand.

use std::collections::BTreeSet;

use super::held::{Held, Kind, bytes_of};
use super::{Gathered, ReadError};
use crate::mirror::Spot;
use crate::source::told;
use crate::vendor::{self, VendorError};

const ECOSYSTEMS: &str = "ecosystems.txt";
const BUCKET: &str = "https://storage.googleapis.com/osv-vulnerabilities";

/// What is known beside advisories. The first place that has it will do.
struct Enrichment {
    id: &'static str,
    kind: fn() -> Kind,
    /// Paths in a mirror, and where the publisher has them.
    places: &'static [(&'static str, Option<&'static str>)],
    title: &'static str,
}

const ENRICHMENTS: &[Enrichment] = &[
    Enrichment {
        id: "kev",
        kind: || Kind::Kev,
        places: &[(
            "enrich/kev/known_exploited_vulnerabilities.json",
            Some(
                "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
            ),
        )],
        title: "known exploited vulnerabilities (KEV)",
    },
    Enrichment {
        id: "epss",
        kind: || Kind::Epss,
        places: &[(
            "enrich/epss/epss_scores-current.csv.gz",
            Some("https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"),
        )],
        title: "predictions of exploitation (EPSS)",
    },
    Enrichment {
        id: "eol",
        kind: || Kind::Eol,
        places: &[
            ("enrich/eol/endoflife.json", None),
            (
                "enrich/eol/full",
                Some("https://endoflife.date/api/v1/products/full"),
            ),
        ],
        title: "ends of support (endoflife.date)",
    },
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

impl Gathered<'_> {
    pub(super) async fn gather_osv(&mut self) -> Result<(), ReadError> {
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

    pub(super) async fn gather_vendor(
        &mut self,
        feed: &'static vendor::Feed,
    ) -> Result<(), ReadError> {
        let limit = self.options.limits.archive_bytes;
        let held = self.parts_of(feed, limit).await;
        self.hold(feed, held.map(Some))
    }

    /// Keeps the parts of a feed, if there are any. Half a feed would look like all
    /// of it, so one that fails is left out or ends it all.
    fn hold(
        &mut self,
        feed: &'static vendor::Feed,
        held: Result<Option<Held>, ReadError>,
    ) -> Result<(), ReadError> {
        match held {
            Ok(held) => self
                .feeds
                .extend(held.filter(|held| !held.parts.is_empty())),
            Err(error) if self.lenient => self.left_out(feed.id, &told(&error)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The parts whose paths are known beforehand.
    async fn parts_of(
        &mut self,
        feed: &'static vendor::Feed,
        limit: u64,
    ) -> Result<Held, ReadError> {
        let mut held = Held::of_vendor(feed);
        for part in feed.parts {
            let spot = Spot {
                path: format!("vendor/{}", part.path),
                published: (!part.upstream.is_empty()).then(|| part.upstream.to_owned()),
            };
            if let Some(opened) = self.source.open(&spot, limit).await? {
                held.parts.push(opened);
                held.names.push(part.path.to_owned());
            }
        }
        Ok(held)
    }

    /// An archive that a text names, and the documents that changed since it was
    /// made.
    pub(super) async fn gather_archived(
        &mut self,
        archived: &'static vendor::Archived,
    ) -> Result<(), ReadError> {
        let held = self.parts_of_archived(archived).await;
        self.hold(&archived.feed, held)
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
        let mut held = self.parts_of(feed, ENRICHMENT_LIMIT).await?;
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
    pub(super) async fn gather_indexed(
        &mut self,
        indexed: &'static vendor::Indexed,
    ) -> Result<(), ReadError> {
        let held = self.parts_of_indexed(indexed).await;
        self.hold(&indexed.feed, held.map(Some))
    }

    async fn parts_of_indexed(
        &mut self,
        indexed: &'static vendor::Indexed,
    ) -> Result<Held, ReadError> {
        let feed = &indexed.feed;
        let mut held = Held::of_vendor(feed);
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

    pub(super) async fn gather_enrichments(&mut self) -> Result<(), ReadError> {
        for Enrichment {
            id,
            kind,
            places,
            title,
        } in ENRICHMENTS
        {
            let mut found = None;
            for (path, published) in *places {
                let spot = Spot {
                    path: (*path).to_owned(),
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
                    id: (*id).to_owned(),
                    kind: kind(),
                    parts: vec![part],
                    names: vec![(*path).to_owned()],
                }),
                None => self.missing.push((*title).into()),
            }
        }
        Ok(())
    }
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
}
