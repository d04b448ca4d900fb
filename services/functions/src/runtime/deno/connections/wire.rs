//! One connection.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustix::net::{Shutdown, shutdown};
use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;

use super::SendError;
use super::head::{self, Head};
use super::upload::Upload;

/// How much is read at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// A connection, and what has been read from it and not been used.
#[derive(Debug)]
pub(super) struct Wire {
    line: Arc<Line>,
    pub(super) buffer: BytesMut,
}

#[derive(Debug)]
struct Line {
    stream: UnixStream,
    /// Whether every request that was begun was sent to its end.
    sent: AtomicBool,
}

/// Why a request was not begun.
#[derive(Debug)]
pub(super) enum BeginError {
    /// Nothing of it was taken.
    Unseen(io::Error),
    /// Its own body failed before anything was sent.
    Body(axum::Error),
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        let line = Line {
            stream,
            sent: AtomicBool::new(true),
        };
        Self {
            line: Arc::new(line),
            buffer: BytesMut::new(),
        }
    }

    /// Sends the head of a request and what there is of its body.
    pub(super) async fn begin(&mut self, upload: &mut Upload) -> Result<(), BeginError> {
        self.line.sent.store(false, Ordering::Relaxed);
        poll_fn(|context| {
            // A body that is not there yet is sent later.
            if let Poll::Ready(Err(error)) = upload.poll_fill(context) {
                return Poll::Ready(Err(BeginError::Body(error)));
            }
            loop {
                match self.line.stream.try_write(upload.pending()) {
                    Ok(written) => {
                        upload.advance(written);
                        return Poll::Ready(Ok(()));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let writable = ready!(self.line.stream.poll_write_ready(context));
                        writable.map_err(BeginError::Unseen)?;
                    }
                    Err(error) => return Poll::Ready(Err(BeginError::Unseen(error))),
                }
            }
        })
        .await
    }

    /// Reads the head of an answer, while the rest of the request is sent.
    pub(super) async fn head(&mut self, upload: &mut Upload) -> Result<Head, SendError> {
        let mut seen = 0;
        poll_fn(|context| {
            if !upload.is_sent()
                && let Poll::Ready(Err(error)) = self.line.poll_send(upload, context)
            {
                match error {
                    SendError::Lost(_) => upload.give_up(),
                    SendError::Body(_) | SendError::NotSent(_) => return Poll::Ready(Err(error)),
                }
            }
            loop {
                if let Some(head) = head::take(&mut self.buffer, &mut seen)? {
                    return Poll::Ready(Ok(head));
                }
                if ready!(self.poll_read(context))? == 0 {
                    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Poll::Ready(Err(error.into()));
                }
            }
        })
        .await
    }

    /// Has what is left of the request sent while the answer is read.
    pub(super) fn finish(&self, mut upload: Upload, tasks: &TaskTracker) {
        if upload.is_sent() {
            self.line
                .sent
                .store(upload.is_complete(), Ordering::Relaxed);
            return;
        }
        let line = Arc::clone(&self.line);
        tasks.spawn(async move {
            let sent = poll_fn(|context| line.poll_send(&mut upload, context)).await;
            match sent {
                Ok(()) => line.sent.store(true, Ordering::Release),
                // The function finds that its request was cut off.
                Err(_) => drop(shutdown(&line.stream, Shutdown::Write)),
            }
        });
    }

    /// Reads what there is; answers how much, 0 at the end.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            self.buffer.reserve(CHUNK_BYTES);
            match self.line.stream.try_read_buf(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.line.stream.poll_read_ready(context))?;
                }
                read => return Poll::Ready(read),
            }
        }
    }

    /// Whether nothing is under way in either direction.
    pub(super) fn is_at_rest(&self) -> bool {
        self.buffer.is_empty() && self.line.sent.load(Ordering::Acquire)
    }

    /// Whether nothing has come.
    pub(super) fn is_silent(&self) -> bool {
        let read = self.line.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The connection itself and what was read ahead from it, where nobody sends on it.
    pub(super) fn into_parts(self) -> Option<(UnixStream, BytesMut)> {
        let line = Arc::into_inner(self.line)?;
        Some((line.stream, self.buffer))
    }
}

impl Line {
    /// Sends `upload` to its end.
    fn poll_send(
        &self,
        upload: &mut Upload,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            let filled = upload.poll_fill(context).map_err(SendError::Body)?;
            if upload.is_sent() {
                return Poll::Ready(Ok(()));
            }
            if upload.pending().is_empty() {
                ready!(filled);
                continue;
            }
            match self.stream.try_write(upload.pending()) {
                Ok(written) => upload.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_write_ready(context))?;
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}
