//! `GET /functions/{id}`: one function, with its code.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::response::FunctionResponse;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::{functions, versions};

pub(in crate::routes::api) async fn show_function(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<FunctionResponse>, ApiError> {
    Ok(Json(read(&state, &id).await?))
}

/// The function `id`, with its code.
pub(super) async fn read(state: &AppState, id: &str) -> Result<FunctionResponse, ApiError> {
    let row = functions::find(&state.pool, id).await?;
    let row = row.ok_or(ApiError::NotFound("function"))?;
    let code = versions::code(&state.pool, row.id, row.version).await?;
    state.catalog.catch_up().await;
    let mut response = FunctionResponse::new(state, row);
    response.code = code.map(|code| code.entry_text());
    Ok(response)
}
