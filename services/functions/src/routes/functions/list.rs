//! `GET /api/v1/functions`: every function and how it fares. For administrators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;

use crate::access::identify;
use crate::catalog::Function;
use crate::error::{ApiError, Error};
use crate::routes::AppState;

#[derive(Serialize)]
pub(crate) struct FunctionResponse {
    name: String,
    /// Hash of the newest version's files.
    version: String,
    /// The module that is imported, relative to the functions folder.
    entry: String,
    verify_jwt: bool,
    /// Whether the newest version starts, as far as it was tried.
    is_active: bool,
    /// Whether a process serves it now.
    running: bool,
    /// Why it does not start.
    error: Option<String>,
}

pub(crate) async fn list_functions(
    State(state): State<Arc<AppState>>,
    headers: HeaderMap,
) -> Result<Json<Vec<FunctionResponse>>, ApiError> {
    let identity = identify(&state.verifier, &headers).map_err(Error::from)?;
    if !identity.is_admin() {
        return Err(Error::Forbidden.into());
    }
    let functions = state.catalog.list();
    Ok(Json(
        functions.iter().map(|function| show(function)).collect(),
    ))
}

fn show(function: &Function) -> FunctionResponse {
    let status = function.status();
    FunctionResponse {
        name: function.name.to_string(),
        version: status.version.id.as_str().to_owned(),
        entry: status.version.entry.display().to_string(),
        verify_jwt: function.verifies_jwt(),
        is_active: status.error.is_none(),
        running: status.running,
        error: status.error.map(|error| error.to_string()),
    }
}
