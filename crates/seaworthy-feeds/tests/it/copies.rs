//! Asking again: what is fetched once is not fetched twice, and what was good is
//! not lost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use seaworthy_core::FeedDate;
use seaworthy_feeds::{Copies, CopiesError, Fed, Mirror, ReadError, gather};

use crate::mirror::{Notes, options, today, wait_for};
use crate::web::{export_of, mirror_of};

/// A server that names the state of each page, answers ranges and remembers what
/// it was asked.
#[derive(Clone, Default)]
struct Server {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Vec<u8>>,
    /// Answer everything with this status.
    broken: Option<u16>,
    /// Hang up after so many bytes of a body, once.
    cut: Option<usize>,
    log: Vec<String>,
}

impl Server {
    fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a test may listen on loopback");
        let address = listener.local_addr().expect("it is bound");
        let server = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = server.answer(&stream);
            }
        });
        format!("http://{address}")
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.with(|state| state.pages.insert(path.to_owned(), body.into()));
    }

    /// What was asked since the last look, one line each.
    fn asked(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.log))
    }

    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let request = lines.next().transpose()?.unwrap_or_default();
        let mut headers = BTreeMap::new();
        for line in lines {
            let line = line?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let (body, broken) = self.with(|state| (state.pages.get(&path).cloned(), state.broken));
        let mut head = String::new();
        let mut told = path.clone();
        let body = match (body, broken) {
            (_, Some(status)) => {
                let _ = write!(head, "HTTP/1.1 {status} Broken\r\n");
                Vec::new()
            }
            (None, None) => {
                head.push_str("HTTP/1.1 404 Not Found\r\n");
                Vec::new()
            }
            (Some(body), None) => {
                let etag = format!("\"{:x}\"", fingerprint(&body));
                let start = headers
                    .get("range")
                    .filter(|_| headers.get("if-range") == Some(&etag))
                    .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'))
                    .and_then(|start| start.parse::<usize>().ok());
                if headers.get("if-none-match") == Some(&etag) {
                    told.push_str(" unchanged");
                    head.push_str("HTTP/1.1 304 Not Modified\r\n");
                    let _ = write!(head, "ETag: {etag}\r\n");
                    Vec::new()
                } else if let Some(start) = start {
                    let _ = write!(told, " from {start}");
                    let _ = write!(
                        head,
                        "HTTP/1.1 206 Partial Content\r\nETag: {etag}\r\nContent-Range: bytes {start}-{}/{}\r\n",
                        body.len() - 1,
                        body.len()
                    );
                    body[start..].to_vec()
                } else {
                    let _ = write!(head, "HTTP/1.1 200 OK\r\nETag: {etag}\r\n");
                    body
                }
            }
        };
        let cut = self.with(|state| {
            state.log.push(told);
            state.cut.take_if(|at| *at < body.len())
        });
        write!(
            stream,
            "{head}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body[..cut.unwrap_or(body.len())])
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |hash: u64, byte| {
        hash.wrapping_mul(31).wrapping_add(u64::from(*byte))
    })
}

/// Asks `mirror` for everything, with the copies in `folder`.
fn update(mirror: &Mirror, folder: &Path) -> (Result<Fed, ReadError>, bool, usize) {
    let options = options(folder);
    let mut copies = Copies::open(folder).expect("nobody else holds them");
    let mut notes = Notes::default();
    let mut changed = false;
    let fed = wait_for(gather(mirror, &options, Some(&mut copies))).and_then(|mut gathered| {
        changed = gathered.has_changed();
        gathered.read(&mut notes)
    });
    (fed, changed, notes.advisories.len())
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("X-{number}")).collect()
}

/// A mirror of one ecosystem with so many records, copies of it, and its address.
fn small(records: usize) -> (Server, String, tempfile::TempDir) {
    let server = Server::default();
    server.put("/osv/ecosystems.txt", "npm\n");
    server.put("/osv/npm/all.zip", export_of(&ids(records)));
    let address = server.start();
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    (server, address, folder)
}

fn of(lines: Vec<String>, start: &str) -> Vec<String> {
    lines
        .into_iter()
        .filter(|it| it.starts_with(start))
        .collect()
}

#[test]
fn what_did_not_change_has_no_body() {
    let (server, address, folder) = small(3);
    let mirror = mirror_of(&address);
    let (fed, changed, advisories) = update(&mirror, folder.path());
    assert!(fed.is_ok() && changed, "{fed:?}");
    assert_eq!(advisories, 3);
    assert_eq!(of(server.asked(), "/osv/").len(), 2);

    let (fed, changed, advisories) = update(&mirror, folder.path());
    assert!(fed.is_ok() && !changed, "{fed:?}");
    assert_eq!(advisories, 3);
    assert_eq!(
        of(server.asked(), "/osv/"),
        [
            "/osv/ecosystems.txt unchanged",
            "/osv/npm/all.zip unchanged"
        ]
    );

    server.put("/osv/npm/all.zip", export_of(&ids(4)));
    let (_, changed, advisories) = update(&mirror, folder.path());
    assert!(changed);
    assert_eq!(advisories, 4);
}

