//! Reports, their history, and what is searched.

use std::collections::BTreeMap;

use seaworthy_core::{
    Claim, Comparison, Digest, EditionFacts, Finding as CoreFinding, FixState, ImageFacts,
    Inventory, Package, PackageId, PackageType, Policy, ProbeSet, Report, Severity, Sighting,
    Source, Verdict, Version,
};
use seaworthy_store::{
    Browse, Finding, ImageFilter, ImageState, Jobs, Lane, Lease, NewReport, Packed, RemoteScan,
    RemoteScanError, Repaired, RepositoryName, RetentionClass, SaveError, Scan, Scans, Sight,
    Sought, encode_inventory,
};

use crate::store::{Store, address_of, index, on_each_database, repository};

on_each_database! {
    a_report_is_saved_with_the_end_of_its_job_or_not_at_all,
    the_newest_ten_documents_are_kept_and_all_numbers,
    images_are_found_by_what_is_in_them_and_only_by_who_may_see_them,
    hits_come_in_pages_newest_first,
    another_edition_changes_what_is_found_of_shared_packages,
    an_index_has_the_worst_of_its_images,
    what_was_scanned_elsewhere_is_replaced_when_told_again,
    what_was_told_of_an_image_is_forgotten_when_it_is_pushed,
    an_image_that_nobody_works_on_is_repaired,
    a_layer_is_remembered_by_address_size_and_probes,
    what_no_image_needs_is_forgotten,
}

/// A digest that begins with this number.
fn digest(number: u8) -> Digest {
    Digest::from_sha256([number; 32])
}

/// A report of npm packages, each as `name version` with the vulnerabilities behind it.
fn report(edition: u8, packages: &[(&str, &str, &[&str])]) -> Report {
    let version = |text: &str| Version::of(PackageType::Npm.scheme(), text);
    let mut report = Report {
        image: ImageFacts::default(),
        inventory: Inventory {
            probes: ProbeSet::new("npm/1"),
            ..Inventory::default()
        },
        findings: Vec::new(),
        coverage: Vec::new(),
        edition: Some(EditionFacts {
            digest: digest(edition),
            starter: false,
            advisories: 1,
        }),
    };
    for (at, (name, text, vulnerabilities)) in packages.iter().enumerate() {
        report.inventory.packages.push(Package {
            kind: PackageType::Npm,
            name: (*name).into(),
            version: version(text),
            architecture: None,
            source: None,
            vendor: None,
            module: None,
            claim: Claim::Recorded,
            seen: vec![Sighting {
                path: "x".into(),
                layer: None,
            }],
        });
        for vulnerability in *vulnerabilities {
            report.findings.push(CoreFinding {
                package: PackageId(at),
                vulnerability: (*vulnerability).into(),
                aliases: vec![vulnerability.replace("CVE", "GHSA").into()],
                summary: Box::default(),
                severity: Some(Severity::High),
                ratings: Vec::new(),
                fix: FixState::In(vec!["9".into()]),
                sources: vec![Source {
                    feed: "osv/npm".into(),
                    id: "x".into(),
                    comparison: Comparison {
                        name: (*name).into(),
                        ecosystem: "npm".into(),
                        installed: version(text),
                        interval: None,
                    },
                }],
                kev: None,
                epss: None,
                references: Vec::new(),
                kernel: false,
            });
        }
    }
    report
}

fn saved(report: &Report) -> NewReport {
    let deciding: Vec<String> = report
        .inventory
        .packages
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    NewReport::of(
        report,
        &Verdict::default(),
        &Policy::default(),
        &deciding,
        b"{}",
    )
}

fn scan(report: &Report, labels: &[(&str, &str)]) -> Scan {
    Scan {
        inventory: Some(Finding {
            probes: report.inventory.probes.as_str().to_owned(),
            content: Packed::of(&encode_inventory(&report.inventory)),
            platform: Some("linux/amd64".to_owned()),
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }),
        report: saved(report),
    }
}

/// What a test works with.
struct Bench {
    store: Store,
    scans: Scans,
    jobs: Jobs,
    browse: Browse,
}

impl Bench {
    fn of(store: &Store) -> Self {
        Self {
            store: store.clone(),
            scans: Scans::of(&store.database),
            jobs: Jobs::of(&store.database),
            browse: Browse::of(&store.database),
        }
    }

