//! Uploads: begun, mounted, appended to, ended.
//!
//! A client may go at any moment. What it sent is worked on in a task of its own, so
//! that as much as arrived is kept and written down, and the upload can go on later.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use seaworthy_access::Right;
use seaworthy_store::{
    Address, AppendError, Appended, BeginError, Blobs, FinishError, Partial, Place,
    RecordBlobError, RepositoryName, Tap, Upload,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::answer;
use crate::body::Incoming;
use crate::fault::Fault;
use crate::range;
use crate::scope;
use crate::visit::Visit;

const CONTENT_RANGE: HeaderName = header::CONTENT_RANGE;

/// Where an upload goes on.
fn location(repository: &RepositoryName, id: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}")
}

/// An answer about an upload that can go on.
fn standing(status: StatusCode, visit: &Visit, id: &str, received: u64) -> Response {
    let mut response = answer::empty(status);
    answer::tell(
        &mut response,
        header::LOCATION,
        &location(&visit.repository, id),
    );
    // An upload without bytes can't be written as a range; this is what clients know.
    let last = received.saturating_sub(1);
    answer::tell(&mut response, header::RANGE, &format!("0-{last}"));
    answer::tell(&mut response, answer::UPLOAD_ID, id);
    response
}

/// The answer for a blob that is there now.
fn created(visit: &Visit, address: &Address) -> Response {
    let mut response = answer::empty(StatusCode::CREATED);
    let location = answer::blob_path(&visit.repository, address);
    answer::tell(&mut response, header::LOCATION, &location);
    answer::tell(&mut response, answer::CONTENT_DIGEST, address.as_str());
    response
}

fn digest(text: Option<&str>) -> Result<Option<Address>, Fault> {
    text.map(|text| text.parse().map_err(Fault::Digest))
        .transpose()
}

fn not_begun(error: BeginError) -> Fault {
    match error {
        BeginError::NoNamespace(_) => Fault::Denied(format!(
            "{error}; to make it needs the right `create-namespace`"
        )),
        BeginError::Store(error) => error.into(),
    }
}

pub(crate) async fn begin(mut visit: Visit, body: Body) -> Result<Response, Fault> {
    let query = visit.query();
    let mount = digest(query.one("mount"))?;
    let whole = digest(query.one("digest"))?;
    let from = query
        .one("from")
        .map(str::parse::<RepositoryName>)
        .transpose();
    let from = from.map_err(Fault::Name)?;
    if query
        .one("digest-algorithm")
        .is_some_and(|it| !["sha256", "sha512"].contains(&it))
    {
        return Err(Fault::Upload(
            "the digest algorithm is neither sha256 nor sha512",
        ));
    }
    if let Some(address) = mount
        && is_mounted(&visit, from, &address).await?
    {
        return Ok(created(&visit, &address));
    }
    let id = start(&visit).await?;
    let Some(address) = whole else {
        return Ok(standing(StatusCode::ACCEPTED, &visit, &id, 0));
    };
    visit.last = id;
    let id = visit.last.clone();
    match finish_as(&visit, body, &address).await {
        Ok(response) => Ok(response),
        Err(fault) => {
            // Whoever sends all at once was never told of an upload to go on with.
            forget(&visit, &id).await;
            Err(fault)
        }
    }
}

async fn start(visit: &Visit) -> Result<String, Fault> {
    let options = &visit.door.options;
    let most = options.limits.open_uploads;
    let open = options.catalog.open_uploads(&visit.principal.actor).await?;
    if open >= most as u64 {
        return Err(Fault::TooManyUploads(most));
    }
    let founding = visit
        .door
        .founding(&visit.principal, &visit.repository)
        .await?;
    let id = Uuid::new_v4().to_string();
    let partial = options.blobs.begin(&id).await?;
    let begun = options.catalog.begin_upload(
        &visit.repository,
        founding,
        &visit.principal.actor,
        &id,
        &partial,
    );
    if let Err(error) = begun.await {
        abandon(visit, partial).await;
        return Err(not_begun(error));
    }
    Ok(id)
}

