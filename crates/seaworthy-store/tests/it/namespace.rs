//! Namespaces and their rules: quota, immutable tags, sparse images, retention.

use std::collections::BTreeSet;

use seaworthy_store::{
    ChangeNamespaceError, CreateNamespaceError, DeleteError, Founding, ManifestName, Namespace,
    NamespaceSettings, Pattern, PushError, RecordBlobError, Removable, Removal, RetentionRule,
};

use crate::store::{
    GRACE, HOUR, Store, artifact, config, image, index, layer, on_each_database, repository, tag,
};

on_each_database! {
    a_namespace_changes_only_for_whoever_saw_its_last_revision,
    a_namespace_is_deleted_when_it_is_empty,
    a_namespace_holds_no_more_than_its_quota,
    an_immutable_tag_neither_moves_nor_goes,
    a_sparse_namespace_takes_manifests_that_name_what_is_not_there,
    scanning_by_itself_begins_with_what_is_pushed_next,
    rules_keep_the_newest_tags_and_those_in_use,
    rules_remove_what_has_no_tag_and_nothing_needs,
    what_changed_since_the_plan_stays,
}

const DAY: i64 = 24 * HOUR;

fn namespace(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}

fn pattern(text: &str) -> Pattern {
    text.parse().expect("a pattern")
}

async fn with(store: &Store, name: &str, settings: &NamespaceSettings) {
    store
        .catalog
        .create_namespace(&namespace(name), settings, &store.actor)
        .await
        .expect("is made");
}

async fn a_namespace_changes_only_for_whoever_saw_its_last_revision(store: Store) {
    let name = namespace("team");
    let settings = NamespaceSettings {
        is_public: true,
        quota_bytes: Some(7),
        immutable_tags: vec![pattern("v*")],
        retention: vec![RetentionRule {
            keep_newest: Some(3),
            ..RetentionRule::default()
        }],
        ..NamespaceSettings::default()
    };
    assert_eq!(store.catalog.namespace(&name).await.expect("asks"), None);
    let made = store
        .catalog
        .create_namespace(&name, &settings, &store.actor)
        .await;
    let made = made.expect("is made");
    let found = store.catalog.namespace(&name).await.expect("asks");
    assert_eq!(found.as_ref(), Some(&made));
    let again = store
        .catalog
        .create_namespace(&name, &settings, &store.actor)
        .await;
    assert!(
        matches!(again, Err(CreateNamespaceError::Taken(_))),
        "{again:?}"
    );

    let changes = store.database.access_changes();
    let other = NamespaceSettings::default();
    let changed = store
        .catalog
        .update_namespace(&name, Some(1), &other, &store.actor)
        .await
        .expect("is changed");
    assert_eq!((changed.revision, &changed.settings), (2, &other));
    assert!(store.database.access_changes() > changes);
    let late = store
        .catalog
        .update_namespace(&name, Some(1), &settings, &store.actor)
        .await;
    assert!(
        matches!(late, Err(ChangeNamespaceError::Changed { found: 2 })),
        "{late:?}"
    );
    let page = store.catalog.namespaces(None, 10).await.expect("asks");
    assert_eq!((page.items, page.more), (vec![changed], false));
    let many = NamespaceSettings {
        immutable_tags: vec![pattern("*"); 101],
        ..other
    };
    let many = store
        .catalog
        .update_namespace(&name, None, &many, &store.actor)
        .await;
    assert!(
        matches!(many, Err(ChangeNamespaceError::TooMany)),
        "{many:?}"
    );
    let told = store.audit().await;
    assert_eq!(told, ["namespace.create team", "namespace.update team"]);
}

async fn a_namespace_is_deleted_when_it_is_empty(store: Store) {
    let (name, team) = (repository("team/app"), namespace("team"));
    let before = store.rows().await;
    let manifest = store.push_image(&name, &["1"], &["config"]).await;
    let delete = async |revision| {
        store
            .catalog
            .delete_namespace(&team, revision, &store.actor)
            .await
    };
    let full = delete(Some(1)).await;
    assert!(
        matches!(full, Err(ChangeNamespaceError::NotEmpty(_))),
        "{full:?}"
    );
    store
        .catalog
        .delete_manifest(&name, &manifest.address, &store.actor)
        .await
        .expect("is deleted");
    let changed = delete(Some(2)).await;
    assert!(
        matches!(changed, Err(ChangeNamespaceError::Changed { .. })),
        "{changed:?}"
    );
    delete(None).await.expect("is deleted");
    let absent = delete(None).await;
    assert!(
        matches!(absent, Err(ChangeNamespaceError::Absent(_))),
        "{absent:?}"
    );
    store.collect().await;
    let mut after = store.rows().await;
    after.insert("audit".to_owned(), before["audit"]);
    assert_eq!(after, before);
    assert_eq!(store.files().0, 0);
}

