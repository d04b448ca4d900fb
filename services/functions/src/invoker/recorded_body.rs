//! An answer on its way to the client: its last piece completes the record.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::Recorder;

/// The body of an answer that is being recorded.
#[derive(Debug)]
pub(super) struct RecordedBody {
    body: Body,
    recorder: Option<Recorder>,
}

impl RecordedBody {
    pub(super) fn new(body: Body, recorder: Recorder) -> Self {
        let mut recorded = Self {
            body,
            recorder: Some(recorder),
        };
        recorded.complete_at_end();
        recorded
    }

    fn complete_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.complete();
        }
    }

    fn complete(&mut self) {
        if let Some(recorder) = self.recorder.take() {
            recorder.answered();
        }
    }
}

impl http_body::Body for RecordedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => self.complete(),
            Poll::Ready(Some(Err(error))) => {
                if let Some(recorder) = self.recorder.take() {
                    recorder.interrupted(Some(common::error::chain(error)));
                }
            }
            Poll::Ready(Some(Ok(_))) => self.complete_at_end(),
            Poll::Pending => {}
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

impl Drop for RecordedBody {
    /// The client has gone, or never asks for more.
    fn drop(&mut self) {
        // What the function used is known once its own side of the body is gone.
        self.body = Body::empty();
        if let Some(recorder) = self.recorder.take() {
            recorder.interrupted(None);
        }
    }
}
