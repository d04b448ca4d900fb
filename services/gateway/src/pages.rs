//! The gateway's own pages.

mod health;

pub(crate) use health::Health;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use serde_json::json;

/// What this is, for whoever opens the address in a browser.
pub(crate) fn index() -> Response {
    let page = json!({
        "name": "SelfDB",
        "version": env!("CARGO_PKG_VERSION"),
        "health": "/health",
        "supabase": ["/auth/v1", "/rest/v1", "/realtime/v1", "/storage/v1", "/functions/v1"],
        "selfdb": "/api/v1",
    });
    Json(page).into_response()
}

/// This process runs.
pub(crate) fn live() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// Prometheus' text format.
pub(crate) fn metrics() -> Response {
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, common::metrics::render()).into_response()
}
