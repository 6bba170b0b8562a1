//! Bodies of answers, whole or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The body of an answer.
pub(crate) struct Body {
    inner: s3s::Body,
    end: End,
}

/// Where a body ends before its end.
enum End {
    Whole,
    /// With an error after so many more bytes.
    Broken(u64),
    /// As if it were whole, after so many more bytes.
    Early(u64),
}

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::passed(bytes.into())
    }

    pub(crate) fn passed(inner: s3s::Body) -> Self {
        let end = End::Whole;
        Self { inner, end }
    }

    pub(crate) fn cut(inner: s3s::Body, most: u64) -> Self {
        let end = End::Broken(most);
        Self { inner, end }
    }

    pub(crate) fn shortened(inner: s3s::Body, most: u64) -> Self {
        let end = End::Early(most);
        Self { inner, end }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.end {
            End::Early(0) => return Poll::Ready(None),
            End::Broken(0) => {
                let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                return Poll::Ready(Some(Err(reset.into())));
            }
            End::Whole | End::Early(_) | End::Broken(_) => {}
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let Some(frame) = frame.transpose()? else {
            return Poll::Ready(None);
        };
        let Ok(mut data) = frame.into_data() else {
            return Poll::Ready(None);
        };
        match &mut self.end {
            End::Whole => {}
            End::Early(left) | End::Broken(left) => {
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
            }
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self.end {
            End::Whole => http_body::Body::is_end_stream(&self.inner),
            End::Early(left) => left == 0,
            End::Broken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Whole | End::Broken(_) => http_body::Body::size_hint(&self.inner),
            End::Early(_) => SizeHint::default(),
        }
    }
}
