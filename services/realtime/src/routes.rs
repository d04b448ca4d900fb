//! The table of routes.

mod broadcast {
    pub(super) mod send;
    pub(super) mod send_event;
}
mod bearer;
mod handshake;
mod origin;
mod selfdb {
    pub(super) mod connect;
}
mod socket {
    pub(super) mod connect;
}

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, post};

use crate::engine::Engine;

/// The service's routes, as the gateway sees them after taking its prefix off.
pub fn router(engine: Arc<Engine>) -> Router {
    let max_body = engine.limits.max_message_bytes;
    Router::new()
        .route("/websocket", any(socket::connect::connect_socket))
        .route("/socket/websocket", any(socket::connect::connect_socket))
        .route("/api/broadcast", post(broadcast::send::send_broadcasts))
        .route(
            "/api/broadcast/{topic}/events/{event}",
            post(broadcast::send_event::send_broadcast),
        )
        .route(
            "/api/v1/realtime/ws",
            any(selfdb::connect::connect_selfdb_socket),
        )
        .layer(DefaultBodyLimit::max(max_body))
        .with_state(engine)
}
