//! Events as they happen.

use axum::http::StatusCode;
use http_body_util::BodyExt;
use seaworthy_access::Role;
use seaworthy_core::Severity;
use seaworthy_store::{AccountChange, NamespaceSettings};
use serde_json::Value;

use crate::ask::read;
use crate::world::{Somebody, World, on_each_database, report};

on_each_database! {
    whoever_follows_sees_what_they_may_and_goes_on_where_they_were,
    a_stream_ends_when_its_reader_may_no_more,
    strangers_do_not_take_the_places_of_others,
}

/// The next events of a stream, until there are `count`.
struct Follower {
    body: axum::body::Body,
    text: String,
}

impl Follower {
    async fn of(world: &World, who: &Somebody, cursor: &str) -> Self {
        let response = read(&format!("/events{cursor}")).by(who).open(world).await;
        assert_eq!(response.status(), StatusCode::OK);
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next event: its id and its document; nothing where the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let line = |name: &str| {
                    let begin = format!("{name}: ");
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(&begin).map(str::to_owned))
                };
                let Some(data) = line("data") else { continue };
                assert_eq!(line("event").as_deref(), Some("image"));
                let document = serde_json::from_str(&data).expect("JSON");
                return Some((line("id").expect("an id"), document));
            }
            let frame = self.body.frame().await?.expect("a frame");
            let bytes = frame.into_data().expect("data");
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

async fn whoever_follows_sees_what_they_may_and_goes_on_where_they_were(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    world.found("other", NamespaceSettings::default()).await;
    let reader = world
        .somebody("reader", &[(Some("team"), Role::Reader)])
        .await;
    let mut follower = Follower::of(&world, &reader, "").await;
    world.pass(10);
    world.push("other/secret", &["v1"], "not for them").await;
    world.pass(10);
    let image = world.push("team/app", &["v1"], "for them").await;
    let (first, document) = follower.next().await.expect("an event");
    assert_eq!(document["repository"], "team/app");
    assert_eq!(document["digest"], image.to_string());
    assert_eq!(document["state"], "queued");
    world.pass(10);
    let found = report(&[("a", "1", &[("CVE-2026-1", Severity::High)])]);
    world.scan_all(&found).await;
    let mut states = Vec::new();
    while states.last().is_none_or(|state| state != "done") {
        let (_, document) = follower.next().await.expect("an event");
        assert_eq!(document["repository"], "team/app");
        states.push(document["state"].as_str().expect("a state").to_owned());
    }
    // Somebody who comes back goes on where they were.
    let mut again = Follower::of(&world, &reader, &format!("?cursor={first}")).await;
    let (last, document) = again.next().await.expect("an event");
    assert_eq!(document["state"], "done");
    assert_ne!(last, first);
    let answer = read("/events?cursor=yesterday")
        .by(&reader)
        .of(&world)
        .await;
    assert_eq!(answer.problem(), "malformed");
}

async fn a_stream_ends_when_its_reader_may_no_more(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    let reader = world
        .somebody("reader", &[(Some("team"), Role::Reader)])
        .await;
    let mut follower = Follower::of(&world, &reader, "").await;
    let change = AccountChange {
        is_disabled: Some(true),
        ..AccountChange::default()
    };
    let disabled = world
        .accounts
        .change(reader.account, &change, None, &world.actor)
        .await;
    disabled.expect("disabled");
    world.pass(10);
    world.push("team/app", &["v1"], "too late").await;
    assert_eq!(follower.next().await, None);
}

async fn strangers_do_not_take_the_places_of_others(world: World) {
    let ada = world.somebody("ada", &[]).await;
    let mut open = Vec::new();
    let refused = loop {
        let response = read("/events").open(&world).await;
        if response.status() != StatusCode::OK {
            break response;
        }
        assert!(open.len() < 1000, "strangers have as many as they like");
        open.push(response);
    };
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let answer = read("/events").by(&ada).open(&world).await;
    assert_eq!(answer.status(), StatusCode::OK);
    drop(open);
    let again = read("/events").open(&world).await;
    assert_eq!(
        again.status(),
        StatusCode::OK,
        "their places are free again"
    );
}
