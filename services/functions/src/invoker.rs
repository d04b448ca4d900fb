//! Calling a function, whatever the cause: finding a worker, counting, and recording how it went.

mod meters;
mod recorded_body;

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use common::{Clock, Randomness};
use http::{HeaderName, HeaderValue, Request};
use tokio::time::Instant;

use crate::catalog::{Catalog, Function};
use crate::domain::VersionId;
use crate::domain::execution::{Cause, Execution, Outcome, TriggerKind};
use crate::error::Error;
use crate::journal::Journal;
use crate::runtime::{CallError, Invocation};
pub(crate) use meters::Meters;
use recorded_body::RecordedBody;

/// An invocation's id, on the request for the function and on the answer for its client.
pub(crate) const EXECUTION: HeaderName = HeaderName::from_static("x-deno-execution-id");

/// Tells a function's runtime that a request is an event; no client can set it.
const TRIGGER: HeaderName = HeaderName::from_static("x-selfdb-trigger");

/// How many workers are asked before a request is given up: each had ended before the request
/// reached it.
const MOST_WORKERS: usize = 5;

/// Calls functions.
#[derive(Clone)]
pub(crate) struct Invoker {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoker").finish_non_exhaustive()
    }
}

/// What becomes the record of an invocation when its answer was read.
#[derive(Debug)]
struct Recorder {
    journal: Journal,
    function: Arc<Function>,
    execution: Execution,
    invocation: Arc<Invocation>,
    started: Instant,
}

/// What a call has found out about itself.
struct Called {
    version: VersionId,
    cold: bool,
    answer: Result<Response, Error>,
}

impl Invoker {
    /// Has `function` answer `request`.
    pub(crate) async fn invoke(
        &self,
        function: &Arc<Function>,
        cause: Cause,
        mut request: Request<Body>,
    ) -> Result<Response, Error> {
        let (started, started_at) = (Instant::now(), self.clock.now());
        let invocation = Arc::new(Invocation::new(self.randomness.uuid_at(started_at)));
        let id = HeaderValue::try_from(invocation.id.to_string());
        if let Ok(id) = &id {
            request.headers_mut().insert(EXECUTION, id.clone());
        }
        request.headers_mut().remove(TRIGGER);
        if cause.trigger != TriggerKind::Http {
            let kind = HeaderValue::from_static(cause.trigger.as_str());
            request.headers_mut().insert(TRIGGER, kind);
        }
        let method = request.method().to_string();
        let called = self.call(function, request, &invocation).await;
        let recorder = Recorder {
            journal: self.journal.clone(),
            function: Arc::clone(function),
            execution: Execution {
                id: invocation.id,
                function: function.name.clone(),
                version: called.version,
                cause,
                method,
                status: None,
                outcome: Outcome::Failed,
                error: None,
                cold: called.cold,
                started_at,
                duration: std::time::Duration::ZERO,
                usage: invocation.usage(),
            },
            invocation,
            started,
        };
        match called.answer {
            Ok(mut response) => {
                if let Ok(id) = id {
                    response.headers_mut().insert(EXECUTION, id);
                }
                Ok(recorder.watch(response))
            }
            Err(error) => {
                recorder.failed(&error);
                Err(error)
            }
        }
    }

    async fn call(
        &self,
        function: &Arc<Function>,
        request: Request<Body>,
        invocation: &Arc<Invocation>,
    ) -> Called {
        let mut request = request;
        let mut called = Called {
            version: function.newest().id.clone(),
            cold: false,
            answer: Err(Error::NoWorker),
        };
        for _ in 0..MOST_WORKERS {
            let worker = match self.catalog.worker(function).await {
                Ok((worker, cold)) => {
                    called.cold |= cold;
                    worker
                }
                Err(error) => {
                    called.answer = Err(Error::Start(error));
                    return called;
                }
            };
            called.version = worker.version().id.clone();
            match worker.call(request, invocation).await {
                Ok(response) => {
                    called.answer = Ok(response);
                    return called;
                }
                Err(CallError::NotSent(unsent)) => request = *unsent,
                Err(CallError::Failed(failure)) => {
                    called.answer = Err(failure.into());
                    return called;
                }
            }
        }
        called
    }
}

impl Recorder {
    /// The same answer, recorded when it was read.
    fn watch(mut self, response: Response) -> Response {
        self.execution.status = Some(response.status().as_u16());
        self.execution.outcome = Outcome::Interrupted;
        response.map(|body| Body::new(RecordedBody::new(body, self)))
    }

    fn answered(mut self) {
        let fault = self.execution.status.is_some_and(|status| status >= 500);
        self.execution.outcome = if fault {
            Outcome::Error
        } else {
            Outcome::Answered
        };
        self.write();
    }

    fn interrupted(mut self, error: Option<String>) {
        self.execution.error = error;
        self.write();
    }

    fn failed(mut self, error: &Error) {
        self.execution.status = Some(error.status().as_u16());
        self.execution.error = Some(common::error::chain(error));
        self.write();
    }

    fn write(mut self) {
        self.execution.duration = self.started.elapsed();
        self.execution.usage = self.invocation.usage();
        self.function.meters.count(&self.execution);
        self.journal.execution(self.execution);
    }
}
