//! A client's socket: just enough of each protocol to hear and to be heard, and little more work
//! than that, since clients and server share the cores.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const PATIENCE: Duration = Duration::from_secs(30);
const READ_BYTES: usize = 4 * 1024;
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
    stream: TcpStream,
    dialect: Dialect,
    read: BytesMut,
    /// Where the last mark stood in its frame.
    mark: usize,
}

impl Socket {
    pub(super) async fn open(address: &str, dialect: Dialect) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        Self::open_with(socket, address, dialect).await
    }

    async fn open_with(socket: TcpSocket, address: &str, dialect: Dialect) -> Self {
        let address = address.strip_prefix("ws://").expect("an address");
        let (host, path) = address.split_once('/').expect("a path");
        let connecting = socket.connect(host.parse().expect("a host"));
        let stream = connecting.await.expect("a connection");
        stream.set_nodelay(true).expect("an open socket");
        let mut socket = Self {
            stream,
            dialect,
            read: BytesMut::new(),
            mark: 0,
        };
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        socket.write(request.as_bytes()).await;
        let end = loop {
            let end = socket.read.windows(4).position(|part| part == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => socket.more().await,
            }
        };
        let head = socket.read.split_to(end);
        assert!(head.starts_with(b"HTTP/1.1 101"), "a socket: {head:?}");
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
        socket.enter(config).await;
        socket
    }

    /// The same with as small a buffer as there can be, so that what is not read soon waits at the
    /// server.
    pub(super) async fn join_to_stall(address: &str, dialect: Dialect) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1).expect("a smaller buffer");
        let mut socket = Self::open_with(socket, address, dialect).await;
        socket.enter("").await;
        socket
    }

    async fn enter(&mut self, config: &str) {
        if self.dialect != Dialect::Phoenix {
            return;
        }
        self.text(&format!(
            r#"["1","1","realtime:bench","phx_join",{{"config":{{"presence":{{"enabled":false}}{config}}}}}]"#
        ))
        .await;
        let wanted = if config.contains("postgres_changes") {
            "Subscribed to PostgreSQL"
        } else {
            r#""status":"ok""#
        };
        let mut told = Vec::new();
        let joined = async {
            loop {
                let frame = String::from_utf8_lossy(&self.next().await).into_owned();
                if frame.contains(wanted) {
                    return;
                }
                assert!(
                    !frame.contains(r#""status":"error""#),
                    "it is let in: {frame}"
                );
                told.push(frame);
            }
        };
        let joined = tokio::time::timeout(PATIENCE, joined).await;
        assert!(joined.is_ok(), "it is let in in time; it was told {told:?}");
    }

    async fn write(&mut self, bytes: &[u8]) {
        let written = self.stream.write_all(bytes).await;
        written.expect("an open socket");
    }

    /// Sends a frame, masked with zeros: as it stands.
    pub(super) async fn text(&mut self, text: &str) {
        const MASKED: u8 = 0x80;
        const TWO_BYTES: u8 = 0x7e;
        let mut frame = vec![0x81];
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length @ ..126), _) => frame.push(MASKED | length),
            (_, length) => {
                frame.push(MASKED | TWO_BYTES);
                frame.extend(length.expect("a short text").to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.write(&frame).await;
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

    async fn more(&mut self) {
        self.read.reserve(READ_BYTES);
        let count = self.stream.read_buf(&mut self.read).await;
        assert_ne!(count.expect("an open socket"), 0, "an open socket");
    }

    /// The payload of the next frame; engine.io's pings are answered on the way.
    pub(super) async fn next(&mut self) -> Bytes {
        loop {
            let Some(payload) = self.frame() else {
                self.more().await;
                continue;
            };
            if self.dialect == Dialect::SocketIo && &payload[..] == b"2" {
                self.text("3").await;
                continue;
            }
            return payload;
        }
    }

    /// The payload of a whole frame that has arrived.
    fn frame(&mut self) -> Option<Bytes> {
        let (header, length) = match *self.read.get(1)? {
            126 => {
                let length = self.read.get(2..4)?.try_into().expect("two bytes");
                (4, usize::from(u16::from_be_bytes(length)))
            }
            127 => {
                let length = self.read.get(2..10)?.try_into().expect("eight bytes");
                let length = usize::try_from(u64::from_be_bytes(length));
                (10, length.expect("a length"))
            }
            length => (2, usize::from(length)),
        };
        if self.read.len() < header + length {
            return None;
        }
        self.read.advance(header);
        Some(self.read.split_to(length).freeze())
    }

    /// How long the next message has been under way, in µs since it was marked; frames without a
    /// mark are passed over.
    pub(super) async fn hear(&mut self, begun: Instant) -> u32 {
        loop {
            let frame = self.next().await;
            let Some(sent) = self.sent(&frame) else {
                continue;
            };
            let now = begun.elapsed().as_micros();
            return u32::try_from(now.saturating_sub(sent)).unwrap_or(u32::MAX);
        }
    }

    fn sent(&mut self, frame: &[u8]) -> Option<u128> {
        let marked = |at: usize| frame.get(at..).is_some_and(|rest| rest.starts_with(MARK));
        if !marked(self.mark) {
            self.mark = (0..frame.len()).find(|at| marked(*at))?;
        }
        let digits = frame.get(self.mark + MARK.len()..)?;
        let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
        Some(digits.fold(0, |number, digit| number * 10 + u128::from(digit - b'0')))
    }
}
