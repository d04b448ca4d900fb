//! The access log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Method;
use serde_json::Value;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use crate::stage::{Place, Stage};

/// What was logged, as JSON lines.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("text")
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        lines
            .filter(|line: &Value| line["target"] == "access")
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Collects what is logged at `level` until the guard is dropped.
fn listen(level: Level) -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn each_request_is_one_line_without_its_secrets() {
    let (log, _guard) = listen(Level::INFO);
    let stage = Stage::new(Place::InProcess, &[("ACCESS_LOG", "true")]).await;
    let key = stage.keys.service_role.clone();
    let user = format!("Bearer {}", stage.keys.user);
    let path = format!("/rest/v1/todos?select=*&apikey={key}&token=hush");
    let headers = [("authorization", user.as_str()), ("x-request-id", "mine")];
    stage
        .ask(Method::POST, &path, &headers, Body::empty())
        .await;
    stage
        .ask(
            Method::GET,
            "/nothing",
            &[("x-forwarded-for", "6.6.6.6")],
            Body::empty(),
        )
        .await;

    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let first = &lines[0];
    assert_eq!(first["request_id"], "mine");
    assert_eq!(first["method"], "POST");
    assert_eq!(first["path"], "/rest/v1/todos");
    assert_eq!(first["query"], "select=*&apikey=…&token=…");
    assert_eq!(first["status"], 200);
    assert_eq!(first["service"], "rest");
    assert_eq!(first["client"], "127.0.0.1");
    assert!(first["duration_ms"].as_f64().is_some_and(|took| took > 0.0));
    assert_eq!(lines[1]["status"], 404);
    assert_eq!(lines[1]["client"], "127.0.0.1");
    assert_eq!(lines[1]["service"], "gateway");
    for secret in [key.as_str(), stage.keys.user.as_str(), "hush"] {
        assert!(!log.text().contains(secret));
    }
}

#[tokio::test]
async fn nothing_is_logged_of_a_request_unless_asked() {
    let (log, guard) = listen(Level::INFO);
    let stage = Stage::new(Place::InProcess, &[]).await;
    stage.get("/rest/v1/todos").await;
    assert_eq!(log.lines(), [] as [Value; 0]);
    drop(guard);
    let (log, _guard) = listen(Level::DEBUG);
    stage.get("/rest/v1/todos").await;
    assert_eq!(log.lines().len(), 1);
}
