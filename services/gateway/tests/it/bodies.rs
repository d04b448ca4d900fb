//! Bodies: streamed both ways, bounded, never left to stall.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{PLACES, Place, Stage};

const MIB: usize = 1024 * 1024;

/// A body of `count` MiB that is made as it is read; without a length it is sent in chunks.
fn megabytes(count: usize) -> Body {
    let chunk = Bytes::from(vec![b'x'; MIB]);
    let chunks = (0..count).map(move |_| Ok::<_, Infallible>(chunk.clone()));
    Body::from_stream(futures_util::stream::iter(chunks))
}

fn digest_of(count: usize) -> Vec<u8> {
    let mut digest = Sha256::new();
    let chunk = vec![b'x'; MIB];
    for _ in 0..count {
        digest.update(&chunk);
    }
    digest.finalize().to_vec()
}

#[tokio::test]
async fn storage_takes_what_others_refuse() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let headers = [("apikey", stage.keys.anon.as_str())];
        let stored = stage
            .ask(Method::POST, "/storage/v1/digest", &headers, megabytes(50))
            .await;
        let expected = json!({ "length": 50 * MIB, "digest": digest_of(50) });
        assert_eq!(stored.json(), expected, "{place:?}");

        for (path, megabytes_sent) in [("/rest/v1/digest", 11), ("/functions/v1/digest", 200)] {
            let refused = stage
                .ask(Method::POST, path, &headers, megabytes(megabytes_sent))
                .await;
            assert_eq!(
                refused.status,
                StatusCode::PAYLOAD_TOO_LARGE,
                "{place:?} {path}"
            );
            assert_eq!(refused.json()["code"], "body_too_large");
        }
        let taken = stage
            .ask(Method::POST, "/rest/v1/digest", &headers, megabytes(10))
            .await;
        assert_eq!(taken.json()["length"], 10 * MIB, "{place:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_too_long_is_refused_before_it_is_sent() {
    let stage = Stage::new(Place::InProcess, &[("MAX_BODY_BYTES", "1000")]).await;
    let head = format!(
        "POST /rest/v1/digest HTTP/1.1\r\nHost: x\r\napikey: {}\r\nContent-Length: 1001\r\n\
         Expect: 100-continue\r\n\r\n",
        stage.keys.anon
    );
    let answer = crate::smuggling::exchange(&stage, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    // Without Expect, the client sends it all first and still gets to see the answer.
    let headers = [("apikey", stage.keys.anon.as_str())];
    let body = Body::from(vec![b'x'; 200 * MIB]);
    let refused = stage
        .ask(Method::POST, "/rest/v1/digest", &headers, body)
        .await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let exact = Body::from(vec![b'x'; 1000]);
    let taken = stage
        .ask(Method::POST, "/rest/v1/digest", &headers, exact)
        .await;
    assert_eq!(taken.json()["length"], 1000);
}

#[tokio::test]
async fn an_early_answer_is_seen_by_who_still_sends() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let headers = [("apikey", "wrong")];
        let refused = stage
            .ask(Method::POST, "/rest/v1/t", &headers, megabytes(50))
            .await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{place:?}");
    }
    // A service elsewhere closes on its own when it answers early; in process we read on for it.
    let stage = Stage::new(Place::InProcess, &[]).await;
    let answered = stage
        .ask(Method::POST, "/storage/v1/early", &[], megabytes(50))
        .await;
    assert_eq!(answered.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn answers_are_streamed() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        // The answer never ends: whoever buffers it never passes any of it on.
        let response = stage
            .send(Method::GET, "/functions/v1/stream", &[], Body::empty())
            .await;
        let mut body = response.into_body();
        let mut seen = String::new();
        while !seen.contains("\n5\n") {
            let frame = body.frame().await.expect("a frame").expect("no error");
            let data = frame.into_data().expect("data");
            seen.push_str(std::str::from_utf8(&data).expect("text"));
        }
        assert!(seen.starts_with("0\n1\n2\n"), "{place:?}: {seen}");
    }
}

async fn begin_upload(stage: &Stage, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(stage.address())
        .await
        .expect("a connection");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\napikey: {}\r\nContent-Length: 100\r\n\r\nhalf",
        stage.keys.anon
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    for place in PLACES {
        let stage = Stage::new(place, &[("BODY_PAUSE_SECONDS", "1")]).await;
        for path in ["/rest/v1/digest", "/storage/v1/digest"] {
            let mut stream = begin_upload(&stage, path).await;
            let mut answer = vec![0; 12];
            stream.read_exact(&mut answer).await.expect("an answer");
            assert_eq!(
                String::from_utf8_lossy(&answer),
                "HTTP/1.1 408",
                "{place:?} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_upload_that_moves_is_waited_for() {
    for place in PLACES {
        let changes = [
            ("STORAGE_UPSTREAM_TIMEOUT_SECONDS", "1"),
            ("BODY_PAUSE_SECONDS", "2"),
        ];
        let stage = Stage::new(place, &changes).await;
        let mut stream = begin_upload(&stage, "/storage/v1/digest").await;
        let mut ticks = tokio::time::interval(Duration::from_millis(400));
        for piece in [32, 32, 32, 0] {
            ticks.tick().await;
            stream.write_all(&vec![b'x'; piece]).await.expect("sent");
        }
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(
            String::from_utf8_lossy(&answer),
            "HTTP/1.1 200",
            "{place:?}"
        );
    }
}
