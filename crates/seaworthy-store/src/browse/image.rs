//! Images of a repository: their state, their numbers, their reports.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::{Browse, Sight, one_more, page};
use crate::address::Address;
use crate::clock::Millis;
use crate::name::{RepositoryName, Tag};
use crate::page::Page;
use crate::sql::{Row, args};
use crate::standing::ImageState;
use crate::trouble::StoreError;

/// What is kept of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RetentionClass {
    /// The image and what is known of it.
    Full,
    /// Only what is known of it.
    Metadata,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// As stored and as documents spell it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!(
                        "`{}` is not known",
                        other.chars().take(100).collect::<String>()
                    )),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}

words!(RetentionClass {
    Full = "full",
    Metadata = "metadata",
});

/// Findings of the newest report, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Medium.
    pub medium: u64,
    /// Low.
    pub low: u64,
    /// Negligible.
    pub negligible: u64,
    /// Rated by nobody.
    pub unrated: u64,
    /// Those of all levels that have a fix.
    pub fixable: u64,
}

/// An image with the numbers of its newest report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// Its serial number, which orders images by when they came.
    pub id: i64,
    /// The repository it belongs to.
    pub repository: RepositoryName,
    /// Its content address.
    pub address: Address,
    /// What is kept of it.
    pub class: RetentionClass,
    /// `image`, `index` or `artifact`.
    pub kind: Box<str>,
    /// Such as `linux/amd64`.
    pub platform: Option<Box<str>>,
    /// As it was called where it lies, for images that were only told of.
    pub target: Option<Box<str>>,
    /// How far its scan is.
    pub state: ImageState,
    /// Why, where the state needs a reason.
    pub reason: Option<Box<str>>,
    /// Since when it is in that state.
    pub state_since: Millis,
    /// The newest report.
    pub report: Option<i64>,
    /// `pass`, `fail` or `unknown`.
    pub outcome: Option<Box<str>>,
    /// Its findings.
    pub counts: SeverityCounts,
    /// How many packages it has.
    pub packages: u64,
    /// The edition of the newest report.
    pub edition: Option<Box<str>>,
    /// When the newest report was made.
    pub assessed_at: Option<Millis>,
    /// When the image came.
    pub created_at: Millis,
    /// Labels of its config.
    pub labels: BTreeMap<String, String>,
    /// The media type of its manifest, where that is here.
    pub media_type: Option<Box<str>>,
    /// The size of its manifest in bytes.
    pub manifest_size: Option<u64>,
    /// When it was pushed last.
    pub pushed_at: Option<Millis>,
    /// By whom.
    pub pushed_by: Option<Box<str>>,
    /// When it was pulled last.
    pub pulled_at: Option<Millis>,
}

/// Which images are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageFilter {
    /// Only those in this state.
    pub state: Option<ImageState>,
    /// Only those of which this is kept.
    pub class: Option<RetentionClass>,
    /// Only those whose newest report came to this.
    pub outcome: Option<seaworthy_core::Outcome>,
}

/// A tag and what is known of what it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// The tag.
    pub name: Tag,
    /// What it points to.
    pub address: Address,
    /// When it last moved.
    pub updated_at: Millis,
    /// What it points to, as an image.
    pub image: Option<ImageRow>,
}

/// One of the images that an index names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// Its content address.
    pub address: Address,
    /// As the index says.
    pub platform: Option<Box<str>>,
    /// What is known of it, where it is in the repository.
    pub image: Option<ImageRow>,
}

/// A report in the history of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Its serial number.
    pub id: i64,
    /// When it was made.
    pub made_at: Millis,
    /// The edition it was made with.
    pub edition: Option<Box<str>>,
    /// `pass`, `fail` or `unknown`.
    pub outcome: Box<str>,
    /// Numbers by severity, as JSON.
    pub summary: String,
    /// What is new and gone since the report before, as JSON.
    pub difference: String,
    /// Whether the whole document is kept.
    pub has_document: bool,
}

/// An image that came into a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The image, as it is now.
    pub image: ImageRow,
}

macro_rules! image_columns {
    () => {
        "i.id, r.name, i.address, i.retention_class, i.kind, i.platform, i.target, i.state,
         i.reason, i.state_since, i.report_id, i.outcome, i.critical, i.high, i.medium, i.low,
         i.negligible, i.unrated, i.fixable, i.packages, i.edition, i.assessed_at, i.created_at,
         i.labels, m.media_type, m.size, m.pushed_at, m.pushed_by, m.pulled_at"
    };
}

