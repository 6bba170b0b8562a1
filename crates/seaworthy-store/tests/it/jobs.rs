//! The queue: each job is done once, and none is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seaworthy_store::{
    Browse, Clock, Database, DatabaseOptions, Ended, ImageState, Jobs, Lane, Lease, MOST_ATTEMPTS,
    Millis, NewJob,
};

use crate::store::{Store, on_each_database, repository};

on_each_database! {
    a_job_is_claimed_by_one_and_finished_once,
    urgent_lanes_go_first_and_none_starves,
    what_waits_is_not_written_down_twice,
    a_failed_job_is_tried_again_later_and_given_up_with_the_reason,
    a_lost_lease_is_claimed_by_another_and_cannot_finish,
    a_job_that_ends_its_workers_is_given_up,
    a_released_job_does_not_count_the_attempt,
    a_renewed_lease_is_not_lost,
    operators_retry_and_cancel,
    an_images_state_follows_its_job,
    a_hundred_jobs_are_done_once_by_eight_workers,
    a_schedule_has_one_owner,
    any_course_of_events_leaves_no_job_stuck_and_does_none_twice,
}

const LEASE: i64 = 10_000;

fn job(lane: Lane, key: Option<&str>) -> NewJob {
    NewJob {
        kind: "test",
        lane,
        dedupe: key.map(str::to_owned),
        body: "{}".to_owned(),
    }
}

async fn claim(jobs: &Jobs) -> Option<Lease> {
    jobs.claim("w", LEASE).await.expect("asks")
}

fn browse(store: &Store) -> Browse {
    Browse::of(&store.database)
}

async fn enqueue(jobs: &Jobs, job: &NewJob) -> i64 {
    jobs.enqueue(job, 0).await.expect("is written down")
}

async fn a_job_is_claimed_by_one_and_finished_once(store: Store) {
    let jobs = Jobs::of(&store.database);
    assert_eq!(claim(&jobs).await, None);
    let id = enqueue(&jobs, &job(Lane::Push, None)).await;
    let lease = claim(&jobs).await.expect("there is one");
    assert_eq!((lease.job, lease.attempt), (id, 1));
    assert_eq!(claim(&jobs).await, None);
    assert!(jobs.finish(&lease).await.expect("asks"));
    assert!(!jobs.finish(&lease).await.expect("asks"));
    assert!(jobs.counts().await.expect("counts").is_empty());
}

async fn urgent_lanes_go_first_and_none_starves(store: Store) {
    let jobs = Jobs::of(&store.database);
    for lane in [Lane::Rescan, Lane::Import, Lane::Manual, Lane::Push] {
        enqueue(&jobs, &job(lane, None)).await;
    }
    let mut lanes = Vec::new();
    while let Some(lease) = claim(&jobs).await {
        lanes.push(lease.lane);
        jobs.finish(&lease).await.expect("asks");
    }
    assert_eq!(lanes, Lane::ALL);

    let old = enqueue(&jobs, &job(Lane::Rescan, None)).await;
    let mut others = 0;
    loop {
        store.pass(1);
        enqueue(&jobs, &job(Lane::Push, None)).await;
        let lease = claim(&jobs).await.expect("there is one");
        jobs.finish(&lease).await.expect("asks");
        if lease.job == old {
            break;
        }
        others += 1;
        assert!(others < 8, "the oldest job is taken sooner or later");
    }
}

async fn what_waits_is_not_written_down_twice(store: Store) {
    let jobs = Jobs::of(&store.database);
    let first = enqueue(&jobs, &job(Lane::Rescan, Some("a"))).await;
    assert_eq!(enqueue(&jobs, &job(Lane::Push, Some("a"))).await, first);
    let other = enqueue(&jobs, &job(Lane::Push, Some("b"))).await;
    assert_ne!(other, first);
    let lease = claim(&jobs).await.expect("there is one");
    assert_eq!(
        (lease.job, lease.lane),
        (first, Lane::Push),
        "the more urgent lane"
    );
    // One that is being done gets one successor.
    let next = enqueue(&jobs, &job(Lane::Push, Some("a"))).await;
    assert_ne!(next, first);
    assert_eq!(enqueue(&jobs, &job(Lane::Push, Some("a"))).await, next);
    // A failed one is replaced by its successor.
    let ended = jobs.fail(&lease, "no").await.expect("asks");
    assert!(matches!(ended, Ended::Again(_)));
    let mut left = BTreeSet::new();
    while let Some(lease) = claim(&jobs).await {
        left.insert(lease.job);
        jobs.finish(&lease).await.expect("asks");
    }
    assert_eq!(left, BTreeSet::from([next, other]));
}

