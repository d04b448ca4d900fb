//! `DELETE /functions/{id}`: the function and all of its versions.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;

pub(in crate::routes) async fn delete_function(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let row = state.function(&id).await?;
    if row.folder_hash.is_some() {
        // Its file would bring it back.
        return Err(ApiError::Conflict(format!(
            "{} lies in the functions folder: remove it there, or set is_active to false",
            row.name
        )));
    }
    state.deployer.registry.delete(row.id).await?;
    state.catalog.refresh().await;
    Ok(StatusCode::NO_CONTENT)
}
