//! The same story on each kind of storage.

use seaworthy_bucket::Bucket;
use seaworthy_store::{BlobsOptions, DatabaseOptions, S3Options};

use crate::registry::{EMBEDDED, Kept, Registry, sha256};

pub(crate) fn in_postgres() -> Option<DatabaseOptions> {
    let postgres = seaworthy_testkit::postgres()?;
    Some(DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 8,
    })
}

pub(crate) fn in_bucket(bucket: &Bucket) -> BlobsOptions {
    BlobsOptions::S3(S3Options {
        endpoint: bucket.endpoint(),
        bucket: bucket.name().to_owned(),
        prefix: "seaworthy/".to_owned(),
        region: "us-east-1".to_owned(),
        access_key: bucket.access_key().to_owned(),
        secret_key: bucket.secret_key().to_owned(),
    })
}

async fn story(kept: Kept) {
    let registry = Registry::start_with(kept, |_| {}).await;
    let manifest = registry.push_image("team/app", "1").await;
    let digest = sha256(manifest.as_bytes());
    let got = registry.get("/v2/team/app/manifests/1").await.expect(200);
    assert_eq!(got.body, manifest);

    // In chunks of sizes that are no round numbers, and pulled by range.
    let content: Vec<u8> = (0..=250).cycle().take(7_000_001).collect();
    let location = registry.begin("team/app").await;
    let mut first = 0;
    for chunk in content.chunks(2_345_678) {
        let range = format!("{first}-{}", first + chunk.len() - 1);
        first += chunk.len();
        let ask = registry.ask("PATCH", &location).by(&registry.admin);
        let ask = ask.header("content-range", &range).body(chunk.to_vec());
        ask.send().await.expect(202);
    }
    let blob = sha256(&content);
    let ask = registry.ask("PUT", &format!("{location}?digest={blob}"));
    ask.by(&registry.admin).send().await.expect(201);
    let target = format!("/v2/team/app/blobs/{blob}");
    assert_eq!(registry.get(&target).await.expect(200).body, content);
    let ask = registry.ask("GET", &target).by(&registry.admin);
    let answer = ask
        .header("range", "bytes=2345000-5000000")
        .send()
        .await
        .expect(206);
    assert_eq!(
        answer.body,
        content.get(2_345_000..=5_000_000).expect("a part")
    );

    registry
        .push_blob("other/first", b"makes the namespace")
        .await;
    // Mounted, deleted where it came from, and still there.
    let mount = format!("/v2/other/app/blobs/uploads/?mount={blob}&from=team/app");
    registry.post(&mount).await.expect(201);
    registry.delete(&target).await.expect(202);
    registry.get(&target).await.expect(404);
    let mounted = format!("/v2/other/app/blobs/{blob}");
    assert_eq!(registry.get(&mounted).await.expect(200).body, content);

    registry
        .delete(&format!("/v2/team/app/manifests/{digest}"))
        .await
        .expect(202);
    registry.get("/v2/team/app/manifests/1").await.expect(404);
    let list = registry.get("/v2/team/app/tags/list").await.expect(200);
    assert_eq!(list.json()["tags"], serde_json::json!([]));
}

#[tokio::test]
async fn images_are_kept_in_sqlite_and_files() {
    story(EMBEDDED).await;
}

#[tokio::test]
async fn images_are_kept_in_sqlite_and_a_bucket() {
    let bucket = Bucket::start();
    let blobs = Some(in_bucket(&bucket));
    story(Kept {
        database: None,
        blobs,
    })
    .await;
}

#[tokio::test]
async fn images_are_kept_in_postgres_and_files() {
    let database = in_postgres();
    if database.is_some() {
        story(Kept {
            database,
            blobs: None,
        })
        .await;
    }
}

#[tokio::test]
async fn images_are_kept_in_postgres_and_a_bucket() {
    let database = in_postgres();
    if database.is_some() {
        let bucket = Bucket::start();
        let blobs = Some(in_bucket(&bucket));
        story(Kept { database, blobs }).await;
    }
}
