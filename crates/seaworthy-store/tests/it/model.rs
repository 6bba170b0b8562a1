//! Random sequences of acts, beside a model that is simple enough to be believed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seaworthy_store::{
    Address, DeleteError, Founding, ManifestName, NamespaceSettings, NewManifest, PartRole,
    PushError, RecordBlobError,
};

use crate::store::{
    GRACE, HOUR, Store, address_of, image, in_postgres, in_sqlite, index, layer, repository, tag,
};

const REPOSITORIES: [&str; 3] = ["team/a", "team/b", "other/c"];
const TAGS: [&str; 3] = ["x", "y", "z"];
/// Of the namespace `team`: not all blobs fit.
const QUOTA: u64 = 700;

#[derive(Clone, Debug)]
enum Act {
    Blob {
        to: usize,
        blob: u8,
    },
    Keep {
        at: usize,
        blob: u8,
    },
    Mount {
        to: usize,
        from: usize,
        blob: u8,
    },
    Push {
        to: usize,
        blobs: BTreeSet<u8>,
        tags: BTreeSet<usize>,
    },
    PushIndex {
        to: usize,
        first: usize,
        second: usize,
        tag: usize,
    },
    DeleteTag {
        at: usize,
        tag: usize,
    },
    DeleteManifest {
        at: usize,
        which: usize,
    },
    DeleteBlob {
        at: usize,
        blob: u8,
    },
    Pass {
        hours: i64,
    },
    Collect,
}

fn act() -> impl Strategy<Value = Act> {
    let (at, blob, tag) = (0..3_usize, 0..6_u8, 0..3_usize);
    prop_oneof![
        4 => (at.clone(), blob.clone()).prop_map(|(to, blob)| Act::Blob { to, blob }),
        1 => (at.clone(), blob.clone()).prop_map(|(at, blob)| Act::Keep { at, blob }),
        2 => (at.clone(), at.clone(), blob.clone())
            .prop_map(|(to, from, blob)| Act::Mount { to, from, blob }),
        5 => (
            at.clone(),
            prop::collection::btree_set(blob.clone(), 0..3),
            prop::collection::btree_set(tag.clone(), 0..3),
        )
            .prop_map(|(to, blobs, tags)| Act::Push { to, blobs, tags }),
        2 => (at.clone(), 0..8_usize, 0..8_usize, tag.clone())
            .prop_map(|(to, first, second, tag)| Act::PushIndex { to, first, second, tag }),
        2 => (at.clone(), tag).prop_map(|(at, tag)| Act::DeleteTag { at, tag }),
        3 => (at.clone(), 0..8_usize)
            .prop_map(|(at, which)| Act::DeleteManifest { at, which }),
        1 => (at, blob).prop_map(|(at, blob)| Act::DeleteBlob { at, blob }),
        2 => (1..4_i64).prop_map(|hours| Act::Pass { hours: hours * 20 }),
        2 => Just(Act::Collect),
    ]
}

fn content(blob: u8) -> String {
    format!("blob {blob}").repeat(10 + usize::from(blob))
}

#[derive(Default)]
struct Repository {
    /// Until when each blob is promised; `None` where only manifests hold it.
    blobs: BTreeMap<u8, Option<i64>>,
    manifests: BTreeMap<Address, Manifest>,
    tags: BTreeMap<usize, Address>,
}

struct Manifest {
    pushed: NewManifest,
    blobs: BTreeSet<u8>,
    children: BTreeSet<Address>,
    pushed_at: i64,
    left_until: Option<i64>,
}

#[derive(Default)]
struct Model {
    now: i64,
    repositories: [Repository; 3],
}

impl Repository {
    fn names(&self, blob: u8) -> bool {
        self.manifests.values().any(|it| it.blobs.contains(&blob))
    }

    fn is_named(&self, address: &Address) -> bool {
        self.manifests
            .values()
            .any(|it| it.children.contains(address))
    }

    fn is_tagged(&self, address: &Address) -> bool {
        self.tags.values().any(|it| it == address)
    }

    fn promise(&mut self, blob: u8, until: i64) {
        let kept = self.blobs.entry(blob).or_default();
        *kept = (*kept).max(Some(until));
    }

