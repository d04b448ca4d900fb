//! `DELETE /api/v1/tables/{table}`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use http::StatusCode;

use super::administration::Administration;
use crate::app::App;
use crate::error::Error;
use crate::sql::Sql;

/// Drops a table with its rows, for administration. One that others refer to stays.
pub(crate) async fn delete_table(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (administration, _) = Administration::of(app, request)?;
    let mut sql = Sql::default();
    sql.push("select selfdb.drop_table(")
        .bind(table.as_str())
        .push("::text)");
    administration.run(&table, sql).await?;
    Ok(StatusCode::NO_CONTENT)
}
