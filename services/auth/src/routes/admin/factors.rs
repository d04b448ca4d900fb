//! `/admin/users/{id}/factors`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::user_id;
use crate::actions::admin::{delete_factor, rename_factor};
use crate::actions::caller::Admin;
use crate::app::App;
use crate::domain::session::Client;
use crate::error::{Error, Result};
use crate::extract::JsonBody;
use crate::routes::factors::factor_id;
use crate::store;
use crate::wire::FactorResponse;

/// A user's factors.
pub(crate) async fn list_factors(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    _: Admin,
) -> Result<Json<Vec<FactorResponse>>> {
    let mut connection = app.pool.acquire().await?;
    let user = store::users::find(&mut connection, user_id(&id)?).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    Ok(Json(user.factors.into_iter().map(Into::into).collect()))
}

/// Takes a factor from a user who lost it.
pub(crate) async fn delete_user_factor(
    State(app): State<Arc<App>>,
    Path((user, factor)): Path<(String, String)>,
    admin: Admin,
    client: Client,
) -> Result<Json<FactorResponse>> {
    let ids = (user_id(&user)?, factor_id(&factor)?);
    let factor = delete_factor(&app, &client, &admin, ids).await?;
    Ok(Json(factor.into()))
}

#[derive(Deserialize)]
pub(crate) struct RenameRequest {
    friendly_name: Option<String>,
}

/// Changes what a user's factor is called.
pub(crate) async fn update_user_factor(
    State(app): State<Arc<App>>,
    Path((user, factor)): Path<(String, String)>,
    admin: Admin,
    client: Client,
    JsonBody(request): JsonBody<RenameRequest>,
) -> Result<Json<FactorResponse>> {
    let ids = (user_id(&user)?, factor_id(&factor)?);
    let name = request.friendly_name.unwrap_or_default();
    let factor = rename_factor(&app, &client, &admin, ids, &name).await?;
    Ok(Json(factor.into()))
}
