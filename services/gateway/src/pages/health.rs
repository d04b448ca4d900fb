//! Whether every service can answer. Public, so it says which service cannot and not why, and asks
//! the services at most once a second however often it is asked.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use common::Check;
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::lane::Lane;
use crate::routes::ServiceName;

const FRESH_FOR: Duration = Duration::from_secs(1);

/// Which services can answer.
type Report = [bool; ServiceName::ALL.len()];

/// Asks the services how they are.
#[derive(Debug, Clone)]
pub(crate) struct Health(Arc<State>);

#[derive(Debug)]
struct State {
    /// By service, in the order of [`ServiceName::ALL`].
    checks: Vec<Vec<Check>>,
    latest: Mutex<Option<(Instant, Report)>>,
}

impl Health {
    pub(crate) fn new(lanes: &[Lane]) -> Self {
        let checks = lanes.iter().map(|lane| lane.upstream.checks()).collect();
        let latest = Mutex::new(None);
        Self(Arc::new(State { checks, latest }))
    }

    /// 200 where all of them can answer, 503 else, with the state of each.
    pub(crate) async fn page(&self) -> Response {
        let report = self.report().await;
        let word = |ready: bool| if ready { "ok" } else { "unavailable" };
        let states = ServiceName::ALL.iter().zip(report);
        let states: Map<String, Value> = states
            .map(|(service, ready)| (service.as_str().to_owned(), word(ready).into()))
            .collect();
        let (status, word) = if report.iter().all(|ready| *ready) {
            (StatusCode::OK, "ok")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        };
        (status, Json(json!({ "status": word, "services": states }))).into_response()
    }

    /// One check a service, for whoever runs the gateway.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let check = |service: ServiceName| {
            let health = self.clone();
            Check::new(service.as_str(), move || {
                let health = health.clone();
                async move {
                    let ready = health.report().await[service.index()];
                    ready.then_some(()).ok_or_else(|| "unavailable".to_owned())
                }
            })
        };
        ServiceName::ALL.map(check).into()
    }

    /// The latest report, or a new one. Whoever asks while one is made waits for that one.
    async fn report(&self) -> Report {
        let mut latest = self.0.latest.lock().await;
        if let Some((made, report)) = *latest
            && made.elapsed() < FRESH_FOR
        {
            return report;
        }
        let services = self.0.checks.iter().map(|checks| async move {
            let answers = join_all(checks.iter().map(Check::run)).await;
            answers.iter().all(Result::is_ok)
        });
        let answers = join_all(services).await;
        let mut report = [false; ServiceName::ALL.len()];
        for (ready, answer) in report.iter_mut().zip(answers) {
            *ready = answer;
        }
        *latest = Some((Instant::now(), report));
        report
    }
}
