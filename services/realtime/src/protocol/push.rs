//! What a client sends.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::reference::Reference;
use super::{Version, binary, text};

/// One message from a client.
#[derive(Debug, Clone)]
pub struct ClientMessage {
    /// The join this message belongs to.
    pub join_ref: Option<Reference>,
    /// What the reply must carry.
    pub reference: Option<Reference>,
    /// `realtime:<name>`, or `phoenix`.
    pub topic: String,
    /// `phx_join`, `broadcast`, `access_token` and the like.
    pub event: String,
    /// What the message says.
    pub payload: ClientPayload,
}

/// What a message says.
#[derive(Debug, Clone)]
pub enum ClientPayload {
    /// JSON, not looked into yet.
    Json(Box<RawValue>),
    /// A broadcast in a binary frame.
    Broadcast(BroadcastPush),
}

/// A broadcast a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastPush {
    /// The user's event name.
    pub event: String,
    /// The user's payload.
    pub body: BroadcastBody,
    /// JSON text that travels beside the payload.
    pub meta: Option<String>,
}

/// The payload of a broadcast. Cloning shares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BroadcastBody {
    /// JSON text.
    Json(Bytes),
    /// Any bytes.
    Binary(Bytes),
}

/// Why a frame is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Text that is not the version's JSON.
    #[error("the frame is not a message of this protocol version")]
    Text,
    /// A binary frame shorter than its lengths say, with text that is no UTF-8, or with JSON that
    /// is none.
    #[error("the binary frame is malformed")]
    Binary,
    /// A binary frame of a kind that clients don't send.
    #[error("binary frames of kind {0} are not known")]
    Kind(u8),
}

impl ClientMessage {
    /// Reads a text frame.
    pub fn from_text(version: Version, frame: &str) -> Result<Self, FrameError> {
        text::decode(version, frame)
    }

    /// Reads a binary frame.
    pub fn from_binary(frame: &Bytes) -> Result<Self, FrameError> {
        binary::decode_push(frame)
    }
}
