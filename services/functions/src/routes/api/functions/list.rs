//! `GET /functions`: every function and how it fares.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::response::FunctionResponse;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::functions;

pub(in crate::routes::api) async fn list_functions(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Vec<FunctionResponse>>, ApiError> {
    let rows = functions::list(&state.pool).await?;
    // What was in the folder once keeps its versions, and is a function again when its file is.
    let there = rows
        .into_iter()
        .filter(|row| row.origin == "api" || row.folder_hash.is_some());
    // What is listed is served.
    state.catalog.catch_up().await;
    let shown = there.map(|row| FunctionResponse::new(&state, row));
    Ok(Json(shown.collect()))
}
