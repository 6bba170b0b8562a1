//! What is shown of all that is remembered: lists in pages, limited to what whoever
//! asks may see. Nothing here changes anything.
//!
//! Every list goes by a key that does not change (a name or a serial number), so that
//! walking its pages yields each item once while others are added and removed.

mod image;
mod work;

use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName, Tag};
use crate::page::Page;
use crate::sql::{Database, Row, Value, args};
use crate::trouble::StoreError;

pub use image::{
    ImageFilter, ImageRow, ReportRow, RetentionClass, Rollup, SeverityCounts, TagRow, Turn,
};
pub use work::{JobFilter, JobRow, JobState};

/// Reads what is stored, for lists and pages.
#[derive(Clone, Debug)]
pub struct Browse {
    database: Database,
}

/// What of all repositories somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of it.
    Everything,
    /// Only these.
    Only {
        /// Whole namespaces.
        namespaces: Vec<Namespace>,
        /// Single repositories.
        repositories: Vec<RepositoryName>,
        /// Whether what is public is seen, too.
        public: bool,
    },
}

/// A namespace with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceRow {
    /// Its name.
    pub name: Namespace,
    /// Whether anybody may read.
    pub is_public: bool,
    /// Whether newly pushed images are scanned by themselves.
    pub auto_scan: bool,
    /// The most bytes it may hold.
    pub quota_bytes: Option<u64>,
    /// Rules for tags that never move, as JSON.
    pub immutable_tags: String,
    /// Rules for what is removed when, as JSON.
    pub retention: String,
    /// When it was made.
    pub created_at: Millis,
    /// Counts up with every change.
    pub revision: i64,
    /// How many repositories it has.
    pub repositories: u64,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Its name.
    pub name: RepositoryName,
    /// When it was made.
    pub created_at: Millis,
    /// When something was last pushed.
    pub pushed_at: Option<Millis>,
    /// How many tags it has.
    pub tags: u64,
    /// How many images it has.
    pub images: u64,
}

/// What a namespace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of its blobs, each counted once, and of its manifests.
    pub bytes: u64,
    /// Repositories.
    pub repositories: u64,
    /// Images, of every class.
    pub images: u64,
    /// Images that were never scanned.
    pub not_scanned: u64,
}

/// How a [`Sight`] goes into a statement: three values, in this order: whether all is
/// seen, whether public is seen, and the names that are seen, each between commas.
/// The clause they belong to is written in each statement, since statements are
/// constants: `replace(names, ',' || name || ',', '') <> names` is true where the
/// name is among them, in both databases and without wildcards.
pub(crate) struct Seen {
    pub(crate) everything: bool,
    pub(crate) public: bool,
    pub(crate) namespaces: String,
    pub(crate) repositories: String,
}

impl Sight {
    pub(crate) fn seen(&self) -> Seen {
        fn between_commas<'a>(names: impl Iterator<Item = &'a str>) -> String {
            let mut out = String::new();
            for name in names {
                // Each name has commas of its own: a replaced one must not take away
                // the comma of its neighbour.
                out.push(',');
                out.push_str(name);
                out.push(',');
            }
            out
        }
        match self {
            Self::Everything => Seen {
                everything: true,
                public: true,
                namespaces: String::new(),
                repositories: String::new(),
            },
            Self::Only {
                namespaces,
                repositories,
                public,
            } => Seen {
                everything: false,
                public: *public,
                namespaces: between_commas(namespaces.iter().map(Namespace::as_str)),
                repositories: between_commas(repositories.iter().map(RepositoryName::as_str)),
            },
        }
    }
}

/// Cuts the one row too many that was asked for to know whether more follow.
fn page<T>(
    rows: &[Row],
    limit: usize,
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let more = rows.len() > limit;
    let items = rows.iter().take(limit).map(read);
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        more,
    })
}

/// One more than asked for.
fn one_more(limit: usize) -> Value {
    Value::from(
        i64::try_from(limit)
            .unwrap_or(i64::MAX - 1)
            .saturating_add(1),
    )
}

fn namespace_row(row: &Row) -> Result<NamespaceRow, StoreError> {
    Ok(NamespaceRow {
        name: row.parsed(0)?,
        is_public: row.truth(1)?,
        auto_scan: row.truth(2)?,
        quota_bytes: row
            .optional_int(3)?
            .and_then(|bytes| u64::try_from(bytes).ok()),
        immutable_tags: row.text(4)?,
        retention: row.text(5)?,
        created_at: row.millis(6)?,
        revision: row.int(7)?,
        repositories: row.size(8)?,
    })
}

