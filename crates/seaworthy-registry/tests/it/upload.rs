//! Uploads of blobs, in all the ways there are.

use axum::body::Body;
use bytes::Bytes;
use seaworthy_access::Role;
use seaworthy_registry::Limits;

use crate::client::Answer;
use crate::registry::{EMBEDDED, Registry, sha256, sha512};

const REPOSITORY: &str = "team/app";

impl Registry {
    async fn patch(&self, location: &str, range: &str, chunk: &[u8]) -> Answer {
        let ask = self.ask("PATCH", location).by(&self.admin);
        let ask = if range.is_empty() {
            ask
        } else {
            ask.header("content-range", range)
        };
        ask.body(chunk.to_vec()).send().await
    }

    async fn close(&self, location: &str, digest: &str, range: &str, chunk: &[u8]) -> Answer {
        let ask = self
            .ask("PUT", &format!("{location}?digest={digest}"))
            .by(&self.admin);
        let ask = if range.is_empty() {
            ask
        } else {
            ask.header("content-range", range)
        };
        ask.body(chunk.to_vec()).send().await
    }

    async fn expect_blob(&self, answer: Answer, digest: &str, content: &[u8]) {
        let answer = answer.expect(201);
        let location = answer.header("location");
        assert_eq!(location, format!("/v2/{REPOSITORY}/blobs/{digest}"));
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(self.get(location).await.expect(200).body, content);
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(hex)
}

#[tokio::test]
async fn an_upload_begins_with_a_location_that_has_a_uuid() {
    let registry = Registry::start().await;
    let answer = registry
        .post("/v2/team/app/blobs/uploads/")
        .await
        .expect(202);
    let location = answer.header("location");
    let id = location
        .strip_prefix("/v2/team/app/blobs/uploads/")
        .expect("below");
    assert!(is_uuid(id), "{id}");
    assert_eq!(answer.header("range"), "0-0");
    assert_eq!(answer.header("docker-upload-uuid"), id);
}

#[tokio::test]
async fn a_blob_is_pushed_by_post_and_put() {
    let registry = Registry::start().await;
    for digest_of in [sha256, sha512] {
        let content = b"pushed by post and put";
        let digest = digest_of(content);
        let location = registry.begin(REPOSITORY).await;
        let answer = registry.close(&location, &digest, "", content).await;
        registry.expect_blob(answer, &digest, content).await;
        registry
            .get(&location)
            .await
            .refused(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[tokio::test]
async fn a_blob_is_pushed_by_one_post() {
    let registry = Registry::start().await;
    for digest_of in [sha256, sha512] {
        for content in [&b"pushed by one post"[..], b""] {
            let digest = digest_of(content);
            let target = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
            let ask = registry.ask("POST", &target).by(&registry.admin);
            let answer = ask.body(content.to_vec()).send().await;
            registry.expect_blob(answer, &digest, content).await;
        }
    }
}

#[tokio::test]
async fn a_blob_is_pushed_by_a_stream_of_unknown_length() {
    let registry = Registry::start().await;
    let location = registry.begin(REPOSITORY).await;
    let chunks = [&b"pushed "[..], b"by a ", b"stream"].map(|it| Ok(Bytes::from_static(it)));
    let body = Body::from_stream(futures_util::stream::iter(
        chunks.map(|it: std::io::Result<_>| it),
    ));
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    let answer = ask.body(body).send().await.expect(202);
    assert_eq!(answer.header("range"), "0-17");
    let content = b"pushed by a stream";
    let digest = sha256(content);
    let answer = registry
        .close(answer.header("location"), &digest, "", b"")
        .await;
    registry.expect_blob(answer, &digest, content).await;
}

#[tokio::test]
async fn a_blob_is_pushed_in_chunks_and_the_last_may_come_with_the_put() {
    let registry = Registry::start().await;
    let content = b"aaaaabbbbbccc";
    for digest in [sha256(content), sha512(content)] {
        let location = registry.begin(REPOSITORY).await;
        let answer = registry.patch(&location, "0-4", b"aaaaa").await.expect(202);
        assert_eq!(answer.header("range"), "0-4");
        let answer = registry
            .patch(answer.header("location"), "5-9", b"bbbbb")
            .await
            .expect(202);
        assert_eq!(answer.header("range"), "0-9");
        let answer = registry
            .close(answer.header("location"), &digest, "10-12", b"ccc")
            .await;
        registry.expect_blob(answer, &digest, content).await;
    }
    let location = registry.begin(REPOSITORY).await;
    registry.patch(&location, "0-12", content).await.expect(202);
    let digest = sha256(content);
    let answer = registry.close(&location, &digest, "", b"").await;
    registry.expect_blob(answer, &digest, content).await;
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_upload_goes_on() {
    let registry = Registry::start().await;
    let content = b"aaaaabbbbb";
    let digest = sha256(content);
    let location = registry.begin(REPOSITORY).await;
    for range in ["5-9", "1-5"] {
        let answer = registry.patch(&location, range, b"bbbbb").await;
        let answer = answer.refused(416, "BLOB_UPLOAD_INVALID");
        assert_eq!(answer.header("location"), location);
        assert_eq!(answer.header("range"), "0-0");
    }
    registry.patch(&location, "0-4", b"aaaaa").await.expect(202);
    for range in ["0-4", "6-10", "4-8"] {
        let answer = registry.patch(&location, range, b"xxxxx").await.expect(416);
        assert_eq!(answer.header("range"), "0-4");
        let answer = registry
            .close(&location, &digest, range, b"xxxxx")
            .await
            .expect(416);
        assert_eq!(answer.header("range"), "0-4");
    }
    let status = registry.get(&location).await.expect(204);
    assert_eq!(status.header("location"), location);
    assert_eq!(status.header("range"), "0-4");
    let answer = registry.close(&location, &digest, "5-9", b"bbbbb").await;
    registry.expect_blob(answer, &digest, content).await;
}

#[tokio::test]
async fn a_chunk_whose_range_and_length_disagree_is_refused() {
    let registry = Registry::start().await;
    let location = registry.begin(REPOSITORY).await;
    for (range, code) in [
        ("0-3", "SIZE_INVALID"),
        ("0-5", "SIZE_INVALID"),
        ("bytes 0-4/5", "BLOB_UPLOAD_INVALID"),
        ("0-", "BLOB_UPLOAD_INVALID"),
        ("4-0", "BLOB_UPLOAD_INVALID"),
    ] {
        let answer = registry.patch(&location, range, b"aaaaa").await;
        answer.refused(400, code);
    }
    assert_eq!(
        registry.get(&location).await.expect(204).header("range"),
        "0-0"
    );
    // Where the length is not told, the range holds for what arrives.
    let stream = |parts: usize| {
        let chunk = std::io::Result::Ok(Bytes::from_static(b"aaaaa"));
        let chunks: Vec<_> = std::iter::repeat_with(|| {
            chunk
                .as_ref()
                .map(Bytes::clone)
                .map_err(|_| std::io::ErrorKind::Other.into())
        })
        .take(parts)
        .collect();
        Body::from_stream(futures_util::stream::iter(
            chunks.into_iter().map(|it: std::io::Result<Bytes>| it),
        ))
    };
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    let ask = ask.header("content-range", "0-6").body(stream(1));
    ask.send().await.refused(400, "SIZE_INVALID");
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    let ask = ask.header("content-range", "5-6").body(stream(1));
    ask.send().await.refused(400, "SIZE_INVALID");
}

#[tokio::test]
async fn bytes_with_another_digest_are_refused_whichever_way_they_come() {
    let registry = Registry::start().await;
    for digest in [sha256(b"other"), sha512(b"other")] {
        let target = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        let ask = registry.ask("POST", &target).by(&registry.admin);
        ask.body("bytes")
            .send()
            .await
            .refused(400, "DIGEST_INVALID");
        let location = registry.begin(REPOSITORY).await;
        let answer = registry.close(&location, &digest, "", b"bytes").await;
        answer.refused(400, "DIGEST_INVALID");
        let location = registry.begin(REPOSITORY).await;
        registry.patch(&location, "", b"bytes").await.expect(202);
        let answer = registry.close(&location, &digest, "", b"").await;
        answer.refused(400, "DIGEST_INVALID");
        registry
            .get(&format!("/v2/{REPOSITORY}/blobs/{digest}"))
            .await
            .expect(404);
    }
    registry
        .get(&format!("/v2/{REPOSITORY}/blobs/{}", sha256(b"bytes")))
        .await
        .expect(404);
}

#[tokio::test]
async fn an_upload_ends_with_a_digest_that_is_one() {
    let registry = Registry::start().await;
    let location = registry.begin(REPOSITORY).await;
    let ask = registry.ask("PUT", &location).by(&registry.admin);
    ask.body("bytes")
        .send()
        .await
        .refused(400, "DIGEST_INVALID");
    for digest in crate::pull::bad_digests() {
        let answer = registry.close(&location, &digest, "", b"bytes").await;
        answer.refused(400, "DIGEST_INVALID");
        for parameter in ["digest", "mount"] {
            let target = format!("/v2/{REPOSITORY}/blobs/uploads/?{parameter}={digest}");
            registry.post(&target).await.refused(400, "DIGEST_INVALID");
        }
    }
    let target = format!("/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm=md5");
    registry
        .post(&target)
        .await
        .refused(400, "BLOB_UPLOAD_INVALID");
    let target = format!("/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm=sha512");
    registry.post(&target).await.expect(202);
}

#[tokio::test]
async fn an_upload_that_is_cancelled_is_gone() {
    let registry = Registry::start().await;
    let location = registry.begin(REPOSITORY).await;
    registry.patch(&location, "", b"bytes").await.expect(202);
    registry.delete(&location).await.expect(204);
    registry
        .get(&location)
        .await
        .refused(404, "BLOB_UPLOAD_UNKNOWN");
    registry
        .delete(&location)
        .await
        .refused(404, "BLOB_UPLOAD_UNKNOWN");
    registry
        .patch(&location, "", b"bytes")
        .await
        .refused(404, "BLOB_UPLOAD_UNKNOWN");
    let answer = registry.close(&location, &sha256(b"bytes"), "", b"").await;
    answer.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_blob_is_mounted_from_where_it_is() {
    let registry = Registry::start().await;
    let content = b"to be mounted";
    let digest = registry.push_blob("other/app", content).await;
    registry
        .push_blob("team/first", b"makes the namespace")
        .await;
    for query in [
        format!("mount={digest}&from=other/app"),
        format!("mount={digest}"),
    ] {
        let target = format!("/v2/{REPOSITORY}/blobs/uploads/?{query}");
        let answer = registry.post(&target).await;
        registry.expect_blob(answer, &digest, content).await;
        registry
            .delete(&format!("/v2/{REPOSITORY}/blobs/{digest}"))
            .await
            .expect(202);
    }
}

#[tokio::test]
async fn what_cannot_be_mounted_is_an_upload() {
    let registry = Registry::start().await;
    registry.push_image("other/app", "1").await;
    let none = sha256(b"none");
    for query in [
        format!("mount={none}&from=other/app"),
        format!("mount={none}&from=no/where"),
        format!("mount={none}"),
    ] {
        let target = format!("/v2/{REPOSITORY}/blobs/uploads/?{query}");
        let answer = registry.post(&target).await.expect(202);
        let location = answer.header("location").to_owned();
        registry.patch(&location, "", b"bytes").await.expect(202);
    }
    let target = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={none}&from=../x");
    registry.post(&target).await.refused(400, "NAME_INVALID");
}

#[tokio::test]
async fn a_blob_of_a_repository_one_may_not_read_is_not_mounted() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("secret/app", b"to be hidden").await;
    registry.push_image("team/app", "1").await;
    let pusher = registry.account("pusher", &[("team", Role::Pusher)]).await;
    for query in [
        format!("mount={digest}&from=secret/app"),
        format!("mount={digest}"),
    ] {
        let target = format!("/v2/{REPOSITORY}/blobs/uploads/?{query}");
        registry
            .ask("POST", &target)
            .by(&pusher)
            .send()
            .await
            .expect(202);
    }
    let target = format!("/v2/{REPOSITORY}/blobs/{digest}");
    registry
        .ask("GET", &target)
        .by(&pusher)
        .send()
        .await
        .expect(404);
}

#[tokio::test]
async fn an_upload_is_of_its_repository_and_of_who_began_it() {
    let registry = Registry::start().await;
    registry.push_image("team/other", "1").await;
    let ada = registry.account("ada", &[("team", Role::Pusher)]).await;
    let location = registry.begin(REPOSITORY).await;
    registry.patch(&location, "", b"bytes").await.expect(202);
    let elsewhere = location.replace("team/app", "team/other");
    let digest = sha256(b"bytes");
    for (target, key) in [(&location, &ada), (&elsewhere, &registry.admin)] {
        for (method, query) in [
            ("GET", String::new()),
            ("PATCH", String::new()),
            ("DELETE", String::new()),
            ("PUT", format!("?digest={digest}")),
        ] {
            let ask = registry.ask(method, &format!("{target}{query}")).by(key);
            ask.send().await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    assert_eq!(
        registry.get(&location).await.expect(204).header("range"),
        "0-4"
    );
}

#[tokio::test]
async fn a_blob_may_be_as_large_as_the_limit_and_no_larger() {
    let small = Limits {
        blob_bytes: 10,
        ..Limits::default()
    };
    let registry = Registry::start_with(EMBEDDED, |options| options.limits = small).await;
    let location = registry.begin(REPOSITORY).await;
    registry
        .patch(&location, "", b"0123456789x")
        .await
        .refused(413, "SIZE_INVALID");
    registry.patch(&location, "", b"01234").await.expect(202);
    let body = Body::from_stream(futures_util::stream::iter([
        std::io::Result::Ok(Bytes::from_static(b"567")),
        std::io::Result::Ok(Bytes::from_static(b"89x")),
    ]));
    let ask = registry
        .ask("PATCH", &location)
        .by(&registry.admin)
        .body(body);
    ask.send().await.refused(413, "SIZE_INVALID");
    registry.push_blob(REPOSITORY, b"0123456789").await;
}

#[tokio::test]
async fn the_same_blob_may_be_pushed_by_many_at_once() {
    let registry = Registry::start().await;
    let content = vec![1; 200_000];
    let digest = sha256(&content);
    let pushes = (0..8).map(|_| async {
        let location = registry.begin(REPOSITORY).await;
        registry
            .close(&location, &digest, "", &content)
            .await
            .expect(201);
    });
    futures_util::future::join_all(pushes).await;
    let target = format!("/v2/{REPOSITORY}/blobs/{digest}");
    assert_eq!(registry.get(&target).await.expect(200).body, content);
}
