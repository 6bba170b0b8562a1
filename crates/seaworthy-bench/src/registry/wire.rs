//! A client of HTTP/1.1 that costs next to nothing: one blocking socket, one
//! buffer, no copies of bodies. It believes what our own servers and the peer
//! say, and is no client for anybody else.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// One connection, kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
    /// What was read and not yet taken lies from here…
    start: usize,
    /// …to here.
    end: usize,
}

/// As large as the second cache of a processor likes.
const BUFFER: usize = 256 * 1024;

/// A server that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much is written at once where the pace is limited.
const PIECE: usize = 64 * 1024;

/// What to ask for.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    /// The value of `Authorization`, if any.
    pub(crate) authorization: Option<&'a str>,
    /// The value of `Content-Type`, or of `Accept` where there is no body.
    pub(crate) media_type: Option<&'a str>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: Vec<u8>,
    /// Bytes of the body, which were shown to the caller.
    pub(crate) length: u64,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(header(&self.head, name)?).ok()
    }
}

/// The value of a header in the head of an answer.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|&byte| byte == b'\n').find_map(|line| {
        let found = line.get(..name.len())?;
        let value = line.get(name.len()..)?.strip_prefix(b":")?;
        found
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| value.trim_ascii())
    })
}

impl Request<'_> {
    /// The head, for a body of `length` bytes; methods that have none get none.
    pub(crate) fn head(&self, host: SocketAddr, length: u64) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nhost: {host}\r\n",
            self.method, self.target
        );
        let mut add = |name: &str, value: &str| {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        };
        let has_body = !matches!(self.method, "GET" | "HEAD" | "DELETE");
        if let Some(value) = self.authorization {
            add("authorization", value);
        }
        if let Some(value) = self.media_type {
            add(if has_body { "content-type" } else { "accept" }, value);
        }
        if has_body {
            add("content-length", &length.to_string());
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            address,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request with a body made of `parts`, no faster than `pace` bytes a
    /// second, and reads the answer away.
    pub(crate) fn send(
        &mut self,
        request: Request<'_>,
        parts: &[&[u8]],
        pace: Option<u64>,
    ) -> anyhow::Result<Answer> {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        let sent = self
            .write(&request.head(self.address, length))
            .and_then(|()| match pace {
                None => parts.iter().try_for_each(|part| self.write(part)),
                Some(pace) => self.write_slowly(parts, pace),
            });
        // A server that refuses may answer before it has read everything.
        let answer = self.receive(request.method == "HEAD", &mut |_| ());
        match (sent, answer) {
            (Ok(()), answer) => answer,
            (Err(_), Ok(answer)) if answer.status >= 400 => Ok(answer),
            (Err(error), _) => Err(error),
        }
    }

    /// Asks for something and shows the bytes of the answer's body to `take`.
    pub(crate) fn fetch(
        &mut self,
        request: Request<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> anyhow::Result<Answer> {
        self.write(&request.head(self.address, 0))?;
        self.receive(request.method == "HEAD", take)
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).context("cannot send")
    }

    fn write_slowly(&mut self, parts: &[&[u8]], pace: u64) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut sent = 0;
        for piece in parts.iter().flat_map(|part| part.chunks(PIECE)) {
            self.write(piece)?;
            sent += piece.len() as u64;
            let due = begun + Duration::from_micros(sent * 1_000_000 / pace.max(1));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Reads one answer.
    pub(crate) fn receive(
        &mut self,
        is_bodiless: bool,
        take: &mut dyn FnMut(&[u8]),
    ) -> anyhow::Result<Answer> {
        let head = self.head()?;
        let status = head
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok())
            .context("this is no HTTP")?;
        let is_bodiless = is_bodiless || matches!(status, 204 | 304);
        let length = match header(&head, "content-length") {
            _ if is_bodiless => 0,
            Some(digits) => {
                let length = std::str::from_utf8(digits)?.parse()?;
                self.body(length, take)?;
                length
            }
            None => self.chunks(take)?,
        };
        Ok(Answer {
            status,
            head,
            length,
        })
    }

    fn head(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            let read = self.buffer.get(self.start..self.end).unwrap_or_default();
            let rest = read.get(looked..).unwrap_or_default();
            if let Some(at) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
                let end = looked + at + 4;
                let head = read.get(..end).unwrap_or_default().to_vec();
                self.start += end;
                return Ok(head);
            }
            looked = read.len().saturating_sub(3);
            self.fill()?;
        }
    }

    fn body(&mut self, length: u64, take: &mut dyn FnMut(&[u8])) -> anyhow::Result<()> {
        let mut left = length;
        while left > 0 {
            if self.start == self.end {
                self.fill()?;
            }
            let read = self.buffer.get(self.start..self.end).unwrap_or_default();
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(read.len());
            take(read.get(..wanted).unwrap_or_default());
            self.start += wanted;
            left -= wanted as u64;
        }
        Ok(())
    }

    fn chunks(&mut self, take: &mut dyn FnMut(&[u8])) -> anyhow::Result<u64> {
        let mut sum = 0;
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16)
                .with_context(|| format!("`{digits}` is no length of a chunk"))?;
            self.body(length, take)?;
            self.line()?;
            if length == 0 {
                return Ok(sum);
            }
            sum += length;
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        loop {
            let read = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(at) = read.iter().position(|&byte| byte == b'\n') {
                let line = read.get(..at).unwrap_or_default().trim_ascii();
                let line = String::from_utf8_lossy(line).into_owned();
                self.start += at + 1;
                return Ok(line);
            }
            self.fill()?;
        }
    }

    /// Reads what there is, at least a byte.
    fn fill(&mut self) -> anyhow::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            anyhow::ensure!(self.start > 0, "a head or line of more than {BUFFER} bytes");
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.stream.read(room) {
                Ok(0) => bail!("the server hung up"),
                Ok(count) => {
                    self.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("the server does not answer"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn answers_of_every_form_are_read_to_their_end() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
        let address = listener.local_addr().expect("it is bound");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody comes");
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nhello\
                      HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\nLocation: /x\r\n\r\n\
                      3\r\nabc\r\n2;odd\r\nde\r\n0\r\n\r\n\
                      HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\n",
                )
                .expect("it fits");
        });
        let mut connection = Connection::open(address).expect("it listens");
        let mut body = Vec::new();
        let mut next = |is_bodiless| {
            body.clear();
            let answer = connection
                .receive(is_bodiless, &mut |piece| body.extend_from_slice(piece))
                .expect("it is an answer");
            (answer, String::from_utf8_lossy(&body).into_owned())
        };
        let (first, text) = next(false);
        assert_eq!((first.status, text.as_str()), (200, "hello"));
        assert_eq!(first.header("x-one"), Some("1"));
        let (second, text) = next(false);
        assert_eq!((second.length, text.as_str()), (5, "abcde"));
        assert_eq!(second.header("location"), Some("/x"));
        assert_eq!(next(true).0.status, 404);
        server.join().expect("it wrote everything");
    }
}
