//! When a function is called, and the calls of it that were given up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::queue::{self, DeadLetter};
use crate::store::triggers::{self, TriggerRow};

/// The most dead letters of one answer.
const MOST: i64 = 1_000;

/// `GET /functions/{id}/triggers`.
pub(super) async fn list_triggers(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<TriggerRow>>, ApiError> {
    let row = state.function(&id).await?;
    Ok(Json(triggers::list(&state.pool, row.id).await?))
}

/// `GET /functions/{id}/dead-letters`.
pub(super) async fn list_dead_letters(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<DeadLetter>>, ApiError> {
    let row = state.function(&id).await?;
    let dead = queue::list_dead(&state.pool, Some(row.id), MOST).await?;
    Ok(Json(dead))
}

/// `POST /functions/{id}/dead-letters/retry`: all of them are tried again.
pub(super) async fn retry_all(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = state.function(&id).await?;
    let retried = queue::revive(&state.pool, row.id, None).await?;
    state.wake.notify_one();
    Ok(Json(json!({ "retried": retried })))
}

/// `POST /functions/{id}/dead-letters/{event}/retry`.
pub(super) async fn retry_one(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((id, event)): Path<(String, Uuid)>,
) -> Result<Json<Value>, ApiError> {
    let row = state.function(&id).await?;
    match queue::revive(&state.pool, row.id, Some(event)).await? {
        0 => Err(ApiError::NotFound("dead letter")),
        retried => {
            state.wake.notify_one();
            Ok(Json(json!({ "retried": retried })))
        }
    }
}

/// `DELETE /functions/{id}/dead-letters/{event}`.
pub(super) async fn delete_one(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((id, event)): Path<(String, Uuid)>,
) -> Result<StatusCode, ApiError> {
    let row = state.function(&id).await?;
    if queue::delete_dead(&state.pool, row.id, event).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("dead letter"))
    }
}
