//! `POST /functions/{id}/rollback {version}`: an earlier version serves again. The versions after it
//! stay known.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;

#[derive(Deserialize)]
pub(in crate::routes::api) struct RollBackRequest {
    version: i32,
}

pub(in crate::routes::api) async fn roll_back(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Result<Json<RollBackRequest>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let row = state.function(&id).await?;
    let done = Box::pin(state.deployer.roll_back(&row, request.version)).await?;
    done.ok_or(ApiError::NotFound("version"))?;
    Ok(Json(
        json!({ "id": row.id, "name": row.name, "version": request.version }),
    ))
}
