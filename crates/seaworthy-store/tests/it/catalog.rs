//! Repositories, tags, manifests and blobs.

use seaworthy_store::{
    Address, BeginError, DeleteError, Founding, ManifestName, NewManifest, Partial, Place,
    PushError, RecordBlobError,
};

use crate::store::{
    GRACE, HOUR, Store, address_of, artifact, config, image, index, layer, on_each_database,
    repository, tag,
};

on_each_database! {
    an_upload_is_its_repositorys_until_it_ends,
    only_who_saw_the_last_state_of_an_upload_goes_on,
    a_blob_is_stored_once_and_served_where_it_was_pushed,
    the_end_of_an_upload_told_twice_is_one_blob,
    a_blob_is_mounted_from_whoever_has_it,
    a_manifest_is_found_by_tag_and_digest,
    a_manifest_that_names_what_is_not_there_is_refused,
    tags_are_listed_by_their_bytes,
    referrers_are_listed_in_pages_and_by_type,
    pushes_into_no_namespace_are_refused_unless_they_may_make_it,
    a_new_image_waits_for_its_scan_once,
    an_index_queues_the_images_it_lists,
    what_an_index_names_is_deleted_after_it,
}

fn partial(received: u64, state: &str) -> Partial {
    Partial {
        received,
        state: state.to_owned(),
    }
}

async fn an_upload_is_its_repositorys_until_it_ends(store: Store) {
    let (mine, other) = (repository("team/app"), repository("team/other"));
    let begun = partial(0, "a");
    store
        .catalog
        .begin_upload(&mine, Founding::Allowed, &store.actor, "u", &begun)
        .await
        .expect("begins");
    let found = store.catalog.upload(&mine, "u").await.expect("asks");
    let found = found.expect("is there");
    assert_eq!(
        (found.partial, found.actor),
        (begun.clone(), store.actor.clone())
    );
    assert_eq!(store.catalog.upload(&other, "u").await.expect("asks"), None);
    let not_mine = store.catalog.cancel_upload(&other, "u").await;
    assert_eq!(not_mine.expect("asks"), None);
    let cancelled = store.catalog.cancel_upload(&mine, "u").await;
    assert_eq!(cancelled.expect("asks"), Some(begun));
    assert_eq!(store.catalog.upload(&mine, "u").await.expect("asks"), None);
}

async fn only_who_saw_the_last_state_of_an_upload_goes_on(store: Store) {
    let name = repository("team/app");
    store
        .catalog
        .begin_upload(
            &name,
            Founding::Allowed,
            &store.actor,
            "u",
            &partial(0, "a"),
        )
        .await
        .expect("begins");
    let catalog = &store.catalog;
    assert!(
        catalog
            .note_upload("u", 0, &partial(5, "b"))
            .await
            .expect("asks")
    );
    assert!(
        !catalog
            .note_upload("u", 0, &partial(7, "c"))
            .await
            .expect("asks")
    );
    let found = catalog
        .upload(&name, "u")
        .await
        .expect("asks")
        .expect("is there");
    assert_eq!(found.partial, partial(5, "b"));
    let now = store.database.now();
    assert!(
        catalog
            .expire_uploads(now, 10)
            .await
            .expect("asks")
            .is_empty()
    );
    store.pass(1);
    let now = store.database.now();
    let expired = catalog.expire_uploads(now, 10).await.expect("asks");
    assert_eq!(expired, [partial(5, "b")]);
}

async fn a_blob_is_stored_once_and_served_where_it_was_pushed(store: Store) {
    let (one, two) = (repository("team/one"), repository("team/two"));
    let address = store.blob(&one, "layer").await;
    let first = store.catalog.blob(&one, &address).await.expect("asks");
    let first = first.expect("is there");
    assert_eq!(first.size, 5);
    assert_eq!(
        store.catalog.blob(&two, &address).await.expect("asks"),
        None
    );
    store.blob(&two, "layer").await;
    let second = store.catalog.blob(&two, &address).await.expect("asks");
    assert_eq!(second, Some(first.clone()));
    let kept = store.catalog.keep_blob(&two, &address, GRACE).await;
    assert_eq!(kept.expect("asks"), Some(first));
    assert_eq!(
        store.read(&two, &address).await.as_deref(),
        Some(&b"layer"[..])
    );
    let absent = store
        .catalog
        .keep_blob(&two, &address_of(b"x"), GRACE)
        .await;
    assert_eq!(absent.expect("asks"), None);
}

async fn the_end_of_an_upload_told_twice_is_one_blob(store: Store) {
    let name = repository("team/app");
    let address = address_of(b"abc");
    let place = Place("here".to_owned());
    store
        .catalog
        .begin_upload(&name, Founding::Allowed, &store.actor, "u", &partial(3, ""))
        .await
        .expect("begins");
    for _ in 0..2 {
        store
            .catalog
            .record_blob(&name, "u", &address, 3, &place, GRACE)
            .await
            .expect("is recorded");
    }
    let elsewhere = Place("there".to_owned());
    let other = address_of(b"xyz");
    let unknown = store
        .catalog
        .record_blob(&name, "u", &other, 3, &elsewhere, GRACE)
        .await;
    assert!(
        matches!(unknown, Err(RecordBlobError::NoUpload)),
        "{unknown:?}"
    );
    let found = store.catalog.blob(&name, &address).await.expect("asks");
    assert_eq!(found.expect("is there").place, place);
}

