//! HTTP/1.1 connections to one process, over its socket, kept and used again. Unlike a general
//! client this one hands back a request that was certainly not sent.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// More than this many idle connections are closed.
const MOST_IDLE: usize = 32;

const SETTLING: Duration = Duration::from_millis(10);

/// A connection that is free, or will be when the answer on it has been read.
pub(super) type Connection = SendRequest<Body>;

/// The connections to one process.
#[derive(Debug)]
pub(super) struct Connections {
    socket: PathBuf,
    idle: Mutex<Vec<Connection>>,
    tasks: TaskTracker,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// The process has not seen it.
    NotSent(Box<Request<Body>>),
    /// The connection ended on the way, or the request's own body did.
    Lost(hyper::Error),
}

impl Connections {
    /// Connections to `socket`; each is driven by a task of `tasks`.
    pub(super) fn new(socket: PathBuf, tasks: TaskTracker) -> Self {
        Self {
            socket,
            idle: Mutex::default(),
            tasks,
        }
    }

    /// Sends `request`. The connection comes with the answer, for [`Self::keep`].
    pub(super) async fn send(
        &self,
        request: Request<Body>,
    ) -> Result<(Response<Incoming>, Connection), SendError> {
        let mut request = request;
        while let Some(connection) = self.take_idle() {
            match exchange(connection, request).await {
                Err(SendError::NotSent(unsent)) => request = *unsent,
                answered => return answered,
            }
        }
        match self.open().await {
            Some(connection) => exchange(connection, request).await,
            None => Err(SendError::NotSent(Box::new(request))),
        }
    }

    /// Keeps a connection for another request.
    pub(super) fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && !connection.is_closed() {
            idle.push(connection);
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }

    async fn open(&self) -> Option<Connection> {
        let stream = UnixStream::connect(&self.socket).await.ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to a function's process ended early");
            }
        });
        Some(sender)
    }
}

async fn exchange(
    mut connection: Connection,
    request: Request<Body>,
) -> Result<(Response<Incoming>, Connection), SendError> {
    // A connection is free a moment after its last answer was read, unless the request to it is
    // still being sent: that one is not waited for.
    let ready = timeout(SETTLING, connection.ready()).await;
    if !matches!(ready, Ok(Ok(()))) {
        return Err(SendError::NotSent(Box::new(request)));
    }
    match connection.try_send_request(request).await {
        Ok(response) => Ok((response, connection)),
        Err(mut error) => match error.take_message() {
            Some(unsent) => Err(SendError::NotSent(Box::new(unsent))),
            None => Err(SendError::Lost(error.into_error())),
        },
    }
}