    fn remove(&mut self, address: &Address, now: i64) {
        let Some(gone) = self.manifests.remove(address) else {
            return;
        };
        self.tags.retain(|_, it| it != address);
        for child in &gone.children {
            if self.is_named(child) || self.is_tagged(child) {
                continue;
            }
            let Some(it) = self.manifests.get_mut(child) else {
                continue;
            };
            let until = it.pushed_at + HOUR;
            if until > now {
                it.left_until = Some(until);
            } else {
                self.remove(child, now);
            }
        }
        for blob in gone.blobs {
            let is_over = self
                .blobs
                .get(&blob)
                .is_some_and(|it| it.is_none_or(|it| it <= now));
            if is_over && !self.names(blob) {
                self.blobs.remove(&blob);
            }
        }
    }

    fn collect(&mut self, now: i64) {
        let is_over = |it: &Manifest| it.left_until.is_some_and(|it| it <= now);
        let over: Vec<Address> = self
            .manifests
            .iter()
            .filter(|(_, it)| is_over(it))
            .map(|(address, _)| address.clone())
            .collect();
        for address in over {
            if self.is_named(&address) || self.is_tagged(&address) {
                if let Some(it) = self.manifests.get_mut(&address) {
                    it.left_until = None;
                }
            } else {
                self.remove(&address, now);
            }
        }
        let blobs: Vec<u8> = self.blobs.keys().copied().collect();
        for blob in blobs {
            let is_over = self.blobs[&blob].is_some_and(|it| it <= now);
            if is_over && self.names(blob) {
                self.blobs.insert(blob, None);
            } else if is_over {
                self.blobs.remove(&blob);
            }
        }
    }
}

impl Model {
    /// What the namespace `team` holds.
    fn bytes(&self) -> u64 {
        let [a, b, _] = &self.repositories;
        let blobs: BTreeSet<u8> = a.blobs.keys().chain(b.blobs.keys()).copied().collect();
        let blobs: usize = blobs.into_iter().map(|it| content(it).len()).sum();
        let manifests = a.manifests.values().chain(b.manifests.values());
        let manifests: usize = manifests.map(|it| it.pushed.content.len()).sum();
        (blobs + manifests) as u64
    }

    fn has(&self, blob: u8) -> bool {
        let [a, b, _] = &self.repositories;
        a.blobs.contains_key(&blob) || b.blobs.contains_key(&blob)
    }

    /// Whether so much more may be put there.
    fn fits(&self, to: usize, more: usize) -> bool {
        to == 2 || self.bytes() + more as u64 <= QUOTA
    }

    fn fits_blob(&self, to: usize, blob: u8) -> bool {
        self.has(blob) || self.fits(to, content(blob).len())
    }

    fn child(&self, at: usize, which: usize) -> Option<&NewManifest> {
        let manifests = self.repositories[at].manifests.values();
        manifests.map(|it| &it.pushed).nth(which)
    }
}

async fn push(store: &Store, model: &mut Model, to: usize, it: NewManifest, tags: &[usize]) {
    let names: Vec<_> = tags.iter().map(|it| tag(TAGS[*it])).collect();
    let name = repository(REPOSITORIES[to]);
    let pushed = store
        .catalog
        .push_manifest(&name, &it, &names, Founding::Allowed, &store.actor)
        .await;
    let now = model.now;
    let is_new = !model.repositories[to].manifests.contains_key(&it.address);
    let fits = model.fits(to, it.content.len());
    let there = &mut model.repositories[to];
    let blobs: BTreeSet<u8> = (0..6)
        .filter(|blob| {
            let address = address_of(content(*blob).as_bytes());
            it.parts.iter().any(|part| part.address == address)
        })
        .collect();
    let children = it.parts.iter().filter(|it| it.role == PartRole::Manifest);
    let children: BTreeSet<Address> = children.map(|it| it.address.clone()).collect();
    if is_new && !blobs.iter().all(|blob| there.blobs.contains_key(blob)) {
        assert!(matches!(pushed, Err(PushError::Missing(_))), "{pushed:?}");
        return;
    }
    if is_new && !fits {
        assert!(matches!(pushed, Err(PushError::Quota { .. })), "{pushed:?}");
        return;
    }
    assert_eq!(pushed.expect("is pushed").is_new, is_new);
    for tag in tags {
        there.tags.insert(*tag, it.address.clone());
    }
    if is_new {
        for child in &children {
            if let Some(child) = there.manifests.get_mut(child) {
                child.left_until = None;
            }
        }
    }
    let manifest = Manifest {
        blobs,
        children,
        pushed_at: now,
        left_until: None,
        pushed: it.clone(),
    };
    there.manifests.insert(it.address, manifest);
}

