//! `GET /websocket?apikey=…&vsn=…`: opens a Phoenix socket.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::channel::conversation::PhoenixConversation;
use crate::engine::Engine;
use crate::error::Error;
use crate::protocol::Version;
use crate::routes::handshake::Handshake;
use crate::routes::{bearer, origin};
use crate::sockets::Drive;

#[derive(Debug, Deserialize)]
pub(in crate::routes) struct ConnectQuery {
    apikey: Option<String>,
    vsn: Option<String>,
}

pub(in crate::routes) async fn connect_socket(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<ConnectQuery>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Result<Response, Error> {
    origin::check(&engine, &headers)?;
    let identity = bearer::identify(&engine, &headers, query.apikey.as_deref())?;
    let version = Version::parse(query.vsn.as_deref());
    let version = version.ok_or(Error::Invalid("vsn must be 1.0.0 or 2.0.0"))?;
    let open = engine.sockets.open().ok_or(Error::TooManyClients)?;
    let key = engine.keys.open(&identity).ok_or(Error::TooManyClients)?;
    let clock = Arc::clone(&engine.clock);
    let max_message_bytes = engine.limits.max_message_bytes;
    let (drive, outbox) = Drive::new(open, max_message_bytes, &engine.limits, clock);
    let conversation = PhoenixConversation::new(engine, version, (identity, key), outbox);
    Ok(handshake.accept(move |connection| drive.run(connection, conversation)))
}
