//! What goes when images are deleted, and what stays.

use std::collections::BTreeMap;

use seaworthy_store::{
    Actor, CollectOptions, Founding, ManifestName, NewManifest, RepositoryName, collect_once,
};

use crate::store::{
    GRACE, HOUR, Store, address_of, artifact, config, image, index, layer, on_each_database,
    repository, tag,
};

on_each_database! {
    deleting_an_image_leaves_as_many_rows_and_bytes_as_before_it_was_pushed,
    an_index_takes_its_platforms_with_it_but_not_those_just_pushed,
    a_platform_that_is_tagged_again_stays,
    a_blob_that_was_promised_stays_until_the_promise_is_over,
    what_is_never_used_goes_within_two_collections,
    an_upload_that_nobody_goes_on_with_is_given_up,
    bytes_linger_for_those_who_still_read_them,
    a_blob_is_deleted_by_digest_unless_a_manifest_names_it,
}

/// Pushes an index of two platforms with an SBOM each and one for both, tagged.
async fn push_everything(store: &Store, name: &RepositoryName) -> NewManifest {
    let mut platforms = Vec::new();
    for platform in ["amd64", "arm64"] {
        let blobs = [
            &format!("config {platform}"),
            "base",
            &format!("app {platform}"),
        ];
        for content in blobs {
            store.blob(name, content).await;
        }
        let parts = vec![config(blobs[0]), layer(blobs[1]), layer(blobs[2])];
        let it = image(platform, parts);
        store.push(name, &it, &[]).await;
        let sbom = format!("sbom {platform}");
        store.blob(name, &sbom).await;
        let sbom = artifact(&sbom, &it.address, vec![layer(&sbom)]);
        store.push(name, &sbom, &[]).await;
        let signature = artifact("signature of it", &sbom.address, vec![]);
        store.push(name, &signature, &[]).await;
        platforms.push(it);
    }
    let both: Vec<&NewManifest> = platforms.iter().collect();
    let list = index("both", &both);
    store.push(name, &list, &["1.0", "latest"]).await;
    let sbom = artifact("of both", &list.address, vec![]);
    store.push(name, &sbom, &["sbom"]).await;
    list
}

/// What a scan writes down about each image of a repository.
async fn tell_of_images(store: &Store, name: &RepositoryName) {
    let bytes = if store.is_postgres() {
        "'\\x00'"
    } else {
        "x'00'"
    };
    let images = format!(
        "SELECT CAST(i.id AS TEXT) FROM image i JOIN repository r ON r.id = i.repository_id
         WHERE r.name = '{name}' ORDER BY i.id"
    );
    for id in store.texts(&images).await {
        let (own, shared) = (format!("own of {id}"), "shared");
        store
            .carry_out(&format!(
                "INSERT INTO image_label (image_id, name, value) VALUES ({id}, 'team', 'a');
                 INSERT INTO inventory (image_id, probes, taken_at, content)
                     VALUES ({id}, 'p', 1, {bytes});
                 INSERT INTO report (image_id, made_at, outcome, summary, difference)
                     VALUES ({id}, 1, 'pass', '{{}}', '{{}}');
                 INSERT INTO component (hash, kind, name, version, purl)
                     VALUES ('{own}', 'deb', 'a', '1', 'pkg:deb/a@1');
                 INSERT INTO component (hash, kind, name, version, purl)
                     SELECT '{shared}', 'deb', 'b', '1', 'pkg:deb/b@1' WHERE NOT EXISTS
                         (SELECT 1 FROM component WHERE hash = '{shared}');
                 INSERT INTO image_component (component_id, image_id)
                     SELECT id, {id} FROM component WHERE hash IN ('{own}', '{shared}');
                 INSERT INTO component_finding (component_id, vulnerability, fix)
                     SELECT c.id, 'CVE-1', 'unknown' FROM component c
                     WHERE c.hash IN ('{own}', '{shared}') AND NOT EXISTS
                         (SELECT 1 FROM component_finding f WHERE f.component_id = c.id);"
            ))
            .await;
    }
    let layers = format!(
        "SELECT rb.address FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id
         WHERE r.name = '{name}'"
    );
    for address in store.texts(&layers).await {
        store
            .carry_out(&format!(
                "INSERT INTO layer_record (address, size, probes, content)
                     SELECT '{address}', 1, 'p', {bytes} WHERE NOT EXISTS
                         (SELECT 1 FROM layer_record WHERE address = '{address}')"
            ))
            .await;
    }
}

