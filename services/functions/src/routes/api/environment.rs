//! Variables of one function (`/functions/{id}/env`) or of all (`/functions/env`). A secret one is
//! never shown again.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use common::Secret;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::source::is_reserved;
use crate::store::environment::{self, SealedVariable};

/// What stands in the place of a secret.
const MASK: &str = "********";
const MAX_VALUE_BYTES: usize = 64 * 1024;
const MAX_NAME_BYTES: usize = 256;

#[derive(Deserialize)]
pub(in crate::routes) struct PutVariableRequest {
    #[serde(alias = "name")]
    key: String,
    value: String,
    is_secret: Option<bool>,
}

/// One variable or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(in crate::routes) enum PutRequest {
    Several(Vec<PutVariableRequest>),
    One(PutVariableRequest),
}

#[derive(Serialize)]
pub(super) struct VariableResponse {
    key: String,
    value: String,
    is_secret: bool,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

type Put = Result<Json<PutRequest>, JsonRejection>;

pub(super) async fn list_of_project(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Vec<VariableResponse>>, ApiError> {
    list(&state, None).await
}

pub(in crate::routes) async fn put_of_project(
    _: Admin,
    State(state): State<Arc<AppState>>,
    request: Put,
) -> Result<StatusCode, ApiError> {
    put(&state, None, request).await
}

pub(super) async fn delete_of_project(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(key): Path<String>,
) -> Result<StatusCode, ApiError> {
    delete(&state, None, &key).await
}

pub(super) async fn list_of_function(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<VariableResponse>>, ApiError> {
    let row = state.function(&id).await?;
    list(&state, Some(row.id)).await
}

pub(super) async fn put_of_function(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
    request: Put,
) -> Result<StatusCode, ApiError> {
    let row = state.function(&id).await?;
    put(&state, Some(row.id), request).await
}

pub(super) async fn delete_of_function(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let row = state.function(&id).await?;
    delete(&state, Some(row.id), &key).await
}

async fn list(
    state: &AppState,
    function: Option<Uuid>,
) -> Result<Json<Vec<VariableResponse>>, ApiError> {
    let all = environment::list(&state.pool).await?.into_iter();
    let its = all.filter(|variable| variable.function == function);
    Ok(Json(its.map(|variable| show(state, variable)).collect()))
}

fn show(state: &AppState, variable: SealedVariable) -> VariableResponse {
    let place = SealedVariable::place(variable.function, &variable.name);
    let opened = state
        .vault
        .as_ref()
        .filter(|_| !variable.is_secret)
        .and_then(|vault| vault.open(&variable.sealed, &place).ok());
    VariableResponse {
        key: variable.name,
        value: opened.map_or_else(|| MASK.to_owned(), |value| value.expose().to_owned()),
        is_secret: variable.is_secret,
        updated_at: variable.updated_at,
    }
}

async fn put(
    state: &AppState,
    function: Option<Uuid>,
    request: Put,
) -> Result<StatusCode, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let variables = match request {
        PutRequest::Several(variables) => variables,
        PutRequest::One(variable) => vec![variable],
    };
    let vault = state.vault()?;
    for variable in &variables {
        check(variable)?;
    }
    for variable in variables {
        let name = variable.key.as_str();
        let place = SealedVariable::place(function, name);
        let value = Secret::from(variable.value);
        let sealed = vault.seal(&value, &place, &*state.invoker.randomness);
        let sealed = sealed.map_err(|error| ApiError::Internal(error.into()))?;
        let is_secret = variable.is_secret.unwrap_or(true);
        environment::put(&state.pool, (function, name), &sealed, is_secret).await?;
    }
    state.catalog.refresh().await;
    Ok(StatusCode::CREATED)
}

fn check(variable: &PutVariableRequest) -> Result<(), ApiError> {
    let name = variable.key.as_str();
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !begins || !plain || name.len() > MAX_NAME_BYTES {
        return Err(ApiError::Invalid(format!(
            "{name:?} is no variable's name: use letters, digits and _, not beginning with a digit"
        )));
    }
    if is_reserved(name) {
        return Err(ApiError::Invalid(format!(
            "{name} is the platform's to set: choose a name that does not begin with SUPABASE_ or SELFDB_"
        )));
    }
    if variable.value.len() > MAX_VALUE_BYTES || variable.value.contains('\0') {
        return Err(ApiError::Invalid(format!(
            "the value of {name} is longer than {MAX_VALUE_BYTES} bytes or holds a NUL"
        )));
    }
    Ok(())
}

async fn delete(
    state: &AppState,
    function: Option<Uuid>,
    key: &str,
) -> Result<StatusCode, ApiError> {
    if !environment::delete(&state.pool, function, key).await? {
        return Err(ApiError::NotFound("variable"));
    }
    state.catalog.refresh().await;
    Ok(StatusCode::NO_CONTENT)
}
