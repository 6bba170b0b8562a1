//! Small values for the tests of this room.

use std::collections::BTreeMap;

use seaworthy_core::{
    Claim, Day, Distro, Ecosystem, FeedDate, FeedFacts, Fix, Interval, Package, PackageType,
    Rating, RatingSystem, Severity, Sighting, Until, Version,
};

use crate::advisories::{
    Advisories, RecordDetails, RecordId, Row, RowStance, Trust, VulnerabilityDetails,
    VulnerabilityId,
};

pub(crate) fn package(kind: &str, name: &str, version: &str) -> Package {
    let kind = PackageType::from_purl_type(kind);
    Package {
        version: Version::of(kind.scheme(), version),
        kind,
        name: name.into(),
        architecture: None,
        source: None,
        vendor: None,
        module: None,
        claim: Claim::Recorded,
        seen: vec![Sighting {
            path: "somewhere".into(),
            layer: Some(0),
        }],
    }
}

pub(crate) fn distro(id: &str, version: &str) -> Distro {
    Distro {
        id: id.into(),
        version_id: (!version.is_empty()).then(|| version.into()),
        ..Distro::default()
    }
}

/// One line of a [`Notebook`]: `ecosystem name vulnerability from until`, where an
/// underscore in the ecosystem is a space and `until` is `*`, `<version`, `=version`,
/// `not`, `review` or `unreadable`. A `!` before the vulnerability makes it a vendor's
/// own word, `!!` the user's.
pub(crate) struct Notebook {
    lines: Vec<[String; 5]>,
    pub(crate) feeds: BTreeMap<String, FeedFacts>,
    pub(crate) ends: BTreeMap<String, Day>,
    pub(crate) unrated: bool,
}

pub(crate) const TODAY: Day = Day::from_days(20_000);

impl Notebook {
    /// A notebook whose feeds are of today and know enough.
    pub(crate) fn of(text: &str) -> Self {
        let mut feeds = BTreeMap::new();
        let mut lines = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let [ecosystem, name, vulnerability, from, until] =
                <[String; 5]>::try_from(words).expect("five words");
            let ecosystem = ecosystem.replace('_', " ");
            feeds.insert(
                ecosystem.clone(),
                FeedFacts {
                    id: format!("osv/{ecosystem}").into(),
                    advisories: 1_000,
                    date: FeedDate::Fetched(TODAY),
                },
            );
            lines.push([ecosystem, name, vulnerability, from, until]);
        }
        Self {
            lines,
            feeds,
            ends: BTreeMap::new(),
            unrated: false,
        }
    }
}

impl Advisories for Notebook {
    fn about(&self, ecosystem: &Ecosystem, name: &str, visit: &mut dyn FnMut(Row<'_>)) {
        let plain = |name: &str| name.trim_start_matches('!').to_owned();
        for (at, [family, about, vulnerability, from, until]) in self.lines.iter().enumerate() {
            if *family != ecosystem.to_string() || about != name {
                continue;
            }
            let from = (from != "0").then_some(from.as_str());
            let stance = match until.split_at(1) {
                ("*", _) => RowStance::Interval(
                    Interval {
                        from,
                        until: Until::Forever,
                    },
                    Fix::AsRanges,
                ),
                ("<", fixed) => RowStance::Interval(
                    Interval {
                        from,
                        until: Until::Before(fixed),
                    },
                    Fix::AsRanges,
                ),
                ("=", version) => RowStance::Exactly(version, Fix::AsRanges),
                ("n", _) => RowStance::NotAffected,
                ("u", _) => RowStance::Unreadable,
                _ => RowStance::UnderReview,
            };
            let same = |line: &[String; 5]| plain(&line[2]) == plain(vulnerability);
            let first = self.lines.iter().position(same).unwrap_or(at);
            visit(Row {
                record: RecordId(u32::try_from(at).unwrap_or(u32::MAX)),
                trust: match vulnerability.chars().take_while(|it| *it == '!').count() {
                    0 => Trust::Relayed,
                    1 => Trust::Firsthand,
                    _ => Trust::Private,
                },
                vulnerability: VulnerabilityId(u32::try_from(first).unwrap_or(u32::MAX)),
                stance,
            });
        }
    }

    fn covers(&self, ecosystem: &Ecosystem) -> Option<FeedFacts> {
        self.feeds.get(&ecosystem.to_string()).cloned()
    }

    fn support_ends(&self, distro: &str, version: &str) -> Option<Day> {
        self.ends.get(&format!("{distro} {version}")).copied()
    }

    fn record(&self, record: RecordId) -> RecordDetails {
        RecordDetails {
            feed: "osv".into(),
            id: format!("NOTE-{}", record.0).into(),
            summary: "a note".into(),
            references: Vec::new(),
            ratings: Vec::new(),
        }
    }

    fn vulnerability(&self, vulnerability: VulnerabilityId) -> VulnerabilityDetails {
        let line = self
            .lines
            .get(vulnerability.0 as usize)
            .expect("a vulnerability of this book");
        let rating = Rating {
            source: "osv".into(),
            system: RatingSystem::CvssV3,
            text: "CVSS:3.1/…".into(),
            score_tenths: Some(98),
            severity: Severity::Critical,
        };
        VulnerabilityDetails {
            id: line[2].trim_start_matches('!').into(),
            aliases: Vec::new(),
            ratings: if self.unrated {
                Vec::new()
            } else {
                vec![rating]
            },
            kev: None,
            epss: None,
        }
    }
}
