//! A registry of our own on loopback that says whatever a test wants, friendly
//! or not, and remembers every byte it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Such as `GET`.
    pub(crate) method: String,
    /// Path and query; the whole URL where we are a proxy.
    pub(crate) target: String,
    /// Everything that was sent.
    pub(crate) raw: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.raw.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What to say.
#[derive(Clone)]
pub(crate) struct Reply {
    head: String,
    body: Vec<u8>,
    length: Option<usize>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} Whatever\r\n"),
            body: Vec::new(),
            length: Some(0),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        for part in [name, ": ", value, "\r\n"] {
            self.head.push_str(part);
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.length = Some(self.body.len());
        self
    }

    /// Promises the whole body and hangs up after `bytes` of it.
    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Says no length: the end of the connection is the end of the body.
    pub(crate) fn without_length(mut self) -> Self {
        self.length = None;
        self
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(307).header("Location", to)
    }

    fn send(&self, stream: &mut TcpStream) {
        let length = self
            .length
            .map(|length| format!("Content-Length: {length}\r\n"))
            .unwrap_or_default();
        let head = format!("{}{length}Connection: close\r\n\r\n", self.head);
        // Whoever does not listen to the end has its reasons.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&self.body);
        let _ = stream.flush();
    }
}

/// A server. Dropping it stops it.
pub(crate) struct Fake {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Fake {
    /// Starts one on 127.0.0.1.
    pub(crate) fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1", answer)
    }

    pub(crate) fn start_on(
        host: &str,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let (seen_there, stop_there) = (Arc::clone(&seen), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop_there.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, answer) = (Arc::clone(&seen_there), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self {
            address,
            seen,
            stop,
        }
    }

    /// `host:port`.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything that came, so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }

    /// `METHOD target`, with `+` and the kind of authorization, one per request.
    pub(crate) fn story(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|seen| {
                let kind = seen
                    .header("authorization")
                    .and_then(|value| value.split(' ').next())
                    .map(|kind| format!(" +{kind}"))
                    .unwrap_or_default();
                format!("{} {}{kind}", seen.method, seen.target)
            })
            .collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen) -> Reply) {
    let mut reader = BufReader::new(stream);
    let mut raw = String::new();
    loop {
        let start = raw.len();
        match reader.read_line(&mut raw) {
            Ok(0) => break,
            Ok(_) if raw.get(start..).is_some_and(|line| line.trim().is_empty()) => break,
            Ok(_) => {}
            // Bytes that are not text: somebody speaks TLS to us.
            Err(_) => {
                Reply::status(400).send(reader.get_mut());
                return;
            }
        }
    }
    let mut first = raw.lines().next().unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (first.next(), first.next()) else {
        return;
    };
    let mut request = Seen {
        method: method.to_owned(),
        target: target.to_owned(),
        raw: raw.clone(),
    };
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = String::new();
    let _ = reader.by_ref().take(length).read_to_string(&mut body);
    request.raw.push_str(&body);
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    answer(&request).send(reader.get_mut());
}