async fn carry_out(store: &Store, model: &mut Model, act: Act) {
    let promised = model.now + GRACE.0;
    match act {
        Act::Blob { to, blob } => {
            let done = store
                .try_blob(&repository(REPOSITORIES[to]), &content(blob))
                .await;
            if to == 2 || model.fits_blob(to, blob) {
                done.expect("is recorded");
                model.repositories[to].promise(blob, promised);
            } else {
                assert!(
                    matches!(done, Err(RecordBlobError::Quota { .. })),
                    "{done:?}"
                );
            }
        }
        Act::Keep { at, blob } => {
            let address = address_of(content(blob).as_bytes());
            let name = repository(REPOSITORIES[at]);
            let kept = store
                .catalog
                .keep_blob(&name, &address, GRACE)
                .await
                .expect("asks");
            let there = &mut model.repositories[at];
            assert_eq!(kept.is_some(), there.blobs.contains_key(&blob));
            if let Some(until) = there.blobs.get(&blob)
                && until.is_none_or(|until| until < promised - GRACE.0 / 2)
            {
                there.promise(blob, promised);
            }
        }
        Act::Mount { to, from, blob } => {
            let address = address_of(content(blob).as_bytes());
            let (into, source) = (repository(REPOSITORIES[to]), repository(REPOSITORIES[from]));
            let mounted = store
                .catalog
                .mount_blob(&into, &source, &address, Founding::Allowed, GRACE)
                .await
                .expect("asks");
            let has = model.repositories[from].blobs.contains_key(&blob);
            let expected = has && (to == 2 || model.fits_blob(to, blob));
            assert_eq!(mounted, expected);
            if mounted {
                model.repositories[to].promise(blob, promised);
            }
        }
        Act::Push { to, blobs, tags } => {
            let parts = blobs.iter().map(|it| layer(&content(*it))).collect();
            let tags: Vec<usize> = tags.into_iter().collect();
            push(store, model, to, image("", parts), &tags).await;
        }
        Act::PushIndex {
            to,
            first,
            second,
            tag,
        } => {
            let first = model.child(to, first).cloned();
            let second = model.child(to, second).cloned();
            let children: Vec<&NewManifest> = first.iter().chain(&second).collect();
            let list = index("list", &children);
            push(store, model, to, list, &[tag]).await;
        }
        Act::DeleteTag { at, tag: number } => {
            let name = repository(REPOSITORIES[at]);
            let gone = store
                .catalog
                .delete_tag(&name, &tag(TAGS[number]), &store.actor)
                .await;
            match model.repositories[at].tags.remove(&number) {
                Some(_) => gone.expect("is deleted"),
                None => assert!(matches!(gone, Err(DeleteError::Absent)), "{gone:?}"),
            }
        }
        Act::DeleteManifest { at, which } => {
            let Some(address) = model.child(at, which).map(|it| it.address.clone()) else {
                return;
            };
            let name = repository(REPOSITORIES[at]);
            let gone = store
                .catalog
                .delete_manifest(&name, &address, &store.actor)
                .await;
            if model.repositories[at].is_named(&address) {
                assert!(matches!(gone, Err(DeleteError::Named(_))), "{gone:?}");
            } else {
                gone.expect("is deleted");
                model.repositories[at].remove(&address, model.now);
            }
        }
        Act::DeleteBlob { at, blob } => {
            let address = address_of(content(blob).as_bytes());
            let name = repository(REPOSITORIES[at]);
            let gone = store
                .catalog
                .delete_blob(&name, &address, &store.actor)
                .await;
            let there = &mut model.repositories[at];
            if !there.blobs.contains_key(&blob) {
                assert!(matches!(gone, Err(DeleteError::Absent)), "{gone:?}");
            } else if there.names(blob) {
                assert!(matches!(gone, Err(DeleteError::Named(_))), "{gone:?}");
            } else {
                gone.expect("is deleted");
                there.blobs.remove(&blob);
            }
        }
        Act::Pass { hours } => {
            // Parts of an hour, so that promises end at different times.
            let step = hours * HOUR / 60;
            store.pass(step);
            model.now += step;
        }
        Act::Collect => {
            assert_eq!(store.collect().await.failed, 0);
            let now = model.now;
            model.repositories.iter_mut().for_each(|it| it.collect(now));
        }
    }
}

