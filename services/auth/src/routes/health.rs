//! `GET /health`.

use axum::Json;
use serde_json::{Value, json};

/// Tells what answers here. Whether it can reach its database is `/ready`'s to say.
pub(super) async fn get_health() -> Json<Value> {
    Json(json!({
        "version": concat!("v", env!("CARGO_PKG_VERSION")),
        "name": "GoTrue",
        "description": "SelfDB's users and sessions, in the protocol of GoTrue",
    }))
}
