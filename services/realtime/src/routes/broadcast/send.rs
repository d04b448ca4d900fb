//! `POST /api/broadcast`: sends messages to topics without joining them. Either all of them are
//! sent or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jwt::Identity;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::broadcast::{Broadcast, Topic};
use crate::bus::Event;
use crate::engine::Engine;
use crate::error::Error;
use crate::protocol::{BroadcastBody, MAX_NAME_BYTES, TOPIC_PREFIX};
use crate::routes::bearer;

#[derive(Deserialize)]
struct SendBroadcastsRequest {
    messages: Vec<MessageRequest>,
}

#[derive(Deserialize)]
struct MessageRequest {
    topic: String,
    event: String,
    payload: Box<RawValue>,
    #[serde(default)]
    private: Option<bool>,
}

pub(in crate::routes) async fn send_broadcasts(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Error> {
    let identity = bearer::identify(&engine, &headers, None)?;
    let request: SendBroadcastsRequest = serde_json::from_slice(&body).map_err(|_| {
        Error::Invalid("the body must be {\"messages\":[{topic,event,payload,private?}]}")
    })?;
    let messages = request.messages.into_iter();
    let broadcasts = messages.map(broadcast).collect::<Result<Vec<_>, _>>()?;
    admit(&engine, &identity, broadcasts.len())?;
    authorize(&engine, &identity, &broadcasts).await?;
    for broadcast in broadcasts {
        engine.bus.publish(Event::Broadcast(broadcast)).await;
    }
    Ok(StatusCode::ACCEPTED)
}

fn broadcast(message: MessageRequest) -> Result<Broadcast, Error> {
    let body = Bytes::copy_from_slice(message.payload.get().as_bytes());
    let private = message.private.unwrap_or(false);
    new_broadcast(
        &message.topic,
        private,
        message.event,
        BroadcastBody::Json(body),
    )
}

/// A broadcast that no channel sends, with names that every frame can carry.
pub(in crate::routes) fn new_broadcast(
    topic: &str,
    private: bool,
    event: String,
    body: BroadcastBody,
) -> Result<Broadcast, Error> {
    let fits = |name: &str, room: usize| !name.is_empty() && name.len() <= room;
    if !fits(topic, MAX_NAME_BYTES - TOPIC_PREFIX.len()) || !fits(&event, MAX_NAME_BYTES) {
        return Err(Error::Invalid(
            "topic and event must be 1 to 246 and 1 to 255 bytes",
        ));
    }
    Ok(Broadcast {
        topic: Topic {
            name: topic.into(),
            private,
        },
        event,
        body,
        meta: None,
        sender: None,
        id: None,
    })
}

/// Counts messages among those of their sender's key.
pub(in crate::routes) fn admit(
    engine: &Engine,
    identity: &Identity,
    messages: usize,
) -> Result<(), Error> {
    let count = u32::try_from(messages).unwrap_or(u32::MAX);
    let admitted = engine.keys.usage(identity).admit_events(count);
    admitted.then_some(()).ok_or(Error::TooManyMessages)
}

/// Holds every private topic against the policies on `realtime.messages`; whether messages to all
/// of them may be kept, too.
pub(in crate::routes) async fn authorize(
    engine: &Engine,
    identity: &Identity,
    broadcasts: &[Broadcast],
) -> Result<bool, Error> {
    let private = broadcasts
        .iter()
        .filter(|broadcast| broadcast.topic.private);
    let topics: BTreeSet<&str> = private.map(|found| &*found.topic.name).collect();
    let mut may_keep = true;
    for topic in topics {
        let rights = engine.access.rights(identity, topic).await?;
        if !rights.write_broadcast {
            return Err(Error::Forbidden);
        }
        may_keep &= rights.persist;
    }
    Ok(may_keep)
}