async fn a_failed_job_is_tried_again_later_and_given_up_with_the_reason(store: Store) {
    let jobs = Jobs::of(&store.database);
    let id = enqueue(&jobs, &job(Lane::Push, None)).await;
    let mut waits = Vec::new();
    for attempt in 1..=MOST_ATTEMPTS {
        let lease = claim(&jobs).await.expect("is due");
        assert_eq!((lease.job, lease.attempt), (id, attempt));
        match jobs.fail(&lease, "the disk\nis full").await.expect("asks") {
            Ended::Again(at) => {
                assert_eq!(claim(&jobs).await, None, "not before its time");
                waits.push(at.0 - store.database.now().0);
                store.pass(at.0 - store.database.now().0);
            }
            ended => assert_eq!((ended, attempt), (Ended::Dead, MOST_ATTEMPTS)),
        }
    }
    assert!(waits.is_sorted() && waits.len() == 4, "{waits:?}");
    store.pass(1_000_000_000);
    assert_eq!(claim(&jobs).await, None);
    let dead = browse(&store)
        .job(id)
        .await
        .expect("asks")
        .expect("is kept");
    assert_eq!(
        (&*dead.state, dead.reason.as_deref()),
        ("dead", Some("the disk is full"))
    );
}

async fn a_lost_lease_is_claimed_by_another_and_cannot_finish(store: Store) {
    let jobs = Jobs::of(&store.database);
    enqueue(&jobs, &job(Lane::Push, None)).await;
    let first = claim(&jobs).await.expect("there is one");
    store.pass(LEASE - 1);
    assert_eq!(claim(&jobs).await, None);
    store.pass(1);
    let second = claim(&jobs).await.expect("there is one again");
    assert_eq!((second.job, second.attempt), (first.job, 2));
    assert!(!jobs.renew(&first, LEASE).await.expect("asks"));
    assert!(!jobs.finish(&first).await.expect("asks"));
    assert_eq!(jobs.fail(&first, "x").await.expect("asks"), Ended::Lost);
    assert_eq!(jobs.give_up(&first, "x").await.expect("asks"), Ended::Lost);
    assert!(!jobs.release(&first).await.expect("asks"));
    assert!(jobs.finish(&second).await.expect("asks"));
}

async fn a_job_that_ends_its_workers_is_given_up(store: Store) {
    let jobs = Jobs::of(&store.database);
    let id = enqueue(&jobs, &job(Lane::Push, None)).await;
    for _ in 0..MOST_ATTEMPTS {
        assert_eq!(claim(&jobs).await.map(|it| it.job), Some(id));
        store.pass(LEASE);
    }
    assert_eq!(claim(&jobs).await, None);
    let dead = browse(&store)
        .job(id)
        .await
        .expect("asks")
        .expect("is kept");
    let reason = dead.reason.expect("a reason");
    assert!(reason.contains("the worker that ran it ended"), "{reason}");
}

async fn a_released_job_does_not_count_the_attempt(store: Store) {
    let jobs = Jobs::of(&store.database);
    enqueue(&jobs, &job(Lane::Push, None)).await;
    for _ in 0..2 * MOST_ATTEMPTS {
        let lease = claim(&jobs).await.expect("there is one");
        assert_eq!(lease.attempt, 1);
        assert!(jobs.release(&lease).await.expect("asks"));
    }
}

