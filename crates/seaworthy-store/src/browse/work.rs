//! Jobs, as those see them who look after the installation.

use super::{Browse, one_more, page};
use crate::clock::Millis;
use crate::page::Page;
use crate::sql::{Row, args};
use crate::trouble::StoreError;

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits.
    Queued,
    /// A worker has it.
    Running,
    /// It failed for good, and is kept with the reason.
    Dead,
}

impl JobState {
    /// As stored and as documents spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

/// Which jobs are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<JobState>,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub id: i64,
    /// What is to be done.
    pub kind: Box<str>,
    /// Which work goes first: lower numbers.
    pub lane: i64,
    /// `queued`, `running` or `dead`.
    pub state: Box<str>,
    /// What it is about, as JSON.
    pub body: String,
    /// How often it was begun.
    pub attempts: u64,
    /// When it may begin.
    pub not_before: Millis,
    /// Until when its worker must say that it lives.
    pub lease_until: Option<Millis>,
    /// Who has it.
    pub worker: Option<Box<str>>,
    /// Why it failed last.
    pub reason: Option<Box<str>>,
    /// When it was written down.
    pub created_at: Millis,
}

fn job_row(row: &Row) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: row.int(0)?,
        kind: row.text(1)?.into(),
        lane: row.int(2)?,
        state: row.text(3)?.into(),
        body: row.text(4)?,
        attempts: row.size(5)?,
        not_before: row.millis(6)?,
        lease_until: row.optional_millis(7)?,
        worker: row.optional_text(8)?.map(String::into_boxed_str),
        reason: row.optional_text(9)?.map(String::into_boxed_str),
        created_at: row.millis(10)?,
    })
}

impl Browse {
    /// Jobs, newest first, before the number `before`.
    pub async fn jobs(
        &self,
        filter: JobFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<JobRow>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT id, kind, lane, state, body, attempts, not_before, lease_until, worker,
                        reason, created_at
                 FROM job WHERE id < $1 AND ($2 = '' OR state = $2)
                 ORDER BY id DESC LIMIT $3",
                args![
                    before.unwrap_or(i64::MAX),
                    filter.state.map_or("", JobState::name),
                    one_more(limit)
                ],
            )
            .await?;
        page(&rows, limit, job_row)
    }

    /// One job.
    pub async fn job(&self, id: i64) -> Result<Option<JobRow>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT id, kind, lane, state, body, attempts, not_before, lease_until, worker,
                        reason, created_at
                 FROM job WHERE id = $1",
                args![id],
            )
            .await?;
        row.as_ref().map(job_row).transpose()
    }
}
