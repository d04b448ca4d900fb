//! A response's body on its way from a process: it keeps the request counted until its last piece.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::connections::AnswerBody;
use super::gate::Entry;

/// The body of an answer from a process.
#[derive(Debug)]
pub(super) struct WorkerBody {
    body: AnswerBody,
    entry: Option<Entry>,
}

impl WorkerBody {
    pub(super) fn new(body: AnswerBody, entry: Entry) -> Self {
        Self {
            body,
            entry: Some(entry),
        }
    }
}

impl Body for WorkerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream() {
            self.entry = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
