//! Pulling manifests and blobs.

use crate::registry::{IMAGE, Registry, sha256};

#[tokio::test]
async fn a_manifest_is_pulled_by_tag_and_digest_as_it_was_pushed() {
    let registry = Registry::start().await;
    let manifest = registry.push_image("team/app", "1").await;
    let digest = sha256(manifest.as_bytes());
    for reference in ["1", &digest] {
        let target = format!("/v2/team/app/manifests/{reference}");
        let got = registry.get(&target).await.expect(200);
        assert_eq!(got.body, manifest);
        let head = registry.head(&target).await.expect(200);
        assert!(head.body.is_empty());
        for answer in [&got, &head] {
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert_eq!(answer.header("content-type"), IMAGE);
            assert_eq!(answer.header("content-length"), manifest.len().to_string());
        }
    }
}

#[tokio::test]
async fn who_pulls_is_remembered_and_who_only_looks_is_not() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    let catalog = &registry.options.catalog;
    registry.head("/v2/team/app/manifests/1").await.expect(200);
    assert_eq!(
        catalog.write_pulls().await.expect("the database answers"),
        0
    );
    registry.get("/v2/team/app/manifests/1").await.expect(200);
    assert_eq!(
        catalog.write_pulls().await.expect("the database answers"),
        1
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_by_get_and_head() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    let none = sha256(b"none");
    for (target, code) in [
        ("/v2/team/app/manifests/2".to_owned(), "MANIFEST_UNKNOWN"),
        (format!("/v2/team/app/manifests/{none}"), "MANIFEST_UNKNOWN"),
        (format!("/v2/team/app/blobs/{none}"), "BLOB_UNKNOWN"),
        ("/v2/team/other/manifests/1".to_owned(), "NAME_UNKNOWN"),
        (format!("/v2/team/other/manifests/{none}"), "NAME_UNKNOWN"),
        (format!("/v2/team/other/blobs/{none}"), "NAME_UNKNOWN"),
    ] {
        registry.get(&target).await.refused(404, code);
        registry.head(&target).await.expect(404);
    }
}

#[tokio::test]
async fn a_reference_is_a_digest_or_a_tag_and_nothing_else() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    let long = "a".repeat(129);
    for tag in [".a", "-a", &long, "a%20b", "a@b"] {
        let target = format!("/v2/team/app/manifests/{tag}");
        registry.get(&target).await.refused(404, "MANIFEST_UNKNOWN");
    }
    for digest in bad_digests() {
        for kind in ["manifests", "blobs"] {
            let target = format!("/v2/team/app/{kind}/{digest}");
            registry.get(&target).await.refused(400, "DIGEST_INVALID");
            registry.head(&target).await.expect(400);
        }
    }
}

/// What looks like a digest and is none.
pub(crate) fn bad_digests() -> Vec<String> {
    vec![
        "sha256:baddigeststring".to_owned(),
        format!("sha256:{}", "A".repeat(64)),
        format!("sha256:{}", "a".repeat(63)),
        format!("sha512:{}", "a".repeat(64)),
        format!("md5:{}", "a".repeat(32)),
        format!("sha256:..{}", "a".repeat(62)),
        format!("sha256:{}%00", "a".repeat(63)),
    ]
}

#[tokio::test]
async fn a_blob_is_pulled_whole_with_its_digest_and_size() {
    let registry = Registry::start().await;
    for content in [b"".to_vec(), b"{}".to_vec(), vec![7; 3 << 20]] {
        let digest = registry.push_blob("team/app", &content).await;
        let target = format!("/v2/team/app/blobs/{digest}");
        let got = registry.get(&target).await.expect(200);
        assert_eq!(got.body, content);
        let head = registry.head(&target).await.expect(200);
        assert!(head.body.is_empty());
        for answer in [&got, &head] {
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert_eq!(answer.header("content-length"), content.len().to_string());
            assert_eq!(answer.header("accept-ranges"), "bytes");
        }
    }
}

#[tokio::test]
async fn some_of_a_blob_is_pulled_by_range() {
    let registry = Registry::start().await;
    let content: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let digest = registry.push_blob("team/app", &content).await;
    let target = format!("/v2/team/app/blobs/{digest}");
    for (range, first, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=500-1499", 500, 1500),
        ("bytes=2999990-", 2_999_990, 3_000_000),
        ("bytes=-500", 2_999_500, 3_000_000),
        ("bytes=1000000-9999999", 1_000_000, 3_000_000),
    ] {
        let ask = registry.ask("GET", &target).by(&registry.admin);
        let answer = ask.header("range", range).send().await.expect(206);
        assert_eq!(answer.body, content.get(first..end).expect("a part"));
        let told = format!("bytes {first}-{}/3000000", end - 1);
        assert_eq!(answer.header("content-range"), told);
        assert_eq!(answer.header("content-length"), (end - first).to_string());
    }
    for range in ["bytes=500-0", "bytes=3000000-", "bytes=-0"] {
        let ask = registry.ask("GET", &target).by(&registry.admin);
        let answer = ask.header("range", range).send().await;
        let answer = answer.refused(416, "SIZE_INVALID");
        assert_eq!(answer.header("content-range"), "bytes */3000000");
    }
    for range in ["bytes=0-1,5-6", "lines=1-2", "bytes=x-y"] {
        let ask = registry.ask("GET", &target).by(&registry.admin);
        let answer = ask.header("range", range).send().await.expect(200);
        assert_eq!(answer.body.len(), content.len());
    }
}

#[tokio::test]
async fn a_client_that_has_it_already_is_told_so() {
    let registry = Registry::start().await;
    let manifest = registry.push_image("team/app", "1").await;
    let blob = registry.push_blob("team/app", b"0123456789").await;
    let digest = sha256(manifest.as_bytes());
    for (target, digest) in [
        ("/v2/team/app/manifests/1".to_owned(), digest),
        (format!("/v2/team/app/blobs/{blob}"), blob),
    ] {
        let tag = registry.get(&target).await.expect(200);
        assert_eq!(tag.header("etag"), format!("\"{digest}\""));
        for known in [
            format!("\"{digest}\""),
            format!("\"x\", W/\"{digest}\""),
            "*".to_owned(),
        ] {
            let ask = registry.ask("GET", &target).by(&registry.admin);
            let answer = ask.header("if-none-match", &known).send().await.expect(304);
            assert!(answer.body.is_empty());
        }
        let ask = registry.ask("GET", &target).by(&registry.admin);
        ask.header("if-none-match", "\"other\"")
            .send()
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn who_goes_on_with_other_content_gets_all_of_it() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("team/app", b"0123456789").await;
    let target = format!("/v2/team/app/blobs/{digest}");
    for (known, status) in [
        (format!("\"{digest}\""), 206),
        ("\"other\"".to_owned(), 200),
    ] {
        let ask = registry.ask("GET", &target).by(&registry.admin);
        let ask = ask.header("range", "bytes=5-").header("if-range", &known);
        ask.send().await.expect(status);
    }
}

#[tokio::test]
async fn an_encoded_colon_is_a_colon() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("team/app", b"0123456789").await;
    let encoded = digest.replace(':', "%3A");
    registry
        .get(&format!("/v2/team/app/blobs/{encoded}"))
        .await
        .expect(200);
}
