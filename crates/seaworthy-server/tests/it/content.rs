//! Images, their reports, and what may be done with them.

use axum::http::{Method, StatusCode};
use seaworthy_access::Role;
use seaworthy_core::Severity;
use seaworthy_store::{Address, Browse, Lane, NamespaceSettings};
use serde_json::{Value, json};

use crate::ask::{ask, read};
use crate::world::{Installed, Somebody, World, on_each_database, report};

on_each_database! {
    an_image_is_shown_with_its_numbers_tags_and_report,
    findings_and_packages_are_filtered,
    what_changed_since_the_last_report_is_told,
    an_index_shows_what_is_known_of_each_platform,
    a_scan_is_asked_for_and_answered_at_once,
    what_was_never_scanned_is_offered_and_scanned_only_when_asked,
    deleting_removes_what_was_named,
    a_dead_job_is_told_with_its_reason_and_tried_again,
    rules_are_tried_out_before_they_are_saved,
}

const FOUND: &[Installed<'static>] = &[
    ("left-pad", "1.0.0", &[("CVE-2026-1", Severity::Critical)]),
    (
        "lodash",
        "4.0.0",
        &[
            ("CVE-2026-2", Severity::High),
            ("CVE-2026-3", Severity::Low),
        ],
    ),
    ("quiet", "2.0.0", &[]),
];

/// A pushed and scanned image, and an admin.
async fn scanned(world: &World) -> (Somebody, String) {
    world.found("team", NamespaceSettings::default()).await;
    let image = world.push("team/app", &["v1", "latest"], "app").await;
    world.scan_all(&report(FOUND)).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    (ada, format!("/repositories/team%2Fapp/images/{image}"))
}

async fn number_of(world: &World, image: &Address) -> i64 {
    let row = Browse::of(&world.database)
        .image(&"team/app".parse().expect("a name"), image)
        .await
        .expect("answers");
    row.expect("an image").id
}

async fn an_image_is_shown_with_its_numbers_tags_and_report(world: World) {
    let (ada, path) = scanned(&world).await;
    let image = read(&path).by(&ada).of(&world).await.json();
    assert_eq!(image["state"], "done");
    assert_eq!(image["verdict"], "fail");
    assert_eq!(image["retention_class"], "full");
    assert_eq!(image["tags"], json!(["latest", "v1"]));
    assert_eq!(image["packages"], 3);
    assert_eq!(image["findings"]["critical"], 1);
    assert_eq!(image["findings"]["low"], 1);
    assert_eq!(image["labels"], json!({ "team": "harbour" }));
    let answer = read(&format!("{path}/report")).by(&ada).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = answer.json();
    assert_eq!(document["schema"], "seaworthy.report/1");
    assert_eq!(
        document["images"][0]["findings"].as_array().map(Vec::len),
        Some(3)
    );
    // A report never changes: its number is its tag.
    let tag = answer.header("etag").expect("a tag").to_owned();
    let again = read(&format!("{path}/report")).by(&ada);
    let again = again.header("if-none-match", &tag).of(&world).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let history = read(&format!("{path}/reports"))
        .by(&ada)
        .of(&world)
        .await
        .json();
    let number = history["items"][0]["report"].as_i64().expect("a number");
    assert_eq!(history["items"][0]["document"], true);
    assert_eq!(history["items"][0]["summary"]["high"], 1);
    let one = read(&format!("{path}/reports/{number}")).by(&ada);
    assert_eq!(one.of(&world).await.json(), document);
    let odd = read(&format!("{path}/reports/{}", number + 1)).by(&ada);
    assert_eq!(odd.of(&world).await.status, StatusCode::NOT_FOUND);
    let sbom = read(&format!("{path}/sbom")).by(&ada).of(&world).await;
    let kind = sbom.header("content-type").expect("a kind");
    assert!(kind.starts_with("application/vnd.cyclonedx+json"), "{kind}");
    let sbom = sbom.json();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    assert_eq!(sbom["components"].as_array().map(Vec::len), Some(3));
    let tags = read("/repositories/team~app/tags/v1")
        .by(&ada)
        .of(&world)
        .await;
    assert_eq!(tags.json()["image"]["verdict"], "fail");
}

