//! A server of the product, as an operator starts it, and HTTP as anybody speaks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::product::{User, tool};

/// What the administrator changes the first password to.
pub(crate) const PASSWORD: &str = "a long enough one";

/// A running `seaworthy serve`.
pub(crate) struct Serving {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The password of the first start, if this is one.
    pub(crate) first: Option<String>,
    /// Where its log goes.
    log: PathBuf,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl User {
    /// Starts a server on a free port, with further arguments.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Serving {
        let mut command = self.command();
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Serving::start(command, self.path("log"))
    }
}

impl Serving {
    /// Starts `command` and waits until it says where it listens.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut address = None;
        let mut first = None;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if let Some((_, place)) = line.split_once(" at http") {
                let (_, place) = place.split_once("://").unwrap();
                address = Some(place.to_owned());
            } else if let Some(password) = line.strip_prefix("    ") {
                first = Some(password.to_owned());
            } else if line.starts_with("data in ") {
                break;
            }
        }
        let address = address.unwrap_or_else(|| {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the server does not say where it listens: {said}")
        });
        Self {
            child,
            address,
            first,
            log,
        }
    }

    /// One request, answered whole.
    pub(crate) fn ask(&self, method: &str, path: &str, user: Option<&str>, body: &[u8]) -> Answer {
        self.try_ask(method, path, user, body).unwrap()
    }

    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        user: Option<&str>,
        body: &[u8],
    ) -> std::io::Result<Answer> {
        let login = user.map_or_else(String::new, |user| {
            format!("Authorization: Basic {}\r\n", base64(user.as_bytes()))
        });
        let mut stream = TcpStream::connect(&self.address)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{login}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let end = bytes
            .windows(4)
            .position(|it| it == b"\r\n\r\n")
            .ok_or_else(|| std::io::Error::other("no answer"))?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer {
            status,
            body: bytes[end + 4..].to_vec(),
        })
    }

    /// Changes the password of the first start, as the administrator must.
    pub(crate) fn become_admin(&self) -> String {
        let first = self.first.clone().expect("a first start");
        let body = serde_json::json!({"old": first, "new": PASSWORD}).to_string();
        let user = format!("admin:{first}");
        let path = "/api/v1/session/password";
        let answer = self.ask("POST", path, Some(&user), body.as_bytes());
        assert_eq!(answer.status, 204, "{}", answer.text());
        format!("admin:{PASSWORD}")
    }

    /// The image that a tag points to, as the API tells it, once its scan has ended.
    pub(crate) fn judged(&self, user: &str, repository: &str, tag: &str) -> Value {
        let path = format!("/api/v1/repositories/{}/tags", repository.replace('/', "~"));
        let mut found = Value::Null;
        seaworthy_testkit::wait_until("the image is judged", || {
            let answer = self.ask("GET", &path, Some(user), b"");
            assert_eq!(answer.status, 200, "{}", answer.text());
            let items = answer.json()["items"].as_array().cloned().unwrap();
            found = items
                .into_iter()
                .find(|it| it["name"] == tag)
                .map_or(Value::Null, |it| it["image"].clone());
            matches!(
                found["state"].as_str(),
                Some("done" | "failed" | "unsupported")
            )
        });
        found
    }

    /// Copies an OCI layout into the registry, as CI does.
    pub(crate) fn push(&self, user: &str, layout: &str, name: &str) {
        tool(Command::new("skopeo").args([
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
            "--dest-creds",
            user,
            layout,
            &format!("docker://{}/{name}", self.address),
        ]));
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        tool(Command::new("kill").args([&format!("-{name}"), &id]));
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }

    /// Waits until it has ended, which it was asked to before.
    pub(crate) fn end_after_signal(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|three| {
            let number = three
                .iter()
                .chain([&0; 2])
                .take(3)
                .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
            (0..4).map(move |at| {
                if at <= three.len() {
                    char::from(DIGITS[number >> (18 - 6 * at) & 63])
                } else {
                    '='
                }
            })
        })
        .collect()
}