async fn a_namespace_holds_no_more_than_its_quota(store: Store) {
    let (name, other) = (repository("team/app"), repository("team/other"));
    let settings = NamespaceSettings {
        quota_bytes: Some(25),
        ..NamespaceSettings::default()
    };
    with(&store, "team", &settings).await;
    store.blob(&name, "0123456789").await;
    // Counted once, whichever repositories have it.
    store.blob(&other, "0123456789").await;
    store.blob(&other, "abcdefghij").await;
    let over = store.try_blob(&name, "ABCDEFGHIJ").await;
    let Err(RecordBlobError::Quota { quota, wanted, .. }) = over else {
        panic!("{over:?}");
    };
    assert_eq!((quota, wanted), (25, 30));
    assert_eq!(store.rows().await["upload"], 0);
    let elsewhere = repository("free/app");
    let address = store.blob(&elsewhere, "ABCDEFGHIJ").await;
    let mounted = store
        .catalog
        .mount_blob(&name, &elsewhere, &address, Founding::Allowed, GRACE)
        .await;
    assert!(!mounted.expect("asks"), "a mount is no way around");
    let manifest = image("a", vec![layer("0123456789")]);
    let pushed = store
        .catalog
        .push_manifest(&name, &manifest, &[], Founding::Allowed, &store.actor)
        .await;
    assert!(matches!(pushed, Err(PushError::Quota { .. })), "{pushed:?}");
    let held = store
        .catalog
        .holdings(&namespace("team"))
        .await
        .expect("asks");
    let held = held.expect("is there");
    assert_eq!((held.bytes, held.repositories, held.images), (20, 2, 0));
    // What was refused leaves nothing behind.
    store.pass(HOUR);
    store.collect().await;
    assert_eq!(store.files(), (0, 0));
    store.blob(&name, "ABCDEFGHIJ").await;
}

async fn an_immutable_tag_neither_moves_nor_goes(store: Store) {
    let name = repository("team/app");
    let settings = NamespaceSettings {
        immutable_tags: vec![pattern("v*"), pattern("final")],
        ..NamespaceSettings::default()
    };
    with(&store, "team", &settings).await;
    let (one, two) = (image("1", vec![]), image("2", vec![]));
    store.push(&name, &one, &["v1", "latest"]).await;
    store.push(&name, &one, &["v1"]).await;
    let push = async |tags: &[&str]| {
        let tags: Vec<_> = tags.iter().map(|it| tag(it)).collect();
        store
            .catalog
            .push_manifest(&name, &two, &tags, Founding::Allowed, &store.actor)
            .await
    };
    let refused = push(&["latest", "v1"]).await;
    assert!(
        matches!(refused, Err(PushError::Immutable(_))),
        "{refused:?}"
    );
    let latest = ManifestName::Tag(tag("latest"));
    let found = store.catalog.manifest(&name, &latest).await.expect("asks");
    assert_eq!(
        found.expect("is there").address,
        one.address,
        "both move or none"
    );
    push(&["latest"]).await.expect("is pushed");
    let gone = store
        .catalog
        .delete_tag(&name, &tag("v1"), &store.actor)
        .await;
    assert!(matches!(gone, Err(DeleteError::Immutable(_))), "{gone:?}");
    let gone = store
        .catalog
        .delete_manifest(&name, &one.address, &store.actor)
        .await;
    assert!(matches!(gone, Err(DeleteError::Immutable(_))), "{gone:?}");
    let by_tag = ManifestName::Tag(tag("v1"));
    let found = store.catalog.manifest(&name, &by_tag).await.expect("asks");
    assert_eq!(found.expect("is there").address, one.address);
    // Nor does it go with what it refers to.
    let signature = artifact("signature", &two.address, vec![]);
    store.push(&name, &signature, &["final"]).await;
    let gone = store
        .catalog
        .delete_manifest(&name, &two.address, &store.actor)
        .await;
    assert!(matches!(gone, Err(DeleteError::Immutable(_))), "{gone:?}");
}