fn image_row(row: &Row) -> Result<ImageRow, StoreError> {
    let words = |place| -> Result<Option<Box<str>>, StoreError> {
        Ok(row.optional_text(place)?.map(String::into_boxed_str))
    };
    let labels = row.text(23)?;
    Ok(ImageRow {
        id: row.int(0)?,
        repository: row.parsed(1)?,
        address: row.parsed(2)?,
        class: row.parsed(3)?,
        kind: row.text(4)?.into(),
        platform: words(5)?,
        target: words(6)?,
        state: row.parsed(7)?,
        reason: words(8)?,
        state_since: row.millis(9)?,
        report: row.optional_int(10)?,
        outcome: words(11)?,
        counts: SeverityCounts {
            critical: row.size(12)?,
            high: row.size(13)?,
            medium: row.size(14)?,
            low: row.size(15)?,
            negligible: row.size(16)?,
            unrated: row.size(17)?,
            fixable: row.size(18)?,
        },
        packages: row.size(19)?,
        edition: words(20)?,
        assessed_at: row.optional_millis(21)?,
        created_at: row.millis(22)?,
        labels: serde_json::from_str(&labels)
            .map_err(|error| StoreError::Unreadable(format!("labels: {error}")))?,
        media_type: words(24)?,
        manifest_size: row
            .optional_int(25)?
            .and_then(|size| u64::try_from(size).ok()),
        pushed_at: row.optional_millis(26)?,
        pushed_by: words(27)?,
        pulled_at: row.optional_millis(28)?,
    })
}

/// As stored.
fn outcome_name(outcome: seaworthy_core::Outcome) -> &'static str {
    match outcome {
        seaworthy_core::Outcome::Pass => "pass",
        seaworthy_core::Outcome::Fail => "fail",
        seaworthy_core::Outcome::Unknown => "unknown",
    }
}

impl Browse {
    /// Images of a repository, newest first, before the serial number `before`.
    pub async fn images(
        &self,
        repository: &RepositoryName,
        filter: ImageFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ImageRow>, StoreError> {
        let rows = self
            .database
            .rows(
                concat!(
                    "SELECT ",
                    image_columns!(),
                    " FROM repository r JOIN image i ON i.repository_id = r.id
                      LEFT JOIN manifest m
                        ON m.repository_id = i.repository_id AND m.address = i.address
                      WHERE r.name = $1 AND i.id < $2
                        AND ($3 = '' OR i.state = $3)
                        AND ($4 = '' OR i.retention_class = $4)
                        AND ($5 = '' OR i.outcome = $5)
                      ORDER BY i.id DESC LIMIT $6"
                ),
                args![
                    repository.as_str(),
                    before.unwrap_or(i64::MAX),
                    filter.state.map_or("", ImageState::name),
                    filter.class.map_or("", RetentionClass::name),
                    filter.outcome.map_or("", outcome_name),
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, image_row)
    }

    /// Images of a whole namespace that were never scanned, newest first.
    pub async fn unscanned(
        &self,
        namespace: &crate::name::Namespace,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ImageRow>, StoreError> {
        let rows = self
            .database
            .rows(
                concat!(
                    "SELECT ",
                    image_columns!(),
                    " FROM namespace n JOIN repository r ON r.namespace_id = n.id
                      JOIN image i ON i.repository_id = r.id
                      LEFT JOIN manifest m
                        ON m.repository_id = i.repository_id AND m.address = i.address
                      WHERE n.name = $1 AND i.id < $2 AND i.state = 'not_scanned'
                        AND i.retention_class = 'full'
                      ORDER BY i.id DESC LIMIT $3"
                ),
                args![
                    namespace.as_str(),
                    before.unwrap_or(i64::MAX),
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, image_row)
    }

    /// One image.
    pub async fn image(
        &self,
        repository: &RepositoryName,
        address: &Address,
    ) -> Result<Option<ImageRow>, StoreError> {
        let row = self
            .database
            .optional(
                concat!(
                    "SELECT ",
                    image_columns!(),
                    " FROM repository r JOIN image i ON i.repository_id = r.id
                      LEFT JOIN manifest m
                        ON m.repository_id = i.repository_id AND m.address = i.address
                      WHERE r.name = $1 AND i.address = $2"
                ),
                args![repository.as_str(), address.as_str()],
            )
            .await?;
        row.as_ref().map(image_row).transpose()
    }

    /// Tags of the images with serial numbers from `first` to `last`, at most 1000.
    pub async fn tags_of(
        &self,
        repository: &RepositoryName,
        first: i64,
        last: i64,
    ) -> Result<BTreeMap<i64, Vec<Tag>>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT i.id, t.name FROM repository r
                 JOIN image i ON i.repository_id = r.id
                 JOIN tag t ON t.repository_id = r.id AND t.address = i.address
                 WHERE r.name = $1 AND i.id >= $2 AND i.id <= $3
                 ORDER BY i.id, t.name LIMIT 1000",
                args![repository.as_str(), first, last],
            )
            .await?;
        let mut tags: BTreeMap<i64, Vec<Tag>> = BTreeMap::new();
        for row in &rows {
            tags.entry(row.int(0)?).or_default().push(row.parsed(1)?);
        }
        Ok(tags)
    }

    /// The images that an index names, in its order.
    pub async fn rollup(
        &self,
        repository: &RepositoryName,
        index: &Address,
    ) -> Result<Vec<Rollup>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT p.address, p.platform FROM repository r
                 JOIN manifest m ON m.repository_id = r.id
                 JOIN manifest_part p ON p.manifest_id = m.id
                 WHERE r.name = $1 AND m.address = $2 AND p.role = 'manifest'
                 ORDER BY p.position LIMIT 1000",
                args![repository.as_str(), index.as_str()],
            )
            .await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in &rows {
            let address: Address = row.parsed(0)?;
            let image = self.image(repository, &address).await?;
            out.push(Rollup {
                address,
                platform: row.optional_text(1)?.map(String::into_boxed_str),
                image,
            });
        }
        Ok(out)
    }

