//! What a reader is handed, and what it hands back.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Seek};

use seaworthy_core::{Advisory, Day};

use crate::Refusal;
use crate::fed::Refusals;
use crate::osv::Limits;

/// The bytes of a part of a mirror.
pub trait Content: BufRead + Seek {}

impl<T: BufRead + Seek> Content for T {}

/// Why a part of a vendor's feed cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// It is not JSON, or not of the shape its format has.
    #[error("not the JSON it should be")]
    Json(#[from] serde_json::Error),
    /// It is not XML.
    #[error("not the XML it should be")]
    Xml(#[from] quick_xml::Error),
    /// It is not YAML, or uses more of it than a plain document needs.
    #[error("not the YAML it should be: {why}")]
    Yaml {
        /// What the reader said.
        why: Box<str>,
    },
    /// It defines what little text stands for much.
    #[error("an entity or a document type, which no feed needs")]
    Entity,
    /// The bytes could not be read or unpacked.
    #[error("cannot be unpacked")]
    Io(#[from] io::Error),
    /// The archive is damaged.
    #[error("not the archive it should be")]
    Archive(#[from] zip::result::ZipError),
    /// More than anyone has a use for.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// Such as `bytes` or `entries`.
        what: &'static str,
        /// The ceiling.
        limit: u64,
    },
    /// It lacks what every part of this feed has.
    #[error("{what} is missing")]
    Missing {
        /// The field or element.
        what: &'static str,
    },
}

/// Takes what a reader finds in the parts of one feed.
pub(crate) struct Intake<'a> {
    feed: &'a str,
    limits: &'a Limits,
    sink: &'a mut dyn FnMut(Advisory),
    records: u64,
    newest: Option<Day>,
    refusals: Refusals,
    left_out: HashMap<Box<str>, Day>,
    gathered: BTreeMap<Box<str>, Advisory>,
}

/// What came of reading the parts of one feed.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) records: u64,
    pub(crate) newest: Option<Day>,
    pub(crate) refused: u64,
    pub(crate) refusals: Vec<Refusal>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(
        feed: &'a str,
        limits: &'a Limits,
        sink: &'a mut dyn FnMut(Advisory),
    ) -> Self {
        Self {
            feed,
            limits,
            sink,
            records: 0,
            newest: None,
            refusals: Refusals::default(),
            left_out: HashMap::new(),
            gathered: BTreeMap::new(),
        }
    }

    /// The feed that is read, such as `debian/tracker`.
    pub(crate) fn feed(&self) -> &'a str {
        self.feed
    }

    /// The ceilings.
    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// An advisory of this feed that says nothing yet.
    pub(crate) fn advisory(&self, id: &str) -> Advisory {
        Advisory::new(self.feed, id)
    }

    /// Takes one record.
    pub(crate) fn take(&mut self, advisory: Advisory) {
        self.records = self.records.saturating_add(1);
        self.newest = self.newest.max(advisory.modified).max(advisory.published);
        (self.sink)(advisory);
    }

    /// The advisory `id`, kept until every part was read: for feeds that speak of a
    /// vulnerability here and there, such as once per release.
    pub(crate) fn gathered(&mut self, id: &str) -> Result<&mut Advisory, VendorError> {
        if self.gathered.len() >= self.limits.entries && !self.gathered.contains_key(id) {
            return Err(VendorError::TooLarge {
                what: "advisories",
                limit: u64::try_from(self.limits.entries).unwrap_or(u64::MAX),
            });
        }
        let feed = self.feed;
        Ok(self
            .gathered
            .entry(id.into())
            .or_insert_with(|| Advisory::new(feed, id)))
    }

    /// Refuses one record.
    pub(crate) fn refuse(&mut self, what: &str, why: impl std::fmt::Display) {
        self.refusals.push(what, why);
    }

    /// The feed states the day it was made.
    pub(crate) fn made_on(&mut self, day: Day) {
        self.newest = self.newest.max(Some(day));
    }

    /// The document called `name` was deleted on `day`.
    pub(crate) fn leave_out(&mut self, name: Box<str>, day: Day) {
        self.left_out.insert(name, day);
    }

    /// The archive that is read next was made on `day`.
    pub(crate) fn archived_on(&mut self, day: Day) {
        self.left_out.retain(|_, deleted| *deleted >= day);
        self.made_on(day);
    }

    /// Whether the file called `name` in an archive is to be passed over.
    pub(crate) fn leaves_out(&self, name: &str) -> bool {
        let name = name.strip_prefix("./").unwrap_or(name);
        self.left_out.contains_key(name)
    }

    pub(crate) fn finish(mut self) -> Taken {
        for advisory in std::mem::take(&mut self.gathered).into_values() {
            self.take(advisory);
        }
        Taken {
            records: self.records,
            newest: self.newest,
            refused: self.refusals.count,
            refusals: self.refusals.kept,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use seaworthy_core::{AffectedInterval, Fix, Stance, Statement, Upper};
    use std::io::Cursor;

    type Read = fn(&mut dyn Content, &str, &mut Intake<'_>) -> Result<(), VendorError>;

    /// Reads one part and gives what was taken, for the tests of readers.
    pub(crate) fn read_with(
        read: impl Fn(&mut dyn Content, &str, &mut Intake<'_>) -> Result<(), VendorError>,
        name: &str,
        bytes: &[u8],
    ) -> (Vec<Advisory>, Taken) {
        let mut advisories = Vec::new();
        let limits = Limits::default();
        let mut sink = |advisory| advisories.push(advisory);
        let mut intake = Intake::new("test", &limits, &mut sink);
        read(&mut Cursor::new(bytes), name, &mut intake).unwrap();
        let taken = intake.finish();
        (advisories, taken)
    }

    /// What one part says, line by line: advisories, then what was refused, or why
    /// it cannot be read.
    pub(crate) fn told(
        read: impl Fn(&mut dyn Content, &str, &mut Intake<'_>) -> Result<(), VendorError>,
        name: &str,
        bytes: &[u8],
    ) -> String {
        let mut advisories = Vec::new();
        let limits = Limits::default();
        let mut sink = |advisory| advisories.push(advisory);
        let mut intake = Intake::new("test", &limits, &mut sink);
        let outcome = read(&mut Cursor::new(bytes), name, &mut intake);
        let taken = intake.finish();
        let mut lines: Vec<String> = advisories.iter().map(shown).collect();
        let refused = taken.refusals.iter();
        lines.extend(refused.map(|it| format!("refused {}: {}", it.what, it.why)));
        if let Err(error) = outcome {
            let cause = std::error::Error::source(&error)
                .map_or_else(String::new, |source| format!(": {source}"));
            lines.push(format!("error: {error}{cause}"));
        }
        lines.join("\n")
    }

    /// An advisory for people who read tests.
    pub(crate) fn shown(advisory: &Advisory) -> String {
        let mut lines = vec![format!("{} {}", advisory.id, advisory.summary)];
        let list = |label: &str, names: &[Box<str>]| {
            (!names.is_empty()).then(|| format!("  {label}: {}", names.join(" ")))
        };
        lines.extend(list("aliases", &advisory.aliases));
        lines.extend(list("bundles", &advisory.bundles));
        lines.extend(list("links", &advisory.references));
        let days = [advisory.published, advisory.modified];
        if days.iter().any(Option::is_some) {
            let day = |day: Option<Day>| day.map_or("-".to_owned(), |it| it.to_string());
            lines.push(format!("  days: {}", days.map(day).join(" ")));
        }
        for rating in &advisory.ratings {
            lines.push(format!(
                "  {}: {} {}",
                rating.source, rating.text, rating.severity
            ));
        }
        lines.extend(advisory.statements.iter().map(stated));
        lines.join("\n")
    }

    fn stated(statement: &Statement) -> String {
        let about = &statement.about;
        let mut said = vec![format!("  {} {}:", about.ecosystem, about.name)];
        match &statement.stance {
            Stance::NotAffected { why } => said.push(format!("not affected ({why})")),
            Stance::UnderReview => said.push("under review".to_owned()),
            Stance::Affected {
                intervals,
                versions,
                fix,
            } => {
                for interval in intervals {
                    let from = interval.from.as_deref().unwrap_or("");
                    said.push(match &interval.upper {
                        Upper::Open => format!("[{from}..)"),
                        Upper::Fixed(end) => format!("[{from}..{end})"),
                        Upper::LastAffected(end) => format!("[{from}..{end}]"),
                    });
                }
                said.extend(versions.iter().map(|version| format!("={version}")));
                if *fix != Fix::AsRanges {
                    said.push(format!("{fix:?}"));
                }
            }
        }
        said.join(" ")
    }

    /// What the feed `id` makes of its parts in the shared mirror, and how many
    /// parts that has. `None` where the shared mirror is not at hand.
    pub(crate) fn shared_feed(id: &str) -> Option<(Vec<Advisory>, Taken, usize)> {
        let shared = seaworthy_testkit::shared()?;
        let feed = super::super::FEEDS
            .iter()
            .find(|feed| feed.id == id)
            .unwrap();
        let limits = Limits::default();
        let mut advisories = Vec::new();
        let mut sink = |advisory| advisories.push(advisory);
        let mut intake = Intake::new(feed.id, &limits, &mut sink);
        let mut parts = 0;
        for part in feed.parts {
            let path = shared.join("feeds/vendor").join(part.path);
            let Ok(bytes) = std::fs::read(path) else {
                continue;
            };
            parts += 1;
            (feed.read)(&mut Cursor::new(bytes), part.path, &mut intake).unwrap();
        }
        let taken = intake.finish();
        Some((advisories, taken, parts))
    }

    /// The same as lines: counts, the advisories called `telling` and the first of
    /// the refusals.
    pub(crate) fn shared_lines(id: &str, telling: &[&str]) -> Option<String> {
        let (advisories, taken, parts) = shared_feed(id)?;
        let statements: usize = advisories.iter().map(|it| it.statements.len()).sum();
        let ids: std::collections::BTreeSet<&str> = advisories.iter().map(|it| &*it.id).collect();
        assert_eq!(ids.len(), advisories.len(), "two advisories have one id");
        let mut lines = vec![format!(
            "{id}: {parts} parts, {} records, {statements} statements, {} refused",
            taken.records, taken.refused
        )];
        for telling in telling {
            let found = advisories.iter().find(|it| it.id == (*telling).into());
            let shown = found.map(shown).unwrap_or_default();
            lines.extend(shown.lines().take(9).map(str::to_owned));
        }
        let refusals = taken.refusals.iter().take(8);
        lines.extend(refusals.map(|it| format!("refused {}: {}", it.what, it.why)));
        Some(lines.join("\n"))
    }

    /// A zip archive of `files`.
    pub(crate) fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            let plain = zip::write::SimpleFileOptions::default();
            archive.start_file(*name, plain).unwrap();
            std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    /// How often the feed `id` and the shared bulk export of `family` give the same
    /// answer, asked of every version that the export names as an edge, about every
    /// package and vulnerability that both know; then where they do not.
    pub(crate) fn agreement(id: &str, family: &str) -> Option<String> {
        let (ours, ..) = shared_feed(id)?;
        let shared = seaworthy_testkit::shared()?;
        let export = shared.join(format!("feeds/osv/{family}/all.zip"));
        let mut theirs = Vec::new();
        let archive = std::fs::File::open(export).unwrap();
        let limits = Limits::default();
        let mut sink = |advisory| theirs.push(advisory);
        crate::read_export("osv", family, archive, &limits, &mut sink).unwrap();

        let ours = by_vulnerability(&ours, family);
        let theirs = by_vulnerability(&theirs, family);
        let scheme = crate::scheme_of(family);
        let (mut pairs, mut answers) = (0, 0);
        let mut odd = Vec::new();
        for (key, one) in &ours {
            let Some(other) = theirs.get(key) else {
                continue;
            };
            pairs += 1;
            let edges = other.iter().flat_map(|it| {
                let end = match &it.upper {
                    Upper::Open => None,
                    Upper::Fixed(end) | Upper::LastAffected(end) => Some(end),
                };
                it.from.iter().chain(end)
            });
            for edge in edges {
                answers += 1;
                let holds = |intervals: &[AffectedInterval]| {
                    let inside = |it: &AffectedInterval| it.as_interval().contains(scheme, edge);
                    intervals.iter().any(|it| inside(it) == Some(true))
                };
                if holds(one) != holds(other) {
                    let (id, name) = key;
                    odd.push(format!("{id} {name} {edge}"));
                }
            }
        }
        odd.sort();
        odd.dedup();
        odd.insert(
            0,
            format!("{pairs} pairs, {answers} answers, {} differ", odd.len()),
        );
        Some(odd.join("\n"))
    }

    type Known = BTreeMap<(String, String), Vec<AffectedInterval>>;

    /// What advisories say of packages of `family`, by names of the vulnerability.
    fn by_vulnerability(advisories: &[Advisory], family: &str) -> Known {
        let mut found = Known::new();
        for advisory in advisories {
            for statement in &advisory.statements {
                let Stance::Affected { intervals, .. } = &statement.stance else {
                    continue;
                };
                if statement.about.ecosystem.family() != family {
                    continue;
                }
                let names = std::iter::once(&advisory.id).chain(&advisory.aliases);
                for name in names.filter(|name| name.starts_with("CVE-")) {
                    found
                        .entry((name.to_string(), statement.about.name.to_string()))
                        .or_default()
                        .extend(intervals.iter().cloned());
                }
            }
        }
        found
    }

    /// Reads `sample` as it is, cut and damaged; nothing but a value may come out.
    pub(crate) fn withstands_damage(read: Read, name: &str, sample: &[u8]) {
        let limits = Limits {
            total_bytes: 64 << 20,
            ..Limits::default()
        };
        let try_with = |bytes: &[u8]| {
            let mut sink = |_| {};
            let mut intake = Intake::new("test", &limits, &mut sink);
            // Both answers are fine.
            let _ = read(&mut Cursor::new(bytes), name, &mut intake);
        };
        try_with(sample);
        let length = sample.len();
        for cut in (0..length).step_by((length / 60).max(1)) {
            try_with(sample.get(..cut).unwrap());
        }
        // A small generator of its own, so that every run damages alike.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..120 {
            let mut bytes = sample.to_vec();
            for _ in 0..3 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let at = usize::try_from(state >> 16).unwrap_or(0) % length.max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = state.to_le_bytes()[0];
                }
            }
            try_with(&bytes);
        }
    }
    #[test]
    fn what_is_gathered_comes_once_and_at_the_end() {
        let limits = Limits {
            entries: 2,
            ..Limits::default()
        };
        let mut ids = Vec::new();
        let mut sink = |advisory: Advisory| ids.push(advisory.id.to_string());
        let mut intake = Intake::new("test", &limits, &mut sink);
        intake.gathered("b").unwrap().summary = "one".into();
        intake.take(Advisory::new("test", "c"));
        intake.gathered("a").unwrap();
        assert_eq!(&*intake.gathered("b").unwrap().summary, "one");
        assert_eq!(
            intake.gathered("d").unwrap_err().to_string(),
            "more than 2 advisories"
        );
        assert_eq!(intake.finish().records, 3);
        assert_eq!(ids, ["c", "a", "b"]);
    }
}
