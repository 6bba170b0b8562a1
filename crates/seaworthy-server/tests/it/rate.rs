//! How much may be asked.

use axum::http::StatusCode;
use seaworthy_access::Role;
use seaworthy_server::{Rate, router};

use crate::ask::read;
use crate::world::{FREE, World, on_each_database, server};

on_each_database! {
    one_who_asks_too_much_is_told_to_wait_and_others_are_not,
    an_address_is_counted_whoever_it_says_it_is,
}

const SLOW: Rate = Rate {
    per_minute: 30,
    burst: 3,
};

async fn one_who_asks_too_much_is_told_to_wait_and_others_are_not(mut world: World) {
    world.router = router(server(&world.database, &world.authority, SLOW, FREE));
    let ada = world.somebody("ada", &[(None, Role::Reader)]).await;
    let bob = world.somebody("bob", &[(None, Role::Reader)]).await;
    for left in ["2", "1", "0"] {
        let answer = read("/session").by(&ada).of(&world).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-limit"), Some("3"));
        assert_eq!(answer.header("ratelimit-remaining"), Some(left));
    }
    let refused = read("/session").by(&ada).of(&world).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.problem(), "too-many");
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(refused.json()["retry_after"], 2);
    // Other keys and people have buckets of their own; another key of ada's has not.
    let (key, _) = world.key(ada.account, None).await;
    let other = read("/session").header("authorization", &format!("Bearer {key}"));
    assert_eq!(other.of(&world).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(read("/session").by(&bob).of(&world).await.status, 200);
    world.pass(1_900);
    let early = read("/session").by(&ada).of(&world).await;
    assert_eq!(early.status, StatusCode::TOO_MANY_REQUESTS);
    world.pass(100);
    assert_eq!(read("/session").by(&ada).of(&world).await.status, 200);
}

async fn an_address_is_counted_whoever_it_says_it_is(mut world: World) {
    world.router = router(server(&world.database, &world.authority, FREE, SLOW));
    for at in 0..3 {
        let claim = format!("Bearer made-up-{at}");
        let answer = read("/session").header("authorization", &claim);
        assert_eq!(answer.of(&world).await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = read("/openapi.json").of(&world).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    world.pass(2_000);
    assert_eq!(read("/openapi.json").of(&world).await.status, 200);
}
