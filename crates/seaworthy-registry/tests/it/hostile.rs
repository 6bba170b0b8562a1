//! Clients that are slow, gone, rude or unlucky.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::StreamExt as _;
use seaworthy_registry::Limits;
use seaworthy_store::{Address, Listener, Tap};
use seaworthy_testkit::wait_until;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::registry::{EMBEDDED, IMAGE, Registry, sha256};

/// A body that says this much and then nothing, without an end.
fn stalling(content: &'static [u8]) -> Body {
    let said = futures_util::stream::iter([std::io::Result::Ok(Bytes::from_static(content))]);
    Body::from_stream(said.chain(futures_util::stream::pending()))
}

async fn impatient() -> Registry {
    let limits = Limits {
        idle: Duration::from_millis(200),
        ..Limits::default()
    };
    Registry::start_with(EMBEDDED, |options| options.limits = limits).await
}

#[tokio::test]
async fn tricks_with_names_lead_nowhere() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    for name in [
        "..",
        "../team/app",
        "team/../team/app",
        "team//app",
        "/team/app",
        "team/app/",
        "Team/app",
        "team/app%00",
        "team%2F..%2Fapp",
        "team/%2e%2e/app",
        "team/app:1",
        "team/app@x",
        "team/.app",
        "team/app.",
        "team/-app",
        "team\\app",
        "%ff",
        "team/app%0d%0aX:1",
        &"a/".repeat(200),
        &"a".repeat(300),
    ] {
        for (method, rest) in [
            ("GET", "manifests/1"),
            ("GET", "tags/list"),
            ("PUT", "manifests/1"),
            ("POST", "blobs/uploads/"),
            ("DELETE", "manifests/1"),
        ] {
            let target = format!("/v2/{name}/{rest}");
            if target.parse::<hyper::Uri>().is_err() {
                continue;
            }
            let answer = registry
                .ask(method, &target)
                .by(&registry.admin)
                .send()
                .await;
            assert!(
                [400, 404].contains(&answer.status),
                "{method} {target}: {answer:?}"
            );
            assert!(
                ["NAME_INVALID", "UNSUPPORTED"].contains(&&*answer.code()),
                "{target}"
            );
        }
    }
}

#[tokio::test]
async fn a_client_that_stops_sending_is_not_waited_for() {
    let registry = impatient().await;
    let location = registry.begin("team/app").await;
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    ask.body(stalling(b"some"))
        .send()
        .await
        .refused(408, "BLOB_UPLOAD_INVALID");
    // What arrived is kept.
    let status = registry.get(&location).await.expect(204);
    assert_eq!(status.header("range"), "0-3");
    let target = "/v2/team/app/manifests/1";
    let ask = registry
        .ask("PUT", target)
        .by(&registry.admin)
        .header("content-type", IMAGE);
    ask.body(stalling(b"{")).send().await.expect(408);
    let digest = sha256(b"some bytes");
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    ask.header("content-range", "4-9")
        .body(" bytes")
        .send()
        .await
        .expect(202);
    let ask = registry.ask("PUT", &format!("{location}?digest={digest}"));
    ask.by(&registry.admin).send().await.expect(201);
}

/// A body that never stops for long and takes minutes all the same.
fn trickling(begin: usize) -> Body {
    let begun = futures_util::stream::iter([std::io::Result::Ok(Bytes::from(vec![b' '; begin]))]);
    let pause = tokio::time::interval(Duration::from_millis(20));
    let rest = futures_util::stream::unfold(pause, async |mut pause| {
        pause.tick().await;
        Some((Ok(Bytes::from_static(&[b' '; 1024])), pause))
    });
    Body::from_stream(begun.chain(rest))
}

#[tokio::test]
async fn a_large_manifest_that_trickles_does_not_keep_others_from_their_turn() {
    let registry = impatient().await;
    let ask = registry
        .ask("PUT", "/v2/team/app/manifests/1")
        .by(&registry.admin)
        .header("content-type", IMAGE);
    ask.body(trickling(100_000)).send().await.expect(408);
}

