//! A client's socket: just enough of each protocol to hear and to be heard.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(30);
/// What stands before the moment a message was sent, in µs since the measurement began.
const MARK: &[u8] = b"\"at\":";

/// What is spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Phoenix 2.0.0.
    Phoenix,
    /// Nothing around the message.
    Plain,
    /// socket.io 4 over engine.io 4.
    SocketIo,
}

pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    dialect: Dialect,
}

impl Socket {
    pub(super) async fn open(address: &str, dialect: Dialect) -> Self {
        let (stream, _) = connect_async(address).await.expect("a socket");
        let mut socket = Self { stream, dialect };
        if dialect == Dialect::SocketIo {
            socket.next().await;
            socket.text("40").await;
            socket.next().await;
        }
        socket
    }

    /// Opens a socket and joins a topic, with the rest of the join's `config`.
    pub(super) async fn join(address: &str, dialect: Dialect, config: &str) -> Self {
        let mut socket = Self::open(address, dialect).await;
        if dialect == Dialect::Phoenix {
            socket
                .text(&format!(
                    r#"["1","1","realtime:bench","phx_join",{{"config":{{"presence":{{"enabled":false}}{config}}}}}]"#
                ))
                .await;
            let wanted = if config.contains("postgres_changes") {
                "Subscribed to PostgreSQL"
            } else {
                r#""status":"ok""#
            };
            let joined = async {
                while !socket
                    .next()
                    .await
                    .windows(wanted.len())
                    .any(|part| part == wanted.as_bytes())
                {}
            };
            tokio::time::timeout(PATIENCE, joined)
                .await
                .expect("it is let in");
        }
        socket
    }

    async fn text(&mut self, text: &str) {
        let sent = self.stream.send(Message::text(text)).await;
        sent.expect("an open socket");
    }

    /// Sends a message of about 200 bytes to everybody else.
    pub(super) async fn say(&mut self, at: Duration) {
        let at = at.as_micros();
        let payload = format!(r#"{{"at":{at},"text":"{:a<160}"}}"#, "");
        let frame = match self.dialect {
            Dialect::Phoenix => format!(
                r#"["1",null,"realtime:bench","broadcast",{{"type":"broadcast","event":"m","payload":{payload}}}]"#
            ),
            Dialect::Plain => payload,
            Dialect::SocketIo => format!(r#"42["m",{payload}]"#),
        };
        self.text(&frame).await;
    }

    /// The bytes of the next frame; engine.io's pings are answered on the way.
    async fn next(&mut self) -> Vec<u8> {
        loop {
            let message = self.stream.next().await.expect("an open socket");
            let bytes = message.expect("a message").into_data();
            if self.dialect == Dialect::SocketIo && &bytes[..] == b"2" {
                self.text("3").await;
                continue;
            }
            return bytes.to_vec();
        }
    }

    /// How long the next message has been under way, in µs since it was marked; frames without a
    /// mark are passed over.
    pub(super) async fn hear(&mut self, begun: Instant) -> u32 {
        loop {
            let frame = self.next().await;
            let Some(sent) = mark(&frame) else {
                continue;
            };
            let now = begun.elapsed().as_micros();
            return u32::try_from(now.saturating_sub(sent)).unwrap_or(u32::MAX);
        }
    }
}

fn mark(frame: &[u8]) -> Option<u128> {
    let at = frame.windows(MARK.len()).position(|part| part == MARK)?;
    let digits = frame.get(at + MARK.len()..)?;
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let text: String = digits.map(|byte| char::from(*byte)).collect();
    text.parse().ok()
}
