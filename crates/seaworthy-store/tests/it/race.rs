//! Many at once: pushes, mounts, deletions, readers and collections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use seaworthy_store::{
    Address, Founding, ManifestName, NamespaceSettings, NewManifest, PushError, RecordBlobError,
    RepositoryName,
};

use crate::store::{
    GRACE, HOUR, Store, address_of, config, image, layer, on_each_database, repository, tag,
};

on_each_database! {
    collections_under_load_lose_nothing_and_disturb_nobody,
    nobody_gets_an_old_answer_after_a_change_was_answered,
    two_tags_of_one_push_always_move_together,
    a_quota_holds_against_many_at_once,
    a_push_whose_client_goes_away_is_brought_to_its_end,
    the_last_two_links_of_a_blob_go_at_once,
    what_an_acknowledged_push_names_stays_even_if_its_time_was_over,
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("is small")
    }
}

/// When each pusher began what it is at: time passes only as far as the promises made
/// to them allow.
#[derive(Clone)]
struct Pace(Arc<Mutex<Vec<Option<i64>>>>);

impl Pace {
    fn at(&self, pusher: usize, since: Option<i64>) {
        self.0.lock().expect("nobody panics")[pusher] = since;
    }

    fn may_pass(&self, now: i64, step: i64) -> bool {
        let begun = self.0.lock().expect("nobody panics");
        begun
            .iter()
            .flatten()
            .all(|since| now + step < since + GRACE.0 / 2)
    }
}

/// What a pusher was told is stored and has not deleted.
type Acknowledged = BTreeMap<(RepositoryName, Address), (NewManifest, BTreeSet<Address>)>;

async fn blob_for(store: &Store, name: &RepositoryName, content: &str, dice: &mut Dice) {
    let address = address_of(content.as_bytes());
    let kept = store.catalog.keep_blob(name, &address, GRACE).await;
    if kept.expect("no error").is_some() {
        return;
    }
    let holders = store.catalog.holders(&address).await.expect("no error");
    if let Some(from) = holders.first()
        && dice.roll(2) == 0
    {
        let mounted = store
            .catalog
            .mount_blob(name, from, &address, Founding::Allowed, GRACE)
            .await;
        if mounted.expect("no error") {
            return;
        }
    }
    store.blob(name, content).await;
}

async fn push_for_a_while(store: Store, pace: Pace, pusher: usize, rounds: usize) -> Acknowledged {
    let mut dice = Dice(0x9e37_79b9 + pusher as u64);
    let mut acknowledged = Acknowledged::new();
    for round in 0..rounds {
        let name = repository(["team/a", "team/b", "other/c"][dice.roll(3)]);
        if dice.roll(3) == 0
            && let Some(((name, address), _)) = acknowledged.pop_first()
        {
            let gone = store
                .catalog
                .delete_manifest(&name, &address, &store.actor)
                .await;
            gone.expect("no error");
            let found = store
                .catalog
                .manifest(&name, &ManifestName::Address(address))
                .await;
            assert_eq!(found.expect("no error"), None);
        }
        pace.at(pusher, Some(store.database.now().0));
        let contents: BTreeSet<String> =
            (0..3).map(|_| format!("blob {}", dice.roll(12))).collect();
        let mut parts = Vec::new();
        for content in &contents {
            blob_for(&store, &name, content, &mut dice).await;
            parts.push(layer(content));
        }
        let manifest = image(&format!("{pusher} {round}"), parts);
        // A push that is refused because a blob is unknown fails here.
        store
            .push(&name, &manifest, &[&format!("tag-{}", dice.roll(5))])
            .await;
        pace.at(pusher, None);
        let blobs = contents
            .iter()
            .map(|it| address_of(it.as_bytes()))
            .collect();
        for content in &contents {
            let bytes = store.read(&name, &address_of(content.as_bytes())).await;
            assert_eq!(bytes.as_deref(), Some(content.as_bytes()));
        }
        acknowledged.insert((name, manifest.address.clone()), (manifest, blobs));
    }
    acknowledged
}

