//! `GET` and `PUT /user`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::Secret;
use serde::Deserialize;
use serde_json::Value;

use super::requests::{contacts, given};
use super::responses::UserResponse;
use crate::actions::caller::Caller;
use crate::actions::update_user::{self, UserUpdate};
use crate::app::App;
use crate::domain::metadata::Metadata;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::JsonBody;

/// The caller.
pub(super) async fn get_user(caller: Caller) -> Json<UserResponse> {
    Json(UserResponse::from(caller.user))
}

#[derive(Deserialize)]
pub(super) struct UpdateUserRequest {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    data: Option<Metadata>,
    app_metadata: Option<Value>,
}

/// Changes the caller's account.
pub(super) async fn update_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<UpdateUserRequest>,
) -> Result<Json<UserResponse>> {
    if request.app_metadata.is_some() {
        return Err(Error::NotAdmin);
    }
    let (email, phone) = (given(request.email), given(request.phone));
    let update = UserUpdate {
        contacts: contacts(email.as_deref(), phone.as_deref())?,
        password: request.password.map(Secret::from),
        data: request.data,
    };
    let user = update_user::update_user(&app, &client, &caller, update).await?;
    Ok(Json(UserResponse::from(user)))
}
