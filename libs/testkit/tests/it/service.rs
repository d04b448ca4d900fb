//! A service is asked the same way in process and over a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::routing::{any, post};
use common::{Service, Task};
use serde_json::{Value, json};
use std::net::SocketAddr;
use testkit::TestService;

fn echo(running: &Arc<AtomicBool>) -> Service {
    let running = Arc::clone(running);
    let task = Task::new("flag", move |shutdown| {
        let running = Arc::clone(&running);
        async move {
            running.store(true, Ordering::SeqCst);
            shutdown.cancelled().await;
            Ok(())
        }
    });
    let router = Router::new()
        .route(
            "/echo",
            post(|headers: HeaderMap, body: String| async move {
                let token = headers
                    .get("authorization")
                    .map(|value| value.to_str().expect("text").to_owned());
                axum::Json(json!({ "token": token, "body": body }))
            }),
        )
        .route(
            "/peer",
            any(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
        );
    Service {
        name: "echo",
        router,
        tasks: vec![task],
        checks: vec![],
    }
}

async fn ask(service: &TestService) {
    let answer = service
        .post("/echo")
        .bearer("abc")
        .json(&json!({ "a": 1 }))
        .await;
    let expected = json!({ "token": "Bearer abc", "body": "{\"a\":1}" });
    assert_eq!(answer.clone().expect_status(200).json(), expected);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(service.get("/peer").await.text(), "127.0.0.1");
    assert_eq!(
        service.get("/ready").await.parse::<Value>()["status"],
        "ready"
    );
    let _ = service.delete("/nothing").await.expect_status(404);
}

#[tokio::test]
async fn in_process_and_over_a_socket() {
    let running = Arc::new(AtomicBool::new(false));
    ask(&TestService::in_process(echo(&running))).await;
    let listening = TestService::on_socket(echo(&running)).await;
    assert!(listening.url().starts_with("http://127.0.0.1:"));
    ask(&listening).await;
    assert!(running.load(Ordering::SeqCst), "its tasks run");
}

#[tokio::test]
#[should_panic(expected = "answered")]
async fn an_unexpected_status_ends_the_test() {
    let service = TestService::in_process(echo(&Arc::default()));
    let _ = service.get("/nothing").await.expect_status(200);
}
