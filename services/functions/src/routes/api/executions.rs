//! A function's invocations.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::executions::{self, ExecutionFilter, ExecutionRow};

/// The most rows of one answer.
const MOST: i64 = 1_000;

#[derive(Deserialize)]
pub(super) struct Parameters {
    trigger: Option<String>,
    limit: Option<i64>,
    skip: Option<i64>,
}

/// `GET /functions/{name}/executions?trigger&limit&skip`: newest first. What a function did stays
/// known after it is gone.
pub(super) async fn list_executions(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Vec<ExecutionRow>>, ApiError> {
    let filter = ExecutionFilter {
        function: Some(state.name_of(&name).await?),
        trigger: parameters.trigger,
        limit: parameters.limit.unwrap_or(100).clamp(0, MOST),
        skip: parameters.skip.unwrap_or(0).max(0),
        ..ExecutionFilter::default()
    };
    Ok(Json(executions::list(&state.pool, &filter).await?))
}

/// `GET /functions/{name}/executions/{id}`.
pub(super) async fn show_execution(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((name, id)): Path<(String, Uuid)>,
) -> Result<Json<ExecutionRow>, ApiError> {
    let filter = ExecutionFilter {
        function: Some(state.name_of(&name).await?),
        id: Some(id),
        limit: 1,
        ..ExecutionFilter::default()
    };
    let found = executions::list(&state.pool, &filter).await?;
    let found = found.into_iter().next();
    Ok(Json(found.ok_or(ApiError::NotFound("execution"))?))
}
