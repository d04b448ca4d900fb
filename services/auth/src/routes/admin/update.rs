//! `PUT /admin/users/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::account::AccountRequest;
use super::user_id;
use crate::actions::admin::update_account;
use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::session::Client;
use crate::error::Result;
use crate::extract::JsonBody;
use crate::wire::UserResponse;

/// Changes somebody's account.
pub(crate) async fn update_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<AccountRequest>,
) -> Result<Json<UserResponse>> {
    let update = request.account_update()?;
    let user = update_account(&app, &client, &admin, user_id(&id)?, update).await?;
    Ok(Json(UserResponse::from(user)))
}