/// Whether the store answers all that the model would.
async fn compare(store: &Store, model: &Model) {
    for (name, there) in REPOSITORIES.iter().zip(&model.repositories) {
        let name = repository(name);
        for blob in 0..6 {
            let text = content(blob);
            let bytes = store.read(&name, &address_of(text.as_bytes())).await;
            let expected = there.blobs.contains_key(&blob).then(|| text.into_bytes());
            assert_eq!(bytes, expected, "blob {blob} of {name}");
            assert!(
                expected.is_some() || !there.names(blob),
                "a manifest lacks {blob}"
            );
        }
        for (address, manifest) in &there.manifests {
            let by_digest = ManifestName::Address(address.clone());
            let found = store
                .catalog
                .manifest(&name, &by_digest)
                .await
                .expect("asks");
            assert_eq!(found.expect("is there").content, manifest.pushed.content);
        }
        for (number, text) in TAGS.iter().enumerate() {
            let by_tag = ManifestName::Tag(tag(text));
            let found = store.catalog.manifest(&name, &by_tag).await.expect("asks");
            let found = found.map(|it| it.address);
            assert_eq!(found.as_ref(), there.tags.get(&number), "{name}:{text}");
        }
    }
    let team = "team".parse().expect("a namespace");
    let held = store.catalog.holdings(&team).await.expect("asks");
    let held = held.expect("is there").bytes;
    assert_eq!(held, model.bytes());
    assert!(held <= QUOTA);
}

async fn play(store: Store, acts: Vec<Act>) {
    let settings = NamespaceSettings {
        quota_bytes: Some(QUOTA),
        ..NamespaceSettings::default()
    };
    for (namespace, settings) in [
        ("team", &settings),
        ("other", &NamespaceSettings::default()),
    ] {
        let name = namespace.parse().expect("a namespace");
        let made = store
            .catalog
            .create_namespace(&name, settings, &store.actor)
            .await;
        made.expect("is made");
    }
    let mut model = Model::default();
    for act in acts {
        carry_out(&store, &mut model, act).await;
        compare(&store, &model).await;
    }
    // Nothing that is not named survives two collections.
    for act in [Act::Pass { hours: 120 }, Act::Collect, Act::Collect] {
        carry_out(&store, &mut model, act).await;
    }
    compare(&store, &model).await;
    let named: BTreeSet<u8> = model
        .repositories
        .iter()
        .flat_map(|it| it.manifests.values())
        .flat_map(|it| it.blobs.iter().copied())
        .collect();
    let rows = store.rows().await;
    let manifests: usize = model.repositories.iter().map(|it| it.manifests.len()).sum();
    assert_eq!((rows["blob"], rows["grave"]), (named.len() as u64, 0));
    assert_eq!(rows["manifest"], manifests as u64);
    assert_eq!(rows["image"], manifests as u64);
    assert_eq!(store.files().0, named.len());
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn sqlite_does_what_the_model_does() {
    let acts = prop::collection::vec(act(), 1..60);
    runner(24)
        .run(&acts, |acts| {
            in_sqlite(|store| play(store, acts));
            Ok(())
        })
        .expect("the store does what the model does");
}

#[test]
fn postgres_does_what_the_model_does() {
    if seaworthy_testkit::postgres().is_none() {
        return;
    }
    let acts = prop::collection::vec(act(), 1..60);
    runner(8)
        .run(&acts, |acts| {
            in_postgres(|store| play(store, acts));
            Ok(())
        })
        .expect("the store does what the model does");
}
