//! `/passkeys` and `/admin/users/{id}/passkeys`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::admin::user_id;
use crate::actions::caller::{Admin, Caller};
use crate::actions::passkeys::{self, PasskeyQuestion};
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::passkey::Passkey;
use crate::domain::session::Client;
use crate::error::refusal::PASSKEY_NOT_FOUND;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, body, parse};
use crate::wire::SessionResponse;

/// A passkey, without its key.
#[derive(Serialize)]
pub(super) struct PasskeyResponse {
    id: Uuid,
    #[serde(skip_serializing_if = "String::is_empty")]
    friendly_name: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    last_used_at: Option<OffsetDateTime>,
}

impl From<Passkey> for PasskeyResponse {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.id,
            friendly_name: passkey.friendly_name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        }
    }
}

fn question(question: &PasskeyQuestion) -> Json<Value> {
    Json(json!({
        "challenge_id": question.challenge_id,
        "options": question.options,
        "expires_at": question.expires_at.unix_timestamp(),
    }))
}

/// Asks the caller's browser for a new passkey.
pub(super) async fn begin_registration(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
) -> Result<Json<Value>> {
    let asked = passkeys::begin_registration(&app, &client, &caller).await?;
    Ok(question(&asked))
}

#[derive(Deserialize)]
pub(super) struct AnswerRequest {
    challenge_id: Option<String>,
    #[serde(alias = "credential_response")]
    credential: Option<Value>,
}

impl AnswerRequest {
    fn parts(self) -> Result<(Uuid, Value)> {
        let id = self
            .challenge_id
            .ok_or_else(|| Error::validation("challenge_id is required"))?;
        let id = id
            .parse()
            .map_err(|_| Error::validation("challenge_id must be a valid UUID"))?;
        let credential = self.credential.filter(|credential| !credential.is_null());
        let credential = credential.ok_or_else(|| Error::validation("credential is required"))?;
        Ok((id, credential))
    }
}

/// Keeps the passkey that the caller's browser made.
pub(super) async fn finish_registration(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<AnswerRequest>,
) -> Result<Json<PasskeyResponse>> {
    let (id, answer) = request.parts()?;
    let passkey = passkeys::finish_registration(&app, &client, &caller, (id, &answer)).await?;
    Ok(Json(passkey.into()))
}

#[derive(Default, Deserialize)]
struct SignInRequest {
    gotrue_meta_security: Option<MetaSecurity>,
}

/// Asks a browser for a passkey to sign in with.
pub(super) async fn begin_sign_in(
    State(app): State<Arc<App>>,
    client: Client,
    request: Request,
) -> Result<Json<Value>> {
    let body = body(request, &app).await?;
    let request: SignInRequest = if body.is_empty() {
        SignInRequest::default()
    } else {
        parse(&body)?
    };
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let asked = passkeys::begin_sign_in(&app, &client).await?;
    Ok(question(&asked))
}

/// Opens a session for the user whose passkey it is.
pub(super) async fn finish_sign_in(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(request): JsonBody<AnswerRequest>,
) -> Result<Json<SessionResponse>> {
    let (id, answer) = request.parts()?;
    let grant = Box::pin(passkeys::finish_sign_in(&app, &client, (id, &answer))).await?;
    Ok(Json(SessionResponse::from(grant)))
}

/// The caller's passkeys.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Vec<PasskeyResponse>>> {
    let passkeys = passkeys::list(&app, caller.user.id).await?;
    Ok(Json(passkeys.into_iter().map(Into::into).collect()))
}

#[derive(Deserialize)]
pub(super) struct RenameRequest {
    friendly_name: Option<String>,
}

/// Changes what the caller calls a passkey.
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<RenameRequest>,
) -> Result<Json<PasskeyResponse>> {
    let name = request.friendly_name.unwrap_or_default();
    let passkey = passkeys::rename(&app, &client, &caller, passkey_id(&id)?, &name).await?;
    Ok(Json(passkey.into()))
}

/// Gives a passkey up.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
) -> Result<StatusCode> {
    passkeys::remove(&app, &client, &caller, passkey_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's passkeys.
pub(super) async fn list_of(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    _: Admin,
) -> Result<Json<Vec<PasskeyResponse>>> {
    let passkeys = passkeys::list(&app, user_id(&id)?).await?;
    Ok(Json(passkeys.into_iter().map(Into::into).collect()))
}

/// Takes a passkey from a user who lost it.
pub(super) async fn remove_of(
    State(app): State<Arc<App>>,
    Path((user, passkey)): Path<(String, String)>,
    admin: Admin,
    client: Client,
) -> Result<StatusCode> {
    let ids = (user_id(&user)?, passkey_id(&passkey)?);
    passkeys::remove_of(&app, &client, &admin, ids).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn passkey_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| PASSKEY_NOT_FOUND.into())
}