async fn collections_under_load_lose_nothing_and_disturb_nobody(store: Store) {
    const PUSHERS: usize = 6;
    const ROUNDS: usize = 40;
    // Made beforehand, so that mounts need not make it.
    for name in ["team/a", "other/c"] {
        store
            .push(&repository(name), &image("first", vec![]), &[])
            .await;
    }
    let pace = Pace(Arc::new(Mutex::new(vec![None; PUSHERS])));
    let is_over = Arc::new(AtomicBool::new(false));
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|pusher| {
            let store = store.clone();
            tokio::spawn(push_for_a_while(store, pace.clone(), pusher, ROUNDS))
        })
        .collect();
    let collectors: Vec<_> = (0..2)
        .map(|_| {
            let (store, pace, is_over) = (store.clone(), pace.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut removed = 0;
                while !is_over.load(Ordering::SeqCst) {
                    if pace.may_pass(store.database.now().0, GRACE.0 / 8) {
                        store.pass(GRACE.0 / 8);
                    }
                    let collected = store.collect().await;
                    assert_eq!(collected.failed, 0);
                    removed += collected.removed;
                    tokio::task::yield_now().await;
                }
                removed
            })
        })
        .collect();
    let mut all = Acknowledged::new();
    for pusher in pushers {
        all.append(&mut pusher.await.expect("no pusher is disturbed"));
    }
    is_over.store(true, Ordering::SeqCst);
    let mut removed = 0;
    for collector in collectors {
        removed += collector.await.expect("no collector fails");
    }
    assert!(removed > 0, "collections had something to do");
    store.pass(2 * HOUR);
    store.collect().await;
    store.collect().await;
    let mut named = BTreeSet::new();
    for ((name, address), (manifest, blobs)) in all {
        let found = store
            .catalog
            .manifest(&name, &ManifestName::Address(address))
            .await;
        assert_eq!(
            found.expect("asks").expect("is kept").content,
            manifest.content
        );
        for blob in blobs {
            assert!(
                store.read(&name, &blob).await.is_some(),
                "{blob} of {name} is lost"
            );
            named.insert(blob);
        }
    }
    let rows = store.rows().await;
    assert_eq!((rows["blob"], rows["grave"]), (named.len() as u64, 0));
    assert_eq!(store.files().0, named.len());
}

async fn nobody_gets_an_old_answer_after_a_change_was_answered(store: Store) {
    const ACTS: usize = 120;
    let name = repository("team/app");
    let images: Vec<_> = (0..ACTS).map(|it| image(&it.to_string(), vec![])).collect();
    let addresses: Vec<_> = images.iter().map(|it| it.address.clone()).collect();
    store.push(&name, &images[0], &["latest"]).await;
    // After act `n` the tag is at image `n`, or is gone where `n` is odd.
    let (begun, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, name) = (store.clone(), name.clone());
            let (begun, answered) = (Arc::clone(&begun), Arc::clone(&answered));
            let addresses = addresses.clone();
            tokio::spawn(async move {
                let latest = ManifestName::Tag(tag("latest"));
                let mut reads = 0;
                while answered.load(Ordering::SeqCst) < ACTS - 1 {
                    let before = answered.load(Ordering::SeqCst);
                    let found = store.catalog.manifest(&name, &latest).await.expect("asks");
                    let after = begun.load(Ordering::SeqCst);
                    let may_be = (before..=after).any(|act| match &found {
                        None => act % 2 == 1,
                        Some(it) => act % 2 == 0 && it.address == addresses[act],
                    });
                    assert!(may_be, "an answer from before act {before}: {found:?}");
                    reads += 1;
                    tokio::task::yield_now().await;
                }
                reads
            })
        })
        .collect();
    for act in 1..ACTS {
        begun.store(act, Ordering::SeqCst);
        if act % 2 == 0 {
            store.push(&name, &images[act], &["latest"]).await;
        } else if act % 4 == 1 {
            let gone = store
                .catalog
                .delete_tag(&name, &tag("latest"), &store.actor)
                .await;
            gone.expect("is deleted");
        } else {
            let address = &addresses[act - 1];
            let gone = store
                .catalog
                .delete_manifest(&name, address, &store.actor)
                .await;
            gone.expect("is deleted");
        }
        answered.store(act, Ordering::SeqCst);
    }
    for reader in readers {
        let reads = reader.await.expect("no reader saw an old answer");
        assert!(reads > 0);
    }
}

async fn two_tags_of_one_push_always_move_together(store: Store) {
    let name = repository("team/app");
    store
        .push(&name, &image("first", vec![]), &["a", "b"])
        .await;
    let pushers: Vec<_> = (0..4)
        .map(|pusher| {
            let (store, name) = (store.clone(), name.clone());
            tokio::spawn(async move {
                for round in 0..10 {
                    let it = image(&format!("{pusher} {round}"), vec![]);
                    let tags = if round % 2 == 0 {
                        ["a", "b"]
                    } else {
                        ["b", "a"]
                    };
                    store.push(&name, &it, &tags).await;
                }
            })
        })
        .collect();
    let looks = 40;
    for _ in 0..looks {
        let pointed = store.texts("SELECT DISTINCT address FROM tag").await;
        assert_eq!(pointed.len(), 1);
    }
    for pusher in pushers {
        pusher.await.expect("pushes");
    }
    let moves = store.audit().await;
    let moves = moves.iter().filter(|it| it.starts_with("tag.move")).count();
    assert_eq!(moves, 80, "each move is told once");
}

