//! `GET /functions/{name}/metrics?hours`: what a function's invocations come to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::executions::{self, Totals};

#[derive(Deserialize)]
pub(super) struct Parameters {
    hours: Option<i32>,
}

pub(super) async fn show_metrics(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(name): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Totals>, ApiError> {
    let function = state.name_of(&name).await?;
    let hours = parameters.hours.unwrap_or(24).clamp(1, 24 * 365);
    let totals = executions::totals(&state.pool, &function, hours).await?;
    Ok(Json(totals))
}
