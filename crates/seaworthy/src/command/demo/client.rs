//! The other side of the demonstration: pushes and asks over HTTP, as anybody would.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use seaworthy_access::{KeyRequest, Principal, Role, Where};
use seaworthy_core::Reference;
use seaworthy_remote::{
    Credential, Credentials, Options, Purpose, Registry, Secret, Security, Server,
};
use seaworthy_store::{AccountKind, Actor, NewAccount};
use serde_json::Value;

use crate::demo::Sample;
use crate::failure::Hinted;
use crate::serve::Node;

/// How often to ask for a verdict that is not there yet.
const REST: Duration = Duration::from_millis(2);

/// How long to ask for one.
const PATIENCE: Duration = Duration::from_mins(1);

/// Most bytes of an answer.
const MOST: usize = 16 << 20;

/// The robot that pushes.
const ROBOT: &str = "demo";

/// Somebody who pushes and asks.
pub(super) struct Client {
    registry: Registry,
    server: Server,
    host: String,
    secret: Secret,
}

/// What became of one sample.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) about: &'static str,
    /// From the first byte to the answer to the manifest.
    pub(super) pushed_in: Duration,
    /// From there to the verdict.
    pub(super) verdict_in: Duration,
    /// `image` documents of the API: one, or one a platform.
    pub(super) images: Vec<Image>,
}

/// What the API says of one image.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) platform: Option<String>,
    pub(super) state: String,
    pub(super) verdict: Option<String>,
    pub(super) packages: u64,
    /// Worst first.
    pub(super) findings: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) vulnerability: String,
    pub(super) severity: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) fixed_in: Option<String>,
    pub(super) is_exploited: bool,
}

/// What a search found.
#[derive(Debug)]
pub(super) struct Sought {
    /// Repositories with what is sought.
    pub(super) repositories: Vec<String>,
    pub(super) took: Duration,
}

impl Client {
    /// Makes a robot on the node and becomes it.
    pub(super) async fn of(node: &Node) -> anyhow::Result<Self> {
        let secret = robot(node).await?;
        let host = node.address().to_string();
        let options = Options {
            purpose: Purpose::Push,
            security: Security::Plain,
            credentials: Credentials {
                given: Some(Credential::Password {
                    user: ROBOT.to_owned(),
                    password: secret.clone(),
                }),
                ..Credentials::default()
            },
            ..Options::default()
        };
        let server = Server::at(&format!("http://{host}"), Some(secret.clone()), &options)?;
        Ok(Self {
            // The port is open and nobody accepts yet: nothing is asked before the
            // first push.
            registry: Registry::connect(&host, options).await?,
            server,
            host,
            secret,
        })
    }

    /// What the robot shows.
    pub(super) fn secret(&self) -> &str {
        self.secret.reveal()
    }

    /// Pushes a sample and waits for its verdict.
    pub(super) async fn push_and_wait(&self, sample: &Sample) -> anyhow::Result<Judged> {
        let name = format!("{}:{}", sample.repository, sample.tag);
        let begun = Instant::now();
        let digest = self
            .push(sample)
            .await
            .with_context(|| format!("cannot push `{name}`"))?;
        let pushed_in = begun.elapsed();
        let begun = Instant::now();
        let document = self.verdict(sample.repository, &digest).await?;
        let verdict_in = begun.elapsed();
        let mut images = Vec::new();
        match document.get("platforms").and_then(Value::as_array) {
            Some(platforms) if !platforms.is_empty() => {
                for platform in platforms {
                    images.push(self.image(sample.repository, &platform["image"]).await?);
                }
            }
            _ => images.push(self.image(sample.repository, &document).await?),
        }
        Ok(Judged {
            name,
            about: sample.about,
            pushed_in,
            verdict_in,
            images,
        })
    }

