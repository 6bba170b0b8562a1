//! Keeping the house: what is collected, retained and forgotten now and then.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use seaworthy_store::{
    Accounts, Blobs, Browse, Catalog, CollectOptions, Database, Sight, StoreError, collect_once,
};

use crate::chore::{Chore, ChoreFuture};
use crate::told::told;

/// How often the house is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Housekeeping {
    /// Garbage collection.
    pub collect: Duration,
    /// How patient it is; `stray` is left to the sweep.
    pub collecting: CollectOptions,
    /// Looking for bytes without meaning, which reads the list of all that is stored.
    pub sweep: Duration,
    /// How old such bytes have to be, in milliseconds.
    pub stray: i64,
    /// Applying the retention rules of namespaces.
    pub retain: Duration,
    /// Forgetting sessions that ended.
    pub sessions: Duration,
}

impl Default for Housekeeping {
    fn default() -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        Self {
            collect: Duration::from_mins(5),
            collecting: CollectOptions::default(),
            sweep: Duration::from_hours(24),
            stray: 2 * DAY,
            retain: Duration::from_hours(1),
            sessions: Duration::from_hours(1),
        }
    }
}

impl Housekeeping {
    /// The chores that keep the house in `database` and `blobs`.
    pub fn chores(self, database: &Database, blobs: &Blobs) -> Vec<Arc<dyn Chore>> {
        let catalog = Catalog::of(database);
        let sweeping = CollectOptions {
            stray: Some(self.stray),
            ..self.collecting
        };
        let collect = |name, period, options| -> Arc<dyn Chore> {
            let (catalog, blobs) = (catalog.clone(), blobs.clone());
            Arc::new(Simple {
                name,
                period,
                run: move || collect(catalog.clone(), blobs.clone(), options),
            })
        };
        let (retained, browse) = (catalog.clone(), Browse::of(database));
        let (accounts, clock) = (Accounts::of(database), database.clone());
        vec![
            collect("collect", self.collect, self.collecting),
            collect("sweep", self.sweep, sweeping),
            Arc::new(Simple {
                name: "retain",
                period: self.retain,
                run: move || retain(retained.clone(), browse.clone()),
            }),
            Arc::new(Simple {
                name: "sessions",
                period: self.sessions,
                run: move || {
                    let (accounts, now) = (accounts.clone(), clock.now());
                    async move { accounts.sweep_sessions(now).await.map(drop) }
                },
            }),
        ]
    }
}

/// A chore made of a function.
struct Simple<F> {
    name: &'static str,
    period: Duration,
    run: F,
}

impl<F, R> Chore for Simple<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn period(&self) -> Duration {
        self.period
    }

    fn run(&self) -> ChoreFuture {
        let run = (self.run)();
        Box::pin(async move { run.await.map_err(|error| told(&error)) })
    }
}

async fn collect(
    catalog: Catalog,
    blobs: Blobs,
    options: CollectOptions,
) -> Result<(), StoreError> {
    let collected = collect_once(&catalog, &blobs, &options).await?;
    tracing::debug!(
        uploads = collected.uploads,
        manifests = collected.manifests,
        blobs = collected.blobs,
        removed = collected.removed,
        failed = collected.failed,
        "collected what nobody needs"
    );
    Ok(())
}

/// How many namespaces are asked for at once.
const NAMESPACES: usize = 100;

async fn retain(catalog: Catalog, browse: Browse) -> Result<(), StoreError> {
    let mut last: Option<String> = None;
    loop {
        let page = browse
            .namespaces(&Sight::Everything, last.as_deref(), NAMESPACES)
            .await?;
        for namespace in &page.items {
            let removed = catalog.apply_retention(&namespace.name).await?;
            let removed = removed.map_or(0, |it| it.len());
            if removed > 0 {
                tracing::info!(
                    namespace.name = %namespace.name,
                    removed,
                    "the rules of `{}` removed {removed} tags and manifests",
                    namespace.name
                );
            }
        }
        last = page.items.last().map(|it| it.name.to_string());
        if !page.more {
            return Ok(());
        }
    }
}
