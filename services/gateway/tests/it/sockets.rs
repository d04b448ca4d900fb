//! Websockets, in process and tunnelled.

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stage::{PLACES, PUBLISHABLE, Place, Stage};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(
    stage: &Stage,
    path: &str,
    origin: Option<&'static str>,
) -> Result<Socket, StatusCode> {
    let url = format!("ws://{}{path}", stage.address());
    let mut request = url.into_client_request().expect("a request");
    if let Some(origin) = origin {
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_static(origin));
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn text(socket: &mut Socket) -> String {
    let message = socket.next().await.expect("a message").expect("no error");
    message.into_text().expect("text").to_string()
}

#[tokio::test]
async fn a_socket_opens_with_a_key_in_its_url_and_carries_both_ways() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let path = format!("/realtime/v1/websocket?apikey={PUBLISHABLE}&vsn=1.0.0");
        let mut socket = open(&stage, &path, None).await.expect("a socket");
        assert_eq!(
            text(&mut socket).await,
            format!("Bearer {}", stage.keys.anon),
            "{place:?}"
        );
        // Bytes that look like line ends and heads are nobody's business any more.
        let binary = b"\nGET / HTTP/1.1\n\r\n\0".repeat(20_000);
        socket.send(Message::text("hello\n")).await.expect("sent");
        assert_eq!(text(&mut socket).await, "hello\n", "{place:?}");
        socket
            .send(Message::binary(binary.clone()))
            .await
            .expect("sent");
        let echoed = socket.next().await.expect("a message").expect("no error");
        assert_eq!(echoed.into_data(), binary, "{place:?}");
        socket.close(None).await.expect("closed");
    }
}

#[tokio::test]
async fn a_socket_without_a_key_is_refused() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        for path in [
            "/realtime/v1/websocket",
            "/realtime/v1/websocket?apikey=wrong",
        ] {
            let refused = open(&stage, path, None).await.map(|_| ());
            assert_eq!(refused, Err(StatusCode::UNAUTHORIZED), "{place:?}");
        }
        // SelfDB's socket authenticates inside.
        let mut socket = open(&stage, "/api/v1/realtime/ws", None)
            .await
            .expect("a socket");
        assert_eq!(text(&mut socket).await, "", "{place:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_socket() {
    let changes = [("CORS_ALLOWED_ORIGINS", "https://app.example")];
    let stage = Stage::new(Place::InProcess, &changes).await;
    let path = format!("/realtime/v1/websocket?apikey={PUBLISHABLE}");
    assert!(
        open(&stage, &path, Some("https://app.example"))
            .await
            .is_ok()
    );
    assert!(open(&stage, &path, None).await.is_ok(), "no page at all");
    let refused = open(&stage, &path, Some("https://evil.example"))
        .await
        .map(|_| ());
    assert_eq!(refused, Err(StatusCode::FORBIDDEN));
}

#[tokio::test]
async fn a_socket_ends_with_either_side() {
    for place in PLACES {
        let stage = Stage::new(place, &[]).await;
        let path = format!("/realtime/v1/websocket?apikey={PUBLISHABLE}");
        let mut socket = open(&stage, &path, None).await.expect("a socket");
        text(&mut socket).await;
        match place {
            Place::InProcess => socket.close(None).await.expect("closed"),
            Place::Elsewhere => stage.gateway.stop(),
        }
        while let Some(Ok(message)) = socket.next().await {
            assert!(message.is_close(), "{place:?}: {message}");
        }
    }
}
