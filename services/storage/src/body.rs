//! A request's body as it streams in: counted against a limit, and drained where it is refused, so
//! that the client reads the answer instead of a reset connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::Bytes;
use common::BoxError;
use futures_util::{Stream, StreamExt as _};
use http_body::{Frame, SizeHint};

/// How long a refused body is read on.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// How much of a refused body is read on, in bytes.
const DRAIN_BYTES: usize = 256 * 1024 * 1024;

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More bytes than the object may have.
    #[error("the body is larger than allowed")]
    TooLarge,
    /// It ended before it was complete.
    #[error("the body ended early")]
    Incomplete(#[source] BoxError),
    /// It comes from bytes of ours that cannot be read.
    #[error("the parts of the upload cannot be read")]
    Unreadable(#[source] BoxError),
    /// It is not the form it says it is.
    #[error("the form cannot be read")]
    Malformed(#[source] BoxError),
}

/// A handle on a request's body. Clones read on where the others stopped.
#[derive(Clone)]
pub struct SharedBody {
    stream: Arc<Mutex<BodyDataStream>>,
    announced_size: Option<u64>,
}

impl SharedBody {
    /// A handle on `body`.
    pub fn new(body: Body) -> Self {
        Self {
            announced_size: body.size_hint().exact(),
            stream: Arc::new(Mutex::new(body.into_data_stream())),
        }
    }

    /// How many bytes the request announced, where it did.
    pub fn announced_size(&self) -> Option<u64> {
        self.announced_size
    }

    /// The bytes, of which there may be at most `limit`.
    pub fn limited(self, limit: u64) -> Limited<Self> {
        Limited {
            inner: self,
            left: limit,
        }
    }

    /// The bytes, one chunk at a time: a reader that takes whatever is ready gets one chunk and is
    /// then told to come again, so that it cannot pile up a body that arrives faster than it is
    /// written.
    pub fn paced(self) -> Paced<Self> {
        Paced {
            inner: self,
            gave: false,
        }
    }

    fn stream(&self) -> MutexGuard<'_, BodyDataStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on and forgets, for a while.
    pub async fn drain(mut self) {
        let all = async {
            let mut drained = 0;
            while let Some(Ok(chunk)) = self.next().await {
                drained += chunk.len();
                if drained > DRAIN_BYTES {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(DRAIN_TIME, all).await;
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream().poll_next_unpin(context);
        polled.map_err(|error| BodyError::Incomplete(Box::new(error)))
    }
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_next(context).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.stream().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&*self.stream())
    }
}

/// A stream that fails once it gives more than it may.
pub struct Limited<S> {
    inner: S,
    left: u64,
}

impl<S> Limited<S> {
    /// At most `limit` bytes of `inner`.
    pub fn new(inner: S, limit: u64) -> Self {
        Self { inner, left: limit }
    }
}

impl<S: Stream<Item = Result<Bytes, BodyError>> + Unpin> Stream for Limited<S> {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.inner.poll_next_unpin(context);
        let Poll::Ready(Some(Ok(chunk))) = polled else {
            return polled;
        };
        match self.left.checked_sub(chunk.len() as u64) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(chunk)))
            }
            None => Poll::Ready(Some(Err(BodyError::TooLarge))),
        }
    }
}

/// A stream that is never ready twice in a row.
pub struct Paced<S> {
    inner: S,
    gave: bool,
}

impl<S: Stream + Unpin> Stream for Paced<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.inner.poll_next_unpin(context);
        self.gave = matches!(polled, Poll::Ready(Some(_)));
        polled
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn one_byte_too_many_is_refused() {
        let chunks = || stream::iter([Ok(Bytes::from("abc")), Ok(Bytes::from("de"))]);
        let whole = Limited::new(chunks(), 5).collect::<Vec<_>>().await;
        assert!(whole.iter().all(Result::is_ok));
        let cut = Limited::new(chunks(), 4).collect::<Vec<_>>().await;
        assert!(matches!(cut.last(), Some(Err(BodyError::TooLarge))));
    }

    #[tokio::test]
    async fn a_paced_stream_gives_everything_but_never_twice_at_once() {
        let mut paced = Paced {
            inner: stream::iter(0..3),
            gave: false,
        };
        let ready = futures_util::poll!(paced.next());
        assert_eq!(ready, Poll::Ready(Some(0)));
        assert_eq!(futures_util::poll!(paced.next()), Poll::Pending);
        assert_eq!(paced.collect::<Vec<_>>().await, [1, 2]);
    }

    #[test]
    fn a_handle_says_as_a_body_how_much_there_is() {
        let empty = SharedBody::new(Body::empty());
        assert!(empty.is_end_stream());
        assert_eq!(HttpBody::size_hint(&empty).exact(), Some(0));
        let full = SharedBody::new(Body::from("abc"));
        assert_eq!(HttpBody::size_hint(&full).exact(), Some(3));
    }

    #[tokio::test]
    async fn what_one_handle_left_another_reads() {
        let chunks = [Ok::<_, BoxError>("ab"), Ok("cd")];
        let mut body = SharedBody::new(Body::from_stream(stream::iter(chunks)));
        let other = body.clone();
        assert_eq!(body.next().await.expect("a chunk").expect("bytes"), "ab");
        let rest: Vec<_> = other.map(Result::unwrap).collect().await;
        assert_eq!(rest, ["cd"]);
    }
}
