//! A service that says what it was asked, and misbehaves on request.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The routes of a service called `name`.
pub(crate) fn router(name: &'static str) -> Router {
    Router::new()
        .route("/websocket", get(socket))
        .route("/api/v1/realtime/ws", get(socket))
        .route("/digest", any(digest))
        .route("/early", any(|| async { (StatusCode::FORBIDDEN, "early") }))
        .route("/never", any(std::future::pending::<()>))
        .route("/panic", any(panics))
        .route("/stream", any(stream))
        .route("/cors", any(with_cors))
        .fallback(move |request: Request| async move { describe(name, &request) })
}

fn describe(name: &str, request: &Request) -> Response {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let values = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        values.as_array_mut().expect("a list").push(value.into());
    }
    let described = json!({
        "service": name,
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "headers": Value::Object(headers),
    });
    Json(described).into_response()
}

async fn digest(request: Request) -> Response {
    let mut body = request.into_body();
    let (mut digest, mut length) = (Sha256::new(), 0);
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => {
                length += data.len();
                digest.update(&data);
            }
            Ok(Err(_trailers)) => {}
            Err(error) => return (StatusCode::IM_A_TEAPOT, error.to_string()).into_response(),
        }
    }
    let digest: Vec<u8> = digest.finalize().to_vec();
    Json(json!({ "length": length, "digest": digest })).into_response()
}

async fn panics() -> Response {
    panic!("as asked");
}

/// Never ends by itself: what is read of it was streamed.
async fn stream() -> Response {
    let chunks = futures_util::stream::unfold(0_u32, |number| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let chunk = Bytes::from(format!("{number}\n"));
        Some((Ok::<_, Infallible>(chunk), number + 1))
    });
    Body::from_stream(chunks).into_response()
}

async fn with_cors() -> Response {
    let headers = [
        ("access-control-allow-origin", "https://function.example"),
        ("access-control-allow-headers", "x-mine"),
    ];
    (headers, "mine").into_response()
}

async fn socket(upgrade: WebSocketUpgrade, request: Request) -> Response {
    let authorization = request.headers().get("authorization").cloned();
    upgrade.on_upgrade(move |socket| converse(socket, authorization))
}

/// Says the bearer it was opened with, then repeats what it hears.
async fn converse(mut socket: WebSocket, authorization: Option<http::HeaderValue>) {
    let greeting = authorization.map_or_else(String::new, |value| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    });
    if socket.send(Message::text(greeting)).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = socket.recv().await {
        let repeated = matches!(message, Message::Text(_) | Message::Binary(_));
        if repeated && socket.send(message).await.is_err() {
            return;
        }
    }
}
