//! One worker: claims jobs, runs several at a time, and ends politely.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use seaworthy_store::{Blobs, Catalog, Database, Ended, Jobs, Lease, SaveError, Scans, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::chore::{self, Chore, Forget, Repair};
use crate::memory::Memory;
use crate::options::WorkerOptions;
use crate::scan::{Scanning, Trouble};
use crate::told::told;

/// How long to wait after the database was in trouble.
const REST: Duration = Duration::from_secs(1);

/// How often to try to say how a job ended.
const TRIES: u32 = 20;

/// How often to see that every chore is on the list.
const CHORES: Duration = Duration::from_mins(1);

/// Claims jobs and runs them.
#[derive(Clone)]
pub struct Worker {
    database: Database,
    jobs: Jobs,
    scanning: Scanning,
    options: Arc<WorkerOptions>,
    chores: Arc<[Arc<dyn Chore>]>,
}

impl Worker {
    /// A worker on `database` and `blobs`. It needs the runtime it is made in.
    pub fn new(database: &Database, blobs: &Blobs, options: WorkerOptions) -> Self {
        let options = Arc::new(options);
        let scans = Scans::of(database);
        let memory = match &options.ear {
            Some(ear) => ear.memory().clone(),
            None => Memory::of(scans.clone(), Handle::current()),
        };
        let mut chores: Vec<Arc<dyn Chore>> = vec![
            Arc::new(Repair(scans.clone())),
            Arc::new(Forget {
                scans: scans.clone(),
                probes: memory.probes().to_owned(),
            }),
        ];
        chores.extend(options.chores.iter().cloned());
        let clock = database.clone();
        Self {
            database: database.clone(),
            jobs: Jobs::of(database),
            scanning: Scanning {
                catalog: Catalog::of(database),
                blobs: blobs.clone(),
                scans,
                memory,
                options: Arc::clone(&options),
                now: Arc::new(move || clock.now()),
            },
            options,
            chores: chores.into(),
        }
    }

