//! What `seaworthy scan --server` sends, and what it gets.

use axum::http::{Method, StatusCode};
use seaworthy_access::Role;
use seaworthy_store::{NamespaceSettings, encode_inventory};
use serde_json::{Value, json};

use crate::ask::{Ask, ask, read};
use crate::world::{Somebody, World, on_each_database, report};

on_each_database! {
    an_inventory_is_judged_and_shown_as_metadata_only,
    what_is_no_inventory_is_refused,
    an_image_that_is_here_is_known_by_its_own_bytes,
    whoever_scans_elsewhere_is_told_edition_and_policy,
}

const PATH: &str = "/repositories/team~app/assessments";

fn inventory() -> Value {
    let report = report(&[("left-pad", "1.0.0", &[]), ("lodash", "4.0.0", &[])]);
    serde_json::from_slice(&encode_inventory(&report.inventory)).expect("JSON")
}

fn submission() -> Value {
    json!({
        "schema": "seaworthy.submission/1",
        "target": "registry.example/closed/app:1.2",
        "manifest": format!("sha256:{}", "ab".repeat(32)),
        "platform": "linux/amd64",
        "labels": { "commit": "c0ffee" },
        "inventory": inventory()
    })
}

async fn pusher(world: &World) -> Somebody {
    world.found("team", NamespaceSettings::default()).await;
    world.somebody("ci", &[(Some("team"), Role::Pusher)]).await
}

fn submit(who: &Somebody, document: &Value) -> Ask {
    ask(Method::POST, PATH).by(who).json(document)
}

async fn an_inventory_is_judged_and_shown_as_metadata_only(world: World) {
    let ci = pusher(&world).await;
    let answer = submit(&ci, &submission()).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let document = answer.json();
    assert_eq!(document["schema"], "seaworthy.report/1");
    assert_eq!(document["outcome"], "fail");
    let place = answer.header("location").expect("a place");
    let place = place.strip_prefix("/api/v1").expect("ours").to_owned();
    let image = read(&place).by(&ci).of(&world).await.json();
    assert_eq!(image["retention_class"], "metadata");
    assert_eq!(image["target"], "registry.example/closed/app:1.2");
    assert_eq!(image["verdict"], "fail");
    assert_eq!(image["labels"], json!({ "commit": "c0ffee" }));
    let found = read("/search?package=lodash").by(&ci).of(&world).await;
    assert_eq!(found.json()["items"].as_array().map(Vec::len), Some(1));
    let report = read(&format!("{place}/report")).by(&ci).of(&world).await;
    assert_eq!(report.json(), document);
    // Told again, it is still one image; it cannot be scanned here.
    assert_eq!(submit(&ci, &submission()).of(&world).await.status, 200);
    let images = read("/repositories/team~app/images?retention_class=metadata");
    let images = images.by(&ci).of(&world).await.json();
    assert_eq!(images["items"].as_array().map(Vec::len), Some(1));
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let scan = ask(Method::POST, &format!("{place}/scan")).by(&ada);
    assert_eq!(scan.of(&world).await.problem(), "conflict");
    // Deleting it leaves nothing behind that could be found.
    let delete = ask(Method::DELETE, &place).by(&ada).of(&world).await;
    assert_eq!(delete.status, StatusCode::NO_CONTENT, "{}", delete.text);
    let found = read("/search?package=lodash").by(&ci).of(&world).await;
    assert_eq!(found.json()["items"], json!([]));
    let gone = ask(Method::DELETE, &place).by(&ada).of(&world).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

async fn what_is_no_inventory_is_refused(world: World) {
    let ci = pusher(&world).await;
    let with = |name: &str, value: Value| {
        let mut document = submission();
        document[name] = value;
        document
    };
    let mut odd_inventory = inventory();
    odd_inventory["packages"][0]["version"] = json!("1\u{7}");
    let mut newer = inventory();
    newer["schema"] = json!("seaworthy.inventory/9");
    for document in [
        json!({}),
        json!([]),
        with("schema", json!("seaworthy.submission/2")),
        with("target", json!("")),
        with("target", json!("a\u{1b}[2Jb")),
        with("target", json!("x".repeat(5000))),
        with("manifest", json!("sha256:../../x")),
        with("manifest", json!("md5:00")),
        with("platform", json!("linux")),
        with("tags", json!(vec!["t"; 201])),
        with("layers", json!(["H4sI"])),
        with("inventory", json!(null)),
        with("inventory", json!({ "schema": "seaworthy.inventory/1" })),
        with("inventory", odd_inventory),
        with("inventory", newer),
    ] {
        let answer = submit(&ci, &document).of(&world).await;
        assert_eq!(answer.problem(), "invalid", "{document}");
    }
    let images = read("/repositories?namespace=team")
        .by(&ci)
        .of(&world)
        .await;
    assert_eq!(images.json()["items"], json!([]));
    let large = vec![b' '; (64 << 20) + 1];
    let answer = ask(Method::POST, PATH)
        .by(&ci)
        .header("content-type", "application/json")
        .body(large)
        .of(&world)
        .await;
    assert_eq!(answer.problem(), "too-large");
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let elsewhere = ask(Method::POST, "/repositories/nowhere~app/assessments");
    let answer = elsewhere.by(&ada).json(&submission()).of(&world).await;
    assert_eq!(answer.problem(), "absent");
}

async fn an_image_that_is_here_is_known_by_its_own_bytes(world: World) {
    let ci = pusher(&world).await;
    let image = world.push("team/app", &["v1"], "app").await;
    let mut document = submission();
    document["manifest"] = json!(image.to_string());
    let answer = submit(&ci, &document).of(&world).await;
    assert_eq!(answer.problem(), "conflict", "{}", answer.text);
    // One without a manifest is named by what was found in it.
    document["manifest"] = json!(null);
    let answer = submit(&ci, &document).of(&world).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn whoever_scans_elsewhere_is_told_edition_and_policy(world: World) {
    let ci = pusher(&world).await;
    let edition = read("/edition").by(&ci).of(&world).await.json();
    assert_eq!(edition["digest"], format!("sha256:{}", "07".repeat(32)));
    assert_eq!(
        edition["feeds"],
        json!([{ "id": "osv/npm", "day": "2026-11-27" }])
    );
    let policy = read("/policy").by(&ci).of(&world).await.json();
    assert_eq!(
        policy,
        json!({ "fail_on": "high", "ignore_unfixed": false, "max_age_days": 7 })
    );
    assert_eq!(read("/policy").of(&world).await.status, 401);
}
