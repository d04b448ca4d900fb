//! A client's broadcast on a channel.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Channel;
use crate::broadcast::Broadcast;
use crate::persistence::{InvalidKeeping, Keeping};
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
    /// It cannot be kept as is asked.
    #[error(transparent)]
    Keeping(#[from] InvalidKeeping),
}

impl BroadcastError {
    /// The error's name, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Payload => "invalid_payload",
            Self::Unauthorized => "unauthorized",
            Self::Keeping(_) => "invalid_persist_ttl",
        }
    }
}

/// Reads a broadcast and holds it against what the channel may do; with how long it is to be kept,
/// where that is asked for and allowed.
pub fn read(
    channel: &Channel,
    payload: ClientPayload,
) -> Result<(Broadcast, Option<Keeping>), BroadcastError> {
    let mut push = match payload {
        ClientPayload::Broadcast(push) => push,
        ClientPayload::Json(json) => from_json(&json).ok_or(BroadcastError::Payload)?,
    };
    if push.event.is_empty() || push.event.len() > MAX_NAME_BYTES {
        return Err(BroadcastError::Payload);
    }
    let asked = take_persist(&mut push.meta)?;
    let rights = channel.membership.member.rights();
    if !rights.write_broadcast {
        return Err(BroadcastError::Unauthorized);
    }
    let broadcast = Broadcast {
        topic: channel.topic.clone(),
        event: push.event,
        body: push.body,
        meta: push.meta,
        sender: Some(channel.listener.id),
        id: None,
    };
    Ok((broadcast, asked.filter(|_| rights.persist)))
}

/// Takes what is meant for the server alone out of a frame's metadata.
fn take_persist(meta: &mut Option<String>) -> Result<Option<Keeping>, InvalidKeeping> {
    let parsed = meta
        .as_deref()
        .map(serde_json::from_str::<Map<String, Value>>);
    let Some(Ok(mut members)) = parsed else {
        return Ok(None);
    };
    let Some(persist) = members.remove("persist") else {
        return Ok(None);
    };
    *meta = (!members.is_empty()).then(|| Value::Object(members).to_string());
    Keeping::asked(&persist)
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
