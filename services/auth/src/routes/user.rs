//! `GET` and `PUT /user`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::requests::{channel, contacts, given, leading};
use crate::actions::caller::Caller;
use crate::actions::reauthenticate;
use crate::actions::update_user::{self, UserUpdate};
use crate::app::App;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::{JsonBody, RedirectTo};
use crate::wire::UserResponse;

/// The caller.
pub(super) async fn get_user(caller: Caller) -> Json<UserResponse> {
    Json(UserResponse::from(caller.user))
}

#[derive(Deserialize)]
pub(super) struct UpdateUserRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    nonce: Option<String>,
    data: Option<Metadata>,
    app_metadata: Option<Value>,
    channel: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// Changes the caller's account.
pub(super) async fn update_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    redirect: RedirectTo,
    JsonBody(request): JsonBody<UpdateUserRequest>,
) -> Result<Json<UserResponse>> {
    if request.app_metadata.is_some() {
        return Err(Error::NotAdmin);
    }
    let (email, phone) = (given(request.email), given(request.phone));
    let update = UserUpdate {
        contacts: contacts(email.as_deref(), phone.as_deref())?,
        password: request.password.map(Secret::from),
        nonce: given(request.nonce).map(Secret::from),
        leading: leading(
            redirect,
            request.code_challenge_method.as_deref(),
            request.code_challenge.as_deref(),
        )?,
        channel: channel(request.channel.as_deref())?,
        data: request.data,
    };
    let user = Box::pin(update_user::update_user(&app, &client, &caller, update)).await?;
    Ok(Json(UserResponse::from(user)))
}

/// Sends the caller a code to show that they are still the same.
pub(super) async fn reauthenticate(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
) -> Result<Json<Value>> {
    reauthenticate::reauthenticate(&app, &client, &caller).await?;
    Ok(Json(json!({})))
}
