//! A client's broadcast on a channel.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Channel;
use crate::broadcast::Broadcast;
use crate::protocol::{BroadcastBody, BroadcastPush, ClientPayload, MAX_NAME_BYTES};

#[derive(Deserialize)]
struct BroadcastPayload {
    event: String,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    meta: Option<Box<RawValue>>,
}

/// Why a broadcast is not passed on; the text is the client's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BroadcastError {
    /// Not the payload of a broadcast.
    #[error("a broadcast has an event (1 to 255 bytes) and a payload")]
    Payload,
    /// Policies on `realtime.messages` don't let the client send.
    #[error("Unauthorized: You do not have permissions to write to this Channel topic")]
    Unauthorized,
}

/// Reads a broadcast and holds it against what the channel may do.
pub fn read(channel: &Channel, payload: ClientPayload) -> Result<Broadcast, BroadcastError> {
    let push = match payload {
        ClientPayload::Broadcast(push) => push,
        ClientPayload::Json(json) => from_json(&json).ok_or(BroadcastError::Payload)?,
    };
    if push.event.is_empty() || push.event.len() > MAX_NAME_BYTES {
        return Err(BroadcastError::Payload);
    }
    if !channel.membership.member.rights().write_broadcast {
        return Err(BroadcastError::Unauthorized);
    }
    Ok(Broadcast {
        topic: channel.topic.clone(),
        event: push.event,
        body: push.body,
        meta: push.meta,
        sender: Some(channel.listener.id),
        id: None,
    })
}

fn from_json(json: &RawValue) -> Option<BroadcastPush> {
    let payload: BroadcastPayload = serde_json::from_str(json.get()).ok()?;
    let body = payload.payload.as_ref().map_or("{}", |body| body.get());
    Some(BroadcastPush {
        event: payload.event,
        body: BroadcastBody::Json(Bytes::copy_from_slice(body.as_bytes())),
        meta: payload.meta.map(|meta| meta.get().to_owned()),
    })
}
