//! The routes of the service.

mod functions;
mod health;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use jwt::Verifier;

use crate::catalog::Catalog;

/// What handlers work with.
#[derive(Debug)]
pub(crate) struct AppState {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) verifier: Verifier,
    pub(crate) body_bytes: usize,
}

/// Functions by name, and the platform's own routes beside them. No function's name is one of
/// those (`FunctionName`).
pub(crate) fn router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/health", get(health::show_health))
        .route("/api/v1/functions", get(functions::list::list_functions))
        .route("/{name}", any(functions::invoke::invoke_function))
        .route("/{name}/", any(functions::invoke::invoke_function))
        .route("/{name}/{*path}", any(functions::invoke::invoke_function))
        .fallback(functions::invoke::no_function)
        .with_state(state)
}
