use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

use super::*;

/// A server that reads until it has seen the end of what it waits for and then says what it is
/// told to; on each connection one exchange after the other.
struct Scripted {
    connections: Arc<Connections>,
    heard: mpsc::UnboundedReceiver<(usize, String)>,
    _folder: tempfile::TempDir,
}

/// One exchange: what the request ends with, the answer, and whether the connection is closed then.
type Exchange = (&'static str, &'static str, bool);

impl Scripted {
    /// The `n`th connection is served by the `n`th of `scripts`.
    fn new(scripts: Vec<Vec<Exchange>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("s.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let (say, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for (number, script) in scripts.into_iter().enumerate() {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(follow(stream, number, script, say.clone()));
            }
        });
        Self {
            connections: Arc::new(Connections::new(socket, TaskTracker::new())),
            heard,
            _folder: folder,
        }
    }

    async fn ask(&self, method: Method, body: Body) -> Result<(StatusCode, Bytes), SendError> {
        let request = Request::builder().method(method).uri("http://a.test/x?y=1");
        let request = request.body(body).expect("a request");
        let answer = self.connections.send(request).await?;
        let (status, body) = (answer.status(), Body::new(answer.into_body()));
        match to_bytes(body, usize::MAX).await {
            Ok(body) => Ok((status, body)),
            Err(error) => Err(SendError::Body(error)),
        }
    }

    async fn get(&self) -> (StatusCode, Bytes) {
        let answer = self.ask(Method::GET, Body::empty()).await;
        answer.expect("an answer")
    }

    /// The next request that was heard, and on which connection.
    async fn next(&mut self) -> (usize, String) {
        self.heard.recv().await.expect("a request")
    }
}

async fn follow(
    mut stream: UnixStream,
    number: usize,
    script: Vec<Exchange>,
    say: mpsc::UnboundedSender<(usize, String)>,
) {
    for (end, answer, closes) in script {
        let mut request = Vec::new();
        while !request.ends_with(end.as_bytes()) {
            let mut byte = [0];
            if !matches!(stream.read(&mut byte).await, Ok(1)) {
                return;
            }
            request.push(byte[0]);
        }
        let text = String::from_utf8(request).expect("text");
        let _ = say.send((number, text));
        stream.write_all(answer.as_bytes()).await.expect("written");
        if closes {
            return;
        }
    }
    // Open until the other end has enough of it.
    let _ = stream.read(&mut [0]).await;
}

const HEAD_END: &str = "\r\n\r\n";

#[tokio::test]
async fn one_connection_carries_answers_of_every_framing() {
    let mut server = Scripted::new(vec![vec![
        (
            HEAD_END,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst",
            false,
        ),
        (
            HEAD_END,
            "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n",
            false,
        ),
        (HEAD_END, "HTTP/1.1 204 No Content\r\n\r\n", false),
        (
            HEAD_END,
            "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            false,
        ),
        (
            HEAD_END,
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n",
            false,
        ),
        (HEAD_END, "HTTP/1.1 200 OK\r\n\r\nto the end", true),
    ]]);
    let text = |(status, body): (StatusCode, Bytes)| {
        (
            status.as_u16(),
            String::from_utf8(body.to_vec()).expect("text"),
        )
    };
    for expected in [(200, "first"), (201, "second"), (204, ""), (200, "")] {
        assert_eq!(
            text(server.get().await),
            (expected.0, expected.1.to_owned())
        );
    }
    let head = server.ask(Method::HEAD, Body::empty()).await;
    assert_eq!(head.expect("an answer").1, Bytes::new());
    assert_eq!(text(server.get().await), (200, "to the end".to_owned()));
    for _ in 0..6 {
        let (connection, request) = server.next().await;
        assert_eq!(connection, 0);
        assert!(
            request.contains(" http://a.test/x?y=1 HTTP/1.1\r\n"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn bodies_have_a_length_where_it_is_known_and_chunks_where_not() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let mut server = Scripted::new(vec![vec![
        ("abc", ok, false),
        ("0\r\n\r\n", ok, false),
        (HEAD_END, ok, false),
    ]]);
    let pieces = stream::iter(["ab", "c"]).map(Ok::<_, io::Error>);
    for body in [Body::from("abc"), Body::from_stream(pieces), Body::empty()] {
        server.ask(Method::POST, body).await.expect("an answer");
    }
    let requests = [
        server.next().await.1,
        server.next().await.1,
        server.next().await.1,
    ];
    assert!(
        requests[0].ends_with("content-length: 3\r\n\r\nabc"),
        "{requests:?}"
    );
    let chunked = "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert!(requests[1].ends_with(chunked), "{requests:?}");
    assert!(
        requests[2].ends_with("content-length: 0\r\n\r\n"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_used_and_the_body_goes_by_another() {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let mut server = Scripted::new(vec![vec![(HEAD_END, ok, true)], vec![("abc", ok, false)]]);
    server.get().await;
    let again = server.ask(Method::POST, Body::from("abc")).await;
    assert_eq!(again.expect("an answer").1, Bytes::from("ok"));
    assert_eq!((server.next().await.0, server.next().await.0), (0, 1));
}

#[tokio::test]
async fn nobody_is_given_what_came_behind_anothers_answer() {
    let forged = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged";
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let server = Scripted::new(vec![
        vec![(HEAD_END, forged, false)],
        vec![(HEAD_END, ok, false)],
    ]);
    for _ in 0..2 {
        assert_eq!(server.get().await.1, Bytes::from("ok"));
    }
}

#[tokio::test]
async fn an_answer_that_comes_first_does_not_end_the_request() {
    let server_end = "last";
    let early = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly";
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let mut server = Scripted::new(vec![
        vec![("first\r\n", early, false), (server_end, "", false)],
        vec![(HEAD_END, ok, false)],
    ]);
    let (pieces, body) = mpsc::unbounded_channel::<Result<&str, io::Error>>();
    pieces.send(Ok("first")).expect("taken");
    let body = stream::unfold(body, |mut body| async { Some((body.recv().await?, body)) });
    let asked = server.ask(Method::POST, Body::from_stream(body)).await;
    assert_eq!(asked.expect("an answer").1, Bytes::from("early"));
    // That connection is busy still.
    assert_eq!(server.get().await.1, Bytes::from("ok"));
    pieces.send(Ok("last")).expect("taken");
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(server.next().await);
    }
    assert!(heard.contains(&(0, "4\r\nlast".to_owned())), "{heard:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let endless = String::leak(format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(300_000)));
    let answers: [&'static str; 7] = [
        "",
        "HTTP/1.1 200 OK\r\n",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello",
        endless,
    ];
    let scripts = answers.map(|answer| vec![(HEAD_END, answer, true)]);
    let server = Scripted::new(scripts.into());
    for answer in answers {
        let asked = server.ask(Method::GET, Body::empty()).await;
        assert!(asked.is_err(), "{asked:?} of {answer:.80}");
    }
}

#[tokio::test]
async fn a_request_whose_body_fails_is_not_ended_as_if_it_were_whole() {
    let mut server = Scripted::new(vec![vec![("0\r\n\r\n", "", false)]]);
    let pieces = stream::iter([Ok("ab"), Err(io::Error::other("gone"))]);
    let asked = server.ask(Method::POST, Body::from_stream(pieces)).await;
    assert!(matches!(asked, Err(SendError::Body(_))), "{asked:?}");
    let heard = tokio::time::timeout(Duration::from_millis(100), server.heard.recv()).await;
    assert!(!matches!(heard, Ok(Some(_))), "{heard:?}");
}
