//! `POST /admin/users`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::account::AccountRequest;
use crate::actions;
use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::session::Client;
use crate::error::Result;
use crate::extract::JsonBody;
use crate::wire::UserResponse;

/// Makes an account for somebody.
pub(crate) async fn create_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    JsonBody(request): JsonBody<AccountRequest>,
) -> Result<Json<UserResponse>> {
    let account = request.new_account()?;
    let user = actions::admin::create_user(&app, &client, &admin, account).await?;
    Ok(Json(UserResponse::from(user)))
}
