//! Images of a repository.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use seaworthy_core::Outcome;
use seaworthy_store::{DeleteError, ImageFilter, ImageRow, ImageState, RetentionClass, Rollup};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::Caller;
use crate::form::{Asked, InRepository, OfImage};
use crate::moment;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;

/// How far the scan of an image is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImageState)]
pub(crate) enum StateWord {
    NotScanned,
    Queued,
    Scanning,
    Done,
    Unsupported,
    Failed,
}

/// What is kept of an image: the image and metadata, or metadata only.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionClass)]
pub(crate) enum ClassWord {
    Full,
    Metadata,
}

/// What a policy says to a report, in one word.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Outcome)]
pub(crate) enum OutcomeWord {
    Pass,
    Fail,
    Unknown,
}

impl From<ImageState> for StateWord {
    fn from(state: ImageState) -> Self {
        match state {
            ImageState::NotScanned => Self::NotScanned,
            ImageState::Queued => Self::Queued,
            ImageState::Scanning => Self::Scanning,
            ImageState::Done => Self::Done,
            ImageState::Unsupported => Self::Unsupported,
            ImageState::Failed => Self::Failed,
        }
    }
}

impl From<StateWord> for ImageState {
    fn from(word: StateWord) -> Self {
        match word {
            StateWord::NotScanned => Self::NotScanned,
            StateWord::Queued => Self::Queued,
            StateWord::Scanning => Self::Scanning,
            StateWord::Done => Self::Done,
            StateWord::Unsupported => Self::Unsupported,
            StateWord::Failed => Self::Failed,
        }
    }
}

impl From<RetentionClass> for ClassWord {
    fn from(class: RetentionClass) -> Self {
        match class {
            RetentionClass::Full => Self::Full,
            RetentionClass::Metadata => Self::Metadata,
        }
    }
}

impl From<ClassWord> for RetentionClass {
    fn from(word: ClassWord) -> Self {
        match word {
            ClassWord::Full => Self::Full,
            ClassWord::Metadata => Self::Metadata,
        }
    }
}

impl From<OutcomeWord> for Outcome {
    fn from(word: OutcomeWord) -> Self {
        match word {
            OutcomeWord::Pass => Self::Pass,
            OutcomeWord::Fail => Self::Fail,
            OutcomeWord::Unknown => Self::Unknown,
        }
    }
}

impl OutcomeWord {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "pass" => Self::Pass,
            "fail" => Self::Fail,
            // What cannot be told apart is not a pass.
            _ => Self::Unknown,
        }
    }
}

/// Findings of the newest report by severity.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct CountsDocument {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    negligible: u64,
    /// Rated by nobody.
    unrated: u64,
    /// Those of all levels that have a fix.
    fixable: u64,
}

/// An image with the numbers of its newest report.
#[derive(Serialize, ToSchema)]
#[schema(as = Image)]
pub(crate) struct ImageDocument {
    /// The repository it belongs to.
    repository: String,
    /// Its digest.
    digest: String,
    /// `image`, `index` or `artifact`.
    kind: String,
    /// What is kept of it.
    retention_class: ClassWord,
    /// Such as `linux/amd64`.
    platform: Option<String>,
    /// As it was called where it lies, for images that were only told of.
    target: Option<String>,
    /// How far its scan is.
    state: StateWord,
    /// Why, where the state needs a reason.
    reason: Option<String>,
    /// Since when it is in that state.
    #[schema(format = DateTime)]
    state_since: String,
    /// What the policy says to its newest report.
    verdict: Option<OutcomeWord>,
    /// Findings of the newest report; absent where there is none.
    findings: Option<CountsDocument>,
    /// How many packages it has; absent without a report.
    packages: Option<u64>,
    /// The number of the newest report.
    report: Option<i64>,
    /// The digest of the edition of the newest report.
    edition: Option<String>,
    /// When the newest report was made.
    #[schema(format = DateTime)]
    assessed_at: Option<String>,
    /// When the image came.
    #[schema(format = DateTime)]
    created_at: String,
    /// Labels of its config.
    labels: BTreeMap<String, String>,
    /// The media type of its manifest, where that is here.
    media_type: Option<String>,
    /// The size of its manifest in bytes.
    manifest_size: Option<u64>,
    /// When it was pushed last.
    #[schema(format = DateTime)]
    pushed_at: Option<String>,
    /// By whom.
    pushed_by: Option<String>,
    /// When it was pulled last.
    #[schema(format = DateTime)]
    pulled_at: Option<String>,
    /// Its tags, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    /// The images of each platform, where it is an index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    platforms: Vec<PlatformDocument>,
}

/// One of the images that an index names.
#[derive(Serialize, ToSchema)]
#[schema(as = Platform)]
pub(crate) struct PlatformDocument {
    /// Its digest.
    digest: String,
    /// As the index says.
    platform: Option<String>,
    /// What is known of it, where it is in the repository.
    #[schema(no_recursion)]
    image: Option<Box<ImageDocument>>,
}