async fn a_blob_is_mounted_from_whoever_has_it(store: Store) {
    let (from, to) = (repository("team/from"), repository("team/to"));
    let address = store.blob(&from, "layer").await;
    let holders = store.catalog.holders(&address).await.expect("asks");
    assert_eq!(holders, std::slice::from_ref(&from));
    let mount = async |address: &Address| {
        store
            .catalog
            .mount_blob(&to, &from, address, Founding::Allowed, GRACE)
            .await
            .expect("asks")
    };
    assert!(!mount(&address_of(b"absent")).await);
    assert!(mount(&address).await);
    let found = store.catalog.blob(&to, &address).await.expect("asks");
    assert_eq!(found.expect("is there").size, 5);
    let nowhere = repository("nowhere/app");
    let refused = store
        .catalog
        .mount_blob(&nowhere, &from, &address, Founding::Refused, GRACE)
        .await;
    assert!(
        matches!(refused, Err(BeginError::NoNamespace(_))),
        "{refused:?}"
    );
}

async fn a_manifest_is_found_by_tag_and_digest(store: Store) {
    let name = repository("team/app");
    let one = store
        .push_image(&name, &["1", "latest"], &["c1", "l"])
        .await;
    let two = store
        .push_image(&name, &["2", "latest"], &["c2", "l"])
        .await;
    let find = async |wanted: ManifestName| {
        let found = store.catalog.manifest(&name, &wanted).await;
        found.expect("asks").map(|it| it.address)
    };
    let by_tag = async |it: &str| find(ManifestName::Tag(tag(it))).await;
    assert_eq!(by_tag("1").await.as_ref(), Some(&one.address));
    assert_eq!(by_tag("latest").await.as_ref(), Some(&two.address));
    assert_eq!(by_tag("3").await, None);
    let by_digest = find(ManifestName::Address(one.address.clone())).await;
    assert_eq!(by_digest.as_ref(), Some(&one.address));
    let stored = store
        .catalog
        .manifest(&name, &ManifestName::Tag(tag("1")))
        .await
        .expect("asks")
        .expect("is there");
    assert_eq!(stored.content, one.content);
    assert_eq!(stored.media_type, one.media_type);
    store
        .catalog
        .delete_tag(&name, &tag("1"), &store.actor)
        .await
        .expect("is deleted");
    assert_eq!(by_tag("1").await, None);
    let again = store
        .catalog
        .delete_tag(&name, &tag("1"), &store.actor)
        .await;
    assert!(matches!(again, Err(DeleteError::Absent)), "{again:?}");
}

async fn a_manifest_that_names_what_is_not_there_is_refused(store: Store) {
    let name = repository("team/app");
    store.blob(&name, "config").await;
    store.blob(&repository("team/other"), "layer").await;
    let push = async |manifest: &NewManifest| {
        store
            .catalog
            .push_manifest(&name, manifest, &[], Founding::Allowed, &store.actor)
            .await
    };
    let lacks = image("a", vec![config("config"), layer("layer")]);
    let Err(PushError::Missing(missing)) = push(&lacks).await else {
        panic!("is not refused");
    };
    assert_eq!(missing, [layer("layer")]);
    let child = image("child", vec![]);
    let lacks = index("b", &[&child]);
    assert!(matches!(push(&lacks).await, Err(PushError::Missing(_))));
    let mut wrong = config("config");
    wrong.size = 7;
    let wrong = push(&image("c", vec![wrong])).await;
    let Err(PushError::WrongSize {
        stated: 7,
        found: 6,
        ..
    }) = wrong
    else {
        panic!("{wrong:?}");
    };
    let mut foreign = layer("elsewhere");
    foreign.role = seaworthy_store::PartRole::ForeignLayer;
    let pushed = push(&image("d", vec![config("config"), foreign])).await;
    assert!(pushed.expect("is pushed").is_new);
}

