//! `GET /api/v1/realtime/ws`: opens a socket of SelfDB's own protocol. Who is there is said in
//! its first message.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::channel::selfdb::SelfDbConversation;
use crate::engine::Engine;
use crate::error::Error;
use crate::routes::handshake::Handshake;
use crate::routes::origin;
use crate::sockets::Drive;

/// What clients of this protocol send is small.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

pub(in crate::routes) async fn connect_selfdb_socket(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Result<Response, Error> {
    origin::check(&engine, &headers)?;
    let open = engine.sockets.open().ok_or(Error::TooManyClients)?;
    let clock = Arc::clone(&engine.clock);
    let (drive, outbox) = Drive::new(open, MAX_MESSAGE_BYTES, &engine.limits, clock);
    let conversation = SelfDbConversation::new(engine, outbox);
    Ok(handshake.accept(move |connection| drive.run(connection, conversation)))
}
