//! `/api/v1/tables/{table}/columns`: columns added, changed and dropped by administration. What
//! follows for the table's policies from its flag is done with it.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::administration::Administration;
use super::create::NewColumn;
use super::json;
use crate::app::App;
use crate::error::Error;
use crate::sql::Sql;

/// What is to change; what is not given stays. A default of null takes the default away.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UpdateColumnRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nullable: Option<bool>,
    #[serde(
        default,
        deserialize_with = "given",
        skip_serializing_if = "Option::is_none"
    )]
    default: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// A field that is there, also where it is null.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Adds a column, for administration.
pub(crate) async fn create_column(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted: NewColumn = json(&administration.app, body).await?;
    let definition = serde_json::to_string(&wanted).map_err(|_| Error::Shape("a column"))?;
    let mut sql = Sql::default();
    sql.push("select selfdb.add_column(").bind(table.as_str());
    sql.push("::text, ").bind(definition).push("::jsonb)");
    administration.run(&table, sql).await?;
    Ok((StatusCode::CREATED, administration.show(&table)?).into_response())
}

/// Changes a column, for administration.
pub(crate) async fn update_column(
    State(app): State<Arc<App>>,
    Path((table, column)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted: UpdateColumnRequest = json(&administration.app, body).await?;
    let changes = serde_json::to_string(&wanted).map_err(|_| Error::Shape("changes"))?;
    let mut sql = Sql::default();
    sql.push("select selfdb.update_column(")
        .bind(table.as_str());
    sql.push("::text, ").bind(column).push("::text, ");
    sql.bind(changes).push("::jsonb)");
    administration.run(&table, sql).await?;
    administration.show(&table)
}

/// Drops a column with what it holds, for administration. One that others refer to stays.
pub(crate) async fn delete_column(
    State(app): State<Arc<App>>,
    Path((table, column)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (administration, _) = Administration::of(app, request)?;
    let mut sql = Sql::default();
    sql.push("select selfdb.drop_column(").bind(table.as_str());
    sql.push("::text, ").bind(column).push("::text)");
    administration.run(&table, sql).await?;
    Ok(StatusCode::NO_CONTENT)
}