async fn tags_are_listed_by_their_bytes(store: Store) {
    let name = repository("team/app");
    assert_eq!(
        store.catalog.tags(&name, None, 9).await.expect("asks"),
        None
    );
    let tags = ["b", "B", "a", "_", "1", "a.b", "a-b", "A"];
    store.push_image(&name, &tags, &["c"]).await;
    let list = async |last, limit| {
        let page = store.catalog.tags(&name, last, limit).await;
        let page = page.expect("asks").expect("is there");
        let items: Vec<String> = page.items.iter().map(ToString::to_string).collect();
        (items.join(" "), page.more)
    };
    assert_eq!(
        list(None, 99).await,
        ("1 A B _ a a-b a.b b".to_owned(), false)
    );
    assert_eq!(list(None, 3).await, ("1 A B".to_owned(), true));
    assert_eq!(
        list(Some("B"), 5).await,
        ("_ a a-b a.b b".to_owned(), false)
    );
    assert_eq!(list(Some("b"), 5).await, (String::new(), false));
    assert_eq!(list(None, 0).await, (String::new(), true));
    for other in ["team/a", "team/a-b", "team/a/b", "other"] {
        store.blob(&repository(other), "x").await;
    }
    let page = store.catalog.repositories(Some("team/a"), 2).await;
    let page = page.expect("asks");
    assert_eq!(page.items, [repository("team/a-b"), repository("team/a/b")]);
    assert!(page.more);
}

async fn referrers_are_listed_in_pages_and_by_type(store: Store) {
    let name = repository("team/app");
    let subject = address_of(b"not there yet");
    let mut other = artifact("other", &subject, vec![]);
    other.artifact_type = None;
    for it in [
        artifact("a", &subject, vec![]),
        artifact("b", &subject, vec![]),
        other,
    ] {
        assert_eq!(
            store.push(&name, &it, &[]).await,
            None,
            "no scan of an artifact"
        );
    }
    let list = async |kind, after, limit| {
        let page = store
            .catalog
            .referrers(&name, &subject, kind, after, limit)
            .await;
        page.expect("asks")
    };
    let all = list(None, 0, 2).await;
    assert!(all.more);
    let (serial, second) = all.items.last().expect("two");
    assert_eq!(
        second.annotations.get("name").map(String::as_str),
        Some("b")
    );
    let rest = list(None, *serial, 2).await;
    assert_eq!(rest.items.len(), 1);
    assert!(!rest.more);
    let sboms = list(Some("application/vnd.example.sbom"), 0, 9).await;
    assert_eq!(sboms.items.len(), 2);
    assert!(list(Some("none"), 0, 9).await.items.is_empty());
}

async fn pushes_into_no_namespace_are_refused_unless_they_may_make_it(store: Store) {
    let name = repository("new/app");
    let manifest = image("a", vec![]);
    let begun = store
        .catalog
        .begin_upload(&name, Founding::Refused, &store.actor, "u", &partial(0, ""))
        .await;
    assert!(
        matches!(begun, Err(BeginError::NoNamespace(_))),
        "{begun:?}"
    );
    let push = async |founding| {
        store
            .catalog
            .push_manifest(&name, &manifest, &[tag("a")], founding, &store.actor)
            .await
    };
    let refused = push(Founding::Refused).await;
    assert!(
        matches!(refused, Err(PushError::NoNamespace(_))),
        "{refused:?}"
    );
    assert!(!store.catalog.has_repository(&name).await.expect("asks"));
    assert!(push(Founding::Allowed).await.expect("is pushed").is_new);
    assert!(!push(Founding::Refused).await.expect("is pushed").is_new);
    assert!(store.catalog.has_repository(&name).await.expect("asks"));
}

async fn a_new_image_waits_for_its_scan_once(store: Store) {
    let name = repository("team/app");
    let bell = store.database.bell().clone();
    store.blob(&name, "config").await;
    let manifest = image("a", vec![config("config")]);
    let job = store.push(&name, &manifest, &["a"]).await;
    assert!(job.is_some());
    bell.heard().await;
    assert_eq!(store.push(&name, &manifest, &["b"]).await, job);
}

async fn an_index_queues_the_images_it_lists(store: Store) {
    let name = repository("team/app");
    let (one, two) = (image("1", vec![]), image("2", vec![]));
    let first = store.push(&name, &one, &[]).await.expect("a job");
    let second = store.push(&name, &two, &[]).await.expect("a job");
    let list = index("both", &[&one, &two]);
    let rolled = store.push(&name, &list, &["latest"]).await.expect("a job");
    assert!(first < second && second < rolled);
}

async fn what_an_index_names_is_deleted_after_it(store: Store) {
    let name = repository("team/app");
    let child = image("1", vec![]);
    let list = index("list", &[&child]);
    store.push(&name, &child, &[]).await;
    store.push(&name, &list, &["latest"]).await;
    let delete = async |address: &Address| {
        store
            .catalog
            .delete_manifest(&name, address, &store.actor)
            .await
    };
    let named = delete(&child.address).await;
    let Err(DeleteError::Named(by)) = named else {
        panic!("{named:?}");
    };
    assert_eq!(by, list.address);
    delete(&list.address).await.expect("is deleted");
    let latest = ManifestName::Tag(tag("latest"));
    let found = store.catalog.manifest(&name, &latest).await.expect("asks");
    assert_eq!(found, None);
    store.pass(HOUR);
    delete(&child.address).await.expect("is deleted");
    let again = delete(&child.address).await;
    assert!(matches!(again, Err(DeleteError::Absent)), "{again:?}");
}
