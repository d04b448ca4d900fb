//! The administration's own port: health, figures, and what the server knows.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::dump::{self, Reader};
use super::listen::Address;
use super::metrics;
use crate::live::Live;

#[derive(Clone)]
struct Admin {
    live: Live,
    /// Where requests are answered.
    server: Address,
}

/// The routes of the administration of `live`, which answers at `server`.
pub(super) fn router(live: Live, server: Address) -> Router {
    Router::new()
        .route("/live", get(is_live))
        .route("/ready", get(is_ready))
        .route("/config", get(config))
        .route("/schema_cache", get(schema_cache))
        .route("/metrics", get(figures))
        .with_state(Admin { live, server })
}

async fn is_live(State(admin): State<Admin>) -> StatusCode {
    if admin.server.is_reachable().await {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// 200 once requests can be answered, 503 while the schema is loaded or Postgres is away.
async fn is_ready(State(admin): State<Admin>) -> StatusCode {
    if !admin.server.is_reachable().await {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let app = admin.live.app();
    let answers = pg::pool::check(&app.catalogue).run().await.is_ok();
    if answers && app.cache.current().is_some() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

async fn config(State(admin): State<Admin>) -> Response {
    match admin.live.values() {
        Some(values) => dump::config(&values, Reader::Network).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn schema_cache(State(admin): State<Admin>) -> Response {
    let cache = admin.live.app().cache.current();
    let text = cache.map(|cache| dump::schema(&cache).to_string());
    let json = [(CONTENT_TYPE, "application/json; charset=utf-8")];
    (json, text.unwrap_or_default()).into_response()
}

async fn figures(State(admin): State<Admin>) -> Response {
    let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (plain, metrics::text(&admin.live)).into_response()
}