    /// Works until `shutdown`; then claims nothing more, gives the jobs at hand some
    /// time to end, and gives back those that did not.
    ///
    /// Dropping this future instead is what a crash looks like: leases run out, and
    /// others take over.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for _ in 0..self.options.slots.max(1) {
            let (worker, stopped) = (self.clone(), stopped.clone());
            tasks.spawn(async move { worker.work(stopped).await });
        }
        let mut beside = JoinSet::new();
        let worker = self.clone();
        beside.spawn(async move { worker.keep_chores().await });
        let worker = self.clone();
        beside.spawn(async move { worker.keep_listening().await });

        shutdown.await;
        // The receivers live in the tasks; where all are gone there is none to tell.
        stop.send_replace(true);
        while tasks.join_next().await.is_some() {}
    }

    /// Takes one job after another.
    async fn work(&self, mut stopped: watch::Receiver<bool>) {
        loop {
            let Some(claimed) = self.claim(&mut stopped).await else {
                return;
            };
            self.run_claimed(&claimed, &mut stopped).await;
        }
    }

    /// Waits for a job and claims it; none when the worker is to stop. A claim that
    /// began is never dropped: the job would be nobody's until its lease runs out.
    async fn claim(&self, stopped: &mut watch::Receiver<bool>) -> Option<Lease> {
        let mut is_away = false;
        loop {
            if *stopped.borrow() {
                return None;
            }
            match self.jobs.claim(&self.options.name, self.lease()).await {
                Ok(Some(lease)) => {
                    // Where there was one, there may be more.
                    self.database.bell().ring();
                    if is_away {
                        tracing::info!("jobs can be claimed again");
                    }
                    return Some(lease);
                }
                Ok(None) => {
                    tokio::select! {
                        () = self.database.bell().heard() => {}
                        () = tokio::time::sleep(self.options.poll) => {}
                        _ = stopped.wait_for(|it| *it) => {}
                    }
                }
                // Somebody else was at the same rows, and is done by now.
                Err(StoreError::Busy(_)) => tokio::task::yield_now().await,
                Err(error) => {
                    if !is_away {
                        tracing::warn!("cannot claim jobs: {}", told(&error));
                    }
                    is_away = true;
                    tokio::select! {
                        () = tokio::time::sleep(REST) => {}
                        _ = stopped.wait_for(|it| *it) => {}
                    }
                }
            }
        }
    }

    fn lease(&self) -> i64 {
        i64::try_from(self.options.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Runs a job while saying now and then that it is still being run.
    async fn run_claimed(&self, lease: &Lease, stopped: &mut watch::Receiver<bool>) {
        let span = tracing::info_span!("job", job.id = lease.job, job.kind = &*lease.kind);
        let patience = async {
            let _ = stopped.wait_for(|it| *it).await;
            tokio::time::sleep(self.options.drain).await;
        };
        let ended = tokio::select! {
            ended = self.run_guarded(lease).instrument(span) => ended,
            () = self.keep_lease(lease) => {
                tracing::warn!(job.id = lease.job, "lost the lease of job {}", lease.job);
                return;
            }
            () = patience => {
                // It begins anew elsewhere; what its layers yielded is remembered.
                if let Err(error) = self.jobs.release(lease).await {
                    tracing::warn!("cannot give back job {}: {}", lease.job, told(&error));
                }
                return;
            }
        };
        for _ in 0..TRIES {
            match self.settle(lease, &ended).await {
                Err(error) if error.is_temporary() => tokio::time::sleep(REST).await,
                Err(error) => {
                    tracing::warn!("cannot say how job {} ended: {}", lease.job, told(&error));
                    return;
                }
                Ok(()) => return,
            }
        }
        // Then the lease runs out, and the job begins anew.
        tracing::warn!("cannot say how job {} ended: the store is away", lease.job);
    }

    /// Renews the lease until it is lost.
    async fn keep_lease(&self, lease: &Lease) {
        let period = (self.options.lease / 3).max(Duration::from_millis(10));
        loop {
            tokio::time::sleep(period).await;
            match self.jobs.renew(lease, self.lease()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!("cannot renew job {}: {}", lease.job, told(&error));
                }
            }
        }
    }

    /// Runs a job. A panic in it is a bug of ours and ends the job, not the worker.
    async fn run_guarded(&self, lease: &Lease) -> Result<(), Trouble> {
        match AssertUnwindSafe(self.run_job(lease)).catch_unwind().await {
            Ok(ended) => ended,
            Err(_) => Err(Trouble::Again("the job broke off".to_owned())),
        }
    }

    async fn run_job(&self, lease: &Lease) -> Result<(), Trouble> {
        match &*lease.kind {
            "scan" => match lease.image() {
                Some(image) => self.scanning.scan(lease, image).await,
                None => Err(Trouble::Never("the job names no image".to_owned())),
            },
            chore::KIND => self.do_chore(lease).await,
            other => Err(Trouble::Again(format!(
                "this program does not know jobs of the kind `{other}`"
            ))),
        }
    }

    async fn do_chore(&self, lease: &Lease) -> Result<(), Trouble> {
        let Some(chore) = chore::named(&self.chores, &lease.body) else {
            return Err(Trouble::Again(
                "this program does not know the chore".to_owned(),
            ));
        };
        chore.run().await.map_err(Trouble::Again)?;
        let period = i64::try_from(chore.period().as_millis()).unwrap_or(i64::MAX);
        let next = chore::job_of(&**chore);
        if self.jobs.finish_and_repeat(lease, &next, period).await? {
            Ok(())
        } else {
            Err(Trouble::Moot)
        }
    }

    /// Says what became of a job that did not end well.
    async fn settle(&self, lease: &Lease, ended: &Result<(), Trouble>) -> Result<(), StoreError> {
        match ended {
            Ok(()) | Err(Trouble::Moot) => {}
            Err(Trouble::Unsupported(reason)) => {
                if let Some(image) = lease.image() {
                    let scans = &self.scanning.scans;
                    match scans.save_unsupported(lease, image, reason).await {
                        Ok(()) | Err(SaveError::Lost(_) | SaveError::Gone) => {}
                        Err(SaveError::Store(error)) => return Err(error),
                    }
                }
            }
            Err(Trouble::Again(reason)) => {
                log(lease, reason, self.jobs.fail(lease, reason).await?);
            }
            Err(Trouble::Never(reason)) => {
                log(lease, reason, self.jobs.give_up(lease, reason).await?);
            }
        }
        Ok(())
    }

    /// Sees that every chore is on the list.
    async fn keep_chores(&self) {
        loop {
            for chore in self.chores.iter() {
                let scheduled: Result<bool, StoreError> =
                    self.jobs.schedule(&chore::job_of(&**chore)).await;
                if let Err(error) = scheduled {
                    tracing::debug!("cannot schedule `{}`: {}", chore.name(), told(&error));
                }
            }
            tokio::time::sleep(CHORES).await;
        }
    }

    /// Hears of jobs that other nodes write down.
    async fn keep_listening(&self) {
        loop {
            if let Err(error) = self.database.listen().await {
                tracing::debug!("cannot listen for jobs: {}", told(&error));
            }
            tokio::time::sleep(REST).await;
        }
    }
}

fn log(lease: &Lease, reason: &str, ended: Ended) {
    let job = lease.job;
    match ended {
        Ended::Again(_) => tracing::warn!(job.id = job, "job {job} is tried again: {reason}"),
        Ended::Dead => tracing::warn!(job.id = job, "job {job} was given up: {reason}"),
        Ended::Lost => tracing::warn!(job.id = job, "lost the lease of job {job}: {reason}"),
    }
}
