//! How a request fails.

use std::io;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response, StatusCode};
use s3s::service::S3Service;

use crate::body::Body;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and the answer says `503 Slow Down`.
    SlowDown,
    /// The connection ends after some of the request was read; nothing is done.
    Hangup,
    /// All is done, and the connection ends before the answer: the client cannot
    /// know.
    Silence,
    /// The connection ends after so many bytes of the answer's body.
    Cut(u64),
    /// The answer ends after so many bytes of its body, and its `Content-Length`
    /// says that this was all.
    Shorten(u64),
}

/// Answers a request, with or without a fault. An error ends the connection.
pub(crate) async fn answer(
    service: S3Service,
    mut request: Request<Incoming>,
    fault: Option<Fault>,
) -> io::Result<Response<Body>> {
    let ended = |_| io::Error::from(io::ErrorKind::ConnectionReset);
    match fault {
        Some(Fault::SlowDown) => {
            // Read to its end, so that the connection can be used again.
            while let Some(frame) = request.frame().await {
                frame.map_err(ended)?;
            }
            let document = "<Error><Code>SlowDown</Code><Message>later</Message></Error>";
            let mut response = Response::new(Body::whole(document.into()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(response);
        }
        Some(Fault::Hangup) => {
            let _ = request.frame().await;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Some(Fault::Silence | Fault::Cut(_) | Fault::Shorten(_)) | None => {}
    }
    let response = service
        .call(request.map(s3s::Body::from))
        .await
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let (mut head, body) = response.into_parts();
    let body = match fault {
        Some(Fault::Silence) => return Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Cut(most)) => Body::cut(body, most),
        Some(Fault::Shorten(most)) => {
            let length = head.headers.get(CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
            if let Some(length) = length {
                let length = HeaderValue::from(length.min(most));
                head.headers.insert(CONTENT_LENGTH, length);
            }
            Body::shortened(body, most)
        }
        Some(Fault::SlowDown | Fault::Hangup) | None => Body::passed(body),
    };
    Ok(Response::from_parts(head, body))
}
