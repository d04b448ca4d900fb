//! What runs functions. One implementation starts Deno processes; tests have one of their own.

pub(crate) mod deno;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use common::BoxError;
use futures_util::future::BoxFuture;
use http::{Request, Response};

use crate::domain::Version;

/// Starts workers.
pub(crate) trait Runtime: fmt::Debug + Send + Sync {
    /// Loads `version`; the worker answers requests at once.
    fn start(&self, version: Arc<Version>) -> BoxFuture<'_, Result<Arc<dyn Worker>, StartError>>;

    /// Whether another worker fits; `start` waits a little for room and gives up then.
    fn has_room(&self) -> bool;
}

/// A version of a function that is loaded and answers requests.
pub(crate) trait Worker: fmt::Debug + Send + Sync {
    /// Has the function answer `request`.
    fn call(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, CallError>>;

    /// Whether it takes requests.
    fn is_serving(&self) -> bool;

    /// How long it has had nothing to do; `None` while it has.
    fn idle_for(&self) -> Option<Duration>;

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
