//! Which tags and manifests a namespace removes by itself.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::delete::{Going, namer, remove_from};
use super::home::Home;
use super::namespace::NamespaceSettings;
use super::pattern::Pattern;
use super::push::read_json;
use super::{Busy as _, Catalog, DeleteError, to_its_end, until_calm};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName, Tag};
use crate::sql::{Hold, args};
use crate::trouble::StoreError;

/// Which tags are kept, and what becomes of manifests without one.
///
/// A tag that no rule is about stays. One that rules are about stays if one of them
/// keeps it. A rule that says nothing about keeping tags keeps them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// The repositories it is about, by their whole name; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<Pattern>,
    /// The tags it is about; all where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Pattern>,
    /// Keeps this many tags of a repository, those that moved last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_newest: Option<u32>,
    /// Keeps tags that moved within this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pushed_days: Option<u32>,
    /// Keeps tags whose image was pulled within this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pulled_days: Option<u32>,
    /// Removes manifests that have had no tag, no index that names them and nothing
    /// they refer to, and were pushed and pulled longer than this many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untagged_days: Option<u32>,
}

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Something that a rule removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Where.
    pub repository: RepositoryName,
    /// What goes.
    pub what: Removable,
    /// Why, for people.
    pub reason: String,
}

/// What a rule can remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removable {
    /// A tag that pointed there since then.
    Tag {
        /// The tag.
        tag: Tag,
        /// What it points to.
        address: Address,
        /// When it moved there.
        since: Millis,
    },
    /// A manifest without tags, with everything known of it.
    Manifest {
        /// Its content address.
        address: Address,
        /// When it was last pushed.
        pushed_at: Millis,
    },
}

/// A tag with what rules ask about.
struct TagAge {
    name: Tag,
    address: Address,
    moved_at: Millis,
    pulled_at: Option<Millis>,
}

/// A manifest with what rules ask about.
struct ManifestAge {
    address: Address,
    pushed_at: Millis,
    pulled_at: Option<Millis>,
    /// Whether an index names it, or what it refers to is there.
    is_held: bool,
}

impl RetentionRule {
    fn is_about(&self, repository: &RepositoryName) -> bool {
        let pattern = self.repositories.as_ref();
        pattern.is_none_or(|it| it.matches(repository.as_str()))
    }

    fn is_about_tag(&self, tag: &Tag) -> bool {
        self.tags.as_ref().is_none_or(|it| it.matches(tag.as_str()))
    }

    fn says_what_to_keep(&self) -> bool {
        self.keep_newest.is_some()
            || self.keep_pushed_days.is_some()
            || self.keep_pulled_days.is_some()
    }

    /// Whether it keeps the tag that is the `rank`-th newest of those it is about.
    fn keeps(&self, tag: &TagAge, rank: usize, now: Millis) -> bool {
        let within = |days: Option<u32>, at: Millis| {
            days.is_some_and(|days| at.plus(i64::from(days) * DAY) > now)
        };
        self.keep_newest.is_some_and(|count| rank < count as usize)
            || within(self.keep_pushed_days, tag.moved_at)
            || tag
                .pulled_at
                .is_some_and(|at| within(self.keep_pulled_days, at))
    }

    fn told(&self) -> String {
        let mut kept = Vec::new();
        if let Some(count) = self.keep_newest {
            kept.push(format!("is not among the newest {count}"));
        }
        if let Some(days) = self.keep_pushed_days {
            kept.push(format!("was not pushed within {days} days"));
        }
        if let Some(days) = self.keep_pulled_days {
            kept.push(format!("was not pulled within {days} days"));
        }
        kept.join(", ")
    }
}

/// Whether a tag is how clients that know no referrers mark what belongs to another
/// manifest: `sha256-<digest>` with something after it or nothing. It goes with that.
fn belongs_to(tag: &Tag, manifests: &HashSet<&str>) -> bool {
    let Some((algorithm, rest)) = tag.as_str().split_once('-') else {
        return false;
    };
    let hex = rest.split_once('.').map_or(rest, |(hex, _)| hex);
    manifests.contains(format!("{algorithm}:{hex}").as_str())
}

impl Catalog {
    /// What the rules of a namespace would remove now; `None` where it is not there.
    /// Nothing is changed.
    ///
    /// Immutable tags stay, and manifests that an index names, and tags of the kind
    /// `sha256-<digest>` as long as that digest is there.
    pub async fn plan_retention(
        &self,
        namespace: &Namespace,
    ) -> Result<Option<Vec<Removal>>, StoreError> {
        let Some(found) = self.namespace(namespace).await? else {
            return Ok(None);
        };
        self.try_retention(namespace, &found.settings)
            .await
            .map(Some)
    }