async fn findings_and_packages_are_filtered(world: World) {
    let (ada, path) = scanned(&world).await;
    let names = async |query: &str, field: &str| {
        let answer = read(&format!("{path}/{query}")).by(&ada).of(&world).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text);
        let document = answer.json();
        let items = document["items"].as_array().expect("items");
        let name = |item: &Value| item[field].as_str().expect("a name").to_owned();
        items.iter().map(name).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("findings", vec!["CVE-2026-1", "CVE-2026-2", "CVE-2026-3"]),
        ("findings?severity=high", vec!["CVE-2026-2"]),
        (
            "findings?min_severity=high",
            vec!["CVE-2026-1", "CVE-2026-2"],
        ),
        ("findings?fix=not_yet", vec!["CVE-2026-2", "CVE-2026-3"]),
        ("findings?fix=fixed&min_severity=low", vec!["CVE-2026-1"]),
        ("findings?package=lodash", vec!["CVE-2026-2", "CVE-2026-3"]),
        ("findings?vulnerability=GHSA-2026-3", vec!["CVE-2026-3"]),
        ("findings?package=nothing", vec![]),
    ] {
        assert_eq!(names(query, "vulnerability").await, expected, "{query}");
    }
    for (query, expected) in [
        ("packages", vec!["left-pad", "lodash", "quiet"]),
        ("packages?name=quiet", vec!["quiet"]),
        ("packages?type=deb", vec![]),
        ("packages?type=npm&limit=1", vec!["left-pad"]),
    ] {
        assert_eq!(names(query, "name").await, expected, "{query}");
    }
}

async fn what_changed_since_the_last_report_is_told(world: World) {
    let (ada, path) = scanned(&world).await;
    let digest = path.rsplit('/').next().expect("a digest");
    let image = number_of(&world, &digest.parse().expect("a digest")).await;
    let asked = world.scans.request(image, Lane::Manual, &world.actor).await;
    asked.expect("a job");
    world.scan_all(&report(&FOUND[1..])).await;
    let history = read(&format!("{path}/reports"))
        .by(&ada)
        .of(&world)
        .await
        .json();
    assert_eq!(history["items"].as_array().map(Vec::len), Some(2));
    let number = &history["items"][0]["report"];
    let answer = read(&format!("{path}/difference/{number}")).by(&ada);
    let difference = answer.of(&world).await.json();
    assert_eq!(difference["gone"], 1, "{difference}");
    assert_eq!(
        difference["findings"]["gone"][0]["vulnerability"],
        "CVE-2026-1"
    );
}

async fn an_index_shows_what_is_known_of_each_platform(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let one = world.push("team/app", &[], "one").await;
    let two = world.push("team/app", &[], "two").await;
    let index = world.push_index("team/app", "v1", &[&one, &two]).await;
    world.scan_all(&report(FOUND)).await;
    let path = format!("/repositories/team~app/images/{index}");
    let image = read(&path).by(&ada).of(&world).await.json();
    assert_eq!(image["kind"], "index");
    let platforms = image["platforms"].as_array().expect("platforms");
    let names: Vec<&str> = platforms
        .iter()
        .filter_map(|it| it["platform"].as_str())
        .collect();
    assert_eq!(names, ["linux/amd64", "linux/arm64"]);
    assert_eq!(platforms[0]["image"]["verdict"], "fail");
    assert_eq!(platforms[1]["digest"], two.to_string());
    // Images that an index names cannot go alone.
    let path = format!("/repositories/team~app/images/{one}");
    let answer = ask(Method::DELETE, &path).by(&ada).of(&world).await;
    assert_eq!(answer.problem(), "conflict");
}

async fn a_scan_is_asked_for_and_answered_at_once(world: World) {
    let (ada, path) = scanned(&world).await;
    let operator = world
        .somebody("op", &[(Some("team"), Role::ScanOperator)])
        .await;
    for path in [
        format!("{path}/scan"),
        "/repositories/team~app/tags/v1/scan".to_owned(),
    ] {
        let answer = ask(Method::POST, &path).by(&operator).of(&world).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        assert_eq!(answer.json()["jobs"].as_array().map(Vec::len), Some(1));
        let place = answer.header("location").expect("a place");
        let place = place.strip_prefix("/api/v1").expect("ours").to_owned();
        let image = read(&place).by(&ada).of(&world).await.json();
        assert_eq!(image["state"], "queued");
        // The report before stays until there is a new one.
        assert_eq!(image["verdict"], "fail");
    }
    // Asking twice while it waits is asking once.
    let jobs = read("/jobs?state=queued").by(&ada).of(&world).await.json();
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(jobs["items"][0]["lane"], "manual");
    let answer = ask(Method::POST, "/repositories/team~app/tags/nothing/scan");
    let answer = answer.by(&operator).of(&world).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

async fn what_was_never_scanned_is_offered_and_scanned_only_when_asked(world: World) {
    let settings = NamespaceSettings {
        auto_scan: false,
        ..NamespaceSettings::default()
    };
    world.found("team", settings).await;
    for at in 0..3 {
        world.push("team/app", &[], &format!("image {at}")).await;
    }
    let chief = world
        .somebody("chief", &[(Some("team"), Role::NamespaceAdmin)])
        .await;
    let answer = ask(Method::PUT, "/namespaces/team/settings")
        .by(&chief)
        .header("if-match", "*")
        .json(&json!({ "auto_scan": true }));
    assert_eq!(answer.of(&world).await.status, StatusCode::OK);
    assert_eq!(world.jobs.counts().await.expect("answers"), vec![]);
    let offer = read("/namespaces/team/unscanned")
        .by(&chief)
        .of(&world)
        .await;
    assert_eq!(offer.json()["items"].as_array().map(Vec::len), Some(3));
    let usage = read("/namespaces/team/usage").by(&chief).of(&world).await;
    assert_eq!(usage.json()["not_scanned"], 3);
    let answer = ask(Method::POST, "/namespaces/team/unscanned/scan");
    let answer = answer.by(&chief).of(&world).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json(), json!({ "images": 3, "more": false }));
    let offer = read("/namespaces/team/unscanned")
        .by(&chief)
        .of(&world)
        .await;
    assert_eq!(offer.json()["items"], json!([]));
}

