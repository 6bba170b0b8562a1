//! Numbers that the front door does not count itself: jobs, the edition.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use seaworthy_store::{Database, Jobs};
use tokio::time::timeout;

use crate::settings;

use super::editions::Editions;
use super::health::More;
use super::meter::Page;

/// How long the database may take: a page without these numbers is better than none.
const PATIENCE: Duration = Duration::from_secs(2);

/// States and lanes in the order they are told; those without a job are told, too, so
/// that an alarm does not depend on there having been one.
const STATES: [&str; 3] = ["queued", "running", "dead"];
const LANES: [&str; 4] = ["push", "manual", "import", "rescan"];

/// Numbers of jobs and of the edition.
pub(super) struct Numbers {
    jobs: Jobs,
    editions: Arc<Editions>,
}

impl Numbers {
    pub(super) fn of(database: &Database, editions: &Arc<Editions>) -> Self {
        Self {
            jobs: Jobs::of(database),
            editions: Arc::clone(editions),
        }
    }

    async fn jobs(&self, page: &mut Page) {
        let asked = async { tokio::try_join!(self.jobs.counts(), self.jobs.oldest()) };
        let Ok(Ok((counts, oldest))) = timeout(PATIENCE, asked).await else {
            return;
        };
        let name = "seaworthy_jobs";
        page.family(name, "gauge", "Jobs by state and lane.");
        for state in STATES {
            for lane in LANES {
                let count: u64 = counts
                    .iter()
                    .filter(|it| &*it.state == state && it.lane.name() == lane)
                    .map(|it| it.count)
                    .sum();
                page.line(name, &[("state", state), ("lane", lane)], count);
            }
        }
        let name = "seaworthy_oldest_job_seconds";
        page.family(
            name,
            "gauge",
            "How long the job has waited that has waited longest.",
        );
        let waited = oldest.map_or(0, |since| settings::milliseconds().saturating_sub(since.0));
        page.line(name, &[], waited.max(0) / 1_000);
    }

    fn edition(&self, page: &mut Page) {
        let Some(edition) = self.editions.current() else {
            return;
        };
        let facts = edition.facts();
        let name = "seaworthy_edition_advisories";
        page.family(name, "gauge", "Advisories in the edition in use.");
        let kind = if facts.starter {
            "starter"
        } else {
            "installed"
        };
        page.line(name, &[("edition", kind)], facts.advisories);
        let newest = edition.feeds().iter().filter_map(|it| it.date.day()).max();
        if let Some(day) = newest {
            let age = settings::today().days() - day.days();
            let name = "seaworthy_edition_age_days";
            page.family(name, "gauge", "Days since the newest feed of the edition.");
            page.line(name, &[], age.max(0));
        }
    }
}

impl More for Numbers {
    fn write<'a>(&'a self, page: &'a mut Page) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            self.jobs(page).await;
            self.edition(page);
        })
    }
}
