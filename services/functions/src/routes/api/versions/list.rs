//! `GET /functions/{id}/versions`: newest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::versions::{self, VersionRow};

pub(in crate::routes::api) async fn list_versions(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<VersionRow>>, ApiError> {
    let row = state.function(&id).await?;
    let versions = versions::list(&state.pool, row.id).await?;
    // What is listed is served.
    state.catalog.catch_up().await;
    Ok(Json(versions))
}
