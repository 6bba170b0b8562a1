//! Search over all images.
//!
//! What is sought leads to components through an index, components to images through
//! their key, so that a search costs what it finds and never what there is. The hits
//! are gathered before they are put in order: otherwise a database may walk all
//! images in order and look into each.

use seaworthy_core::Purl;

use crate::address::Address;
use crate::browse::Sight;
use crate::name::RepositoryName;
use crate::page::Page;
use crate::sql::{Row, Value, args, each, list};
use crate::standing::ImageState;
use crate::trouble::StoreError;

use super::Scans;

/// What is sought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A vulnerability, by any of its names.
    Vulnerability(String),
    /// A package, or all that is built from a source package of this name.
    Package {
        /// Its name.
        name: String,
        /// Its version; any where there is none.
        version: Option<String>,
    },
    /// A package by its package URL. Without a version any is meant, without
    /// qualifiers any of these.
    Purl(Purl),
    /// An image, or whatever holds this content: a layer, a config, an image of an
    /// index.
    Address(Address),
    /// A label of an image.
    Label {
        /// Its name.
        name: String,
        /// Its value; any where there is none.
        value: Option<String>,
    },
}

/// An image that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub image: i64,
    /// The repository it is in.
    pub repository: RepositoryName,
    /// Its content address.
    pub address: Address,
    /// Such as `linux/amd64`.
    pub platform: Option<Box<str>>,
    /// How far its scan is.
    pub state: ImageState,
    /// The outcome of its newest report.
    pub outcome: Option<Box<str>>,
    /// The packages that made it a hit; none where it was sought otherwise.
    pub packages: Vec<FoundPackage>,
}

/// A package that made an image a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPackage {
    /// Its type.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its package URL.
    pub purl: Box<str>,
    /// The vulnerability that was sought, as the edition calls it.
    pub vulnerability: Option<Box<str>>,
    /// Its level there.
    pub severity: Option<Box<str>>,
    /// What can be done.
    pub fix: Option<Box<str>>,
}

/// The most packages that are told of one page of hits.
const MOST_PACKAGES: i64 = 2000;

/// Hits before the image `$1`, limited to what is seen (`$2` to `$5`), newest first, at
/// most `$6`. What is sought comes after these.
macro_rules! hits {
    ($hits:literal) => {
        concat!(
            "WITH hits AS MATERIALIZED (",
            $hits,
            ") SELECT i.id, r.name, i.address, i.platform, i.state, i.outcome
             FROM hits JOIN image i ON i.id = hits.image_id
             JOIN repository r ON r.id = i.repository_id
             JOIN namespace n ON n.id = r.namespace_id
             WHERE $2 = 1 OR ($3 = 1 AND n.is_public = 1)
                 OR replace($4, ',' || n.name || ',', '') <> $4
                 OR replace($5, ',' || r.name || ',', '') <> $5
             ORDER BY hits.image_id DESC LIMIT $6"
        )
    };
}

const BY_VULNERABILITY: &str = hits!(
    "SELECT DISTINCT held.image_id FROM (
         SELECT DISTINCT component_id FROM component_finding WHERE vulnerability IN (
             SELECT $7 UNION SELECT vulnerability FROM vulnerability_alias WHERE alias = $7)
     ) AS hit CROSS JOIN image_component held
     WHERE held.component_id = hit.component_id AND held.image_id < $1"
);
const BY_PACKAGE: &str = hits!(
    "SELECT DISTINCT held.image_id FROM (
         SELECT id FROM component WHERE name = $7 AND ($8 = '' OR version = $8)
         UNION SELECT id FROM component WHERE source_name = $7 AND ($8 = '' OR version = $8)
     ) AS hit CROSS JOIN image_component held
     WHERE held.component_id = hit.id AND held.image_id < $1"
);
const BY_PURL: &str = hits!(
    "SELECT DISTINCT held.image_id FROM (
         SELECT id FROM component WHERE purl = $7
         UNION SELECT id FROM component WHERE purl >= $8 AND purl < $9
         UNION SELECT id FROM component WHERE purl >= $10 AND purl < $11
     ) AS hit CROSS JOIN image_component held
     WHERE held.component_id = hit.id AND held.image_id < $1"
);
const BY_ADDRESS: &str = hits!(
    "SELECT id AS image_id FROM image WHERE address = $7 AND id < $1
     UNION SELECT i.id FROM manifest_part part
         JOIN manifest m ON m.id = part.manifest_id
         JOIN image i ON i.repository_id = m.repository_id AND i.address = m.address
     WHERE part.address = $7 AND i.id < $1"
);
const BY_LABEL: &str = hits!(
    "SELECT image_id FROM image_label WHERE name = $7 AND ($8 = 0 OR value = $9)
         AND image_id < $1"
);

