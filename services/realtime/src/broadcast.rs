//! Broadcasts: messages between those who joined the same topic.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::listener::ListenerId;
use crate::protocol::BroadcastBody;
use crate::protocol::text::quoted;
use crate::replication::Position;

/// Where broadcasts and presence happen. A private topic and a public one of the same name are
/// two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The name, without `realtime:`.
    pub name: Arc<str>,
    /// Whether policies on `realtime.messages` decide who receives and sends.
    pub private: bool,
}

/// One message to everybody in a topic.
#[derive(Debug, Clone)]
pub struct Broadcast {
    /// Where it goes.
    pub topic: Topic,
    /// The user's event name.
    pub event: String,
    /// The user's payload.
    pub body: BroadcastBody,
    /// JSON text that travels beside the payload.
    pub meta: Option<String>,
    /// The channel that sent it, which hears it only where it asked to.
    pub sender: Option<ListenerId>,
    /// The id of its row in `realtime.messages`, if it has one or will have one.
    pub id: Option<Arc<str>>,
}

/// The private topic that administrators hear of the platform's events in. Nobody sends there but
/// the platform.
pub const EVENTS_TOPIC: &str = "_events";

#[derive(Deserialize)]
struct LogEvent<'a> {
    event: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct LogMessage<'a> {
    topic: String,
    event: String,
    private: bool,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    binary: Option<&'a str>,
    #[serde(default)]
    id: Option<Arc<str>>,
    /// Whether the platform itself sent it.
    #[serde(default)]
    platform: bool,
}

impl Broadcast {
    /// What `realtime.send()` marks its messages in the write-ahead log with.
    pub const LOG_PREFIX: &'static str = "selfdb.broadcast";

    /// Reads a message that `realtime.send()` wrote into the write-ahead log.
    pub fn from_log(content: &[u8]) -> Option<Self> {
        let message: LogMessage<'_> = serde_json::from_slice(content).ok()?;
        if message.private && message.topic == EVENTS_TOPIC && !message.platform {
            return None;
        }
        let json = message.payload.map_or("null", RawValue::get);
        let body = match message.binary {
            Some(digits) => BroadcastBody::Binary(from_hex(digits)?),
            None => BroadcastBody::Json(Bytes::copy_from_slice(json.as_bytes())),
        };
        Some(Self {
            topic: Topic {
                name: message.topic.into(),
                private: message.private,
            },
            event: message.event,
            body,
            meta: None,
            sender: None,
            id: message.id,
        })
    }

    /// An event of the platform, written into the write-ahead log by one of its services, as the
    /// message that is kept of it.
    pub fn event_in_log(content: &[u8]) -> Option<Bytes> {
        let LogEvent { event, payload } = serde_json::from_slice(content).ok()?;
        let event = quoted(&event);
        let message = format!(
            r#"{{"topic":"{EVENTS_TOPIC}","event":{event},"private":true,"payload":{payload},"platform":true}}"#
        );
        Some(message.into())
    }

    /// An event of this service, for administrators.
    pub fn platform(event: &str, payload: &serde_json::Value) -> Self {
        Self {
            topic: Topic {
                name: EVENTS_TOPIC.into(),
                private: true,
            },
            event: event.to_owned(),
            body: BroadcastBody::Json(payload.to_string().into()),
            meta: None,
            sender: None,
            id: None,
        }
    }

    /// What travels beside a message that was committed at `position`.
    pub fn committed_meta(&self, position: Position) -> String {
        let id = self
            .id
            .as_deref()
            .map(|id| format!(r#""id":{},"#, quoted(id)));
        let id = id.unwrap_or_default();
        format!(r#"{{{id}"resume_token":"{position}"}}"#)
    }
}

fn from_hex(digits: &str) -> Option<Bytes> {
    let pairs = digits.as_bytes().chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| match pair {
            &[high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    bytes.filter(|_| whole).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platform_sends_events() {
        let event = Broadcast::event_in_log(br#"{"event":"user.created","payload":{"n":1}}"#);
        let event = Broadcast::from_log(&event.expect("an event")).expect("a message");
        assert_eq!(event.event, "user.created");
        assert_eq!(
            (&*event.topic.name, event.topic.private),
            (EVENTS_TOPIC, true)
        );
        let forged = r#"{"topic":"_events","event":"e","private":true,"payload":null}"#;
        assert!(Broadcast::from_log(forged.as_bytes()).is_none());
    }

    #[test]
    fn binary_messages_are_hexadecimal_in_the_log() {
        let content = r#"{"topic":"t","event":"e","private":true,"payload":null,"binary":"00fF"}"#;
        let broadcast = Broadcast::from_log(content.as_bytes()).expect("a message");
        assert_eq!(
            broadcast.body,
            BroadcastBody::Binary(Bytes::from_static(&[0, 255]))
        );
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("0g"), None);
    }
}
