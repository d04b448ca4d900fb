//! `POST /signup`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use common::Secret;
use serde::Deserialize;

use super::requests::{email, given, phone};
use super::responses::{SessionResponse, UserResponse};
use crate::actions::anonymous::sign_in_anonymously;
use crate::actions::sign_up::{self, SignUp, SignedUp};
use crate::app::App;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::domain::user::Contact;
use crate::error::{Error, Result};
use crate::extract::JsonBody;

/// What a client may say. Roles, audiences and `app_metadata` are not among it.
#[derive(Deserialize)]
pub(super) struct SignUpRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Metadata>,
}

/// Makes an account: by e-mail address, by phone number, or by neither, for nobody in particular.
pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    client: Client,
    JsonBody(request): JsonBody<SignUpRequest>,
) -> Result<Response> {
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
    };
    Ok(match sign_up::sign_up(&app, &client, request).await? {
        SignedUp::In(grant) => Json(SessionResponse::from(*grant)).into_response(),
        SignedUp::Pending(user) => Json(UserResponse::from(*user)).into_response(),
    })
}
