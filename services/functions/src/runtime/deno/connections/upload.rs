//! A request on its way into the wire.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::Method;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http_body::Body as _;

/// How much of a body waits to be sent before more of it is asked for.
const ENOUGH_BYTES: usize = 64 * 1024;

/// What is not sent yet of a request: its head at first, then its body.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    pending: BytesMut,
    chunked: bool,
    /// Bytes of the body that its head has promised and that did not come yet.
    promised: u64,
    /// What was taken of the body while nothing was sent.
    taken: Vec<Bytes>,
    is_begun: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is more of the body.
    Going,
    /// All of it is in the buffer, or sent.
    Complete,
    /// What is left is not sent: the other end takes no more.
    GivenUp,
}

/// Whether a request of this method that has no content says so (RFC 9110, section 8.6).
fn has_content(method: &Method) -> bool {
    ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

impl Upload {
    /// The request that `parts` and `body` are.
    pub(super) fn new(parts: &Parts, body: Body) -> Self {
        let mut pending = BytesMut::with_capacity(1024);
        let mut put = |bytes: &[u8]| pending.extend_from_slice(bytes);
        put(parts.method.as_str().as_bytes());
        put(b" ");
        put(parts.uri.to_string().as_bytes());
        put(b" HTTP/1.1\r\n");
        for (name, value) in &parts.headers {
            if *name != CONTENT_LENGTH {
                put(name.as_str().as_bytes());
                put(b": ");
                put(value.as_bytes());
                put(b"\r\n");
            }
        }
        let named = parts.headers.get(CONTENT_LENGTH);
        let named: Option<u64> = named.and_then(|length| length.to_str().ok()?.parse().ok());
        let is_empty = body.is_end_stream();
        let length = if is_empty {
            Some(0)
        } else {
            named.or_else(|| body.size_hint().exact())
        };
        match length {
            Some(0) if named.is_none() && !has_content(&parts.method) => {}
            Some(length) => put(format!("content-length: {length}\r\n").as_bytes()),
            None => put(b"transfer-encoding: chunked\r\n"),
        }
        put(b"\r\n");
        Self {
            body,
            pending,
            chunked: length.is_none(),
            promised: length.unwrap_or_default(),
            taken: Vec::new(),
            is_begun: false,
            state: if is_empty {
                State::Complete
            } else {
                State::Going
            },
        }
    }

    /// What is to be sent next.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Takes out `count` bytes that were sent.
    pub(super) fn advance(&mut self, count: usize) {
        self.pending.advance(count);
        self.is_begun = true;
        self.taken.clear();
    }

    /// Whether nothing is left to be sent.
    pub(super) fn is_sent(&self) -> bool {
        match self.state {
            State::Going => false,
            State::Complete => self.pending.is_empty(),
            State::GivenUp => true,
        }
    }

    /// Whether all of it was sent.
    pub(super) fn is_complete(&self) -> bool {
        self.state == State::Complete && self.pending.is_empty()
    }

    /// Sends no more: an answer may still come.
    pub(super) fn give_up(&mut self) {
        self.state = State::GivenUp;
    }

    /// The body, whole, of a request of which nothing was sent.
    pub(super) fn into_body(self) -> Body {
        if self.taken.is_empty() {
            return self.body;
        }
        let taken = stream::iter(self.taken).map(Ok);
        Body::from_stream(taken.chain(self.body.into_data_stream()))
    }

    /// Takes what there is of the body. Pending where more is to come and none of it is here.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        while self.state == State::Going && self.pending.len() < ENOUGH_BYTES {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.put(&data)?;
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => self.end()?,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn put(&mut self, data: &Bytes) -> Result<(), axum::Error> {
        if data.is_empty() {
            return Ok(());
        }
        if !self.is_begun {
            self.taken.push(data.clone());
        }
        if self.chunked {
            let size = format!("{:x}\r\n", data.len());
            self.pending.extend_from_slice(size.as_bytes());
            self.pending.extend_from_slice(data);
            self.pending.extend_from_slice(b"\r\n");
            return Ok(());
        }
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let Some(left) = self.promised.checked_sub(length) else {
            return Err(axum::Error::new("the body is longer than its length"));
        };
        self.promised = left;
        self.pending.extend_from_slice(data);
        if left == 0 && self.body.is_end_stream() {
            self.state = State::Complete;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), axum::Error> {
        if self.chunked {
            self.pending.extend_from_slice(b"0\r\n\r\n");
        } else if self.promised > 0 {
            return Err(axum::Error::new("the body is shorter than its length"));
        }
        self.state = State::Complete;
        Ok(())
    }
}
