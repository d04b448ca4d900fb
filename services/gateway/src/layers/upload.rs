//! A request's body on its way to a service: bounded, and not allowed to pause for long.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::refusal::Refusal;

/// How much of a body nobody wants is read, so that its sender gets to see the answer: who closes
/// with bytes unread resets the connection, and the answer may be lost with it.
const DRAINED_BYTES: u64 = 256 * 1024 * 1024;
const DRAINED_FOR: Duration = Duration::from_secs(10);

/// Why a body ended early; the service sees it as an error of its body.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum UploadError {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body stopped arriving")]
    Stalled,
}

/// What became of a body, asked once the service has answered.
#[derive(Debug)]
pub(crate) struct Upload(Mutex<Progress>);

#[derive(Debug)]
struct Progress {
    last: Instant,
    /// What to answer instead of whatever the service made of a broken body.
    refusal: Option<Refusal>,
    /// What the service left unread.
    rest: Option<Body>,
}

impl Upload {
    /// Puts the request's body, where it has one, under guard.
    pub(crate) fn guard(
        request: &mut Request,
        limit: Option<u64>,
        pause: Duration,
    ) -> Option<Arc<Self>> {
        if request.body().is_end_stream() {
            return None;
        }
        let upload = Arc::new(Self(Mutex::new(Progress {
            last: Instant::now(),
            refusal: None,
            rest: None,
        })));
        let body = Guarded {
            body: Some(std::mem::take(request.body_mut())),
            read: 0,
            limit,
            pause,
            waiting: None,
            waits_for_us: expects_continue(request.headers()),
            upload: Arc::clone(&upload),
        };
        *request.body_mut() = Body::new(body);
        Some(upload)
    }

    /// When the last byte arrived.
    pub(crate) fn last_progress(&self) -> Instant {
        self.with(|progress| progress.last)
    }

    /// What the body itself was refused for.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.with(|progress| progress.refusal)
    }

    /// Reads what the service left unread, within bounds.
    pub(crate) async fn drain(&self) {
        if let Some(rest) = self.with(|progress| progress.rest.take()) {
            drain(rest).await;
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Progress) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Refuses a body that says it is too long before a byte of it is read.
pub(crate) fn check_length(request: &Request, limit: Option<u64>) -> Result<(), Refusal> {
    match limit {
        Some(limit) if request.body().size_hint().lower() > limit => Err(Refusal::TooLarge(limit)),
        Some(_) | None => Ok(()),
    }
}

/// Reads the body of a request that is refused, unless its sender waits to be told to send it.
pub(crate) async fn discard(request: Request) {
    if !expects_continue(request.headers()) {
        drain(request.into_body()).await;
    }
}

async fn drain(mut body: Body) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, length);
            if read > DRAINED_BYTES {
                return;
            }
        }
    };
    // Whether the sender came to its end or we to ours: it is answered now.
    let _ = timeout(DRAINED_FOR, reading).await;
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.contains_key(EXPECT)
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

struct Guarded {
    body: Option<Body>,
    read: u64,
    limit: Option<u64>,
    pause: Duration,
    /// Runs while the client sends nothing.
    waiting: Option<Pin<Box<Sleep>>>,
    /// The client sends nothing before we ask for it, by reading.
    waits_for_us: bool,
    upload: Arc<Upload>,
}

impl Guarded {
    fn end(&mut self, refusal: Refusal) {
        self.upload
            .with(|progress| progress.refusal = Some(refusal));
    }

    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), UploadError> {
        self.waiting = None;
        self.upload.with(|progress| progress.last = Instant::now());
        self.read += frame.data_ref().map_or(0, length);
        match self.limit {
            Some(limit) if self.read > limit => {
                self.end(Refusal::TooLarge(limit));
                Err(UploadError::TooLarge)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn poll_pause(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let pause = self.pause;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
        waiting.as_mut().poll(context)
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        this.waits_for_us = false;
        let Some(body) = this.body.as_mut() else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => match this.count(&frame) {
                Ok(()) => Poll::Ready(Some(Ok(frame))),
                Err(error) => Poll::Ready(Some(Err(axum::Error::new(error)))),
            },
            Poll::Ready(Some(Err(error))) => {
                this.body = None;
                this.end(Refusal::BadRequest("The request body is not valid"));
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                this.body = None;
                Poll::Ready(None)
            }
            Poll::Pending => match this.poll_pause(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => {
                    this.body = None;
                    this.end(Refusal::Stalled);
                    Poll::Ready(Some(Err(axum::Error::new(UploadError::Stalled))))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|rest| !rest.is_end_stream());
        if !self.waits_for_us {
            self.upload.with(|progress| progress.rest = rest);
        }
    }
}
