//! What operators see of the queue and do about it.

use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::sql::args;
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::{Jobs, Lane};

/// How many jobs there are of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCount {
    /// `queued`, `running` or `dead`.
    pub state: Box<str>,
    /// Their lane.
    pub lane: Lane,
    /// How many.
    pub count: u64,
}

impl Jobs {
    /// How many jobs there are, by state and lane.
    pub async fn counts(&self) -> Result<Vec<JobCount>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT state, lane, COUNT(*) FROM job GROUP BY state, lane ORDER BY state, lane",
                args![],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(JobCount {
                    state: row.text(0)?.into(),
                    lane: Lane::of_number(row.int(1)?),
                    count: row.size(2)?,
                })
            })
            .collect()
    }

    /// When the job that has waited longest could have begun, if one waits.
    pub async fn oldest(&self) -> Result<Option<Millis>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT not_before FROM job WHERE state = 'queued'
                 ORDER BY not_before, id LIMIT 1",
                args![],
            )
            .await?;
        row.map(|row| row.millis(0)).transpose()
    }

    /// Lets a job that was given up begin anew. Answers whether there was one.
    pub async fn retry(&self, job: i64, actor: &Actor) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let found = transaction
            .optional(
                "SELECT body FROM job WHERE id = $1 AND state = 'dead'",
                args![job],
            )
            .await?;
        let Some(row) = found else { return Ok(false) };
        let image = standing::image_of(&row.text(0)?);
        if let Some(image) = image {
            standing::hold(&mut transaction, image).await?;
        }
        let now = transaction.now();
        let waits = transaction
            .execute(
                "UPDATE job SET state = 'queued', attempts = 0, not_before = $2
                 WHERE id = $1 AND state = 'dead' AND NOT EXISTS (
                     SELECT 1 FROM job other WHERE other.dedupe = job.dedupe
                         AND other.state = 'queued')",
                args![job, now],
            )
            .await?
            == 1;
        let merged = !waits
            && transaction
                .execute(
                    "DELETE FROM job WHERE id = $1 AND state = 'dead'",
                    args![job],
                )
                .await?
                == 1;
        if let Some(image) = image.filter(|_| waits || merged) {
            standing::stand(&mut transaction, image, ImageState::Queued, None).await?;
        }
        if waits || merged {
            let object = job.to_string();
            let detail = serde_json::json!({});
            audit::note(&mut transaction, actor, "job.retry", &object, &detail).await?;
            transaction.announce().await?;
        }
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(waits || merged)
    }

    /// Forgets a job that waits or was given up. One that is being done goes on.
    /// Answers whether there was one.
    pub async fn cancel(&self, job: i64, actor: &Actor) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let found = transaction
            .optional(
                "SELECT body FROM job WHERE id = $1 AND state IN ('queued', 'dead')",
                args![job],
            )
            .await?;
        let Some(row) = found else { return Ok(false) };
        let image = standing::image_of(&row.text(0)?);
        if let Some(image) = image {
            standing::hold(&mut transaction, image).await?;
        }
        let gone = transaction
            .optional(
                "DELETE FROM job WHERE id = $1 AND state IN ('queued', 'dead') RETURNING state",
                args![job],
            )
            .await?;
        let Some(gone) = gone else { return Ok(false) };
        if let Some(image) = image
            && gone.text(0)? == "queued"
        {
            standing::unqueue(&mut transaction, image).await?;
        }
        let object = job.to_string();
        let detail = serde_json::json!({ "image": image });
        audit::note(&mut transaction, actor, "job.cancel", &object, &detail).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
