//! `POST /recover`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pace::at_one_pace;
use super::requests::{email, leading};
use crate::actions::passwordless;
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::session::Client;
use crate::error::Result;
use crate::extract::{JsonBody, RedirectTo};

#[derive(Deserialize)]
pub(super) struct RecoverRequest {
    email: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    gotrue_meta_security: Option<MetaSecurity>,
}

/// Sends the way to a new password; whether there is an account, is not told.
pub(super) async fn recover(
    State(app): State<Arc<App>>,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<RecoverRequest>,
) -> Result<Json<Value>> {
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let email = email(&request.email.unwrap_or_default())?;
    let leading = leading(
        redirect,
        request.code_challenge_method.as_deref(),
        request.code_challenge.as_deref(),
    )?;
    let work = Box::pin(passwordless::recover(&app, &client, email, leading));
    at_one_pace(work).await?;
    Ok(Json(json!({})))
}
