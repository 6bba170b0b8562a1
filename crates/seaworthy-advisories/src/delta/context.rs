//! What changes beside the records.
//!
//! Feeds and ends of support are few and travel whole. Predictions of exploitation
//! are many, and all of them change every day in one of their two numbers: the
//! percentile is the rank of the probability. So a changed percentile is told once
//! for each probability, and what does not follow from that is spelled out.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Day, Epss, FeedDate};
use serde::{Deserialize, Serialize};

use super::position::{distances, positions};
use crate::compile::Context;
use crate::details::{KevDocument, epss_numbers, epss_of};

/// The changes between two contexts as editions give them back.
#[derive(Serialize, Deserialize)]
pub(super) struct ContextDocument<'a> {
    starter: bool,
    #[serde(borrow)]
    feeds: Vec<(&'a str, FeedDateDocument)>,
    #[serde(borrow)]
    support: Vec<(&'a str, &'a str, i32)>,
    /// Positions among the names of the base, as distances.
    kev_gone: Vec<u32>,
    #[serde(borrow)]
    kev: Vec<(&'a str, KevDocument)>,
    #[serde(borrow)]
    epss: EpssDocument<'a>,
}

/// Days count from 1970-01-01.
#[derive(Serialize, Deserialize)]
enum FeedDateDocument {
    Unknown,
    Fetched(i32),
    NewestRecord(i32),
}

#[derive(Serialize, Deserialize)]
struct EpssDocument<'a> {
    /// Positions among the names of the base, as distances.
    gone: Vec<u32>,
    /// Positions of those with another probability, and that.
    changed: Vec<u32>,
    probabilities: Vec<u32>,
    /// Probabilities with another percentile, ascending, and that; both as their
    /// distance from the one before.
    percentiles: Vec<(u32, i32)>,
    /// Whatever does not follow.
    #[serde(borrow)]
    spelled: Vec<(&'a str, u32, u32)>,
}

type Predictions = BTreeMap<Box<str>, Epss>;

impl<'a> ContextDocument<'a> {
    pub(super) fn between(base: &Context, to: &'a Context) -> Self {
        let kev_gone = (base.kev.keys().enumerate())
            .filter(|(_, name)| !to.kev.contains_key(*name))
            .map(|(position, _)| position);
        let kev = (to.kev.iter())
            .filter(|(name, kev)| base.kev.get(*name) != Some(kev))
            .map(|(name, kev)| (&**name, KevDocument::of(kev)));
        Self {
            starter: to.starter,
            feeds: (to.feeds.iter())
                .map(|(id, date)| {
                    let date = match date {
                        FeedDate::Unknown => FeedDateDocument::Unknown,
                        FeedDate::Fetched(day) => FeedDateDocument::Fetched(day.days()),
                        FeedDate::NewestRecord(day) => FeedDateDocument::NewestRecord(day.days()),
                    };
                    (&**id, date)
                })
                .collect(),
            support: (to.support.iter())
                .map(|((distro, version), day)| (&**distro, &**version, day.days()))
                .collect(),
            kev_gone: distances(kev_gone),
            kev: kev.collect(),
            epss: EpssDocument::between(&base.epss, &to.epss),
        }
    }

    /// The context that comes of `base`. `None` where this is no change of it.
    pub(super) fn apply(&self, base: Context) -> Option<Context> {
        let day = |days: i32| Day::from_days(days);
        let mut kev = base.kev;
        let gone: BTreeSet<usize> = positions(&self.kev_gone, kev.len())?.into_iter().collect();
        let mut position = 0..;
        kev.retain(|_, _| position.next().is_some_and(|it| !gone.contains(&it)));
        for (name, document) in &self.kev {
            kev.insert((*name).into(), document.kev());
        }
        Some(Context {
            starter: self.starter,
            feeds: (self.feeds.iter())
                .map(|(id, date)| {
                    let date = match *date {
                        FeedDateDocument::Unknown => FeedDate::Unknown,
                        FeedDateDocument::Fetched(days) => FeedDate::Fetched(day(days)),
                        FeedDateDocument::NewestRecord(days) => FeedDate::NewestRecord(day(days)),
                    };
                    ((*id).into(), date)
                })
                .collect(),
            support: (self.support.iter())
                .map(|&(distro, version, days)| ((distro.into(), version.into()), day(days)))
                .collect(),
            kev,
            epss: self.epss.apply(&base.epss)?,
        })
    }
}

impl<'a> EpssDocument<'a> {
    fn between(base: &Predictions, to: &'a Predictions) -> Self {
        let (mut gone, mut changed, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
        for (position, (name, before)) in base.iter().enumerate() {
            match to.get(name) {
                None => gone.push(position),
                Some(now) if now.probability_millionths != before.probability_millionths => {
                    changed.push(position);
                    probabilities.push(now.probability_millionths);
                }
                Some(_) => {}
            }
        }
        let before = ranks(base);
        let mut percentiles = Vec::new();
        let (mut last_probability, mut last_percentile) = (0, 0);
        for (probability, percentile) in ranks(to) {
            if before.get(&probability) != Some(&percentile) {
                percentiles.push((
                    probability.wrapping_sub(last_probability),
                    percentile.wrapping_sub(last_percentile).cast_signed(),
                ));
                (last_probability, last_percentile) = (probability, percentile);
            }
        }
        let mut document = Self {
            gone: distances(gone),
            changed: distances(changed),
            probabilities,
            percentiles,
            spelled: Vec::new(),
        };
        let follows = document.apply(base).unwrap_or_default();
        document.spelled = (to.iter())
            .filter(|(name, now)| follows.get(*name) != Some(now))
            .map(|(name, now)| {
                let (probability, percentile) = epss_numbers(*now);
                (&**name, probability, percentile)
            })
            .collect();
        document
    }

    fn apply(&self, base: &Predictions) -> Option<Predictions> {
        let gone = positions(&self.gone, base.len())?;
        let changed = positions(&self.changed, base.len())?;
        if changed.len() != self.probabilities.len() {
            return None;
        }
        let mut gone = gone.into_iter().peekable();
        let mut changed = changed.into_iter().zip(&self.probabilities).peekable();
        let mut ranks = ranks(base);
        let (mut probability, mut percentile) = (0_u32, 0_u32);
        for &(further, higher) in &self.percentiles {
            probability = probability.wrapping_add(further);
            percentile = percentile.wrapping_add(higher.cast_unsigned());
            ranks.insert(probability, percentile);
        }
        let mut predictions = Predictions::new();
        for (position, (name, before)) in base.iter().enumerate() {
            let probability = changed
                .next_if(|(at, _)| *at == position)
                .map_or(before.probability_millionths, |(_, now)| *now);
            if gone.next_if_eq(&position).is_some() {
                continue;
            }
            let percentile = ranks.get(&probability).copied().unwrap_or(0);
            predictions.insert(name.clone(), epss_of((probability, percentile)));
        }
        for &(name, probability, percentile) in &self.spelled {
            predictions.insert(name.into(), epss_of((probability, percentile)));
        }
        Some(predictions)
    }
}

/// The percentile of each probability: that of the first name that has it.
fn ranks(predictions: &Predictions) -> BTreeMap<u32, u32> {
    let mut ranks = BTreeMap::new();
    for prediction in predictions.values() {
        let (probability, percentile) = epss_numbers(*prediction);
        ranks.entry(probability).or_insert(percentile);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_predictions_is_told_by_what_moved() {
        let day = |moved: u32| -> Predictions {
            let of = |number: u32| {
                // Every hundredth has another probability; all are ranked anew.
                let nudge = if number.is_multiple_of(100) { moved } else { 0 };
                let probability = number / 10 * 7 + nudge;
                epss_of((probability, probability * 3 + moved))
            };
            (0..5_000)
                .map(|number| (format!("CVE-2020-{number}").into(), of(number)))
                .collect()
        };
        let (monday, tuesday) = (day(0), day(1));
        let change = EpssDocument::between(&monday, &tuesday);
        assert_eq!(change.apply(&monday).as_ref(), Some(&tuesday));
        assert_eq!((change.changed.len(), change.spelled.len()), (50, 0));
        let bytes = postcard::to_allocvec(&change).unwrap_or_default();
        assert!(bytes.len() < 2_000, "{}", bytes.len());
        let nothing = EpssDocument::between(&monday, &monday);
        assert_eq!(postcard::to_allocvec(&nothing), Ok(vec![0; 5]));
    }
}
