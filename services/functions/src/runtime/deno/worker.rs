//! A process that is a function: requests go in by its socket.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::{LengthLimitError, Limited};
use hyper::upgrade::OnUpgrade;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::timeout::TimeoutBody;

use super::connections::{AnswerBody, Connections, SendError};
use super::gate::Entry;
use super::headers;
use super::process::{Ended, Process};
use super::tunnel;
use super::worker_body::WorkerBody;
use crate::config::PublicUrl;
use crate::domain::{Limits, Version as FunctionVersion};
use crate::runtime::{CallError, Described, Failure, Invocation, Worker};

/// How long to wait for the reason of an end that a connection has shown already.
const REASON_PATIENCE: Duration = Duration::from_secs(1);

/// A process with a function in it.
#[derive(Debug)]
pub(super) struct DenoWorker {
    pub(super) version: Arc<FunctionVersion>,
    pub(super) described: Described,
    pub(super) process: Process,
    pub(super) connections: Arc<Connections>,
    pub(super) limits: Limits,
    pub(super) public_url: PublicUrl,
    pub(super) tasks: TaskTracker,
    pub(super) closing: CancellationToken,
}

impl Worker for DenoWorker {
    fn call(
        &self,
        request: Request<Body>,
        invocation: &Arc<Invocation>,
    ) -> BoxFuture<'_, Result<Response<Body>, CallError>> {
        self.answer(request, Arc::clone(invocation)).boxed()
    }

    fn version(&self) -> &Arc<FunctionVersion> {
        &self.version
    }

    fn described(&self) -> &Described {
        &self.described
    }

    fn is_serving(&self) -> bool {
        self.process.gate.is_open()
    }

    fn load(&self) -> usize {
        self.process.gate.inside()
    }

    fn is_overloaded(&self) -> bool {
        self.process.gate.is_overloaded()
    }

    fn most_beside(&self) -> usize {
        self.limits.processes
    }

    fn retire_if_idle(&self) {
        self.process.gate.close_if_idle(Duration::ZERO);
    }

    fn retire(&self) {
        self.process.gate.close();
    }
}

impl DenoWorker {
    async fn answer(
        &self,
        request: Request<Body>,
        invocation: Arc<Invocation>,
    ) -> Result<Response<Body>, CallError> {
        let deadline = Instant::now() + self.limits.response_timeout;
        let Some(mut entry) = self.process.gate.enter(Some(invocation)) else {
            return Err(CallError::NotSent(Box::new(request)));
        };
        if timeout_at(deadline, entry.sit_down()).await.is_err() {
            return Err(CallError::Failed(Failure::Overloaded));
        }
        let (request, client) = self.prepare(request);
        match timeout_at(deadline, self.connections.send(request)).await {
            Ok(Ok(response)) => Ok(self.respond(response, entry, client)),
            Ok(Err(SendError::NotSent(request))) => {
                self.process.gate.close();
                Err(CallError::NotSent(request))
            }
            Ok(Err(SendError::Body(error))) if caused_by_length(&error) => {
                Err(CallError::Failed(Failure::BodyTooLarge))
            }
            Ok(Err(SendError::Body(_))) => Err(CallError::Failed(Failure::ClientGone)),
            Ok(Err(SendError::Lost(error))) => Err(CallError::Failed(self.reason(&error).await)),
            Err(_) => {
                // What it does not answer it may still be working on: the process has to go.
                self.process.gate.close();
                Err(CallError::Failed(Failure::TimedOut))
            }
        }
    }

    /// The request as the process gets it: with the public address in its URL, and a body of
    /// bounded size.
    fn prepare(&self, request: Request<Body>) -> (Request<Body>, Option<OnUpgrade>) {
        let (mut parts, body) = request.into_parts();
        let upgrades = headers::upgrade(&parts.headers).is_some();
        let client = parts.extensions.remove::<OnUpgrade>().filter(|_| upgrades);
        headers::strip(&mut parts.headers);
        parts.version = Version::HTTP_11;
        parts.uri = self.public_uri(&parts.uri);
        let body = if body.is_end_stream() {
            body
        } else {
            Body::new(Limited::new(body, self.limits.body_bytes))
        };
        (Request::from_parts(parts, body), client)
    }

    fn public_uri(&self, uri: &Uri) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.public_url.scheme.clone());
        parts.authority = Some(self.public_url.authority.clone());
        let root = || PathAndQuery::from_static("/");
        parts.path_and_query = Some(uri.path_and_query().cloned().unwrap_or_else(root));
        Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
    }

    fn respond(
        &self,
        mut response: Response<AnswerBody>,
        entry: Entry,
        client: Option<OnUpgrade>,
    ) -> Response<Body> {
        headers::strip(response.headers_mut());
        let (parts, mut body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            if let (Some(client), Some(function)) = (client, body.into_switched()) {
                let closing = self.closing.clone();
                self.tasks
                    .spawn(tunnel::join(client, function, closing, entry));
            }
            return Response::from_parts(parts, Body::empty());
        }
        let body = if let Some(whole) = body.take_whole() {
            drop(entry);
            Body::from(whole)
        } else {
            let body = WorkerBody::new(body, entry);
            Body::new(TimeoutBody::new(self.limits.response_timeout, body))
        };
        Response::from_parts(parts, body)
    }

    /// Why the connection ended without an answer.
    async fn reason(&self, error: &io::Error) -> Failure {
        let ended = self.process.ended(REASON_PATIENCE).await;
        tracing::debug!(%error, ?ended, "a function's process did not answer");
        match ended {
            Some(Ended::CpuLimit | Ended::MemoryLimit) => Failure::LimitExceeded,
            Some(Ended::Crashed | Ended::Stopped) | None => Failure::Crashed,
        }
    }
}

fn caused_by_length(error: &dyn Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
