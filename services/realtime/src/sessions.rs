//! Sessions that ended before their access tokens did: signed out, or their user deleted. The auth
//! service tells of each in the transaction that ends it, so that nothing which is committed
//! afterwards is told to whoever holds such a token.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jwt::Identity;
use lru::LruCache;
use serde::Deserialize;
use uuid::Uuid;

use crate::broadcast::{Broadcast, EVENTS_TOPIC};
use crate::protocol::BroadcastBody;

/// The event's name among those of the platform.
const ENDED: &str = "session.ended";
/// How many are remembered: an hour of four a second.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// The sessions that ended last.
#[derive(Debug)]
pub struct EndedSessions(Mutex<LruCache<Uuid, ()>>);

#[derive(Deserialize)]
struct EndedPayload {
    session_id: Uuid,
}

impl Default for EndedSessions {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl EndedSessions {
    /// The session whose end the platform tells with `broadcast`, if it does.
    pub fn told_by(broadcast: &Broadcast) -> Option<Uuid> {
        let topic = &broadcast.topic;
        if broadcast.event != ENDED || &*topic.name != EVENTS_TOPIC || !topic.private {
            return None;
        }
        let BroadcastBody::Json(payload) = &broadcast.body else {
            return None;
        };
        let payload: EndedPayload = serde_json::from_slice(payload).ok()?;
        Some(payload.session_id)
    }

    /// The session has ended.
    pub fn end(&self, session: Uuid) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.put(session, ());
    }

    /// Whether the session of `identity` has ended.
    pub fn has_ended(&self, identity: &Identity) -> bool {
        let Some(session) = identity.session_id() else {
            return false;
        };
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.contains(&session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platform_tells_of_ended_sessions() {
        let id = Uuid::from_u128(7);
        let payload = serde_json::json!({ "session_id": id, "user_id": id });
        let event = serde_json::json!({ "event": "session.ended", "payload": payload }).to_string();
        let event = Broadcast::event_in_log(event.as_bytes()).expect("an event");
        let event = Broadcast::from_log(&event).expect("a message");
        assert_eq!(EndedSessions::told_by(&event), Some(id));
        let forged = serde_json::json!({ "topic": "room", "event": "session.ended",
            "private": true, "payload": payload });
        let forged = Broadcast::from_log(forged.to_string().as_bytes()).expect("a message");
        assert_eq!(EndedSessions::told_by(&forged), None);
    }
}
