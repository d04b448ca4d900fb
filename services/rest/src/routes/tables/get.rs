//! `GET /api/v1/tables/{table}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;

use super::view::TableResponse;
use super::visible;
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;

/// One table.
pub(crate) async fn get_table(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let caller = Caller::of(&app, &headers)?;
    let schema = app.schema()?;
    let table = visible(&schema, &caller, &table)?;
    Ok(Json(TableResponse::from(table)).into_response())
}
