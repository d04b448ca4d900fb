//! `POST /api/v1/tables`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::administration::Administration;
use super::json;
use crate::app::App;
use crate::error::Error;
use crate::sql::Sql;

/// A table to make. Types and defaults are resolved by Postgres; none of them is ever SQL.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CreateTableRequest {
    name: String,
    description: Option<String>,
    columns: Vec<NewColumn>,
    #[serde(default)]
    is_public: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewColumn {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    description: Option<String>,
    nullable: Option<bool>,
    /// A value, or the call of one of a few functions.
    default: Option<Value>,
    #[serde(default)]
    primary_key: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    is_foreign_key: bool,
    references_table: Option<String>,
    references_column: Option<String>,
}

/// Makes a table, for administration.
pub(crate) async fn create_table(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted: CreateTableRequest = json(&administration.app, body).await?;
    let definition = serde_json::to_string(&wanted).map_err(|_| Error::Shape("a definition"))?;
    let mut sql = Sql::default();
    sql.push("select selfdb.create_table(")
        .bind(definition)
        .push("::jsonb)");
    administration.run(&wanted.name, sql).await?;
    let shown = administration.show(&wanted.name)?;
    Ok((StatusCode::CREATED, shown).into_response())
}
