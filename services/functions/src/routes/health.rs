//! `GET /health`: whether the runtime answers; on the service's own port, not for the public.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::AppState;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    functions: usize,
}

pub(super) async fn show_health(State(state): State<Arc<AppState>>) -> Json<Health> {
    Json(Health {
        status: "ok",
        functions: state.catalog.list().len(),
    })
}
