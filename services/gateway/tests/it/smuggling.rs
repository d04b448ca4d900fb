//! Heads that two readers may read differently, over a raw socket.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stage::{PLACES, Stage};

/// Sends `bytes` and reads until the gateway closes, or for as long as an answer may take.
pub(crate) async fn exchange(stage: &Stage, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(stage.address())
        .await
        .expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A connection that stays open has answered all it was asked.
    let _ = tokio::time::timeout(Duration::from_millis(700), reading).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// What makes each message ambiguous, and the message: `{post}` and `{get}` begin a good one, and
/// what follows it would be a second request to whoever reads it the other way.
const AMBIGUOUS: &[(&str, &str)] = &[
    (
        "CL and TE",
        "{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "TE and CL",
        "{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "two lengths",
        "{post}Content-Length: 0\r\nContent-Length: 9\r\n\r\n",
    ),
    (
        "one length twice",
        "{post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    ),
    ("a list of lengths", "{post}Content-Length: 0, 0\r\n\r\n"),
    ("a signed length", "{post}Content-Length: +0\r\n\r\n"),
    (
        "an unknown coding",
        "{post}Transfer-Encoding: xchunked\r\n\r\n",
    ),
    (
        "a hidden coding",
        "{post}Transfer-Encoding: chunked, identity\r\n\r\n",
    ),
    (
        "two codings",
        "{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    ),
    (
        "a bad chunk",
        "{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ),
    (
        "an endless chunk",
        "{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ),
    ("a folded header", "{get}X-A: b\r\n c\r\n\r\n"),
    (
        "a folded first header",
        "GET /rest/v1/t HTTP/1.1\r\n Host: x\r\n\r\n",
    ),
    ("space before colon", "{post}Content-Length : 5\r\n\r\n"),
    ("a bare LF", "{get}X-A: b\n\r\n"),
    ("bare LFs only", "GET /rest/v1/t HTTP/1.1\nHost: x\n\n"),
    ("a bare CR", "{get}X-A: b\rContent-Length: 5\r\n\r\n"),
    ("a NUL", "{get}X-A: b\0c\r\n\r\n"),
    (
        "absolute form",
        "GET http://evil.example/rest/v1/t HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    ("no host", "GET /rest/v1/t HTTP/1.1\r\n\r\n"),
    ("two hosts", "{get}Host: y\r\n\r\n"),
    ("no version", "GET /rest/v1/t\r\nHost: x\r\n\r\n"),
    (
        "a space in the path",
        "GET /rest/v1/t x HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
];

#[tokio::test]
async fn ambiguous_messages_are_refused_and_nothing_is_smuggled() {
    let stage = Stage::new(PLACES[1], &[]).await;
    let key = &stage.keys.anon;
    let post = format!("POST /rest/v1/t HTTP/1.1\r\nHost: x\r\napikey: {key}\r\n");
    let get = format!("GET /rest/v1/t HTTP/1.1\r\nHost: x\r\napikey: {key}\r\n");
    let second = format!(
        "GET /rest/v1/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\napikey: {key}\r\n\r\n"
    );
    for (case, message) in AMBIGUOUS {
        let message = message.replace("{post}", &post).replace("{get}", &get);
        let answer = exchange(&stage, format!("{message}{second}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{case}: {answer}");
        if !["absolute form", "no host", "two hosts"].contains(case) {
            assert!(!answer.contains("smuggled"), "{case}: {answer}");
        }
    }
    // The control: two requests on one connection are two answers.
    let answer = exchange(&stage, format!("{get}\r\n{second}").as_bytes()).await;
    assert!(answer.contains("smuggled"), "{answer}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let stage = Stage::new(PLACES[0], &[]).await;
    let key = format!("apikey: {}\r\n", stage.keys.anon);
    let head = |path: usize, header: usize, count: usize| {
        let path = "a".repeat(path);
        let header = format!("x-long: {}\r\n", "b".repeat(header));
        let many: Vec<_> = (0..count)
            .map(|number| format!("x-{number}: 1\r\n"))
            .collect();
        let many = many.concat();
        format!("GET /rest/v1/t?{path} HTTP/1.1\r\nHost: x\r\n{key}{header}{many}\r\n")
    };
    for (head, expected) in [
        (head(60_000, 1, 0), "200"),
        (head(70_000, 1, 0), "414"),
        (head(100_000, 1, 0), "414"),
        (head(1, 60_000, 0), "200"),
        (head(1, 140_000, 0), "431"),
        (head(1, 1, 90), "200"),
        (head(1, 1, 120), "431"),
    ] {
        let answer = exchange(&stage, head.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected} ")),
            "{expected}: {}",
            answer.len()
        );
    }
}
