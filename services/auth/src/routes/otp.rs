//! `POST /otp` and `POST /magiclink`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pace::at_one_pace;
use super::requests::{channel, email, given, leading, phone};
use crate::actions::passwordless::{Newcomers, send_email_code, send_phone_code};
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};

#[derive(Deserialize)]
pub(super) struct CodeRequest {
    email: Option<String>,
    phone: Option<String>,
    create_user: Option<bool>,
    data: Option<Metadata>,
    channel: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    gotrue_meta_security: Option<MetaSecurity>,
}

impl CodeRequest {
    fn newcomers(&self) -> Newcomers {
        match self.create_user {
            Some(false) => Newcomers::Refused,
            Some(true) | None => Newcomers::Welcome(self.data.clone().unwrap_or_default()),
        }
    }
}

/// Sends a link and a code to an address, or a code to a phone.
pub(super) async fn send_code(
    State(app): State<Arc<App>>,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<CodeRequest>,
) -> Result<Json<Value>> {
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let newcomers = request.newcomers();
    match (given(request.email), given(request.phone)) {
        (Some(_), Some(_)) => Err(Error::validation(
            "Only an email address or phone number should be provided",
        )),
        (None, None) => Err(Error::validation("One of email or phone must be set")),
        (Some(text), None) => {
            let leading = leading(
                redirect,
                request.code_challenge_method.as_deref(),
                request.code_challenge.as_deref(),
            )?;
            let email = email(&text)?;
            let work = Box::pin(send_email_code(&app, &client, email, newcomers, leading));
            at_one_pace(work).await?;
            Ok(Json(json!({})))
        }
        (None, Some(text)) => {
            let channel = channel(request.channel.as_deref())?;
            let id = send_phone_code(&app, &client, phone(&text)?, newcomers, channel).await?;
            Ok(Json(message(id)))
        }
    }
}

/// Sends a link and a code to an address.
pub(super) async fn send_magic_link(
    State(app): State<Arc<App>>,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<CodeRequest>,
) -> Result<Json<Value>> {
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let newcomers = request.newcomers();
    let email = email(&request.email.unwrap_or_default())?;
    let leading = leading(
        redirect,
        request.code_challenge_method.as_deref(),
        request.code_challenge.as_deref(),
    )?;
    let work = Box::pin(send_email_code(&app, &client, email, newcomers, leading));
    at_one_pace(work).await?;
    Ok(Json(json!({})))
}

/// What is answered where a provider took a message.
pub(super) fn message(id: Option<String>) -> Value {
    id.map_or_else(|| json!({}), |id| json!({ "message_id": id }))
}
