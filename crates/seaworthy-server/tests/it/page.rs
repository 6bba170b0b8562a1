//! Lists in pages.

use axum::http::StatusCode;
use seaworthy_access::Role;
use seaworthy_core::Severity;
use seaworthy_store::NamespaceSettings;
use serde_json::Value;

use crate::ask::{read, walk};
use crate::world::{Installed, Somebody, World, on_each_database, report};

on_each_database! {
    walking_a_list_yields_each_item_once,
    items_that_are_added_meanwhile_disturb_no_walk,
    a_walk_of_findings_stays_with_its_report,
}

fn field(items: &[Value], name: &str) -> Vec<String> {
    let text = |item: &Value| match &item[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    items.iter().map(text).collect()
}

async fn filled(world: &World) -> Somebody {
    world.found("team", NamespaceSettings::default()).await;
    for at in 0..7 {
        let name = format!("team/app-{at}");
        world.push(&name, &["v1"], &name).await;
    }
    for at in 0..9 {
        let tags = [format!("t{at}"), format!("u{at}")];
        let tags = [tags[0].as_str(), tags[1].as_str()];
        world.push("team/many", &tags, &format!("many {at}")).await;
    }
    world.somebody("ada", &[(None, Role::Admin)]).await
}

async fn walking_a_list_yields_each_item_once(world: World) {
    let ada = filled(&world).await;
    for (path, name, count) in [
        ("/repositories", "name", 8),
        ("/repositories?namespace=team", "name", 8),
        ("/repositories/team~many/tags", "name", 18),
        ("/repositories/team~many/images", "digest", 9),
        ("/namespaces", "name", 1),
        ("/namespaces/team/unscanned", "digest", 0),
        ("/jobs", "job", 16),
        ("/accounts", "account", 1),
    ] {
        let (whole, _) = walk(&world, &ada, path).await;
        let whole = field(&whole, name);
        assert_eq!(whole.len(), count, "{path}");
        for limit in [1, 2, 3, 200] {
            let mark = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{mark}limit={limit}");
            let (items, pages) = walk(&world, &ada, &path).await;
            assert_eq!(field(&items, name), whole, "{path}");
            assert_eq!(pages, count.div_ceil(limit).max(1), "{path}");
        }
    }
}

async fn items_that_are_added_meanwhile_disturb_no_walk(world: World) {
    let ada = filled(&world).await;
    for (path, name) in [
        ("/repositories", "name"),
        ("/repositories/team~many/tags", "name"),
        ("/repositories/team~many/images", "digest"),
        ("/audit", "serial"),
        ("/jobs", "job"),
    ] {
        let (before, _) = walk(&world, &ada, path).await;
        let before = field(&before, name);
        let mut seen: Vec<String> = Vec::new();
        let limit = before.len().div_ceil(10);
        let mut next = format!("{path}?limit={limit}");
        for step in 0.. {
            let page = read(&next).by(&ada).of(&world).await.json();
            seen.extend(field(page["items"].as_array().expect("items"), name));
            let Some(cursor) = page["next"].as_str() else {
                break;
            };
            next = format!("{path}?limit={limit}&cursor={cursor}");
            // New ones before, among and after what was seen.
            let letters: &[&str] = if step < 8 { &["a", "m", "z"] } else { &[] };
            for letter in letters {
                let repository = format!("team/{letter}{step}{}", path.len());
                world.push(&repository, &["v1"], &repository).await;
                let text = format!("more {path} {letter}{step}");
                let tag = format!("{letter}-{step}");
                world.push("team/many", &[&tag], &text).await;
            }
            assert!(step < 100, "{path} never ends");
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "{path}: an item came twice");
        for item in before {
            assert!(seen.contains(&item), "{path}: {item} was missed");
        }
    }
}

async fn a_walk_of_findings_stays_with_its_report(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let ada = world.somebody("ada", &[(None, Role::Admin)]).await;
    let image = world.push("team/app", &["v1"], "app").await;
    let names: Vec<String> = (0..5).map(|at| format!("p{at}")).collect();
    let packages: Vec<Installed<'_>> = names
        .iter()
        .map(|name| {
            let found: &[(&str, Severity)] = &[("CVE-2026-1", Severity::High)];
            (name.as_str(), "1.0.0", found)
        })
        .collect();
    world.scan_all(&report(&packages)).await;
    let path = format!("/repositories/team~app/images/{image}/findings");
    let first = read(&format!("{path}?limit=2")).by(&ada).of(&world).await;
    let cursor = first.json()["next"].as_str().expect("more").to_owned();
    // Another report comes, with nothing in it.
    let number = seaworthy_store::Browse::of(&world.database)
        .image(&"team/app".parse().expect("a name"), &image)
        .await
        .expect("answers")
        .expect("an image")
        .id;
    let asked = world
        .scans
        .request(number, seaworthy_store::Lane::Manual, &world.actor);
    asked.await.expect("a job");
    world.scan_all(&report(&[])).await;
    let (rest, _) = walk(&world, &ada, &format!("{path}?limit=2&cursor={cursor}")).await;
    assert_eq!(rest.len(), 3);
    let (now, _) = walk(&world, &ada, &path).await;
    assert_eq!(now.len(), 0);
    let odd = data_encoding::BASE64URL_NOPAD.encode(b"99999999:0");
    let answer = read(&format!("{path}?cursor={odd}"))
        .by(&ada)
        .of(&world)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
