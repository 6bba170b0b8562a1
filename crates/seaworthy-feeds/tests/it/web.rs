//! A mirror on the web: a small server that says what it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use seaworthy_core::FeedDate;
use seaworthy_feeds::Mirror;

use crate::mirror::gather;

/// Answers by path: status line, headers and body.
type Pages = BTreeMap<String, (String, Vec<u8>)>;

/// Serves `pages` until the test ends. Returns the address.
fn serve(pages: Pages) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a test may listen on loopback");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(&stream, &pages);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, pages: &Pages) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let missing = ("404 Not Found\r\n".to_owned(), Vec::new());
    let (head, body) = pages.get(path).unwrap_or(&missing);
    write!(
        stream,
        "HTTP/1.1 {head}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)
}

fn ok(body: &[u8]) -> (String, Vec<u8>) {
    (
        "200 OK\r\nLast-Modified: Fri, 20 Nov 2026 07:28:00 GMT\r\n".to_owned(),
        body.to_vec(),
    )
}

/// An export of `npm` with these records.
pub(crate) fn export_of(ids: &[String]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for id in ids {
        let record = format!(
            r#"{{"id": "{id}", "affected": [{{"package": {{"ecosystem": "npm", "name": "a"}}, "versions": ["1.0.0"]}}]}}"#
        );
        writer
            .start_file(
                format!("{id}.json"),
                zip::write::SimpleFileOptions::default(),
            )
            .expect("memory is writable");
        writer
            .write_all(record.as_bytes())
            .expect("memory is writable");
    }
    writer.finish().expect("memory is writable").into_inner()
}

fn export() -> Vec<u8> {
    export_of(&["X-1".to_owned()])
}

pub(crate) fn mirror_of(address: &str) -> Mirror {
    Mirror::parse(address).expect("the address is one")
}

#[test]
fn a_mirror_on_the_web_says_how_old_it_is_and_what_it_lacks() {
    let address = serve(Pages::from([
        ("/m/osv/ecosystems.txt".into(), ok(b"npm\n")),
        ("/m/osv/npm/all.zip".into(), ok(&export())),
        (
            "/m/enrich/kev/known_exploited_vulnerabilities.json".into(),
            ok(br#"{"vulnerabilities": []}"#),
        ),
    ]));
    let (fed, advisories) = gather(&mirror_of(&format!("{address}/m/")));
    let fed = fed.expect("the mirror is whole");
    assert_eq!(advisories.len(), 1);
    let day = "2026-11-20".parse().ok().map(FeedDate::Fetched);
    assert!(fed.feeds.iter().all(|it| Some(it.date) == day), "{fed:?}");
    insta::assert_debug_snapshot!(fed.missing, @r#"
    [
        "predictions of exploitation (EPSS)",
        "ends of support (endoflife.date)",
    ]
    "#);
}

#[test]
fn the_public_buckets_layout_is_understood() {
    let address = serve(Pages::from([
        ("/ecosystems.txt".into(), ok(b"npm\n")),
        ("/npm/all.zip".into(), ok(&export())),
    ]));
    let (fed, advisories) = gather(&mirror_of(&address));
    assert_eq!(fed.map(|fed| fed.feeds.len()).ok(), Some(1));
    assert_eq!(advisories.len(), 1);
}

#[test]
fn a_server_that_refuses_or_turns_in_circles_is_an_error() {
    let said = |pages| match gather(&mirror_of(&serve(pages))).0 {
        Ok(_) => "read".to_owned(),
        Err(error) => error
            .to_string()
            .replace(|it: char| it.is_ascii_digit(), "#"),
    };
    let refuses = ("403 Forbidden\r\n".to_owned(), Vec::new());
    insta::assert_snapshot!(said(Pages::from([("/osv/ecosystems.txt".into(), refuses)])), @"`http://###.#.#.#:#####/osv/ecosystems.txt` answers with status ### Forbidden");
    let circle = (
        "302 Found\r\nLocation: /osv/ecosystems.txt\r\n".to_owned(),
        Vec::new(),
    );
    insta::assert_snapshot!(said(Pages::from([("/osv/ecosystems.txt".into(), circle)])), @"`http://###.#.#.#:#####/osv/ecosystems.txt` answers with status ### Found");
    let huge = ("200 OK\r\n".to_owned(), vec![b'a'; 2 << 20]);
    insta::assert_snapshot!(said(Pages::from([("/osv/ecosystems.txt".into(), huge)])), @"`osv/ecosystems.txt` is larger than ####### bytes");
    insta::assert_snapshot!(said(Pages::new()), @"the mirror has no `osv/ecosystems.txt`");
}