impl Browse {
    /// What is in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// Namespaces after `last`, by name.
    pub async fn namespaces(
        &self,
        sight: &Sight,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<NamespaceRow>, StoreError> {
        let seen = sight.seen();
        let rows = self
            .database
            .rows(
                "SELECT n.name, n.is_public, n.auto_scan, n.quota_bytes, n.immutable_tags,
                        n.retention, n.created_at, n.revision,
                        (SELECT count(*) FROM repository r WHERE r.namespace_id = n.id)
                 FROM namespace n
                 WHERE n.name > $1
                   AND ($2 = 1 OR ($3 = 1 AND n.is_public = 1)
                        OR replace($4, ',' || n.name || ',', '') <> $4)
                 ORDER BY n.name LIMIT $5",
                args![
                    last.unwrap_or_default(),
                    seen.everything,
                    seen.public,
                    seen.namespaces,
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, namespace_row)
    }

    /// One namespace.
    pub async fn namespace(
        &self,
        namespace: &Namespace,
    ) -> Result<Option<NamespaceRow>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT n.name, n.is_public, n.auto_scan, n.quota_bytes, n.immutable_tags,
                        n.retention, n.created_at, n.revision,
                        (SELECT count(*) FROM repository r WHERE r.namespace_id = n.id)
                 FROM namespace n WHERE n.name = $1",
                args![namespace.as_str()],
            )
            .await?;
        row.as_ref().map(namespace_row).transpose()
    }

    /// What a namespace holds. A blob that several of its repositories hold counts once.
    pub async fn usage(&self, namespace: &Namespace) -> Result<Option<Usage>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT CAST((SELECT coalesce(sum(held.size), 0) FROM (
                             SELECT DISTINCT b.address, b.size
                             FROM repository r
                             JOIN repository_blob rb ON rb.repository_id = r.id
                             JOIN blob b ON b.address = rb.address
                             WHERE r.namespace_id = n.id) AS held)
                        + (SELECT coalesce(sum(m.size), 0) FROM repository r
                           JOIN manifest m ON m.repository_id = r.id
                           WHERE r.namespace_id = n.id) AS BIGINT),
                        (SELECT count(*) FROM repository r WHERE r.namespace_id = n.id),
                        (SELECT count(*) FROM repository r
                         JOIN image i ON i.repository_id = r.id WHERE r.namespace_id = n.id),
                        (SELECT count(*) FROM repository r
                         JOIN image i ON i.repository_id = r.id
                         WHERE r.namespace_id = n.id AND i.state = 'not_scanned')
                 FROM namespace n WHERE n.name = $1",
                args![namespace.as_str()],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Usage {
            bytes: row.size(0)?,
            repositories: row.size(1)?,
            images: row.size(2)?,
            not_scanned: row.size(3)?,
        }))
    }

    /// Repositories after `last`, by name; of one namespace, or of all.
    pub async fn repositories(
        &self,
        sight: &Sight,
        namespace: Option<&Namespace>,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<RepositoryRow>, StoreError> {
        let seen = sight.seen();
        let rows = self
            .database
            .rows(
                "SELECT r.name, r.created_at, r.pushed_at,
                        (SELECT count(*) FROM tag t WHERE t.repository_id = r.id),
                        (SELECT count(*) FROM image i WHERE i.repository_id = r.id)
                 FROM repository r JOIN namespace n ON n.id = r.namespace_id
                 WHERE r.name > $1
                   AND ($2 = '' OR n.name = $2)
                   AND ($3 = 1 OR ($4 = 1 AND n.is_public = 1)
                        OR replace($5, ',' || n.name || ',', '') <> $5
                        OR replace($6, ',' || r.name || ',', '') <> $6)
                 ORDER BY r.name LIMIT $7",
                args![
                    last.unwrap_or_default(),
                    namespace.map_or("", Namespace::as_str),
                    seen.everything,
                    seen.public,
                    seen.namespaces,
                    seen.repositories,
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, repository_row)
    }

    /// One repository.
    pub async fn repository(
        &self,
        repository: &RepositoryName,
    ) -> Result<Option<RepositoryRow>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT r.name, r.created_at, r.pushed_at,
                        (SELECT count(*) FROM tag t WHERE t.repository_id = r.id),
                        (SELECT count(*) FROM image i WHERE i.repository_id = r.id)
                 FROM repository r WHERE r.name = $1",
                args![repository.as_str()],
            )
            .await?;
        row.as_ref().map(repository_row).transpose()
    }

    /// What a tag points to.
    pub async fn tag_target(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<crate::address::Address>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT t.address FROM tag t JOIN repository r ON r.id = t.repository_id
                 WHERE r.name = $1 AND t.name = $2",
                args![repository.as_str(), tag.as_str()],
            )
            .await?;
        row.map(|row| row.parsed(0)).transpose()
    }
}

fn repository_row(row: &Row) -> Result<RepositoryRow, StoreError> {
    Ok(RepositoryRow {
        name: row.parsed(0)?,
        created_at: row.millis(1)?,
        pushed_at: row.optional_millis(2)?,
        tags: row.size(3)?,
        images: row.size(4)?,
    })
}
