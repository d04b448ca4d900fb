//! A client's presence on a channel: track and untrack.

use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Channel;
use super::join::state_frame;
use crate::engine::Engine;
use crate::protocol::{ClientPayload, Version};

#[derive(Deserialize)]
struct PresencePayload {
    event: String,
    #[serde(default)]
    payload: Option<Map<String, Value>>,
}

/// Why presence is not changed; the text is the client's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresenceError {
    /// Neither `track` with an object nor `untrack`.
    #[error("presence takes the events track, with an object as payload, and untrack")]
    Payload,
    /// Policies on `realtime.messages` don't let the client be present.
    #[error("Unauthorized: You do not have permissions to write to this Channel topic")]
    Unauthorized,
}

/// Does what the client asks.
pub fn handle(
    engine: &Engine,
    version: Version,
    topic: &str,
    channel: &mut Channel,
    payload: &ClientPayload,
) -> Result<(), PresenceError> {
    let ClientPayload::Json(json) = payload else {
        return Err(PresenceError::Payload);
    };
    let payload: PresencePayload =
        serde_json::from_str(json.get()).map_err(|_| PresenceError::Payload)?;
    match payload.event.to_ascii_lowercase().as_str() {
        "track" => {
            let rights = channel.membership.member.rights();
            if !rights.write_presence {
                return Err(PresenceError::Unauthorized);
            }
            listen(engine, version, topic, channel);
            track(engine, channel, payload.payload.unwrap_or_default());
            Ok(())
        }
        "untrack" => {
            channel.tracked = None;
            Ok(())
        }
        _ => Err(PresenceError::Payload),
    }
}

/// Whoever is present hears of presence from then on, and first who else is there.
fn listen(engine: &Engine, version: Version, topic: &str, channel: &Channel) {
    let member = &channel.membership.member;
    if !member.rights().read_presence || member.wants_presence.load(Ordering::Relaxed) {
        return;
    }
    engine.presence.state(&channel.topic, |state| {
        member.wants_presence.store(true, Ordering::Relaxed);
        channel.listener.send(state_frame(version, topic, &state));
    });
}

fn track(engine: &Engine, channel: &mut Channel, member: Map<String, Value>) {
    if let Some(tracked) = &channel.tracked {
        tracked.update(member);
    } else {
        let (topic, key) = (&channel.topic, &channel.presence_key);
        let tracked = engine
            .presence
            .track(topic, key, channel.listener.id, member);
        channel.tracked = Some(tracked);
    }
}
