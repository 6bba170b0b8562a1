//! What becomes of pushed images.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::{ImageState, Lane, Listener as _, ManifestKind, PartRole, Sight, Sought};
use seaworthy_testkit::{Blob, Image, image};

use seaworthy_worker::{Chore, ChoreFuture, WorkerOptions};

use crate::stage::{LEASE, Stage, edition, on_each_database, part, ws};

on_each_database! {
    a_pushed_image_is_scanned_and_found,
    an_index_follows_its_platforms,
    what_is_no_image_is_unsupported_with_a_reason,
    a_broken_layer_fails_with_a_reason,
    a_scan_whose_worker_died_is_finished_by_another,
    layers_that_images_share_are_read_once,
    whoever_only_names_a_layer_is_not_told_what_is_in_it,
    a_new_report_replaces_the_old_one_and_says_what_changed,
    a_worker_that_stops_gives_its_jobs_back,
    layers_are_read_while_they_are_uploaded,
    what_was_heard_of_a_wrong_upload_is_not_believed,
    chores_are_done_by_one_of_several_workers,
}

/// An image with the npm package `ws` in this version.
fn with_ws(version: &str, base: &str) -> Image {
    let text = ws(version);
    image()
        .layer(|layer| layer.file("/base", base))
        .layer(|layer| layer.file("/node_modules/ws/package.json", &text))
        .build()
}

async fn a_pushed_image_is_scanned_and_found(stage: Stage) {
    let worker = stage.worker();
    let address = stage.push(&with_ws("7.4.5", "a"), "1").await;
    let image = stage.settled(&address).await;
    assert_eq!(
        (image.state, image.reason.as_deref()),
        (ImageState::Done, None)
    );
    assert_eq!(
        (image.counts.unrated, image.counts.fixable, image.packages),
        (1, 1, 1)
    );
    assert_eq!(image.platform.as_deref(), Some("linux/amd64"));

    let document = stage.document(&image).await;
    assert_eq!(document["schema"], "seaworthy.report/1");
    let found = &document["images"][0]["findings"][0];
    assert_eq!(found["vulnerability"], "CVE-2026-0001");

    let inventory = stage.scans.inventory(image.id).await.expect("asks");
    let inventory = inventory.expect("is kept").open().expect("opens");
    assert_eq!(&*inventory.packages[0].name, "ws");

    for sought in [
        Sought::Vulnerability("cve-2026-0001".to_owned()),
        Sought::Vulnerability("GHSA-0000-0000-0001".to_owned()),
        Sought::Package {
            name: "ws".to_owned(),
            version: Some("7.4.5".to_owned()),
        },
        Sought::Purl("pkg:npm/ws".parse().expect("a purl")),
        Sought::Purl("pkg:npm/ws@7.4.5".parse().expect("a purl")),
        Sought::Address(address.clone()),
    ] {
        let page = stage
            .scans
            .search(&sought, &Sight::Everything, None, 10)
            .await;
        let hits: Vec<i64> = page
            .expect("seeks")
            .items
            .iter()
            .map(|it| it.image)
            .collect();
        assert_eq!(hits, [image.id], "{sought:?}");
    }
    worker.stop().await;
    let left = stage.jobs.counts().await.expect("counts");
    assert!(left.iter().all(|it| it.lane == Lane::Rescan), "{left:?}");
}

async fn an_index_follows_its_platforms(stage: Stage) {
    let text = ws("7.4.5");
    let amd = with_ws("7.4.6", "a");
    let arm = image()
        .platform("linux/arm64")
        .layer(|layer| layer.file("/node_modules/ws/package.json", &text))
        .build();
    stage.push(&amd, "amd").await;
    stage.push(&arm, "arm").await;
    let index = stage.push_index(&[&amd, &arm], "1").await;
    assert_eq!(stage.image(&index).await.state, ImageState::Queued);
    let worker = stage.worker();
    let image = stage.settled(&index).await;
    assert_eq!((image.state, &*image.kind), (ImageState::Done, "index"));
    assert_eq!((image.counts.unrated, image.packages), (1, 1));
    worker.stop().await;
}

async fn what_is_no_image_is_unsupported_with_a_reason(stage: Stage) {
    let worker = stage.worker();
    let config = Blob::new("{}", "application/vnd.cncf.helm.config.v1+json");
    let chart = Blob::new(
        "chart",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    );
    let secret = Blob::new(
        "secret",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    );
    let own = image().build();
    for (config, layer, told) in [
        (&config, &chart, "Helm chart"),
        (&own.config, &secret, "not a readable layer"),
    ] {
        stage.upload(&config.bytes).await;
        stage.upload(&layer.bytes).await;
        let text = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": own.manifest.media_type,
            "config": config.descriptor(),
            "layers": [layer.descriptor()],
        });
        let manifest = Blob::new(text.to_string(), &own.manifest.media_type);
        let parts = vec![
            part(PartRole::Config, config, None),
            part(PartRole::Layer, layer, None),
        ];
        let kind = ManifestKind::Image;
        let address = stage.push_manifest(&manifest, kind, parts, "1").await;
        let image = stage.settled(&address).await;
        assert_eq!(image.state, ImageState::Unsupported);
        let reason = image.reason.expect("a reason");
        assert!(reason.contains(told), "{reason}");
    }
    worker.stop().await;
}

