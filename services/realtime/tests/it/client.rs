//! A client of the Phoenix protocol, both versions, that keeps what it has not been asked for.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long anything may take before a test is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

pub(crate) const BOTH: [Version; 2] = [Version::V1, Version::V2];

/// What the server sent, whichever way it was encoded.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the protocol calls it so")]
pub(crate) struct Event {
    pub(crate) topic: String,
    pub(crate) event: String,
    pub(crate) reference: Value,
    pub(crate) payload: Value,
}

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    version: Version,
    next_reference: u32,
    kept: VecDeque<Event>,
}

impl Client {
    pub(crate) async fn connect(url: &str, version: Version, token: &str) -> Self {
        Self::try_connect(url, version, token)
            .await
            .expect("a socket")
    }

    pub(crate) async fn try_connect(
        url: &str,
        version: Version,
        token: &str,
    ) -> Result<Self, Box<Error>> {
        let vsn = match version {
            Version::V1 => "1.0.0",
            Version::V2 => "2.0.0",
        };
        let url = format!("{url}/websocket?apikey={token}&vsn={vsn}").replace("http://", "ws://");
        let request = url.into_client_request().expect("a URL");
        let (socket, _) = connect_async(request).await.map_err(Box::new)?;
        Ok(Self {
            socket,
            version,
            next_reference: 1,
            kept: VecDeque::new(),
        })
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.socket
            .send(message)
            .await
            .expect("a socket that takes messages");
    }

    /// Sends a message; answers its reference.
    pub(crate) async fn push(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        let reference = Value::from(self.next_reference.to_string());
        self.next_reference += 1;
        let frame = match self.version {
            Version::V1 => json!({
                "topic": topic, "event": event, "payload": payload,
                "ref": reference, "join_ref": "1",
            }),
            Version::V2 => json!(["1", reference, topic, event, payload]),
        };
        self.raw(Message::text(frame.to_string())).await;
        reference
    }

    /// Sends a message and waits for its reply.
    pub(crate) async fn ask(&mut self, topic: &str, event: &str, payload: Value) -> Value {
        let reference = self.push(topic, event, payload).await;
        let reply = self
            .until(|event| event.event == "phx_reply" && event.reference == reference)
            .await;
        reply.payload
    }

    /// Joins and must be let in; answers the response.
    pub(crate) async fn join(&mut self, topic: &str, config: Value) -> Value {
        let reply = self
            .ask(topic, "phx_join", json!({ "config": config }))
            .await;
        assert_eq!(reply["status"], "ok", "{reply}");
        reply["response"].clone()
    }

    /// Joins to hear of changes, and waits for the subscription.
    pub(crate) async fn listen(&mut self, topic: &str, changes: Value) -> Value {
        let response = self
            .join(topic, json!({ "postgres_changes": changes }))
            .await;
        let system = self.event("system").await;
        assert_eq!(system.payload["status"], "ok", "{system:?}");
        assert_eq!(system.payload["message"], "Subscribed to PostgreSQL");
        response
    }

    /// Joins; answers the client again and the response, or `None` where it is refused or the
    /// connection ends.
    pub(crate) async fn try_join(mut self, topic: &str, config: Value) -> Option<(Self, Value)> {
        let frame = json!(["1", "1", topic, "phx_join", { "config": config }]);
        let sent = self.socket.send(Message::text(frame.to_string())).await;
        sent.ok()?;
        loop {
            let reply = self.read().await?;
            if reply.event == "phx_reply" {
                let joined = reply.payload["status"] == "ok";
                return joined.then(|| (self, reply.payload["response"].clone()));
            }
        }
    }

    /// The next event; `None` at the socket's end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.read().await
    }

    /// Joins to hear of changes of `todos` that followed `token`; answers the response.
    pub(crate) async fn resume(&mut self, topic: &str, token: &str) -> Value {
        let todos = json!([{ "event": "*", "schema": "public", "table": "todos" }]);
        let config = json!({ "postgres_changes": todos, "resume": token });
        self.join(topic, config).await
    }

    /// The next event of this name; others are kept.
    pub(crate) async fn event(&mut self, name: &str) -> Event {
        self.until(|event| event.event == name).await
    }

    /// The next change.
    pub(crate) async fn change(&mut self) -> Value {
        self.event("postgres_changes").await.payload["data"].clone()
    }

    /// Waits for an event; others are kept in their order.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool + Send + Sync) -> Event {
        if let Some(index) = self.kept.iter().position(&wanted) {
            return self.kept.remove(index).expect("just found");
        }
        let waiting = async {
            loop {
                let event = self.read().await.expect("an open socket");
                if wanted(&event) {
                    return event;
                }
                self.kept.push_back(event);
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("the event never came; kept: {:?}", self.kept))
    }

    /// Everything that came until the answer to a heartbeat sent now: what has not come by then
    /// was not sent before.
    pub(crate) async fn settle(&mut self) -> Vec<Event> {
        self.ask("phoenix", "heartbeat", json!({})).await;
        self.kept.drain(..).collect()
    }

    /// The code and reason the server closes with.
    pub(crate) async fn closed(&mut self) -> Option<(u16, String)> {
        let waiting = async {
            while let Some(message) = self.socket.next().await {
                match message {
                    Ok(Message::Close(frame)) => {
                        return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                    }
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
            None
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the server closes")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => return Some(self.read_text(&text)),
                Message::Binary(bytes) => return Some(read_binary(&bytes)),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn read_text(&self, text: &str) -> Event {
        let frame: Value = serde_json::from_str(text).expect("JSON");
        let part = |object: &str, array: usize| match self.version {
            Version::V1 => frame[object].clone(),
            Version::V2 => frame[array].clone(),
        };
        let name = |value: Value| value.as_str().expect("text").to_owned();
        Event {
            topic: name(part("topic", 2)),
            event: name(part("event", 3)),
            reference: part("ref", 1),
            payload: part("payload", 4),
        }
    }
}

/// As `@supabase/realtime-js` reads kind 4.
fn read_binary(bytes: &[u8]) -> Event {
    assert_eq!(bytes[0], 4, "the server sends broadcasts");
    let (topic, event, meta) = (
        bytes[1].into(),
        usize::from(bytes[2]),
        usize::from(bytes[3]),
    );
    let json = bytes[4] == 1;
    let text = |from: usize, length: usize| {
        String::from_utf8(bytes[from..from + length].to_vec()).expect("UTF-8")
    };
    let payload = &bytes[5 + topic + event + meta..];
    let payload = if json {
        serde_json::from_slice(payload).expect("JSON")
    } else {
        json!(payload)
    };
    let mut broadcast =
        json!({ "type": "broadcast", "event": text(5 + topic, event), "payload": payload });
    if meta > 0 {
        let meta = text(5 + topic + event, meta);
        broadcast["meta"] = serde_json::from_str(&meta).expect("JSON");
    }
    Event {
        topic: text(5, topic),
        event: "broadcast".to_owned(),
        reference: Value::Null,
        payload: broadcast,
    }
}