async fn a_renewed_lease_is_not_lost(store: Store) {
    let jobs = Jobs::of(&store.database);
    enqueue(&jobs, &job(Lane::Push, None)).await;
    let lease = claim(&jobs).await.expect("there is one");
    for _ in 0..5 {
        store.pass(LEASE - 1);
        assert!(jobs.renew(&lease, LEASE).await.expect("asks"));
        assert_eq!(claim(&jobs).await, None);
    }
    assert!(jobs.finish(&lease).await.expect("asks"));
}

async fn operators_retry_and_cancel(store: Store) {
    let jobs = Jobs::of(&store.database);
    let id = enqueue(&jobs, &job(Lane::Push, Some("a"))).await;
    let lease = claim(&jobs).await.expect("there is one");
    assert!(
        !jobs.cancel(id, &store.actor).await.expect("asks"),
        "it is being done"
    );
    jobs.give_up(&lease, "no use").await.expect("asks");
    assert!(jobs.retry(id, &store.actor).await.expect("asks"));
    assert!(
        !jobs.retry(id, &store.actor).await.expect("asks"),
        "it waits"
    );
    assert!(jobs.cancel(id, &store.actor).await.expect("asks"));
    assert_eq!(claim(&jobs).await, None);
    assert!(
        !jobs.retry(id, &store.actor).await.expect("asks"),
        "it is gone"
    );
    assert!(!jobs.cancel(id, &store.actor).await.expect("asks"));
}

async fn an_images_state_follows_its_job(store: Store) {
    let name = repository("team/app");
    let manifest = store.push_image(&name, &["1"], &["config", "layer"]).await;
    let jobs = Jobs::of(&store.database);
    let state = async || {
        let image = browse(&store).image(&name, &manifest.address).await;
        image.expect("asks").expect("is there").state
    };
    assert_eq!(state().await, ImageState::Queued);
    let lease = claim(&jobs).await.expect("there is one");
    assert_eq!(state().await, ImageState::Scanning);
    jobs.release(&lease).await.expect("asks");
    assert_eq!(state().await, ImageState::Queued);
    let lease = claim(&jobs).await.expect("there is one");
    jobs.fail(&lease, "not now").await.expect("asks");
    assert_eq!(state().await, ImageState::Queued);
    store.pass(1_000_000);
    let lease = claim(&jobs).await.expect("there is one");
    jobs.give_up(&lease, "never").await.expect("asks");
    assert_eq!(state().await, ImageState::Failed);
    assert!(jobs.retry(lease.job, &store.actor).await.expect("asks"));
    assert_eq!(state().await, ImageState::Queued);
    assert!(jobs.cancel(lease.job, &store.actor).await.expect("asks"));
    assert_eq!(state().await, ImageState::NotScanned);
}

async fn a_hundred_jobs_are_done_once_by_eight_workers(store: Store) {
    let jobs = Jobs::of(&store.database);
    for _ in 0..100 {
        enqueue(&jobs, &job(Lane::Push, None)).await;
    }
    let workers = (0..8).map(|_| {
        let jobs = jobs.clone();
        tokio::spawn(async move {
            let mut done = Vec::new();
            while let Some(lease) = claim(&jobs).await {
                assert!(jobs.finish(&lease).await.expect("asks"));
                done.push(lease.job);
            }
            done
        })
    });
    let mut done = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        done.extend(worker.await.expect("a worker ends"));
    }
    done.sort_unstable();
    assert_eq!(done.len(), 100);
    done.dedup();
    assert_eq!(done.len(), 100);
}

async fn a_schedule_has_one_owner(store: Store) {
    let (one, other) = (Jobs::of(&store.database), Jobs::of(&store.database));
    let chore = job(Lane::Rescan, Some("chore:x"));
    assert!(one.schedule(&chore).await.expect("asks"));
    assert!(!other.schedule(&chore).await.expect("asks"));
    let lease = claim(&one).await.expect("there is one");
    assert!(
        !other.schedule(&chore).await.expect("asks"),
        "it is being done"
    );
    assert!(
        one.finish_and_repeat(&lease, &chore, 60_000)
            .await
            .expect("asks")
    );
    assert!(!other.schedule(&chore).await.expect("asks"));
    assert_eq!(claim(&other).await, None);
    store.pass(60_000);
    assert!(claim(&other).await.is_some());
}