impl Scans {
    /// Images with what is sought, newest first, before the number `before`.
    pub async fn search(
        &self,
        sought: &Sought,
        sight: &Sight,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<Found>, StoreError> {
        let seen = sight.seen();
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut values = args![
            before.unwrap_or(i64::MAX),
            seen.everything,
            seen.public,
            seen.namespaces,
            seen.repositories,
            asked
        ];
        let (sql, more) = sought.statement();
        values.extend(more);
        let rows = self.database.rows(sql, values).await?;
        let more = rows.len() > limit;
        let mut items = rows
            .iter()
            .take(limit)
            .map(found)
            .collect::<Result<Vec<_>, _>>()?;
        self.tell_packages(sought, &mut items).await?;
        Ok(Page { items, more })
    }

    /// Adds what made each image a hit.
    async fn tell_packages(&self, sought: &Sought, items: &mut [Found]) -> Result<(), StoreError> {
        let is_postgres = self.database.dialect() == crate::sql::Dialect::Postgres;
        let sql = match sought {
            Sought::Vulnerability(_) => each!(
                is_postgres,
                "SELECT held.image_id, c.kind, c.name, c.version, c.purl, f.vulnerability,
                     f.severity, f.fix FROM",
                "CROSS JOIN image_component held
                 JOIN component_finding f ON f.component_id = held.component_id
                 JOIN component c ON c.id = held.component_id
                 WHERE held.image_id = CAST(item.value ->> 0 AS BIGINT)
                     AND f.vulnerability IN (SELECT $2 UNION
                         SELECT vulnerability FROM vulnerability_alias WHERE alias = $2)
                 ORDER BY held.image_id, c.name, c.version LIMIT $3"
            ),
            Sought::Package { .. } => each!(
                is_postgres,
                "SELECT held.image_id, c.kind, c.name, c.version, c.purl, NULL, NULL, NULL FROM",
                "CROSS JOIN image_component held
                 JOIN component c ON c.id = held.component_id
                 WHERE held.image_id = CAST(item.value ->> 0 AS BIGINT)
                     AND (c.name = $2 OR c.source_name = $2) AND ($4 = '' OR c.version = $4)
                 ORDER BY held.image_id, c.name, c.version LIMIT $3"
            ),
            Sought::Purl(_) => each!(
                is_postgres,
                "SELECT held.image_id, c.kind, c.name, c.version, c.purl, NULL, NULL, NULL FROM",
                "CROSS JOIN image_component held
                 JOIN component c ON c.id = held.component_id
                 WHERE held.image_id = CAST(item.value ->> 0 AS BIGINT)
                     AND (c.purl = $2 OR (c.purl >= $4 AND c.purl < $5)
                         OR (c.purl >= $6 AND c.purl < $7))
                 ORDER BY held.image_id, c.name, c.version LIMIT $3"
            ),
            Sought::Address(_) | Sought::Label { .. } => return Ok(()),
        };
        if items.is_empty() {
            return Ok(());
        }
        let ids = items.iter().map(|it| serde_json::json!([it.image]));
        let mut values = args![list(ids.collect())];
        let mut words = sought.statement().1.into_iter();
        values.extend(words.next());
        values.push(Value::from(MOST_PACKAGES));
        values.extend(words);
        for row in self.database.rows(sql, values).await? {
            let image = row.int(0)?;
            let words = |place| -> Result<Option<Box<str>>, StoreError> {
                Ok(row.optional_text(place)?.map(Into::into))
            };
            if let Some(found) = items.iter_mut().find(|it| it.image == image) {
                found.packages.push(FoundPackage {
                    kind: row.text(1)?.into(),
                    name: row.text(2)?.into(),
                    version: row.text(3)?.into(),
                    purl: row.text(4)?.into(),
                    vulnerability: words(5)?,
                    severity: words(6)?,
                    fix: words(7)?,
                });
            }
        }
        Ok(())
    }
}

impl Sought {
    /// The statement that finds it, and what it needs beside what all need.
    fn statement(&self) -> (&'static str, Vec<Value>) {
        match self {
            Self::Vulnerability(name) => (BY_VULNERABILITY, args![canonical(name)]),
            Self::Package { name, version } => (
                BY_PACKAGE,
                args![name.as_str(), version.as_deref().unwrap_or_default()],
            ),
            Self::Purl(purl) => (BY_PURL, stretches(purl)),
            Self::Address(address) => (BY_ADDRESS, args![address.as_str()]),
            Self::Label { name, value } => (
                BY_LABEL,
                args![
                    name.as_str(),
                    value.is_some(),
                    value.as_deref().unwrap_or_default()
                ],
            ),
        }
    }
}

/// The stretches of package URLs that are meant: this one, those that go on with
/// qualifiers and, where no version is named, those that go on with one.
fn stretches(purl: &Purl) -> Vec<Value> {
    let text = purl.to_string();
    // What follows `?` is before `@`, and what follows `@` before `A`.
    let with_qualifiers = (format!("{text}?"), format!("{text}@"));
    let with_version = if purl.version().is_none() {
        (format!("{text}@"), format!("{text}A"))
    } else {
        with_qualifiers.clone()
    };
    args![
        text,
        with_qualifiers.0,
        with_qualifiers.1,
        with_version.0,
        with_version.1
    ]
}

/// CVE ids are written in capitals, whatever people type.
fn canonical(name: &str) -> String {
    let is_cve = name
        .get(..4)
        .is_some_and(|it| it.eq_ignore_ascii_case("cve-"));
    if is_cve {
        name.to_ascii_uppercase()
    } else {
        name.to_owned()
    }
}

fn found(row: &Row) -> Result<Found, StoreError> {
    Ok(Found {
        image: row.int(0)?,
        repository: row.parsed(1)?,
        address: row.parsed(2)?,
        platform: row.optional_text(3)?.map(Into::into),
        state: row.parsed(4)?,
        outcome: row.optional_text(5)?.map(Into::into),
        packages: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