    /// The same for rules that nobody has saved (yet).
    pub async fn try_retention(
        &self,
        namespace: &Namespace,
        settings: &NamespaceSettings,
    ) -> Result<Vec<Removal>, StoreError> {
        self.write_pulls().await?;
        let mut removals = Vec::new();
        let rows = self
            .database
            .rows(
                "SELECT r.id, r.name FROM repository r JOIN namespace n ON n.id = r.namespace_id
                 WHERE n.name = $1 ORDER BY r.name",
                args![namespace.as_str()],
            )
            .await?;
        for row in rows {
            let repository: RepositoryName = row.parsed(1)?;
            let rules = settings.retention.iter();
            let rules: Vec<_> = rules.filter(|it| it.is_about(&repository)).collect();
            if rules.is_empty() {
                continue;
            }
            let tags = self.tag_ages(row.int(0)?).await?;
            let manifests = self.manifest_ages(row.int(0)?).await?;
            let now = self.database.now();
            let immutable = &settings.immutable_tags;
            plan(
                &repository,
                &rules,
                immutable,
                tags,
                &manifests,
                now,
                &mut removals,
            );
        }
        Ok(removals)
    }

    /// Removes what [`plan_retention`](Catalog::plan_retention) tells, each thing
    /// unless it changed meanwhile. Answers what was removed.
    pub async fn apply_retention(
        &self,
        namespace: &Namespace,
    ) -> Result<Option<Vec<Removal>>, StoreError> {
        let Some(plan) = self.plan_retention(namespace).await? else {
            return Ok(None);
        };
        let mut removed = Vec::new();
        for removal in plan {
            let catalog = self.clone();
            let it = removal.clone();
            let done = to_its_end(async move {
                let done = until_calm!(catalog.retire(&it));
                catalog.forget_answers(&it.repository);
                let Some(gone) = done? else {
                    return Ok::<bool, StoreError>(false);
                };
                catalog.forget_components(&gone).await?;
                Ok(true)
            })
            .await?;
            if done {
                removed.push(removal);
            }
        }
        Ok(Some(removed))
    }

    async fn tag_ages(&self, repository: i64) -> Result<Vec<TagAge>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT t.name, t.address, t.updated_at, m.pulled_at FROM tag t
                 LEFT JOIN manifest m ON m.repository_id = t.repository_id
                     AND m.address = t.address
                 WHERE t.repository_id = $1 ORDER BY t.updated_at DESC, t.name DESC",
                args![repository],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(TagAge {
                    name: row.parsed(0)?,
                    address: row.parsed(1)?,
                    moved_at: row.millis(2)?,
                    pulled_at: row.optional_millis(3)?,
                })
            })
            .collect()
    }

    async fn manifest_ages(&self, repository: i64) -> Result<Vec<ManifestAge>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT m.address, m.pushed_at, m.pulled_at,
                     (SELECT COUNT(*) FROM manifest_part p JOIN manifest i ON i.id = p.manifest_id
                      WHERE p.address = m.address AND p.role = 'manifest'
                          AND i.repository_id = m.repository_id)
                     + (SELECT COUNT(*) FROM manifest s
                        WHERE s.repository_id = m.repository_id AND s.address = m.subject)
                 FROM manifest m WHERE m.repository_id = $1 ORDER BY m.id",
                args![repository],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ManifestAge {
                    address: row.parsed(0)?,
                    pushed_at: row.millis(1)?,
                    pulled_at: row.optional_millis(2)?,
                    is_held: row.int(3)? > 0,
                })
            })
            .collect()
    }

    /// Removes one thing if it is still as it was planned. Answers the packages that
    /// may have lost their last image, `None` where it changed.
    async fn retire(&self, removal: &Removal) -> Result<Option<Vec<i64>>, StoreError> {
        let actor = Actor::system("retention");
        let mut transaction = self.database.begin().await?;
        let home = Home::of(&mut transaction, &removal.repository, Hold::Change).await?;
        let Some(home) = home else {
            return Ok(None);
        };
        let immutable: Vec<Pattern> = read_json(&home.namespace.immutable_tags)?;
        match &removal.what {
            Removable::Tag {
                tag,
                address,
                since,
            } => {
                if immutable.iter().any(|it| it.matches(tag.as_str())) {
                    return Ok(None);
                }
                let gone = transaction
                    .execute(
                        "DELETE FROM tag WHERE repository_id = $1 AND name = $2
                             AND address = $3 AND updated_at = $4",
                        args![home.repository, tag.as_str(), address.as_str(), *since],
                    )
                    .await?;
                if gone == 0 {
                    return Ok(None);
                }
                audit::note(
                    &mut transaction,
                    &actor,
                    "tag.delete",
                    &format!("{}:{tag}", removal.repository),
                    &serde_json::json!({
                        "digest": address.as_str(),
                        "because": removal.reason,
                    }),
                )
                .await?;
                transaction.commit().await?;
                Ok(Some(Vec::new()))
            }
            Removable::Manifest { address, pushed_at } => {
                let row = transaction
                    .optional(
                        "SELECT m.id, m.kind FROM manifest m
                         WHERE m.repository_id = $1 AND m.address = $2 AND m.pushed_at = $3
                             AND NOT EXISTS (SELECT 1 FROM tag t
                                 WHERE t.repository_id = $1 AND t.address = $2)",
                        args![home.repository, address.as_str(), *pushed_at],
                    )
                    .await?;
                let Some(row) = row else {
                    return Ok(None);
                };
                if namer(&mut transaction, &home, address.as_str())
                    .await?
                    .is_some()
                {
                    return Ok(None);
                }
                let going = Going {
                    id: row.int(0)?,
                    address: address.to_string(),
                    kind: row.text(1)?,
                    why: removal.reason.clone().into(),
                };
                let name = &removal.repository;
                match remove_from(&mut transaction, name, &home, going, &actor).await {
                    Ok(removed) => {
                        transaction.commit().await?;
                        Ok(Some(removed.components))
                    }
                    Err(DeleteError::Store(error)) => Err(error),
                    Err(
                        DeleteError::Absent | DeleteError::Immutable(_) | DeleteError::Named(_),
                    ) => Ok(None),
                }
            }
        }
    }
}

