//! The page at `FRONTEND_PORT`: the state of the platform. It is served with a policy that allows
//! its own files and nothing inline.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::header::{REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use common::error::chain;
use serde_json::json;

use crate::probe;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The console's routes. `api_url` is where the page says the gateway is; `ready_url` is asked for
/// what `/health` answers.
pub fn router(api_url: &str, ready_url: String) -> Router {
    let config = json!({ "api_url": api_url });
    Router::new()
        .route(
            "/",
            get(async || {
                asset(
                    "text/html; charset=utf-8",
                    include_str!("../assets/console.html"),
                )
            }),
        )
        .route(
            "/console.css",
            get(async || asset("text/css", include_str!("../assets/console.css"))),
        )
        .route(
            "/console.js",
            get(async || asset("text/javascript", include_str!("../assets/console.js"))),
        )
        .route("/console.json", get(async move || Json(config)))
        .route("/health", get(async move || health(&ready_url).await))
}

async fn health(ready_url: &str) -> Response {
    match probe::get(ready_url).await {
        Ok((status, body)) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            tracing::warn!(error = %chain(&*error), "the gateway does not answer the console");
            let body = Json(json!({ "status": "unavailable" }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, body)
}