    async fn push(&self, sample: &Sample) -> anyhow::Result<String> {
        let reference = |tag: &str| -> anyhow::Result<Reference> {
            let text = format!("{}/{}:{tag}", self.host, sample.repository);
            text.parse()
                .with_context(|| format!("`{text}` is no reference"))
        };
        let whole = reference(sample.tag)?;
        for blob in &sample.blobs {
            self.registry
                .push_blob(&whole, &blob.digest, blob.bytes.clone(), None)
                .await?;
        }
        let mut digest = String::new();
        for (at, manifest) in sample.manifests.iter().enumerate() {
            // What an index names has a tag of its own, as build tools give them.
            let is_last = at + 1 == sample.manifests.len();
            let place = if is_last {
                whole.clone()
            } else {
                reference(&format!("{}-{}", sample.tag, at + 1))?
            };
            let bytes = manifest.blob.bytes.clone();
            digest = self
                .registry
                .push_manifest(&place, manifest.media_type, bytes)
                .await?
                .to_string();
        }
        Ok(digest)
    }

    /// The image as soon as its scan has ended.
    async fn verdict(&self, repository: &str, digest: &str) -> anyhow::Result<Value> {
        let path = format!("{}/{digest}", images(repository));
        let begun = Instant::now();
        loop {
            let document = self.read(&path).await?;
            let state = document["state"].as_str().unwrap_or_default();
            if matches!(state, "done" | "unsupported" | "failed") {
                return Ok(document);
            }
            if begun.elapsed() > PATIENCE {
                return Err(Hinted::error(
                    format!("there is no verdict on `{repository}` after a minute: {state}"),
                    "`seaworthy doctor` may know why",
                ));
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// An image with its findings.
    async fn image(&self, repository: &str, document: &Value) -> anyhow::Result<Image> {
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        let mut findings = Vec::new();
        if document["report"].is_i64() {
            let digest = text("digest").unwrap_or_default();
            let path = format!("{}/{digest}/findings?limit=200", images(repository));
            let page = self.read(&path).await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            findings.extend(items.iter().map(Finding::of));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight()));
        Ok(Image {
            platform: text("platform"),
            state: text("state").unwrap_or_default(),
            verdict: text("verdict"),
            packages: document["packages"].as_u64().unwrap_or_default(),
            findings,
        })
    }

    /// Which repositories have a vulnerability.
    pub(super) async fn search(&self, vulnerability: &str) -> anyhow::Result<Sought> {
        let begun = Instant::now();
        let path = format!("/api/v1/search?vulnerability={vulnerability}");
        let page = self.read(&path).await?;
        let took = begun.elapsed();
        let mut repositories: Vec<String> = page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["repository"].as_str().map(str::to_owned))
            .collect();
        repositories.sort();
        repositories.dedup();
        Ok(Sought { repositories, took })
    }

    async fn read(&self, path: &str) -> anyhow::Result<Value> {
        let bytes = self.server.read(path, MOST).await?;
        serde_json::from_slice(&bytes).context("the server's answer is not JSON")
    }
}

fn images(repository: &str) -> String {
    format!(
        "/api/v1/repositories/{}/images",
        repository.replace('/', "%2F")
    )
}

impl Finding {
    fn of(document: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            vulnerability: text(&document["vulnerability"]),
            severity: text(&document["severity"]),
            package: text(&document["package"]["name"]),
            version: text(&document["package"]["version"]),
            fixed_in: document["fixed_in"][0].as_str().map(str::to_owned),
            is_exploited: document["known_exploited"] == true,
        }
    }

    /// What is exploited goes before what is only rated.
    fn weight(&self) -> (u8, bool) {
        let level = match &*self.severity {
            "critical" => 4,
            "high" => 3,
            "medium" => 2,
            "low" => 1,
            _ => 0,
        };
        (level, self.is_exploited)
    }
}

/// Makes a robot that may do everything here, and its secret.
async fn robot(node: &Node) -> anyhow::Result<Secret> {
    let authority = node.authority();
    let principal = Principal {
        actor: Actor::system("demo"),
        roles: vec![(None, Role::Admin)],
        ..Principal::anonymous()
    };
    let new = NewAccount {
        kind: AccountKind::Robot,
        name: ROBOT.parse().context("the robot has no name")?,
        display_name: None,
        email: None,
        password: None,
        must_change: false,
        namespace: None,
        expires_at: None,
    };
    let account = node.accounts().create(&new, &principal.actor).await?;
    authority
        .grant(&principal, account.id, Where::Everywhere, Role::Admin)
        .await?;
    let request = KeyRequest {
        name: "demonstration".into(),
        narrowed: None,
        expires_at: None,
    };
    let (_, secret) = authority.make_key(&principal, account.id, request).await?;
    Ok(Secret::new(secret.reveal()))
}
