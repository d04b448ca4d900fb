//! `GET /functions/{id}/versions/{version}`: one version, with all of its files.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;

use super::content;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::versions;

#[derive(Serialize)]
pub(in crate::routes::api) struct VersionResponse {
    version: i32,
    hash: String,
    entry: String,
    is_current: bool,
    /// The text of the entry.
    code: String,
    files: BTreeMap<String, Value>,
}

pub(in crate::routes::api) async fn show_version(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((id, version)): Path<(String, i32)>,
) -> Result<Json<VersionResponse>, ApiError> {
    let row = state.function(&id).await?;
    let code = versions::code(&state.pool, row.id, version).await?;
    let code = code.ok_or(ApiError::NotFound("version"))?;
    let files = code.files.iter();
    Ok(Json(VersionResponse {
        version,
        hash: code.hash().as_str().to_owned(),
        entry: code.entry.display().to_string(),
        is_current: row.version == version,
        code: code.entry_text(),
        files: files
            .map(|(path, bytes)| (path.display().to_string(), content(bytes)))
            .collect(),
    }))
}
