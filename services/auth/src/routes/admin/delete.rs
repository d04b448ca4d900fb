//! `DELETE /admin/users/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::user_id;
use crate::actions;
use crate::actions::admin::Deletion;
use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::session::Client;
use crate::error::Result;
use crate::extract::{body, parse};

#[derive(Default, Deserialize)]
struct DeleteUserRequest {
    should_soft_delete: Option<bool>,
}

/// Deletes a user; with `should_soft_delete`, the row stays.
pub(crate) async fn delete_user(
    State(app): State<Arc<App>>,
    admin: Admin,
    client: Client,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>> {
    let body = body(request, &app).await?;
    let request: DeleteUserRequest = if body.is_empty() {
        DeleteUserRequest::default()
    } else {
        parse(&body)?
    };
    let deletion = match request.should_soft_delete {
        Some(true) => Deletion::Soft,
        Some(false) | None => Deletion::Hard,
    };
    let id = user_id(&id)?;
    actions::admin::delete_user(&app, &client, &admin.actor, id, deletion).await?;
    Ok(Json(json!({})))
}