async fn a_sparse_namespace_takes_manifests_that_name_what_is_not_there(store: Store) {
    let name = repository("mirror/app");
    let settings = NamespaceSettings {
        is_sparse: true,
        ..NamespaceSettings::default()
    };
    with(&store, "mirror", &settings).await;
    let child = image("amd64", vec![config("config"), layer("elsewhere")]);
    let absent = image("arm64", vec![]);
    store.push(&name, &child, &[]).await;
    store
        .push(&name, &index("both", &[&child, &absent]), &["1"])
        .await;
    // What comes later is held like anything else.
    let address = store.blob(&name, "elsewhere").await;
    store.pass(2 * HOUR);
    store.collect().await;
    assert!(store.read(&name, &address).await.is_some());
}

async fn scanning_by_itself_begins_with_what_is_pushed_next(store: Store) {
    let (name, team) = (repository("team/app"), namespace("team"));
    let quiet = NamespaceSettings {
        auto_scan: false,
        ..NamespaceSettings::default()
    };
    with(&store, "team", &quiet).await;
    let (one, two) = (image("1", vec![]), image("2", vec![]));
    assert_eq!(store.push(&name, &one, &["1"]).await, None);
    let loud = NamespaceSettings::default();
    let changed = store
        .catalog
        .update_namespace(&team, None, &loud, &store.actor)
        .await;
    changed.expect("is changed");
    assert_eq!(store.rows().await["job"], 0);
    assert!(store.push(&name, &two, &["2"]).await.is_some());
    let offered = store.catalog.unscanned(&team, 0, 10).await.expect("asks");
    let offered: Vec<_> = offered.items.iter().map(|it| &it.address).collect();
    assert_eq!(offered, [&one.address]);
    // Pushed again, it is scanned like any other.
    assert!(store.push(&name, &one, &["1"]).await.is_some());
    let offered = store.catalog.unscanned(&team, 0, 10).await.expect("asks");
    assert!(offered.items.is_empty());
}

/// What is to be removed, in short.
fn told(removals: &[Removal]) -> BTreeSet<String> {
    let tell = |it: &Removal| match &it.what {
        Removable::Tag { tag, .. } => format!("{}:{tag}: {}", it.repository, it.reason),
        Removable::Manifest { .. } => format!("{}: {}", it.repository, it.reason),
    };
    removals.iter().map(tell).collect()
}

async fn rules_keep_the_newest_tags_and_those_in_use(store: Store) {
    let (name, other) = (repository("team/app"), repository("team/lib"));
    let rule = RetentionRule {
        repositories: Some(pattern("team/a*")),
        tags: Some(pattern("dev-*")),
        keep_newest: Some(2),
        keep_pushed_days: Some(5),
        keep_pulled_days: Some(3),
        ..RetentionRule::default()
    };
    let settings = NamespaceSettings {
        immutable_tags: vec![pattern("dev-1")],
        retention: vec![rule],
        ..NamespaceSettings::default()
    };
    with(&store, "team", &settings).await;
    let mut images = Vec::new();
    for number in 1..=6 {
        let it = image(&number.to_string(), vec![]);
        store.push(&name, &it, &[&format!("dev-{number}")]).await;
        store.push(&other, &it, &[&format!("dev-{number}")]).await;
        images.push(it);
        store.pass(2 * DAY);
    }
    store.push(&name, &images[1], &["1.0"]).await;
    store.catalog.note_pull(&name, &images[2].address);
    store.pass(DAY);
    let team = namespace("team");
    let plan = store.catalog.plan_retention(&team).await.expect("asks");
    let plan = plan.expect("is there");
    let reason = "the tag is not among the newest 2, was not pushed within 5 days, \
                  was not pulled within 3 days";
    let expected = [
        format!("team/app:dev-2: {reason}"),
        format!("team/app:dev-4: {reason}"),
        "team/app: its last tag `dev-4` goes".to_owned(),
    ];
    assert_eq!(told(&plan), BTreeSet::from(expected));
    let rows = store.rows().await;
    let done = store.catalog.apply_retention(&team).await.expect("asks");
    assert_eq!(done, Some(plan));
    let after = store.rows().await;
    assert_eq!(
        (
            rows["tag"] - after["tag"],
            rows["manifest"] - after["manifest"]
        ),
        (2, 1)
    );
    let again = store.catalog.apply_retention(&team).await.expect("asks");
    assert_eq!(again, Some(Vec::new()));
    let actors = "SELECT actor FROM audit WHERE action IN ('tag.delete', 'manifest.delete')";
    assert_eq!(store.texts(actors).await, ["system:retention"; 3]);
    let nowhere = store.catalog.plan_retention(&namespace("nowhere")).await;
    assert_eq!(nowhere.expect("asks"), None);
}

