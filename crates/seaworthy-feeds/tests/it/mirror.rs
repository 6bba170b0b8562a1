//! The shared mirror: real records and derived ones, as a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use seaworthy_core::{Advisory, Day, FeedDate};
use seaworthy_feeds::{Fed, Limits, Mirror, Options, ReadError, Sink, read};

pub(crate) fn today() -> Day {
    Day::from_days(20_779)
}

/// Keeps what it is told to.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) advisories: Vec<Advisory>,
    kept: usize,
}

impl Sink for Notes {
    fn take(&mut self, advisory: Advisory) {
        self.advisories.push(advisory);
    }

    fn keep(&mut self) {
        self.kept = self.advisories.len();
    }

    fn undo(&mut self) {
        self.advisories.truncate(self.kept);
    }
}

pub(crate) fn options(scratch: &Path) -> Options {
    Options {
        today: today(),
        scratch: scratch.to_owned(),
        limits: Limits::default(),
        may_shrink: BTreeSet::new(),
    }
}

pub(crate) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a test may start threads")
        .block_on(future)
}

pub(crate) fn gather(mirror: &Mirror) -> (Result<Fed, ReadError>, Vec<Advisory>) {
    let scratch = tempfile::tempdir().expect("a test may write to a temporary folder");
    let mut notes = Notes::default();
    let fed = wait_for(read(mirror, &options(scratch.path()), &mut notes));
    (fed, notes.advisories)
}

/// Records per ecosystem, as the mirror's own description counts them.
fn counts(readme: &str) -> BTreeMap<String, u64> {
    readme
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split('|').map(str::trim);
            let (name, records) = (cells.next()?, cells.next()?);
            let _megabytes: f64 = cells.next()?.parse().ok()?;
            Some((format!("osv/{name}"), records.parse().ok()?))
        })
        .collect()
}