async fn a_broken_layer_fails_with_a_reason(stage: Stage) {
    let worker = stage.worker();
    let mut broken = with_ws("7.4.5", "a");
    let half = broken.layers[1].blob.bytes.len() / 2;
    broken.layers[1].blob.bytes.truncate(half);
    let bytes = std::mem::take(&mut broken.layers[1].blob.bytes);
    broken.layers[1].blob = Blob::new(bytes, &broken.layers[1].blob.media_type);
    let text = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": broken.manifest.media_type,
        "config": broken.config.descriptor(),
        "layers": broken.layers.iter().map(|it| it.blob.descriptor()).collect::<Vec<_>>(),
    });
    broken.manifest = Blob::new(text.to_string(), &broken.manifest.media_type);
    let address = stage.push(&broken, "1").await;
    let image = stage.settled(&address).await;
    assert_eq!(image.state, ImageState::Failed);
    let reason = image.reason.expect("a reason");
    assert!(reason.contains(&broken.layers[1].blob.digest), "{reason}");
    worker.stop().await;
}

async fn a_scan_whose_worker_died_is_finished_by_another(stage: Stage) {
    stage.reader.held_up.store(1, Ordering::SeqCst);
    let first = stage.worker();
    let address = stage.push(&with_ws("7.4.5", "a"), "1").await;
    stage
        .until("the layers are being read", || async {
            (stage.reader.read.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    assert_eq!(stage.image(&address).await.state, ImageState::Scanning);
    first.crash().await;
    let second = Arc::new(crate::stage::Counting::default());
    let worker = stage.worker_with(seaworthy_worker::WorkerOptions {
        name: "second".to_owned(),
        reader: second.clone(),
        ..stage.options()
    });
    assert_eq!(stage.image(&address).await.state, ImageState::Scanning);
    stage.pass(LEASE + 1);
    let image = stage.settled(&address).await;
    assert_eq!(image.state, ImageState::Done, "{:?}", image.reason);
    worker.stop().await;
    stage.reader.held_up.store(0, Ordering::SeqCst);
}

async fn layers_that_images_share_are_read_once(stage: Stage) {
    let worker = stage.worker();
    for (at, version) in ["7.4.4", "7.4.5", "7.4.6"].into_iter().enumerate() {
        let address = stage.push(&with_ws(version, "shared"), version).await;
        assert_eq!(stage.settled(&address).await.state, ImageState::Done);
        assert_eq!(stage.reader.read.load(Ordering::SeqCst), 2 + at);
    }
    worker.stop().await;
}

async fn whoever_only_names_a_layer_is_not_told_what_is_in_it(stage: Stage) {
    let worker = stage.worker();
    let theirs = with_ws("7.4.5", "theirs");
    let address = stage.push(&theirs, "1").await;
    assert_eq!(stage.settled(&address).await.state, ImageState::Done);

    let mut stranger = stage.clone();
    stranger.repository = "other/app".parse().expect("a repository");
    stranger.upload(&theirs.config.bytes).await;
    // Layers that may lie elsewhere need not be pushed.
    let media_type = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    let layers = theirs.layers.iter();
    let layers: Vec<Blob> = layers
        .map(|it| Blob::new(it.blob.bytes.clone(), media_type))
        .collect();
    let text = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": theirs.manifest.media_type,
        "config": theirs.config.descriptor(),
        "layers": layers.iter().map(Blob::descriptor).collect::<Vec<_>>(),
    });
    let manifest = Blob::new(text.to_string(), &theirs.manifest.media_type);
    let foreign = layers
        .iter()
        .map(|it| part(PartRole::ForeignLayer, it, None));
    let parts = std::iter::once(part(PartRole::Config, &theirs.config, None)).chain(foreign);
    let named = stranger
        .push_manifest(&manifest, ManifestKind::Image, parts.collect(), "1")
        .await;
    let image = stranger.settled(&named).await;
    assert_eq!((image.state, image.packages), (ImageState::Unsupported, 0));
    worker.stop().await;
}

async fn a_new_report_replaces_the_old_one_and_says_what_changed(stage: Stage) {
    let worker = stage.worker();
    let address = stage.push(&with_ws("7.4.5", "a"), "1").await;
    let image = stage.settled(&address).await;
    let read = stage.reader.read.load(Ordering::SeqCst);
    let before = image.report;
    for (fixed, counts) in [
        ("7.4.7", [0, 0, 1]),
        ("7.0.0", [0, 1, 0]),
        ("8.0.0", [1, 0, 0]),
    ] {
        stage.editions.change(Arc::new(edition(fixed)));
        stage.pass(1);
        let asked = stage
            .scans
            .request(image.id, Lane::Manual, &stage.actor)
            .await;
        assert_eq!(asked.expect("is asked for").len(), 1);
        let image = stage.settled(&address).await;
        assert_ne!(image.report, before);
        let reports = stage
            .browse
            .reports(image.id, None, 10)
            .await
            .expect("lists");
        let newest: serde_json::Value =
            serde_json::from_str(&reports.items[0].difference).expect("JSON");
        let told = ["new", "gone", "changed"].map(|it| newest[it].as_i64().unwrap_or(-1));
        assert_eq!(told, counts, "{newest}");
    }
    let reports = stage
        .browse
        .reports(image.id, None, 10)
        .await
        .expect("lists");
    assert_eq!(reports.items.len(), 4);
    assert!(reports.items.iter().all(|it| it.has_document));
    assert_eq!(
        stage.reader.read.load(Ordering::SeqCst),
        read,
        "no image was read again"
    );
    worker.stop().await;
}

async fn a_worker_that_stops_gives_its_jobs_back(stage: Stage) {
    stage.reader.held_up.store(1, Ordering::SeqCst);
    let worker = stage.worker();
    let address = stage.push(&with_ws("7.4.5", "a"), "1").await;
    stage
        .until("the layers are being read", || async {
            (stage.reader.read.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    worker.stop().await;
    assert_eq!(stage.image(&address).await.state, ImageState::Queued);
    stage.reader.held_up.store(0, Ordering::SeqCst);
    let worker = stage.worker();
    assert_eq!(stage.settled(&address).await.state, ImageState::Done);
    worker.stop().await;
}

async fn layers_are_read_while_they_are_uploaded(stage: Stage) {
    let stage = stage.listening();
    let pushed = with_ws("7.4.5", "a");
    for (before, layer) in pushed.layers.iter().enumerate() {
        stage.upload(&layer.blob.bytes).await;
        stage
            .until("the layer was read", || async {
                (stage.reader.read.load(Ordering::SeqCst) > before).then_some(())
            })
            .await;
    }
    // The same content again is heard again, and the scan reads nothing more.
    let worker = stage.worker();
    let address = stage.push(&pushed, "1").await;
    let image = stage.settled(&address).await;
    assert_eq!((image.state, image.counts.unrated), (ImageState::Done, 1));
    assert_eq!(stage.reader.read.load(Ordering::SeqCst), 4);
    worker.stop().await;
}

async fn what_was_heard_of_a_wrong_upload_is_not_believed(stage: Stage) {
    let stage = stage.listening();
    let ear = stage.ear.clone().expect("somebody listens");
    let (one, other) = (with_ws("7.4.5", "a"), with_ws("7.4.6", "a"));
    let bytes = Bytes::from(one.layers[1].blob.bytes.clone());
    let wrong = crate::stage::address_of(&other.layers[1].blob.bytes);
    let tap = ear.begin("x", 0).expect("is heard");
    tap.hear(&bytes);
    // Whoever says so is mistaken: the bytes that were heard are others.
    ear.finished("x", &wrong);
    let tap = ear.begin("y", 0).expect("is heard");
    tap.hear(&bytes);
    ear.abandoned("y");
    let worker = stage.worker();
    let address = stage.push(&other, "1").await;
    let image = stage.settled(&address).await;
    assert_eq!((image.state, image.counts.unrated), (ImageState::Done, 0));
    worker.stop().await;
}

/// Counts how often it is done.
struct Counted(Arc<AtomicUsize>);

impl Chore for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    fn period(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn run(&self) -> ChoreFuture {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

async fn chores_are_done_by_one_of_several_workers(stage: Stage) {
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = ["one", "other"]
        .into_iter()
        .map(|name| {
            stage.worker_with(WorkerOptions {
                name: name.to_owned(),
                chores: vec![Arc::new(Counted(Arc::clone(&done)))],
                ..stage.options()
            })
        })
        .collect();
    for turn in 1..=3 {
        stage
            .until("the chore was done", || async {
                let waits = stage.jobs.oldest().await.expect("asks");
                let is_due = waits.is_none_or(|at| at <= stage.database.now());
                (done.load(Ordering::SeqCst) == turn && !is_due).then_some(())
            })
            .await;
        stage.pass(60_000);
    }
    for worker in workers {
        worker.stop().await;
    }
}