async fn rules_remove_what_has_no_tag_and_nothing_needs(store: Store) {
    let name = repository("team/app");
    let rule = RetentionRule {
        untagged_days: Some(7),
        ..RetentionRule::default()
    };
    let settings = NamespaceSettings {
        retention: vec![rule],
        ..NamespaceSettings::default()
    };
    with(&store, "team", &settings).await;
    let (child, pulled) = (image("child", vec![]), image("pulled", vec![]));
    let (alone, moved) = (image("alone", vec![]), image("moved", vec![]));
    for it in [&child, &pulled, &alone] {
        store.push(&name, it, &[]).await;
    }
    store
        .push(&name, &index("list", &[&child]), &["list"])
        .await;
    store.push(&name, &moved, &["moved"]).await;
    let by_digest = format!("sha256-{}.sig", child.address.hex());
    store
        .push(
            &name,
            &artifact("old signature", &alone.address, vec![]),
            &[],
        )
        .await;
    store
        .push(&name, &image("signature", vec![]), &[&by_digest])
        .await;
    store.pass(7 * DAY);
    store.catalog.note_pull(&name, &pulled.address);
    store.push(&name, &pulled, &["moved"]).await;
    store
        .catalog
        .delete_tag(&name, &tag("moved"), &store.actor)
        .await
        .expect("is deleted");
    let team = namespace("team");
    let done = store.catalog.apply_retention(&team).await.expect("asks");
    let gone: BTreeSet<_> = done
        .expect("is there")
        .into_iter()
        .map(|it| match it.what {
            Removable::Manifest { address, .. } => address,
            Removable::Tag { tag, .. } => panic!("{tag} goes"),
        })
        .collect();
    assert_eq!(gone, BTreeSet::from([alone.address, moved.address]));
    assert_eq!(store.rows().await["manifest"], 4);
}

async fn what_changed_since_the_plan_stays(store: Store) {
    let name = repository("team/app");
    let settings = NamespaceSettings {
        retention: vec![RetentionRule {
            keep_newest: Some(0),
            ..RetentionRule::default()
        }],
        ..NamespaceSettings::default()
    };
    with(&store, "team", &settings).await;
    let (one, two) = (image("1", vec![]), image("2", vec![]));
    store.push(&name, &one, &["a"]).await;
    store.push(&name, &two, &["b"]).await;
    let team = namespace("team");
    let plan = store.catalog.plan_retention(&team).await.expect("asks");
    assert_eq!(plan.expect("is there").len(), 4);
    // Rules that say nothing about tags keep them, and an unknown word is an error.
    let rule: RetentionRule = serde_json::from_str("{}").expect("a rule");
    assert_eq!(rule, RetentionRule::default());
    assert!(serde_json::from_str::<RetentionRule>(r#"{"keep":1}"#).is_err());
    let rule = r#"{"tags":"dev-*","keep_newest":10}"#;
    let read: RetentionRule = serde_json::from_str(rule).expect("a rule");
    assert_eq!(serde_json::to_string(&read).expect("writes"), rule);
    let immutable = NamespaceSettings {
        immutable_tags: vec![pattern("a")],
        ..settings
    };
    let changed = store
        .catalog
        .update_namespace(&team, None, &immutable, &store.actor)
        .await;
    changed.expect("is changed");
    let done = store.catalog.apply_retention(&team).await.expect("asks");
    assert_eq!(done.expect("is there").len(), 2);
    let kept = ManifestName::Tag(tag("a"));
    assert!(
        store
            .catalog
            .manifest(&name, &kept)
            .await
            .expect("asks")
            .is_some()
    );
}
