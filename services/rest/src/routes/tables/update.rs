//! `PUT /api/v1/tables/{table}`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::administration::Administration;
use super::json;
use crate::app::App;
use crate::error::Error;
use crate::sql::Sql;

/// What is to change; what is not given stays.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UpdateTableRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    is_public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// Changes what the platform knows of a table, for administration.
pub(crate) async fn update_table(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<Response, Error> {
    let (administration, body) = Administration::of(app, request)?;
    let wanted: UpdateTableRequest = json(&administration.app, body).await?;
    let changes = serde_json::to_string(&wanted).map_err(|_| Error::Shape("changes"))?;
    let mut sql = Sql::default();
    sql.push("select selfdb.update_table(").bind(table.as_str());
    sql.push("::text, ").bind(changes).push("::jsonb)");
    administration.run(&table, sql).await?;
    administration.show(&table)
}
