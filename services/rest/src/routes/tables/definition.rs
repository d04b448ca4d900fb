//! `GET /api/v1/tables/{table}/sql`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::{SCHEMA, visible};
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;
use crate::execute::execute_one;
use crate::plan::Access;
use crate::sql::Sql;

const DEFINITION: &str = include_str!("queries/definition.sql");

/// The statements that would make the table: its columns, constraints and indexes.
pub(crate) async fn get_table_sql(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    visible(&*app.schema()?, &caller, &table)?;
    let mut sql = Sql::default();
    sql.push(DEFINITION).bind(table.as_str());
    sql.push("::text and n.nspname = ")
        .bind(SCHEMA)
        .push("::text");
    let text = execute_one(&app, (&caller, &parts), Access::ReadOnly, sql).await?;
    let text = text.ok_or(Error::Shape("a definition"))?;
    let text = str::from_utf8(&text).map_err(|_| Error::Shape("a definition"))?;
    Ok(Json(json!({ "table": table, "sql": text })).into_response())
}