/// What may happen to a queue.
#[derive(Clone, Copy, Debug)]
enum Event {
    Enqueue(u8),
    Claim,
    Finish(usize),
    Fail(usize),
    Renew(usize),
    Release(usize),
    Pass(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0..4_u8).prop_map(Event::Enqueue),
        4 => Just(Event::Claim),
        2 => (0..8_usize).prop_map(Event::Finish),
        1 => (0..8_usize).prop_map(Event::Fail),
        1 => (0..8_usize).prop_map(Event::Renew),
        1 => (0..8_usize).prop_map(Event::Release),
        2 => (1..2 * LEASE).prop_map(Event::Pass),
    ];
    proptest::collection::vec(event, 1..40)
}

/// Leases are kept for ever, so that events happen to lost ones, too. Afterwards a
/// worker that never fails drains the queue.
async fn any_course_of_events_leaves_no_job_stuck_and_does_none_twice(store: Store) {
    let jobs = Jobs::of(&store.database);
    let courses = if store.is_postgres() { 8 } else { 24 };
    let mut runner = TestRunner::new(Config {
        cases: courses,
        failure_persistence: None,
        ..Config::default()
    });
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        runner
            .run(&events(), |events| {
                handle.block_on(course(&store, &jobs, &events));
                Ok(())
            })
            .expect("every course ends well");
    });
}

async fn course(store: &Store, jobs: &Jobs, events: &[Event]) {
    let mut leases: Vec<Lease> = Vec::new();
    let mut written = BTreeSet::new();
    let mut done: BTreeMap<i64, u32> = BTreeMap::new();
    for event in events {
        let chosen = |at: usize| leases.get(at % leases.len().max(1)).cloned();
        match *event {
            Event::Enqueue(key) => {
                let key = (key > 0).then(|| format!("key {key}"));
                written.insert(enqueue(jobs, &job(Lane::Push, key.as_deref())).await);
            }
            Event::Claim => leases.extend(claim(jobs).await),
            Event::Finish(at) => {
                if let Some(lease) = chosen(at)
                    && jobs.finish(&lease).await.expect("asks")
                {
                    *done.entry(lease.job).or_default() += 1;
                }
            }
            Event::Fail(at) => {
                if let Some(lease) = chosen(at) {
                    jobs.fail(&lease, "no").await.expect("asks");
                }
            }
            Event::Renew(at) => {
                if let Some(lease) = chosen(at) {
                    jobs.renew(&lease, LEASE).await.expect("asks");
                }
            }
            Event::Release(at) => {
                if let Some(lease) = chosen(at) {
                    jobs.release(&lease).await.expect("asks");
                }
            }
            Event::Pass(time) => store.pass(time),
        }
    }
    store.pass(1_000_000_000);
    while let Some(lease) = claim(jobs).await {
        assert!(jobs.finish(&lease).await.expect("asks"));
        *done.entry(lease.job).or_default() += 1;
    }
    let left = jobs.counts().await.expect("counts");
    assert!(left.iter().all(|it| &*it.state == "dead"), "{left:?}");
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert!(done.keys().all(|job| written.contains(job)), "{done:?}");
}

#[test]
fn a_job_of_another_node_rings_the_bell() {
    let Some(postgres) = seaworthy_testkit::postgres() else {
        return;
    };
    let options = DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 4,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let open = async || {
            let clock = Clock::new(|| Millis(0));
            Database::open(&options, clock).await.expect("opens")
        };
        let (one, other) = (open().await, open().await);
        let listening = other.clone();
        let listener = tokio::spawn(async move { listening.listen().await });
        // It rings once by itself, for what was announced before.
        for _ in 0..2 {
            let heard = tokio::time::timeout(Duration::from_secs(30), other.bell().heard());
            heard.await.expect("the bell rings");
            enqueue(&Jobs::of(&one), &job(Lane::Push, None)).await;
        }
        listener.abort();
        for database in [one, other] {
            database.close().await;
        }
    });
}
