//! The edition in use: the one on the shelf, exchanged when a newer one is installed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use seaworthy_advisories::{Edition, Sealed, Shelf};
use seaworthy_core::{ImageFacts, Inventory, Policy};
use seaworthy_match::deciding;
use seaworthy_server::{AssessError, Assessed, Assessor, EditionInUse};
use seaworthy_worker::judge_inventory;

use crate::edition;
use crate::settings;

use super::health::chain;

/// The edition in use and the policy of this installation.
pub(crate) struct Editions {
    shelf: Shelf,
    data: PathBuf,
    policy: Policy,
    current: RwLock<Current>,
    /// Held while an edition is opened: whoever comes meanwhile finds it opened.
    opening: Mutex<()>,
}

#[derive(Default)]
struct Current {
    /// What the shelf named when it was opened.
    path: Option<PathBuf>,
    edition: Option<Arc<Edition>>,
}

impl Editions {
    /// The editions under the data folder. None is opened yet.
    pub(crate) fn under(data: &Path, policy: Policy) -> Arc<Self> {
        Arc::new(Self {
            shelf: edition::shelf(data),
            data: data.to_owned(),
            policy,
            current: RwLock::default(),
            opening: Mutex::default(),
        })
    }

    /// The edition in use, if one could be opened so far.
    pub(crate) fn current(&self) -> Option<Arc<Edition>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.edition.clone()
    }

    /// Opens what the shelf names now, if that is another edition than before; with
    /// an empty shelf the starter edition. May take its time.
    pub(crate) fn refresh(&self) -> anyhow::Result<()> {
        let _turn = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let named = self.shelf.current()?;
        let is_same = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            current.edition.is_some() && current.path == named
        };
        if is_same {
            return Ok(());
        }
        let opened = Arc::new(edition::open(&self.data, None)?);
        let facts = opened.facts();
        tracing::info!(
            edition = %facts.digest,
            advisories = facts.advisories,
            starter = facts.starter,
            "edition {} is in use",
            facts.digest,
        );
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Current {
            path: named,
            edition: Some(opened),
        };
        Ok(())
    }

    /// Looks again and again. Never ends.
    pub(crate) async fn watch(self: Arc<Self>, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        loop {
            ticks.tick().await;
            self.refresh_once().await;
        }
    }

    /// Looks once, where waiting is allowed.
    pub(super) async fn refresh_once(self: &Arc<Self>) {
        let editions = Arc::clone(self);
        let refreshed = tokio::task::spawn_blocking(move || editions.refresh()).await;
        match refreshed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("the edition stays the old one: {error:#}"),
            Err(error) => tracing::error!("the edition stays the old one: {}", chain(&error)),
        }
    }

    /// The serial of the seal that the edition came with.
    fn serial(&self, edition: &Edition) -> Option<u64> {
        let sealed = Sealed::read_unverified(&self.shelf.seal()?).ok()?;
        (sealed.edition == *edition.digest()).then_some(sealed.serial)
    }
}

impl seaworthy_worker::Editions for Editions {
    fn current(&self) -> Option<Arc<Edition>> {
        Self::current(self)
    }
}

impl Assessor for Editions {
    fn edition(&self) -> Option<EditionInUse> {
        let edition = self.current()?;
        let feeds = edition
            .feeds()
            .iter()
            .map(|feed| {
                let day = feed.date.day().map(|day| day.to_string());
                (feed.id.to_string(), day)
            })
            .collect();
        Some(EditionInUse {
            facts: edition.facts(),
            serial: self.serial(&edition),
            feeds,
        })
    }

    fn policy(&self) -> Policy {
        self.policy.clone()
    }

    fn assess(&self, image: ImageFacts, inventory: Inventory) -> Result<Assessed, AssessError> {
        let edition = self.current().ok_or(AssessError::NoEdition)?;
        let now = seaworthy_store::Millis(settings::milliseconds());
        let judged = judge_inventory(image, inventory, Some(&edition), &self.policy, now);
        Ok(Assessed {
            deciding: deciding(&judged.report.inventory),
            report: judged.report,
            verdict: judged.verdict,
            policy: self.policy.clone(),
        })
    }
}
