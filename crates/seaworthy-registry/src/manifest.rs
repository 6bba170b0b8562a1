//! Manifests: told, taken, removed.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use seaworthy_store::{Address, Algorithm, DeleteError, ManifestName, NewManifest, PushError, Tag};

use crate::answer;
use crate::body;
use crate::document::{self, DocumentError};
use crate::fault::Fault;
use crate::visit::Visit;

/// How many tags one push may set.
const MOST_TAGS: usize = 64;

/// Above this size a manifest is read where it keeps nobody waiting.
const AT_ONCE: usize = 64 << 10;

/// A manifest by tag or digest, as the address names it.
fn name(last: &str) -> Result<ManifestName, Fault> {
    if last.contains(':') {
        return last
            .parse()
            .map(ManifestName::Address)
            .map_err(Fault::Digest);
    }
    // What is no tag is not there.
    let tag = last.parse().map(ManifestName::Tag);
    tag.map_err(|_| Fault::NoManifest(last.chars().take(200).collect()))
}

pub(crate) async fn read(visit: &Visit) -> Result<Response, Fault> {
    let name = name(&visit.last)?;
    let catalog = &visit.door.options.catalog;
    let Some(stored) = catalog.manifest(&visit.repository, &name).await? else {
        let absent = Fault::NoManifest(visit.last.clone());
        return Err(visit.absent(absent).await);
    };
    let entity_tag = answer::entity_tag(&stored.address);
    let is_known = answer::is_known(&visit.parts.headers, &entity_tag);
    let length = stored.content.len();
    let is_told = visit.parts.method != Method::HEAD && !is_known;
    // Rules of retention ask when an image was last pulled. One whose manifest the client
    // has already is pulled, too; one that was only looked for is not.
    if visit.parts.method != Method::HEAD {
        catalog.note_pull(&visit.repository, &stored.address);
    }
    let mut response = Response::new(if is_told {
        Body::from(stored.content)
    } else {
        Body::empty()
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if let Ok(media_type) = HeaderValue::from_str(&stored.media_type) {
            headers.insert(header::CONTENT_TYPE, media_type);
        }
    }
    response.headers_mut().insert(header::ETAG, entity_tag);
    answer::tell(
        &mut response,
        answer::CONTENT_DIGEST,
        stored.address.as_str(),
    );
    Ok(response)
}

/// What a push is told to do, before its content arrives.
struct Order {
    /// The digest that the client says.
    stated: Option<Address>,
    tags: Vec<Tag>,
    content_type: Option<String>,
}

fn order(visit: &Visit) -> Result<Order, Fault> {
    let as_tag = |text: &str| {
        let reference = || DocumentError::Reference(text.chars().take(200).collect());
        text.parse::<Tag>()
            .map_err(|_| Fault::Document(reference()))
    };
    let content_type = visit.header(header::CONTENT_TYPE).map(str::to_owned);
    if !visit.last.contains(':') {
        return Ok(Order {
            stated: None,
            tags: vec![as_tag(&visit.last)?],
            content_type,
        });
    }
    let stated = visit.address()?;
    let query = visit.query();
    let mut tags = Vec::new();
    for text in query.all("tag") {
        let tag = as_tag(text)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MOST_TAGS {
            return Err(Fault::TooManyTags(MOST_TAGS));
        }
    }
    Ok(Order {
        stated: Some(stated),
        tags,
        content_type,
    })
}

fn document(content: Bytes, order: &Order) -> Result<NewManifest, Fault> {
    let algorithm = order
        .stated
        .as_ref()
        .map_or(Algorithm::Sha256, Address::algorithm);
    let found = document::address_of(&content, algorithm);
    match &order.stated {
        Some(stated) if *stated != found => Err(Fault::WrongDigest {
            stated: stated.clone(),
            found,
        }),
        _ => Ok(document::read(
            content,
            order.content_type.as_deref(),
            found,
        )?),
    }
}

pub(crate) async fn push(visit: Visit, body: Body) -> Result<Response, Fault> {
    let order = order(&visit)?;
    let options = &visit.door.options;
    let limit = options.limits.manifest_bytes;
    let too_large = || Fault::ManifestTooLarge { limit };
    if visit
        .stated_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let content = body::whole(body, limit, options.limits.idle, &visit.door.large).await?;
    let content = content.ok_or_else(too_large)?;
    let (order, manifest) = if content.len() > AT_ONCE {
        let read = tokio::task::spawn_blocking(move || {
            let manifest = document(content, &order);
            (order, manifest)
        });
        read.await.map_err(|_| Fault::Broken)?
    } else {
        let manifest = document(content, &order);
        (order, manifest)
    };
    let manifest = manifest?;
    let founding = visit
        .door
        .founding(&visit.principal, &visit.repository)
        .await?;
    let pushed = options.catalog.push_manifest(
        &visit.repository,
        &manifest,
        &order.tags,
        founding,
        &visit.principal.actor,
    );
    pushed.await.map_err(refused)?;
    let mut response = answer::empty(StatusCode::CREATED);
    let location = format!("/v2/{}/manifests/{}", visit.repository, manifest.address);
    answer::tell(&mut response, header::LOCATION, &location);
    answer::tell(
        &mut response,
        answer::CONTENT_DIGEST,
        manifest.address.as_str(),
    );
    if let Some(subject) = &manifest.subject {
        answer::tell(&mut response, answer::SUBJECT, subject.as_str());
    }
    if order.stated.is_some() && !order.tags.is_empty() {
        let tags: Vec<&str> = order.tags.iter().map(Tag::as_str).collect();
        answer::tell(&mut response, answer::TAG, &tags.join(", "));
    }
    Ok(response)
}

fn refused(error: PushError) -> Fault {
    match error {
        PushError::Missing(parts) => Fault::Missing(parts),
        PushError::WrongSize { .. } => Fault::Size(error.to_string()),
        PushError::Immutable(tag) => Fault::Immutable(tag),
        PushError::NoNamespace(_) => Fault::Denied(format!(
            "{error}; to make it needs the right `create-namespace`"
        )),
        PushError::Quota { .. } => Fault::Denied(error.to_string()),
        PushError::Store(error) => error.into(),
    }
}

pub(crate) async fn delete(visit: Visit) -> Result<Response, Fault> {
    let catalog = &visit.door.options.catalog;
    let actor = &visit.principal.actor;
    let deleted = match name(&visit.last)? {
        ManifestName::Tag(tag) => catalog.delete_tag(&visit.repository, &tag, actor).await,
        ManifestName::Address(address) => {
            catalog
                .delete_manifest(&visit.repository, &address, actor)
                .await
        }
    };
    match deleted {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(DeleteError::Absent) => {
            let absent = Fault::NoManifest(visit.last.clone());
            Err(visit.absent(absent).await)
        }
        Err(DeleteError::Immutable(tag)) => Err(Fault::Immutable(tag)),
        Err(error @ DeleteError::Named(_)) => Err(Fault::Conflict(error.to_string())),
        Err(DeleteError::Store(error)) => Err(error.into()),
    }
}
