//! Blobs: told and removed.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use seaworthy_access::Right;
use seaworthy_store::{Address, DeleteError, StoredBlob};

use crate::answer;
use crate::fault::Fault;
use crate::range::{self, Asked};
use crate::visit::Visit;

/// The headers that every answer about a blob has.
fn described(status: StatusCode, body: Body, address: &Address, length: u64) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, answer::entity_tag(address));
    answer::tell(&mut response, answer::CONTENT_DIGEST, address.as_str());
    response
}

async fn absent(visit: &Visit, address: Address) -> Fault {
    visit.absent(Fault::NoBlob(address)).await
}

pub(crate) async fn find(visit: &Visit) -> Result<Response, Fault> {
    let address = visit.address()?;
    let options = &visit.door.options;
    let may_push = visit
        .door
        .permit(&visit.principal, Right::Push, &visit.repository)
        .await?;
    let found = if may_push.is_ok() {
        // Who finds it here need not push it, so it must stay for a while.
        options
            .catalog
            .keep_blob(&visit.repository, &address, options.grace)
            .await?
    } else {
        options.catalog.blob(&visit.repository, &address).await?
    };
    match found {
        Some(blob) => Ok(described(
            StatusCode::OK,
            Body::empty(),
            &address,
            blob.size,
        )),
        None => Err(absent(visit, address).await),
    }
}

pub(crate) async fn read(visit: &Visit) -> Result<Response, Fault> {
    let address = visit.address()?;
    let catalog = &visit.door.options.catalog;
    let Some(blob) = catalog.blob(&visit.repository, &address).await? else {
        return Err(absent(visit, address).await);
    };
    if answer::is_known(&visit.parts.headers, &answer::entity_tag(&address)) {
        let mut response = answer::empty(StatusCode::NOT_MODIFIED);
        response
            .headers_mut()
            .insert(header::ETAG, answer::entity_tag(&address));
        return Ok(response);
    }
    let (status, range) = match wanted(visit, &address, blob.size) {
        Asked::Whole => (StatusCode::OK, 0..blob.size),
        Asked::Some(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Unsatisfiable => return Err(Fault::Unsatisfiable { size: blob.size }),
    };
    let length = range.end - range.start;
    let content_range = format!(
        "bytes {}-{}/{}",
        range.start,
        range.end.max(1) - 1,
        blob.size
    );
    let body = if length == 0 {
        Body::empty()
    } else {
        stream(visit, &address, &blob, range).await?
    };
    let mut response = described(status, body, &address, length);
    if status == StatusCode::PARTIAL_CONTENT {
        answer::tell(&mut response, header::CONTENT_RANGE, &content_range);
    }
    Ok(response)
}

fn wanted(visit: &Visit, address: &Address, size: u64) -> Asked {
    let Some(text) = visit.header(header::RANGE) else {
        return Asked::Whole;
    };
    // Somebody who goes on with other content than this gets all of it.
    let is_other = visit
        .header(header::IF_RANGE)
        .is_some_and(|known| answer::entity_tag(address).as_bytes() != known.as_bytes());
    if is_other {
        return Asked::Whole;
    }
    range::asked(text, size)
}

async fn stream(
    visit: &Visit,
    address: &Address,
    blob: &StoredBlob,
    range: std::ops::Range<u64>,
) -> Result<Body, Fault> {
    let bytes = visit.door.options.blobs.read(&blob.place, range).await?;
    let address = address.clone();
    // The answer has begun; all we can do is to break off, so that nobody takes it
    // for whole.
    let told = bytes.inspect(move |chunk| {
        if let Err(error) = chunk {
            tracing::error!(blob = address.as_str(), "cannot read {address}: {error}");
        }
    });
    Ok(Body::from_stream(told))
}

pub(crate) async fn delete(visit: Visit) -> Result<Response, Fault> {
    let address = visit.address()?;
    let catalog = &visit.door.options.catalog;
    let actor = &visit.principal.actor;
    match catalog
        .delete_blob(&visit.repository, &address, actor)
        .await
    {
        Ok(()) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Err(DeleteError::Absent) => Err(absent(&visit, address).await),
        Err(DeleteError::Immutable(tag)) => Err(Fault::Immutable(tag)),
        Err(error @ DeleteError::Named(_)) => Err(Fault::Conflict(error.to_string())),
        Err(DeleteError::Store(error)) => Err(error.into()),
    }
}
