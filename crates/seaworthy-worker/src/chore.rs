//! What is done now and then, by one node at a time.
//!
//! A chore is a job like any other, with a key of its own: whichever node claims it
//! does it, and writes down when it is due again. Nobody keeps a clock for all.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use seaworthy_store::{Lane, NewJob, Scans};

use crate::told::told;

/// How a chore ends; an error is told in words.
pub type ChoreFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something that is done now and then.
pub trait Chore: Send + Sync {
    /// Its name, such as `collect`.
    fn name(&self) -> &'static str;

    /// How long after it ended it is due again.
    fn period(&self) -> Duration;

    /// Does it once.
    fn run(&self) -> ChoreFuture;
}

/// The kind of jobs that are chores.
pub(crate) const KIND: &str = "chore";

/// The job that does a chore.
pub(crate) fn job_of(chore: &dyn Chore) -> NewJob {
    let name = chore.name();
    NewJob {
        kind: KIND,
        lane: Lane::Rescan,
        dedupe: Some(format!("chore:{name}")),
        body: serde_json::json!({ "v": 1, "chore": name }).to_string(),
    }
}

/// The chore that a job is for.
pub(crate) fn named<'a>(chores: &'a [Arc<dyn Chore>], body: &str) -> Option<&'a Arc<dyn Chore>> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let name = body.get("chore")?.as_str()?;
    chores.iter().find(|chore| chore.name() == name)
}

/// Finds images whose state nobody works on.
pub(crate) struct Repair(pub(crate) Scans);

impl Chore for Repair {
    fn name(&self) -> &'static str {
        "repair"
    }

    fn period(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn run(&self) -> ChoreFuture {
        let scans = self.0.clone();
        Box::pin(async move {
            let repaired = scans.repair().await.map_err(|error| told(&error))?;
            if repaired != seaworthy_store::Repaired::default() {
                tracing::warn!(
                    requeued = repaired.requeued,
                    summed = repaired.summed,
                    failed = repaired.failed,
                    "repaired images whose state nobody worked on"
                );
            }
            Ok(())
        })
    }
}

/// Forgets what no image needs any more.
pub(crate) struct Forget {
    pub(crate) scans: Scans,
    pub(crate) probes: String,
}

/// The most things that are forgotten at once.
const MOST_FORGOTTEN: usize = 500;

impl Chore for Forget {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn period(&self) -> Duration {
        Duration::from_mins(30)
    }

    fn run(&self) -> ChoreFuture {
        let (scans, probes) = (self.scans.clone(), self.probes.clone());
        Box::pin(async move {
            loop {
                let forgotten = scans.forget_unused(&probes, MOST_FORGOTTEN).await;
                if forgotten.map_err(|error| told(&error))? < MOST_FORGOTTEN as u64 {
                    return Ok(());
                }
            }
        })
    }
}
