//! What runs functions. One implementation starts Deno processes; tests have one of their own.

pub(crate) mod deno;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use common::BoxError;
use futures_util::future::BoxFuture;
use http::{Request, Response};

use uuid::Uuid;

use crate::domain::Version;
use crate::domain::execution::Usage;
use crate::domain::trigger::Trigger;

/// One call of a function, from outside: its id goes with the request, what it used comes back.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) id: Uuid,
    usage: Mutex<Usage>,
}

impl Invocation {
    pub(crate) fn new(id: Uuid) -> Self {
        Self {
            id,
            usage: Mutex::default(),
        }
    }

    pub(crate) fn set_usage(&self, usage: Usage) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
    }

    /// What it has used; all there is to know once its answer was read to the end.
    pub(crate) fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a module exports beside its handler.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(crate) description: Option<String>,
    /// Empty where it exports none: then it is for HTTP.
    pub(crate) triggers: Vec<Trigger>,
}

/// Starts workers.
pub(crate) trait Runtime: fmt::Debug + Send + Sync {
    /// Loads `version`; the worker answers requests at once.
    fn start(&self, version: Arc<Version>) -> BoxFuture<'_, Result<Arc<dyn Worker>, StartError>>;

    /// Whether another worker fits without another one's end; `start` ends an idle one where none
    /// does.
    fn has_room(&self) -> bool;
}

/// A version of a function that is loaded and answers requests.
pub(crate) trait Worker: fmt::Debug + Send + Sync {
    /// Has the function answer `request`; `invocation` is told what that used.
    fn call(
        &self,
        request: Request<Body>,
        invocation: &Arc<Invocation>,
    ) -> BoxFuture<'_, Result<Response<Body>, CallError>>;

    /// What it runs.
    fn version(&self) -> &Arc<Version>;

    /// What its module says of itself.
    fn described(&self) -> &Described;

    /// Whether it takes requests.
    fn is_serving(&self) -> bool;

    /// How many requests it has.
    fn load(&self) -> usize;

    /// Whether it has had more to do lately than one process can.
    fn is_overloaded(&self) -> bool;

    /// How many processes of its version may run, itself included.
    fn most_beside(&self) -> usize;

    /// Takes no more requests if it has none now.
    fn retire_if_idle(&self);

    /// Takes no more requests, and ends when those it has are answered.
    fn retire(&self);
}

/// Why a version did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Its own fault: what the module said when it was loaded.
    #[error("the module did not load: {0}")]
    Broken(String),
    /// As many processes run as may, and all of them are busy.
    #[error("every process is busy")]
    Full,
    /// The runtime's fault.
    #[error("the runtime cannot start a process")]
    Unavailable(#[source] BoxError),
}

/// Why a request was not answered.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The worker ended before the request reached it: another may be asked.
    NotSent(Box<Request<Body>>),
    /// The function has, or may have, begun to work on it.
    Failed(Failure),
}

/// How a function failed a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the function's process ended")]
    Crashed,
    #[error("the function went beyond its CPU time or memory")]
    LimitExceeded,
    #[error("the function works on as many requests as it may")]
    Overloaded,
    #[error("the function did not answer in time")]
    TimedOut,
    #[error("the request's body is too large")]
    BodyTooLarge,
    #[error("the client's request ended early")]
    ClientGone,
}
