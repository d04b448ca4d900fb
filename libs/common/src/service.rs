//! The one shape of every service: `Config::build() -> Service { router, tasks, checks }`.
//! The composition root mounts the routers and supervises the tasks; a binary of its own does the
//! same with one service.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::error::BoxError;
use crate::health::Check;

/// A service that was configured and built, and not started.
#[derive(Debug)]
pub struct Service {
    /// The service's name in logs and metrics.
    pub name: &'static str,
    /// Its routes, without the gateway's prefix (`/rest/v1` and the like).
    pub router: Router,
    /// What runs beside requests, supervised: replication, sweepers, pools of processes.
    pub tasks: Vec<Task>,
    /// What must hold before the service can answer.
    pub checks: Vec<Check>,
}

type Start = dyn Fn(CancellationToken) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// A background task. It runs until its token is cancelled; one that ends before that is started
/// again with a growing pause.
#[derive(Clone)]
pub struct Task {
    /// The task's name in logs and metrics.
    pub name: &'static str,
    start: Arc<Start>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Task {
    /// A task made anew by `start` each time it has to run.
    pub fn new<F>(
        name: &'static str,
        start: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self {
            name,
            start: Arc::new(move |token| Box::pin(start(token))),
        }
    }

    /// Runs the task once.
    pub fn run(&self, shutdown: CancellationToken) -> BoxFuture<'static, Result<(), BoxError>> {
        (self.start)(shutdown)
    }
}