/// What rules remove of one repository: its tags stand newest first.
fn plan(
    repository: &RepositoryName,
    rules: &[&RetentionRule],
    immutable: &[Pattern],
    tags: Vec<TagAge>,
    manifests: &[ManifestAge],
    now: Millis,
    removals: &mut Vec<Removal>,
) {
    let there: HashSet<&str> = manifests.iter().map(|it| it.address.as_str()).collect();
    let mut ranks = vec![0; rules.len()];
    let mut tagged = HashSet::new();
    let mut bared = HashMap::new();
    for tag in tags {
        let mut removed_by = None;
        let mut is_kept = immutable.iter().any(|it| it.matches(tag.name.as_str()))
            || belongs_to(&tag.name, &there);
        if !is_kept {
            for (rule, rank) in rules.iter().zip(&mut ranks) {
                if !rule.says_what_to_keep() || !rule.is_about_tag(&tag.name) {
                    continue;
                }
                is_kept |= rule.keeps(&tag, *rank, now);
                *rank += 1;
                removed_by.get_or_insert(*rule);
            }
        }
        let Some(rule) = removed_by.filter(|_| !is_kept) else {
            tagged.insert(tag.address);
            continue;
        };
        let reason = format!("the tag {}", rule.told());
        bared.insert(tag.address.clone(), tag.name.clone());
        removals.push(Removal {
            repository: repository.clone(),
            what: Removable::Tag {
                tag: tag.name,
                address: tag.address,
                since: tag.moved_at,
            },
            reason,
        });
    }
    let untagged_days = rules.iter().filter_map(|rule| rule.untagged_days).min();
    for manifest in manifests {
        if tagged.contains(&manifest.address) || manifest.is_held {
            continue;
        }
        let reason = if let Some(tag) = bared.get(&manifest.address) {
            format!("its last tag `{tag}` goes")
        } else {
            let used = manifest.pulled_at.max(Some(manifest.pushed_at));
            let over = untagged_days
                .filter(|days| used.is_some_and(|at| at.plus(i64::from(*days) * DAY) <= now));
            let Some(days) = over else { continue };
            format!("it has no tag and was neither pushed nor pulled within {days} days")
        };
        removals.push(Removal {
            repository: repository.clone(),
            what: Removable::Manifest {
                address: manifest.address.clone(),
                pushed_at: manifest.pushed_at,
            },
            reason,
        });
    }
}
