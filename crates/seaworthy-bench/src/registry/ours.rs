//! Our own server, as users start it, and what its API says.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use data_encoding::BASE64;
use seaworthy_advisories::Shelf;
use serde_json::{Value, json};

use super::arrival::Arrival;
use super::server::{Server, free_address};
use super::traffic::Target;
use super::wire::{Connection, Request};
use crate::product::Product;

/// `seaworthy serve`, with everything in one folder.
pub(crate) struct Ours {
    server: Server,
    /// What opens its API: the value of `Authorization`.
    key: String,
}

/// How often to ask for the state of an image. The API answers one principal a
/// hundred times a second and some hundreds more in a row.
const INTERVAL: Duration = Duration::from_millis(2);

/// Findings that are not there after this time never come.
const PATIENCE: Duration = Duration::from_mins(1);

/// The password of the bench's own server on the loopback, which lives for minutes.
const PASSWORD: &str = "an hour on the loopback";

impl Ours {
    /// Starts the server alone, with its data in `data`.
    pub(crate) fn bare(product: &Product, data: &Path) -> anyhow::Result<Server> {
        let address = free_address()?;
        let mut command = product.bare();
        command
            .args(["serve", "--data"])
            .arg(data)
            .args(["--listen", &address.to_string()])
            .stdout(File::create(data.join("welcome.txt"))?)
            .stderr(File::create(data.join("serve.log"))?);
        Server::start(&mut command, address, "/readyz")
    }

    /// Starts it with the edition installed, and signs in.
    pub(crate) fn start(product: &Product, data: &Path) -> anyhow::Result<Self> {
        Shelf::at(data.join("editions")).install(fs::read(&product.edition)?)?;
        let server = Self::bare(product, data)?;
        let welcome = fs::read_to_string(data.join("welcome.txt"))?;
        let first = welcome.lines().find_map(|line| line.strip_prefix("    "));
        let first = first.context("the server shows no password at its first start")?;
        let mut ours = Self {
            server,
            key: basic("admin", first),
        };
        let change = json!({ "old": first, "new": PASSWORD });
        ours.call("POST", "/session/password", Some(&change), 204)?;
        ours.key = basic("admin", PASSWORD);
        let made = ours.call(
            "POST",
            "/session/keys",
            Some(&json!({ "name": "bench" })),
            201,
        )?;
        let secret = made["secret"].as_str().context("a key has no secret")?;
        ours.key = format!("Bearer {secret}");
        Ok(ours)
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// A repository with a token for it, as clients get one.
    pub(crate) fn target(&self, repository: &str) -> anyhow::Result<Target> {
        let secret = self.key.strip_prefix("Bearer ").unwrap_or_default();
        let authorization = basic("token", secret);
        let target = format!("/token?service=bench&scope=repository:{repository}:pull,push");
        let request = Request {
            method: "GET",
            target: &target,
            authorization: Some(&authorization),
            media_type: None,
        };
        let (status, answer) = ask(&mut self.server.connect()?, request, None)?;
        let token = answer["token"].as_str();
        let token = token.with_context(|| format!("{target} answers {status}"))?;
        Ok(Target {
            address: self.server.address,
            repository: repository.to_owned(),
            authorization: Some(format!("Bearer {token}")),
        })
    }

    pub(crate) fn add_namespace(&self, name: &str, scans: bool) -> anyhow::Result<()> {
        let settings = json!({ "name": name, "settings": { "auto_scan": scans } });
        self.call("POST", "/namespaces", Some(&settings), 201)?;
        Ok(())
    }

    /// Waits until the newest image of a repository has findings; the clock starts
    /// now.
    pub(crate) fn wait_for_findings(
        &self,
        target: &Target,
        digest: &str,
    ) -> anyhow::Result<Arrival> {
        let begun = Instant::now();
        let name = target.repository.replace('/', "~");
        let path = format!("/api/v1/repositories/{name}/images/{digest}");
        let mut connection = self.server.connect()?;
        let request = Request {
            method: "GET",
            target: &path,
            authorization: Some(&self.key),
            media_type: None,
        };
        loop {
            let asked = Instant::now();
            let (status, image) = ask(&mut connection, request, None)?;
            let after = begun.elapsed();
            match (status, image["state"].as_str()) {
                (200, Some("done")) => {
                    let counts = image["findings"].as_object();
                    let counts = counts.context("an image that is done has no findings")?;
                    let levels = counts.iter().filter(|(level, _)| *level != "fixable");
                    return Ok(Arrival {
                        after,
                        findings: levels.filter_map(|(_, count)| count.as_u64()).sum(),
                    });
                }
                (200, Some("failed" | "unsupported")) => bail!("the scan failed: {image}"),
                (200 | 429, _) if after < PATIENCE => {}
                _ => bail!("{path} answers {status}: {image}"),
            }
            std::thread::sleep(INTERVAL.saturating_sub(asked.elapsed()));
        }
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        document: Option<&Value>,
        wanted: u16,
    ) -> anyhow::Result<Value> {
        let target = format!("/api/v1{path}");
        let request = Request {
            method,
            target: &target,
            authorization: Some(&self.key),
            media_type: Some("application/json"),
        };
        let (status, answer) = ask(&mut self.server.connect()?, request, document)?;
        anyhow::ensure!(
            status == wanted,
            "{method} {target} answers {status}: {answer}"
        );
        Ok(answer)
    }
}

fn basic(name: &str, secret: &str) -> String {
    let pair = BASE64.encode(format!("{name}:{secret}").as_bytes());
    format!("Basic {pair}")
}

/// Asks for a document; one that is none is null.
fn ask(
    connection: &mut Connection,
    request: Request<'_>,
    document: Option<&Value>,
) -> anyhow::Result<(u16, Value)> {
    let body = document.map(Value::to_string).unwrap_or_default();
    let head = request.head(connection.address(), body.len() as u64);
    connection.write(&head)?;
    connection.write(body.as_bytes())?;
    let mut text = Vec::new();
    let answer = connection.receive(false, &mut |piece| text.extend_from_slice(piece))?;
    Ok((
        answer.status,
        serde_json::from_slice(&text).unwrap_or(Value::Null),
    ))
}
