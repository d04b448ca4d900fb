//! `GET /api/v1/realtime/ws`: opens a socket of SelfDB's own protocol. Who is there is said in
//! its first message.

use std::sync::Arc;

use axum::extract::{State, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::channel::selfdb::SelfDbConversation;
use crate::engine::Engine;
use crate::error::Error;
use crate::routes::origin;
use crate::routes::socket::connect::SOCKET_BUFFER_BYTES;
use crate::sockets::Drive;

/// What clients of this protocol send is small.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

pub(in crate::routes) async fn connect_selfdb_socket(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Error> {
    origin::check(&engine, &headers)?;
    let open = engine.sockets.open().ok_or(Error::TooManyClients)?;
    let clock = Arc::clone(&engine.clock);
    let (drive, outbox, failed) = Drive::new(open, &engine.limits, clock);
    let upgrade = upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES);
    let conversation = SelfDbConversation::new(engine, outbox, failed);
    Ok(upgrade.on_upgrade(move |socket| drive.run(socket, conversation)))
}
