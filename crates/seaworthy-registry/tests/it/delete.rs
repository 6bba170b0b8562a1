//! Deleting tags, manifests and blobs.

use serde_json::json;

use crate::registry::{IMAGE, INDEX, Registry, descriptor, sha256};

#[tokio::test]
async fn a_deleted_tag_is_gone_and_its_manifest_stays() {
    let registry = Registry::start().await;
    let manifest = registry.push_image("team/app", "1").await;
    registry
        .delete("/v2/team/app/manifests/1")
        .await
        .expect(202);
    registry
        .get("/v2/team/app/manifests/1")
        .await
        .refused(404, "MANIFEST_UNKNOWN");
    let digest = sha256(manifest.as_bytes());
    registry
        .get(&format!("/v2/team/app/manifests/{digest}"))
        .await
        .expect(200);
    registry
        .delete("/v2/team/app/manifests/1")
        .await
        .refused(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn a_deleted_manifest_is_gone_with_its_tags() {
    let registry = Registry::start().await;
    let manifest = registry.push_image("team/app", "1").await;
    registry
        .push_manifest("team/app", "2", IMAGE, &manifest)
        .await
        .expect(201);
    let digest = sha256(manifest.as_bytes());
    registry
        .delete(&format!("/v2/team/app/manifests/{digest}"))
        .await
        .expect(202);
    for reference in ["1", "2", &digest] {
        let target = format!("/v2/team/app/manifests/{reference}");
        registry.get(&target).await.refused(404, "MANIFEST_UNKNOWN");
        registry.head(&target).await.expect(404);
        registry
            .delete(&target)
            .await
            .refused(404, "MANIFEST_UNKNOWN");
    }
}

#[tokio::test]
async fn a_deleted_blob_is_gone() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("team/app", b"bytes").await;
    let target = format!("/v2/team/app/blobs/{digest}");
    registry.delete(&target).await.expect(202);
    registry.get(&target).await.refused(404, "BLOB_UNKNOWN");
    registry.head(&target).await.expect(404);
    registry.delete(&target).await.refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn nothing_is_deleted_from_a_repository_that_is_not_there() {
    let registry = Registry::start().await;
    let digest = sha256(b"none");
    for target in [
        "/v2/team/none/manifests/1".to_owned(),
        format!("/v2/team/none/manifests/{digest}"),
        format!("/v2/team/none/blobs/{digest}"),
    ] {
        registry.delete(&target).await.refused(404, "NAME_UNKNOWN");
    }
}

#[tokio::test]
async fn what_an_index_names_is_not_deleted_before_it() {
    let registry = Registry::start().await;
    let image = registry.push_image("team/app", "1").await;
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [descriptor(IMAGE, image.as_bytes())],
    });
    let index = index.to_string();
    registry
        .push_manifest("team/app", "all", INDEX, &index)
        .await
        .expect(201);
    let target = format!("/v2/team/app/manifests/{}", sha256(image.as_bytes()));
    registry.delete(&target).await.refused(409, "DENIED");
    let of_index = format!("/v2/team/app/manifests/{}", sha256(index.as_bytes()));
    registry.delete(&of_index).await.expect(202);
    registry.delete(&target).await.expect(202);
}

#[tokio::test]
async fn what_is_deleted_can_be_pushed_again() {
    let registry = Registry::start().await;
    for _ in 0..3 {
        let manifest = registry.push_image("team/app", "1").await;
        let digest = sha256(manifest.as_bytes());
        registry.get("/v2/team/app/manifests/1").await.expect(200);
        registry
            .delete(&format!("/v2/team/app/manifests/{digest}"))
            .await
            .expect(202);
        registry.get("/v2/team/app/manifests/1").await.expect(404);
    }
}
