//! The audit log: who did what, in an order that cannot be changed afterwards.

use seaworthy_store::{
    AccountKind, Accounts, Actor, AuditCheck, AuditEntry, AuditLog, AuditOrder, AuditQuery, Millis,
    NewAccount,
};

use crate::store::{Store, on_each_database};

on_each_database!(
    entries_are_read_in_pages_both_ways,
    entries_are_found_by_who_what_where_and_when,
    the_chain_is_whole_and_its_head_is_the_last_hash,
    those_who_write_at_once_make_one_chain,
    an_exported_line_proves_its_hash,
);

/// Makes accounts by these names.
async fn write(store: &Store, actor: &str, names: &[&str]) {
    for name in names {
        let new = NewAccount {
            kind: AccountKind::User,
            name: name.parse().expect("a name"),
            display_name: None,
            email: None,
            password: None,
            must_change: false,
            namespace: None,
            expires_at: None,
        };
        Accounts::of(&store.database)
            .create(&new, &Actor::new(actor))
            .await
            .expect("is made");
        store.pass(1000);
    }
}

async fn read(store: &Store, query: &AuditQuery, order: AuditOrder, limit: usize) -> Vec<i64> {
    let page = AuditLog::of(&store.database)
        .read(query, order, limit)
        .await;
    let items = page.expect("is read").items;
    items.iter().map(|entry| entry.serial).collect()
}

async fn entries_are_read_in_pages_both_ways(store: Store) {
    write(&store, "user:root", &["a", "b", "c", "d", "e"]).await;
    let all = AuditQuery::default();
    assert_eq!(read(&store, &all, AuditOrder::After(0), 2).await, [1, 2]);
    assert_eq!(read(&store, &all, AuditOrder::After(2), 9).await, [3, 4, 5]);
    assert_eq!(
        read(&store, &all, AuditOrder::Before(None), 2).await,
        [5, 4]
    );
    assert_eq!(
        read(&store, &all, AuditOrder::Before(Some(4)), 9).await,
        [3, 2, 1]
    );
    let log = AuditLog::of(&store.database);
    let page = log
        .read(&all, AuditOrder::After(0), 5)
        .await
        .expect("is read");
    assert!(!page.more);
    let page = log
        .read(&all, AuditOrder::After(0), 4)
        .await
        .expect("is read");
    assert!(page.more);
}

async fn entries_are_found_by_who_what_where_and_when(store: Store) {
    let begin = store.database.now();
    write(&store, "user:root", &["ada", "bob"]).await;
    write(&store, "robot:ci", &["adam"]).await;
    let some = |text: &str| Some(text.into());
    let queries = [
        (
            AuditQuery {
                actor: some("robot:ci"),
                ..AuditQuery::default()
            },
            vec![3],
        ),
        (
            AuditQuery {
                actor: some("robot:c"),
                ..AuditQuery::default()
            },
            vec![],
        ),
        (
            AuditQuery {
                action: some("account.create"),
                ..AuditQuery::default()
            },
            vec![1, 2, 3],
        ),
        (
            AuditQuery {
                action: some("account"),
                ..AuditQuery::default()
            },
            vec![],
        ),
        (
            AuditQuery {
                action: some("account."),
                ..AuditQuery::default()
            },
            vec![1, 2, 3],
        ),
        (
            AuditQuery {
                object: some("user:ada"),
                ..AuditQuery::default()
            },
            vec![1, 3],
        ),
        (
            AuditQuery {
                object: some("user:%"),
                ..AuditQuery::default()
            },
            vec![],
        ),
        (
            AuditQuery {
                since: Some(begin.plus(1000)),
                ..AuditQuery::default()
            },
            vec![2, 3],
        ),
        (
            AuditQuery {
                until: Some(begin.plus(1000)),
                ..AuditQuery::default()
            },
            vec![1],
        ),
        (
            AuditQuery {
                actor: some("x' OR '1'='1"),
                ..AuditQuery::default()
            },
            vec![],
        ),
    ];
    for (query, expected) in queries {
        let found = read(&store, &query, AuditOrder::After(0), 100).await;
        assert_eq!(found, expected, "{query:?}");
    }
}

async fn the_chain_is_whole_and_its_head_is_the_last_hash(store: Store) {
    let log = AuditLog::of(&store.database);
    let empty = AuditCheck::Whole {
        entries: 0,
        head: "".into(),
    };
    assert_eq!(log.verify().await.expect("is read"), empty);
    write(&store, "user:root", &["a", "b", "c"]).await;
    let last = log
        .read(&AuditQuery::default(), AuditOrder::Before(None), 1)
        .await
        .expect("is read");
    let whole = AuditCheck::Whole {
        entries: 3,
        head: last.items[0].hash.clone(),
    };
    assert_eq!(log.verify().await.expect("is read"), whole);
}

async fn those_who_write_at_once_make_one_chain(store: Store) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..5 {
                write(&store, "user:root", &[&format!("w{writer}-{number}")]).await;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("no panic");
    }
    let check = AuditLog::of(&store.database)
        .verify()
        .await
        .expect("is read");
    assert!(
        matches!(check, AuditCheck::Whole { entries: 30, .. }),
        "{check:?}"
    );
}

async fn an_exported_line_proves_its_hash(store: Store) {
    write(&store, "user:root", &["a", "b"]).await;
    let log = AuditLog::of(&store.database);
    let page = log
        .read(&AuditQuery::default(), AuditOrder::After(0), 9)
        .await;
    let mut before = String::new();
    for entry in page.expect("is read").items {
        let line = entry.to_json();
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let text = |name: &str| value[name].as_str().expect("a text").into();
        let (_, detail) = line.split_once(r#""detail":"#).expect("a detail");
        let (detail, _) = detail.rsplit_once(r#","hash":"#).expect("a hash");
        let told = AuditEntry {
            serial: value["serial"].as_i64().expect("a number"),
            at: Millis(value["at"].as_i64().expect("a number")),
            actor: text("actor"),
            action: text("action"),
            object: text("object"),
            detail: detail.into(),
            hash: text("hash"),
        };
        assert_eq!(told.hash_after(&before), &*told.hash);
        before = told.hash.into();
    }
}