#[test]
fn every_record_of_the_shared_mirror_is_read_or_named_as_refused() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let feeds = shared.join("feeds");
    let (fed, advisories) = gather(&Mirror::Folder(feeds.clone()));
    let fed = fed.expect("the shared mirror is whole");
    let readme = std::fs::read_to_string(feeds.join("README.md")).expect("the mirror is described");
    let counted: BTreeMap<String, u64> = fed
        .feeds
        .iter()
        .filter(|reading| reading.id.starts_with("osv/"))
        .map(|reading| (reading.id.to_string(), reading.records + reading.refused))
        .collect();
    assert_eq!(counted, counts(&readme));
    let refused: Vec<String> = fed
        .feeds
        .iter()
        // What vendors' own feeds refuse is told beside their readers.
        .filter(|reading| reading.id.starts_with("osv/"))
        .flat_map(|reading| {
            reading
                .refusals
                .iter()
                .map(move |refusal| format!("{} {}: {}", reading.id, refusal.what, refusal.why))
        })
        .collect();
    insta::assert_debug_snapshot!(refused, @"[]");
    assert!(fed.missing.is_empty(), "{:?}", fed.missing);
    assert_eq!(fed.kev.len(), 1404);
    assert_eq!(fed.epss.len(), 133);
    assert!(
        fed.kev
            .get("CVE-2021-44228")
            .is_some_and(|entry| entry.ransomware)
    );
    let of_repositories: Vec<String> = fed
        .feeds
        .iter()
        .filter(|reading| reading.id.ends_with("/updateinfo"))
        .map(|it| format!("{} {} {}", it.id, it.records, it.refused))
        .collect();
    insta::assert_debug_snapshot!(of_repositories, @r#"
    [
        "bottlerocket/updateinfo 1 0",
        "amazon/updateinfo 7 0",
        "rocky/updateinfo 2 0",
    ]
    "#);
    let total: u64 = fed
        .feeds
        .iter()
        .filter(|it| !matches!(&*it.id, "kev" | "epss" | "eol"))
        .map(|it| it.records)
        .sum();
    assert_eq!(u64::try_from(advisories.len()), Ok(total));
    let npm = fed
        .feeds
        .iter()
        .find(|it| &*it.id == "osv/npm")
        .map(|it| it.date);
    assert_eq!(npm, "2025-11-04".parse().ok().map(FeedDate::NewestRecord));
    let support: Vec<String> = [
        ("debian", "12"),
        ("debian", "11"),
        ("alpine", "3.20"),
        ("rocky", "9"),
        ("amzn", "2"),
        ("opensuse-leap", "15.6"),
    ]
    .into_iter()
    .map(|(id, version)| {
        let day = fed.support.get(&(id.into(), version.into()));
        format!(
            "{id} {version} {}",
            day.map_or("none".to_owned(), Day::to_string)
        )
    })
    .collect();
    insta::assert_debug_snapshot!(support, @r#"
    [
        "debian 12 2028-06-30",
        "debian 11 2026-08-31",
        "alpine 3.20 2026-04-01",
        "rocky 9 2032-05-31",
        "amzn 2 2026-06-30",
        "opensuse-leap 15.6 2026-04-30",
    ]
    "#);
}

#[test]
fn every_layout_of_predictions_in_the_shared_mirror_is_read() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let mut read = Vec::new();
    let folder = std::fs::read_dir(shared.join("feeds/enrich/epss")).expect("the folder is there");
    for entry in folder.flatten() {
        let file = std::fs::File::open(entry.path()).expect("the file is there");
        let predictions = seaworthy_feeds::parse_epss(file).expect("the layout is known");
        read.push(format!(
            "{} {} {:?} {}",
            entry.file_name().display(),
            predictions.entries.len(),
            predictions.made.map(|day| day.to_string()),
            predictions.refused
        ));
    }
    read.sort();
    insta::assert_debug_snapshot!(read, @r#"
    [
        "epss_scores-2021-04-14.csv.gz 2 None 0",
        "epss_scores-2021-09-01.csv.gz 2 None 0",
        "epss_scores-2022-02-04.csv.gz 2 Some(\"2022-02-04\") 0",
        "epss_scores-2023-03-07.csv.gz 2 Some(\"2023-03-07\") 0",
        "epss_scores-2024-10-25.csv.gz 29 Some(\"2024-10-25\") 0",
        "epss_scores-2025-12-26.csv.gz 27 Some(\"2025-12-26\") 0",
        "epss_scores-current.csv.gz 133 Some(\"2026-09-29\") 0",
    ]
    "#);
}

#[test]
fn the_native_answer_on_ends_of_support_is_read() {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let text = std::fs::read(shared.join("feeds/enrich/eol/full")).expect("the file is there");
    let found = seaworthy_feeds::parse_eol(&text).expect("the layout is known");
    let day = found.entries.get(&("ubuntu".into(), "24.04".into()));
    assert_eq!(day.map(Day::to_string).as_deref(), Some("2029-04-25"));
}

fn copy_of_a_small_mirror(to: &Path) {
    let folder = to.join("osv/npm");
    std::fs::create_dir_all(&folder).expect("a test may write to a temporary folder");
    std::fs::write(to.join("osv/ecosystems.txt"), "npm\n").expect("as above");
}

#[test]
fn a_listed_ecosystem_without_a_sound_export_is_an_error_that_names_it() {
    let mirror = tempfile::tempdir().expect("a test may write to a temporary folder");
    let said = || match gather(&Mirror::Folder(mirror.path().to_owned())).0 {
        Ok(_) => "read".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said(), "the mirror has no `osv/ecosystems.txt`");
    copy_of_a_small_mirror(mirror.path());
    assert_eq!(
        said(),
        "the mirror lists the ecosystem `npm` and has no export of it"
    );
    std::fs::write(mirror.path().join("osv/npm/all.zip"), "no zip").expect("as above");
    assert_eq!(said(), "cannot use the export of `npm`");
}
