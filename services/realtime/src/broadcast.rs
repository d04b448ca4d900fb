//! Broadcasts: messages between those who joined the same topic.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::listener::ListenerId;
use crate::protocol::BroadcastBody;

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
}

#[derive(Deserialize)]
struct LogMessage<'a> {
    topic: String,
    event: String,
    private: bool,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl Broadcast {
    /// What `realtime.send()` marks its messages in the write-ahead log with.
    pub const LOG_PREFIX: &'static str = "selfdb.broadcast";

    /// Reads a message that `realtime.send()` wrote into the write-ahead log.
    pub fn from_log(content: &[u8]) -> Option<Self> {
        let message: LogMessage<'_> = serde_json::from_slice(content).ok()?;
        Some(Self {
            topic: Topic {
                name: message.topic.into(),
                private: message.private,
            },
            event: message.event,
            body: BroadcastBody::Json(Bytes::copy_from_slice(message.payload.get().as_bytes())),
            meta: None,
            sender: None,
        })
    }
}
