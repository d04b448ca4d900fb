//! `/.well-known/…`: how others check our tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::app::App;

const CACHED: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=600")];

/// `jwks.json`: the public keys. Tokens are signed with a shared secret, which is never shown.
pub(super) async fn get_jwks() -> ([(HeaderName, &'static str); 1], Json<Value>) {
    (CACHED, Json(json!({ "keys": [] })))
}

/// `openid-configuration`: who we are and where the keys are.
pub(super) async fn get_openid_configuration(
    State(app): State<Arc<App>>,
) -> ([(HeaderName, &'static str); 1], Json<Value>) {
    let issuer = &app.rules.issuer;
    let configuration = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
    });
    (CACHED, Json(configuration))
}
