//! `/api/v1/users/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use common::Secret;
use jwt::ApiKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::ProfileResponse;
use crate::actions::caller::Caller;
use crate::actions::sign_in::check_current_password;
use crate::actions::update_user::{UserUpdate, update_user};
use crate::app::App;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::JsonBody;
use crate::routes::requests::{contacts, given};

/// The caller.
pub(crate) async fn get_me(State(app): State<Arc<App>>, caller: Caller) -> Json<ProfileResponse> {
    Json(ProfileResponse::new(&caller.user, app.now()))
}

#[derive(Deserialize)]
pub(crate) struct UpdateMeRequest {
    email: Option<String>,
    password: Option<String>,
}

/// Changes the caller's address, password, or both.
pub(crate) async fn update_me(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<UpdateMeRequest>,
) -> Result<Json<ProfileResponse>> {
    let update = UserUpdate {
        contacts: contacts(given(request.email).as_deref(), None)?,
        password: given(request.password).map(Secret::from),
        ..UserUpdate::nothing(&app)
    };
    let user = Box::pin(update_user(&app, &client, &caller, update)).await?;
    Ok(Json(ProfileResponse::new(&user, app.now())))
}

#[derive(Deserialize)]
pub(crate) struct ChangePasswordRequest {
    current_password: Option<String>,
    new_password: Option<String>,
}

/// Changes the caller's password, who must know the current one.
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    client: Client,
    JsonBody(request): JsonBody<ChangePasswordRequest>,
) -> Result<Json<Value>> {
    let current = Secret::from(request.current_password.unwrap_or_default());
    check_current_password(&app, &client, &caller.user, &current).await?;
    let new = given(request.new_password);
    let new = new.ok_or_else(|| Error::validation("new_password required"))?;
    let update = UserUpdate {
        password: Some(Secret::from(new)),
        ..UserUpdate::nothing(&app)
    };
    Box::pin(update_user(&app, &client, &caller, update)).await?;
    Ok(Json(json!({ "message": "Password updated successfully" })))
}

/// The key that the caller's own programs use before anybody signs in.
pub(crate) async fn get_anon_key(State(app): State<Arc<App>>, _: Caller) -> Json<Value> {
    Json(json!({ "anon_key": app.api_keys.token(ApiKey::Anon) }))
}
