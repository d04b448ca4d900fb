//! Services that are away, break off, hang, panic or are full.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use gateway::{Upstream, Upstreams};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::echo;
use crate::stage::{PLACES, Place, Reply, Server, Stage, eventually};

#[tokio::test]
async fn a_service_that_dies_is_a_503_until_it_is_back() {
    let stage = Stage::new(Place::Elsewhere, &[]).await;
    assert_eq!(stage.get("/rest/v1/todos").await.status, StatusCode::OK);
    stage.services[1].kill();
    let reply = eventually(async || {
        let reply = stage.get("/rest/v1/todos").await;
        (reply.status == StatusCode::SERVICE_UNAVAILABLE).then_some(reply)
    });
    let reply = reply.await;
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.json()["code"], "upstream_unavailable");
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(stage.get("/auth/v1/health").await.status, StatusCode::OK);

    let address = stage.services[1].address;
    let listener = eventually(async || TcpListener::bind(address).await.ok()).await;
    let _back = Server::on(listener, echo::router("rest"));
    assert_eq!(stage.get("/rest/v1/todos").await.status, StatusCode::OK);
}

/// A service that reads a request, answers `answer` and closes; it counts what it was asked.
async fn broken(answer: &'static [u8]) -> (String, tokio::sync::mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (asked, count) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {
                let _ = asked.send(());
                let _ = stream.write_all(answer).await;
            }
        }
    });
    (url, count)
}

async fn stage_with_rest(url: &str, changes: &[(&str, &str)]) -> Stage {
    let router = || Upstream::InProcess(Router::new(), Vec::new());
    let upstreams = Upstreams {
        auth: router(),
        rest: Upstream::remote(url.parse().expect("a URL")),
        realtime: router(),
        storage: router(),
        functions: router(),
    };
    Stage::of(upstreams, changes).await
}

#[tokio::test]
async fn a_request_that_may_have_been_carried_out_is_not_sent_again() {
    for answer in [&b""[..], b"HTTP/1.1 200 O", b"nonsense\r\n\r\n"] {
        let (url, mut asked) = broken(answer).await;
        let stage = stage_with_rest(&url, &[]).await;
        let headers = [("apikey", stage.keys.anon.as_str())];
        for method in [Method::POST, Method::GET] {
            let reply = stage.ask(method, "/rest/v1/todos", &headers, "{}").await;
            assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{answer:?}");
            assert_eq!(reply.json()["code"], "upstream_failed");
            assert_eq!(reply.header("retry-after"), None);
            asked.recv().await.expect("asked once");
        }
        assert!(asked.try_recv().is_err(), "asked again");
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_a_504() {
    for place in PLACES {
        let changes = [
            ("UPSTREAM_TIMEOUT_SECONDS", "1"),
            ("FUNCTIONS_UPSTREAM_TIMEOUT_SECONDS", "2"),
        ];
        let stage = Stage::new(place, &changes).await;
        for (path, seconds) in [("/rest/v1/never", 1), ("/functions/v1/never", 2)] {
            let started = Instant::now();
            let reply = stage.get(path).await;
            assert_eq!(
                reply.status,
                StatusCode::GATEWAY_TIMEOUT,
                "{place:?} {path}"
            );
            assert_eq!(reply.json()["code"], "upstream_timeout");
            assert!(
                started.elapsed() >= Duration::from_secs(seconds),
                "{place:?} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_answered() {
    let stage = Stage::new(Place::InProcess, &[]).await;
    let reply = stage.get("/rest/v1/panic").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.json()["code"], "internal_error");
    assert!(!String::from_utf8_lossy(&reply.body).contains("as asked"));
    assert!(reply.header("x-request-id").is_some());
    assert_eq!(stage.get("/rest/v1/todos").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_full_service_sheds_and_the_others_go_on() {
    for place in PLACES {
        let changes = [("MAX_IN_FLIGHT", "2"), ("UPSTREAM_TIMEOUT_SECONDS", "3")];
        let stage = Stage::new(place, &changes).await;
        let shed = eventually(async || {
            // Three at once where two have a place.
            let never = || stage.get("/rest/v1/never");
            let (first, second, third) = tokio::join!(never(), never(), never());
            let busy = |reply: &Reply| reply.status == StatusCode::SERVICE_UNAVAILABLE;
            [first, second, third].into_iter().find(busy)
        });
        let probe = async { stage.get("/auth/v1/health").await };
        let (shed, other) = tokio::join!(shed, probe);
        assert_eq!(shed.header("retry-after"), Some("1"), "{place:?}");
        assert_eq!(shed.json()["code"], "too_many_requests_in_flight");
        assert_eq!(other.status, StatusCode::OK);
        assert_eq!(
            stage.get("/rest/v1/todos").await.status,
            StatusCode::OK,
            "{place:?}"
        );
    }
}

#[tokio::test]
async fn streams_and_sockets_hold_no_place() {
    let stage = Stage::new(Place::InProcess, &[("MAX_IN_FLIGHT", "1")]).await;
    let path = "/functions/v1/stream";
    let mut open = Vec::new();
    for _ in 0..3 {
        let response = stage.send(Method::GET, path, &[], Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
}