async fn a_quota_holds_against_many_at_once(store: Store) {
    let settings = NamespaceSettings {
        quota_bytes: Some(35),
        ..NamespaceSettings::default()
    };
    let team = "team".parse().expect("a namespace");
    let made = store
        .catalog
        .create_namespace(&team, &settings, &store.actor)
        .await;
    made.expect("is made");
    let pushers: Vec<_> = (0..8)
        .map(|pusher| {
            let store = store.clone();
            tokio::spawn(async move {
                let name = repository(&format!("team/{pusher}"));
                store.try_blob(&name, &format!("blob {pusher:05}")).await
            })
        })
        .collect();
    let mut fitted = 0;
    for pusher in pushers {
        match pusher.await.expect("no panic") {
            Ok(_) => fitted += 1,
            Err(RecordBlobError::Quota { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(fitted, 3);
}

async fn a_push_whose_client_goes_away_is_brought_to_its_end(store: Store) {
    let name = repository("team/app");
    store.push(&name, &image("old", vec![]), &["latest"]).await;
    let latest = ManifestName::Tag(tag("latest"));
    store.catalog.manifest(&name, &latest).await.expect("asks");
    for number in 0..10 {
        let new = image(&number.to_string(), vec![]);
        let tags = [tag("latest")];
        let catalog = &store.catalog;
        let push = catalog.push_manifest(&name, &new, &tags, Founding::Allowed, &store.actor);
        {
            // Asked once, and then nobody waits for the answer.
            let mut push = std::pin::pin!(push);
            let once = futures_util::poll!(&mut push);
            assert!(once.is_pending());
        }
        let arrives = async {
            loop {
                let found = catalog.manifest(&name, &latest).await.expect("asks");
                if found.expect("is there").address == new.address {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        // A bound, so that a test that fails ends.
        let patience = std::time::Duration::from_mins(1);
        let arrived = tokio::time::timeout(patience, arrives).await;
        arrived.expect("the push was brought to its end");
    }
}

async fn the_last_two_links_of_a_blob_go_at_once(store: Store) {
    for round in 0..10 {
        let content = format!("shared {round}");
        let names = ["team/a", "team/b", "team/c"].map(repository);
        let mut images = Vec::new();
        for name in &names {
            store.blob(name, &content).await;
            let it = image(&format!("{name} {round}"), vec![config(&content)]);
            store.push(name, &it, &[]).await;
            images.push(it.address);
        }
        store.pass(2 * HOUR);
        let deletions: Vec<_> = names
            .into_iter()
            .zip(images)
            .map(|(name, address)| {
                let store = store.clone();
                tokio::spawn(async move {
                    let catalog = &store.catalog;
                    catalog.delete_manifest(&name, &address, &store.actor).await
                })
            })
            .collect();
        for deletion in deletions {
            deletion.await.expect("no panic").expect("is deleted");
        }
        assert_eq!(store.rows().await["blob"], 0);
    }
}

async fn what_an_acknowledged_push_names_stays_even_if_its_time_was_over(store: Store) {
    let name = repository("team/app");
    let mut acknowledged = 0;
    for round in 0..12 {
        let contents: Vec<_> = (0..6).map(|it| format!("blob {round} {it}")).collect();
        for content in &contents {
            store.blob(&name, content).await;
        }
        store.pass(2 * HOUR);
        let pushes: Vec<_> = contents
            .iter()
            .map(|content| {
                let (store, name) = (store.clone(), name.clone());
                let manifest = image("", vec![layer(content)]);
                tokio::spawn(async move {
                    let catalog = &store.catalog;
                    catalog
                        .push_manifest(&name, &manifest, &[], Founding::Allowed, &store.actor)
                        .await
                })
            })
            .collect();
        let collections: Vec<_> = (0..2)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.catalog.expire_blobs(100).await })
            })
            .collect();
        for collection in collections {
            collection.await.expect("no panic").expect("collects");
        }
        for (content, push) in contents.iter().zip(pushes) {
            match push.await.expect("no panic") {
                Ok(_) => {
                    acknowledged += 1;
                    let bytes = store.read(&name, &address_of(content.as_bytes())).await;
                    assert_eq!(bytes.as_deref(), Some(content.as_bytes()));
                }
                Err(PushError::Missing(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(acknowledged > 0, "some pushes were first");
}
