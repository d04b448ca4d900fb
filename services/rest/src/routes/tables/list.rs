//! `GET /api/v1/tables`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;

use super::SCHEMA;
use super::view::{TableResponse, is_visible};
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;

/// The tables that the caller may know of, by name.
pub(crate) async fn list_tables(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let caller = Caller::of(&app, &headers)?;
    let schema = app.schema()?;
    let tables: Vec<TableResponse<'_>> = schema
        .tables
        .values()
        .filter(|table| table.name.schema == SCHEMA && is_visible(&schema, table, &caller))
        .map(|table| TableResponse::from(&**table))
        .collect();
    Ok(Json(tables).into_response())
}