/// Says the beginning of a request whose body is longer than what comes of it.
async fn half_a_patch(registry: &Registry, location: &str, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(registry.address)
        .await
        .expect("a server");
    let pair = BASE64.encode(format!("key:{}", registry.admin).as_bytes());
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {pair}\r\ncontent-length: 1000\r\n\r\n{said}"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

/// Asks again and again how far an upload is.
async fn until_range(registry: &Registry, location: &str, range: &str) {
    let found =
        async { while registry.get(location).await.expect(204).header("range") != range {} };
    let waited = tokio::time::timeout(Duration::from_secs(30), found).await;
    assert!(waited.is_ok(), "the upload never had {range}");
}

#[tokio::test]
async fn an_upload_whose_client_goes_away_can_go_on() {
    let registry = Registry::start().await;
    let location = registry.begin("team/app").await;
    let stream = half_a_patch(&registry, &location, "half").await;
    drop(stream);
    until_range(&registry, &location, "0-3").await;
    let digest = sha256(b"half and half");
    let ask = registry
        .ask("PUT", &format!("{location}?digest={digest}"))
        .by(&registry.admin);
    let ask = ask.header("content-range", "4-12").body(" and half");
    ask.send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_need_not_wait_for_its_old_request() {
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn Listener> = Arc::clone(&heard) as _;
    let registry =
        Registry::start_with(EMBEDDED, |options| options.listener = Some(listener)).await;
    let location = registry.begin("team/app").await;
    let mut old = half_a_patch(&registry, &location, "half").await;
    tokio::task::block_in_place(|| {
        wait_until("the first half is there", || {
            heard.bytes.load(Ordering::Relaxed) == 4
        });
    });
    // The old request holds the upload; it is told to stop with what it has.
    let ask = registry.ask("PATCH", &location).by(&registry.admin);
    let ask = ask.header("content-range", "4-8").body(" more");
    let answer = ask.send().await.expect(202);
    assert_eq!(answer.header("range"), "0-8");
    let mut told = Vec::new();
    old.read_to_end(&mut told).await.expect("an answer");
    let told = String::from_utf8(told).expect("text");
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");
}

#[tokio::test]
async fn a_client_that_asks_first_is_answered_before_it_sends() {
    let registry = Registry::start().await;
    let location = registry.begin("team/app").await;
    let pair = BASE64.encode(format!("key:{}", registry.admin).as_bytes());
    for (authorization, expected) in [(pair.as_str(), "HTTP/1.1 100"), ("x", "HTTP/1.1 401")] {
        let mut stream = TcpStream::connect(registry.address)
            .await
            .expect("a server");
        let head = format!(
            "PATCH {location} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {authorization}\r\n\
             expect: 100-continue\r\ncontent-length: 4\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut told = [0; 12];
        stream.read_exact(&mut told).await.expect("an answer");
        assert_eq!(std::str::from_utf8(&told), Ok(expected));
    }
}

#[tokio::test]
async fn a_store_in_trouble_is_told_as_such() {
    let registry = Registry::start().await;
    let location = registry.begin("team/app").await;
    // Whoever asks is known for a moment even without the database.
    registry.get(&location).await.expect(204);
    registry.database.close().await;
    for (method, target) in [
        ("GET", location.as_str()),
        ("GET", "/v2/team/app/tags/list"),
    ] {
        let answer = registry
            .ask(method, target)
            .by(&registry.admin)
            .send()
            .await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(answer.code(), "UNAVAILABLE");
    }
}

/// Hears everything, and what came of it.
#[derive(Default)]
struct Heard {
    bytes: Arc<AtomicUsize>,
    ended: Mutex<Vec<String>>,
}

struct Counts(Arc<AtomicUsize>);

impl Tap for Counts {
    fn hear(&self, bytes: &Bytes) {
        self.0.fetch_add(bytes.len(), Ordering::Relaxed);
    }
}

impl Listener for Heard {
    fn begin(&self, _: &str, offset: u64) -> Option<Arc<dyn Tap>> {
        self.note(format!("from {offset}"));
        Some(Arc::new(Counts(Arc::clone(&self.bytes))))
    }

    fn finished(&self, _: &str, address: &Address) {
        self.note(format!("is {address}"));
    }

    fn abandoned(&self, _: &str) {
        self.note("nothing".to_owned());
    }
}

impl Heard {
    fn note(&self, what: String) {
        self.ended.lock().expect("no panic").push(what);
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.ended.lock().expect("no panic"))
    }
}

#[tokio::test]
async fn who_listens_hears_all_bytes_and_how_uploads_end() {
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn Listener> = Arc::clone(&heard) as _;
    let registry =
        Registry::start_with(EMBEDDED, |options| options.listener = Some(listener)).await;
    let digest = registry.push_blob("team/app", b"all at once").await;
    assert_eq!(heard.told(), ["from 0".to_owned(), format!("is {digest}")]);
    let location = registry.begin("team/app").await;
    let patch = |body: &'static str| {
        registry
            .ask("PATCH", &location)
            .by(&registry.admin)
            .body(body)
    };
    patch("in ").send().await.expect(202);
    patch("parts").send().await.expect(202);
    let digest = sha256(b"in parts");
    let ask = registry.ask("PUT", &format!("{location}?digest={digest}"));
    ask.by(&registry.admin)
        .header("content-length", "0")
        .send()
        .await
        .expect(201);
    assert_eq!(
        heard.told(),
        [
            "from 0".to_owned(),
            "from 3".to_owned(),
            format!("is {digest}")
        ]
    );
    assert_eq!(heard.bytes.load(Ordering::Relaxed), 11 + 8);
    let location = registry.begin("team/app").await;
    let ask = registry.ask("PUT", &format!("{location}?digest={digest}"));
    ask.by(&registry.admin)
        .body("other")
        .send()
        .await
        .expect(400);
    assert_eq!(heard.told(), ["from 0", "nothing"]);
    let location = registry.begin("team/app").await;
    registry.delete(&location).await.expect(204);
    assert_eq!(heard.told(), ["nothing"]);
}

#[tokio::test]
async fn somebody_may_have_so_many_uploads_open_and_no_more() {
    let limits = Limits {
        open_uploads: 3,
        ..Limits::default()
    };
    let registry = Registry::start_with(EMBEDDED, |options| options.limits = limits).await;
    let first = registry.begin("team/app").await;
    registry.begin("team/app").await;
    registry.begin("other/app").await;
    let target = "/v2/team/app/blobs/uploads/";
    registry.post(target).await.refused(429, "TOOMANYREQUESTS");
    let ada = registry
        .account("ada", &[("", seaworthy_access::Role::Admin)])
        .await;
    registry
        .ask("POST", target)
        .by(&ada)
        .send()
        .await
        .expect(202);
    registry.delete(&first).await.expect(204);
    registry.post(target).await.expect(202);
}

#[tokio::test]
async fn queries_that_never_end_are_read_as_far_as_anybody_needs() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    let many = "a=b&".repeat(10_000);
    registry
        .get(&format!("/v2/team/app/tags/list?{many}n=1"))
        .await
        .expect(200);
    registry
        .get("/v2/team/app/tags/list?%zz=%zz&&=&n=1")
        .await
        .expect(200);
}
