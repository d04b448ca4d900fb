//! One call, delivered.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use pg::sqlx;
use serde_json::{Value, json};

use super::Dispatcher;
use crate::domain::FunctionName;
use crate::domain::execution::{Cause, TriggerKind};
use crate::store::queue::{self, Event};

/// What a function answers is of no use to anybody; this much of it is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How often the outcome is written down again where Postgres does not take it at once.
const TRIES: u32 = 10;

impl Dispatcher {
    /// Calls the function and notes the outcome. Where that cannot be noted, the call is made again
    /// when its lease is over: at least once, with the same id.
    pub(super) async fn deliver(&self, event: Event) {
        let outcome = self.call(&event).await;
        if let Err(error) = &outcome {
            tracing::warn!(function = event.function, event = %event.id, attempt = event.attempts, error, "a call of a function failed");
        }
        for _ in 0..TRIES {
            match self.note(&event, &outcome).await {
                Ok(()) => return,
                Err(error) if pg::is_unavailable(&error) => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                Err(error) => {
                    let error = common::error::chain(&error);
                    tracing::error!(error, event = %event.id, "the outcome of a call was not noted");
                    return;
                }
            }
        }
    }

    async fn note(&self, event: &Event, outcome: &Result<(), String>) -> Result<(), sqlx::Error> {
        let Err(error) = outcome else {
            return queue::complete(&self.pool, event.id).await;
        };
        let pause = (event.attempts < self.config.attempts).then(|| {
            let doublings = u32::try_from(event.attempts - 1).unwrap_or(0).min(20);
            (self.config.pause * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
        });
        let outcome = if pause.is_some() { "retried" } else { "dead" };
        metrics::counter!("selfdb_function_failed_calls_total", "outcome" => outcome).increment(1);
        queue::fail(&self.pool, event.id, error, pause).await
    }

    async fn call(&self, event: &Event) -> Result<(), String> {
        let name = FunctionName::parse(&event.function);
        let function = name.and_then(|name| self.invoker.catalog.find(&name));
        let function = function.ok_or("there is no such function on this node")?;
        let cause = Cause {
            trigger: kind(&event.kind),
            event: Some(event.id),
            source: Some(event.source.clone()),
        };
        let request = request(event).map_err(|error| error.to_string())?;
        let answered = self.invoker.invoke(&function, cause, request).await;
        let response = answered.map_err(|error| common::error::chain(&error))?;
        let status = response.status();
        let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
        if status.is_client_error() || status.is_server_error() {
            let text = body.unwrap_or_default();
            let text: String = String::from_utf8_lossy(&text).chars().take(500).collect();
            return Err(format!("it answered {status}: {text}"));
        }
        body.map(drop)
            .map_err(|_| "its answer had no end".to_owned())
    }
}

fn kind(text: &str) -> TriggerKind {
    match text {
        "schedule" => TriggerKind::Schedule,
        "database" => TriggerKind::Database,
        "webhook" => TriggerKind::Webhook,
        "once" => TriggerKind::Once,
        _ => TriggerKind::Event,
    }
}

/// The request that a call is: the function's runtime makes an event of it for SelfDB's format.
fn request(event: &Event) -> Result<Request<Body>, http::Error> {
    let mut told = json!({ "id": event.id, "type": event.kind, "attempt": event.attempts });
    if let (Some(told), Value::Object(payload)) = (told.as_object_mut(), &event.payload) {
        for (name, value) in payload {
            told.entry(name).or_insert_with(|| value.clone());
        }
    }
    Request::builder()
        .method(Method::POST)
        .uri(format!("/{}", event.function))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Body::from(told.to_string()))
}
