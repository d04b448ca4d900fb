//! `POST /resend`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use super::otp::message;
use super::pace::at_one_pace;
use super::requests::{email, given, leading, phone};
use crate::actions::resend::{self, Resend};
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};

#[derive(Deserialize)]
pub(super) struct ResendRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    gotrue_meta_security: Option<MetaSecurity>,
}

/// Sends a confirmation once more; whether somebody waits for one, is not told.
pub(super) async fn resend(
    State(app): State<Arc<App>>,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<ResendRequest>,
) -> Result<Json<Value>> {
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let leading = leading(
        redirect,
        request.code_challenge_method.as_deref(),
        request.code_challenge.as_deref(),
    )?;
    let kind = request.kind.as_deref();
    let (address, number) = (given(request.email), given(request.phone));
    let what = match kind {
        Some("signup" | "email_change") if number.is_some() => {
            return Err(Error::validation("Type provided requires an email address"));
        }
        Some("sms" | "phone_change") if address.is_some() => {
            return Err(Error::validation("Type provided requires a phone number"));
        }
        Some("signup") => Resend::Signup(email(&address.unwrap_or_default())?),
        Some("email_change") => Resend::EmailChange(email(&address.unwrap_or_default())?),
        Some("sms") => Resend::Sms(phone(&number.unwrap_or_default())?),
        Some("phone_change") => Resend::PhoneChange(phone(&number.unwrap_or_default())?),
        Some(_) | None => {
            return Err(Error::validation(
                "Missing one of these types: signup, email_change, sms, phone_change",
            ));
        }
    };
    let id = at_one_pace(Box::pin(resend::resend(&app, &client, what, leading))).await?;
    Ok(Json(message(id)))
}
