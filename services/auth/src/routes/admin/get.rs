//! `GET /admin/users/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::user_id;
use crate::actions::caller::Admin;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::wire::UserResponse;

/// One user.
pub(crate) async fn get_user(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(id): Path<String>,
) -> Result<Json<UserResponse>> {
    let mut connection = app.pool.acquire().await?;
    let user = store::users::find(&mut connection, user_id(&id)?).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    Ok(Json(UserResponse::from(user)))
}