    /// Pushes an image that differs from others by `content`. Answers its number and
    /// the claimed job.
    async fn pushed(&self, name: &RepositoryName, content: &str) -> (i64, Lease) {
        let manifest = self
            .store
            .push_image(name, &["1"], &["config", content])
            .await;
        let image = self.browse.image(name, &manifest.address).await;
        let image = image.expect("asks").expect("is there").id;
        (image, self.claimed(image).await)
    }

    async fn claimed(&self, image: i64) -> Lease {
        let lease = self.jobs.claim("w", 60_000).await.expect("asks");
        let lease = lease.expect("there is a job");
        assert_eq!(lease.image(), Some(image));
        lease
    }

    /// Pushes and scans.
    async fn scanned(&self, name: &RepositoryName, content: &str, scan: &Scan) -> i64 {
        let (image, lease) = self.pushed(name, content).await;
        self.scans.save(&lease, image, scan).await.expect("saves");
        image
    }

    async fn again(&self, image: i64, scan: &Scan) {
        self.scans
            .request(image, Lane::Manual, &self.store.actor)
            .await
            .expect("is asked for");
        let lease = self.claimed(image).await;
        self.scans.save(&lease, image, scan).await.expect("saves");
    }

    async fn found(&self, sought: &Sought, sight: &Sight) -> Vec<i64> {
        let page = self.scans.search(sought, sight, None, 100).await;
        let items = page.expect("seeks").items;
        items.iter().map(|it| it.image).collect()
    }
}

async fn a_report_is_saved_with_the_end_of_its_job_or_not_at_all(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let (image, lease) = bench.pushed(&name, "a").await;
    let scan = scan(&report(1, &[("ws", "1", &["CVE-1"])]), &[]);
    store.pass(60_000);
    let other = bench.claimed(image).await;
    let lost = bench.scans.save(&lease, image, &scan).await;
    assert!(matches!(lost, Err(SaveError::Lost(_))), "{lost:?}");
    assert!(bench.scans.inventory(image).await.expect("asks").is_none());
    bench.scans.save(&other, image, &scan).await.expect("saves");
    let fact = bench.scans.image(image).await.expect("asks");
    assert_eq!(fact.expect("is there").state, ImageState::Done);
    assert!(bench.jobs.counts().await.expect("counts").is_empty());
    let kept = bench.scans.inventory(image).await.expect("asks");
    let kept = kept.expect("is kept").open().expect("opens");
    assert_eq!(&*kept.packages[0].name, "ws");
}

async fn the_newest_ten_documents_are_kept_and_all_numbers(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let scan = scan(&report(1, &[("ws", "1", &["CVE-1"])]), &[]);
    let image = bench.scanned(&name, "a", &scan).await;
    for _ in 0..11 {
        bench.again(image, &scan).await;
    }
    let reports = bench.browse.reports(image, None, 100).await.expect("lists");
    let with_document = reports.items.iter().filter(|it| it.has_document).count();
    assert_eq!((reports.items.len(), with_document), (12, 10));
    let oldest = reports.items.last().expect("there are some").id;
    let gone = bench.scans.document(image, Some(oldest)).await;
    assert_eq!(gone.expect("asks"), None);
    assert!(
        bench
            .scans
            .document(image, None)
            .await
            .expect("asks")
            .is_some()
    );
}

