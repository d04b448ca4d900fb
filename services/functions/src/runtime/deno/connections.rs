//! HTTP/1.1 to one process over its unix socket, its connections kept and used again. What a
//! request waits for happens in its own task: a client that runs each connection in another one
//! costs two changes of tasks a request, and most of what a warm request takes beside the function.
//! A request that was certainly not seen is handed back.

mod answer;
mod chunks;
mod head;
mod upload;
mod wire;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response};
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub(super) use answer::{AnswerBody, Switched};
use upload::Upload;
use wire::Wire;

/// More than this many idle connections are closed.
const MOST_IDLE: usize = 32;

/// A connection that has rested for longer is not used again: Node's server closes its own after
/// five seconds, and a request that is sent at that moment would be lost.
const LONGEST_REST: Duration = Duration::from_secs(4);

/// The connections to one process.
#[derive(Debug)]
pub(super) struct Connections {
    socket: PathBuf,
    idle: Mutex<Vec<(Instant, Wire)>>,
    tasks: TaskTracker,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// The process has not seen it.
    NotSent(Box<Request<Body>>),
    /// The request's own body ended early, or was too long.
    Body(axum::Error),
    /// The connection ended on the way, or what came by it is no HTTP.
    Lost(io::Error),
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl Connections {
    /// Connections to `socket`; what is still sent of a request that is answered already, is sent
    /// by a task of `tasks`.
    pub(super) fn new(socket: PathBuf, tasks: TaskTracker) -> Self {
        Self {
            socket,
            idle: Mutex::default(),
            tasks,
        }
    }

    /// Sends `request`, which names the whole address; answers the head of what is answered, its
    /// body to be read on.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<Body>,
    ) -> Result<Response<AnswerBody>, SendError> {
        let mut request = request;
        while let Some(wire) = self.take_idle() {
            match self.exchange(wire, request).await {
                Err(SendError::NotSent(unsent)) => request = *unsent,
                answered => return answered,
            }
        }
        match UnixStream::connect(&self.socket).await {
            Ok(stream) => self.exchange(Wire::new(stream), request).await,
            Err(_) => Err(SendError::NotSent(Box::new(request))),
        }
    }

    async fn exchange(
        self: &Arc<Self>,
        mut wire: Wire,
        request: Request<Body>,
    ) -> Result<Response<AnswerBody>, SendError> {
        let asks_for_head = request.method() == Method::HEAD;
        let (parts, body) = request.into_parts();
        let mut upload = Upload::new(&parts, body);
        match wire.begin(&mut upload).await {
            Ok(()) => {}
            Err(wire::BeginError::Unseen(error)) => {
                tracing::debug!(%error, "a connection to a function's process has ended");
                let body = upload.into_body();
                return Err(SendError::NotSent(Box::new(Request::from_parts(
                    parts, body,
                ))));
            }
            Err(wire::BeginError::Body(error)) => return Err(SendError::Body(error)),
        }
        let head = loop {
            let head = wire.head(&mut upload).await?;
            // What comes before the answer (RFC 9110, section 15.2) is for this hop.
            if !head.is_interim() {
                break head;
            }
        };
        wire.finish(upload, &self.tasks);
        let framing = head.framing(asks_for_head)?;
        let keeps = head.keeps_alive();
        let body = AnswerBody::new(wire, framing, keeps.then(|| Arc::clone(self)));
        Ok(head.into_response(body))
    }

    /// Keeps a connection, on which an answer has been read to its end, for another request.
    fn keep(&self, wire: Wire) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && wire.is_at_rest() {
            idle.push((Instant::now(), wire));
        }
    }

    /// A connection on which nothing has come since it was kept: what was answered without having
    /// been asked for, or closed, is of no use.
    fn take_idle(&self) -> Option<Wire> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((since, wire)) = idle.pop() {
            if since.elapsed() < LONGEST_REST && wire.is_silent() {
                return Some(wire);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