impl From<ImageRow> for ImageDocument {
    fn from(row: ImageRow) -> Self {
        let is_assessed = row.report.is_some();
        let text = |word: Option<Box<str>>| word.map(String::from);
        Self {
            repository: row.repository.to_string(),
            digest: row.address.to_string(),
            kind: row.kind.into(),
            retention_class: row.class.into(),
            platform: text(row.platform),
            target: text(row.target),
            state: row.state.into(),
            reason: text(row.reason),
            state_since: moment::text(row.state_since),
            verdict: row.outcome.as_deref().map(OutcomeWord::of),
            findings: is_assessed.then_some(CountsDocument {
                critical: row.counts.critical,
                high: row.counts.high,
                medium: row.counts.medium,
                low: row.counts.low,
                negligible: row.counts.negligible,
                unrated: row.counts.unrated,
                fixable: row.counts.fixable,
            }),
            packages: is_assessed.then_some(row.packages),
            report: row.report,
            edition: text(row.edition),
            assessed_at: row.assessed_at.map(moment::text),
            created_at: moment::text(row.created_at),
            labels: row.labels,
            media_type: text(row.media_type),
            manifest_size: row.manifest_size,
            pushed_at: row.pushed_at.map(moment::text),
            pushed_by: text(row.pushed_by),
            pulled_at: row.pulled_at.map(moment::text),
            tags: Vec::new(),
            platforms: Vec::new(),
        }
    }
}

impl From<Rollup> for PlatformDocument {
    fn from(part: Rollup) -> Self {
        Self {
            digest: part.address.to_string(),
            platform: part.platform.map(String::from),
            image: part.image.map(|row| Box::new(row.into())),
        }
    }
}

/// Refuses where there is no such repository: an empty list would say that there is.
pub(crate) async fn require(
    shared: &Shared,
    repository: &seaworthy_store::RepositoryName,
) -> Result<(), Problem> {
    let row = shared.browse.repository(repository).await?;
    row.map(drop).ok_or_else(Problem::absent)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListImages {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<StateWord>,
    /// Only those of which this is kept.
    #[param(inline)]
    retention_class: Option<ClassWord>,
    /// Only those whose newest report came to this.
    #[param(inline)]
    verdict: Option<OutcomeWord>,
}

/// List the images of a repository
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images",
    operation_id = "list_images",
    tag = "images",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ListImages
    ),
    responses((status = 200, description = "A page of images.", body = Listed<ImageDocument>))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    InRepository(repository): InRepository,
    Asked(asked): Asked<ListImages>,
) -> Result<Listed<ImageDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    require(&shared, &repository).await?;
    let filter = ImageFilter {
        state: asked.state.map(ImageState::from),
        class: asked.retention_class.map(RetentionClass::from),
        outcome: asked.verdict.map(Outcome::from),
    };
    let page = shared
        .browse
        .images(&repository, filter, window.number()?, window.limit)
        .await?;
    let (newest, oldest) = (
        page.items.first().map(|row| row.id),
        page.items.last().map(|row| row.id),
    );
    let mut tags = match (oldest, newest) {
        (Some(oldest), Some(newest)) => shared.browse.tags_of(&repository, oldest, newest).await?,
        _ => BTreeMap::new(),
    };
    let items = page.items.into_iter().map(|row| {
        let names = tags.remove(&row.id).unwrap_or_default();
        ImageDocument {
            tags: names.iter().map(ToString::to_string).collect(),
            ..row.into()
        }
    });
    let items = items.collect();
    Ok(Listed::of(
        items,
        oldest.map(|id| id.to_string()),
        page.more,
    ))
}

/// Show an image
///
/// With its tags and, for an index, what is known of each platform.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/images/{digest}",
    operation_id = "show_image",
    tag = "images",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image.")
    ),
    responses((status = 200, description = "The image.", body = ImageDocument))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    OfImage(repository, address): OfImage,
) -> Result<Json<ImageDocument>, Problem> {
    let row = shared.browse.image(&repository, &address).await?;
    let row = row.ok_or_else(Problem::absent)?;
    let id = row.id;
    let tags = shared.browse.tags_of(&repository, id, id).await?;
    let platforms = if &*row.kind == "index" {
        shared.browse.rollup(&repository, &address).await?
    } else {
        Vec::new()
    };
    Ok(Json(ImageDocument {
        tags: tags
            .into_values()
            .flatten()
            .map(|tag| tag.to_string())
            .collect(),
        platforms: platforms.into_iter().map(PlatformDocument::from).collect(),
        ..row.into()
    }))
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Absent => Self::absent(),
            DeleteError::Immutable(_) | DeleteError::Named(_) => Self::conflict(error.to_string()),
            DeleteError::Store(error) => error.into(),
        }
    }
}

/// Delete an image
///
/// With its tags, its referrers, its reports and all else that is known of it. Layers that
/// other images have stay; the audit log keeps who deleted which digest.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/images/{digest}",
    operation_id = "delete_image",
    tag = "images",
    params(
        ("repository" = String, Path, description = "Its whole name, each slash as `%2F` or `~`."),
        ("digest" = String, Path, description = "The digest of the image.")
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    OfImage(repository, address): OfImage,
) -> Result<StatusCode, Problem> {
    let row = shared.browse.image(&repository, &address).await?;
    let actor = &caller.principal.actor;
    let is_metadata = row.is_some_and(|row| row.class == RetentionClass::Metadata);
    if is_metadata {
        shared
            .catalog
            .delete_metadata(&repository, &address, actor)
            .await?;
    } else {
        shared
            .catalog
            .delete_manifest(&repository, &address, actor)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
