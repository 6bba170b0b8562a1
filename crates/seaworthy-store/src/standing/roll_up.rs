//! What an index says of the images it lists.

use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

use super::{ImageState, line};

/// How deep indexes may list each other.
const MOST_NESTED: usize = 4;

/// The most indexes that follow one image.
const MOST_INDEXES: usize = 1000;

/// Lets every index that lists `image` follow it.
pub(crate) async fn follow(transaction: &mut Transaction, image: i64) -> Result<(), StoreError> {
    let mut level = vec![image];
    let mut followed = 0;
    for _ in 0..MOST_NESTED {
        let mut above = Vec::new();
        for image in level {
            for index in indexes_of(transaction, image).await? {
                followed += 1;
                if followed > MOST_INDEXES {
                    return Ok(());
                }
                if above.contains(&index) {
                    continue;
                }
                roll_up(transaction, index).await?;
                above.push(index);
            }
        }
        level = above;
        if level.is_empty() {
            break;
        }
    }
    Ok(())
}

/// All indexes that follow an image: those that list others before those they list.
pub(super) async fn above(
    transaction: &mut Transaction,
    image: i64,
) -> Result<Vec<i64>, StoreError> {
    let mut levels: Vec<i64> = Vec::new();
    let mut level = vec![image];
    for _ in 0..MOST_NESTED {
        let mut next = Vec::new();
        for image in level {
            next.extend(indexes_of(transaction, image).await?);
        }
        next.sort_unstable();
        next.dedup();
        next.truncate(MOST_INDEXES);
        if next.is_empty() {
            break;
        }
        levels.splice(0..0, next.iter().copied());
        level = next;
    }
    Ok(levels)
}

async fn indexes_of(transaction: &mut Transaction, image: i64) -> Result<Vec<i64>, StoreError> {
    let rows = transaction
        .rows(
            "SELECT parent.id FROM image child
             JOIN manifest_part part ON part.address = child.address AND part.role = 'manifest'
             JOIN manifest list ON list.id = part.manifest_id
                 AND list.repository_id = child.repository_id
             JOIN image parent ON parent.repository_id = child.repository_id
                 AND parent.address = list.address
             WHERE child.id = $1 AND parent.id <> child.id
             ORDER BY parent.id",
            args![image],
        )
        .await?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// What one image of an index adds to it.
struct Listed {
    platform: String,
    kind: Option<String>,
    state: ImageState,
    reason: Option<String>,
    outcome: Option<String>,
    edition: Option<String>,
    assessed_at: Option<i64>,
    numbers: [i64; 8],
}

/// Sums up an index: it is as far as the image that is least far, its outcome is the
/// worst there is, and of each number it has the highest, because the platforms of
/// one image share most of what is in them.
pub(crate) async fn roll_up(transaction: &mut Transaction, index: i64) -> Result<(), StoreError> {
    if !super::hold(transaction, index).await? {
        return Ok(());
    }
    let rows = transaction
        .rows(
            "SELECT COALESCE(part.platform, child.platform, part.address), child.kind, child.state,
                 child.reason, child.outcome, child.edition, child.assessed_at, child.critical,
                 child.high, child.medium, child.low, child.negligible, child.unrated,
                 child.fixable, child.packages
             FROM image parent
             JOIN manifest list ON list.repository_id = parent.repository_id
                 AND list.address = parent.address
             JOIN manifest_part part ON part.manifest_id = list.id AND part.role = 'manifest'
             LEFT JOIN image child ON child.repository_id = parent.repository_id
                 AND child.address = part.address
             WHERE parent.id = $1 AND parent.kind = 'index'
             ORDER BY part.position",
            args![index],
        )
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = row.optional_text(1)?;
        let mut numbers = [0; 8];
        let known = kind.is_some();
        if known {
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = row.int(7 + at)?;
            }
        }
        listed.push(Listed {
            platform: row.text(0)?,
            state: if known {
                row.parsed(2)?
            } else {
                ImageState::NotScanned
            },
            kind,
            reason: row.optional_text(3)?,
            outcome: row.optional_text(4)?,
            edition: row.optional_text(5)?,
            assessed_at: row.optional_int(6)?,
            numbers,
        });
    }
    let (state, reason) = state_of(&listed);
    let done: Vec<&Listed> = listed
        .iter()
        .filter(|it| it.state == ImageState::Done)
        .collect();
    let is_assessed = state == ImageState::Done;
    let outcome = is_assessed.then(|| worst(&done)).flatten();
    let numbers = if is_assessed { highest(&done) } else { [0; 8] };
    let edition = done.first().and_then(|it| it.edition.clone());
    let edition =
        edition.filter(|it| is_assessed && done.iter().all(|one| one.edition.as_ref() == Some(it)));
    let assessed_at = done.iter().filter_map(|it| it.assessed_at).min();
    let now = transaction.now();
    let [
        critical,
        high,
        medium,
        low,
        negligible,
        unrated,
        fixable,
        packages,
    ] = numbers;
    transaction
        .execute(
            "UPDATE image SET state = $2, reason = $3,
                 state_since = CASE WHEN state = $2 THEN state_since ELSE $4 END,
                 outcome = $5, edition = $6, assessed_at = $7, critical = $8, high = $9,
                 medium = $10, low = $11, negligible = $12, unrated = $13, fixable = $14,
                 packages = $15
             WHERE id = $1",
            args![
                index,
                state.name(),
                reason.as_deref().map(line),
                now,
                outcome,
                edition,
                assessed_at.filter(|_| is_assessed),
                critical,
                high,
                medium,
                low,
                negligible,
                unrated,
                fixable,
                packages
            ],
        )
        .await?;
    Ok(())
}

