//! Connections that a service closes after an answer, just when the next request wants one.

use std::sync::Arc;
use std::time::Duration;

use common::server::ServerLimits;
use http::{Method, StatusCode};

use crate::stage::{Place, Stage};

const CLIENTS: usize = 16;
const REQUESTS: usize = 40;

/// Asks `path` from many clients at once, and answers the statuses with how often each occurred.
async fn storm(
    stage: &Arc<Stage>,
    method: &Method,
    path: &'static str,
    body: &'static str,
) -> Vec<(StatusCode, usize)> {
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (stage, method) = (Arc::clone(stage), method.clone());
        clients.spawn(async move {
            let headers = [("apikey", stage.keys.anon.as_str())];
            let mut statuses = Vec::new();
            for number in 0..REQUESTS {
                let reply = stage.ask(method.clone(), path, &headers, body);
                statuses.push(reply.await.status);
                let pause = u64::try_from((client * 7 + number) % 5).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            statuses
        });
    }
    let mut counted: Vec<(StatusCode, usize)> = Vec::new();
    for status in clients.join_all().await.into_iter().flatten() {
        match counted.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => counted.push((status, 1)),
        }
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_answers_before_it_has_read_the_body_breaks_nothing() {
    let stage = Arc::new(Stage::new(Place::Elsewhere, &[]).await);
    let body = r#"{"a": "body that nobody reads"}"#;
    let answers = storm(&stage, &Method::POST, "/rest/v1/early", body).await;
    assert_eq!(answers, [(StatusCode::FORBIDDEN, CLIENTS * REQUESTS)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_closes_resting_connections_lets_nobody_hang() {
    let limits = ServerLimits {
        // About as long as the clients below rest: many a request meets a connection that is
        // closed at that moment.
        header_read_timeout: Duration::from_millis(3),
        ..ServerLimits::default()
    };
    let changes = [("UPSTREAM_TIMEOUT_SECONDS", "2")];
    let stage = Arc::new(Stage::elsewhere(limits, &changes).await);
    let body = r#"{"a": "row"}"#;
    let answers = storm(&stage, &Method::POST, "/auth/v1/token", body).await;
    // What was written to a connection that then ended may have been carried out: 502.
    let answered = answers
        .iter()
        .filter(|(status, _)| matches!(*status, StatusCode::OK | StatusCode::BAD_GATEWAY));
    let answered: usize = answered.map(|(_, count)| count).sum();
    assert_eq!(answered, CLIENTS * REQUESTS, "{answers:?}");
}
