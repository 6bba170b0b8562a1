//! Manifests and blobs from a registry that behaves, and from a network that
//! does not.

use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy_remote::{Limits, Options, Registry};

use crate::fake::{Fake, Reply, Seen};
use crate::{digest, manifest_of, options, read, reference, told};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

fn manifest(body: &[u8]) -> Reply {
    Reply::status(200).header("Content-Type", OCI).body(body)
}

/// A blob of some size that is not the same everywhere.
fn blob() -> Vec<u8> {
    (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect()
}

/// What [`blobs`] is told to say.
type Answer = Box<dyn Fn(usize, usize) -> Reply + Send + Sync>;

/// Serves `blob` with the help of `answer`, which is told how many bytes the
/// client has already, and which request this is.
fn blobs(answer: impl Fn(usize, usize) -> Reply + Send + Sync + 'static) -> Fake {
    let count = AtomicUsize::new(0);
    Fake::start(move |seen: &Seen| {
        let start = seen
            .header("range")
            .and_then(|range| {
                range
                    .strip_prefix("bytes=")?
                    .strip_suffix('-')?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        answer(start, count.fetch_add(1, Ordering::SeqCst))
    })
}

async fn fetch(server: &Fake, bytes: &[u8], options: Options) -> String {
    let registry = Registry::connect(&server.name(), options).await.unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let outcome = registry
        .blob(&reference, &digest(bytes), bytes.len() as u64)
        .await;
    let text = match outcome {
        Ok(reader) => match read(reader).await {
            Ok(came) if came == bytes => "all bytes".to_owned(),
            Ok(_) => "other bytes".to_owned(),
            Err(error) => {
                let pull = error.get_ref().and_then(|inner| inner.downcast_ref());
                format!("{:?}: {}", error.kind(), told(pull.unwrap()))
            }
        },
        Err(error) => format!("at once: {}", told(&error)),
    };
    text.replace(&digest(bytes).to_string(), "DIGEST")
}

#[tokio::test]
async fn a_manifest_is_asked_for_by_tag_or_digest_and_proved() {
    let server = Fake::start(|_| manifest(b"{}"));
    let registry = Registry::connect(&server.name(), options()).await.unwrap();
    let tagged = reference(&server.name(), "team/app:1");
    let found = registry.manifest(&tagged).await.unwrap();
    assert_eq!((&*found.bytes, &*found.media_type), (&b"{}"[..], OCI));
    assert_eq!(found.digest, digest(b"{}"));
    let pinned = tagged.at(found.digest.clone());
    assert_eq!(registry.manifest(&pinned).await.unwrap(), found);
    assert_eq!(
        server.story(),
        [
            "GET /v2/team/app/manifests/1".to_owned(),
            format!("GET /v2/team/app/manifests/{}", found.digest),
        ]
    );
    let seen = server.seen();
    let header = |name| seen.first().and_then(|seen| seen.header(name)).unwrap();
    insta::assert_snapshot!(header("accept").replace(", ", "\n"), @r"
    application/vnd.oci.image.index.v1+json
    application/vnd.oci.image.manifest.v1+json
    application/vnd.docker.distribution.manifest.list.v2+json
    application/vnd.docker.distribution.manifest.v2+json
    ");
    assert!(header("user-agent").starts_with("seaworthy/"));
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let other = digest(b"other");
    for (reply, expected) in [
        (
            manifest(b"{}").header("Docker-Content-Digest", &digest(b"{}").to_string()),
            "2 bytes of application/vnd.oci.image.manifest.v1+json",
        ),
        (
            manifest(b"{}").header("Docker-Content-Digest", &other.to_string()),
            "`REGISTRY` says another digest of manifest `1` than its bytes have, DIGEST (hint)",
        ),
        (
            manifest(b"{}").header("Docker-Content-Digest", "sha256:../../x"),
            "`REGISTRY` says another digest of manifest `1` than its bytes have, DIGEST (hint)",
        ),
        (
            Reply::status(200)
                .header("Content-Type", "text/html; charset=utf-8")
                .body("<html>"),
            "manifest `1` has the media type `text/html`, which is not that of an image (hint)",
        ),
        (
            Reply::status(200)
                .header(
                    "Content-Type",
                    "application/vnd.docker.distribution.manifest.v1+prettyjws",
                )
                .body("{}"),
            "manifest `1` has the media type `application/vnd.docker.distribution.manifest.v1+prettyjws`, which is not that of an image (hint)",
        ),
        (
            manifest(&vec![b' '; (4 << 20) + 1]),
            "manifest `1` has more than 4194304 bytes",
        ),
        (
            manifest(&vec![b' '; (4 << 20) + 1]).without_length(),
            "manifest `1` has more than 4194304 bytes",
        ),
        (
            manifest(&vec![b' '; 4 << 20]),
            "4194304 bytes of application/vnd.oci.image.manifest.v1+json",
        ),
        (
            Reply::status(200).header("Content-Type", "").body("{}"),
            "manifest `1` has the media type ``, which is not that of an image (hint)",
        ),
    ] {
        let server = Fake::start(move |_| reply.clone());
        let told = manifest_of(&server.name(), options()).await;
        assert_eq!(told.replace(&digest(b"{}").to_string(), "DIGEST"), expected);
    }
}

#[tokio::test]
async fn a_manifest_with_another_digest_than_asked_for_is_refused() {
    let server = Fake::start(|_| manifest(b"{ }"));
    let registry = Registry::connect(&server.name(), options()).await.unwrap();
    let pinned = reference(&server.name(), "team/app").at(digest(b"{}"));
    let error = registry.manifest(&pinned).await.unwrap_err();
    assert_eq!(
        told(&error),
        format!(
            "manifest `{}` from `{}` is not what its digest says: its bytes have {} (hint)",
            digest(b"{}"),
            server.name(),
            digest(b"{ }")
        )
    );
}

#[tokio::test]
async fn every_status_is_told_in_words_with_a_hint() {
    let errors = |code: &str| {
        format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"\\u001b[31m\"}}]}}")
    };
    let mut story = Vec::new();
    for (status, body) in [
        (403, errors("DENIED")),
        (404, errors("NAME_UNKNOWN")),
        (404, errors("MANIFEST_UNKNOWN")),
        (404, "page not found".into()),
        (418, String::new()),
        (500, errors("UNKNOWN")),
        (503, "<html>".into()),
    ] {
        let server = Fake::start(move |_| Reply::status(status).body(body.clone()));
        story.push(format!(
            "{status}: {}",
            manifest_of(&server.name(), options()).await
        ));
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    403: `REGISTRY` forbids reading `team/app`: DENIED (hint)
    404: `REGISTRY` has no repository `team/app`, or hides it (hint)
    404: `REGISTRY` has no tag `1` in `team/app`: MANIFEST_UNKNOWN (hint)
    404: `REGISTRY` has no tag `1` in `team/app` (hint)
    418: `REGISTRY` does not answer like a registry (HTTP status 418)
    500: `REGISTRY` is in trouble (HTTP status 500: UNKNOWN) (hint)
    503: `REGISTRY` is in trouble (HTTP status 503) (hint)
    ");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    for (reply, tries, expected) in [
        (Reply::status(429).header("Retry-After", "0"), 3, "2 bytes"),
        (Reply::status(502), 3, "2 bytes"),
        (Reply::status(503), 2, "2 bytes"),
        (Reply::status(504), 2, "2 bytes"),
        (
            manifest(b"").header("X", "y").body("{}").cut(0),
            2,
            "2 bytes",
        ),
        (
            Reply::status(429).header("Retry-After", "3600"),
            1,
            "`REGISTRY` is being asked too often and wants us to wait 3600 seconds (hint)",
        ),
        (
            Reply::status(429),
            4,
            "`REGISTRY` is being asked too often (hint)",
        ),
        (
            Reply::status(500),
            1,
            "`REGISTRY` is in trouble (HTTP status 500) (hint)",
        ),
    ] {
        let count = AtomicUsize::new(0);
        let server = Fake::start(move |_| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            if expected == "2 bytes" && number + 1 == tries {
                manifest(b"{}")
            } else {
                reply.clone()
            }
        });
        let told = manifest_of(&server.name(), options()).await;
        assert!(told.starts_with(expected), "{told}");
        assert_eq!(server.seen().len(), tries, "{told}");
    }
}

#[tokio::test]
async fn a_blob_streams_whole() {
    let bytes = blob();
    let body = bytes.clone();
    let server = blobs(move |_, _| Reply::status(200).body(body.clone()));
    assert_eq!(fetch(&server, &bytes, options()).await, "all bytes");
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen.first().and_then(|seen| seen.header("accept-encoding")),
        Some("identity")
    );
}

#[tokio::test]
async fn a_transfer_that_breaks_is_taken_up_where_it_broke() {
    let bytes = blob();
    let body = bytes.clone();
    let server = blobs(move |start, _| {
        let rest = body.get(start..).unwrap().to_vec();
        let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
        let reply = if start == 0 {
            Reply::status(200)
        } else {
            Reply::status(206).header("Content-Range", &range)
        };
        reply.body(rest).cut(5_000_000)
    });
    assert_eq!(fetch(&server, &bytes, options()).await, "all bytes");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_registry_without_ranges_is_read_again_from_the_start() {
    let bytes = blob();
    let body = bytes.clone();
    let server = blobs(move |_, number| {
        let reply = Reply::status(200).body(body.clone());
        if number == 0 {
            reply.cut(7_000_001)
        } else {
            reply
        }
    });
    assert_eq!(fetch(&server, &bytes, options()).await, "all bytes");
}

#[tokio::test]
async fn a_transfer_that_cannot_be_right_ends_in_an_error() {
    let bytes = b"0123456789".to_vec();
    let mut story = Vec::new();
    let cases: [(&str, Answer); 8] = [
        (
            "never an end",
            Box::new(|start, _| {
                if start == 0 {
                    Reply::status(200).body("0123456789").cut(4)
                } else {
                    Reply::status(206)
                        .header("Content-Range", "bytes 4-9/10")
                        .body("456789")
                        .cut(0)
                }
            }),
        ),
        (
            "another place",
            Box::new(|start, _| {
                if start == 0 {
                    Reply::status(200).body("0123456789").cut(4)
                } else {
                    Reply::status(206)
                        .header("Content-Range", "bytes 0-9/10")
                        .body("0123456789")
                }
            }),
        ),
        (
            "another length",
            Box::new(|_, _| Reply::status(200).body("012345678")),
        ),
        (
            "too many bytes, and no length",
            Box::new(|_, _| Reply::status(200).body("0123456789+").without_length()),
        ),
        (
            "too few bytes, and no length",
            Box::new(|_, _| Reply::status(200).body("012345678").without_length()),
        ),
        (
            "compressed on the way",
            Box::new(|_, _| {
                Reply::status(200)
                    .header("Content-Encoding", "gzip")
                    .body("0123456789")
            }),
        ),
        ("absent", Box::new(|_, _| Reply::status(404))),
        (
            "a part that nobody asked for",
            Box::new(|_, _| {
                Reply::status(206)
                    .header("Content-Range", "bytes 0-9/10")
                    .body("0123456789")
            }),
        ),
    ];
    for (name, answer) in cases {
        let server = blobs(answer);
        let told = fetch(&server, &bytes, options()).await;
        story.push(format!(
            "{name}: {}",
            told.replace(&server.name(), "REGISTRY")
        ));
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    never an end: ConnectionAborted: the connection to `REGISTRY` broke <- end of file before message length reached (hint)
    another place: Other: `REGISTRY` does not answer like a registry (HTTP status 206)
    another length: at once: blob `DIGEST` should have 10 bytes, `REGISTRY` has 9 (hint)
    too many bytes, and no length: InvalidData: blob `DIGEST` should have 10 bytes, `REGISTRY` has 11 (hint)
    too few bytes, and no length: ConnectionAborted: the connection to `REGISTRY` broke (hint)
    compressed on the way: at once: `REGISTRY` does not answer like a registry (HTTP status 200)
    absent: at once: `REGISTRY` has no blob `DIGEST` in `team/app` (hint)
    a part that nobody asked for: at once: `REGISTRY` does not answer like a registry (HTTP status 206)
    ");
}

#[tokio::test]
async fn a_blob_above_the_limit_is_not_asked_for() {
    let server = Fake::start(|_| Reply::status(200));
    let options = Options {
        limits: Limits {
            blob_bytes: 9,
            ..Limits::default()
        },
        ..options()
    };
    let told = fetch(&server, b"0123456789", options).await;
    assert_eq!(told, "at once: blob `DIGEST` has more than 9 bytes");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_reader_that_is_dropped_ends_the_transfer() {
    let bytes = blob();
    let body = bytes.clone();
    let server = blobs(move |_, _| Reply::status(200).body(body.clone()));
    let registry = Registry::connect(&server.name(), options()).await.unwrap();
    let reference = reference(&server.name(), "team/app:1");
    let reader = registry
        .blob(&reference, &digest(&bytes), bytes.len() as u64)
        .await
        .unwrap();
    drop(reader);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_thread_outside_the_runtime_can_pull() {
    let bytes = blob();
    let body = bytes.clone();
    let server = Fake::start(move |seen| {
        if seen.target.contains("/manifests/") {
            manifest(b"{}")
        } else {
            Reply::status(200).body(body.clone())
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let registry = runtime
        .block_on(Registry::connect(&server.name(), options()))
        .unwrap();
    let reference = reference(&server.name(), "team/app:1");
    assert_eq!(
        &*registry.manifest_blocking(&reference).unwrap().bytes,
        b"{}"
    );
    let mut reader = registry
        .blob_blocking(&reference, &digest(&bytes), bytes.len() as u64)
        .unwrap();
    let mut came = Vec::new();
    std::io::copy(&mut reader, &mut came).unwrap();
    assert!(came == bytes);
}

#[tokio::test]
async fn a_registry_that_is_not_there_or_does_not_answer_is_told_apart() {
    // Nobody accepts here, yet the system lets one connect.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent
        .local_addr()
        .map(|at| (silent, at.to_string()))
        .unwrap();
    let closed = format!("127.0.0.1:{}", seaworthy_testkit::free_port());
    let impatient = Options {
        limits: Limits {
            idle: std::time::Duration::from_millis(100),
            ..Limits::default()
        },
        ..options()
    };
    let mut story = Vec::new();
    for registry in [
        &*silent.1,
        &closed,
        "registry.invalid",
        "a b",
        "a@b",
        "a/b?c",
    ] {
        let told = manifest_of_any(registry, impatient.clone()).await;
        let told = told.replace(&silent.1, "SILENT").replace(&closed, "CLOSED");
        story.push(told.split(" <- ").next().unwrap().to_owned());
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    `SILENT` did not answer in time (hint)
    cannot connect to `CLOSED`
    the name `registry.invalid` cannot be resolved
    the name `a b` cannot be resolved
    the name `a@b` cannot be resolved
    the name `a/b?c` cannot be resolved
    ");
}

/// Connects to what need not be a name at all.
async fn manifest_of_any(registry: &str, options: Options) -> String {
    let image = reference("r.example", "team/app:1");
    match Registry::connect(registry, options).await {
        Ok(connected) => told(&connected.manifest(&image).await.unwrap_err()),
        Err(error) => told(&error),
    }
}
