//! `DELETE /api/v1/tables/{table}`.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use http::StatusCode;

use super::administer;
use crate::access::Caller;
use crate::app::App;
use crate::error::Error;
use crate::sql::Sql;

/// Drops a table with its rows, for administration. One that others refer to stays.
pub(crate) async fn delete_table(
    State(app): State<Arc<App>>,
    Path(table): Path<String>,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, _) = request.into_parts();
    let caller = Caller::of(&app, &parts.headers)?;
    caller.require_admin()?;
    let mut sql = Sql::default();
    sql.push("select selfdb.drop_table(")
        .bind(table)
        .push("::text)");
    administer(&app, (&caller, &parts), sql).await?;
    Ok(StatusCode::NO_CONTENT)
}
