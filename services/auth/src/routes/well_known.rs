//! `/.well-known/…`: how others check our tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::app::App;

const CACHED: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "public, max-age=600")];

/// `jwks.json`: the public keys. A shared secret is never shown.
pub(super) async fn get_jwks(
    State(app): State<Arc<App>>,
) -> ([(HeaderName, &'static str); 1], Json<Value>) {
    (CACHED, Json(app.public_keys.clone()))
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
        "id_token_signing_alg_values_supported": [app.signing_algorithm],
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256", "plain"],
    });
    (CACHED, Json(configuration))
}
