//! Where advisories come from, as far as matching needs to know.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Day, Ecosystem, Epss, FeedFacts, Fix, Interval, Kev, Rating};

/// A record inside an edition. Only the edition that handed it out can say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u32);

/// A vulnerability inside an edition: all records that name the same one share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VulnerabilityId(pub u32);

/// How close a feed is to those who know. Where feeds of several kinds speak of
/// one vulnerability of one package, the closest decides and the others are told
/// where they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Passed on by a collector.
    Relayed,
    /// The vendor's own words.
    Firsthand,
    /// The user's own.
    Private,
}

impl Trust {
    /// The trust that the feed called `id` has by its kind: `osv/…` and the databases
    /// of communities relay, `private/…` is the user's own, and every other is a
    /// vendor's.
    pub fn of_feed(id: &str) -> Self {
        match id.split_once('/').map_or(id, |(kind, _)| kind) {
            "osv" | "starter" | "rubysec" | "friendsofphp" => Self::Relayed,
            "private" => Self::Private,
            _ => Self::Firsthand,
        }
    }
}

/// One record's stance on one package, borrowed from the edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The record that says so.
    pub record: RecordId,
    /// How much the record's word counts beside others.
    pub trust: Trust,
    /// The vulnerability it is about.
    pub vulnerability: VulnerabilityId,
    /// What is said.
    pub stance: RowStance<'a>,
}

/// What a row says. A record with several stretches has several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStance<'a> {
    /// Versions in this stretch are affected.
    Interval(Interval<'a>, Fix),
    /// This very version is affected.
    Exactly(&'a str, Fix),
    /// The package is not affected by the vulnerability.
    NotAffected,
    /// Nobody has decided yet.
    UnderReview,
    /// Something is said that cannot be read, because the edition is damaged.
    Unreadable,
}

/// What is known of one record, read only for findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDetails {
    /// The feed, such as `osv/npm`.
    pub feed: Box<str>,
    /// The record's id.
    pub id: Box<str>,
    /// One line for people.
    pub summary: Box<str>,
    /// Links.
    pub references: Vec<Box<str>>,
    /// Judgements in this record.
    pub ratings: Vec<Rating>,
}

/// What is known of one vulnerability, read only for findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VulnerabilityDetails {
    /// The best-known name: a CVE id where there is one.
    pub id: Box<str>,
    /// All other names, sorted.
    pub aliases: Vec<Box<str>>,
    /// Judgements by anyone, of any record that names it.
    pub ratings: Vec<Rating>,
    /// Known exploitation.
    pub kev: Option<Kev>,
    /// Predicted exploitation.
    pub epss: Option<Epss>,
}

/// What is known of the records and vulnerabilities that findings name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of each record that was asked for.
    pub records: BTreeMap<RecordId, RecordDetails>,
    /// Of each vulnerability that was asked for.
    pub vulnerabilities: BTreeMap<VulnerabilityId, VulnerabilityDetails>,
}

/// Where advisories come from: a compiled edition in production, a list in tests.
pub trait Advisories {
    /// Visits every row about `name` in `ecosystem`, in a fixed order.
    fn about(&self, ecosystem: &Ecosystem, name: &str, visit: &mut dyn FnMut(Row<'_>));

    /// The feed that covers this very ecosystem and release; `None` if none does.
    fn covers(&self, ecosystem: &Ecosystem) -> Option<FeedFacts>;

    /// The last day on which this release gets security updates, where known.
    /// `distro` and `version` are `ID` and `VERSION_ID` of os-release(5).
    fn support_ends(&self, distro: &str, version: &str) -> Option<Day>;

    /// More about a record of this edition.
    fn record(&self, record: RecordId) -> RecordDetails;

    /// More about a vulnerability of this edition.
    fn vulnerability(&self, vulnerability: VulnerabilityId) -> VulnerabilityDetails;

    /// More about all of these. Who stores details in a certain order answers in
    /// that order, which is cheaper than to ask one by one.
    fn details(
        &self,
        records: &BTreeSet<RecordId>,
        vulnerabilities: &BTreeSet<VulnerabilityId>,
    ) -> Details {
        Details {
            records: records.iter().map(|&it| (it, self.record(it))).collect(),
            vulnerabilities: vulnerabilities
                .iter()
                .map(|&it| (it, self.vulnerability(it)))
                .collect(),
        }
    }
}
