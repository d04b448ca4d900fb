//! Bodies that come and go piece by piece, and connections that change their protocol.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::stage::Stage;

async fn next(body: &mut Body) -> String {
    let frame = body.frame().await.expect("a piece").expect("whole");
    String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text")
}

#[tokio::test]
async fn bodies_stream_both_ways_at_once() {
    let functions = Stage::new()
        .file(
            "echo/index.ts",
            "Deno.serve((req) => new Response(req.body));",
        )
        .start()
        .await;
    let (sender, pieces) = futures_channel();
    let response = functions.post("/echo").body(pieces).open().await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    for piece in ["one", "two"] {
        sender.send(piece).await;
        assert_eq!(next(&mut body).await, piece);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn events_arrive_as_they_happen_and_a_client_that_leaves_is_noticed() {
    let functions = Stage::new()
        .file(
            "events/index.ts",
            "let gone = false;
             Deno.serve((req) => {
                if (req.url.endsWith('?gone')) return Response.json(gone);
                const body = new ReadableStream({
                    start(controller) { controller.enqueue(new TextEncoder().encode('data: 1\\n\\n')); },
                    cancel() { gone = true; },
                });
                return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
             });",
        )
        .start()
        .await;
    let response = functions.get("/events").open().await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    assert_eq!(next(&mut body).await, "data: 1\n\n");
    drop(body);
    crate::stage::until(|| async {
        (functions.json("/events?gone").await == json!(true)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_declared_or_not() {
    let functions = Stage::new()
        .set("FUNCTIONS_MAX_BODY_BYTES", "1000")
        .function("length", "return (await req.text()).length;")
        .start()
        .await;
    let fits = functions.post("/length").body("x".repeat(1000)).await;
    assert_eq!(fits.expect_status(200).text(), "1000");
    let declared = functions
        .post("/length")
        .header("content-length", "1001")
        .body("x".repeat(1001));
    let _ = declared.await.expect_status(413);
    let (sender, pieces) = futures_channel();
    let (answer, ()) = tokio::join!(functions.post("/length").body(pieces), async {
        for _ in 0..3 {
            sender.send(&"x".repeat(500)).await;
        }
        drop(sender);
    });
    assert_eq!(
        answer.expect_status(413).header("sb-error-code"),
        Some("PAYLOAD_TOO_LARGE")
    );
    assert_eq!(functions.post("/length").body("abc").await.text(), "3");
}

#[tokio::test]
async fn a_web_socket_reaches_the_function() {
    let functions = Stage::new()
        .file(
            "socket/index.ts",
            "Deno.serve((req) => {
                const { socket, response } = Deno.upgradeWebSocket(req);
                socket.onmessage = (event) => socket.send('you said ' + event.data);
                return response;
             });",
        )
        .listen()
        .await;
    let url = format!("{}/socket", functions.service.url().replace("http:", "ws:"));
    let mut request = url.into_client_request().expect("a request");
    let bearer = format!("Bearer {}", functions.stage.key("ANON_KEY"));
    request
        .headers_mut()
        .insert("authorization", bearer.parse().expect("a header"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request)
        .await
        .expect("a socket");
    socket.send(Message::text("hello")).await.expect("sent");
    let answer = socket.next().await.expect("a message").expect("whole");
    assert_eq!(answer, Message::text("you said hello"));
}

/// The pieces of a request's body, sent one by one.
struct Pieces(tokio::sync::mpsc::Sender<Bytes>);

impl Pieces {
    async fn send(&self, piece: &str) {
        // Where nobody reads any more the request is over, and the test sees that.
        let _ = self.0.send(Bytes::copy_from_slice(piece.as_bytes())).await;
    }
}

fn futures_channel() -> (Pieces, Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece: Bytes = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (Pieces(sender), Body::from_stream(stream))
}
