//! `GET /websocket?apikey=…&vsn=…`: opens a Phoenix socket.

use std::sync::Arc;

use axum::extract::{Query, State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::channel::conversation::PhoenixConversation;
use crate::engine::Engine;
use crate::error::Error;
use crate::protocol::Version;
use crate::routes::{bearer, origin};
use crate::sockets::Drive;

/// A socket rests most of its life: small buffers, which grow while a large message passes.
pub(in crate::routes) const SOCKET_BUFFER_BYTES: usize = 4 * 1024;

#[derive(Debug, Deserialize)]
pub(in crate::routes) struct ConnectQuery {
    apikey: Option<String>,
    vsn: Option<String>,
}

pub(in crate::routes) async fn connect_socket(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<ConnectQuery>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    origin::check(&engine, &headers)?;
    let identity = bearer::identify(&engine, &headers, query.apikey.as_deref())?;
    let version = Version::parse(query.vsn.as_deref());
    let version = version.ok_or(Error::Invalid("vsn must be 1.0.0 or 2.0.0"))?;
    let open = engine.sockets.open().ok_or(Error::TooManyClients)?;
    let key = engine.keys.open(&identity).ok_or(Error::TooManyClients)?;
    let clock = Arc::clone(&engine.clock);
    let (drive, outbox, failed) = Drive::new(open, &engine.limits, clock);
    let upgrade = upgrade
        .max_message_size(engine.limits.max_message_bytes)
        .max_frame_size(engine.limits.max_message_bytes)
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES);
    let conversation = PhoenixConversation::new(engine, version, (identity, key), outbox, failed);
    Ok(upgrade.on_upgrade(move |socket| drive.run(socket, conversation)))
}