async fn deleting_removes_what_was_named(world: World) {
    let (ada, path) = scanned(&world).await;
    let delete = |path: &str| ask(Method::DELETE, path).by(&ada);
    let answer = delete("/repositories/team~app/tags/v1").of(&world).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let image = read(&path).by(&ada).of(&world).await.json();
    assert_eq!(image["tags"], json!(["latest"]));
    let again = delete("/repositories/team~app/tags/v1").of(&world).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let answer = delete(&path).of(&world).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    for path in [
        path.clone(),
        format!("{path}/report"),
        format!("{path}/sbom"),
        format!("{path}/findings"),
    ] {
        let answer = read(&path).by(&ada).of(&world).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let found = read("/search?package=lodash").by(&ada).of(&world).await;
    assert_eq!(found.json()["items"], json!([]));
    let audit = read("/audit?action=manifest.").by(&ada).of(&world).await;
    let audit = audit.json();
    assert_eq!(audit["items"][0]["actor"], "user:ada");
    // The namespace goes once it is empty.
    let answer = delete("/namespaces/team")
        .header("if-match", "*")
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
}

async fn a_dead_job_is_told_with_its_reason_and_tried_again(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    world.push("team/app", &["v1"], "app").await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let lease = world.jobs.claim("w", 60_000).await.expect("answers");
    let lease = lease.expect("a job");
    let busy = ask(Method::DELETE, &format!("/jobs/{}", lease.job)).by(&ada);
    assert_eq!(busy.of(&world).await.problem(), "conflict");
    let ended = world.jobs.give_up(&lease, "the disk is full").await;
    ended.expect("given up");
    let dead = read("/jobs?state=dead").by(&ada).of(&world).await.json();
    assert_eq!(dead["items"][0]["reason"], "the disk is full");
    let path = format!("/jobs/{}", lease.job);
    let retry = ask(Method::POST, &format!("{path}/retry")).by(&ada);
    assert_eq!(retry.of(&world).await.status, StatusCode::ACCEPTED);
    let again = ask(Method::POST, &format!("{path}/retry")).by(&ada);
    assert_eq!(again.of(&world).await.problem(), "conflict");
    let job = read(&path).by(&ada).of(&world).await.json();
    assert_eq!(job["state"], "queued");
    let cancel = ask(Method::DELETE, &path).by(&ada);
    assert_eq!(cancel.of(&world).await.status, StatusCode::NO_CONTENT);
    let gone = read(&path).by(&ada).of(&world).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

async fn rules_are_tried_out_before_they_are_saved(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    for at in 0..4 {
        world.pass(1000);
        let tag = format!("v{at}");
        world
            .push("team/app", &[&tag], &format!("image {at}"))
            .await;
    }
    let keeper = world
        .somebody("keeper", &[(Some("team"), Role::PolicyManager)])
        .await;
    let plan = |rules: Value| {
        ask(Method::POST, "/namespaces/team/rules/plan")
            .by(&keeper)
            .json(&rules)
    };
    let answer = plan(json!({ "retention": [{ "keep_newest": 1 }] }))
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    // Three tags, and what they were the last ones of.
    assert_eq!(answer.json()["total"], 6, "{}", answer.text);
    let rules = json!({ "retention": [{ "keep_newest": 1 }], "immutable_tags": ["v0"] });
    assert_eq!(plan(rules).of(&world).await.json()["total"], 4);
    // Nothing was saved, and nothing removed.
    let saved = read("/namespaces/team/rules").by(&keeper).of(&world).await;
    assert_eq!(
        saved.json(),
        json!({ "immutable_tags": [], "retention": [] })
    );
    let tags = read("/repositories/team~app/tags")
        .by(&keeper)
        .of(&world)
        .await;
    assert_eq!(tags.json()["items"].as_array().map(Vec::len), Some(4));
    for odd in [
        json!({ "retention": [{ "keep_newest": -1 }] }),
        json!({ "retention": [{ "keep": 1 }] }),
        json!({ "immutable_tags": [""] }),
        json!({ "retention": vec![json!({}); 101] }),
    ] {
        assert_eq!(plan(odd).of(&world).await.problem(), "invalid");
    }
}
