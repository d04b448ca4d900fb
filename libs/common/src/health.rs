//! Readiness: whether a service can answer now, asked by the gateway, `start.sh` and compose.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing::get};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};

type Probe = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// A named question whose answer is fine, or what is wrong.
#[derive(Clone)]
pub struct Check {
    /// What is asked about: `postgres`, `replication`, `deno`.
    pub name: &'static str,
    probe: Arc<Probe>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Check {
    /// A check that runs `probe` each time it is asked.
    pub fn new<F>(name: &'static str, probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            probe: Arc::new(move || Box::pin(probe())),
        }
    }

    /// Asks once.
    pub async fn run(&self) -> Result<(), String> {
        (self.probe)().await
    }
}

/// Runs all checks at once; the answer is 200 or 503 with each check's state in the body.
pub async fn readiness(checks: &[Check]) -> Response {
    let answers = join_all(checks.iter().map(Check::run)).await;
    let ready = answers.iter().all(Result::is_ok);
    let states: Map<String, Value> = checks
        .iter()
        .zip(answers)
        .map(|(check, answer)| {
            let state = answer.map_or_else(Value::from, |()| Value::from("ok"));
            (check.name.to_owned(), state)
        })
        .collect();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = if ready { "ready" } else { "unavailable" };
    (status, Json(json!({ "status": word, "checks": states }))).into_response()
}

/// `/live` (the process runs) and `/ready` (its checks pass) for a service of its own.
pub fn router(checks: Vec<Check>) -> Router {
    let checks: Arc<[Check]> = checks.into();
    let ready = move || {
        let checks = Arc::clone(&checks);
        async move { readiness(&checks).await }
    };
    Router::new()
        .route("/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/ready", get(ready))
}
