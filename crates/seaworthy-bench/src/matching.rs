//! Opening an edition and asking it, beside the same in SQLite.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::fs::{Advice, fadvise};
use seaworthy_advisories::Edition;
use seaworthy_core::{Ecosystem, Scheme};
use seaworthy_match::{Advisories, RowStance};

use crate::dice::Dice;
use crate::floor::processor_time;
use crate::names;
use crate::question::Question;
use crate::rounds::median;
use crate::sqlite::Store;

/// What asking cost, medians over all rounds.
#[derive(Debug)]
pub(crate) struct Costs {
    pub(crate) open: Duration,
    /// Of an edition of a fiftieth of the size.
    pub(crate) open_small: Duration,
    pub(crate) open_evicted: Duration,
    /// Opening and 500 packages, from storage.
    pub(crate) evicted: Duration,
    pub(crate) evicted_sqlite: Duration,
    /// Per package, 500 packages, in a fresh process's eyes.
    pub(crate) first: Duration,
    pub(crate) first_sqlite: Duration,
    /// Per package, once everything was touched.
    pub(crate) steady: Duration,
    pub(crate) steady_sqlite: Duration,
    /// SQLite's time divided by ours, median of rounds.
    pub(crate) first_ratio: f64,
    pub(crate) steady_ratio: f64,
    pub(crate) hits: usize,
}

/// Where the stores lie.
pub(crate) struct Stores<'a> {
    pub(crate) edition: &'a Path,
    pub(crate) small: &'a Path,
    pub(crate) sqlite: &'a Path,
}

const PACKAGES: usize = 500;
const STEADY: usize = 20_000;

/// Measures both stores in turns.
pub(crate) fn measure(stores: &Stores<'_>, rounds: usize) -> anyhow::Result<Costs> {
    let ecosystem = Ecosystem::of_release("Debian", "12");
    let few = questions(PACKAGES, 5);
    let many = questions(STEADY, 23);
    let mut open = Vec::new();
    let mut open_small = Vec::new();
    let mut open_evicted = Vec::new();
    let mut evicted = [Vec::new(), Vec::new()];
    let mut first = [Vec::new(), Vec::new()];
    let mut steady = [Vec::new(), Vec::new()];
    let mut hits = 0;
    for _ in 0..rounds {
        for _ in 0..5 {
            open.push(timed(|| Edition::open(stores.edition))?.0);
            open_small.push(timed(|| Edition::open(stores.small))?.0);
        }
        evict(stores.edition)?;
        let begun = Instant::now();
        let edition = Edition::open(stores.edition)?;
        open_evicted.push(begun.elapsed());
        ask(&edition, &ecosystem, &few);
        evicted[0].push(begun.elapsed());
        drop(edition);
        evict(stores.sqlite)?;
        let begun = Instant::now();
        Store::open(stores.sqlite)?.ask(&ecosystem, &few)?;
        evicted[1].push(begun.elapsed());

        // Everything is in the page cache from here on.
        warm(stores.edition)?;
        warm(stores.sqlite)?;
        for _ in 0..5 {
            let edition = Edition::open(stores.edition)?;
            let (took, ours) = timed(|| anyhow::Ok(ask(&edition, &ecosystem, &few)))?;
            first[0].push(took);
            let store = Store::open(stores.sqlite)?;
            let (took, theirs) = timed(|| store.ask(&ecosystem, &few))?;
            first[1].push(took);
            anyhow::ensure!(
                ours == theirs && ours > 0,
                "the edition finds {ours} hits and SQLite {theirs}"
            );
            hits = ours;
        }

        let edition = Edition::open(stores.edition)?;
        let store = Store::open(stores.sqlite)?;
        ask(&edition, &ecosystem, &many);
        let (took, ours) = timed(|| {
            anyhow::Ok(
                (0..10)
                    .map(|_| ask(&edition, &ecosystem, &many))
                    .sum::<usize>(),
            )
        })?;
        steady[0].push(took / 10);
        store.ask(&ecosystem, &many)?;
        let (took, theirs) = timed(|| store.ask(&ecosystem, &many))?;
        steady[1].push(took);
        anyhow::ensure!(ours == 10 * theirs, "the stores do not agree");
    }
    let each = |times: &[Duration], count: usize| {
        median(times.iter().copied()) / u32::try_from(count).unwrap_or(1)
    };
    let ratio = |[ours, theirs]: &[Vec<Duration>; 2]| {
        crate::rounds::ratio(theirs.iter().copied(), ours.iter().copied())
    };
    Ok(Costs {
        open: median(open),
        open_small: median(open_small),
        open_evicted: median(open_evicted),
        evicted: each(&evicted[0], 1),
        evicted_sqlite: each(&evicted[1], 1),
        first: each(&first[0], PACKAGES),
        first_sqlite: each(&first[1], PACKAGES),
        steady: each(&steady[0], STEADY),
        steady_sqlite: each(&steady[1], STEADY),
        first_ratio: ratio(&first),
        steady_ratio: ratio(&steady),
        hits,
    })
}

fn questions(count: usize, seed: u64) -> Vec<Question> {
    let mut dice = Dice::of(seed);
    let question = |number: usize| Question {
        name: names::package(number),
        version: names::dpkg_version(&mut Dice::of(number as u64)),
        scheme: Scheme::Dpkg,
    };
    let number = |dice: &mut Dice| {
        if dice.happens(names::PRESENT) {
            dice.below(names::KNOWN)
        } else {
            names::KNOWN + dice.below(names::KNOWN)
        }
    };
    (0..count).map(|_| question(number(&mut dice))).collect()
}

/// How many statements hit.
fn ask(edition: &Edition, ecosystem: &Ecosystem, questions: &[Question]) -> usize {
    let mut hits = 0;
    for question in questions {
        edition.about(ecosystem, &question.name, &mut |row| {
            let affected = match row.stance {
                RowStance::Interval(interval, _) => {
                    interval.contains(question.scheme, &question.version)
                }
                RowStance::Exactly(..)
                | RowStance::NotAffected
                | RowStance::UnderReview
                | RowStance::Unreadable => None,
            };
            hits += usize::from(affected == Some(true));
        });
    }
    hits
}

/// Processor time of `act`, which waits for nothing: that is what it would take
/// on an idle machine, however busy this one is.
fn timed<T, E: Into<anyhow::Error>>(
    act: impl FnOnce() -> Result<T, E>,
) -> anyhow::Result<(Duration, T)> {
    let begun = processor_time();
    let result = act();
    let took = processor_time().saturating_sub(begun);
    result.map(|it| (took, it)).map_err(Into::into)
}

/// Asks the kernel to forget the pages of a file.
fn evict(path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    file.sync_all()?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(())
}

/// Reads a file so that its pages are there.
fn warm(path: &Path) -> anyhow::Result<()> {
    let mut file = File::open(path)?;
    crate::layout::pieces(&mut file, 1 << 20, &mut |_| Ok(()))
}
