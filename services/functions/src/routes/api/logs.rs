//! What a function has printed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::logs::{self, LogFilter, LogRow};

/// The most lines of one answer.
const MOST: i64 = 1_000;

#[derive(Deserialize)]
pub(super) struct Parameters {
    execution_id: Option<Uuid>,
    level: Option<String>,
    after: Option<i64>,
    limit: Option<i64>,
}

/// `GET /functions/{name}/logs?execution_id&level&after&limit`: the last lines in the order they
/// were printed, or the first ones behind the id `after`.
pub(super) async fn list_logs(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Vec<LogRow>>, ApiError> {
    let filter = LogFilter {
        function: state.name_of(&name).await?,
        execution: parameters.execution_id,
        level: parameters.level,
        after: parameters.after,
        limit: parameters.limit.unwrap_or(100).clamp(0, MOST),
    };
    Ok(Json(logs::list(&state.pool, &filter).await?))
}
