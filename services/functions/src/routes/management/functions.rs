//! `/v1/projects/{ref}/functions`: listed, shown, downloaded and deleted.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::error::ManagementError;
use super::response::FunctionResponse;
use crate::domain::code::Code;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::functions;

async fn all(state: &AppState) -> Result<Vec<FunctionResponse>, ApiError> {
    let rows = functions::list(&state.pool).await?.into_iter();
    let there = rows.filter(|row| row.origin == "api" || row.folder_hash.is_some());
    state.catalog.catch_up().await;
    Ok(there.map(|row| FunctionResponse::new(state, row)).collect())
}

pub(super) async fn list(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Vec<FunctionResponse>>, ManagementError> {
    Ok(Json(all(&state).await?))
}

/// `PUT`: what the command line sends after several functions were deployed one by one. They serve
/// already.
pub(super) async fn confirm(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Value>, ManagementError> {
    Ok(Json(json!({ "functions": all(&state).await? })))
}

pub(super) async fn show(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Json<FunctionResponse>, ManagementError> {
    let row = state.function(&slug).await?;
    Ok(Json(FunctionResponse::new(&state, row)))
}

pub(super) async fn delete(
    admin: Admin,
    State(state): State<Arc<AppState>>,
    Path((_, slug)): Path<(String, String)>,
) -> Result<StatusCode, ManagementError> {
    crate::routes::api::delete_function(admin, State(state), Path(slug)).await?;
    Ok(StatusCode::OK)
}

/// The files of the version that serves, as a form: each a part `file` under its path, after the
/// part `metadata`.
pub(super) async fn body(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response, ManagementError> {
    let row = state.function(&slug).await?;
    let code = state.deployer.registry.code(row.id, row.version).await?;
    let code = code.ok_or(ApiError::NotFound("version"))?;
    let boundary = format!("selfdb-{}", state.invoker.randomness.uuid().simple());
    let form = format!("multipart/form-data; boundary={boundary}");
    Ok(([(CONTENT_TYPE, form)], form_of(&code, &boundary)).into_response())
}

fn form_of(code: &Code, boundary: &str) -> Vec<u8> {
    let mut form = Vec::new();
    let metadata = json!({ "deno2_entrypoint_path": code.entry, "entrypoint_path": code.entry });
    let mut part = |disposition: &str, kind: &str, content: &[u8]| {
        let mut head = String::new();
        let _ = write!(
            head,
            "--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {kind}\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    };
    let json = "application/json";
    part("name=\"metadata\"", json, metadata.to_string().as_bytes());
    for (path, content) in &code.files {
        let path = path.display().to_string().replace('"', "%22");
        let disposition = format!("name=\"file\"; filename=\"{path}\"");
        part(&disposition, "application/octet-stream", content);
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    form
}
