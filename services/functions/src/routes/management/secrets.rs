//! `/v1/projects/{ref}/secrets`: the project's variables. Values are shown as their digests.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use http::StatusCode;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::error::ManagementError;
use crate::domain::VersionId;
use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::routes::api::{PutRequest, put_of_project};
use crate::store::environment::{self, SealedVariable};

#[derive(Serialize)]
pub(super) struct SecretResponse {
    name: String,
    /// The value's SHA-256, in hexadecimal digits.
    value: String,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

pub(super) async fn list(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Vec<SecretResponse>>, ManagementError> {
    let all = environment::list(&state.pool).await?.into_iter();
    let of_project = all.filter(|variable| variable.function.is_none());
    let shown = of_project.map(|variable| {
        let place = SealedVariable::place(None, &variable.name);
        let vault = state.vault.as_ref();
        let opened = vault.and_then(|vault| vault.open(&variable.sealed, &place).ok());
        let digest = |value: common::Secret| Sha256::digest(value.expose().as_bytes());
        let digest = opened.map(|value| VersionId::new(&digest(value)));
        SecretResponse {
            name: variable.name,
            value: digest.map_or_else(String::new, |digest| digest.as_str().to_owned()),
            updated_at: variable.updated_at,
        }
    });
    Ok(Json(shown.collect()))
}

pub(super) async fn put(
    admin: Admin,
    State(state): State<Arc<AppState>>,
    request: Result<Json<PutRequest>, JsonRejection>,
) -> Result<StatusCode, ManagementError> {
    Ok(put_of_project(admin, State(state), request).await?)
}

/// A list of names; those that are not there are gone already.
pub(super) async fn delete(
    _: Admin,
    State(state): State<Arc<AppState>>,
    names: Result<Json<Vec<String>>, JsonRejection>,
) -> Result<StatusCode, ManagementError> {
    let Json(names) = names.map_err(|error| ApiError::Invalid(error.body_text()))?;
    for name in &names {
        environment::delete(&state.pool, None, name).await?;
    }
    state.catalog.refresh().await;
    Ok(StatusCode::OK)
}