async fn deleting_an_image_leaves_as_many_rows_and_bytes_as_before_it_was_pushed(store: Store) {
    let (other, name) = (repository("team/other"), repository("team/app"));
    // An image that shares a layer, and the repository itself, were there before.
    let shared = store
        .push_image(&other, &["1"], &["its config", "base"])
        .await;
    let gone_again = store.push_image(&name, &[], &["nothing"]).await;
    store.pass(2 * HOUR);
    store
        .catalog
        .delete_manifest(&name, &gone_again.address, &store.actor)
        .await
        .expect("is deleted");
    tell_of_images(&store, &other).await;
    store.collect().await;
    let rows = store.rows().await;
    let files = store.files();

    let list = push_everything(&store, &name).await;
    tell_of_images(&store, &name).await;
    let full = store.rows().await;
    assert!(store.files() > files);
    let about_images = [
        "blob",
        "repository_blob",
        "manifest",
        "manifest_part",
        "tag",
        "image",
        "image_label",
        "layer_record",
        "inventory",
        "report",
        "component",
        "image_component",
        "component_finding",
        "job",
    ];
    for table in about_images {
        assert!(full[table] > rows[table], "the image has rows in {table}");
    }

    store.pass(2 * HOUR);
    let actor = Actor::new("user:bob");
    store
        .catalog
        .delete_manifest(&name, &list.address, &actor)
        .await
        .expect("is deleted");
    let mut after = store.rows().await;
    let graves = after.insert("grave".to_owned(), 0);
    assert_eq!(
        graves,
        Some(8),
        "what it alone has, and the bytes of `base` that came twice"
    );
    let manifests = 1 + 2 + 2 + 2 + 1;
    let audits = full["audit"] + manifests;
    assert_eq!(
        after.insert("audit".to_owned(), rows["audit"]),
        Some(audits)
    );
    assert_eq!(after, rows, "nothing else is left of it");
    let collected = store.collect().await;
    assert_eq!((collected.removed, collected.failed), (8, 0));
    assert_eq!(store.files(), files);
    assert_eq!(store.rows().await["grave"], 0);
    // What the other image has is there.
    let base = address_of(b"base");
    assert_eq!(
        store.read(&other, &base).await.as_deref(),
        Some(&b"base"[..])
    );
    assert_eq!(store.read(&name, &base).await, None);
    let by_digest = ManifestName::Address(shared.address);
    let found = store.catalog.manifest(&other, &by_digest).await;
    assert!(found.expect("asks").is_some());
    let told = store.audit().await;
    let wanted = format!("manifest.delete {name}@{}", list.address);
    assert!(told.contains(&wanted), "{told:?}");
}

async fn an_index_takes_its_platforms_with_it_but_not_those_just_pushed(store: Store) {
    let name = repository("team/app");
    let (old, new) = (image("old", vec![]), image("new", vec![]));
    store.push(&name, &old, &[]).await;
    store.pass(2 * HOUR);
    store.push(&name, &new, &[]).await;
    let list = index("both", &[&old, &new]);
    store.push(&name, &list, &["latest"]).await;
    let delete = store
        .catalog
        .delete_manifest(&name, &list.address, &store.actor);
    delete.await.expect("is deleted");
    let is_there = async |it: &NewManifest| {
        let by_digest = ManifestName::Address(it.address.clone());
        let found = store.catalog.manifest(&name, &by_digest).await;
        found.expect("asks").is_some()
    };
    assert_eq!((is_there(&old).await, is_there(&new).await), (false, true));
    store.collect().await;
    assert!(is_there(&new).await);
    store.pass(HOUR);
    store.collect().await;
    assert!(!is_there(&new).await);
}

async fn a_platform_that_is_tagged_again_stays(store: Store) {
    let name = repository("team/app");
    let platforms = ["tagged", "named", "pushed"].map(|it| image(it, vec![]));
    let [tagged, named, pushed] = &platforms;
    for it in &platforms {
        store.push(&name, it, &[]).await;
    }
    let list = index("all", &[tagged, named, pushed]);
    store.push(&name, &list, &["latest"]).await;
    let delete = store
        .catalog
        .delete_manifest(&name, &list.address, &store.actor);
    delete.await.expect("is deleted");
    store.push(&name, tagged, &["kept"]).await;
    store.push(&name, &index("one", &[named]), &["one"]).await;
    store.pass(HOUR / 2);
    store.push(&name, pushed, &[]).await;
    store.pass(2 * HOUR);
    store.collect().await;
    for it in &platforms {
        let by_digest = ManifestName::Address(it.address.clone());
        let found = store.catalog.manifest(&name, &by_digest).await;
        assert!(found.expect("asks").is_some());
    }
}