/// Whether the blob could be taken from another repository that the client may read.
async fn is_mounted(
    visit: &Visit,
    from: Option<RepositoryName>,
    address: &Address,
) -> Result<bool, Fault> {
    let options = &visit.door.options;
    let sources = match from {
        Some(from) => vec![from],
        None => options.catalog.holders(address).await?,
    };
    for source in sources {
        let permitted = visit.door.permit(&visit.principal, Right::Read, &source);
        if let Err(refusal) = permitted.await? {
            let owner = visit
                .door
                .another_token_may(&visit.principal, Right::Read, &source);
            if owner.await? {
                return Err(visit
                    .door
                    .wants_token(&visit.parts, &scope(visit, &source), &refusal));
            }
            // What the client may not read is as good as not there.
            continue;
        }
        let founding = visit
            .door
            .founding(&visit.principal, &visit.repository)
            .await?;
        let mounted = options.catalog.mount_blob(
            &visit.repository,
            &source,
            address,
            founding,
            options.grace,
        );
        if mounted.await.map_err(not_begun)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a token must be for to push here what is there.
fn scope(visit: &Visit, source: &RepositoryName) -> String {
    let to = scope::needed(&visit.repository, Right::Push);
    let from = scope::needed(source, Right::Read);
    format!("{to} {from}")
}

/// The upload of the address, if whoever asks began it.
async fn own(visit: &Visit) -> Result<Upload, Fault> {
    let catalog = &visit.door.options.catalog;
    let upload = catalog.upload(&visit.repository, &visit.last).await?;
    let own = upload.filter(|upload| upload.actor == visit.principal.actor);
    own.ok_or(Fault::NoUpload)
}

pub(crate) async fn tell(visit: &Visit) -> Result<Response, Fault> {
    let upload = own(visit).await?;
    let received = upload.partial.received;
    Ok(standing(
        StatusCode::NO_CONTENT,
        visit,
        &upload.id,
        received,
    ))
}

pub(crate) async fn cancel(visit: Visit) -> Result<Response, Fault> {
    let upload = own(&visit).await?;
    let live = &visit.door.live;
    let _turn = live.turn(&upload.id).await;
    let catalog = &visit.door.options.catalog;
    let Some(partial) = catalog.cancel_upload(&visit.repository, &upload.id).await? else {
        return Err(Fault::NoUpload);
    };
    if let Some(listener) = &visit.door.options.listener {
        listener.abandoned(&upload.id);
    }
    abandon(&visit, partial).await;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn append(visit: Visit, body: Body) -> Result<Response, Fault> {
    // Cheap, and keeps strangers from stopping somebody's upload.
    let upload = own(&visit).await?;
    let live = Arc::clone(&visit.door.live);
    let mut turn = live.turn(&upload.id).await;
    let upload = own(&visit).await?;
    let chunk = chunk(&visit, &upload)?;
    let before = upload.partial.clone();
    let received = receive(&visit, body, upload, chunk, turn.stopped()).await;
    let (id, partial, ended) = (received.id, received.partial, received.ended);
    let catalog = &visit.door.options.catalog;
    if !catalog.note_upload(&id, before.received, &partial).await? {
        // It ended or went on meanwhile, on another node, with what was there before.
        retract(&visit, &before, &partial).await;
        return Err(Fault::NoUpload);
    }
    ended?;
    Ok(standing(
        StatusCode::ACCEPTED,
        &visit,
        &id,
        partial.received,
    ))
}

pub(crate) async fn finish(visit: Visit, body: Body) -> Result<Response, Fault> {
    let stated = digest(visit.query().one("digest"))?;
    let address = stated.ok_or(Fault::NoDigest)?;
    finish_as(&visit, body, &address).await
}

async fn finish_as(visit: &Visit, body: Body, address: &Address) -> Result<Response, Fault> {
    let upload = own(visit).await?;
    let live = Arc::clone(&visit.door.live);
    let mut turn = live.turn(&upload.id).await;
    let mut upload = own(visit).await?;
    let chunk = chunk(visit, &upload)?;
    let before = upload.partial.clone();
    let id = upload.id.clone();
    if visit.stated_length() != Some(0) {
        let received = receive(visit, body, upload.clone(), chunk, turn.stopped()).await;
        if let Err(fault) = received.ended {
            let catalog = &visit.door.options.catalog;
            let after = &received.partial;
            if !catalog.note_upload(&id, before.received, after).await? {
                retract(visit, &before, after).await;
            }
            return Err(fault);
        }
        upload.partial = received.partial;
    }
    let size = upload.partial.received;
    let blobs = &visit.door.options.blobs;
    let after = upload.partial.clone();
    let place = match blobs.finish(upload.partial, address).await {
        Ok(place) => place,
        Err(error) => {
            retract(visit, &before, &after).await;
            // It can't go on, so it is not to be found any more.
            forget(visit, &id).await;
            return Err(match error {
                FinishError::WrongDigest { stated, found } => Fault::WrongDigest { stated, found },
                FinishError::Store(error) => error.into(),
            });
        }
    };
    record(visit, &id, address, size, place).await?;
    Ok(created(visit, address))
}

async fn record(
    visit: &Visit,
    id: &str,
    address: &Address,
    size: u64,
    place: Place,
) -> Result<(), Fault> {
    let options = &visit.door.options;
    let recorded =
        options
            .catalog
            .record_blob(&visit.repository, id, address, size, &place, options.grace);
    match recorded.await {
        Ok(()) => {
            if let Some(listener) = &options.listener {
                listener.finished(id, address);
            }
            Ok(())
        }
        Err(RecordBlobError::Store(error)) => {
            // It may be written down although we were not told; whoever collects
            // garbage finds out.
            if let Some(listener) = &options.listener {
                listener.abandoned(id);
            }
            Err(error.into())
        }
        Err(error) => {
            let fault = match &error {
                RecordBlobError::Quota { .. } => Fault::Denied(error.to_string()),
                RecordBlobError::NoUpload | RecordBlobError::Store(_) => Fault::NoUpload,
            };
            forget(visit, id).await;
            Err(fault)
        }
    }
}

/// The bytes that a chunk says it has, which must be the next ones.
fn chunk(visit: &Visit, upload: &Upload) -> Result<Option<std::ops::Range<u64>>, Fault> {
    if !visit.parts.headers.contains_key(CONTENT_RANGE) {
        return Ok(None);
    }
    let text = visit.header(CONTENT_RANGE).unwrap_or_default();
    let chunk =
        range::chunk(text).ok_or(Fault::Upload("the `Content-Range` is not `first-last`"))?;
    let received = upload.partial.received;
    if chunk.start != received {
        return Err(Fault::OutOfOrder {
            location: location(&visit.repository, &upload.id),
            received,
        });
    }
    let length = chunk.end - chunk.start;
    if visit.stated_length().is_some_and(|stated| stated != length) {
        return Err(Fault::Size(
            "`Content-Length` and `Content-Range` do not agree".to_owned(),
        ));
    }
    Ok(Some(chunk))
}

/// What became of an upload that received bytes.
struct Received {
    id: Box<str>,
    partial: Partial,
    ended: Result<(), Fault>,
}

/// Appends the body of a request to an upload.
async fn receive(
    visit: &Visit,
    body: Body,
    upload: Upload,
    chunk: Option<std::ops::Range<u64>>,
    stopped: Option<oneshot::Receiver<()>>,
) -> Received {
    let options = &visit.door.options;
    let most = options.limits.blob_bytes;
    let before = upload.partial.received;
    if visit
        .stated_length()
        .is_some_and(|length| length > most.saturating_sub(before))
    {
        return Received {
            id: upload.id,
            partial: upload.partial,
            ended: Err(Fault::BlobTooLarge { limit: most }),
        };
    }
    let limit = chunk.as_ref().map_or(most, |chunk| chunk.end.min(most));
    let incoming = Incoming::of(body, options.limits.idle, stopped).boxed();
    // Where nothing is scanned by itself, nobody should pay for reading along.
    let listener = options.listener.as_ref().filter(|_| upload.auto_scan);
    let tap = listener.and_then(|listener| listener.begin(&upload.id, before));
    let blobs = options.blobs.clone();
    let appended = appended(blobs, upload.partial, incoming, limit, tap).await;
    let received = appended.partial.received;
    let ended = match appended.ended {
        Ok(()) => match chunk {
            Some(chunk) if chunk.end != received => Err(Fault::Size(format!(
                "the chunk has {} bytes, not {}",
                received.saturating_sub(chunk.start),
                chunk.end - chunk.start
            ))),
            _ => Ok(()),
        },
        Err(AppendError::Client(error)) => Err(match error.kind() {
            io::ErrorKind::TimedOut => Fault::TooSlow,
            io::ErrorKind::Interrupted => Fault::Upload("another request goes on with the upload"),
            _ => Fault::Upload("the body broke off"),
        }),
        Err(AppendError::TooLarge { .. }) => match chunk {
            Some(chunk) if chunk.end <= most => Err(Fault::Size(format!(
                "the chunk has more than {} bytes",
                chunk.end - chunk.start
            ))),
            _ => Err(Fault::BlobTooLarge { limit: most }),
        },
        Err(AppendError::Store(error)) => Err(error.into()),
    };
    Received {
        id: upload.id,
        partial: appended.partial,
        ended,
    }
}

/// Appends in a box of its own, which owns all it works with.
fn appended(
    blobs: Blobs,
    partial: Partial,
    incoming: BoxStream<'static, io::Result<Bytes>>,
    limit: u64,
    tap: Option<Arc<dyn Tap>>,
) -> BoxFuture<'static, Appended> {
    async move { blobs.append(partial, incoming, limit, tap.as_deref()).await }.boxed()
}

/// Ends an upload without a blob, as far as the store lets us; what is left of it is
/// found when uploads expire.
async fn forget(visit: &Visit, id: &str) {
    let options = &visit.door.options;
    if let Some(listener) = &options.listener {
        listener.abandoned(id);
    }
    match options.catalog.cancel_upload(&visit.repository, id).await {
        Ok(Some(partial)) => abandon(visit, partial).await,
        Ok(None) => {}
        Err(error) => tracing::warn!("cannot forget an upload: {error}"),
    }
}

/// Removes what this request added to an upload and nobody else knows of.
async fn retract(visit: &Visit, before: &Partial, after: &Partial) {
    if let Err(error) = visit.door.options.blobs.retract(before, after).await {
        tracing::warn!("cannot remove part of an upload: {error}");
    }
}

async fn abandon(visit: &Visit, partial: Partial) {
    if let Err(error) = visit.door.options.blobs.abandon(partial).await {
        tracing::warn!("cannot remove an upload: {error}");
    }
}
