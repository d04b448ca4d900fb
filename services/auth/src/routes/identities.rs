//! `/user/identities`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::actions::caller::Caller;
use crate::actions::identities;
use crate::app::App;
use crate::domain::session::Client;
use crate::error::Result;
use crate::error::refusal::IDENTITY_NOT_FOUND;

/// Unlinks an identity of the caller's.
pub(super) async fn unlink_identity(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    caller: Caller,
    client: Client,
) -> Result<Json<Value>> {
    let id = id.parse().map_err(|_| IDENTITY_NOT_FOUND)?;
    identities::unlink(&app, &client, &caller, id).await?;
    Ok(Json(json!({})))
}
