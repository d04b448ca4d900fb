//! Webhooks: who may send signed messages to which function.

pub(super) mod ingest;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use common::Secret;
use common::random::token;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::AppState;
use crate::routes::admin::Admin;
use crate::store::executions::{self, ExecutionFilter, ExecutionRow};
use crate::store::webhooks::{self, NewWebhook, WebhookRow};

/// Of a secret that is made here, in characters of six bits.
const SECRET_LENGTH: usize = 43;
const MIN_SECRET_BYTES: usize = 16;
const MOST: i64 = 1_000;

#[derive(Deserialize)]
pub(super) struct CreateWebhookRequest {
    #[serde(alias = "function_id", alias = "function_name")]
    function: String,
    name: Option<String>,
    #[serde(alias = "secret_key")]
    secret: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UpdateWebhookRequest {
    name: Option<String>,
    is_active: Option<bool>,
    #[serde(alias = "secret_key")]
    secret: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<i64>,
    skip: Option<i64>,
}

/// `GET /webhooks`.
pub(super) async fn list_webhooks(
    _: Admin,
    State(state): State<Arc<AppState>>,
) -> Result<Json<Vec<WebhookRow>>, ApiError> {
    Ok(Json(webhooks::list(&state.pool, None, None).await?))
}

/// `POST /webhooks {function, name?, secret?}`: the secret is told this once.
pub(super) async fn create_webhook(
    _: Admin,
    State(state): State<Arc<AppState>>,
    request: Result<Json<CreateWebhookRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let function = state.function(&request.function).await?;
    let secret = match request.secret {
        Some(secret) => checked(secret)?,
        None => Secret::from(token(&*state.invoker.randomness, SECRET_LENGTH)),
    };
    let id = state.invoker.randomness.uuid();
    let name = request.name.unwrap_or_else(|| "default".to_owned());
    let made = NewWebhook {
        id,
        function: function.id,
        name: &name,
        sealed_secret: &seal(&state, id, &secret)?,
    };
    if !webhooks::insert(&state.pool, &made).await? {
        let message = format!("{} has a webhook {name} already", function.name);
        return Err(ApiError::Conflict(message));
    }
    let path = format!("/api/v1/webhooks/ingest/{}", function.name);
    let told = json!({
        "id": id, "function": function.name, "name": name, "is_active": true,
        "secret": secret.expose(), "path": path,
    });
    Ok((StatusCode::CREATED, Json(told)))
}

/// `GET /webhooks/{id}`.
pub(super) async fn show_webhook(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<Uuid>,
) -> Result<Json<WebhookRow>, ApiError> {
    Ok(Json(find(&state, id).await?))
}

/// `PUT /webhooks/{id} {name?, is_active?, secret?}`.
pub(super) async fn update_webhook(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<Uuid>,
    request: Result<Json<UpdateWebhookRequest>, JsonRejection>,
) -> Result<Json<WebhookRow>, ApiError> {
    let Json(request) = request.map_err(|error| ApiError::Invalid(error.body_text()))?;
    let sealed = match request.secret {
        Some(secret) => Some(seal(&state, id, &checked(secret)?)?),
        None => None,
    };
    let change = (request.name.as_deref(), request.is_active);
    if !webhooks::update(&state.pool, id, change, sealed.as_deref()).await? {
        return Err(ApiError::NotFound("webhook"));
    }
    Ok(Json(find(&state, id).await?))
}

/// `DELETE /webhooks/{id}`.
pub(super) async fn delete_webhook(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    if webhooks::delete(&state.pool, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("webhook"))
    }
}

/// `GET /webhooks/{id}/deliveries?limit&skip`: how its messages fared, newest first.
pub(super) async fn list_deliveries(
    _: Admin,
    State(state): State<Arc<AppState>>,
    Path(id): Path<Uuid>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<ExecutionRow>>, ApiError> {
    let webhook = find(&state, id).await?;
    let filter = ExecutionFilter {
        function: Some(webhook.function),
        trigger: Some("webhook".to_owned()),
        source: Some(webhook.name),
        limit: page.limit.unwrap_or(100).clamp(0, MOST),
        skip: page.skip.unwrap_or(0).max(0),
        ..ExecutionFilter::default()
    };
    Ok(Json(executions::list(&state.pool, &filter).await?))
}

async fn find(state: &AppState, id: Uuid) -> Result<WebhookRow, ApiError> {
    let found = webhooks::list(&state.pool, Some(id), None).await?;
    let found = found.into_iter().next();
    found.ok_or(ApiError::NotFound("webhook"))
}

fn checked(secret: String) -> Result<Secret, ApiError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(ApiError::Invalid(format!(
            "a webhook's secret has at least {MIN_SECRET_BYTES} characters"
        )));
    }
    Ok(Secret::from(secret))
}

fn seal(state: &AppState, id: Uuid, secret: &Secret) -> Result<Vec<u8>, ApiError> {
    let sealed = state
        .vault()?
        .seal(secret, &WebhookRow::place(id), &*state.invoker.randomness);
    sealed.map_err(|error| ApiError::Internal(error.into()))
}
