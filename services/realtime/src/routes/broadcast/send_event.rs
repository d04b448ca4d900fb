//! `POST /api/broadcast/{topic}/events/{event}?private=true`: sends one message whose payload is
//! the body, JSON or any bytes. With `persist=true` or `persist[ttl]=seconds` a private one is kept
//! for those who join later, where policies allow that.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::send::{admit, authorize, new_broadcast};
use crate::bus::Event;
use crate::engine::Engine;
use crate::error::Error;
use crate::persistence::Keeping;
use crate::protocol::BroadcastBody;
use crate::routes::bearer;

#[derive(Debug, Deserialize)]
pub(in crate::routes) struct SendBroadcastQuery {
    #[serde(default)]
    private: bool,
    #[serde(default)]
    persist: Option<String>,
    #[serde(default, rename = "persist[ttl]")]
    persist_ttl: Option<String>,
}

pub(in crate::routes) async fn send_broadcast(
    State(engine): State<Arc<Engine>>,
    Path((topic, event)): Path<(String, String)>,
    Query(query): Query<SendBroadcastQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Error> {
    let identity = bearer::identify(&engine, &headers, None)?;
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is = |found: &str| content_type.is_some_and(|text| text.starts_with(found));
    let body = if is("application/octet-stream") {
        BroadcastBody::Binary(body)
    } else if content_type.is_some() && !is("application/json") {
        return Err(Error::MediaType);
    } else if serde_json::from_slice::<IgnoredAny>(&body).is_ok() {
        BroadcastBody::Json(body)
    } else {
        return Err(Error::Invalid(
            "the body must be JSON, or application/octet-stream",
        ));
    };
    let keeping = Keeping::asked_by_query(query.persist.as_deref(), query.persist_ttl.as_deref())
        .map_err(|_| {
        Error::Invalid("persist must be true, or persist[ttl] 1 to 259200 seconds")
    })?;
    let mut broadcast = new_broadcast(&topic, query.private, event, body)?;
    admit(&engine, &identity, 1)?;
    let kept = keeping.filter(|_| broadcast.topic.private);
    let may_keep = authorize(&engine, &identity, std::slice::from_ref(&broadcast)).await?;
    if let Some(keeping) = kept.filter(|_| may_keep) {
        broadcast.id = Some(engine.randomness.uuid().to_string().into());
        engine
            .bus
            .publish(Event::Broadcast(broadcast.clone()))
            .await;
        // It was told: who sent it need not care whether it could be kept.
        let _ = engine.keeper.keep(&broadcast, keeping).await;
    } else {
        engine.bus.publish(Event::Broadcast(broadcast)).await;
    }
    Ok(StatusCode::ACCEPTED)
}