/// Things that are kept beside images, such as attestations, do not count: nobody
/// asked whether they are fit to run.
fn state_of(listed: &[Listed]) -> (ImageState, Option<String>) {
    let images: Vec<&Listed> = listed
        .iter()
        .filter(|it| it.kind.as_deref() != Some("artifact") && it.state != ImageState::Unsupported)
        .collect();
    let with = |state: ImageState| images.iter().filter(|it| it.state == state).count();
    let told = |state: ImageState| {
        let first = listed.iter().find(|it| it.state == state)?;
        let reason = first.reason.as_deref().unwrap_or("no reason was told");
        Some(format!("{}: {reason}", first.platform))
    };
    if images.is_empty() {
        let reason =
            told(ImageState::Unsupported).unwrap_or_else(|| "the index lists no image".to_owned());
        (ImageState::Unsupported, Some(reason))
    } else if with(ImageState::Scanning) > 0 {
        (ImageState::Scanning, None)
    } else if with(ImageState::Queued) > 0 {
        let begun = with(ImageState::Queued) + with(ImageState::NotScanned) < images.len();
        let state = if begun {
            ImageState::Scanning
        } else {
            ImageState::Queued
        };
        (state, None)
    } else if with(ImageState::NotScanned) > 0 {
        (ImageState::NotScanned, None)
    } else if with(ImageState::Failed) > 0 {
        (ImageState::Failed, told(ImageState::Failed))
    } else {
        (ImageState::Done, None)
    }
}

fn worst(done: &[&Listed]) -> Option<String> {
    let has = |outcome: &str| done.iter().any(|it| it.outcome.as_deref() == Some(outcome));
    ["fail", "unknown", "pass"]
        .into_iter()
        .find(|it| has(it))
        .map(str::to_owned)
}

fn highest(done: &[&Listed]) -> [i64; 8] {
    let mut numbers = [0; 8];
    for image in done {
        for (most, number) in numbers.iter_mut().zip(image.numbers) {
            *most = number.max(*most);
        }
    }
    numbers
}