async fn a_blob_that_was_promised_stays_until_the_promise_is_over(store: Store) {
    let name = repository("team/app");
    let one = store.push_image(&name, &["1"], &["config", "layer"]).await;
    store.pass(2 * HOUR);
    store.collect().await;
    let address = address_of(b"layer");
    let promised = store.catalog.keep_blob(&name, &address, GRACE).await;
    assert!(promised.expect("asks").is_some());
    let delete = store
        .catalog
        .delete_manifest(&name, &one.address, &store.actor);
    delete.await.expect("is deleted");
    store.pass(HOUR - 1);
    store.collect().await;
    assert!(store.read(&name, &address).await.is_some());
    assert!(store.read(&name, &address_of(b"config")).await.is_none());
    // Whoever was promised it can push what names it.
    store.blob(&name, "new config").await;
    let two = image("two", vec![config("new config"), layer("layer")]);
    store.push(&name, &two, &["2"]).await;
    store.pass(2 * HOUR);
    store.collect().await;
    assert!(store.read(&name, &address).await.is_some());
}

async fn what_is_never_used_goes_within_two_collections(store: Store) {
    let name = repository("team/app");
    store.push_image(&name, &["1"], &["config", "layer"]).await;
    let files = store.files();
    store.blob(&name, "never used").await;
    store.blob(&repository("team/other"), "never used").await;
    store.pass(HOUR);
    let first = store.collect().await;
    let second = store.collect().await;
    assert_eq!((first.links, first.blobs), (2, 1));
    assert_eq!(
        first.removed + second.removed,
        2,
        "and the bytes that came twice"
    );
    assert_eq!(store.files(), files);
    let third = store.collect().await;
    assert_eq!(third, seaworthy_store::Collected::default());
    let again = store.blob(&name, "never used").await;
    assert!(store.read(&name, &again).await.is_some());
}

async fn an_upload_that_nobody_goes_on_with_is_given_up(store: Store) {
    let name = repository("team/app");
    let begun = store.blobs.begin("abandoned").await.expect("begins");
    store
        .catalog
        .begin_upload(&name, Founding::Allowed, &store.actor, "abandoned", &begun)
        .await
        .expect("begins");
    store.pass(24 * HOUR);
    assert_eq!(store.collect().await.uploads, 0);
    store.pass(1);
    assert_eq!(store.collect().await.uploads, 1);
    let found = store.catalog.upload(&name, "abandoned").await;
    assert_eq!(found.expect("asks"), None);
}

async fn bytes_linger_for_those_who_still_read_them(store: Store) {
    let name = repository("team/app");
    let address = store.blob(&name, "layer").await;
    let delete = store.catalog.delete_blob(&name, &address, &store.actor);
    delete.await.expect("is deleted");
    let collect = async || {
        let options = CollectOptions::default();
        let collected = collect_once(&store.catalog, &store.blobs, &options).await;
        collected.expect("collects").removed
    };
    assert_eq!(collect().await, 0);
    assert_eq!(store.files().0, 1);
    store.pass(CollectOptions::default().linger);
    assert_eq!(collect().await, 1);
    assert_eq!(store.files().0, 0);
}

async fn a_blob_is_deleted_by_digest_unless_a_manifest_names_it(store: Store) {
    let (name, other) = (repository("team/app"), repository("team/other"));
    let manifest = store.push_image(&name, &["1"], &["config"]).await;
    let address = store.blob(&other, "config").await;
    let delete = async |from: &RepositoryName| {
        store
            .catalog
            .delete_blob(from, &address, &store.actor)
            .await
    };
    let named = delete(&name).await;
    let Err(seaworthy_store::DeleteError::Named(by)) = named else {
        panic!("{named:?}");
    };
    assert_eq!(by, manifest.address);
    delete(&other).await.expect("is deleted");
    let again = delete(&other).await;
    assert!(
        matches!(again, Err(seaworthy_store::DeleteError::Absent)),
        "{again:?}"
    );
    assert_eq!(store.read(&other, &address).await, None);
    assert!(store.read(&name, &address).await.is_some());
    let actions: BTreeMap<_, _> = store
        .audit()
        .await
        .into_iter()
        .filter_map(|it| {
            it.split_once(' ')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        })
        .collect();
    assert_eq!(actions["blob.delete"], format!("{other}@{address}"));
    assert_eq!(actions["tag.create"], format!("{name}:{}", tag("1")));
}