    /// A tag, with what is known of what it points to.
    pub async fn tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<TagRow>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT t.name, t.address, t.updated_at
                 FROM repository r JOIN tag t ON t.repository_id = r.id
                 WHERE r.name = $1 AND t.name = $2",
                args![repository.as_str(), tag.as_str()],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let address: Address = row.parsed(1)?;
        Ok(Some(TagRow {
            name: row.parsed(0)?,
            image: self.image(repository, &address).await?,
            address,
            updated_at: row.millis(2)?,
        }))
    }

    /// Tags after `last`, by name, with what is known of what they point to.
    pub async fn tag_rows(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<TagRow>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT t.name, t.address, t.updated_at
                 FROM repository r JOIN tag t ON t.repository_id = r.id
                 WHERE r.name = $1 AND t.name > $2 ORDER BY t.name LIMIT $3",
                args![
                    repository.as_str(),
                    last.unwrap_or_default(),
                    one_more(limit)
                ],
            )
            .await?;
        let mut tags = page(&rows, limit, |row| {
            Ok(TagRow {
                name: row.parsed(0)?,
                address: row.parsed(1)?,
                updated_at: row.millis(2)?,
                image: None,
            })
        })?;
        for tag in &mut tags.items {
            tag.image = self.image(repository, &tag.address).await?;
        }
        Ok(tags)
    }

    /// Reports of an image, newest first, before the serial number `before`.
    pub async fn reports(
        &self,
        image: i64,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ReportRow>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT p.id, p.made_at, p.edition, p.outcome, p.summary, p.difference,
                        CASE WHEN p.content IS NULL THEN 0 ELSE 1 END
                 FROM report p WHERE p.image_id = $1 AND p.id < $2
                 ORDER BY p.id DESC LIMIT $3",
                args![image, before.unwrap_or(i64::MAX), one_more(limit)],
            )
            .await?;
        page(&rows, limit, report_row)
    }

    /// One report of an image.
    pub async fn report(&self, image: i64, report: i64) -> Result<Option<ReportRow>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT p.id, p.made_at, p.edition, p.outcome, p.summary, p.difference,
                        CASE WHEN p.content IS NULL THEN 0 ELSE 1 END
                 FROM report p WHERE p.image_id = $1 AND p.id = $2",
                args![image, report],
            )
            .await?;
        row.as_ref().map(report_row).transpose()
    }

    /// Images that came into their state at `since` or later, oldest first: those at
    /// `since` itself only with serial numbers above `after`.
    pub async fn turns(
        &self,
        sight: &Sight,
        since: Millis,
        after: i64,
        limit: usize,
    ) -> Result<Page<Turn>, StoreError> {
        let seen = sight.seen();
        let rows = self
            .database
            .rows(
                concat!(
                    "SELECT ",
                    image_columns!(),
                    " FROM image i JOIN repository r ON r.id = i.repository_id
                      JOIN namespace n ON n.id = r.namespace_id
                      LEFT JOIN manifest m
                        ON m.repository_id = i.repository_id AND m.address = i.address
                      WHERE (i.state_since > $1 OR (i.state_since = $1 AND i.id > $2))
                        AND ($3 = 1 OR ($4 = 1 AND n.is_public = 1)
                             OR replace($5, ',' || n.name || ',', '') <> $5
                             OR replace($6, ',' || r.name || ',', '') <> $6)
                      ORDER BY i.state_since, i.id LIMIT $7"
                ),
                args![
                    since,
                    after,
                    seen.everything,
                    seen.public,
                    seen.namespaces,
                    seen.repositories,
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, |row| {
            Ok(Turn {
                image: image_row(row)?,
            })
        })
    }
}

fn report_row(row: &Row) -> Result<ReportRow, StoreError> {
    Ok(ReportRow {
        id: row.int(0)?,
        made_at: row.millis(1)?,
        edition: row.optional_text(2)?.map(String::into_boxed_str),
        outcome: row.text(3)?.into(),
        summary: row.text(4)?,
        difference: row.text(5)?,
        has_document: row.truth(6)?,
    })
}