async fn images_are_found_by_what_is_in_them_and_only_by_who_may_see_them(store: Store) {
    let bench = Bench::of(&store);
    let (ours, theirs) = (repository("ours/app"), repository("theirs/app"));
    let one = scan(
        &report(1, &[("ws", "1.0", &["CVE-2026-1"]), ("tar", "2.0", &[])]),
        &[("team", "sea")],
    );
    let two = scan(
        &report(1, &[("ws", "1.0", &["CVE-2026-1"]), ("@a/b", "1.0", &[])]),
        &[("team", "land")],
    );
    let first = bench.scanned(&ours, "a", &one).await;
    let second = bench.scanned(&theirs, "b", &two).await;
    let package = |name: &str, version: Option<&str>| Sought::Package {
        name: name.to_owned(),
        version: version.map(str::to_owned),
    };
    let label = |name: &str, value: Option<&str>| Sought::Label {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    let purl = |text: &str| Sought::Purl(text.parse().expect("a purl"));
    let both = vec![second, first];
    for (sought, hits) in [
        (Sought::Vulnerability("CVE-2026-1".to_owned()), both.clone()),
        (
            Sought::Vulnerability("GHSA-2026-1".to_owned()),
            both.clone(),
        ),
        (Sought::Vulnerability("CVE-2026-2".to_owned()), vec![]),
        (package("ws", None), both.clone()),
        (package("tar", Some("2.0")), vec![first]),
        (package("tar", Some("2")), vec![]),
        (purl("pkg:npm/ws"), both.clone()),
        (purl("pkg:npm/ws@1.0"), both.clone()),
        (purl("pkg:npm/w"), vec![]),
        (purl("pkg:npm/%40a/b"), vec![second]),
        (label("team", Some("sea")), vec![first]),
        (label("team", None), both.clone()),
        (Sought::Address(address_of(b"config")), both),
        (Sought::Address(address_of(b"b")), vec![second]),
    ] {
        assert_eq!(
            bench.found(&sought, &Sight::Everything).await,
            hits,
            "{sought:?}"
        );
        for (sight, seen) in [
            (only(&["ours"], &[]), first),
            (only(&[], &["theirs/app"]), second),
        ] {
            let hits: Vec<i64> = hits.iter().copied().filter(|it| *it == seen).collect();
            assert_eq!(
                bench.found(&sought, &sight).await,
                hits,
                "{sought:?} {sight:?}"
            );
        }
        assert!(bench.found(&sought, &only(&[], &[])).await.is_empty());
    }
    let page = bench
        .scans
        .search(
            &Sought::Vulnerability("GHSA-2026-1".to_owned()),
            &Sight::Everything,
            None,
            10,
        )
        .await
        .expect("seeks");
    let found = &page.items[0].packages[0];
    assert_eq!(
        (
            &*found.name,
            found.vulnerability.as_deref(),
            found.severity.as_deref()
        ),
        ("ws", Some("CVE-2026-1"), Some("high"))
    );
    assert_eq!(found.fix.as_deref(), Some("fixed 9"));
}

fn only(namespaces: &[&str], repositories: &[&str]) -> Sight {
    Sight::Only {
        namespaces: namespaces
            .iter()
            .map(|it| it.parse().expect("one"))
            .collect(),
        repositories: repositories.iter().map(|it| repository(it)).collect(),
        public: false,
    }
}

async fn hits_come_in_pages_newest_first(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let scan = scan(&report(1, &[("ws", "1", &["CVE-2026-1"])]), &[]);
    let mut images = Vec::new();
    for content in ["a", "b", "c", "d", "e"] {
        images.push(bench.scanned(&name, content, &scan).await);
    }
    images.reverse();
    let sought = Sought::Vulnerability("CVE-2026-1".to_owned());
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = bench
            .scans
            .search(&sought, &Sight::Everything, before, 2)
            .await
            .expect("seeks");
        found.extend(page.items.iter().map(|it| it.image));
        before = found.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(found, images);
}

async fn another_edition_changes_what_is_found_of_shared_packages(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let old = scan(&report(1, &[("ws", "1", &["CVE-2026-1"])]), &[]);
    let new = scan(&report(2, &[("ws", "1", &["CVE-2026-2"])]), &[]);
    let first = bench.scanned(&name, "a", &old).await;
    let second = bench.scanned(&name, "b", &old).await;
    bench.again(second, &new).await;
    // The package is the same in both images, and so is what is known of it.
    for (vulnerability, hits) in [("CVE-2026-1", vec![]), ("CVE-2026-2", vec![second, first])] {
        let sought = Sought::Vulnerability(vulnerability.to_owned());
        assert_eq!(bench.found(&sought, &Sight::Everything).await, hits);
    }
}

async fn an_index_has_the_worst_of_its_images(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let mut children = Vec::new();
    for content in ["a", "b"] {
        children.push(store.push_image(&name, &[], &["config", content]).await);
    }
    let list = index("list", &[&children[0], &children[1]]);
    store.push(&name, &list, &["1"]).await;
    let of = async |address| {
        let image = bench.browse.image(&name, address).await;
        image.expect("asks").expect("is there")
    };
    let one = report(1, &[("ws", "1", &["CVE-1", "CVE-2"])]);
    let two = report(1, &[("tar", "1", &["CVE-3"]), ("x", "1", &[])]);
    let mut states = Vec::new();
    for found in [one, two] {
        let lease = bench.jobs.claim("w", 60_000).await.expect("asks");
        let lease = lease.expect("there is a job");
        let image = lease.image().expect("it is about an image");
        let scan = scan(&found, &[]);
        bench.scans.save(&lease, image, &scan).await.expect("saves");
        states.push(of(&list.address).await.state);
    }
    let summed = of(&list.address).await;
    assert_eq!(states, [ImageState::Scanning, ImageState::Done]);
    assert_eq!(
        (summed.counts.high, summed.counts.fixable, summed.packages),
        (2, 2, 2)
    );
    assert_eq!(summed.outcome.as_deref(), Some("pass"));
    // Its own job only asks for what is missing.
    let lease = bench.claimed(summed.id).await;
    bench
        .scans
        .save_index(&lease, summed.id)
        .await
        .expect("saves");
    assert!(bench.jobs.counts().await.expect("counts").is_empty());
    assert_eq!(of(&list.address).await.state, ImageState::Done);
    // Asking for the index asks for its images.
    let jobs = bench
        .scans
        .request(summed.id, Lane::Manual, &store.actor)
        .await;
    assert_eq!(jobs.expect("is asked for").len(), 2);
    assert_eq!(of(&list.address).await.state, ImageState::Queued);
    let lease = bench
        .jobs
        .claim("w", 60_000)
        .await
        .expect("asks")
        .expect("one");
    bench.jobs.give_up(&lease, "broken").await.expect("asks");
    let lease = bench
        .jobs
        .claim("w", 60_000)
        .await
        .expect("asks")
        .expect("one");
    let image = lease.image().expect("it is about an image");
    let nothing = bench.scans.save_unsupported(&lease, image, "nothing").await;
    nothing.expect("saves");
    let failed = of(&list.address).await;
    assert_eq!(failed.state, ImageState::Failed);
    assert!(failed.reason.expect("a reason").ends_with(": broken"));
}

async fn what_was_scanned_elsewhere_is_replaced_when_told_again(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let remote = |packages: &[(&str, &str, &[&str])]| {
        let report = report(1, packages);
        RemoteScan {
            repository: repository("team/elsewhere"),
            target: "registry.example/x:1".to_owned(),
            address: address_of(b"elsewhere"),
            platform: Some("linux/arm64".to_owned()),
            labels: BTreeMap::from([("build".to_owned(), "7".to_owned())]),
            probes: "npm/1".to_owned(),
            inventory: Packed::of(&encode_inventory(&report.inventory)),
            report: saved(&report),
        }
    };
    let told = bench.scans.record_remote(remote(&[]), &store.actor).await;
    assert!(
        matches!(told, Err(RemoteScanError::NoNamespace(_))),
        "{told:?}"
    );
    // A push makes the namespace.
    bench.pushed(&name, "a").await;
    let mut numbers = Vec::new();
    for packages in [
        &[("ws", "1", &["CVE-1"][..])][..],
        &[("tar", "1", &[][..])][..],
    ] {
        let told = bench
            .scans
            .record_remote(remote(packages), &store.actor)
            .await;
        numbers.push(told.expect("is recorded"));
    }
    assert_eq!(numbers[0], numbers[1]);
    let elsewhere = repository("team/elsewhere");
    let image = bench
        .browse
        .image(&elsewhere, &address_of(b"elsewhere"))
        .await;
    let image = image.expect("asks").expect("is there");
    assert_eq!(
        (image.class, image.state),
        (RetentionClass::Metadata, ImageState::Done)
    );
    assert_eq!((image.counts.high, image.packages), (0, 1));
    for (name, hits) in [("ws", vec![]), ("tar", vec![image.id])] {
        let sought = Sought::Package {
            name: name.to_owned(),
            version: None,
        };
        assert_eq!(bench.found(&sought, &Sight::Everything).await, hits);
    }
    // What is here is not told by others.
    let mut full = remote(&[]);
    full.repository = name.clone();
    let page = bench
        .browse
        .images(&name, ImageFilter::default(), None, 1)
        .await;
    full.address = page.expect("lists").items[0].address.clone();
    let told = bench.scans.record_remote(full, &store.actor).await;
    assert!(matches!(told, Err(RemoteScanError::Full)), "{told:?}");
}

async fn what_was_told_of_an_image_is_forgotten_when_it_is_pushed(store: Store) {
    let bench = Bench::of(&store);
    let (here, there) = (repository("team/app"), repository("team/elsewhere"));
    let (image, _) = bench.pushed(&here, "a").await;
    let address = bench.scans.image(image).await.expect("asks");
    let address = address.expect("is there").address;
    let report = report(1, &[("ws", "1", &[])]);
    let told = RemoteScan {
        repository: there.clone(),
        target: "registry.example/x:1".to_owned(),
        address: address.clone(),
        platform: None,
        labels: BTreeMap::new(),
        probes: "npm/1".to_owned(),
        inventory: Packed::of(&encode_inventory(&report.inventory)),
        report: saved(&report),
    };
    let told = bench.scans.record_remote(told, &store.actor).await;
    told.expect("is recorded");
    let (image, _) = bench.pushed(&there, "a").await;
    assert!(bench.scans.inventory(image).await.expect("asks").is_none());
    let row = bench.browse.image(&there, &address).await;
    let row = row.expect("asks").expect("is there");
    assert_eq!((row.id, row.class), (image, RetentionClass::Full));
    assert_eq!((row.report, row.counts.high, row.packages), (None, 0, 0));
    let sought = Sought::Package {
        name: "ws".to_owned(),
        version: None,
    };
    let found = bench.found(&sought, &Sight::Everything).await;
    assert!(found.is_empty(), "{found:?}");
}

async fn an_image_that_nobody_works_on_is_repaired(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let (image, lease) = bench.pushed(&name, "a").await;
    assert_eq!(
        bench.scans.repair().await.expect("looks"),
        Repaired::default()
    );
    // As if whoever took the job away had forgotten the image.
    assert!(bench.jobs.finish(&lease).await.expect("asks"));
    let repaired = bench.scans.repair().await.expect("looks");
    assert_eq!((repaired.requeued, repaired.failed), (1, 0));
    bench.claimed(image).await;
}

async fn a_layer_is_remembered_by_address_size_and_probes(store: Store) {
    let scans = Scans::of(&store.database);
    let (address, records) = (address_of(b"layer"), Packed::of(b"records"));
    for _ in 0..2 {
        let kept = scans
            .save_layer(&address, 5, "npm/1", records.clone())
            .await;
        kept.expect("keeps");
    }
    for (address, size, probes, is_known) in [
        (&address, 5, "npm/1", true),
        (&address, 6, "npm/1", false),
        (&address, 5, "npm/2", false),
        (&address_of(b"other"), 5, "npm/1", false),
    ] {
        let found = scans.layer(address, size, probes).await.expect("asks");
        assert_eq!(found.is_some(), is_known);
    }
}

async fn what_no_image_needs_is_forgotten(store: Store) {
    let bench = Bench::of(&store);
    let name = repository("team/app");
    let old = scan(
        &report(1, &[("ws", "1", &["CVE-2026-1"]), ("tar", "1", &[])]),
        &[],
    );
    let new = scan(&report(1, &[("tar", "1", &[])]), &[]);
    let image = bench.scanned(&name, "a", &old).await;
    for (address, probes) in [(address_of(b"a"), "npm/1"), (address_of(b"gone"), "npm/1")] {
        let kept = bench
            .scans
            .save_layer(&address, 1, probes, Packed::of(b"x"))
            .await;
        kept.expect("keeps");
    }
    assert_eq!(
        bench
            .scans
            .forget_unused("npm/1", 10)
            .await
            .expect("forgets"),
        1
    );
    bench.again(image, &new).await;
    assert_eq!(
        bench
            .scans
            .forget_unused("npm/1", 10)
            .await
            .expect("forgets"),
        1
    );
    assert_eq!(
        bench
            .scans
            .forget_unused("npm/1", 10)
            .await
            .expect("forgets"),
        0
    );
    assert_eq!(
        bench
            .scans
            .forget_unused("npm/2", 10)
            .await
            .expect("forgets"),
        1
    );
    let sought = Sought::Package {
        name: "tar".to_owned(),
        version: None,
    };
    assert_eq!(bench.found(&sought, &Sight::Everything).await, [image]);
}