#[test]
fn a_download_that_was_cut_goes_on_where_it_stopped() {
    let (server, address, folder) = small(50);
    server.with(|state| state.cut = Some(1_000));
    let (fed, _, advisories) = update(&mirror_of(&address), folder.path());
    assert!(fed.is_ok(), "{fed:?}");
    assert_eq!(advisories, 50);
    assert_eq!(
        of(server.asked(), "/osv/npm/all.zip"),
        ["/osv/npm/all.zip", "/osv/npm/all.zip from 1000"]
    );
}

#[test]
fn a_feed_that_fails_or_answers_nonsense_keeps_what_it_had() {
    let (server, address, folder) = small(200);
    let mirror = mirror_of(&address);
    let (fed, _, _) = update(&mirror, folder.path());
    assert!(fed.is_ok(), "{fed:?}");
    let ask = || {
        let (fed, _, advisories) = update(&mirror, folder.path());
        let fed = fed.expect("a feed that fails ends nothing");
        let npm = fed.feeds.iter().find(|it| &*it.id == "osv/npm");
        let trouble = npm.and_then(|it| it.trouble.clone()).unwrap_or_default();
        let trouble = trouble.replace(&address, "");
        format!("{advisories}: {trouble}")
    };
    server.with(|state| state.broken = Some(403));
    assert_eq!(
        ask(),
        "200: `/osv/npm/all.zip` answers with status 403 Forbidden"
    );
    server.with(|state| state.broken = None);
    server.put("/osv/npm/all.zip", "<html>no</html>");
    assert!(ask().starts_with("200: cannot use the export of `npm`"));
    server.put("/osv/npm/all.zip", export_of(&ids(20)));
    assert_eq!(ask(), "200: it has 20 records and had 200");
    server.put("/osv/npm/all.zip", export_of(&ids(190)));
    assert_eq!(ask(), "190: ");
}

#[test]
fn a_feed_that_never_was_had_is_named() {
    let (server, address, folder) = small(3);
    server.put("/osv/ecosystems.txt", "PyPI\nnpm\n");
    let (fed, _, advisories) = update(&mirror_of(&address), folder.path());
    let missing = fed.map(|fed| fed.missing).unwrap_or_default();
    assert_eq!(
        missing.first().map(AsRef::as_ref),
        Some("osv/PyPI: the mirror lists it and has none")
    );
    assert_eq!(advisories, 3);
}

#[test]
fn publishers_confirm_their_feeds_today() {
    let server = Server::default();
    let bucket = "/storage.googleapis.com/osv-vulnerabilities";
    server.put(&format!("{bucket}/ecosystems.txt"), "npm\n");
    server.put(&format!("{bucket}/npm/all.zip"), export_of(&ids(1)));
    let mirror = Mirror::parse(&format!("publishers+{}", server.start()));
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let (fed, _, _) = update(&mirror.expect("it is an address"), folder.path());
    let fed = fed.expect("the feed is there");
    let dates: Vec<FeedDate> = fed.feeds.iter().map(|it| it.date).collect();
    assert_eq!(dates, [FeedDate::Fetched(today())]);
}

#[test]
fn one_update_works_at_a_time() {
    let folder = tempfile::tempdir().expect("a test may write to a temporary folder");
    let first = Copies::open(folder.path());
    assert!(first.is_ok());
    assert!(matches!(
        Copies::open(folder.path()),
        Err(CopiesError::Busy { .. })
    ));
    drop(first);
    assert!(Copies::open(folder.path()).is_ok());
}

#[test]
fn a_folder_that_was_tampered_with_is_fetched_anew() {
    let (server, address, folder) = small(3);
    let mirror = mirror_of(&address);
    assert!(update(&mirror, folder.path()).0.is_ok());
    for body in std::fs::read_dir(folder.path().join("bodies"))
        .expect("bodies are kept")
        .flatten()
    {
        std::fs::write(body.path(), "cut").expect("a test may write here");
    }
    server.asked();
    let (fed, _, advisories) = update(&mirror, folder.path());
    assert!(fed.is_ok(), "{fed:?}");
    assert_eq!(advisories, 3);
    assert_eq!(
        of(server.asked(), "/osv/"),
        ["/osv/ecosystems.txt", "/osv/npm/all.zip"]
    );
    std::fs::write(folder.path().join("index.json"), "no index").expect("as above");
    assert!(update(&mirror, folder.path()).0.is_ok());
}
