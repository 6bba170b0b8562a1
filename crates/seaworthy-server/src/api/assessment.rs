//! Images that were scanned where they lie: what `seaworthy scan --server` sends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use seaworthy_core::{Digest, ImageFacts};
use seaworthy_store::{
    Address, NewReport, Packed, RemoteScan, RemoteScanError, RepositoryName, decode_inventory,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use crate::assessor::{AssessError, Assessed, Assessor};
use crate::caller::Caller;
use crate::form::{Body, InRepository};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// What the `schema` field says.
const SCHEMA: &str = "seaworthy.submission/1";

/// The largest submission. An inventory of 100,000 packages has some 30 MB.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// The most tags and the most labels.
const MOST_WORDS: usize = 200;

/// The longest text that is no inventory.
const LONGEST: usize = 4096;

/// How long a client waits for others' inventories to be judged.
const PATIENCE: Duration = Duration::from_secs(30);

/// An image that was read where it lies: metadata only, and no byte of its layers.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Submission)]
pub(crate) struct Submission {
    /// Always `seaworthy.submission/1`.
    schema: String,
    /// As the image is called where it lies, without credentials.
    target: String,
    /// The digest of its manifest, where it has one.
    #[serde(default)]
    manifest: Option<String>,
    /// The digest of its config, where it has one.
    #[serde(default)]
    config: Option<String>,
    /// Such as `linux/amd64`.
    #[serde(default)]
    platform: Option<String>,
    /// Tags that the transport carried.
    #[serde(default)]
    tags: Vec<String>,
    /// Labels of the image, and what is added to them.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The document `seaworthy.inventory/1`.
    #[schema(value_type = Object)]
    inventory: Box<RawValue>,
}

impl Submission {
    fn facts(&self) -> Result<ImageFacts, Problem> {
        if self.schema != SCHEMA {
            return Err(Problem::invalid(format!("`schema` is not `{SCHEMA}`")));
        }
        if self.tags.len() > MOST_WORDS || self.labels.len() > MOST_WORDS {
            return Err(Problem::invalid(format!(
                "there are at most {MOST_WORDS} tags and {MOST_WORDS} labels"
            )));
        }
        let texts = [&self.target].into_iter().chain(&self.tags);
        let texts = texts.chain(self.labels.iter().flat_map(|(name, value)| [name, value]));
        for text in texts {
            if text.len() > LONGEST || text.chars().any(char::is_control) {
                return Err(Problem::invalid(format!(
                    "texts have at most {LONGEST} bytes and no control characters"
                )));
            }
        }
        if self.target.is_empty() {
            return Err(Problem::invalid("`target` says how the image is called"));
        }
        let digest = |name: &str, text: &Option<String>| {
            text.as_deref()
                .map(str::parse::<Digest>)
                .transpose()
                .map_err(|error| Problem::invalid(format!("`{name}`: {error}")))
        };
        let platform = self.platform.as_deref().map(str::parse).transpose();
        Ok(ImageFacts {
            target: self.target.as_str().into(),
            manifest: digest("manifest", &self.manifest)?,
            config: digest("config", &self.config)?,
            platform: platform.map_err(|error| Problem::invalid(format!("`platform`: {error}")))?,
            tags: self.tags.iter().map(|tag| tag.as_str().into()).collect(),
        })
    }
}

impl From<AssessError> for Problem {
    fn from(error: AssessError) -> Self {
        match error {
            AssessError::NoEdition => {
                Self::new(Kind::Unavailable, error.to_string()).retry_after(60)
            }
            AssessError::Failed(_) => {
                tracing::error!("{error}");
                Self::internal()
            }
        }
    }
}

impl From<RemoteScanError> for Problem {
    fn from(error: RemoteScanError) -> Self {
        match error {
            RemoteScanError::NoNamespace(_) => Self::new(Kind::Absent, error.to_string()),
            RemoteScanError::Full => Self::conflict(error.to_string()),
            RemoteScanError::Store(error) => error.into(),
        }
    }
}

/// Reads, judges and packs a submission. It takes its time.
fn assess(
    assessor: &dyn Assessor,
    repository: RepositoryName,
    submission: &Submission,
) -> Result<(RemoteScan, Vec<u8>), Problem> {
    let facts = submission.facts()?;
    let sent = submission.inventory.get().as_bytes();
    let inventory = decode_inventory(sent).map_err(|error| {
        let detail: String = error.to_string().chars().take(300).collect();
        Problem::invalid(format!("`inventory`: {detail}"))
    })?;
    // An image without a manifest is named by what was found in it.
    let address = match &facts.manifest {
        Some(digest) => Address::from(digest),
        None => Address::of_sha256(Sha256::digest(sent).into()),
    };
    let platform = facts.platform.as_ref().map(ToString::to_string);
    let probes = inventory.probes.as_str().to_owned();
    let assessed = assessor.assess(facts, inventory)?;
    let Assessed {
        report,
        verdict,
        policy,
        deciding,
    } = &assessed;
    let mut document = Vec::new();
    let image = seaworthy_report::Assessed {
        report,
        verdict,
        policy,
    };
    seaworthy_report::json(&[image], &mut document).map_err(|error| {
        tracing::error!("a report cannot be written: {error}");
        Problem::internal()
    })?;
    let scan = RemoteScan {
        repository,
        target: submission.target.clone(),
        address,
        platform,
        labels: submission.labels.clone(),
        probes,
        inventory: Packed::of(sent),
        report: NewReport::of(report, verdict, policy, deciding, &document),
    };
    Ok((scan, document))
}

/// Waits until there is room for one more.
async fn turn(room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = || Problem::new(Kind::Unavailable, "other inventories are judged").retry_after(5);
    tokio::time::timeout(PATIENCE, Arc::clone(room).acquire_owned())
        .await
        .map_err(|_| busy())?
        .map_err(|_| busy())
}

/// Assess an image that lies elsewhere
///
/// Takes what `seaworthy scan` found in it: metadata only. Answers with the report of this
/// installation's edition and policy, and shows the image as *metadata only*.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/assessments",
    operation_id = "assess_elsewhere",
    tag = "reports",
    params(("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`.")),
    request_body = Submission,
    responses((status = 200, description = "The document `seaworthy.report/1`.", body = Object))
)]
pub(crate) async fn submit(
    State(shared): State<Shared>,
    caller: Caller,
    InRepository(repository): InRepository,
    request: Request,
) -> Result<Response, Problem> {
    let assessor = shared.assessor.clone().ok_or_else(Problem::absent)?;
    // Held to the end: a document is large, and so is what is made of it.
    let _place = turn(&shared.inventories).await?;
    let Body(submission) = Body::<Submission>::from_request(request, &shared).await?;
    let turn = turn(&shared.assessments).await?;
    let name = repository.clone();
    let (scan, document) = tokio::task::spawn_blocking(move || {
        let done = assess(&*assessor, name, &submission);
        drop(turn);
        done
    })
    .await
    .map_err(|_| Problem::internal())??;
    let place = format!(
        "/api/v1/repositories/{}/images/{}",
        repository.as_str().replace('/', "%2F"),
        scan.address
    );
    shared
        .scans
        .record_remote(scan, &caller.principal.actor)
        .await?;
    let place = HeaderValue::try_from(place).map_err(|_| Problem::internal())?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::LOCATION, place),
    ];
    Ok((headers, document).into_response())
}
