//! `POST /signup`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use common::Secret;
use serde::Deserialize;

use super::requests::{channel, email, given, leading, phone};
use crate::actions::anonymous::sign_in_anonymously;
use crate::actions::sign_up::{self, SignUp, SignedUp};
use crate::app::App;
use crate::captcha::{self, MetaSecurity};
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};
use crate::wire::{SessionResponse, UserResponse};

/// What a client may say. Roles, audiences and `app_metadata` are not among it.
#[derive(Deserialize)]
pub(super) struct SignUpRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Metadata>,
    channel: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    gotrue_meta_security: Option<MetaSecurity>,
}

/// Makes an account: by e-mail address, by phone number, or by neither, for nobody in particular.
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<SignUpRequest>,
) -> Result<Response> {
    captcha::check(&app, &client, request.gotrue_meta_security.as_ref()).await?;
    let data = request.data.unwrap_or_default();
    let contact = match (given(request.email), given(request.phone)) {
        (None, None) => {
            let grant = sign_in_anonymously(&app, &client, data).await?;
            return Ok(Json(SessionResponse::from(grant)).into_response());
        }
        (Some(_), Some(_)) => {
            return Err(Error::validation(
                "Only an email address or phone number should be provided on signup.",
            ));
        }
        (Some(text), None) => Contact::Email(email(&text)?),
        (None, Some(text)) => Contact::Phone(phone(&text)?),
    };
    let password = given(request.password)
        .ok_or_else(|| Error::validation("Signup requires a valid password"))?;
    let request = SignUp {
        contact,
        password: Secret::from(password),
        data,
        leading: leading(
            redirect,
            request.code_challenge_method.as_deref(),
            request.code_challenge.as_deref(),
        )?,
        channel: channel(request.channel.as_deref())?,
    };
    Ok(
        match Box::pin(sign_up::sign_up(&app, &client, request)).await? {
            SignedUp::In(grant) => Json(SessionResponse::from(*grant)).into_response(),
            SignedUp::Pending(user) => Json(UserResponse::from(*user)).into_response(),
        },
    )
}
